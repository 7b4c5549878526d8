"""Clips of different lengths in one batch."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.arrays import Array, contiguous, dtype_name, namespace, on_device_of
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, lengthened, pad
from arrayaudio.spectrum import limit_range
from arrayaudio.transforms.by_frames import ByFrames

# Samples that are laid end to end in one signal at most: enough to keep all cores, or a device, busy.
TOGETHER = 2**23


class Ragged(NamedTuple):
    """Results of clips of different lengths: (n_clips, ..., freq, longest), with `fill` behind the frames of a clip.

    `lengths` are numbers of frames, a NumPy array (n_clips,); `mask`, (n_clips, longest), is True where frames are.
    """

    values: Array
    lengths: np.ndarray
    mask: Array


def ragged(clips: Sequence[Array], framing: Framing, steps: ByFrames, fill: float) -> Ragged:
    """Transform clips (..., n_samples) that share all axes but the last.

    Where frames are separate, clips are laid end to end, each beginning where a frame does, and the frames between two
    of them are left out: nothing is computed for clips that are shorter than others.
    """
    namespace(*clips)  # refuses those in different places
    lengths = np.array([framing.n_frames(clip.shape[-1]) for clip in clips])
    padded = [pad(clip, framing.padding, framing.pad_mode) for clip in clips]
    results: list[Array] = []
    for group in _groups([clip.shape[-1] for clip in padded], steps.separate):
        results += _end_to_end([padded[i] for i in group], lengths[group], framing.hop_length, steps)
    return filled(results, fill)


def filled(results: list[Array], fill: float) -> Ragged:
    """Results (..., freq, n_frames) of clips as one array, or ParameterError if other axes differ."""
    shapes = {tuple(S.shape[:-1]) for S in results}
    if len(shapes) > 1:
        raise ParameterError(f"clips give features of the shapes {sorted(shapes)} but for time: must all be the same")
    lengths = np.array([S.shape[-1] for S in results])
    xp, longest = namespace(*results), int(lengths.max())
    with on_device_of(results[0]):
        rows = [_filled(S, longest, fill) for S in results]
        mask = xp.asarray(np.arange(longest) < lengths[:, None])
        return Ragged(contiguous(xp.stack(rows, axis=0)), lengths, mask)


def _groups(sizes: Sequence[int], together: bool) -> list[list[int]]:
    """Numbers of clips that go into one signal, or each alone."""
    found: list[list[int]] = []
    room = 0
    for i, size in enumerate(sizes):
        if not found or not together or size > room:
            found.append([])
            room = TOGETHER
        found[-1].append(i)
        room -= size
    return found


def _end_to_end(clips: list[Array], lengths: np.ndarray, hop: int, steps: ByFrames) -> list[Array]:
    """Results of padded clips."""
    xp = namespace(*clips)
    sizes = [-(-clip.shape[-1] // hop) * hop for clip in clips]
    S = steps.run(xp.concat([lengthened(clip, 0, size) for clip, size in zip(clips, sizes, strict=True)], axis=-1))
    found, first = [], 0
    for size, n in zip(sizes, lengths.tolist(), strict=True):
        levels = S[..., first : first + n]
        found.append(steps.finish(levels if steps.span is None else limit_range(levels, steps.span)))
        first += size // hop
    return found


def _filled(S: Array, longest: int, fill: float) -> Array:
    xp = namespace(S)
    if S.shape[-1] == longest:
        return S
    rest = xp.full((*S.shape[:-1], longest - S.shape[-1]), fill, dtype=S.dtype)
    return xp.concat([S, rest], axis=-1)


def require_alike(signals: Sequence[Any]) -> None:
    """Raise ParameterError unless signals share their dtype and all axes but the last."""
    for i, signal in enumerate(signals):
        (shape, dtype), (first, wanted) = ((tuple(y.shape[:-1]), dtype_name(y)) for y in (signal, signals[0]))
        if (shape, dtype) != (first, wanted):
            raise ParameterError(
                f"clip {i} has shape {tuple(signal.shape)} and dtype {dtype}: all clips must have {wanted} samples in "
                f"the shape ({', '.join([*map(str, first), 'n_samples'])}), as the first has"
            )
