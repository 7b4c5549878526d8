"""Arrays on the tape under NumPy's functions and operators: what is recorded, what is refused, what is constant."""

import math

import array_api_strict
import numpy as np
import pytest
import scipy.signal

import arrayaudio as aa
from arrayaudio.arrays import namespace
from arrayaudio.autodiff import namespace as recording
from arrayaudio.autodiff.namespace import CONSTANT, STANDARD, Var
from arrayaudio.autodiff.rules import RULES

X = np.random.default_rng(1).uniform(0.5, 1.5, (3, 4))
Y = np.random.default_rng(2).uniform(0.5, 1.5, (3, 4))

BY_NUMPY = {
    "log": lambda v: np.log(v),
    "rfft": lambda v: np.fft.rfft(v),
    "rfft options": lambda v: np.fft.rfft(v, n=6, axis=0, norm="ortho"),
    "concatenate": lambda v: np.concatenate([v, Y], axis=1),
    "concatenate of itself": lambda v: np.concatenate(v) + np.concatenate(v[::-1]),
    "stack": lambda v: np.stack((Y, v), -1),
    "sum": lambda v: np.sum(v, axis=0, keepdims=True),
    "sum by position": lambda v: np.sum(v, 1),
    "mean": lambda v: np.mean(v, axis=(0, 1)),
    "std": lambda v: np.std(v, 0, ddof=1),
    "max": lambda v: np.max(v, axis=-1) + np.amin(v),
    "einsum": lambda v: np.einsum("ij,kj->ik", v, Y),
    "where": lambda v: np.where(v > 1, v, Y),
    "where the tape is the condition": lambda v: np.where(v - 1 > 0, Y, v * v),
    "abs": lambda v: np.abs(v - 1) + np.absolute(v) + abs(v),
    "clip": lambda v: np.clip(v, 0.8, 1.2) + v.clip(None, 1.0),
    "clip by name": lambda v: np.clip(v, a_min=0.8, a_max=1.2),
    "transpose": lambda v: np.transpose(v, (1, 0)) @ v,
    "take": lambda v: np.take(v, [0, 0, 1], axis=0),
    "arctan2": lambda v: np.arctan2(v, Y) + np.arctan2(Y, v) + np.arctan(v),
    "power": lambda v: np.power(v, 2.5) + np.power(Y, v) + 2.0**v,
    "conjugate": lambda v: np.conjugate(1j * v),
    "reshape": lambda v: np.reshape(v, (4, 3)) + v.reshape(4, 3),
    "expand and squeeze": lambda v: np.squeeze(np.expand_dims(v, 0)),
    "array on the left": lambda v: Y - v + Y * v + Y / v + Y**v + (Y @ v.T)[:, :1],
    "array on the right": lambda v: v - Y + v * Y + v / Y + v**Y + (v @ Y.T)[:, :1],
    "numpy numbers": lambda v: np.float64(2) * v - np.float64(1) / v + v ** np.int64(2) + np.bool_(True) * v,
    "python numbers": lambda v: 2 * v - 1 / v + v**2 + True * v - (-v) + (+v),
    "complex numbers": lambda v: (1 - 2j) * v / (v + 1j),
    "in place": lambda v: _in_place(v),
    "iteration": lambda v: sum(row * k for k, row in enumerate(v)),
    "methods": lambda v: (
        v.sum(axis=0) + v.mean(0) + v.max(axis=0) + v.std(0) + v.ravel()[:4] + v.T[:, 0].sum() + v.copy()[0]
    ),
    "parts": lambda v: (v * 1j).imag + (v * 1j).real + v.astype(np.complex128).conj() + v.transpose().mT,
}


def _in_place(v):
    w = v.copy()
    w += 1
    w *= v
    return w


@pytest.mark.parametrize("name", BY_NUMPY)
def test_numpys_functions_are_recorded(name):
    function = BY_NUMPY[name]
    value, _ = aa.vjp(function, X)
    np.testing.assert_allclose(value, function(X), rtol=1e-15)
    aa.check_grads(function, X)


@pytest.mark.parametrize("name", BY_NUMPY)
def test_float32_stays_float32(name):
    single = X.astype(np.float32)
    value, pullback = aa.vjp(BY_NUMPY[name], single)
    assert pullback(value)[0].dtype == np.float32
    assert value.dtype == BY_NUMPY[name](single).dtype


