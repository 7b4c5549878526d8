"""Derivatives of linear functions, which are their adjoints: of shapes, of products of matrices, of FFTs."""

import string
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, namespace

SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def inside(x: Array, low: Any, high: Any) -> Any:
    """Where x is neither below `low` nor above `high`."""
    within: Any = True
    if low is not None:
        within = x >= low
    if high is not None:
        within = within & (x <= high)
    return within


def reversed_sum(g: Array, axis: int) -> Array:
    """Sums of all values from each on."""
    xp = namespace(g)
    summed = getattr(xp, "cumulative_sum", None) or xp.cumsum
    return xp.flip(summed(xp.flip(g, axis=axis), axis=axis), axis=axis)


def unsorted(g: Array, x: Array, axis: int) -> Array:
    """Put the gradients of sorted values back where the values were."""
    xp = namespace(g)
    places = xp.argsort(xp.argsort(x, axis=axis, stable=True), axis=axis, stable=True)
    return xp.take_along_axis(g, places, axis=axis)


def scattered(g: Array, x: Array, index: Any) -> Array:
    """Zeros of the shape of `x`, with `g` added where `index` says."""
    xp = namespace(g)
    out = xp.zeros(x.shape, dtype=g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, list) or (hasattr(part, "dtype") and part.dtype.kind in "iu") for part in parts):
        xp.add.at(out, index, g)
    else:
        out[index] = g
    return out


def _taken(g: Array, r: Array, x: Array, indices: Array, axis: int | None = None) -> Array:
    if axis is None:
        return namespace(g).reshape(scattered(g, namespace(x).reshape(x, (-1,)), indices), x.shape)
    return scattered(g, x, (*(slice(None),) * (axis % x.ndim), indices))


def _transposed(g: Array, r: Array, x: Array, axes: Any = None) -> Array:
    xp = namespace(g)
    return xp.permute_dims(g, tuple(np.argsort(axes if axes is not None else range(x.ndim)[::-1]).tolist()))


def _left(g: Array, r: Array, a: Array, b: Array) -> Array:
    xp = namespace(g)
    if b.ndim == 1:
        return xp.conj(b) * (g[..., None] if a.ndim > 1 else g)
    if a.ndim == 1:
        return xp.sum((xp.conj(b) @ g[..., None])[..., 0], axis=tuple(range(b.ndim - 2)))
    return g @ xp.conj(xp.matrix_transpose(b))


def _right(g: Array, r: Array, a: Array, b: Array) -> Array:
    xp = namespace(g)
    if a.ndim == 1:
        return xp.conj(a) * g if b.ndim == 1 else xp.conj(a)[:, None] * g[..., None, :]
    if b.ndim == 1:
        return xp.sum(xp.conj(a) * g[..., None], axis=tuple(range(a.ndim - 1)))
    return xp.conj(xp.matrix_transpose(a)) @ g


def _cut(g: Array, length: int, axis: int) -> Array:
    """Crop an axis to `length`, or fill it up with zeros."""
    xp = namespace(g)
    g = xp.moveaxis(g, axis, -1)
    missing = length - g.shape[-1]
    if missing > 0:
        g = xp.concat([g, xp.zeros((*g.shape[:-1], missing), dtype=g.dtype)], axis=-1)
    return xp.moveaxis(g[..., :length], -1, axis)


