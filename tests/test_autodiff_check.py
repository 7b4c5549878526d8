"""check_grads: silent where pullbacks are right, loud where they are not, with both numbers."""

import re

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.arrays import namespace
from arrayaudio.autodiff import namespace as recording

X = np.random.default_rng(3).standard_normal((3, 4))
Z = X + 1j * X[::-1] ** 2


def both_numbers(message):
    return [float(n) for n in re.search(r"gives (\S+), central differences (\S+) ", message).groups()]


def test_right_gradients_pass(library):
    def function(tree, z):
        xp = namespace(z)
        return {"a": [xp.exp(tree["x"][0]) * z, None], "b": xp.sum(abs(z)), "n": xp.sign(tree["x"][0])}

    aa.check_grads(function, {"x": (library.asarray(X), None)}, library.asarray(Z))
    aa.check_grads(function, {"x": (library.asarray(np.float32(X)), None)}, library.asarray(Z.astype(np.complex64)))


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e6, 1e100])
def test_the_size_of_arguments_and_values_does_not_matter(scale):
    aa.check_grads(lambda x: np.sin(x / scale) * scale, X * scale)
    aa.check_grads(lambda x: np.sum(x * x), X * scale)
    with pytest.raises(aa.DifferentiationError):
        aa.check_grads(lambda x: x * np.where(x.value > 0, 1.0, 1.001) if hasattr(x, "value") else x, X * scale)


def test_zeros_scalars_and_empty_arrays_are_arguments_too():
    aa.check_grads(np.sin, np.zeros(3))
    aa.check_grads(lambda x, y: x * y, 2.0, np.float32(3))
    aa.check_grads(lambda x: np.sum(x) + 0 * x, np.zeros((0, 3)))
    aa.check_grads(lambda x: 3.0, X)
    aa.check_grads(lambda x: (np.argmax(x), x), X)


@pytest.mark.parametrize(
    ("name", "wrong", "function", "x"),
    [
        ("sin", lambda g, r, x: g * np.cos(x) * (1 + 1e-5), np.sin, X),
        ("exp", lambda g, r, x: g * r, np.exp, Z),
        ("conj", lambda g, r, x: g, np.conj, Z),
        ("fft.rfft", lambda g, r, x: np.fft.irfft(g, 4) * 4, np.fft.rfft, X),
        ("sum", lambda g, r, x: g + np.eye(3, 4) * 1e-3, np.sum, X),
        ("log", lambda g, r, x: g * np.nan, np.log, X**2),
    ],
)
def test_wrong_rules_are_found(name, wrong, function, x, monkeypatch):
    aa.check_grads(function, x)
    monkeypatch.setitem(recording.RULES, name, (wrong,))
    for seed in (0, 1):
        with pytest.raises(aa.DifferentiationError, match=rf"\(seed={seed}, direction \d\): a rule is wrong"):
            aa.check_grads(function, x, seed=seed)


def test_the_message_has_both_numbers(monkeypatch):
    monkeypatch.setitem(recording.RULES, "negative", (lambda g, r, x: -2 * g,))
    with pytest.raises(aa.DifferentiationError) as error:
        aa.check_grads(lambda x: -x, X)
    ours, differences = both_numbers(str(error.value))
    assert ours == pytest.approx(2 * differences, rel=1e-8)


def test_the_seed_chooses_the_directions(monkeypatch):
    monkeypatch.setitem(recording.RULES, "negative", (lambda g, r, x: -2 * g,))

    def message(**options):
        with pytest.raises(aa.DifferentiationError) as error:
            aa.check_grads(lambda x: -x, X, **options)
        return str(error.value)

    assert message() == message(seed=0)
    assert both_numbers(message(seed=0)) != both_numbers(message(seed=1))


def test_kinks_are_found_and_a_tolerance_or_another_step_can_pass_them():
    x = np.array([1e-7, 1.0])
    with pytest.raises(aa.DifferentiationError, match="or the point lies at a kink"):
        aa.check_grads(np.abs, x)
    aa.check_grads(np.abs, x, tolerance=3.0)
    aa.check_grads(np.abs, x, step=1e-9)


def test_large_steps_reach_further_than_the_rounding():
    with pytest.raises(aa.DifferentiationError):
        aa.check_grads(np.exp, X, step=0.5)
    aa.check_grads(np.exp, X, step=1e-3, tolerance=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"step": 0}, aa.ParameterError, "step=0: must be greater than 0"),
        ({"tolerance": -1}, aa.ParameterError, "tolerance=-1: must be greater than 0"),
        ({"step": "x"}, aa.ParameterError, "step='x': must be a real number"),
    ],
)
def test_bad_settings_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        aa.check_grads(np.sin, X, **options)


def test_integers_are_refused():
    with pytest.raises(aa.DifferentiationError, match="dtype int64: gradients need floating point"):
        aa.check_grads(lambda x: x * 2.0, np.array([1, 2]))
