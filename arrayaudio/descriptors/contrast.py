"""Spectral contrast: how far the peaks of each octave stand above its valleys."""

import itertools
from typing import Unpack

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, namespace
from arrayaudio.checks import one_of, real, whole
from arrayaudio.descriptors.spectral import Frames, between_0_and_1, described, row_frequencies
from arrayaudio.errors import ParameterError
from arrayaudio.spectrum import power_to_db

__all__ = ["spectral_contrast"]


def _octaves(hz: np.ndarray, edges: np.ndarray) -> list[tuple[int, int]]:
    """First row and number of rows of each band, which also takes in the row below its lower edge; the last, all above.

    librosa's rule, with ParameterError where a band would be empty.
    """
    bands, top = [], len(edges) - 2
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        start, stop = int(np.searchsorted(hz, low)), int(np.searchsorted(hz, high, side="right"))
        first = max(0, start - (k > 0))
        rows = (len(hz) if k == top else stop) - first
        if start == stop or (k < top and rows < 2):
            remedy = "use a longer n_fft, a higher fmin or fewer n_bands"
            raise ParameterError(f"the band from {low:g} to {high:g} Hz has too few rows: {remedy}")
        bands.append((first, rows))
    return bands


def spectral_contrast(
    y: ArrayLike | None = None,
    *,
    sr: float,
    S: ArrayLike | None = None,
    freq: ArrayLike | None = None,
    fmin: float = 200.0,
    n_bands: int = 6,
    quantile: float = 0.02,
    linear: bool = False,
    **frames: Unpack[Frames],
) -> Array:
    """Difference between peaks and valleys in octave bands (Jiang et al., 2002); 0 where a frame is silent.

    Parameters
    ----------
    y, sr, S, freq, **frames
        As for `spectral_centroid`; `freq` must rise.
    fmin : float
        Upper edge of the first band in Hz; each of the next is an octave, and the last reaches to the top.
    n_bands : int
        Number of octaves.
    quantile : float
        Part of the rows of a band, between 0 and 1, whose means are its peak and its valley.
    linear : bool
        Whether to subtract magnitudes instead of their levels, 10 log10 with `power_to_db`'s range of 80 dB.

    Returns
    -------
    array, shape (..., n_bands + 1, n_frames), in dB or in the unit of the magnitudes

    Raises
    ------
    ParameterError
        As for `spectral_centroid`, and if a setting is out of range, or a band goes beyond sr / 2 or has no rows.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.spectral_contrast(np.ones(22050), sr=22050).shape
    (7, 44)
    """
    rate, part = real("sr", sr, above=0), between_0_and_1("quantile", quantile)
    one_of("linear", linear, (True, False))
    octaves = real("fmin", fmin, above=0) * 2.0 ** np.arange(whole("n_bands", n_bands, most=64) + 1)
    if octaves[-2] >= rate / 2:
        raise ParameterError(
            f"n_bands={n_bands}, fmin={fmin:g}: the last band starts at {octaves[-2]:g} Hz, and must start below "
            f"sr / 2 = {rate / 2:g} Hz"
        )

    def formula(X: Array) -> Array:
        xp, hz = namespace(X), row_frequencies(X, rate, freq, frames)
        if (np.diff(hz) <= 0).any():
            raise ParameterError("freq: must rise from row to row")
        peaks, valleys = [], []
        for k, (first, rows) in enumerate(_octaves(hz, np.concatenate([[0.0], octaves]))):
            # All bands but the last leave out their top row, which is the first of the next.
            ordered = xp.sort(X[..., first : first + rows - (k < n_bands), :], axis=-2)
            count = min(max(1, round(part * rows)), ordered.shape[-2])
            valleys.append(xp.mean(ordered[..., :count, :], axis=-2, keepdims=True))
            peaks.append(xp.mean(ordered[..., ordered.shape[-2] - count :, :], axis=-2, keepdims=True))
        peak, valley = xp.concat(peaks, axis=-2), xp.concat(valleys, axis=-2)
        return peak - valley if linear else power_to_db(peak) - power_to_db(valley)

    return described(y, S, frames, formula)
