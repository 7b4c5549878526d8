"""Masks over bands of frequencies and of time."""

import math

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, dtype_name, namespace, on_device_of
from arrayaudio.augmentation.draws import generators_of
from arrayaudio.checks import real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.signals import as_complex, as_real

__all__ = ["spec_augment"]

MOST_TIME_MASKS = 20  # of those whose number grows with the length: Park et al., 2020


def spec_augment(
    S: ArrayLike,
    *,
    n_freq_masks: int = 2,
    freq_width: int = 27,
    n_time_masks: int = 2,
    time_width: int = 100,
    max_share: float = 1.0,
    adaptive: float | None = None,
    fill: float | str = 0.0,
    seed: int | None = None,
) -> Array:
    """Mask random bands of frequencies and of time in each item of a batch of spectrograms (SpecAugment).

    After Park et al. (2019): each mask covers w neighbouring rows or frames, w evenly drawn from 0 to a largest width,
    at an evenly drawn place. The defaults are their policy LD, without the warping of time.

    Parameters
    ----------
    S : array, shape (..., freq, time)
        Spectra of any kind: levels, powers, complex coefficients. The leading axes are the batch.
    n_freq_masks, freq_width : int
        Number of masks, and the most rows that one covers (F).
    n_time_masks, time_width : int
        Number of masks, and the most frames that one covers (T).
    max_share : float
        The most that one mask covers of the frames, from 0 to 1 (p).
    adaptive : float, optional
        A share of the frames, in the place of the two settings of time: min(20, floor(adaptive n_frames)) masks, of
        floor(adaptive n_frames) frames at most (Park et al., 2020, with 0.04).
    fill : float or "mean"
        What stands under the masks: a number, or the mean of the item, which is 0 in the paper, whose spectra have
        zero mean.
    seed : int, optional
        For the draws: give another at each step of training. None draws anew each time.

    Returns
    -------
    array, shape of `S`
        A new array. Gradients are those of `S` outside of the masks, and of its mean.

    Raises
    ------
    ParameterError
        If a setting is out of range, or `S` has less than two axes.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = aa.spec_augment(np.ones((8, 80, 300)), freq_width=15, time_width=40, fill=0.0, seed=0)
    >>> S.shape, 0.5 < S.mean() < 1
    ((8, 80, 300), np.True_)
    """
    given = asarray(S)
    spectra = as_complex(given) if dtype_name(given).startswith("complex") else as_real(given, "spectrogram")
    require_axes(spectra)
    *batch, n_rows, n_frames = spectra.shape
    share = real("max_share", max_share, least=0)
    if share > 1:
        raise ParameterError(f"max_share={max_share!r}: must be at most 1")
    in_frequency = whole("n_freq_masks", n_freq_masks, least=0), whole("freq_width", freq_width, least=0)
    in_time = whole("n_time_masks", n_time_masks, least=0), whole("time_width", time_width, least=0)
    if adaptive is not None:
        width = math.floor(real("adaptive", adaptive, least=0) * n_frames)
        in_time = min(MOST_TIME_MASKS, width), width
    in_time = in_time[0], min(in_time[1], math.floor(share * n_frames))
    if fill != "mean":
        fill = real("fill", fill)
    generators = generators_of(seed, batch)
    if 0 in spectra.shape:
        return spectra
    kept_of = [(_kept(g, n_rows, *in_frequency), _kept(g, n_frames, *in_time)) for g in generators]
    rows, frames = zip(*kept_of, strict=True)
    xp = namespace(spectra)
    with on_device_of(spectra):
        kept = xp.asarray(np.stack(rows).reshape(*batch, n_rows, 1)) & xp.asarray(
            np.stack(frames).reshape(*batch, 1, n_frames)
        )
        under = xp.mean(spectra, axis=(-2, -1), keepdims=True) if fill == "mean" else fill * xp.ones_like(spectra)
        return xp.where(kept, spectra, under)


def _kept(generator: np.random.Generator, n: int, n_masks: int, width: int) -> np.ndarray:
    """Which of `n` places no mask covers."""
    kept = np.ones(n, bool)
    for _ in range(n_masks):
        covered = generator.integers(0, min(width, n), endpoint=True)
        first = generator.integers(0, n - covered, endpoint=True)
        kept[first : first + covered] = False
    return kept


def require_axes(spectra: Array) -> None:
    if spectra.ndim < 2:
        raise ParameterError(f"spectrogram has shape {tuple(spectra.shape)}: must be (..., freq, time)")
