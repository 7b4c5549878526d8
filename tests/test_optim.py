"""Optimisers against PyTorch's, over nested structures, on every library."""

import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio.arrays import dtype_name, namespace
from arrayaudio.autodiff.trees import leaves

from .tolerances import assert_same_spectrum

OPTIMISERS = [
    (aa.optim.SGD(0.005), lambda p: torch.optim.SGD(p, lr=0.005)),
    (aa.optim.SGD(0.005, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.9)),
    (aa.optim.SGD(0.005, 0.7, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.7, nesterov=True)),
    (aa.optim.Adam(), torch.optim.Adam),
    (
        aa.optim.Adam(0.05, b1=0.8, b2=0.95, eps=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
    ),
    (aa.optim.AdamW(), torch.optim.AdamW),
    (aa.optim.AdamW(0.05, weight_decay=0.3), lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.3)),
]
ALL = [ours for ours, _ in OPTIMISERS]


def start(rng, convert=np.asarray):
    return {"w": convert(rng.standard_normal((3, 4))), "more": [(convert(rng.standard_normal(5)), None)]}


def loss(params):
    """A valley that bends, over all parameters."""
    w, b = params["w"], params["more"][0][0]
    xp = namespace(w)
    return xp.sum((1 - w) ** 2) + 3 * xp.sum((w[0, :] ** 2 - w[1, :]) ** 2) + xp.sum(b**4)


def descended(optimiser, params, count, function=loss):
    state = optimiser.init(params)
    for _ in range(count):
        _, gradients = aa.value_and_grad(function)(params)
        params, state = optimiser.update(gradients, state, params)
    return params


@pytest.mark.parametrize(("ours", "theirs"), OPTIMISERS, ids=lambda x: str(x) if x in ALL else "")
def test_twenty_steps_are_those_of_pytorch(ours, theirs, rng):
    params = start(rng)
    w, b = (torch.tensor(x, requires_grad=True) for x in (params["w"], params["more"][0][0]))
    optimiser = theirs([w, b])
    for _ in range(20):
        optimiser.zero_grad()
        (torch.sum((1 - w) ** 2) + 3 * torch.sum((w[0] ** 2 - w[1]) ** 2) + torch.sum(b**4)).backward()
        optimiser.step()
    found = descended(ours, params, 20)
    assert_same_spectrum(found["w"], w.detach().numpy())
    assert_same_spectrum(found["more"][0][0], b.detach().numpy())
    assert found["more"][0][1] is None


@pytest.mark.parametrize("optimiser", ALL, ids=str)
def test_libraries_and_dtypes_are_kept(optimiser, library, dtype, rng):
    params = start(rng, lambda x: library.asarray(x.astype(dtype)))
    double = start(np.random.default_rng(20260501), lambda x: x.astype(dtype).astype(np.float64))
    before = [aa.to_numpy(x).copy() for x in leaves(params)]
    found, expected = descended(optimiser, params, 3), descended(optimiser, double, 3)
    state = optimiser.init(params)
    assert all(dtype_name(x) == dtype for x in leaves(list(state)) if hasattr(x, "dtype"))
    for ours, theirs in zip(leaves(found), leaves(expected), strict=True):
        assert dtype_name(ours) == dtype
        assert_same_spectrum(library.to_numpy(ours), theirs, dtype)
    for x, old in zip(leaves(params), before, strict=True):
        np.testing.assert_array_equal(aa.to_numpy(x), old)


