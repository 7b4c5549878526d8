"""vjp, grad and value_and_grad: structures, conventions, refusals, memory, and threads."""

import gc
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.autodiff.namespace import Var

from .tolerances import assert_same_spectrum

Pair = namedtuple("Pair", "left right")


def squares(tree):
    return sum(np.sum(np.abs(x) ** 2) for x in tree)


# conventions


def test_vjp_gives_the_value_and_the_pullback():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    value, pullback = aa.vjp(lambda x, y: x * y, x, y)
    np.testing.assert_array_equal(value, [3, 8])
    assert type(value) is np.ndarray
    gradients = pullback(np.array([1.0, 10.0]))
    assert type(gradients) is tuple
    np.testing.assert_array_equal(gradients, [[3, 40], [1, 20]])


def test_gradients_of_complex_arguments_are_those_of_both_parts():
    z = np.array([3 + 4j, -1j])
    np.testing.assert_allclose(aa.grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * z)
    np.testing.assert_allclose(aa.grad(lambda z: np.sum(z.real**2 + z.imag**2))(z), 2 * z)
    np.testing.assert_array_equal(aa.grad(lambda z: np.sum(z.real - 2 * z.imag))(z), [1 - 2j] * 2)
    weights = np.array([1j, 2 - 1j])
    u = np.array([1.0 + 1j, 3j])
    np.testing.assert_array_equal(aa.vjp(lambda z: weights * z, z)[1](u)[0], weights.conj() * u)


def test_a_step_against_the_gradient_descends():
    z = np.array([3 + 4j, 1 - 2j])

    def loss(z):
        return np.sum(np.abs(np.exp(z * 0.1j) - 1) ** 2)

    value, gradient = aa.value_and_grad(loss)(z)
    assert loss(z - 1e-3 * gradient) < value - 0.99e-3 * np.sum(np.abs(gradient) ** 2)


def test_gradients_have_the_shape_and_dtype_of_their_argument(dtype, library):
    kinds = {"float32": "complex64", "float64": "complex128"}
    for shape in [(), (3,), (2, 3)]:
        for kind in (dtype, kinds[dtype]):
            x = library.asarray(np.ones(shape, kind))
            _, pullback = aa.vjp(lambda x: abs(x) * 1.5, x)
            (gradient,) = pullback(library.asarray(np.ones(shape, dtype)))
            assert gradient.shape == shape
            assert gradient.dtype == x.dtype
            np.testing.assert_allclose(aa.to_numpy(gradient), 1.5)


def test_gradients_keep_single_precision_where_the_function_does_not():
    x = np.ones(3, np.float32)
    gradient = aa.grad(lambda x: np.sum(x * np.arange(3.0)))(x)
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, [0, 1, 2])


def test_unused_arguments_get_zeros():
    x, unused = np.ones(2), {"w": np.ones((2, 1), np.complex64)}
    for gradients in (
        aa.grad(lambda x, _: np.sum(x), argnums=(0, 1))(x, unused),
        aa.vjp(lambda x, _: (x, np.ones(3)), x, unused)[1]((np.ones(2), np.ones(3))),
    ):
        np.testing.assert_array_equal(gradients[0], [1, 1])
        np.testing.assert_array_equal(gradients[1]["w"], [[0], [0]])
        assert gradients[1]["w"].dtype == np.complex64
    assert aa.grad(lambda x: 3.0)(x).tolist() == [0, 0]


def test_values_need_not_depend_on_anything():
    value, pullback = aa.vjp(lambda x: {"one": 1, "sign": np.sign(x), "x": x}, np.array([2.0]))
    assert value["one"] == 1
    assert pullback({"one": 5, "sign": np.ones(1), "x": np.ones(1)})[0].tolist() == [1]


# structures


