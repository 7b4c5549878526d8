"""Signals with noise at a given ratio."""

import math

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, dtype_name, namespace, on_device_of
from arrayaudio.augmentation.draws import Range, from_range, generators_of
from arrayaudio.errors import ParameterError
from arrayaudio.signals import as_signal

__all__ = ["mix_at_snr"]


def mix_at_snr(y: ArrayLike, noise: ArrayLike, *, snr: Range, seed: int | None = None) -> Array:
    """Add noise to each signal of a batch, at a ratio of their mean powers in dB.

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signals, which stay as loud as they are; the leading axes are the batch.
    noise : array, shape (..., n_noise)
        As long as the signals or longer. Its leading axes are those of `y`, or broadcast to them: one recording serves
        all items. Of longer ones, each item gets a piece of its own, at an evenly drawn place.
    snr : float or (float, float)
        10 log10 of the power of the signal over that of the noise. From a range, each item gets a ratio of its own,
        evenly drawn.
    seed : int, optional
        For the draws; None draws anew each time.

    Returns
    -------
    array, shape (..., n_samples)
        `y` itself where it or its noise is silent, as there is no such ratio.

    Raises
    ------
    ParameterError
        If the noise is shorter than the signal, shapes do not fit, or `snr` is not finite.
    BackendError
        If signal and noise live in different places.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y, noise = np.sin(np.arange(8000.0)), np.random.default_rng(0).standard_normal(20000)
    >>> noisy = aa.mix_at_snr(y, noise, snr=10, seed=0)
    >>> float(round(10 * np.log10(np.mean(y**2) / np.mean((noisy - y) ** 2)), 6))
    10.0
    """
    signal, sound = as_signal(y), as_signal(noise)
    xp = namespace(signal, sound)
    n_samples, batch = signal.shape[-1], tuple(signal.shape[:-1])
    if sound.shape[-1] < n_samples:
        raise ParameterError(
            f"noise has {sound.shape[-1]} samples: must have at least {n_samples}, as the signal; repeat it, as by "
            "np.tile"
        )
    generators = generators_of(seed, batch)
    ratios = np.array(from_range("snr", snr, generators)).reshape(*batch, 1)
    with on_device_of(signal):
        piece = cast(_pieces(sound, batch, n_samples, generators), dtype_name(signal))
        power, power_of_noise = (xp.mean(cast(x, "float64") ** 2, axis=-1, keepdims=True) for x in (signal, piece))
        audible = (power > 0) & (power_of_noise > 0)
        one = xp.ones_like(power)
        wanted = xp.where(audible, power, one) * xp.asarray(10 ** (-ratios / 10))
        gain = xp.sqrt(wanted / xp.where(audible, power_of_noise, one))
        return signal + cast(xp.where(audible, gain, xp.zeros_like(gain)), dtype_name(signal)) * piece


def _pieces(sound: Array, batch: tuple[int, ...], n: int, generators: list[np.random.Generator]) -> Array:
    """Noise for each item of a batch: as it is if it has `n` samples, else a piece for each."""
    xp, own = namespace(sound), tuple(sound.shape[:-1])
    try:
        item = np.broadcast_to(np.arange(math.prod(own)).reshape(own), batch).ravel()
    except ValueError:
        raise ParameterError(
            f"noise has shape {tuple(sound.shape)}: its axes before the last must broadcast to {batch}, those of the "
            "signal"
        ) from None
    spare = sound.shape[-1] - n
    if spare == 0 or not generators:
        return sound[..., :n]
    sounds = xp.reshape(sound, (-1, sound.shape[-1]))
    begins = [int(generator.integers(0, spare, endpoint=True)) for generator in generators]
    pieces = [sounds[int(k), begin : begin + n] for k, begin in zip(item, begins, strict=True)]
    return xp.reshape(xp.stack(pieces), (*batch, n))
