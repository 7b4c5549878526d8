"""Derivatives of linear functions, which are their adjoints: of shapes, of products of matrices, of FFTs."""

import string
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, dtype_name, namespace
from arrayaudio.constants import Constant
from arrayaudio.errors import DifferentiationError

SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def conj(x: Any) -> Any:
    """The complex conjugate of an array or a number."""
    if hasattr(x, "dtype"):  # real arrays would be copied
        return namespace(x).conj(x) if dtype_name(x).startswith("complex") else x
    return complex(x).conjugate() if isinstance(x, complex) else x


def reversed_sum(g: Array, axis: int | None) -> Array:
    """Sums of all values from each on."""
    xp = namespace(g)
    summed = getattr(xp, "cumulative_sum", None) or xp.cumsum
    return xp.flip(summed(xp.flip(g, axis=axis), axis=axis), axis=axis)


def _cumulated(g: Array, r: Array, x: Array, axis: int | None = None) -> Array:
    return namespace(g).reshape(reversed_sum(g, axis), x.shape)


def unsorted(g: Array, x: Array, axis: int | None) -> Array:
    """Put the gradients of sorted values back where the values were."""
    xp = namespace(g)
    if axis is None:
        return xp.reshape(unsorted(g, xp.reshape(x, (-1,)), 0), x.shape)
    return xp.take_along_axis(g, xp.argsort(xp.argsort(x, axis=axis), axis=axis), axis=axis)


def scattered(g: Array, x: Array, index: Any) -> Array:
    """Zeros of the shape of `x`, with `g` added where `index` says."""
    xp = namespace(g)
    out = xp.zeros(x.shape, dtype=g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, list | tuple) or (hasattr(part, "dtype") and "int" in dtype_name(part)) for part in parts):
        if not hasattr(xp.add, "at"):
            raise DifferentiationError(f"{xp.__name__} has no add.at: index with slices or truth values instead")
        xp.add.at(out, index, g)
    elif all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts):
        # Not every library assigns through None, which only adds axes of length 1.
        places = tuple(part for part in parts if part is not None)
        out[places] = xp.reshape(g, out[places].shape)
    else:
        out[index] = g
    return out


def _taken(g: Array, r: Array, x: Array, indices: Array, axis: int | None = None) -> Array:
    if axis is None:
        return namespace(g).reshape(scattered(g, namespace(x).reshape(x, (-1,)), indices), x.shape)
    return scattered(g, x, (*(slice(None),) * (axis % x.ndim), indices))


def _transposed(g: Array, r: Array, x: Array, axes: Any = None) -> Array:
    xp = namespace(g)
    order = [axis % x.ndim for axis in (range(x.ndim)[::-1] if axes is None else axes)]
    return xp.permute_dims(g, tuple(order.index(axis) for axis in range(x.ndim)))


def _backward(shift: Any) -> Any:
    return tuple(-n for n in shift) if isinstance(shift, list | tuple) else -shift


def _left(g: Array, r: Array, a: Array, b: Array) -> Array:
    xp = namespace(g)
    if b.ndim == 1:
        return conj(b) * g[..., None]
    if a.ndim == 1:  # and was stretched over all items, as the tape knows; so was b below
        return (conj(b) @ g[..., None])[..., 0]
    return g @ conj(xp.matrix_transpose(b))


def _right(g: Array, r: Array, a: Array, b: Array) -> Array:
    xp = namespace(g)
    if a.ndim == 1:
        return conj(a) * g if b.ndim == 1 else conj(a)[:, None] * g[..., None, :]
    if b.ndim == 1:
        return conj(a) * g[..., None]
    if b.ndim == 2:  # the sum over all items is one product
        rows, sums = (xp.reshape(x, (-1, x.shape[-1])) for x in (a, g))
        return conj(xp.matrix_transpose(rows)) @ sums
    return conj(xp.matrix_transpose(a)) @ g


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
    return Constant(weights.reshape(shape)).like(like)


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
    return g[(*(slice(None),) * (axis % g.ndim), slice(start, start + arrays[k].shape[axis]), ...)]


