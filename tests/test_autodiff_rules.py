"""Every rule of the tape: central differences, adjoint identities, finite gradients at kinks and poles."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.arrays import dtype_name, namespace
from arrayaudio.autodiff import namespace as recording
from arrayaudio.autodiff.linear import JOINING
from arrayaudio.autodiff.rules import RULES

from .autodiff_cases import LATE, NUMPY, STANDARD, cplx, real
from .tolerances import assert_same_spectrum

ALONG = {"sum", "mean", "cumsum", "cumulative_sum", "fft.fft", "fft.ifft", "fft.rfft", "fft.irfft"}
SHAPES = {"reshape", "expand_dims", "squeeze", "broadcast_to", "ravel", "matrix_transpose", "permute_dims", "moveaxis"}
PLACES = {"flip", "roll", "transpose", "swapaxes", "take", "concat", "stack", "where"}
LINEAR = {"add", "subtract", "negative", "positive", "conj", "asarray", "astype"} | ALONG | SHAPES | PLACES


def cases(*tables):
    return [
        pytest.param(name, function, args, id=f"{name}-{k}")
        for table in tables
        for name in table
        for k, (function, *args) in enumerate(table[name])
    ]


def test_every_rule_has_a_case():
    known = {*RULES, *JOINING, "einsum"}
    assert {*STANDARD, *NUMPY} | LATE == known


@pytest.mark.parametrize(("name", "function", "args"), cases(STANDARD, NUMPY))
def test_rules_agree_with_central_differences(name, function, args, monkeypatch):
    recorded = []
    record = recording.record
    monkeypatch.setattr(recording, "record", lambda name, *more: recorded.append(name) or record(name, *more))
    aa.check_grads(lambda *x: function(namespace(*x), *x), *args, tolerance=1e-7)
    assert name in {recording.STANDARD.get(name, name) for name in recorded}


@pytest.mark.parametrize(("name", "function", "args"), cases(STANDARD))
def test_rules_give_the_same_on_every_library_and_dtype(name, function, args, library, dtype):
    def gradients(convert):
        value, pullback = aa.vjp(lambda *x: function(namespace(*x), *x), *map(convert, args))
        assert isinstance(value, type(convert(0)) | np.generic)
        return pullback(convert(np.cos(np.arange(value.size).reshape(value.shape)) + 0.5))

    def rounded(x):
        kinds = {"float32": ("float32", "complex64"), "float64": ("float64", "complex128")}
        return np.asarray(x, dtype=kinds[dtype][np.iscomplexobj(x)])

    found = gradients(lambda x: library.asarray(rounded(x)))
    expected = gradients(lambda x: np.asarray(rounded(x), dtype=np.result_type(rounded(x), np.float64)))
    for x, ours, theirs in zip(args, found, expected, strict=True):
        assert isinstance(ours, type(library.asarray(x)) | np.generic)
        assert dtype_name(ours) == rounded(x).dtype
        assert_same_spectrum(aa.to_numpy(ours), theirs, dtype)


@pytest.mark.parametrize(("name", "function", "args"), cases(STANDARD, NUMPY))
def test_rules_compute_in_the_precision_of_the_gradient(name, function, args, monkeypatch):
    made = recording._pull

    def watched(rule, *more):
        pull = made(rule, *more)

        def watched_pull(g):
            found = pull(g)
            assert found.real.itemsize == g.real.itemsize
            return found

        return watched_pull

    monkeypatch.setattr(recording, "_pull", watched)
    args = [np.asarray(x, dtype=np.complex64 if np.iscomplexobj(x) else np.float32) for x in args]
    value, pullback = aa.vjp(lambda *x: function(namespace(*x), *x), *args)
    pullback(np.ones(value.shape, np.complex64 if np.iscomplexobj(value) else np.float32))


FLATTENING = [
    (RULES["take"][0], lambda x: (np.take(x, [5, 0]), x, np.array([5, 0]))),
    (RULES["sort"][0], lambda x: (np.sort(x, axis=None), x, None)),
    (RULES["cumsum"][0], lambda x: (np.cumsum(x), x)),
]


@pytest.mark.parametrize(("rule", "called"), FLATTENING, ids=["take", "sort", "cumsum"])
def test_what_was_flattened_gets_its_shape_back(rule, called):
    result, x, *options = called(real(2, 3))
    assert rule(np.ones(result.shape), result, x, *options).shape == x.shape


@pytest.mark.parametrize(("name", "function", "args"), [c for c in cases(STANDARD, NUMPY) if c.values[0] in LINEAR])
def test_pullbacks_of_linear_functions_are_their_adjoints(name, function, args):
    def zeroed(*x):
        return function(namespace(*x), *x)

    value, pullback = aa.vjp(zeroed, *args)
    origin = zeroed(*(np.zeros_like(x) for x in args))
    u = cplx(*value.shape) if np.iscomplexobj(value) else real(*value.shape)
    ours = sum(np.vdot(g, x).real for g, x in zip(pullback(u), args, strict=True))
    theirs = np.vdot(u, value - origin).real
    assert abs(ours - theirs) <= 1e-12 * np.linalg.norm(u) * np.linalg.norm(value)


KINKS = [
    ("abs", lambda x: np.abs(x), [0.0, 2.0], [0, 1]),
    ("abs of complex", lambda z: np.abs(z), [0j, 3 + 4j], [0, 0.6 + 0.8j]),
    ("abs of tiny", lambda z: np.abs(z), [5e-324, -(2.0**-1024), 3e-300j], [2.0**-52, -0.25, 1j]),
    ("angle", lambda z: np.angle(z), [0j, 2j], [0, -0.5]),
    ("sqrt", lambda x: np.sqrt(x), [0.0, 4.0], [0, 0.25]),
    ("sqrt of a power", lambda z: np.sqrt(z.real**2 + z.imag**2), [0j, 3 + 4j], [0, 0.6 + 0.8j]),
    ("log of tiny", lambda x: np.log(x), [5e-324, 1e-310, 2.0**-1022, 0.5], [0, 0, 2.0**1022, 2]),
    ("atan2", lambda x: np.atan2(x, np.zeros(2)), [0.0, 2.0], [0, 0]),
    ("atan2 of tiny", lambda x: np.atan2(x, np.array([1e-200, 1e200])), [1e-200, 1e200], [5e199, 5e-201]),
    ("hypot", lambda x: np.hypot(x, np.array([0.0, 4.0])), [0.0, 3.0], [0, 0.6]),
    ("asin", lambda x: np.arcsin(x), [-1.0, 1.0, 0.6], [0, 0, 1.25]),
    ("std of the same", lambda x: np.std(x, axis=0), [[1.0, 0.0], [1.0, 2.0]], [[0, -0.5], [0, 0.5]]),
    ("low powers", lambda x: x ** np.array([0.0, 0.3, 1.0, 1.5, 2.0]), [0.0] * 5, [0, 0, 1, 0, 0]),
    ("power of a number", lambda x: 0.0**x, [1.0, 2.0], [0, 0]),
    ("max of the same", lambda x: np.max(x, axis=-1), [[3.0, 3.0, 1.0]], [[0.5, 0.5, 0]]),
    ("min of the same", lambda x: np.min(x), [1.0, 3.0, 1.0], [0.5, 0, 0.5]),
    ("maximum", lambda x: np.maximum(x, 1.0), [0.0, 1.0, 2.0], [0, 0.5, 1]),
    ("minimum", lambda x: np.minimum(1.0, x), [0.0, 1.0, 2.0], [1, 0.5, 0]),
    ("clip", lambda x: np.clip(x, 0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0], [0, 1, 1, 1, 0]),
    ("where", lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), [0.0, 2.0], [0, 0.5]),
]


@pytest.mark.parametrize(("function", "at", "expected"), [pytest.param(*k[1:], id=k[0]) for k in KINKS])
def test_gradients_at_kinks_and_poles_are_finite(function, at, expected):
    value, pullback = aa.vjp(function, np.array(at))
    (gradient,) = pullback(np.ones(value.shape))
    np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("function", [np.log, np.log2, np.log10])
def test_gradients_of_a_logarithm_of_zero_are_zero(function):
    with np.errstate(divide="ignore"):
        _, pullback = aa.vjp(function, np.array([0.0, 1.0]))
    gradient = pullback(np.ones(2))[0]
    assert gradient[0] == 0
    assert gradient[1] == pytest.approx(1 / np.log({np.log: np.e, np.log2: 2, np.log10: 10}[function]))


def test_nan_is_not_hidden():
    for function in (np.log, np.abs, np.sqrt, lambda x: np.maximum(x, 0.0) * x):
        assert np.isnan(aa.grad(lambda x, f=function: np.sum(f(x)))(np.array([np.nan, 1.0]))[0])
