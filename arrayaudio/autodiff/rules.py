"""Derivatives of array functions: a formula book.

`RULES[name]` gives, for every array argument, the pullback of the gradient g of the result: f(g, result, *arguments),
or None if the result does not change with that argument, or in steps. What a rule's signature lacks has no derivative.
What broadcasting stretched, and imaginary parts at real arguments, the tape deals with. Where a derivative is not
finite, as that of a root at 0, it counts as 0, so that silence has gradients.
"""

import math
from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, namespace
from arrayaudio.autodiff import linear
from arrayaudio.autodiff.linear import conj
from arrayaudio.signals import as_complex

Rule = Callable[..., Array]


def kept(condition: Array, g: Array) -> Array:
    """G, 0 where the condition does not hold."""
    xp = namespace(g)
    return xp.where(condition, g, xp.zeros_like(g))


def dropped(condition: Array, g: Array) -> Array:
    """G, 0 where the condition holds."""
    xp = namespace(g)
    return xp.where(condition, xp.zeros_like(g), g)


def nonzero(x: Array) -> Array:
    """Where one can divide by x: where it is not so small that 1 / x overflows."""
    xp = namespace(x)
    return ~(xp.abs(x) < xp.finfo(x.dtype).smallest_normal)


def over(g: Array, x: Array) -> Array:
    """G / conj(x), 0 where that would not be finite because x is as good as 0."""
    xp = namespace(x)
    usable = nonzero(x)
    return kept(usable, g) / conj(xp.where(usable, x, xp.ones_like(x)))


def unit(x: Any, r: Array) -> Array:
    """X / r for r = |x|, or the length of a vector that x is part of; less, and 0 for x = 0, where 1 / r overflows."""
    xp = namespace(r)
    return x * (1 / xp.clip(r, xp.finfo(r.dtype).smallest_normal, None))


def turned(g: Array) -> Array:
    """I g, the way of imaginary parts into complex gradients."""
    return as_complex(g) * 1j


