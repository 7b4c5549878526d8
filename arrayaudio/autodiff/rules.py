"""Derivatives of array functions: a formula book.

`RULES[name]` gives, for every array argument, the pullback of the gradient g of the result: f(g, result, *arguments).
What broadcasting stretched, and imaginary parts at real arguments, the tape deals with. Where a derivative is not
finite, as that of a root at 0, it counts as 0, so that silence has gradients.
"""

import math
from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, namespace
from arrayaudio.autodiff import linear

Rule = Callable[..., Array]


def over(g: Array, x: Array) -> Array:
    """G / conj(x), 0 where x is 0."""
    xp = namespace(g, x)
    usable = x != 0
    return xp.where(usable, g, xp.zeros_like(g)) / xp.conj(xp.where(usable, x, xp.ones_like(x)))


def spread(g: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Give the gradient of a reduction the axes that were reduced, with one value along them."""
    if axis is not None and not keepdims:
        for place in sorted(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))):
            g = namespace(g).expand_dims(g, axis=place)
    return g


def _summed(g: Array, r: Array, x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
    return namespace(x).broadcast_to(spread(g, x, axis, keepdims), x.shape)


def _averaged(g: Array, r: Array, x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
    return _summed(g, r, x, axis, keepdims) / (x.size / max(r.size, 1))


def _extreme(g: Array, r: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    hit = x == spread(r, x, axis, keepdims)
    xp = namespace(x)
    return hit * (spread(g, x, axis, keepdims) / xp.sum(hit, axis=axis, keepdims=True, dtype=x.dtype))


def _variance(g: Array, r: Array, x: Array, axis: Any = None, keepdims: bool = False, **more: Any) -> Array:
    count = x.size / max(r.size, 1) - more.get("ddof", more.get("correction", 0))
    distance = x - namespace(x).mean(x, axis=axis, keepdims=True)
    return spread(g, x, axis, keepdims) * distance * (2 / count)


def _base(g: Array, r: Array, x: Array, y: Any) -> Array:
    # Where x is 0, so is the derivative for exponents above 1; for those below it counts as 0.
    xp = namespace(g)
    safe = xp.where(x == 0, xp.ones_like(x), x)
    slope = y * safe ** (y - 1)
    at_zero = xp.ones_like(slope) * (y == 1)
    return g * xp.conj(xp.where(x == 0, at_zero, slope))


def _exponent(g: Array, r: Array, x: Any, y: Array) -> Array:
    xp = namespace(g)
    x = xp.asarray(x)
    return g * xp.conj(r * xp.log(xp.where(x == 0, xp.ones_like(x), x)))


def _larger(g: Array, r: Array, x: Array, y: Array) -> Array:
    return g * ((x > y) + 0.5 * (x == y))


def _angle(g: Array, x: Array, y: Array) -> Array:
    return over(g * x, x * x + y * y)


RULES: dict[str, tuple[Rule | None, ...]] = {
    # arithmetic
    "add": (lambda g, r, x, y: g, lambda g, r, x, y: g),
    "subtract": (lambda g, r, x, y: g, lambda g, r, x, y: -g),
    "multiply": (lambda g, r, x, y: g * _conj(y), lambda g, r, x, y: g * _conj(x)),
    "divide": (lambda g, r, x, y: g / _conj(y), lambda g, r, x, y: -g * _conj(r / y)),
    "pow": (_base, _exponent),
    "negative": (lambda g, r, x: -g,),
    "positive": (lambda g, r, x: g,),
    "square": (lambda g, r, x: 2 * g * _conj(x),),
    "reciprocal": (lambda g, r, x: -g * _conj(r * r),),
    "sqrt": (lambda g, r, x: over(g / 2, r),),
    # complex numbers
    "conj": (lambda g, r, x: _conj(g),),
    "real": (lambda g, r, x: g,),
    "imag": (lambda g, r, x: 1j * g,),
    "abs": (lambda g, r, x: over(g, r) * x,),
    "angle": (lambda g, r, x: 1j * over(g, _conj(x)),),
    # exponentials and circles
    "exp": (lambda g, r, x: g * _conj(r),),
    "expm1": (lambda g, r, x: g * _conj(r + 1),),
    "log": (lambda g, r, x: over(g, x),),
    "log1p": (lambda g, r, x: over(g, 1 + x),),
    "log2": (lambda g, r, x: over(g, x) / math.log(2),),
    "log10": (lambda g, r, x: over(g, x) / math.log(10),),
    "sin": (lambda g, r, x: g * _conj(namespace(x).cos(x)),),
    "cos": (lambda g, r, x: -g * _conj(namespace(x).sin(x)),),
    "tan": (lambda g, r, x: g * _conj(1 + r * r),),
    "asin": (lambda g, r, x: over(g, namespace(x).sqrt(1 - x * x)),),
    "acos": (lambda g, r, x: -over(g, namespace(x).sqrt(1 - x * x)),),
    "atan": (lambda g, r, x: g / _conj(1 + x * x),),
    "atan2": (lambda g, r, y, x: _angle(g, x, y), lambda g, r, y, x: -_angle(g, y, x)),
    "hypot": (lambda g, r, x, y: over(g, r) * x, lambda g, r, x, y: over(g, r) * y),
    "sinh": (lambda g, r, x: g * _conj(namespace(x).cosh(x)),),
    "cosh": (lambda g, r, x: g * _conj(namespace(x).sinh(x)),),
    "tanh": (lambda g, r, x: g * _conj(1 - r * r),),
    # choices
    "maximum": (_larger, lambda g, r, x, y: _larger(g, r, y, x)),
    "minimum": (lambda g, r, x, y: _larger(g, r, y, x), _larger),
    "where": (None, lambda g, r, c, x, y: _where(c, g, 0 * g), lambda g, r, c, x, y: _where(c, 0 * g, g)),
    "clip": (lambda g, r, x, low=None, high=None, **k: g * linear.inside(x, k.get("min", low), k.get("max", high)),),
    # reductions
    "sum": (_summed,),
    "mean": (_averaged,),
    "max": (_extreme,),
    "min": (_extreme,),
    "var": (_variance,),
    "std": (lambda g, r, x, **k: _variance(over(g / 2, r), r, x, **k),),
    "cumsum": (lambda g, r, x, axis=-1: linear.reversed_sum(g, axis),),
    "cumulative_sum": (lambda g, r, x, axis=-1: linear.reversed_sum(g, axis),),
    "sort": (lambda g, r, x, axis=-1: linear.unsorted(g, x, axis),),
    **linear.RULES,
}


def _conj(x: Any) -> Any:
    return namespace(x).conj(x) if hasattr(x, "dtype") else complex(x).conjugate() if isinstance(x, complex) else x


def _where(c: Array, x: Array, y: Array) -> Array:
    return namespace(c, x).where(c, x, y)
