"""For each rule of the tape, functions that use it and arguments, all of them differentiable there.

`STANDARD` says `xp.` as the array API does, so it runs on every library; `NUMPY` uses what NumPy and CuPy have beyond.
"""

import itertools

import numpy as np

_seeds = itertools.count()


def real(*shape):
    return np.random.default_rng(next(_seeds)).standard_normal(shape)


def positive(*shape):
    return np.random.default_rng(next(_seeds)).uniform(0.5, 1.5, shape)


def inner(*shape):
    """Values between -1 and 1, away from both."""
    return np.random.default_rng(next(_seeds)).uniform(-0.9, 0.9, shape)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)


def _elementwise(name, *arguments):
    return [(lambda xp, *x: getattr(xp, name)(*x), *some) for some in arguments]


def _binary(name, more=()):
    pairs = [
        (real(3, 4), real(3, 4)),
        (real(3, 1), real(4)),
        (real(2, 1, 4), real(3, 1)),
        (real(), real(3)),
        (cplx(3, 4), cplx(4)),
        (real(3, 4), cplx(4)),
        (cplx(3, 1), real(2, 1, 4)),
    ]
    return _elementwise(name, *pairs, *more)


def _reduction(name, make, **more):
    def reduce(axis, **options):
        return lambda xp, x: getattr(xp, name)(x, axis=axis, **options), make(2, 3, 4)

    axes = [None, 0, -1, (0, -1), (-1, 1)]
    kept = [reduce(axis, keepdims=keepdims, **more) for axis in axes for keepdims in (False, True)]
    return [*kept, reduce(1, **more)]


def _transformed(name, make):
    """An FFT of each norm, of odd and even sizes, cropped and padded, along the first and the last axis."""

    def transform(shape, **options):
        return lambda xp, x: getattr(xp.fft, name)(x, **options), make(*shape)

    sizes = [(shape, n) for shape in [(2, 7), (2, 8)] for n in (None, 1, 2, 5, 8, 11)]
    return [
        *(transform(shape, **({} if n is None else {"n": n}), norm=norm) for norm in NORMS for shape, n in sizes),
        *(transform((7, 2), n=n, axis=0, norm="ortho") for n in (4, 7, 10)),
        *(transform((2, 6, 3), n=n, axis=-2, norm="forward") for n in (None, 4, 9)),
        transform((9,)),
    ]


NORMS = ("backward", "ortho", "forward")

