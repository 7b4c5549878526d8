"""Constant-Q transforms and their inverse as functions."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray
from arrayaudio.functional.settings_of import settings_of
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import CQT, VQT
from arrayaudio.transforms.hybrid_cqt import HybridCQT, PseudoCQT

__all__ = ["chroma_cqt", "cqt", "hybrid_cqt", "icqt", "pseudo_cqt", "vqt"]


@settings_of(CQT)
def cqt(y: ArrayLike, transform: CQT) -> Array:
    """Constant-Q transform; the settings are those of `CQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(VQT)
def vqt(y: ArrayLike, transform: VQT) -> Array:
    """Variable-Q transform; the settings are those of `VQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.vqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(HybridCQT)
def hybrid_cqt(y: ArrayLike, transform: HybridCQT) -> Array:
    """Constant-Q magnitudes, by an STFT where kernels are short; the settings are those of `HybridCQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.hybrid_cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(PseudoCQT)
def pseudo_cqt(y: ArrayLike, transform: PseudoCQT) -> Array:
    """Constant-Q magnitudes by an STFT; the settings are those of `PseudoCQT`.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.pseudo_cqt(np.ones(22050), sr=22050).shape
    (84, 44)
    """
    return transform(y)


@settings_of(ChromaCQT)
def chroma_cqt(y: ArrayLike, transform: ChromaCQT) -> Array:
    """Energy of each pitch class, from constant-Q magnitudes; the settings are those of `ChromaCQT`.

    Returns
    -------
    array, shape (..., n_chroma, n_frames)

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.chroma_cqt(np.ones(22050), sr=22050).shape
    (12, 44)
    """
    return transform(y)


def icqt(
    C: ArrayLike,
    *,
    length: int | None = None,
    residual: bool = False,
    n_iter: int = 100,
    tolerance: float | None = 1e-6,
    **settings: Any,
) -> Array:
    """Inverse constant-Q transform: the waveform whose CQT is nearest to `C` in least squares.

    Parameters
    ----------
    C : complex array, shape (..., n_bins, n_frames)
    length, residual, n_iter, tolerance
        As for `CQT.inverse`, which says where the waveform is determined and where not.
    **settings
        sr, hop_length, fmin and the others, as given to `cqt`; n_bins is that of `C`.

    Returns
    -------
    array, shape (..., length), and the residual if it is asked for

    Raises
    ------
    ParameterError
        If shape and length do not fit, or `C` is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> options = {"sr": 8000, "fmin": 110.0, "hop_length": 16}
    >>> C = aa.cqt(y, n_bins=48, **options)
    >>> bool(np.allclose(aa.icqt(C, length=8000, **options)[1000:-1000], y[1000:-1000], atol=1e-3))
    True
    """
    coefficients = asarray(C)
    n_bins = coefficients.shape[-2] if coefficients.ndim >= 2 else 1
    return CQT(**{"n_bins": n_bins, **settings}).inverse(
        coefficients, length=length, residual=residual, n_iter=n_iter, tolerance=tolerance
    )