def test_structures_come_back_as_they_were():
    tree = {
        "b": [np.ones(2), (np.full(1, 2.0), None)],
        "a": Pair(np.array(3.0), {"deep": np.ones((1, 2), np.float32)}),
        "none": None,
        "number": 2.0,
        "empty": {},
    }

    def loss(tree):
        assert isinstance(tree["a"], Pair)
        assert tree["none"] is None
        first, (second, nothing) = tree["b"]
        assert nothing is None
        return (
            np.sum(first) + np.sum(second**2) + tree["a"].left ** 2 + np.sum(tree["a"].right["deep"]) * tree["number"]
        )

    value, gradient = aa.value_and_grad(loss)(tree)
    assert value == 2 + 4 + 9 + 4
    assert list(gradient) == list(tree)
    assert gradient["b"][0].tolist() == [1, 1]
    assert type(gradient["b"][1]) is tuple
    assert gradient["b"][1][0].tolist() == [4]
    assert gradient["b"][1][1] is None
    assert isinstance(gradient["a"], Pair)
    assert gradient["a"].left == 6
    assert gradient["a"].right["deep"].tolist() == [[2, 2]]
    assert gradient["a"].right["deep"].dtype == np.float32
    assert gradient["number"] == 2
    assert gradient["none"] is None
    assert gradient["empty"] == {}


def test_values_may_be_structures():
    value, pullback = aa.vjp(lambda x: {"twice": 2 * x, "both": Pair(x, [x * x, None])}, np.array([3.0]))
    assert value["twice"].tolist() == [6]
    assert value["both"] == Pair(np.array([3.0]), [np.array([9.0]), None])
    gradient = {"twice": np.array([1.0]), "both": Pair(np.array([10.0]), [np.array([100.0]), None])}
    assert pullback(gradient)[0].tolist() == [2 + 10 + 600]


def test_argnums_and_auxiliary_values():
    def loss(x, y, *, scale=1.0):
        return np.sum(x * y**2) * scale, {"seen": x + y, "note": "text"}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (value, aux), gradient = aa.value_and_grad(loss, argnums=1, has_aux=True)(x, y, scale=2.0)
    assert value == 2 * (9 + 32)
    assert gradient.tolist() == [12, 32]
    assert aux["note"] == "text"
    assert type(aux["seen"]) is np.ndarray
    assert aux["seen"].tolist() == [4, 6]
    _, (by_y, by_x) = aa.value_and_grad(loss, argnums=(-1, 0), has_aux=True)(x, y)
    assert by_y.tolist() == [6, 16]
    assert by_x.tolist() == [9, 16]
    assert aa.grad(lambda x, y: np.sum(x * y), argnums=1)(x, y).tolist() == [1, 2]
    assert aa.grad(lambda x, y, *, scale: scale * np.sum(x * y), argnums=-2)(x, y, scale=2.0).tolist() == [6, 8]


def test_other_arguments_pass_as_they_are():
    def loss(x, mode, count):
        assert mode == "text"
        assert type(count) is int
        return np.sum(x) * count

    assert aa.grad(loss)(np.ones(1), "text", 3).tolist() == [3]


# refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aa.grad(np.sum)(np.array([1, 2])), r"dtype int64: gradients need floating point; convert"),
        (lambda: aa.grad(np.sum)(np.array([True])), "dtype bool: gradients need"),
        (lambda: aa.grad(lambda t: t["x"])({"x": 3}), "dtype int64"),
        (lambda: aa.grad(lambda x: x)(np.ones(2)), r"value of shape \(2,\), dtype float64: must be one real number"),
        (lambda: aa.grad(np.sum)(np.ones(2) * 1j), r"shape \(\), dtype complex128: must be one real"),
        (lambda: aa.grad(lambda x: 3)(np.ones(2)), "dtype int64: must be one real number, such as a mean"),
        (lambda: aa.grad(np.sum, argnums=1)(np.ones(2)), "argnums=1: must name arguments given by position, here 1"),
        (lambda: aa.grad(np.sum)(x=np.ones(2)), "argnums=0: must name arguments given by position, here 0"),
        (lambda: aa.vjp(abs, np.ones(2))[1](np.ones(3)), r"gradient of shape \(3,\): must be \(2,\), as the value is"),
        (lambda: aa.vjp(abs, np.ones(2))[1]([np.ones(2)] * 2), "2 gradients: must be one for each of 1 arrays"),
        (
            lambda: aa.value_and_grad(np.sum, has_aux=True)(np.ones(2)),
            "^has_aux=True: the function must return a pair of loss and anything else$",
        ),
    ],
)
def test_what_has_no_gradient_is_refused(call, message):
    with pytest.raises(aa.DifferentiationError, match=message):
        call()


