"""Harmonic and percussive parts of a sound: what lasts in time, and what is spread over frequency."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, dtype_name, namespace, on_device_of
from arrayaudio.checks import one_of, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.medians import median_filter
from arrayaudio.parts import in_parts
from arrayaudio.signals import as_complex, as_signal
from arrayaudio.spectrum import as_energies, magnitude
from arrayaudio.transforms.stft import STFT

__all__ = ["harmonic", "hpss", "percussive"]

T = TypeVar("T", int, float)

# Time grows with the kernel, and beyond twice the length of its axis it only sees the same values again.
LARGEST_KERNEL = 2**14


def _pair(name: str, value: Any, check: Callable[[str, Any], T]) -> tuple[T, T]:
    """Return a setting for (harmonic, percussive), given as one value for both or as two."""
    values = value if isinstance(value, list | tuple) else (value, value)
    if len(values) != 2:
        raise ParameterError(f"{name}={value!r}: must be one number, or a pair of them for (harmonic, percussive)")
    return check(name, values[0]), check(name, values[1])


def soft_mask(X: Array, reference: Array, power: float, silent: float) -> Array:
    """X^power / (X^power + reference^power), from 0 to 1, and `silent` where both are less than a normal number.

    An infinite power gives 1 where X is the greater one, and 0 elsewhere.
    """
    xp = namespace(X)
    if power == math.inf:
        return xp.where(X > reference, xp.ones_like(X), xp.zeros_like(X))
    larger = xp.maximum(X, reference)
    unheard = larger < float(xp.finfo(X.dtype).smallest_normal)
    # Powers of parts of the larger one do not overflow.
    larger = xp.where(unheard, xp.ones_like(larger), larger)
    mine, others = (X / larger) ** power, (reference / larger) ** power
    total = xp.where(unheard, xp.ones_like(larger), mine + others)
    return xp.where(unheard, xp.full_like(larger, silent), mine / total)


def hpss(
    S: ArrayLike,
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    mask: bool = False,
    margin: float | tuple[float, float] = 1.0,
) -> tuple[Array, Array]:
    """Separate a spectrogram into harmonic and percussive parts by running medians (Fitzgerald, 2010).

    A median along time keeps what lasts, H; one along frequency keeps clicks, P. Each part is `S` times a soft mask,
    H^power / (H^power + (margin P)^power) for the harmonic one, with H and P exchanged for the other. Margins above 1
    leave a residual, S - harmonic - percussive, that is neither (Driedger, Müller and Disch, 2014).

    Parameters
    ----------
    S : array, shape (..., freq, time)
        STFT, complex, or magnitudes or energies.
    kernel_size : int or pair of int
        Frames of the median along time, and rows of that along frequency; a pair is (harmonic, percussive).
    power : float
        Exponent of the masks. Infinity makes them hard, 1 for the larger of H and margin P; where these are equal,
        neither part gets the bin.
    mask : bool
        Whether to return the masks in place of the parts.
    margin : float or pair of float
        How much larger a part must be, for (harmonic, percussive); at least 1. If both are 1, the two parts add up to
        `S`, and silence counts half for each; otherwise silence belongs to neither.

    Returns
    -------
    harmonic, percussive : arrays of the shape of `S`
        Complex if `S` is; masks are real, from 0 to 1.

    Raises
    ------
    ParameterError
        If a setting is out of range, or `S` has negative or infinite values or fewer than two axes.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = np.zeros((5, 5))
    >>> S[1, :], S[:, 3] = 1, 2  # a tone and a click
    >>> tone, click = aa.hpss(S, kernel_size=5)
    >>> tone[1]
    array([1. , 1. , 1. , 0.4, 1. ])
    >>> click[:, 3]
    array([2. , 1.6, 2. , 2. , 2. ])
    """
    sizes = _pair("kernel_size", kernel_size, lambda name, size: whole(name, size, most=LARGEST_KERNEL))
    margins = _pair("margin", margin, lambda name, value: real(name, value, least=1))
    is_hard = isinstance(power, float | np.floating) and power == math.inf
    exponent = math.inf if is_hard else real("power", power, above=0)
    one_of("mask", mask, (True, False))
    spectrum = asarray(S)
    if dtype_name(spectrum).startswith("complex"):
        spectrum = as_complex(spectrum)
        with on_device_of(spectrum):
            magnitudes = as_energies(magnitude(spectrum))
    else:
        spectrum = magnitudes = as_energies(spectrum)

    def parted(S: Array, spectrum: Array) -> tuple[Array, Array]:
        lasting, spread = (median_filter(S, size, axis) for size, axis in zip(sizes, (-1, -2), strict=True))
        silent = 0.5 if margins == (1, 1) else 0.0
        # Dividing one side by the margin does not overflow, as multiplying the other might.
        masks = (
            soft_mask(lasting / margins[0], spread, exponent, silent),
            soft_mask(spread / margins[1], lasting, exponent, silent),
        )
        return masks if mask else (spectrum * masks[0], spectrum * masks[1])

    return in_parts(parted, magnitudes, spectrum, axes=2)


def _part(y: ArrayLike, part: int, settings: dict[str, Any], **options: Any) -> Array:
    transform = STFT(**settings)
    signal = as_signal(asarray(y, device=transform.device))
    n_samples, framing = signal.shape[-1], transform.framing
    spectrum = hpss(transform(signal), **options)[part]
    covered = (spectrum.shape[-1] - 1) * framing.hop_length + framing.frame_length - framing.padding
    result = transform.inverse(spectrum, length=min(n_samples, covered))
    with on_device_of(result):
        xp = namespace(result)
        silence = xp.zeros((*result.shape[:-1], n_samples - result.shape[-1]), dtype=result.dtype)
        return xp.concat([result, silence], axis=-1)


def harmonic(
    y: ArrayLike,
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    margin: float | tuple[float, float] = 1.0,
    **settings: Any,
) -> Array:
    """Keep what lasts in a signal, such as notes: STFT, `hpss`, inverse STFT.

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signal.
    kernel_size, power, margin
        As for `hpss`.
    **settings
        n_fft, hop_length, win_length, window, center, pad_mode, as given to `stft`.

    Returns
    -------
    array, shape (..., n_samples)
        With zeros at the end where the frames do not reach.

    Raises
    ------
    ParameterError
        If a setting is out of range, or the window and the hop have no inverse.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> y = tone.copy()
    >>> y[8000] += 20  # a click
    >>> bool(np.abs(aa.harmonic(y, n_fft=512) - tone)[7900:8100].max() < 0.5)
    True
    """
    return _part(y, 0, settings, kernel_size=kernel_size, power=power, margin=margin)


def percussive(
    y: ArrayLike,
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    margin: float | tuple[float, float] = 1.0,
    **settings: Any,
) -> Array:
    """Keep the clicks of a signal, such as drums: STFT, `hpss`, inverse STFT.

    The parameters, the result and the errors are those of `harmonic`; with a margin of 1 the two add up to the signal.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> y[8000] += 20  # a click
    >>> int(np.abs(aa.percussive(y, n_fft=512)).argmax())
    8000
    """
    return _part(y, 1, settings, kernel_size=kernel_size, power=power, margin=margin)
