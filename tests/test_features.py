"""Deltas against the loops, librosa and SciPy's Savitzky-Golay filter."""

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa

from . import naive
from .tolerances import SPECTRUM, assert_same_spectrum

MODES = ["interp", "nearest", "mirror", "constant", "wrap"]
modes = pytest.mark.parametrize("mode", MODES)


def savgol(x, width, order, axis=-1, mode="interp"):
    return scipy.signal.savgol_filter(x.astype(np.float64), width, order, deriv=order, axis=axis, mode=mode)


@pytest.mark.parametrize(("width", "order"), [(3, 1), (9, 1), (9, 2), (5, 3), (11, 4)])
def test_deltas_are_those_of_the_loops(width, order, library, dtype, rng):
    data = rng.standard_normal((2, 3, 17)).astype(dtype)
    x = library.asarray(data)
    result = library.to_numpy(aa.delta(x, width=width, order=order))
    expected = [[naive.delta(row, width, order) for row in item] for item in data.astype(np.float64)]
    assert result.dtype == dtype
    assert_same_spectrum(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(x), data)


@modes
@pytest.mark.parametrize(("width", "order"), [(3, 1), (9, 1), (9, 2), (15, 3)])
def test_deltas_are_scipys_in_every_mode(mode, width, order, library, dtype, rng):
    data = rng.standard_normal((3, 20)).astype(dtype)
    x = library.asarray(data)
    result = library.to_numpy(aa.delta(x, width=width, order=order, mode=mode))
    assert result.dtype == dtype
    assert_same_spectrum(result, savgol(data, width, order, mode=mode), dtype)
    np.testing.assert_array_equal(library.to_numpy(x), data)


@modes
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_any_axis_can_be_time(mode, axis, library, dtype, rng):
    data = rng.standard_normal((10, 11, 12)).astype(dtype)
    result = library.to_numpy(aa.delta(library.asarray(data), width=5, axis=axis, mode=mode))
    assert_same_spectrum(result, savgol(data, 5, 1, axis=axis, mode=mode), dtype)


@modes
@pytest.mark.parametrize("order", [1, 2])
def test_deltas_are_librosas(mode, order, rng):
    data = rng.standard_normal((13, 40))
    assert_same_spectrum(
        aa.delta(data, order=order, mode=mode), librosa.feature.delta(data, order=order, mode=mode), "float64"
    )


def test_defaults_are_librosas(rng):
    data = rng.standard_normal((4, 30))
    assert_same_spectrum(aa.delta(data), librosa.feature.delta(data))


@pytest.mark.parametrize(
    ("mode", "frames"), [("interp", 9), ("mirror", 5), ("nearest", 1), ("constant", 1), ("wrap", 1), ("wrap", 3)]
)
def test_the_shortest_data_of_each_mode_are_enough(mode, frames, rng):
    data = rng.standard_normal((2, frames)) + 1
    expected = savgol(data, 9, 1, mode=mode)
    result = aa.delta(data, mode=mode)
    assert result.shape == data.shape
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-14)


@modes
def test_each_row_is_on_its_own(mode, rng):
    data = rng.standard_normal((2, 3, 20))
    together = aa.delta(data, mode=mode)
    alone = np.stack([[aa.delta(row, mode=mode) for row in item] for item in data])
    assert_same_spectrum(together, alone)


@given(
    coefficients=st.lists(st.integers(min_value=-9, max_value=9), min_size=2, max_size=5),
    half=st.integers(min_value=2, max_value=10),
    extra=st.integers(min_value=0, max_value=9),
)
def test_the_delta_of_a_polynomial_is_its_derivative(coefficients, half, extra):
    order, width = len(coefficients) - 1, 2 * half + 1
    t = np.arange(width + extra) - half
    x = np.polynomial.polynomial.polyval(t.astype(np.float64), coefficients)
    exact = np.polynomial.polynomial.polyder(coefficients, order)[0]
    error = np.abs(aa.delta(x, width=width, order=order) - exact).max()
    assert error <= SPECTRUM["float64"] * max(1.0, np.abs(x).max())


@given(level=st.floats(min_value=-1e3, max_value=1e3), order=st.integers(min_value=1, max_value=4))
def test_the_delta_of_a_constant_is_zero(level, order):
    result = aa.delta(np.full(20, level), order=order)
    np.testing.assert_allclose(result, 0, rtol=0, atol=1e-12 * max(1, abs(level)))


@pytest.mark.parametrize("width", [3, 5, 7, 9, 15])
def test_the_highest_order_is_the_finite_difference(width, rng):
    x = rng.standard_normal(40)
    order = width - 1
    result = aa.delta(x, width=width, order=order)
    assert_same_spectrum(result[width // 2 : -(width // 2)], np.diff(x, n=order))


def test_the_first_delta_of_width_three_is_the_central_difference(rng):
    x = rng.standard_normal(20)
    assert_same_spectrum(aa.delta(x, width=3)[1:-1], (x[2:] - x[:-2]) / 2)


def test_lists_and_half_precision_are_taken():
    assert aa.delta([0, 2, 4, 6], width=3).dtype == np.float64
    assert aa.delta(np.arange(10, dtype=np.float16)).dtype == np.float32


X = np.zeros((3, 20))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (X, {"width": 8}, "width=8, order=1: width must be odd and greater than order"),
        (X, {"width": 9, "order": 9}, "width=9, order=9: width must be odd and greater than order"),
        (X, {"width": 1}, "width=1: must be at least 3"),
        (X, {"width": -3}, "width=-3: must be at least 3"),
        (X, {"width": 9.0}, "width=9.0: must be a whole number"),
        (X, {"order": 0}, "order=0: must be at least 1"),
        (X, {"order": 1.5}, "order=1.5: must be a whole number"),
        (X, {"mode": "reflect"}, "mode='reflect': must be one of 'interp', 'constant', 'mirror', 'nearest', 'wrap'"),
        (X, {"mode": None}, "mode=None: must be one of"),
        (X, {"width": 21}, "data has 20 frames along axis -1: must have at least 21 for width=21"),
        (X, {"axis": 0}, "data has 3 frames along axis 0: must have at least 9 for width=9"),
        (X[:, :4], {"mode": "mirror"}, "data has 4 frames along axis -1: must have at least 5 for width=9"),
        (X[:, :0], {"mode": "nearest"}, "data has 0 frames along axis -1: must have at least 1"),
        (np.float64(1.0), {}, r"data is a single number: must have shape"),
    ],
)
def test_bad_parameters_are_named_with_their_rule(data, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.delta(data, **options)


@pytest.mark.parametrize(("dtype", "remedy"), [("int16", "aa.pcm_to_float"), ("complex128", "magnitude")])
def test_data_that_are_no_floats_are_refused(dtype, remedy):
    with pytest.raises(aa.DTypeError, match=rf"data has dtype {dtype}: must be float32 or float64; .*{remedy}"):
        aa.delta(np.ones((3, 20), dtype))
