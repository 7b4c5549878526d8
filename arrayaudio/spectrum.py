"""Coefficients -> magnitude, power, phase; values -> decibels and logarithms, and back."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from arrayaudio.arrays import Array, ArrayLike, asarray, device, namespace, on_device_of, plain
from arrayaudio.autodiff.rules import unit
from arrayaudio.checks import real
from arrayaudio.errors import ParameterError
from arrayaudio.primitive import primitive, pullback_of
from arrayaudio.signals import as_real

__all__ = ["amplitude_to_db", "db_to_amplitude", "db_to_power", "power_to_db"]

Reference = float | Callable[..., Any]
Detector = float | Literal["complex", "phase"]
DETECTORS: dict[str, Detector] = {"complex": "complex", "magnitude": 1.0, "power": 2.0, "phase": "phase"}


def power(X: Array) -> Array:
    """Squared magnitude of complex coefficients, without the square root."""
    xp = namespace(X)
    re, im = xp.real(X), xp.imag(X)
    return re * re + im * im


def magnitude(X: Array, exponent: float = 1.0) -> Array:
    """|X| to the power of `exponent`."""
    if exponent == 2.0:
        return power(X)
    size = modulus(X)
    return size if exponent == 1.0 else size**exponent


@primitive
def modulus(X: Array) -> Array:
    """|X|."""
    return namespace(X).abs(X)


@pullback_of(modulus)
def _modulus_pullback(X: Array) -> Any:
    size = modulus(X)
    return size, lambda g: along(g, X, size)


@primitive
def along(g: Array, X: Array, size: Array) -> Array:
    """Give real values `g` the directions of X, whose magnitude is `size`."""
    return g * unit(X, size)


def phase(X: Array) -> Array:
    """Angle of complex coefficients, in radians from -pi to pi."""
    xp = namespace(X)
    return xp.atan2(xp.imag(X), xp.real(X))


def detected(X: Array, detector: Detector) -> Array:
    """What a detector sees of complex coefficients: themselves, their phase, or a power of their magnitude."""
    if detector == "phase":
        return phase(X)
    return X if detector == "complex" else magnitude(X, detector)


def as_energies(S: ArrayLike) -> Array:
    """Return magnitudes or energies as a real array (..., freq, time), or raise.

    In host memory their values are checked too; on a GPU this would wait for the device.
    """
    values = as_real(S, "spectrogram")
    if values.ndim < 2:
        raise ParameterError(f"spectrogram has shape {values.shape}: must have shape (..., freq, time)")
    if device(values) == "cpu" and 0 not in values.shape:
        xp, shown = namespace(plain(values)), plain(values)
        low, high = float(xp.min(shown)), float(xp.max(shown))
        if not (low >= 0 and high < math.inf):
            raise ParameterError(
                f"spectrogram has values from {low:g} to {high:g}: must be finite and not negative; decibels come back "
                "with aa.db_to_amplitude or aa.db_to_power"
            )
    return values


@dataclass(frozen=True)
class Scaling:
    """How values become levels: factor * log(max(value, floor)), at most `range` below the loudest of the item."""

    factor: float
    floor: float
    base: Literal["e", "10"] = "10"
    range: float | None = None

    @property
    def lowest(self) -> float:
        """The level of the floor."""
        return self.factor * (math.log if self.base == "e" else math.log10)(self.floor)


def scaled(S: Array, scaling: Scaling) -> Array:
    """Apply a logarithmic `Scaling`; an item is everything along the last two axes."""
    xp = namespace(S)
    log = xp.log if scaling.base == "e" else xp.log10
    levels = scaling.factor * log(xp.clip(S, scaling.floor, None))
    # The floor is the same to the last bit on every library, whatever its logarithm rounds to.
    levels = xp.where(S <= scaling.floor, xp.full_like(levels, scaling.lowest), levels)
    return levels if scaling.range is None else limit_range(levels, scaling.range)


def limit_range(levels: Array, span: float) -> Array:
    """Raise what lies more than `span` under the maximum of its item, the last two axes, to that level."""
    xp = namespace(levels)
    if 0 in levels.shape:
        return levels
    top = xp.max(levels, axis=_item_axes(levels), keepdims=True)
    return xp.maximum(levels, top - span)


def _item_axes(S: Array) -> tuple[int, ...]:
    return tuple(range(-min(S.ndim, 2), 0))


def _to_db(S: ArrayLike, ref: Reference, amin: float, top_db: float | None, exponent: float) -> Array:
    values = as_real(S, "spectrogram")
    xp = namespace(values)
    floor = real("amin", amin, above=0)
    span = None if top_db is None else real("top_db", top_db, least=0)
    if 0 in values.shape:
        return values
    factor = 20 / exponent
    levels = scaled(values, Scaling(factor, floor))
    if callable(ref):
        reference = xp.abs(ref(values, axis=_item_axes(values), keepdims=True))
        levels = levels - factor * xp.log10(xp.clip(reference, floor, None))
    else:
        levels = levels - factor * math.log10(max(floor, abs(real("ref", ref))))
    return levels if span is None else limit_range(levels, span)


def power_to_db(S: ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Array:
    """Convert power to decibels: 10 log10(max(S, amin) / max(ref, amin)).

    Parameters
    ----------
    S : array, shape (..., freq, time), or any other
        Power.
    ref : float or callable
        What counts as 0 dB; a function such as `np.max` is called as `ref(S, axis=..., keepdims=True)` for each item,
        the last two axes.
    amin : float
        Values below are raised to it.
    top_db : float or None
        Levels more than this under the loudest of their item are raised to that level. An item never depends on the
        others of its batch.

    Returns
    -------
    array of the same shape, in dB

    Raises
    ------
    ParameterError
        If `amin` is not positive or `top_db` is negative.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.power_to_db([1.0, 0.1, 0.0])
    array([  0., -10., -80.])
    """
    values = asarray(S)
    with on_device_of(values):
        return _to_db(values, ref, amin, top_db, exponent=2.0)


def amplitude_to_db(S: ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0) -> Array:
    """Convert amplitude to decibels: 20 log10(max(|S|, amin) / max(ref, amin)).

    The parameters are those of `power_to_db`; complex input counts by its magnitude.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.amplitude_to_db([1.0, 0.1, 0.0])
    array([  0., -20., -80.])
    """
    values = asarray(S)
    with on_device_of(values):
        return _to_db(namespace(values).abs(values), ref, amin, top_db, exponent=1.0)


def _from_db(S_db: ArrayLike, ref: float, exponent: float) -> Array:
    levels = as_real(S_db, "levels")
    if callable(ref):
        raise ParameterError("ref: must be the number that was 0 dB, since the original values are gone")
    with on_device_of(levels):
        return real("ref", ref) * namespace(levels).exp(levels * (exponent * math.log(10) / 20))


def db_to_power(S_db: ArrayLike, *, ref: float = 1.0) -> Array:
    """Convert decibels to power: ref * 10^(S_db / 10).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.db_to_power([0.0, 10.0]).round(6)
    array([ 1., 10.])
    """
    return _from_db(S_db, ref, exponent=2.0)


def db_to_amplitude(S_db: ArrayLike, *, ref: float = 1.0) -> Array:
    """Convert decibels to amplitude: ref * 10^(S_db / 20).

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.db_to_amplitude([0.0, 20.0]).round(6)
    array([ 1., 10.])
    """
    return _from_db(S_db, ref, exponent=1.0)