def _half_weights(n: int, like: Array, axis: int, between: float) -> Array:
    weights = np.full(n // 2 + 1, between)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    shape = [1] * like.ndim
    shape[axis] = -1
    return namespace(like).asarray(weights.reshape(shape).astype(like.real.dtype))


def _fft(g: Array, r: Array, x: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    return _cut(namespace(g).fft.ifft(g, axis=axis, norm=SWAPPED[norm]), x.shape[axis], axis)


def _ifft(g: Array, r: Array, x: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    return _cut(namespace(g).fft.fft(g, axis=axis, norm=SWAPPED[norm]), x.shape[axis], axis)


def _rfft(g: Array, r: Array, x: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    n = x.shape[axis] if n is None else n
    half = g * _half_weights(n, g, axis, 0.5)
    return _cut(namespace(g).fft.irfft(half, n=n, axis=axis, norm=SWAPPED[norm]), x.shape[axis], axis)


def _irfft(g: Array, r: Array, x: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    half = namespace(g).fft.rfft(g, axis=axis, norm=SWAPPED[norm])
    return _cut(half * _half_weights(r.shape[axis], half, axis, 2.0), x.shape[axis], axis)


def _joined(g: Array, k: int, arrays: list[Array], axis: int | None = 0) -> Array:
    if axis is None:
        start = sum(a.size for a in arrays[:k])
        return namespace(g).reshape(g[start : start + arrays[k].size], arrays[k].shape)
    start = sum(a.shape[axis] for a in arrays[:k])
    return g[(*(slice(None),) * (axis % g.ndim), slice(start, start + arrays[k].shape[axis]))]


def _stacked(g: Array, k: int, _arrays: list[Array], axis: int = 0) -> Array:
    return g[(*(slice(None),) * (axis % g.ndim), k)]


def einsum_part(g: Array, k: int, arrays: list[Array], subscripts: str) -> Array:
    """Gradient of operand k of an einsum none of whose operands repeats a subscript."""
    xp = namespace(g)
    inputs, output = _explicit(subscripts, [a.ndim for a in arrays])
    others = [(inputs[i], arrays[i]) for i in range(len(arrays)) if i != k]
    known = set(output).union(*(names for names, _ in others))
    kept = "".join(letter for letter in inputs[k] if letter in known)
    sources = ",".join([output, *(names for names, _ in others)])
    part = xp.einsum(f"{sources}->{kept}", g, *(xp.conj(a) for _, a in others))
    # What only this operand has was summed, so the gradient is the same all along it.
    shape = [n if letter in known else 1 for letter, n in zip(inputs[k], arrays[k].shape, strict=True)]
    return xp.broadcast_to(xp.reshape(part, shape), arrays[k].shape)


def _explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Operand and output letters, with letters of their own for the dots and for an output left out."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    inputs, widest = [], 0
    for letters, ndim in zip(left.split(","), ndims, strict=True):
        extra = ndim - len(letters.replace("...", ""))
        widest = max(widest, extra)
        inputs.append(letters.replace("...", "".join(free[len(free) - extra :]) if extra else ""))
    dots = "".join(free[len(free) - widest :]) if widest else ""
    if not arrow:
        names = left.replace(",", "").replace("...", "")
        output = dots + "".join(sorted(letter for letter in set(names) if names.count(letter) == 1))
    return inputs, output.replace("...", dots)


RULES: dict[str, Any] = {
    "matmul": (_left, _right),
    "reshape": (lambda g, r, x, *_, **__: namespace(g).reshape(g, x.shape),),
    "expand_dims": (lambda g, r, x, axis: namespace(g).reshape(g, x.shape),),
    "squeeze": (lambda g, r, x, axis=None: namespace(g).reshape(g, x.shape),),
    "ravel": (lambda g, r, x: namespace(g).reshape(g, x.shape),),
    "broadcast_to": (lambda g, r, x, shape: g,),
    "asarray": (lambda g, r, x, **_: g,),
    "astype": (lambda g, r, x, *_, **__: g,),
    "matrix_transpose": (lambda g, r, x: namespace(g).matrix_transpose(g),),
    "permute_dims": (_transposed,),
    "transpose": (_transposed,),
    "swapaxes": (lambda g, r, x, a, b: namespace(g).swapaxes(g, a, b),),
    "moveaxis": (lambda g, r, x, source, destination: namespace(g).moveaxis(g, destination, source),),
    "flip": (lambda g, r, x, axis=None: namespace(g).flip(g, axis=axis),),
    "roll": (lambda g, r, x, shift, axis=None: namespace(g).roll(g, -np.asarray(shift), axis=axis),),
    "take": (_taken,),
    "getitem": (lambda g, r, x, index: scattered(g, x, index),),
    "fft.fft": (_fft,),
    "fft.ifft": (_ifft,),
    "fft.rfft": (_rfft,),
    "fft.irfft": (_irfft,),
}

# Functions of a list of arrays: the gradient of the k-th.
JOINING = {"concat": _joined, "stack": _stacked}