def spread(g: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Give the gradient of a reduction the axes that were reduced, with one value along them."""
    if axis is not None and not keepdims:
        for place in sorted(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))):
            g = namespace(g).expand_dims(g, axis=place)
    return g


def _summed(g: Array, r: Array, x: Array, axis: Any = None, *, keepdims: bool = False, dtype: Any = None) -> Array:
    return namespace(x).broadcast_to(spread(g, x, axis, keepdims), x.shape)


def _averaged(g: Array, r: Array, x: Array, axis: Any = None, *, keepdims: bool = False, dtype: Any = None) -> Array:
    return _summed(g, r, x, axis, keepdims=keepdims) / (x.size / max(r.size, 1))


def _extreme(g: Array, r: Array, x: Array, axis: Any = None, *, keepdims: bool = False) -> Array:
    xp = namespace(x)
    hit = xp.where(x == spread(r, x, axis, keepdims), xp.ones_like(x), xp.zeros_like(x))
    return hit * (spread(g, x, axis, keepdims) / xp.sum(hit, axis=axis, keepdims=True))


def _variance(
    g: Array, r: Array, x: Array, axis: Any = None, *, keepdims: bool = False, ddof: float = 0, correction: float = 0
) -> Array:
    count = x.size / max(r.size, 1) - ddof - correction
    distance = x - namespace(x).mean(x, axis=axis, keepdims=True)
    return spread(g, x, axis, keepdims) * distance * (2 / count)


def _deviation(
    g: Array, r: Array, x: Array, axis: Any = None, *, keepdims: bool = False, ddof: float = 0, correction: float = 0
) -> Array:
    return _variance(over(g / 2, r), r, x, axis, keepdims=keepdims, ddof=ddof, correction=correction)


def _base(g: Array, r: Array, x: Array, y: Any) -> Array:
    # Where x is 0, so is the derivative for exponents above 1; for those below it counts as 0.
    xp = namespace(g)
    safe = xp.where(x == 0, xp.ones_like(x), x)
    slope = y * safe ** (y - 1)
    return g * conj(kept((x != 0) | (y == 1), slope))


def _exponent(g: Array, r: Array, x: Any, y: Array) -> Array:
    xp = namespace(g)
    x = xp.asarray(x, dtype=g.dtype)
    return g * conj(r * xp.log(xp.where(x == 0, xp.ones_like(x), x)))


def _larger(g: Array, r: Array, x: Any, y: Any) -> Array:
    return kept(x >= y, g) - kept(x == y, g / 2)


def _length(x: Any, y: Any) -> Array:
    return namespace(*(z for z in (x, y) if hasattr(z, "dtype"))).hypot(x, y)


def _angle(g: Array, x: Any, r: Array) -> Array:
    return over(g * unit(x, r), r)


RULES: dict[str, tuple[Rule | None, ...]] = {
    # arithmetic
    "add": (lambda g, r, x, y: g, lambda g, r, x, y: g),
    "subtract": (lambda g, r, x, y: g, lambda g, r, x, y: -g),
    "multiply": (lambda g, r, x, y: g * conj(y), lambda g, r, x, y: g * conj(x)),
    "divide": (lambda g, r, x, y: g / conj(y), lambda g, r, x, y: -g * conj(r / y)),
    "pow": (_base, _exponent),
    "negative": (lambda g, r, x: -g,),
    "positive": (lambda g, r, x: g,),
    "square": (lambda g, r, x: 2 * g * conj(x),),
    "reciprocal": (lambda g, r, x: -g * conj(r * r),),
    "sqrt": (lambda g, r, x: over(g / 2, r),),
    # complex numbers
    "conj": (lambda g, r, x: conj(g),),
    "real": (lambda g, r, x: g,),
    "imag": (lambda g, r, x: turned(g),),
    "abs": (lambda g, r, x: g * unit(x, r),),
    "angle": (lambda g, r, x: turned(over(g, x)),),
    # exponentials and circles
    "exp": (lambda g, r, x: g * conj(r),),
    "expm1": (lambda g, r, x: g * conj(r + 1),),
    "log": (lambda g, r, x: over(g, x),),
    "log1p": (lambda g, r, x: over(g, 1 + x),),
    "log2": (lambda g, r, x: over(g, x) / math.log(2),),
    "log10": (lambda g, r, x: over(g, x) / math.log(10),),
    "sin": (lambda g, r, x: g * conj(namespace(x).cos(x)),),
    "cos": (lambda g, r, x: -g * conj(namespace(x).sin(x)),),
    "tan": (lambda g, r, x: g * conj(1 + r * r),),
    "asin": (lambda g, r, x: over(g, namespace(x).sqrt(1 - x * x)),),
    "acos": (lambda g, r, x: -over(g, namespace(x).sqrt(1 - x * x)),),
    "atan": (lambda g, r, x: g / conj(1 + x * x),),
    "atan2": (lambda g, r, y, x: _angle(g, x, _length(x, y)), lambda g, r, y, x: -_angle(g, y, _length(x, y))),
    "hypot": (lambda g, r, x, y: g * unit(x, r), lambda g, r, x, y: g * unit(y, r)),
    "sinh": (lambda g, r, x: g * conj(namespace(x).cosh(x)),),
    "cosh": (lambda g, r, x: g * conj(namespace(x).sinh(x)),),
    "tanh": (lambda g, r, x: g * conj(1 - r * r),),
    # choices
    "maximum": (_larger, lambda g, r, x, y: _larger(g, r, y, x)),
    "minimum": (lambda g, r, x, y: _larger(g, r, y, x), _larger),
    "where": (None, lambda g, r, c, x, y: kept(c, g), lambda g, r, c, x, y: dropped(c, g)),
    "clip": (lambda g, r, x, *_, **__: kept(r == x, g),),
    "full_like": (None, lambda g, r, x, value, **_: g),
    # reductions
    "sum": (_summed,),
    "mean": (_averaged,),
    "max": (_extreme,),
    "min": (_extreme,),
    "var": (_variance,),
    "std": (_deviation,),
    "sort": (lambda g, r, x, axis=-1: linear.unsorted(g, x, axis),),
    **linear.RULES,
}
