"""Signals at other speeds, and spectra at other pitches."""

import math
from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray, dtype_name, namespace, on_device_of
from arrayaudio.augmentation.draws import Range, from_range, generators_of
from arrayaudio.augmentation.masking import require_axes
from arrayaudio.checks import real, whole
from arrayaudio.errors import DTypeError
from arrayaudio.frames import lengthened
from arrayaudio.signals import as_real, as_signal
from arrayaudio.stretching import time_stretch

__all__ = ["random_stretch", "shift_cqt"]


def _each(change: Callable[[Array, float], Array], x: Array, n_axes: int, amounts: list[float]) -> Array:
    """Change each item (the last `n_axes` axes) by an amount of its own; shapes stay as they are."""
    if 0 in x.shape:
        return x
    xp = namespace(x)
    items = xp.reshape(x, (-1, *x.shape[-n_axes:]))
    made = [change(items[k, ...], amount) for k, amount in enumerate(amounts)]
    return xp.reshape(xp.stack(made), x.shape)


def random_stretch(y: ArrayLike, *, rate: Range = (0.8, 1.25), seed: int | None = None, **settings: Any) -> Array:
    """Change the speed of each signal of a batch, and not its pitch or its number of samples, by `time_stretch`.

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signals; the leading axes are the batch.
    rate : float or (float, float)
        Speed: 2 halves the duration, 0.5 doubles it. From a range, each item gets a rate of its own, whose logarithm
        is evenly drawn, so that r is as likely as 1 / r.
    seed : int, optional
        For the draws; None draws anew each time.
    **settings
        n_fft, hop_length and others, as given to `stft`.

    Returns
    -------
    array, shape (..., n_samples)
        Slower ones are cut off at the end, faster ones have zeros there.

    Raises
    ------
    ParameterError
        If a rate is not positive, or a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(22050.0))
    >>> aa.random_stretch(np.stack([y, y]), rate=(0.5, 2), seed=0).shape
    (2, 22050)
    """
    signal = as_signal(y)
    generators = generators_of(seed, signal.shape[:-1])
    if isinstance(rate, tuple | list):
        from_range("rate", rate, [], above=0)  # which checks it
        rates = [math.exp(x) for x in from_range("rate", [math.log(end) for end in rate], generators)]
    else:
        rates = from_range("rate", rate, generators, above=0)
    n_samples = signal.shape[-1]

    def stretch(item: Array, rate: float) -> Array:
        stretched = time_stretch(item, rate=rate, **settings)
        return lengthened(stretched[: min(n_samples, stretched.shape[0])], 0, n_samples)

    with on_device_of(signal):
        return _each(stretch, signal, 1, rates)


def shift_cqt(
    C: ArrayLike, *, steps: Range, bins_per_octave: int = 12, fill: float = 0.0, seed: int | None = None
) -> Array:
    """Change the pitch in each item of a batch of constant-Q spectra, by moving their bins.

    A note f is a row of log f, so that to transpose is to shift. Between rows, values are interpolated linearly.

    Parameters
    ----------
    C : real array, shape (..., n_bins, n_frames)
        Magnitudes, powers or levels of a CQT or VQT, or any spectra with `bins_per_octave` rows to the octave.
    steps : float or (float, float)
        Semitones upward. From a range, each item gets a number of its own, evenly drawn.
    bins_per_octave : int
        As given to `cqt`.
    fill : float
        What comes in at the ends, such as the lowest level in dB.
    seed : int, optional
        For the draws; None draws anew each time.

    Returns
    -------
    array, shape of `C`

    Raises
    ------
    DTypeError
        If `C` is complex: phases go forward at the speed of their bin's frequency, and are wrong at another.
    ParameterError
        If a setting is out of range, or `C` has less than two axes.

    Notes
    -----
    Values stay as they are. With `normalization="librosa"`, the default of `cqt`, a tone that was really transposed
    would have magnitudes 2**(-steps / 24) times as large, since they grow with the square root of kernels' lengths.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> C = aa.cqt(y, sr=22050, output="magnitude")
    >>> up = aa.shift_cqt(C, steps=2)
    >>> [aa.midi_to_note(24 + int(S[:, 20].argmax())) for S in (C, up)]
    ['A4', 'B4']
    """
    given = asarray(C)
    if dtype_name(given).startswith("complex"):
        raise DTypeError(
            f"spectrogram has dtype {dtype_name(given)}: must be real, as phases belong to the frequency of their bin; "
            "shift its magnitudes, of which griffinlim_cqt makes a waveform"
        )
    spectra = as_real(given, "spectrogram")
    require_axes(spectra)
    per_step, fill = whole("bins_per_octave", bins_per_octave) / 12, real("fill", fill)
    amounts = from_range("steps", steps, generators_of(seed, spectra.shape[:-2]))

    def shift(item: Array, step: float) -> Array:
        below = math.floor(step * per_step)
        weight = step * per_step - below
        moved = _moved(item, below, fill)
        return moved if weight == 0 else (1 - weight) * moved + weight * _moved(item, below + 1, fill)

    with on_device_of(spectra):
        return _each(shift, spectra, 2, amounts)


def _moved(item: Array, n: int, fill: float) -> Array:
    """Rows moved up by a whole number of places."""
    xp, n_rows = namespace(item), item.shape[0]
    new = fill * xp.ones_like(item[: min(abs(n), n_rows), :])
    return xp.concat([new, item[: max(0, n_rows - n), :]] if n > 0 else [item[min(-n, n_rows) :, :], new], axis=0)