@pytest.mark.parametrize("optimiser", ALL, ids=str)
def test_updates_are_pure(optimiser, rng):
    params, gradients = start(rng), start(rng)
    state = optimiser.init(params)
    _, state = optimiser.update(gradients, state, params)
    for array in (*leaves(params), *leaves(gradients), *(x for x in leaves(list(state)) if hasattr(x, "setflags"))):
        array.setflags(write=False)
    first, second = (optimiser.update(gradients, state, params) for _ in range(2))
    for a, b in zip(leaves(list(first)), leaves(list(second)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("optimiser", "count"),
    [(aa.optim.SGD(0.1), 100), (aa.optim.SGD(0.1, 0.5, True), 100), (aa.optim.Adam(0.3), 500)],
    ids=str,
)
@pytest.mark.parametrize("target", [np.array([3.0, -2.0]), np.array([3 - 1j, -2j])], ids=["real", "complex"])
def test_quadratics_are_solved(optimiser, count, target):
    found = descended(optimiser, np.zeros_like(target), count, lambda p: np.sum(np.abs(p - target) ** 2))
    assert found.dtype == target.dtype
    np.testing.assert_allclose(found, target, atol=1e-6)


def test_second_moments_of_complex_parameters_are_of_the_modulus():
    """So a turn of all phases turns the steps."""
    target, turn = np.array([3 - 1j, 1e-3 + 2j]), np.exp(0.7j)
    adam = aa.optim.Adam(0.1)

    def distance(p, target):
        return np.sum(np.abs(p - target) ** 4)

    straight = descended(adam, np.zeros(2, complex), 7, lambda p: distance(p, target))
    turned = descended(adam, np.zeros(2, complex), 7, lambda p: distance(p, turn * target))
    assert_same_spectrum(turned, turn * straight)
    assert adam.init(straight).square.dtype == np.float64


def test_numbers_are_parameters_too():
    found = descended(aa.optim.Adam(0.1), {"gain": 2.0}, 200, lambda p: (p["gain"] - 1) ** 2)
    assert found["gain"] == pytest.approx(1, abs=1e-3)


def test_gradients_of_another_precision_do_not_spread():
    p, g = np.ones(3, np.float32), np.ones(3)
    for optimiser in ALL:
        new, state = optimiser.update(g, optimiser.init(p), p)
        assert new.dtype == np.float32
        assert all(x.dtype == np.float32 for x in leaves(list(state)) if hasattr(x, "dtype"))


# clipping


def test_gradients_are_clipped_together(library, dtype, rng):
    tree = start(rng, lambda x: library.asarray(x.astype(dtype)))
    values = np.concatenate([aa.to_numpy(x).ravel() for x in leaves(tree)])
    norm = np.linalg.norm(values.astype(np.float64))
    for limit in (0.1, 2.0, 1e9):
        found = aa.optim.clip_by_norm(tree, limit)
        assert all(dtype_name(x) == dtype for x in leaves(found))
        clipped = np.concatenate([library.to_numpy(x).ravel() for x in leaves(found)])
        assert_same_spectrum(clipped, values.astype(np.float64) * min(1, limit / norm), dtype)


def test_clipping_takes_any_size(dtype):
    large = float(np.finfo(dtype).max) / 4
    np.testing.assert_allclose(aa.optim.clip_by_norm([np.full(4, large, dtype)], 1.0), [[0.5] * 4], rtol=1e-6)
    small = np.array([float(np.finfo(dtype).tiny)] * 2, dtype)
    np.testing.assert_array_equal(aa.optim.clip_by_norm(small, 1.0), small)
    np.testing.assert_array_equal(aa.optim.clip_by_norm({"a": np.zeros(3, dtype), "b": None}, 1.0)["a"], np.zeros(3))
    assert aa.optim.clip_by_norm([np.zeros(0, dtype)], 1.0)[0].shape == (0,)
    assert aa.optim.clip_by_norm({}, 1.0) == {}


def test_clipping_keeps_the_phase():
    np.testing.assert_allclose(aa.optim.clip_by_norm((np.array([3 + 4j]), np.array(12.0)), 1.3)[0], [0.3 + 0.4j])


# errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aa.optim.SGD(-1), "learning_rate=-1: must be at least 0"),
        (lambda: aa.optim.SGD(0.1, momentum=1), "momentum=1: must be below 1"),
        (lambda: aa.optim.SGD(0.1, momentum=-0.1), "momentum=-0.1: must be at least 0"),
        (lambda: aa.optim.SGD(0.1, nesterov=True), "nesterov=True: needs a momentum greater than 0"),
        (lambda: aa.optim.SGD(0.1, 0.5, nesterov=1), "nesterov=1: must be one of True, False"),
        (lambda: aa.optim.Adam("fast"), "learning_rate='fast': must be a real number"),
        (lambda: aa.optim.Adam(b1=1.0), "b1=1.0: must be below 1"),
        (lambda: aa.optim.Adam(b2=float("nan")), "b2=nan: must be finite"),
        (lambda: aa.optim.Adam(eps=0), "eps=0: must be greater than 0"),
        (lambda: aa.optim.AdamW(weight_decay=-1), "weight_decay=-1: must be at least 0"),
        (lambda: aa.optim.AdamW(learning_rate=-1), "learning_rate=-1: must be at least 0"),
        (lambda: aa.optim.clip_by_norm(np.ones(2), 0), "max_norm=0: must be greater than 0"),
        (lambda: aa.optim.clip_by_norm(np.array([1, 2]), 1), "dtype int64: must be floating point or complex"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(aa.ParameterError, match=message):
        make()


@pytest.mark.parametrize("optimiser", ALL, ids=str)
def test_bad_parameters_are_refused(optimiser):
    p = {"w": np.ones(2)}
    state = optimiser.init(p)
    for gradients in ({"w": np.ones((2, 1))}, {"w": np.ones(2), "b": np.ones(1)}, {}):
        with pytest.raises(
            aa.ParameterError, match=r"gradients have shapes .*: must be \[\(2,\)\], as the parameters are"
        ):
            optimiser.update(gradients, state, p)
    with pytest.raises(aa.ParameterError, match="parameter of dtype int64: must be floating point or complex"):
        optimiser.update({"w": np.ones(2)}, state, {"w": np.array([1, 2])})
    with pytest.raises(aa.ParameterError, match="parameter of dtype int64"):
        aa.optim.Adam().init(np.array([1, 2]))


def test_optimisers_are_values():
    assert aa.optim.Adam() == aa.optim.Adam(1e-3)
    assert hash(aa.optim.SGD(0.1)) == hash(aa.optim.SGD(0.1))
    with pytest.raises(AttributeError):
        aa.optim.Adam().b1 = 0.5
