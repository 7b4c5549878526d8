"""How far a transform is from the same in double precision, and what its numbers depend on."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

import arrayaudio as aa
from arrayaudio import primitive
from arrayaudio.kernels.cpu import threads
from docs.numerics.signals import LENGTH, SR

THREADS = (1, 2, 3)
BUDGET = 10**5  # bytes, for chunks that are a part of the signal


def error(ours: np.ndarray, exact: np.ndarray, dtype: str) -> float:
    """Relative L2 error, where values below the smallest normal number count as that."""
    a, b = (x.astype(np.complex128) for x in (ours, exact))
    if not np.isfinite(a).all():
        raise AssertionError("a result is not finite")
    floor = np.finfo(dtype).tiny * np.sqrt(b.size)
    return float(f"{np.linalg.norm(a - b) / (np.linalg.norm(b) + floor):.1e}")


def exactly(transform: Any, y: np.ndarray) -> np.ndarray:
    """What the references make of a signal in double precision."""
    with mock.patch.object(primitive, "fast_version", lambda *_: None):
        return transform(y.astype(np.float64))


def quiet_part(transform: Any, S: np.ndarray) -> np.ndarray:
    """The frames that begin in the quiet half; of transforms without frames, those from three quarters on."""
    framing = getattr(transform, "framing", None)
    if framing is None:
        return S[..., transform.times(LENGTH) * SR > 3 * LENGTH / 4]
    return S[..., np.arange(S.shape[-1]) * framing.hop_length - framing.padding >= LENGTH // 2]


def errors(transform: Any, signals: dict[str, np.ndarray], dtype: str) -> dict[str, float]:
    """Error for each signal; of the quiet part alone, where a signal falls."""
    found = {}
    for name, y in signals.items():
        ours, exact = transform(y), exactly(transform, y)
        if name == "140 dB down":
            ours, exact = quiet_part(transform, ours), quiet_part(transform, exact)
        found[name] = error(ours, exact, dtype)
    return found


@contextlib.contextmanager
def n_threads(count: int) -> Iterator[None]:
    """So many threads."""
    before = threads.num_threads()
    aa.set_num_threads(count)
    try:
        yield
    finally:
        aa.set_num_threads(before)


def depends(transform: Any, y: np.ndarray) -> dict[str, Any]:
    """Whether bits differ with threads and with batch mates, and by how much numbers do in chunks."""
    results = []
    for count in THREADS:
        with n_threads(count):
            results.append(transform(np.stack([y, -y, y[::-1]])))
    alone = transform(y)
    try:
        chunked: float | None = error(transform(y, memory_budget=BUDGET), alone, str(y.dtype))
    except aa.ParameterError as refusal:
        if "whole signal" not in str(refusal):
            raise
        chunked = None
    return {
        "threads": all(np.array_equal(result, results[0]) for result in results),
        "mates": bool(np.array_equal(results[0][0], alone)),
        "chunks": chunked,
    }
