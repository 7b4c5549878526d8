"""How fast a transform is on this machine, and whether its GPU pays."""

import functools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from arrayaudio.arrays import Array, asarray, settled, to_numpy
from arrayaudio.checks import one_of, real, whole
from arrayaudio.cuda import cuda_problem
from arrayaudio.errors import ParameterError
from arrayaudio.kernels.cpu.threads import num_threads
from arrayaudio.measurements import Benchmark, Measurement, Spread
from arrayaudio.transforms.base import Transform
from arrayaudio.versions import gpu, processor

__all__ = ["benchmark"]

DEVICES = ("cpu", "cuda")
WARM_UPS, LEAST_REPEATS = 2, 5


def benchmark(
    transform: Transform,
    *,
    seconds: float = 10.0,
    batch_sizes: Sequence[int] = (1, 8, 64),
    dtype: Literal["float32", "float64"] = "float32",
    devices: Sequence[Literal["cpu", "cuda"]] | None = None,
    repeats: int = 50,
    budget: float = 1.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Benchmark:
    """Measure how fast a transform is here, on the CPU and, where there is one, on the GPU.

    Each call works on noise that lies where it computes, and is over when its result is complete: a GPU is waited for.
    The first call, which may compile, counts by itself; two more warm up. Then calls are timed one by one. On a GPU,
    the ways of the signals to it and of the results back are timed too, by themselves.

    Parameters
    ----------
    transform : Transform
        With `sr`. Its `device` is of no effect.
    seconds : float
        Length of each clip.
    batch_sizes : sequence of int
        Numbers of clips in a call.
    dtype : "float32" or "float64"
        Of the signals.
    devices : sequence of "cpu" and "cuda", optional
        Where to measure; by default on the CPU and, if one is usable, on CuPy's current GPU.
    repeats : int
        Timed calls at most, at least 5.
    budget : float
        Seconds after which no more than 5 calls of a kind are timed.
    clock : callable
        What tells the time in seconds.

    Returns
    -------
    Benchmark
        `print` shows a table and a hint whether the GPU pays; `measurements` are the rows, and `to_dict` all in one.

    Raises
    ------
    ParameterError
        If a setting breaks one of the rules above, or the clips are too short for a frame.
    BackendError
        If "cuda" is asked for and no GPU is usable.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> mel = aa.MelSpectrogram(sr=16000, n_mels=80)
    >>> found = aa.benchmark(mel, seconds=0.5, batch_sizes=(1, 2), devices=["cpu"], repeats=5)
    >>> [(row.device, row.batch_size, row.frames) for row in found.measurements]
    [('cpu', 1, 16), ('cpu', 2, 32)]
    """
    if not isinstance(transform, Transform):
        raise ParameterError(f"transform={transform!r}: must be a transform, such as aa.STFT(sr=16000)")
    one_of("dtype", dtype, ("float32", "float64"))
    sizes = [whole("batch_sizes", size) for size in batch_sizes]
    chosen = [one_of("devices", device, DEVICES) for device in (_here() if devices is None else devices)]
    if not sizes or not chosen:
        raise ParameterError(f"batch_sizes={batch_sizes!r}, devices={devices!r}: must each have at least one")
    sr = getattr(transform, "sr", None)
    if sr is None:
        raise ParameterError("sr=None: seconds of audio need the sampling rate; build the transform with sr=...")
    n_samples = max(1, round(real("seconds", seconds, above=0) * sr))
    clocked = functools.partial(
        _repeated,
        repeats=whole("repeats", repeats, least=LEAST_REPEATS),
        budget=real("budget", budget, least=0),
        clock=clock,
    )
    rows = [
        _measured(transform.to(device), device, np.stack([_noise(n_samples, dtype)] * size), sr, clocked, clock)
        for device in chosen
        for size in sizes
    ]
    return Benchmark(
        transform=repr(transform.to(None)),
        sr=float(sr),
        clip_seconds=n_samples / sr,
        dtype=dtype,
        threads=num_threads(),
        processor=processor(),
        gpu=gpu(),
        measurements=tuple(rows),
    )


def _here() -> tuple[str, ...]:
    return DEVICES if cuda_problem() is None else DEVICES[:1]


def _noise(n_samples: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, n_samples).astype(dtype)


def _measured(transform: Any, device: str, y: np.ndarray, sr: float, clocked: Any, clock: Any) -> Measurement:
    """Time calls with signals (batch_size, n_samples), and on a GPU their ways there and back."""
    there = settled(asarray(y, device=device))
    start = clock()
    S = settled(transform(there))
    first = clock() - start
    call = clocked(lambda: transform(there))
    moves = {}
    if device != "cpu":
        moves = {"upload": clocked(lambda: asarray(y, device=device)), "download": clocked(lambda: to_numpy(S))}
    return Measurement(device, len(y), len(y) * S.shape[-1], y.size / sr, first, call, **moves)


def _repeated(call: Callable[[], Array], *, repeats: int, budget: float, clock: Callable[[], float]) -> Spread:
    """Times of calls, each until its result is complete."""
    for _ in range(WARM_UPS):
        settled(call())
    times: list[float] = []
    while len(times) < repeats and (len(times) < LEAST_REPEATS or sum(times) < budget):
        start = clock()
        settled(call())
        times.append(clock() - start)
    lower, _, upper = statistics.quantiles(times, n=4, method="inclusive")
    return Spread(statistics.median(times), lower, upper, len(times))
