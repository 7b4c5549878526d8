"""Whether pullbacks are right: comparison with central differences along random directions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, namespace, on_device_of, to_numpy
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.autodiff.tape import INEXACT
from arrayaudio.autodiff.trees import leaves, mapped, on_device_of_leaves
from arrayaudio.checks import real
from arrayaudio.errors import DifferentiationError

__all__ = ["check_grads"]

STEP, TOLERANCE, DIRECTIONS = 1e-6, 1e-6, 3


def check_grads(
    function: Callable[..., Any], *args: Any, seed: int = 0, step: float | None = None, tolerance: float | None = None
) -> None:
    """Raise unless the pullback of a function agrees with its central differences, in double precision.

    For random directions d of the arguments x, and random gradients u of the value, these must be the same:

        <pullback(u), d>    and    (4 D(h) - D(2 h)) / 3    with    D(h) = (<u, f(x + h d)> - <u, f(x - h d)>) / (2 h),

    where <u, v> is the sum of all Re(conj(u) v). The extrapolation leaves an error of the order of h^4.

    Parameters
    ----------
    function : callable
        As for `vjp`, of any value: its real and complex arrays all count.
    *args
        Where to check, away from kinks such as abs(0). Arrays are brought to double precision.
    seed : int
        Of the random directions. Along each argument d is as large as it is, and u as 1 / value, so that all count.
    step : float or None
        h, 1e-6 by default.
    tolerance : float or None
        The difference allowed, relative to the larger of both numbers and beside what rounding explains; 1e-6 by
        default.

    Raises
    ------
    DifferentiationError
        If the numbers differ, or as for `vjp`.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.random.default_rng(0).standard_normal(1000)
    >>> aa.check_grads(lambda y: aa.mfcc(y, sr=8000, n_fft=256, n_mels=20), y)
    """
    h = STEP if step is None else real("step", step, above=0)
    allowed = TOLERANCE if tolerance is None else real("tolerance", tolerance, above=0)
    with on_device_of_leaves(list(args)):
        found = list(slopes(function, *args, seed=seed, step=h))
    for k, (ours, differences, rounding) in enumerate(found):
        if not abs(ours - differences) <= allowed * max(abs(ours), abs(differences)) + rounding:
            raise DifferentiationError(
                f"the pullback gives {ours:.12g}, central differences {differences:.12g} (seed={seed}, direction {k}): "
                "a rule is wrong, or the point lies at a kink"
            )


def slopes(
    function: Callable[..., Any], *args: Any, seed: int = 0, step: float = STEP
) -> Iterator[tuple[float, float, float]]:
    """For some directions the slopes by the pullback and by central differences, and what rounding explains."""
    rng = np.random.default_rng(seed)
    x = mapped(_double, list(args))
    value, pullback = vjp(function, *x)
    for _ in range(DIRECTIONS):
        d = mapped(lambda z: _random(rng, z, _size(z)), x)
        u = mapped(lambda z: _random(rng, z, 1 / _size(z)), value)
        at = {n: _inner(u, function(*_moved(x, d, n * step))) for n in (-2, -1, 1, 2)}
        differences = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)
        rounding = 20 * np.finfo(np.float64).eps / step * _inner(mapped(_moduli, u), mapped(_moduli, value))
        yield _inner(list(pullback(u)), d), differences, rounding


def _double(x: ArrayLike) -> Array:
    array = asarray(x)
    dtype = dtype_name(array)
    return cast(array, "complex128" if dtype.startswith("complex") else "float64") if _counts(array) else array


def _moved(x: Any, d: Any, step: float) -> Any:
    return mapped(lambda z, along: z + step * along, x, d)


def _counts(x: Array) -> bool:
    return dtype_name(x).startswith(INEXACT)


def _moduli(x: ArrayLike) -> Array:
    array = asarray(x)
    return namespace(array).abs(array)


def _size(x: ArrayLike) -> float:
    """Average modulus of an array, 1 for zeros."""
    moduli = to_numpy(_moduli(x))
    return float(np.mean(moduli)) or 1.0 if moduli.size else 1.0


def _random(rng: np.random.Generator, x: ArrayLike, size: float) -> Array:
    """Draw an array of the kind of `x`, of the given size; zeros for integers."""
    x = asarray(x)
    xp = namespace(x)
    if not _counts(x):
        return xp.zeros_like(x)
    drawn = rng.standard_normal(x.shape)
    if dtype_name(x).startswith("complex"):
        drawn = drawn + 1j * rng.standard_normal(x.shape)
    with on_device_of(x):
        return xp.asarray(drawn * size, dtype=x.dtype)


def _inner(u: Any, v: Any) -> float:
    """Sum of Re(conj(u) v) over all arrays that count."""
    total = 0.0
    for a, b in zip(map(asarray, leaves(u)), map(asarray, leaves(v)), strict=True):
        if _counts(a) and _counts(b):
            xp = namespace(a)
            products = xp.conj(a) * b if dtype_name(a).startswith("complex") else a * b
            total += float(xp.sum(xp.real(products) if dtype_name(products).startswith("complex") else products))
    return total
