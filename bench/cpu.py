"""CPU benchmark: arrayaudio beside its peers, in one process, on the same fresh input.

    python -m bench.cpu

Contenders take turns, so that all see the same noise; each turn is a pause, one call that is not counted and five that
are. The median of all turns is what counts. Errors are relative L2 against float64 values from NumPy's FFT and, for
mel, librosa's filters in float64; for the CQT, sums over librosa's wavelets. Times on shared machines are noisy:
compare within a run only. Results go to bench/results as JSON, with the processor's name.
"""

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Callable

import librosa
import numpy as np

import arrayaudio as aa
from bench.running import in_turns, write
from bench.workloads import SR, workloads

ROUNDS, REPEATS = 5, 5
PAUSE = 0.2  # seconds in which the BLAS threads of the last contender stop spinning on the cores of the next one
PEERS = ("librosa", "scipy", "torch", "nnAudio", "auvux-dsp", "asrfront", "fastchroma")


def error(result: np.ndarray, exact: np.ndarray) -> float:
    """Relative L2 error."""
    return float(np.linalg.norm((result - exact).ravel()) / np.linalg.norm(exact.ravel()))


def compare(
    name: str, contenders: dict[str, Callable[[], np.ndarray]], exact: np.ndarray
) -> dict[str, dict[str, object]]:
    """Time contenders in turns and print one line for each."""
    rows: dict[str, dict[str, object]] = {}
    for who, call in contenders.items():
        result = call()
        rows[who] = {
            "error": error(result, exact) if result.shape == exact.shape else None,
            "contiguous": bool(result.flags.c_contiguous),
        }
        call()
    print(f"\n{name}")
    for who, times in in_turns(contenders, ROUNDS, REPEATS, PAUSE).items():
        row = rows[who] = rows[who] | times
        accuracy = "      -" if row["error"] is None else f"{row['error']:7.1e}"
        layout = "contiguous" if row["contiguous"] else "strided view"
        print(f"  {who:<24}{row['median_ms']:9.2f} ms  {row['ratio_to_ours']:6.2f} x   error {accuracy}   {layout}")
    return rows


def startup() -> dict[str, float]:
    """Seconds that the import and the first call take in a fresh process, caches warm; the best of three."""
    script = (
        "import time; t0 = time.perf_counter(); import numpy; t1 = time.perf_counter(); import arrayaudio as aa; "
        "t2 = time.perf_counter(); aa.melspectrogram(numpy.ones(22050, 'f4'), sr=22050); t3 = time.perf_counter(); "
        "print(t1 - t0, t2 - t1, t3 - t2)"
    )
    runs = [
        [
            float(x)
            for x in subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True
            ).stdout.split()
        ]
        for _ in range(3)
    ]
    numpy_s, import_s, first_s = (min(values) for values in zip(*runs, strict=True))
    print(
        f"\nstart-up\n  import numpy {numpy_s:.3f} s, import arrayaudio + {import_s:.3f} s, first call {first_s:.3f} s"
    )
    return {"import_numpy_s": numpy_s, "import_arrayaudio_s": import_s, "first_call_s": first_s}


def griffin_lim() -> dict[str, dict[str, float]]:
    """Seconds for 32 iterations on 16 clips of 10 s, and the spectral convergence reached, after a call as long."""
    y = np.random.default_rng(0).standard_normal((16, 10 * SR)).astype(np.float32)
    S, rows = aa.stft(y, output="magnitude"), {}
    for who, call in {
        "arrayaudio": lambda S: aa.griffinlim(S, n_iter=32, seed=0),
        "librosa": lambda S: librosa.griffinlim(S, n_iter=32, random_state=0),
    }.items():
        call(S)
        time.sleep(PAUSE)
        start = time.perf_counter()
        waveform = call(S)
        seconds = time.perf_counter() - start
        reached = aa.stft(waveform, output="magnitude")
        rows[who] = {"seconds": seconds, "convergence": error(reached, S)}
    print("\nGriffin-Lim, 32 iterations, 16 clips of 10 s")
    for who, row in rows.items():
        print(f"  {who:<24}{row['seconds']:9.2f} s   spectral convergence {row['convergence']:.3f}")
    return rows


def main() -> None:
    """Run every workload and write the results."""
    print(f"white noise, float32; frames of 2048 at {SR} Hz with a hop of 512 but where it says otherwise")
    results = {workload.name: compare(*workload) for workload in workloads()}
    others = {peer: importlib.metadata.version(peer) for peer in PEERS}
    write("cpu", {"results": results, "griffin_lim": griffin_lim(), "startup": startup()}, others)


if __name__ == "__main__":
    main()
