"""From mel bands and cepstra back to spectra and waveforms."""

import functools
import math
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, namespace, on_device_of
from arrayaudio.bases import DCT_NORMS, DCT_TYPES, inverse_cepstral
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.filterbanks import mel
from arrayaudio.parts import in_parts
from arrayaudio.project import mix_rows
from arrayaudio.reconstruction.griffin_lim import griffinlim
from arrayaudio.signals import as_real
from arrayaudio.spectrum import as_energies, db_to_power

__all__ = ["mel_to_audio", "mel_to_stft", "mfcc_to_mel"]

# After so many steps the residual of a frame is, in parts of its bands, within 0.005 of the least there is, even for
# random bands; for those of music, speech and noise it was under 1e-4 where some spectrum fits.
N_STEPS = 200


def pseudo_inverse(bank: np.ndarray) -> Constant:
    """Matrix that gives the smallest spectrum with the given bands, by `numpy.linalg.pinv`."""
    return Constant(np.linalg.pinv(bank))


def descent(bank: np.ndarray) -> Constant:
    """Matrix that turns an error of the bands into a step of the spectrum.

    It is the transposed bank with each row divided by the sum of that row of bank^T bank, the longest step for each
    bin that never overshoots when no weight is negative (De Pierro, 1995). Bins outside of all bands stay still.
    """
    sums = bank.T @ bank.sum(axis=1)
    return Constant(bank.T / np.where(sums > 0, sums, 1.0)[:, None])


def non_negative(M: Array, bank: Constant) -> Array:
    """Find the X >= 0 with the least ||bank X - M||: (..., n_bands, n_frames) -> (..., n_bins, n_frames).

    Projected gradient steps, one length for each bin, with momentum (Nesterov, 1983; Beck and Teboulle, 2009). Their
    number is fixed, so that frames do not depend on each other, and no device waits for a decision.
    """
    xp = namespace(M)
    X = ahead = xp.clip(mix_rows(M, bank.derived(pseudo_inverse)), 0, None)
    t = 1.0
    for _ in range(N_STEPS):
        error = mix_rows(ahead, bank) - M
        before, X = X, xp.clip(ahead - mix_rows(error, bank.derived(descent)), 0, None)
        t_before, t = t, (1 + math.sqrt(1 + 4 * t * t)) / 2
        ahead = X + (t_before - 1) / t * (X - before)
    return X


@functools.lru_cache(maxsize=32)
def mel_bank(**settings: Any) -> Constant:
    """The mel bank of these settings, built once."""
    return Constant(mel(**settings))


def mel_to_stft(
    M: ArrayLike,
    *,
    sr: float,
    n_fft: int = 2048,
    power: float = 2.0,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    norm: str | None = "slaney",
) -> Array:
    """Estimate the magnitudes of an STFT from mel bands, by non-negative least squares.

    Parameters
    ----------
    M : array, shape (..., n_mels, n_frames)
        Mel spectrogram as it comes from `melspectrogram` without `scale`.
    sr, n_fft, power, fmin, fmax, mel_scale, norm
        As given to `melspectrogram`.

    Returns
    -------
    array, shape (..., 1 + n_fft // 2, n_frames)
        Magnitudes; of all that fit, one near the smallest. It takes 200 steps, which leave a residual no larger than
        that of librosa 0.11.

    Raises
    ------
    ParameterError
        If `M` has negative or infinite values, such as decibels, or a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> M = aa.melspectrogram(np.sin(np.arange(8000.0)), sr=8000, n_fft=512, hop_length=128, n_mels=40)
    >>> S = aa.mel_to_stft(M, sr=8000, n_fft=512)
    >>> S.shape
    (257, 63)
    >>> bool(np.allclose(aa.filters.mel(sr=8000, n_fft=512, n_mels=40) @ S**2, M, atol=1e-3 * M.max()))
    True
    """
    bands = as_energies(M)
    exponent = 1 / real("power", power, above=0)
    n_mels = whole("n_mels", bands.shape[-2])
    sr, n_fft = real("sr", sr, above=0), whole("n_fft", n_fft)
    bank = mel_bank(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, mel_scale=mel_scale, norm=norm)
    return in_parts(lambda M: non_negative(M, bank) ** exponent, bands, axes=2)


def mel_to_audio(
    M: ArrayLike,
    *,
    sr: float,
    n_fft: int = 2048,
    power: float = 2.0,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    norm: str | None = "slaney",
    **settings: Any,
) -> Array:
    """Estimate a waveform from mel bands: `mel_to_stft`, then `griffinlim`.

    Parameters
    ----------
    M : array, shape (..., n_mels, n_frames)
    sr, n_fft, power, fmin, fmax, mel_scale, norm
        As for `mel_to_stft`.
    **settings
        n_iter, hop_length, length, seed and all others of `griffinlim`. The hop is n_fft // 4 by default; with
        another `n_fft` than 2048, that of `melspectrogram` is not.

    Returns
    -------
    array, shape (..., length)

    Raises
    ------
    ParameterError
        As `mel_to_stft` and `griffinlim` do.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> M = aa.melspectrogram(np.sin(np.arange(8000.0)), sr=8000, n_fft=512, hop_length=128)
    >>> aa.mel_to_audio(M, sr=8000, n_fft=512, length=8000, seed=0).shape
    (8000,)
    """
    S = mel_to_stft(M, sr=sr, n_fft=n_fft, power=power, fmin=fmin, fmax=fmax, mel_scale=mel_scale, norm=norm)
    return griffinlim(S, n_fft=n_fft, **settings)


def mfcc_to_mel(
    mfcc: ArrayLike,
    *,
    n_mels: int = 128,
    dct_type: int = 2,
    norm: str | None = "ortho",
    ref: float = 1.0,
    lifter: float = 0.0,
) -> Array:
    """Turn cepstra back into mel bands: inverse liftering, inverse cosine transform, and 10^(dB / 10) times `ref`.

    Parameters
    ----------
    mfcc : array, shape (..., n_mfcc, n_frames)
        Cepstra of bands in dB; coefficients beyond n_mfcc count as zero.
    n_mels : int
        Number of bands, at least n_mfcc.
    dct_type, norm, lifter
        As given to `mfcc`.
    ref : float
        Power that was 0 dB.

    Returns
    -------
    array, shape (..., n_mels, n_frames)
        Power.

    Raises
    ------
    ParameterError
        If there are more coefficients than bands, or the lifter made a coefficient zero.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.mfcc_to_mel(np.zeros((20, 3)), n_mels=40, ref=0.5)[:2]
    array([[0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5]])
    """
    cepstra = as_real(mfcc, "mfcc")
    if cepstra.ndim < 2:
        raise ParameterError(f"mfcc has shape {cepstra.shape}: must have shape (..., n_mfcc, n_frames)")
    n_mfcc, n_mels = cepstra.shape[-2], whole("n_mels", n_mels)
    if not 1 <= n_mfcc <= n_mels:
        raise ParameterError(f"mfcc has {n_mfcc} coefficients: must have at least 1 and at most n_mels={n_mels}")
    kind, norm = one_of("dct_type", dct_type, DCT_TYPES), one_of("norm", norm, DCT_NORMS)
    if kind == 1 and n_mels < 2:
        raise ParameterError("dct_type=1: needs n_mels of at least 2")
    basis = inverse_cepstral(n_mels, n_mfcc, kind, norm, real("lifter", lifter, least=0))
    with on_device_of(cepstra):
        return db_to_power(mix_rows(cepstra, basis), ref=ref)
