"""Dask arrays of signals as lazy spectrograms: many clips, or a recording in chunks of time."""

import functools
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, asarray, dtype_name, namespace, on_device_of
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.frames import Framing, pad
from arrayaudio.transforms.base import Transform
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.nsgt import NSGT

try:
    import dask.array as da
    from dask.array.overlap import ensure_minimum_chunksize, overlap
    from dask.base import normalize_token
except ImportError as problem:
    raise MissingExtraError("Dask arrays", "dask", problem) from problem

__all__ = ["lazy_spectrogram"]


def _token(transform: Transform) -> Any:
    """What names a transform in graphs: its settings, and the arrays that it was given."""
    return transform.to_json(), normalize_token(transform._held)


normalize_token.register(Transform, _token)


def lazy_spectrogram(y: da.Array, transform: Framed | NSGT) -> da.Array:
    """Return the spectrogram of a Dask array as a Dask array, of which nothing is computed yet.

    Each block is transformed where it lies, NumPy's on the CPU and CuPy's on their GPU. Along time, neighbours share
    the samples of the frames at their borders, and only the ends of the signal are padded: the result is that of the
    whole signal, however it is cut. Where frames are computed by themselves, as by FFTs, it is equal to the last bit.

    Parameters
    ----------
    y : Dask array, shape (..., n_samples)
        In chunks of any sizes. Along time, those shorter than a frame and a hop are joined to their neighbours.
    transform : any of this library's

    Returns
    -------
    Dask array, shape (..., freq, n_frames)
        In the chunks of `y`; along time, a chunk has the frames whose middle lies in that of the signal.

    Raises
    ------
    ParameterError
        If `y` is no Dask array, the sizes of its chunks are unknown, or it is too short; or if there are several chunks
        along time and results depend on the whole signal.
    BackendError
        If the transform moves signals to a GPU, and none is usable here.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext.dask import lazy_spectrogram
    >>> mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40)
    >>> clips = da.random.default_rng(0).standard_normal((1000, 16000), chunks=(100, 16000))
    >>> S = lazy_spectrogram(clips, mel)
    >>> S.shape, S.numblocks, S[3].compute().shape
    ((1000, 40, 101), (10, 1, 1), (40, 101))
    >>> day = da.random.default_rng(0).standard_normal(86400 * 16000, chunks=600 * 16000)
    >>> lazy_spectrogram(day, mel).chunks[-1][:3]
    (60000, 60000, 60000)
    """
    if not isinstance(y, da.Array) or y.ndim == 0:
        raise ParameterError(f"signal of type {type(y).__name__}: must be a Dask array of shape (..., n_samples)")
    if np.isnan(y.shape).any():
        raise ParameterError(f"signal has shape {y.shape}: sizes must be known; call y.compute_chunk_sizes()")
    if y.numblocks[-1] > 1:
        if isinstance(transform, NSGT):
            raise ParameterError("NSGT takes the whole signal at once: join its chunks by y.rechunk({-1: -1})")
        transform.stream()  # refuses what depends on the whole signal
        y = _with_long_chunks(y, transform.framing)
    run: Any = transform
    counts: tuple[int, ...] = (transform.n_frames(y.shape[-1]),)
    if y.numblocks[-1] > 1:
        y, counts, run = _overlapping(y, transform)
    kind, n_rows = _kind(y, transform)
    chunks = (*y.chunks[:-1], (n_rows,), counts)
    return da.map_blocks(run, y, chunks=chunks, new_axis=y.ndim - 1, dtype=kind.dtype, meta=kind)


def _kind(y: da.Array, transform: Any) -> tuple[Array, int]:
    """An array of no values, of the kind and the dtype of results, and the number of their rows."""
    probe = transform.to("cpu")(np.zeros(transform.min_length, dtype=dtype_name(y._meta)))
    where = asarray(y._meta, device=transform.device)
    with on_device_of(where):
        xp = namespace(where)
        return xp.empty((0,) * (y.ndim + 1), dtype=getattr(xp, dtype_name(probe))), probe.shape[-2]


def _reach(framing: Framing) -> int:
    """How far the frames with their middle in a chunk lie outside of it, and what the padding of an end repeats."""
    return max(framing.frame_length - framing.frame_length // 2, framing.padding + 1)


def _with_long_chunks(y: da.Array, framing: Framing) -> da.Array:
    """Join chunks to such that hold the middle of a frame, and what the neighbours need."""
    shortest = _reach(framing) + framing.frame_length + framing.hop_length
    return y.rechunk({-1: -1 if y.shape[-1] < shortest else ensure_minimum_chunksize(shortest, y.chunks[-1])})


def _overlapping(y: da.Array, transform: Any) -> tuple[da.Array, tuple[int, ...], Any]:
    """Chunks that share what frames reach into, the numbers of their frames, and what makes these of a chunk."""
    framing, reach = transform.framing, _reach(transform.framing)
    begins = np.cumsum(y.chunks[-1])[:-1]
    firsts = -((framing.frame_length // 2 - framing.padding - begins) // framing.hop_length)
    counts = np.diff(firsts, prepend=0, append=framing.n_frames(y.shape[-1]))
    run = functools.partial(_frames_of_chunk, transform=transform, reach=reach)
    return overlap(y, {y.ndim - 1: reach}, "none"), tuple(counts.tolist()), run


def _frames_of_chunk(block: Array, transform: Framed, reach: int, block_info: dict[Any, Any]) -> Array:
    framing, steps = transform.framing, transform._by_frames()
    first, last = block_info[None]["array-location"][-1]
    # Blocks lie end to end in that axis, with what they share as often as it is shared.
    begin = block_info[0]["array-location"][-1][0] - 2 * reach * block_info[0]["chunk-location"][-1]
    start, stop = first * framing.hop_length, (last - 1) * framing.hop_length + framing.frame_length
    with on_device_of(block):
        # Padding within the signal is cut off again.
        padded = pad(block, framing.padding, framing.pad_mode)[..., start - begin : stop - begin]
    signal = transform._checked(padded)
    with on_device_of(signal):
        return steps.finish(steps.run(signal))