STANDARD = {
    "add": [*_binary("add"), (lambda xp, x: 2 + x + 1.5, real(3))],
    "subtract": [*_binary("subtract"), (lambda xp, x: 2 - (x - 1.5), real(3))],
    "multiply": [*_binary("multiply"), (lambda xp, x: 2 * x * 1.5, cplx(3)), (lambda xp, x: x * x, cplx(3))],
    "divide": [
        *_binary("divide", more=[(real(3), positive(3))]),
        (lambda xp, x: 2 / x + x / 3, positive(3)),
        (lambda xp, x: (2 - 1j) / x, cplx(3)),
    ],
    "pow": [
        *_elementwise("pow", (positive(3, 4), real(4)), (positive(3, 1), real(2, 1, 4)), (cplx(3), cplx(3))),
        *((lambda xp, x, n=n: x**n, real(4)) for n in (-2, 0, 1, 2, 3, 2.0)),
        (lambda xp, x: x**-1.7 + 3.0**x, positive(4)),
        (lambda xp, x: x**3, cplx(4)),
        (lambda xp, x: x ** xp.asarray([0.0, 1.0, 2.0], dtype=x.dtype), real(2, 3)),
        (lambda xp, x: xp.pow(xp.asarray([0.5, 2.0], dtype=x.dtype), x), real(3, 2)),
    ],
    "negative": [(lambda xp, x: -x, real(3)), (lambda xp, x: -x, cplx(2, 3))],
    "positive": [(lambda xp, x: +x, real(3)), (lambda xp, x: +x, cplx(3))],
    "square": _elementwise("square", [real(3)], [cplx(3)], [real()]),
    "reciprocal": _elementwise("reciprocal", [positive(3)], [cplx(3)]),
    "sqrt": _elementwise("sqrt", [positive(3)], [cplx(3)]),
    "conj": [(lambda xp, x: xp.conj(x), cplx(3))],
    "real": [(lambda xp, x: xp.real(x) ** 2, cplx(3))],
    "imag": [(lambda xp, x: xp.imag(x) ** 2, cplx(3))],
    "abs": [(lambda xp, x: abs(x), real(4)), *_elementwise("abs", [cplx(2, 3)], [cplx()])],
    "exp": _elementwise("exp", [real(3)], [cplx(3)]),
    "expm1": _elementwise("expm1", [real(3)]),
    "log": _elementwise("log", [positive(3)], [cplx(3)]),
    "log1p": _elementwise("log1p", [positive(3)]),
    "log2": _elementwise("log2", [positive(3)], [cplx(3)]),
    "log10": _elementwise("log10", [positive(3)], [cplx(3)]),
    **{name: _elementwise(name, [real(3)], [cplx(3)]) for name in ("sin", "cos", "sinh", "cosh", "tanh")},
    **{name: _elementwise(name, [inner(3)], [cplx(3)]) for name in ("tan", "asin", "acos", "atan")},
    "atan2": [
        *_elementwise("atan2", (real(3, 4), real(4)), (real(3, 1), real(1, 4))),
        (lambda xp, x: xp.atan2(x, xp.ones_like(x)) + xp.atan2(-xp.ones_like(x), x), real(3)),
    ],
    "hypot": _elementwise("hypot", (real(3, 4), real(4)), (real(3, 1), real(1, 4))),
    "maximum": [*_elementwise("maximum", (real(3, 4), real(4))), (lambda xp, x: xp.maximum(x, 0 * x), real(5))],
    "minimum": [*_elementwise("minimum", (real(3, 4), real(4))), (lambda xp, x: xp.minimum(x, 0 * x), real(5))],
    "where": [
        (lambda xp, x, y: xp.where(xp.asarray([True, False, True]), x, y), real(2, 3), real(3)),
        (lambda xp, x, y: xp.where(x > y, x, y), real(2, 1, 3), real(2, 1)),
        (lambda xp, x: xp.where(x > 0, x, 2 * x), real(6)),
        (lambda xp, x, y: xp.where(xp.real(x) > 0, x, y), cplx(2, 3), cplx(3)),
    ],
    "clip": [
        (lambda xp, x: xp.clip(x, -0.5, 0.5), real(10)),
        (lambda xp, x: xp.clip(x, 0.1, None), real(10)),
        (lambda xp, x: xp.clip(x, None, 0.1), real(2, 5)),
        (lambda xp, x: xp.clip(x, xp.asarray([-0.1, -2.0]), xp.asarray([0.2, 2.0])), real(4, 2)),
    ],
    "full_like": [(lambda xp, x: x * xp.full_like(x, 3.0), real(3))],
    "sum": [*_reduction("sum", real), *_reduction("sum", cplx), (lambda xp, x: xp.sum(x, dtype=x.dtype), real())],
    "mean": [*_reduction("mean", real), *_reduction("mean", cplx)],
    "max": _reduction("max", real),
    "min": _reduction("min", real),
    "var": [*_reduction("var", real)],
    "std": [*_reduction("std", real)],
    "cumulative_sum": [
        (lambda xp, x: xp.cumulative_sum(x), real(5)),
        (lambda xp, x: xp.cumulative_sum(x, axis=0), real(3, 4)),
        (lambda xp, x: xp.cumulative_sum(x, axis=-1), cplx(3, 4)),
    ],
    "sort": [
        (lambda xp, x: xp.sort(x) ** 2, real(7)),
        (lambda xp, x: xp.sort(x) ** 2, real(5, 3)),
        (lambda xp, x: xp.sort(x, axis=0) ** 2, real(5, 3)),
        (lambda xp, x: xp.sort(x, axis=-2) ** 2, real(2, 5, 3)),
    ],
    "matmul": [
        (lambda xp, x, y: x @ y, make(*a), other(*b))
        for make, other in [(real, real), (cplx, cplx), (real, cplx)]
        for a in [(4,), (3, 4), (2, 3, 4), (6, 1, 3, 4)]
        for b in [(4,), (4, 5), (2, 4, 5), (6, 1, 4, 5)]
    ],
    "reshape": [
        (lambda xp, x: xp.reshape(x, (4, 3)), real(2, 6)),
        (lambda xp, x: x.reshape(2, -1), cplx(4, 3)),
        (lambda xp, x: x.reshape((-1,)), real(4, 3)),
    ],
    "expand_dims": [(lambda xp, x: xp.expand_dims(x, axis=1), real(2, 3))],
    "squeeze": [
        (lambda xp, x: xp.squeeze(x, axis=0), real(1, 3)),
        (lambda xp, x: xp.squeeze(x, axis=(0, 2)), real(1, 3, 1)),
    ],
    "broadcast_to": [
        (lambda xp, x: xp.broadcast_to(x, (2, 3, 4)), real(3, 1)),
        (lambda xp, x: xp.broadcast_to(x, (2, 1, 4)), cplx(1, 1, 1)),
        (lambda xp, x: xp.broadcast_to(x, (1, 3)), real(1)),
        (lambda xp, x: xp.broadcast_to(x, (2, 3)), real()),
    ],
    "asarray": [
        (lambda xp, x: xp.asarray(x, dtype=xp.complex128), real(3)),
        (lambda xp, x: x.astype(xp.float64), real(3)),
    ],
    "astype": [(lambda xp, x: xp.astype(x, xp.complex128), real(3))],
    "matrix_transpose": [
        (lambda xp, x: xp.matrix_transpose(x), real(2, 3, 4)),
        (lambda xp, x: x.mT, cplx(3, 4)),
    ],
    "permute_dims": [
        (lambda xp, x: xp.permute_dims(x, (2, 0, 1)), real(2, 3, 4)),
        (lambda xp, x: xp.permute_dims(x, (-1, 0, -2)), cplx(2, 3, 4)),
        (lambda xp, x: x.transpose(1, 2, 0) + x.transpose((1, 2, 0)), real(2, 3, 4)),
        (lambda xp, x: x.T, real(2, 3)),
    ],
    "moveaxis": [
        (lambda xp, x: xp.moveaxis(x, 0, -1), real(2, 3, 4)),
        (lambda xp, x: xp.moveaxis(x, (0, -1), (1, 0)), real(2, 3, 4)),
    ],
    "flip": [
        (lambda xp, x: xp.flip(x), real(2, 3)),
        (lambda xp, x: xp.flip(x, axis=-1), cplx(2, 3)),
        (lambda xp, x: xp.flip(x, axis=(0, 2)), real(2, 3, 4)),
    ],
    "roll": [
        (lambda xp, x: xp.roll(x, 2), real(2, 3)),
        (lambda xp, x: xp.roll(x, -1, axis=-1), cplx(2, 3)),
        (lambda xp, x: xp.roll(x, (1, 2), axis=(0, 1)), real(3, 4)),
    ],
    "getitem": [
        (lambda xp, x: x[1], real(3)),
        (lambda xp, x: x[1:], real(3)),
        (lambda xp, x: x[-1, ::-2], cplx(2, 5)),
        (lambda xp, x: x[..., None, :2], real(2, 3)),
        (lambda xp, x: x[None, 1, ..., None, :], real(2, 3, 4)),
        (lambda xp, x: x[xp.asarray([True, False, True])], real(3, 2)),
        (lambda xp, x: x[1:] - x[:-1], real(4)),
    ],
    "fft.fft": _transformed("fft", cplx),
    "fft.ifft": _transformed("ifft", cplx),
    "fft.rfft": _transformed("rfft", real),
    "fft.irfft": _transformed("irfft", cplx),
    "concat": [
        (lambda xp, x, y: xp.concat([x, y]), real(2, 3), real(1, 3)),
        (lambda xp, x, y: xp.concat((x, y, x), axis=-1), cplx(2, 3), cplx(2, 1)),
        (lambda xp, x, y: xp.concat([x, xp.zeros_like(x), y], axis=None), real(2, 3), real(2)),
    ],
    "stack": [
        (lambda xp, x, y: xp.stack([x, y]), real(3), real(3)),
        (lambda xp, x, y: xp.stack([x, y, x], axis=-1), cplx(2, 3), cplx(2, 3)),
        (lambda xp, x, y: xp.stack((x, xp.ones_like(x), y), axis=1), real(2, 3), real(2, 3)),
    ],
}

