"""Bases that coefficients are taken against, built in float64 NumPy: here the cosine basis of the cepstrum."""

import functools

import numpy as np

from arrayaudio.arrays import Constant

DCT_TYPES = (1, 2, 3)
DCT_NORMS = ("ortho", None)


@functools.lru_cache(maxsize=32)
def cepstral(n_out: int, n_in: int, kind: int, norm: str | None, lifter: float) -> Constant:
    """Basis (n_out, n_in) of the cepstrum: the first rows of a discrete cosine transform, liftered.

    Types and norms of the transform are those of `scipy.fft.dct`, which is applied to the unit vectors. A lifter
    multiplies row n = 1 ... n_out by 1 + lifter / 2 sin(pi n / lifter) (HTK book); 0 leaves the rows alone.
    """
    import scipy.fft

    basis = scipy.fft.dct(np.eye(n_in), type=kind, norm=norm, axis=0)[:n_out]
    if lifter > 0:
        basis *= 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_out + 1) / lifter)[:, None]
    return Constant(basis)
