"""CPU benchmark: arrayaudio beside its peers, in one process, on the same fresh input.

    python -m bench.cpu

Contenders take turns, so that all see the same noise; each turn is a pause, one call that is not counted and five that
are. The median of all turns is what counts. Errors are relative L2 against float64 values from NumPy's FFT and, for
mel, librosa's filters in float64; for the CQT, sums over librosa's wavelets. Times on shared machines are noisy:
compare within a run only. Results go to bench/results as JSON, with the processor's name.
"""

import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import scipy.signal

import arrayaudio as aa
from arrayaudio.versions import versions

SR, N_FFT, HOP, N_MELS = 22050, 2048, 512, 128
ROUNDS, REPEATS = 5, 5
PAUSE = 0.2  # seconds in which the BLAS threads of the last contender stop spinning on the cores of the next one


def exact_stft(y: np.ndarray) -> np.ndarray:
    """Centred STFT in double precision: (batch, n_samples) -> (batch, freq, time)."""
    padded = np.pad(y.astype(np.float64), [(0, 0), (N_FFT // 2, N_FFT // 2)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[:, ::HOP]
    return np.fft.rfft(frames * scipy.signal.get_window("hann", N_FFT)).swapaxes(-1, -2)


def exact_cqt(y: np.ndarray) -> np.ndarray:
    """Sums over librosa's wavelets, times the root of their lengths: (n_samples,) -> (84, time)."""
    frequencies = librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1"))
    kernels, lengths = librosa.filters.wavelet(freqs=frequencies, sr=SR, dtype=np.complex128)
    width = kernels.shape[1]
    padded = np.pad(y.astype(np.float64), width // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::HOP]
    return np.sqrt(lengths)[:, None] * (kernels.conj() @ frames.T)


def error(result: np.ndarray, exact: np.ndarray) -> float:
    """Relative L2 error."""
    return float(np.linalg.norm((result - exact).ravel()) / np.linalg.norm(exact.ravel()))


def compare(
    name: str, contenders: dict[str, Callable[[], np.ndarray]], exact: np.ndarray
) -> dict[str, dict[str, object]]:
    """Time contenders in turns and print one line for each."""
    rows: dict[str, dict[str, object]] = {}
    times: dict[str, list[float]] = {who: [] for who in contenders}
    for who, call in contenders.items():
        result = call()
        rows[who] = {
            "error": error(result, exact) if result.shape == exact.shape else None,
            "contiguous": bool(result.flags.c_contiguous),
        }
        call()
    for _ in range(ROUNDS):
        for who, call in contenders.items():
            time.sleep(PAUSE)
            call()
            for _ in range(REPEATS):
                start = time.perf_counter()
                call()
                times[who].append(time.perf_counter() - start)
    print(f"\n{name}")
    ours = statistics.median(times["arrayaudio"])
    for who, row in rows.items():
        middle = statistics.median(times[who])
        row |= {"median_ms": middle * 1e3, "min_ms": min(times[who]) * 1e3, "ratio_to_ours": middle / ours}
        accuracy = "      -" if row["error"] is None else f"{row['error']:7.1e}"
        layout = "contiguous" if row["contiguous"] else "strided view"
        print(f"  {who:<24}{middle * 1e3:9.2f} ms  {middle / ours:6.2f} x   error {accuracy}   {layout}")
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


def main() -> None:
    """Run every workload and write the results."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((16, 10 * SR)).astype(np.float32)
    X = exact_stft(y)
    bank = librosa.filters.mel(sr=SR, n_fft=N_FFT, n_mels=N_MELS, dtype=np.float64)
    frames = np.ascontiguousarray(
        np.lib.stride_tricks.sliding_window_view(np.pad(y, [(0, 0), (N_FFT // 2,) * 2]), N_FFT, axis=-1)[:, ::HOP]
    )
    workers = len(os.sched_getaffinity(0))
    spectra = aa.stft(y)
    clip = y[0, :SR]
    workloads: dict[str, tuple[dict[str, Callable[[], np.ndarray]], np.ndarray]] = {
        "STFT magnitude, 16 clips of 10 s": (
            {
                "arrayaudio": lambda: aa.stft(y, output="magnitude"),
                "librosa": lambda: np.abs(librosa.stft(y)),
                "bare FFT of ready frames": lambda: scipy.fft.rfft(frames, workers=workers),
            },
            np.abs(X),
        ),
        "mel spectrogram, 16 clips of 10 s": (
            {
                "arrayaudio": lambda: aa.melspectrogram(y, sr=SR),
                "librosa": lambda: librosa.feature.melspectrogram(y=y, sr=SR),
            },
            bank @ np.abs(X) ** 2,
        ),
        "inverse STFT, 16 clips of 10 s": (
            {
                "arrayaudio": lambda: aa.istft(spectra, length=y.shape[-1]),
                "librosa": lambda: librosa.istft(spectra, length=y.shape[-1]),
            },
            y.astype(np.float64),
        ),
        "CQT, 84 bins, 16 clips of 10 s": (
            {"arrayaudio": lambda: aa.cqt(y, sr=SR), "librosa": lambda: librosa.cqt(y, sr=SR)},
            np.stack([exact_cqt(item) for item in y]),
        ),
        "hpss, one clip of 10 s": (
            {
                "arrayaudio": lambda: aa.hpss(spectra[0])[0],
                "librosa": lambda: librosa.decompose.hpss(spectra[0])[0],
            },
            librosa.decompose.hpss(X[0])[0],
        ),
        "mel spectrogram, one clip of 1 s": (
            {
                "arrayaudio": lambda: aa.melspectrogram(clip, sr=SR),
                "librosa": lambda: librosa.feature.melspectrogram(y=clip, sr=SR),
            },
            bank @ np.abs(exact_stft(clip[None])[0]) ** 2,
        ),
    }
    print(f"white noise at {SR} Hz, float32, frames of {N_FFT}, hop {HOP}, {N_MELS} mel bands")
    results = {name: compare(name, *workload) for name, workload in workloads.items()}
    here = versions()
    record = {"date": datetime.date.today().isoformat(), "machine": here, "results": results, "startup": startup()}
    name = re.sub(r"[^a-z0-9]+", "-", here["processor"].lower()).strip("-")
    path = Path(__file__).parent / "results" / f"cpu-{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