# memory, order, threads


@pytest.mark.parametrize(
    ("step", "count"), [(lambda v: v + 1e-6, 100_000), (lambda v: np.concatenate([v[1:], v[:1] * 0.5]), 5_000)]
)
def test_deep_graphs_need_no_deep_stack(step, count):
    def deep(v):
        for _ in range(count):
            v = step(v)
        return v

    result, pullback = aa.vjp(deep, np.ones(2))
    assert np.all(np.isfinite(pullback(result)[0]))
    del pullback


def test_dropping_the_pullback_frees_what_it_held():
    held = []

    def function(x):
        parts = [np.exp(x), np.concatenate([x, x]), np.fft.rfft(x), np.einsum("i,j->ij", x, x)]
        held.extend(weakref.ref(part.value) for part in parts)
        return sum(np.sum(abs(part)) for part in parts)

    gc.disable()
    try:
        value, pullback = aa.vjp(function, np.ones(4))
        pullback(np.ones(()))
        assert sum(ref() is not None for ref in held) == 4
        del pullback
        assert [ref() for ref in held] == [None] * 4
        held.clear()
        aa.value_and_grad(function)(np.ones(4))
        assert [ref() for ref in held] == [None] * 4
    finally:
        gc.enable()
    assert value > 0


def test_pullbacks_do_not_depend_on_each_other():
    x = np.random.default_rng(0).standard_normal(50)
    u, w = np.random.default_rng(1).standard_normal((2, 26))
    first, pull_first = aa.vjp(lambda x: np.abs(np.fft.rfft(x)), x)
    _, pull_second = aa.vjp(lambda x: np.abs(np.fft.rfft(x * x)), x)
    expected = pull_first(u)[0].copy(), pull_second(u)[0].copy()
    shuffled = pull_second(u)[0], pull_first(w)[0], pull_first(u)[0], pull_second(u)[0]
    np.testing.assert_array_equal(shuffled[2], expected[0])
    np.testing.assert_array_equal(shuffled[0], expected[1])
    np.testing.assert_array_equal(shuffled[3], expected[1])
    np.testing.assert_array_equal(first, np.abs(np.fft.rfft(x)))
    assert_same_spectrum(pull_first(2 * u - w)[0], 2 * expected[0] - shuffled[1])


def test_arguments_and_gradients_are_left_as_they_are():
    x, u = np.random.default_rng(0).standard_normal((2, 8))
    kept = x.copy(), u.copy()
    for array in (x, u):
        array.setflags(write=False)
    _, pullback = aa.vjp(lambda x: x[::-1] * x + np.sort(x) - x[[0] * 8], x)
    pullback(u)
    np.testing.assert_array_equal((x, u), kept)


def test_threads_have_tapes_of_their_own():
    signals = np.random.default_rng(0).standard_normal((8, 600))

    def loss(y):
        return np.mean(aa.melspectrogram(y, sr=8000, n_fft=64, n_mels=10, scale="db") ** 2)

    expected = [aa.grad(loss)(y) for y in signals]
    found = [None] * 8

    def work(k):
        for _ in range(5):
            found[k] = aa.grad(loss)(signals[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found, expected)


def test_nothing_on_the_tape_leaves_the_function():
    value, pullback = aa.vjp(lambda x: [x, (x * 2, {"a": x})], np.ones(2))
    assert not any(isinstance(part, Var) for part in (value[0], value[1][0], value[1][1]["a"]))
    assert type(pullback(value)[0]) is np.ndarray
