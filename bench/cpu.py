"""CPU benchmark: arrayaudio beside its peers, in one process, on the same fresh input.

    python -m bench.cpu

Contenders take turns, so that all see the same noise; each turn is a pause, one call that is not counted and five that
are. All workloads run three times, one after the other, and what counts is the median of the runs' medians; how far
these lie apart stands beside it. Errors are relative L2 against float64 values from NumPy's FFT and, for
mel, librosa's filters in float64; for the CQT, sums over librosa's wavelets. Times on shared machines are noisy:
compare within a run only. Results go to bench/results as JSON, with the processor's name.
"""

import importlib.metadata
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

import arrayaudio as aa
from bench.running import in_turns, write
from bench.workloads import SR, griffin_lim, workloads

RUNS, ROUNDS, REPEATS = 3, 3, 5
PAUSE = 0.2  # seconds in which the BLAS threads of the last contender stop spinning on the cores of the next one
PEERS = ("librosa", "scipy", "torch", "nnAudio", "auvux-dsp", "asrfront", "fastchroma")


def error(result: np.ndarray, exact: np.ndarray) -> float:
    """Relative L2 error."""
    return float(np.linalg.norm((result - exact).ravel()) / np.linalg.norm(exact.ravel()))


def compare(name: str, contenders: dict[str, Callable[[], np.ndarray]], exact: np.ndarray) -> dict[str, dict[str, Any]]:
    """Time contenders in turns and print one line for each."""
    rows: dict[str, dict[str, Any]] = {}
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


def middle(runs: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The median of what several runs measured of each contender, with the medians of all of them."""
    found = {}
    for who, row in runs[0].items():
        medians = [run[who]["median_ms"] for run in runs]
        found[who] = row | {
            "median_ms": statistics.median(medians),
            "runs_ms": medians,
            "min_ms": min(run[who]["min_ms"] for run in runs),
        }
    ours = found["arrayaudio"]["median_ms"]
    return {who: row | {"ratio_to_ours": row["median_ms"] / ours} for who, row in found.items()}


def startup() -> dict[str, float]:
    """Seconds that the import and the first call take in a fresh process, the best of three; and with empty caches."""
    script = (
        "import time; t0 = time.perf_counter(); import numpy; t1 = time.perf_counter(); import arrayaudio as aa; "
        "t2 = time.perf_counter(); aa.melspectrogram(numpy.ones(22050, 'f4'), sr=22050); t3 = time.perf_counter(); "
        "print(t1 - t0, t2 - t1, t3 - t2)"
    )

    def seconds(**environment: str) -> list[float]:
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
        return [float(x) for x in done.stdout.split()]

    with tempfile.TemporaryDirectory() as empty:
        cold = seconds(NUMBA_CACHE_DIR=empty)[-1]
    numpy_s, import_s, first_s = (min(values) for values in zip(*(seconds() for _ in range(3)), strict=True))
    print(
        f"\nstart-up\n  import numpy {numpy_s:.3f} s, import arrayaudio + {import_s:.3f} s, first call {first_s:.3f} s"
        f", with empty caches {cold:.1f} s"
    )
    return {
        "import_numpy_s": numpy_s,
        "import_arrayaudio_s": import_s,
        "first_call_s": first_s,
        "first_call_with_empty_caches_s": cold,
    }


def long_searches() -> dict[str, dict[str, Any]]:
    """Times of 32 iterations of Griffin and Lim, and the spectral convergence reached."""
    name, contenders, S = griffin_lim()
    print(f"\n{name}")
    rows = {who: {"convergence": error(aa.stft(call(), output="magnitude"), S)} for who, call in contenders.items()}
    for who, times in in_turns(contenders, RUNS, 1, PAUSE, warm=False).items():
        rows[who] |= times
        print(
            f"  {who:<24}{times['median_ms']:9.0f} ms  {times['ratio_to_ours']:6.2f} x   "
            f"spectral convergence {rows[who]['convergence']:.3f}"
        )
    return rows


def main() -> None:
    """Run every workload and write the results."""
    print(f"white noise, float32; frames of 2048 at {SR} Hz with a hop of 512 but where it says otherwise")
    runs: dict[str, list[Any]] = {}
    for _ in range(RUNS):
        for workload in workloads():
            runs.setdefault(workload.name, []).append(compare(*workload))
    results = {name: middle(measured) for name, measured in runs.items()}
    print("\nmedians of all runs")
    for name, rows in results.items():
        best = min((who for who in rows if who != "arrayaudio"), key=lambda who: rows[who]["median_ms"])
        ours, theirs = rows["arrayaudio"]["median_ms"], rows[best]["median_ms"]
        print(f"  {name:<44}{ours:9.2f} ms   {best} {theirs:.2f} ms, {theirs / ours:.2f} x")
    others = {peer: importlib.metadata.version(peer) for peer in PEERS}
    write("cpu", {"results": results, "griffin_lim": long_searches(), "startup": startup()}, others)


if __name__ == "__main__":
    main()
