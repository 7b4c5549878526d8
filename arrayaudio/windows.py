"""Window functions: every window SciPy names, and arrays and functions of the user's own."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from arrayaudio.arrays import ArrayLike, to_numpy
from arrayaudio.checks import whole
from arrayaudio.errors import ParameterError

__all__ = ["get_window"]

# Coefficients of cos(k angle), angle = -pi ... pi. Importing scipy.signal takes longer than all else in a first call,
# so the windows that nearly everyone uses do without it.
COSINE_SUMS = {"boxcar": (1.0,), "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08)}

Window: TypeAlias = str | tuple[Any, ...] | Callable[[int], Any] | ArrayLike


def freeze_window(window: Window, length: int) -> str | tuple[Any, ...]:
    """Return a window as something that hashes, compares by value and can be written as JSON.

    Names and SciPy's (name, parameter, ...) tuples stay as they are; arrays, and what functions return for `length`,
    become a tuple of floats.
    """
    if isinstance(window, str) or (isinstance(window, list | tuple) and len(window) > 0 and isinstance(window[0], str)):
        named = window if isinstance(window, str) else tuple(map(_hashable, window))
        _named(named, length)
        return named
    values = np.asarray(to_numpy(window(length) if callable(window) else window))
    if values.dtype.kind not in "fiu" or values.shape != (length,):
        raise ParameterError(
            f"window of dtype {values.dtype} and shape {values.shape}: must be real, with shape ({length},)"
        )
    _require_usable(values)
    return tuple(values.astype(np.float64).tolist())


def _require_usable(values: np.ndarray) -> None:
    if not np.isfinite(values).all() or not values.any():
        raise ParameterError("window: must be finite, and not zero everywhere")


def _hashable(parameter: Any) -> Any:
    return tuple(np.ravel(parameter).tolist()) if isinstance(parameter, list | tuple | np.ndarray) else parameter


@functools.lru_cache(maxsize=8)
def _named(window: str | tuple[Any, ...], length: int) -> np.ndarray:
    if window == "povey":
        return _named("hann_symmetric", length) ** 0.85
    name, symmetric, _ = str(window).partition("_symmetric")
    if name in COSINE_SUMS and length > 1:
        angles = np.linspace(-np.pi, np.pi, length if symmetric else length + 1)[:length]
        values = np.asarray(sum(a * np.cos(k * angles) for k, a in enumerate(COSINE_SUMS[name])))
        return np.maximum(values, 0.0) if symmetric else values
    import scipy.signal

    try:
        values = scipy.signal.get_window(window, length, fftbins=True)
    except (ValueError, TypeError) as error:
        raise ParameterError(
            f"window={window!r}: {error}; must be a name or a (name, parameter) tuple of scipy.signal.get_window"
        ) from None
    _require_usable(values)
    return np.asarray(values, dtype=np.float64)


def get_window(window: Window, length: int) -> np.ndarray:
    """Return a window of `length` samples in float64.

    Parameters
    ----------
    window : str, tuple, array or callable
        A name or a tuple that `scipy.signal.get_window` knows, giving its periodic form; "hann_symmetric" and
        "hamming_symmetric", whose last value equals the first; "povey", Kaldi's, which is the symmetric Hann window to
        the power of 0.85; an array of `length` values; or a function of the length that returns one.
    length : int
        Number of samples.

    Returns
    -------
    array, shape (length,)

    Raises
    ------
    ParameterError
        If the name is unknown, or the array has another shape, is not finite or is zero everywhere.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.get_window("hann", 4)
    array([0. , 0.5, 1. , 0.5])
    """
    frozen = freeze_window(window, whole("length", length))
    if isinstance(frozen, str) or isinstance(frozen[0], str):
        return _named(frozen, length).copy()
    return np.array(frozen)


def centred_window(window: Window, length: int, frame_length: int) -> np.ndarray:
    """Return the window in the middle of `frame_length` zeros, as librosa places it."""
    left = (frame_length - length) // 2
    return np.pad(get_window(window, length), (left, frame_length - length - left))