LATE = {"astype", "cumulative_sum"}  # not yet in NumPy 2.0
for late in LATE - set(dir(np)):
    del STANDARD[late]

NUMPY = {
    "expm1": _elementwise("expm1", [cplx(3)]),
    "log1p": _elementwise("log1p", [cplx(3)]),
    "angle": [(lambda xp, x: xp.angle(x), cplx(3))],
    "conj": [(lambda xp, x: xp.conj(x), real(3)), (lambda xp, x: x.conj(), cplx(3))],
    "real": [(lambda xp, x: x.real, real(3))],
    "imag": [(lambda xp, x: x.imag, real(3))],
    "multiply": [(lambda xp, x: 1j * x, real(3)), (lambda xp, x: np.float64(2) * x * np.ones(3), real(3))],
    "full_like": [(lambda xp, x, y: xp.full_like(x, y) * x, real(3), real())],
    "fft.fft": [(lambda xp, x: xp.fft.fft(x, 6, norm=None), real(2, 5))],
    "fft.ifft": [(lambda xp, x: xp.fft.ifft(x, 6, norm=None), real(2, 5))],
    "fft.rfft": [(lambda xp, x: xp.fft.rfft(x, 6, norm=None), real(2, 5))],
    "fft.irfft": [(lambda xp, x: xp.fft.irfft(x, 6, norm=None), real(2, 5))],
    "var": [
        *_reduction("var", real, correction=1.0),
        (lambda xp, x: xp.var(x, 0, ddof=1), real(3, 4)),
        (lambda xp, x: xp.var(x), cplx(5)),
    ],
    "std": [
        *_reduction("std", real, correction=0.5),
        (lambda xp, x: xp.std(x, 0, ddof=1), real(3, 4)),
        (lambda xp, x: x.std(axis=1), real(3, 4)),
    ],
    "sum": [(lambda xp, x: x.sum(1) + x.sum(axis=-1), real(3, 4))],
    "cumsum": [
        (lambda xp, x: xp.cumsum(x), real(3, 4)),
        (lambda xp, x: xp.cumsum(x, axis=0), cplx(3, 4)),
        (lambda xp, x: x.cumsum(-1), real(3, 4)),
    ],
    "sort": [(lambda xp, x: xp.sort(x, axis=None) ** 2, real(3, 4))],
    "ravel": [(lambda xp, x: x.ravel(), real(2, 3))],
    "transpose": [
        (lambda xp, x: xp.transpose(x), real(2, 3)),
        (lambda xp, x: xp.transpose(x, (0, -1, 1)), cplx(2, 3, 4)),
    ],
    "swapaxes": [(lambda xp, x: xp.swapaxes(x, 0, -1), real(2, 3, 4))],
    "take": [
        (lambda xp, x: xp.take(x, np.array([0, 2, 2, -1]), axis=-1), real(2, 3)),
        (lambda xp, x: xp.take(x, np.array([[1, 1], [0, 1]]), axis=0), cplx(2, 3)),
        (lambda xp, x: xp.take(x, np.array([0, 5, 5])), real(2, 3)),
        (lambda xp, x: xp.take(x, 1, axis=1), real(2, 3)),
    ],
    "getitem": [
        (lambda xp, x: x[()], real(2)),
        (lambda xp, x: x[None, 1, ..., None], real(2, 3)),
        (lambda xp, x: sum(row * row for row in x), real(3, 2)),
        (lambda xp, x: x[[0, 2, 2]], real(3, 2)),
        (lambda xp, x: x[np.array([[0, -1], [2, 2]])], cplx(3)),
        (lambda xp, x: x[:, np.array([1, 1]), None], real(2, 3)),
        (lambda xp, x: x[(0, 1, 1), (2, 2, 2)], real(2, 3)),
        (lambda xp, x: x[np.array([[1], [0]]), ..., np.array([0, 0])], real(2, 3, 4)),
        (lambda xp, x: x[np.array([[True, False], [True, True]])], real(2, 2)),
        (lambda xp, x: x[np.int64(1)], real(3)),
    ],
    "einsum": [
        (lambda xp, *x, subscripts=subscripts: xp.einsum(subscripts, *x), *arguments)
        for subscripts, *arguments in [
            ("ij,jk->ik", real(2, 3), real(3, 4)),
            ("ij,jk", cplx(2, 3), cplx(3, 4)),
            ("ba,b", real(2, 3), cplx(2)),
            ("ij->ji", real(2, 3)),
            ("ij->", real(2, 3)),
            ("ij", real(2, 3)),
            ("ij->i", cplx(2, 3)),
            ("ij,kl->il", real(2, 3), real(4, 5)),
            ("...ij,...jk->...ik", real(2, 3, 4), real(4, 5)),
            ("...ij,...jk", real(5, 1, 3, 4), cplx(2, 4, 2)),
            ("i...,i...->...", real(3, 1, 4), real(3, 2, 1)),
            ("ij,ij->ij", real(1, 3), real(4, 3)),
            ("ij,j->i", real(4, 3), real(1)),
            ("ab,bc,cd->ad", real(2, 3), cplx(3, 4), real(4, 2)),
            ("ab, b, a", real(2, 3), real(3), real(2)),
            (",i->i", real(), real(3)),
        ]
    ],
    "concat": [(lambda xp, x, y: np.concatenate([x, y], -1), real(2, 3), cplx(2, 1))],
}
