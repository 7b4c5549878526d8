"""Waveform to final feature in one launch, for frames whose length has small factors."""

import functools
import math
from typing import Any

import cupy
import numpy as np

from arrayaudio.kernels.gpu.butterflies import butterflies
from arrayaudio.kernels.gpu.fft import places, radices, tables, tile
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


def program(sizes: tuple[int, ...], dtype: str) -> Program:
    """Return the kernel for frames of a length and precision; all else is an argument of it."""
    return Program("spectrogram", dtype, (f"RADICES={','.join(map(str, sizes))}",), butterflies(sizes))


def _covered(y: Any, plan: Any) -> bool:
    if plan.basis is not None or plan.frequencies is not None or plan.framing.pad_mode not in MODES:
        return False
    n_fft, bank = plan.framing.frame_length, plan.bank
    if y.dtype.name not in REALS or radices(n_fft) is None or plan.detector not in DETECTORS:
        return False
    if not plan.window.fixed or plan.window.value.shape != (n_fft,):
        return False
    if bank is not None and not (bank.fixed and bank.value.shape[1] == 1 + n_fft // 2):
        return False
    return plan.detector != "complex" or (bank is None and plan.scaling is None)


def spectrogram(y: Any, plan: Any) -> Any:
    """Run `plan` on (..., n_samples), or decline other frame lengths, phases, odd powers and learned arrays."""
    if not _covered(y, plan):
        return NotImplemented
    framing, bank, scaling, device, real = plan.framing, plan.bank, plan.scaling, current_device(), y.dtype
    sizes, n_samples = radices(framing.frame_length) or (), y.shape[-1]
    n_items, n_frames = y.size // n_samples, framing.n_frames(n_samples)
    shape = tile(sizes, real.itemsize, n_items, n_frames, shared_limit(device))
    if shape.shared_bytes(real.itemsize) > shared_limit(device):
        return NotImplemented
    n_rows = 1 + framing.frame_length // 2 if bank is None else bank.value.shape[0]
    dtype = np.result_type(real, np.complex64) if plan.detector == "complex" else real
    out = cupy.empty((*y.shape[:-1], n_rows, n_frames), dtype=dtype)
    if out.size == 0:
        return out
    bands = no_bands if bank is None else bank.derived(Bands).copies
    levels = (0.0, 0.0, 0.0)
    if scaling is not None:
        levels = (scaling.floor, scaling.factor / (1 if scaling.base == "e" else math.log(10)), scaling.lowest)
    counts = (n_items, n_samples, n_frames, framing.hop_length, framing.padding)
    kinds = (MODES[framing.pad_mode], DETECTORS[plan.detector], 0 if bank is None else n_rows, scaling is not None)
    launch(
        program(sizes, real.name),
        (min(n_items * -(-n_frames // shape.n_frames), MOST_BLOCKS),),
        (THREADS,),
        (
            cupy.ascontiguousarray(y),
            plan.window.like(y),
            tables(sizes, real.name, device),
            *bands(real.name, device),
            out.view(real),
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
        cupy.maximum(out, loudest - real.type(scaling.range), out=out)
    return out
