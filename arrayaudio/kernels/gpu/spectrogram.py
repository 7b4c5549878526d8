"""Waveform to final feature in one launch, for frames whose length has small factors."""

import functools
import math
from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.butterflies import butterflies
from arrayaudio.kernels.gpu.fft import Tile, places, radices, tables, tile
from arrayaudio.kernels.gpu.loader import REALS, Program, current_device, launch, on_device, shared_limit
from arrayaudio.kernels.gpu.windowed_frames import MODES

DETECTORS = {"complex": 0, 1.0: 1, 2.0: 2}
THREADS, MOST_BLOCKS = 256, 2**16


class Bands:
    """The rows of a bank (n_bands, n_bins) as lists of taps, all from the first to the last that counts.

    Four bands share a list, in turn, with taps of no weight at the ends of the shorter ones.
    """

    def __init__(self, bank: np.ndarray) -> None:
        place = 2 * places(radices(2 * (bank.shape[1] - 1)) or ())
        place = np.append(place, place[0] + 1)  # half the rate lies beside 0 Hz
        counted = [np.flatnonzero(row) for row in bank]
        spans = [slice(at[0], at[-1] + 1) if at.size else slice(0, 0) for at in counted]
        widths = np.array([span.stop - span.start for span in spans] + [0] * (-len(spans) % 4), int)
        lengths = 2 * -(-widths.reshape(-1, 4).max(axis=1, initial=0) // 2)
        self.first = np.cumsum([0, *lengths]).astype(np.int32)
        # One more at the end, as an array without elements has no address.
        self.weights, self.places = np.zeros((2, self.first[-1] + 1, 4))
        for band, span in enumerate(spans):
            at = slice(self.first[band // 4], self.first[band // 4] + widths[band])
            self.weights[at, band % 4], self.places[at, band % 4] = bank[band, span], place[span]
        self._copies: dict[tuple[str, int], tuple[Any, Any]] = {}

    def copies(self, dtype: str, device: int) -> tuple[Any, Any]:
        """First taps of groups, and taps as pairs of weights and places, in the memory of the current device."""
        if (dtype, device) not in self._copies:
            taps = np.stack([self.weights.astype(dtype), np.empty(self.places.shape, dtype)], axis=-1)
            taps.view(f"int{8 * taps.itemsize}")[..., 1] = self.places
            self._copies[dtype, device] = on_device(self.first), on_device(taps)
        return self._copies[dtype, device]


@functools.cache
def no_bands(dtype: str, device: int) -> tuple[Any, Any]:
    """Arrays in the place of those of bands, which are not read."""
    return Bands(np.zeros((0, 17))).copies(dtype, device)


# What signals and results may be stored as, by their dtypes.
STORED = {"int16": "short", "float16": "Half"}


def program(sizes: tuple[int, ...], dtype: str, signal: str = "", result: str = "") -> Program:
    """Return the kernel for frames of a length and precision; all else is an argument of it.

    Signals and results may be stored in other formats.
    """
    stored = [f"{name}={STORED[kind]}" for name, kind in (("SAMPLE", signal), ("RESULT", result)) if kind in STORED]
    return Program("spectrogram", dtype, (f"RADICES={','.join(map(str, sizes))}", *stored), butterflies(sizes))


def _real(y: Any) -> np.dtype[Any]:
    """The precision of the arithmetic."""
    return np.dtype(np.float32) if y.dtype.name in STORED else y.dtype


def _covered(y: Any, plan: Any) -> bool:
    if plan.basis is not None or plan.frequencies is not None or plan.conditioning is not None:
        return False
    if plan.framing.pad_mode not in MODES:
        return False
    n_fft, bank = plan.framing.frame_length, plan.bank
    if _real(y).name not in REALS or radices(n_fft) is None or plan.detector not in DETECTORS:
        return False
    if not plan.window.fixed or plan.window.value.shape != (n_fft,):
        return False
    if bank is not None and not (bank.fixed and bank.value.shape[1] == 1 + n_fft // 2):
        return False
    if plan.detector == "complex" and not (bank is None and plan.scaling is None):
        return False
    return _tile(y, plan).shared_bytes(_real(y).itemsize) <= shared_limit(current_device())


def _tile(y: Any, plan: Any) -> Tile:
    """How many frames a block takes, and how they lie."""
    framing, itemsize = plan.framing, _real(y).itemsize
    sizes, n_items = radices(framing.frame_length) or (), y.size // y.shape[-1]
    return tile(sizes, itemsize, n_items, framing.n_frames(y.shape[-1]), shared_limit(current_device()))


def spectrogram(y: Any, plan: Any) -> Any:
    """Run `plan` on (..., n_samples), or decline other frame lengths, phases, odd powers and learned arrays."""
    if not _covered(y, plan):
        return NotImplemented
    return written(cupy.empty(plan.shape(y.shape), plan.dtype(_real(y))), y, plan)


def written(out: Any, y: Any, plan: Any) -> Any:
    """Write what `spectrogram` returns to contiguous memory of its dtype, or in half precision, or decline."""
    if not _covered(y, plan):
        return NotImplemented
    if out.size == 0:
        return out
    framing, bank, scaling, device, real = plan.framing, plan.bank, plan.scaling, current_device(), _real(y)
    sizes, n_samples, shape = radices(framing.frame_length) or (), y.shape[-1], _tile(y, plan)
    n_items, n_frames, n_bands = y.size // n_samples, framing.n_frames(n_samples), 0 if bank is None else out.shape[-2]
    bands = no_bands if bank is None else bank.derived(Bands).copies
    levels = (0.0, 0.0, 0.0)
    if scaling is not None:
        levels = (scaling.floor, scaling.factor / (1 if scaling.base == "e" else math.log(10)), scaling.lowest)
    counts = (n_items, n_samples, n_frames, framing.hop_length, framing.padding)
    kinds = (MODES[framing.pad_mode], DETECTORS[plan.detector], n_bands, scaling is not None)
    launch(
        program(sizes, real.name, y.dtype.name, out.dtype.name),
        (min(n_items * -(-n_frames // shape.n_frames), MOST_BLOCKS),),
        (THREADS,),
        (
            cupy.ascontiguousarray(y),
            plan.window.like(cupy.empty(0, real)),
            tables(sizes, real.name, device),
            *bands(real.name, device),
            out.view(real) if plan.detector == "complex" else out,
            *map(np.int64, counts),
            *map(np.int32, kinds),
            *map(real.type, levels),
            np.int32(math.log2(shape.n_frames)),
            np.int32(shape.pitch),
        ),
        shape.shared_bytes(real.itemsize),
    )
    if scaling is not None and scaling.range is not None:
        loudest = cupy.amax(out, axis=(-2, -1), keepdims=True)
        cupy.maximum(out, loudest - out.dtype.type(scaling.range), out=out)
    return out
