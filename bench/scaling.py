"""How time and memory grow: with the size of frames, the number and the length of clips, and one thread or more.

    python -m bench.scaling

Each time is the median of calls in the same process, after one that is not counted. Memory is what a call allocates at
most, with its result, beside the size of input and result. Results go to bench/results as JSON.
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import arrayaudio as aa
from arrayaudio.kernels.cpu.threads import num_threads
from bench.running import write

SR = 22050
SIZES = [2**k for k in range(7, 15)]
BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600]
LEAST_SECONDS = 0.3


def noise(*shape: int) -> np.ndarray:
    """White noise in single precision."""
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def milliseconds(call: Callable[[], Any]) -> float:
    """The median of at least three calls, and of as many as fit into a while."""
    call()
    times: list[float] = []
    while len(times) < 3 or sum(times) < LEAST_SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def curves() -> dict[str, dict[str, Any]]:
    """Mel spectrograms of clips, and STFT magnitudes over frame sizes, with one thread and with all."""
    clips, found = noise(16, 10 * SR), {}
    hour = noise(SECONDS[-1] * SR)
    mel = aa.MelSpectrogram(sr=SR)
    threads = sorted({1, num_threads()})
    for name, unit, values, call in (
        ("STFT magnitude, 16 clips of 10 s", "n_fft", SIZES, lambda n: aa.stft(clips, n_fft=n, output="magnitude")),
        ("mel spectrogram, clips of 1 s", "clips", BATCHES, lambda n: mel(hour[: n * SR].reshape(n, SR))),
        ("mel spectrogram, one clip", "seconds", SECONDS, lambda s: mel(hour[: int(s * SR)])),
    ):
        times = {}
        for n in threads:
            aa.set_num_threads(n)
            times[str(n)] = [milliseconds(lambda call=call, v=v: call(v)) for v in values]
        found[name] = {"unit": unit, "values": values, "milliseconds_by_threads": times}
        for n, row in times.items():
            shown = ", ".join(f"{value} {ms:.2f} ms" for value, ms in zip(values, row, strict=True))
            print(f"{name}, {n} thread(s), by {unit}: {shown}")
    return found


def memory() -> dict[str, dict[str, float]]:
    """Megabytes of input and result, and of what a call allocates at most, for 16 clips of 10 s."""
    y = noise(16, 10 * SR)
    spectra = aa.stft(y)
    found = {}
    for name, x, call in (
        ("STFT magnitude", y, lambda x: aa.stft(x, output="magnitude")),
        ("mel spectrogram", y, lambda x: aa.melspectrogram(x, sr=SR)),
        ("MFCC", y, lambda x: aa.mfcc(x, sr=SR)),
        ("inverse STFT", spectra, aa.istft),
        ("CQT", y, lambda x: aa.cqt(x, sr=SR)),
        ("resampling to 16 kHz", y, lambda x: aa.resample(x, orig_sr=SR, target_sr=16000)),
    ):
        call(x[:1])
        tracemalloc.start()
        result = call(x)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        found[name] = {"input_mb": x.nbytes / 1e6, "result_mb": result.nbytes / 1e6, "peak_mb": peak / 1e6}
        print(f"{name}: " + ", ".join(f"{key} {value:.1f}" for key, value in found[name].items()))
    return found


def main() -> None:
    """Run all and write the results."""
    write("scaling", {"curves": curves(), "memory": memory()}, {})


if __name__ == "__main__":
    main()