NO_RULE = {
    "linalg.svd": lambda v: np.linalg.svd(v),
    "convolve": lambda v: np.convolve(v[0], v[1]),
    "interp": lambda v: np.interp(v[0], X[0], X[1]),
    "hstack": lambda v: np.hstack([v, X]),
    "block": lambda v: np.block([[v, X]]),
    "linalg.multi_dot": lambda v: np.linalg.multi_dot([X, v.T]),
    "remainder": lambda v: np.remainder(v, 1.0),
    "logaddexp": lambda v: np.logaddexp(v, X),
    "prod": lambda v: np.prod(v),
    "fft.fftn": lambda v: np.fft.fftn(v),
    "fft.rfft2": lambda v: namespace(v).fft.rfft2(v),
    "broadcast_arrays": lambda v: namespace(v).broadcast_arrays(v, v),
    "linspace": lambda v: namespace(v).linspace(v[0, 0], 1, 3),
}


@pytest.mark.parametrize("name", NO_RULE)
def test_functions_without_a_rule_are_named(name):
    with pytest.raises(
        aa.DifferentiationError, match=rf"no VJP for argument \d of xp\.{name}: write it with functions"
    ):
        NO_RULE[name](Var(X))


REFUSED = {
    "np.add.reduce cannot be recorded": lambda v: np.add.reduce(v),
    "np.multiply.outer cannot be recorded": lambda v: np.multiply.outer(v, v),
    r"np.add\(out=...\) cannot be recorded": lambda v: np.add(v, v, out=np.zeros((3, 4))),
    r"np.subtract\(out=...\) cannot": lambda v: np.zeros((3, 4)).__isub__(v),
    "xp.stack: give arrays by position": lambda v: np.stack(arrays=[v, v]),
    "xp.sum: give arrays by position": lambda v: np.sum(a=v),
    r"no VJP for xp.sum with these options \(.*'where'": lambda v: np.sum(v, where=X > 1),
    "no VJP for xp.mean with these options": lambda v: np.mean(v, 0, np.float64),
    "no VJP for xp.add with these options": lambda v: np.add(v, v, where=X > 1),
    r"no VJP for xp.reshape with these options \(.*'order'": lambda v: np.reshape(v, (4, 3), order="F"),
    "no VJP for xp.take with these options": lambda v: np.take(v, [5], mode="wrap"),
    "no VJP for xp.max with these options": lambda v: np.max(v, initial=3.0),
    "no VJP for xp.concat with these options": lambda v: np.concatenate([v, v], dtype=np.float32),
    r"xp.einsum\('ii->i'\): give subscripts as text": lambda v: np.einsum("ii->i", v[:, :3]),
    r"xp.einsum\('ii'\): give subscripts as text": lambda v: np.einsum("ii", v[:, :3]),
    r"xp.einsum\(.*: give subscripts as text": lambda v: np.einsum(v, [0, 1], [0]),
    r"xp.stack: a list of arrays .* use xp.stack first": lambda v: np.stack([v[0], [v[0, 0], v[0, 1], 1.0, 2.0]]),
    "xp.concat: a list of arrays": lambda v: np.concatenate([v, [v[0], v[1]]]),
    "xp.einsum: a list of arrays": lambda v: np.einsum("i,j->", v[0], [v[0, 0], 1.0]),
    "xp.where: a list of arrays": lambda v: np.where(X[0] > 1, v[0], [v[0, 0], 1.0, 2.0, 3.0]),
    "cannot become a plain one": lambda v: np.asarray(v),
    "an array on the tape cannot become": lambda v: np.array([v, v]),
    "array on the tape": lambda v: float(v[0, 0]),
    "on the tape": lambda v: int(v[0, 0]),
    "the tape": lambda v: complex(v[0, 0]),
    "tape": lambda v: math.sqrt(v[0, 0]),
    "use its functions": lambda v: X[v],
    "use its functions, or .value": lambda v: list(range(v[0, 0])),
    "or .value": lambda v: aa.to_numpy(v),
    "functions, or .value": lambda v: scipy.signal.hilbert(v),
    "become a plain": lambda v: X.copy().__setitem__(slice(None), v),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_would_lose_gradients_is_refused(message):
    with pytest.raises(aa.DifferentiationError, match=message):
        REFUSED[message](Var(X))


def test_the_whole_message_says_what_to_do():
    with pytest.raises(aa.DifferentiationError) as error:
        np.asarray(Var(X))
    assert str(error.value) == "an array on the tape cannot become a plain one: use its functions, or .value"


def test_methods_and_operators_are_made_of_names():
    v = Var(X)
    method = recording._method("sum")
    assert method.__name__ == "sum"
    np.testing.assert_array_equal(method(v, 0, keepdims=True).value, X.sum(0, keepdims=True))
    np.testing.assert_array_equal(recording._operator("subtract")(v, 2.0).value, X - 2)
    np.testing.assert_array_equal(recording._operator("subtract", swapped=True)(v, 2.0).value, 2 - X)
    np.testing.assert_array_equal(recording._operator("negative")(v).value, -X)


def test_elements_of_plain_arrays_cannot_be_set():
    with pytest.raises((aa.DifferentiationError, ValueError)):
        X.copy()[0, 0] = Var(X)[0, 0]
    with pytest.raises(TypeError):
        Var(X)[0] = 1.0
    with pytest.raises(AttributeError):
        Var(X).grad = X


PLAIN = {
    "sign": lambda v: np.sign(v),
    "floor": lambda v: np.floor(v),
    "rint": lambda v: np.rint(v) + np.round(v) + np.ceil(v) + np.trunc(v),
    "argmax": lambda v: np.argmax(v, axis=0) + np.argmin(v, axis=0),
    "argsort": lambda v: np.argsort(v),
    "searchsorted": lambda v: np.searchsorted(np.array([0.8, 1.2]), v),
    "zeros_like": lambda v: np.zeros_like(v) + np.ones_like(v),
    "full_like": lambda v: np.full_like(v, 3.0),
    "comparisons": lambda v: (v > 1) | (v <= Y) ^ (v == 1) & (v != Y) | (1 < v) | (v >= 0.7) | (Y < v),
    "isfinite": lambda v: np.isfinite(v) & np.isclose(v, 1.0) & ~np.isnan(v),
    "truth": lambda v: bool(v[0, 0] > 0) and bool(v[0, 0]),
    "any": lambda v: np.any(v > 1) & np.all(v > 0),
    "size": lambda v: (v.size, np.size(v), v.ndim, np.ndim(v), v.shape, np.shape(v), len(v), v.dtype, v.device),
    "dtype": lambda v: np.result_type(v, np.float32),
    "integers": lambda v: namespace(v).asarray(v, dtype=np.int64),
}


@pytest.mark.parametrize("name", PLAIN)
def test_functions_that_change_in_steps_give_plain_arrays(name):
    result = PLAIN[name](Var(X))
    assert not isinstance(result, Var)
    np.testing.assert_equal(result, PLAIN[name](X))


def test_rules_and_constants_are_the_standards_names():
    names = {*RULES, *CONSTANT}
    assert not set(RULES) & CONSTANT
    assert not names & set(STANDARD)
    assert {new for new in STANDARD.values() if new != "concat"} <= names


def test_the_facade_is_the_library_with_a_record():
    xp = namespace(Var(X))
    assert namespace(Var(X), X) is namespace(X, Var(X)) is xp
    assert xp.float32 is np.float32
    assert xp.pi == math.pi
    assert isinstance(xp.zeros(3), np.ndarray)
    assert isinstance(xp.asarray(Var(X)), Var)
    assert Var(X).__array_namespace__() is xp
    assert repr(Var(np.zeros(1))) == "Var(array([0.]))"
    with pytest.raises(AttributeError, match="nothing"):
        _ = xp.nothing


def test_operators_with_plain_arrays_of_another_library():
    x = array_api_strict.asarray(X)
    gradient = aa.grad(lambda v: namespace(v).sum(v * x + 2 * v))(x)
    np.testing.assert_array_equal(np.asarray(gradient), X + 2)
    with pytest.raises(aa.BackendError, match="live in different places"):
        namespace(Var(x), Var(X))
    with pytest.raises(aa.DifferentiationError, match=r"array_api_strict has no add\.at: index with slices"):
        aa.grad(lambda v: namespace(v).sum(namespace(v).take(v, array_api_strict.asarray([0, 0]), axis=0)))(x)
