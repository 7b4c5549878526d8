"""Bases that coefficients are taken against, built in float64 NumPy: here the cosine basis of the cepstrum."""

import functools

import numpy as np

from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError

DCT_TYPES = (1, 2, 3)
DCT_NORMS = ("ortho", None)
# Gains of a lifter below this are zero but for rounding errors.
SMALLEST_GAIN = 1e-12


@functools.lru_cache(maxsize=32)
def cepstral(n_out: int, n_in: int, kind: int, norm: str | None, lifter: float, first: int = 1) -> Constant:
    """Basis (n_out, n_in) of the cepstrum: the first rows of a discrete cosine transform, liftered.

    Types and norms of the transform are those of `scipy.fft.dct`, which is applied to the unit vectors. A lifter
    multiplies row n = first, first + 1, ... by 1 + lifter / 2 sin(pi n / lifter) (HTK book, where n is 0 for the first
    row; librosa begins with 1); 0 leaves the rows alone.
    """
    import scipy.fft

    basis = scipy.fft.dct(np.eye(n_in), type=kind, norm=norm, axis=0)[:n_out]
    return Constant(basis * lifter_gains(n_out, lifter, first)[:, None])


@functools.lru_cache(maxsize=32)
def inverse_cepstral(n_out: int, n_in: int, kind: int, norm: str | None, lifter: float) -> Constant:
    """Basis (n_out, n_in) that undoes `cepstral`, taking the coefficients beyond n_in for zero."""
    import scipy.fft

    gains = lifter_gains(n_in, lifter)
    if np.abs(gains).min() < SMALLEST_GAIN:
        raise ParameterError(
            f"lifter={lifter:g}: made coefficient {int(np.abs(gains).argmin())} zero, which cannot be undone; give "
            "fewer coefficients"
        )
    return Constant(scipy.fft.idct(np.eye(n_out), type=kind, norm=norm, axis=0)[:, :n_in] / gains)


def lifter_gains(n: int, lifter: float, first: int = 1) -> np.ndarray:
    """The factors of the first `n` coefficients: see `cepstral`."""
    return 1 + lifter / 2 * np.sin(np.pi * np.arange(first, first + n) / lifter) if lifter > 0 else np.ones(n)