def _stacked(g: Array, k: int, _arrays: list[Array], axis: int = 0) -> Array:
    return g[(*(slice(None),) * (axis % g.ndim), k, ...)]


def einsum_part(g: Array, k: int, arrays: list[Array], subscripts: str) -> Array:
    """Gradient of operand k of an einsum, none of whose operands may repeat a subscript."""
    xp = namespace(g)
    inputs, output = _explicit(subscripts, [a.ndim for a in arrays])
    others = [(inputs[i], arrays[i]) for i in range(len(arrays)) if i != k]
    known = set(output).union(*(names for names, _ in others))
    # What only this operand has was summed, so the gradient is the same all along it; what it has once was stretched.
    shared = [letter in known and n > 1 for letter, n in zip(inputs[k], arrays[k].shape, strict=True)]
    kept = "".join(letter for letter, also in zip(inputs[k], shared, strict=True) if also)
    sources = ",".join([output, *(names for names, _ in others)])
    part = xp.einsum(f"{sources}->{kept}", g, *(conj(a) for _, a in others))
    part = part[tuple(slice(None) if also else None for also in shared)]
    return xp.broadcast_to(part, arrays[k].shape)


def checked_subscripts(subscripts: Any) -> str:
    """Subscripts that `einsum_part` can differentiate, or DifferentiationError."""
    operands = str(subscripts).partition("->")[0].replace("...", "").split(",")
    if not isinstance(subscripts, str) or any(len(set(part.strip())) < len(part.strip()) for part in operands):
        raise DifferentiationError(
            f"no VJP for xp.einsum({str(subscripts)!r}): give subscripts as text that names each once in an operand"
        )
    return subscripts


def _explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Operand and output letters, with letters of their own for the dots and for an output left out."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    inputs, widest = [], 0
    for letters, ndim in zip(left.split(","), ndims, strict=True):
        extra = ndim - len(letters.replace("...", ""))
        widest = max(widest, extra)
        inputs.append(letters.replace("...", "".join(free[len(free) - extra :])))
    dots = "".join(free[len(free) - widest :])
    if not arrow:
        names = left.replace(",", "").replace("...", "")
        output = dots + "".join(sorted(letter for letter in set(names) if names.count(letter) == 1))
    return inputs, output.replace("...", dots)


RULES: dict[str, Any] = {
    "matmul": (_left, _right),
    "reshape": (lambda g, r, x, shape, copy=None: namespace(g).reshape(g, x.shape),),
    "expand_dims": (lambda g, r, x, axis: namespace(g).reshape(g, x.shape),),
    "squeeze": (lambda g, r, x, axis=None: namespace(g).reshape(g, x.shape),),
    "ravel": (lambda g, r, x: namespace(g).reshape(g, x.shape),),
    "broadcast_to": (lambda g, r, x, shape: g,),
    "asarray": (lambda g, r, x, **_: g,),
    "astype": (lambda g, r, x, *_, **__: g,),
    "matrix_transpose": (lambda g, r, x: namespace(g).matrix_transpose(g),),
    "permute_dims": (_transposed,),
    "transpose": (_transposed,),
    "swapaxes": (lambda g, r, x, axis1, axis2: namespace(g).swapaxes(g, axis1, axis2),),
    "moveaxis": (lambda g, r, x, source, destination: namespace(g).moveaxis(g, destination, source),),
    "flip": (lambda g, r, x, axis=None: namespace(g).flip(g, axis=axis),),
    "roll": (lambda g, r, x, shift, axis=None: namespace(g).roll(g, _backward(shift), axis=axis),),
    "cumsum": (_cumulated,),
    "cumulative_sum": (_cumulated,),
    "take": (_taken,),
    "getitem": (lambda g, r, x, index: scattered(g, x, index),),
    "fft.fft": (_fft,),
    "fft.ifft": (_ifft,),
    "fft.rfft": (_rfft,),
    "fft.irfft": (_irfft,),
}

# Functions of a list of arrays: the gradient of the k-th.
JOINING = {"concat": _joined, "stack": _stacked}
