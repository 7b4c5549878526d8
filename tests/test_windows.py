"""Windows by name, by value and by function."""

import json

import numpy as np
import pytest
import scipy.signal

import arrayaudio as aa
from arrayaudio.windows import centred_window, freeze_window

# Each window with its other names.
WITHOUT_PARAMETERS = [
    *("barthann", "brthan", "bth"),
    *("bartlett", "bart", "brt"),
    *("blackman", "black", "blk"),
    *("blackmanharris", "blackharr", "bkh"),
    *("bohman", "bman", "bmn"),
    *("boxcar", "box", "ones", "rect", "rectangular"),
    *("cosine", "halfcosine"),
    *("exponential", "poisson"),
    *("flattop", "flat", "flt"),
    *("hamming", "hamm", "ham"),
    *("hann", "han"),
    *("lanczos", "sinc"),
    *("nuttall", "nutl", "nut"),
    *("parzen", "parz", "par"),
    *("taylor", "taylorwin"),
    *("triangle", "triang", "tri"),
    *("tukey", "tuk"),
]

WITH_PARAMETERS = [
    ("chebwin", 60),
    ("cheb", 100.0),
    ("dpss", 2.5),
    ("exponential", None, 3.0),
    ("poisson", None, 10),
    ("gaussian", 50),
    ("gauss", 3.5),
    ("gss", 7),
    ("general_cosine", (0.5, 0.3, 0.2)),
    ("general cosine", [0.5, 0.3, 0.2]),
    ("general_cosine", np.array([0.5, 0.3, 0.2])),
    ("general_gaussian", 1.5, 4.0),
    ("general gaussian", 1, 8),
    ("general_gauss", 2.0, 5.0),
    ("ggs", 2.0, 5.0),
    ("general_hamming", 0.6),
    ("general hamming", 0.75),
    ("kaiser", 8.0),
    ("ksr", 14),
    ("taylor", 5, 40),
    ("taylorwin", 4, 30, False),
    ("tukey", 0.25),
    ("tuk", 0.9),
]

lengths = pytest.mark.parametrize("length", [1, 2, 25, 64])


@lengths
@pytest.mark.parametrize("window", WITHOUT_PARAMETERS)
def test_every_name_gives_scipys_periodic_window(window, length):
    values = aa.get_window(window, length)
    np.testing.assert_allclose(values, scipy.signal.get_window(window, length, fftbins=True), rtol=0, atol=1e-15)
    assert values.dtype == np.float64


@pytest.mark.parametrize("length", [25, 64])
@pytest.mark.parametrize("window", WITH_PARAMETERS, ids=str)
def test_every_tuple_gives_scipys_periodic_window(window, length):
    expected = scipy.signal.get_window(window, length, fftbins=True)
    np.testing.assert_array_equal(aa.get_window(window, length), expected)


def test_the_tables_above_hold_every_window_of_scipy():
    without_periodic_form = {"kaiser_bessel_derived"}
    listed = {*WITHOUT_PARAMETERS, *(window[0] for window in WITH_PARAMETERS)}
    assert {*scipy.signal.windows.__all__} - {"get_window"} - without_periodic_form <= listed


def test_a_list_is_as_good_as_a_tuple():
    np.testing.assert_array_equal(aa.get_window(["kaiser", 8.0], 16), aa.get_window(("kaiser", 8.0), 16))


def test_hann_is_its_formula():
    n = np.arange(10)
    np.testing.assert_allclose(aa.get_window("hann", 10), 0.5 - 0.5 * np.cos(2 * np.pi * n / 10), rtol=0, atol=1e-15)


def test_results_are_the_callers_to_change():
    for window in ("hann", ("kaiser", 8.0), np.ones(8), np.hanning):
        first = aa.get_window(window, 8)
        expected = first.copy()
        first[:] = 7
        np.testing.assert_array_equal(aa.get_window(window, 8), expected)


def test_arrays_of_any_library_are_taken_as_they_are(library, dtype):
    values = np.array([0.25, -1.0, 0.0, 3.0], dtype)
    x = library.asarray(values)
    window = aa.get_window(x, 4)
    assert isinstance(window, np.ndarray)
    assert window.dtype == np.float64
    np.testing.assert_array_equal(window, values)
    np.testing.assert_array_equal(library.to_numpy(x), values)


@pytest.mark.parametrize("values", [[1, 2, 3], (0.5, 1.0, 0.5), np.array([1, 2, 3], np.int16)], ids=str)
def test_lists_tuples_and_whole_numbers_are_taken_too(values):
    np.testing.assert_array_equal(aa.get_window(values, 3), np.array(values, np.float64))


def test_functions_are_called_with_the_length():
    np.testing.assert_array_equal(aa.get_window(np.hamming, 9), np.hamming(9))
    np.testing.assert_array_equal(aa.get_window(lambda n: [n] * n, 3), [3.0, 3.0, 3.0])


@pytest.mark.parametrize(
    "window",
    ["hann", ("kaiser", 8.0), ["kaiser", 8.0], ("general_cosine", (0.5, 0.5)), np.hanning, np.arange(8.0)],
    ids=["name", "tuple", "list", "nested", "function", "array"],
)
def test_frozen_windows_hash_compare_by_value_and_survive_json(window):
    frozen = freeze_window(window, 8)
    assert hash(frozen) == hash(freeze_window(window, 8))
    assert frozen == freeze_window(window, 8)
    restored = freeze_window(json.loads(json.dumps(frozen)), 8)
    assert restored == frozen
    np.testing.assert_array_equal(aa.get_window(frozen, 8), aa.get_window(window, 8))


def test_frozen_windows_tell_different_values_apart():
    assert freeze_window([1.0, 2.0], 2) != freeze_window([1.0, 3.0], 2)
    assert freeze_window(("kaiser", 8.0), 2) != freeze_window(("kaiser", 9.0), 2)


@pytest.mark.parametrize(("length", "frame_length", "left"), [(4, 8, 2), (3, 8, 2), (4, 7, 1), (5, 5, 0)])
def test_short_windows_lie_in_the_middle_of_the_frame(length, frame_length, left):
    window = centred_window("hamming", length, frame_length)
    assert window.shape == (frame_length,)
    np.testing.assert_array_equal(window[left : left + length], aa.get_window("hamming", length))
    assert not window[:left].any()
    assert not window[left + length :].any()


@pytest.mark.parametrize(
    "window", ["hanning", "", "kaiser", ("kaiser",), ("hann", 3), ("kaiser", "a"), ("tukey", 1, 2)], ids=str
)
def test_what_scipy_does_not_know_is_refused_by_name(window):
    with pytest.raises(aa.ParameterError) as caught:
        aa.get_window(window, 16)
    message = str(caught.value)
    assert message.startswith(f"window={window!r}: ")
    assert "must be a name or a (name, parameter) tuple of scipy.signal.get_window" in message


@pytest.mark.parametrize(
    ("window", "found"),
    [
        (np.ones(7), r"dtype float64 and shape \(7,\)"),
        (np.ones((8, 1), np.float32), r"dtype float32 and shape \(8, 1\)"),
        (np.hanning(9).tolist(), r"dtype float64 and shape \(9,\)"),
        (np.ones(8, complex), r"dtype complex128 and shape \(8,\)"),
        (np.ones(8, bool), r"dtype bool and shape \(8,\)"),
        (lambda n: np.ones(n + 1), r"dtype float64 and shape \(9,\)"),
        (8.0, r"dtype float64 and shape \(\)"),
        (None, r"dtype object and shape \(\)"),
        ((), r"dtype float64 and shape \(0,\)"),
    ],
    ids=["short", "2-D", "long", "complex", "bool", "function", "number", "None", "empty"],
)
def test_values_must_be_real_and_as_many_as_asked_for(window, found):
    with pytest.raises(aa.ParameterError, match=rf"window of {found}: must be real, with shape \(8,\)"):
        aa.get_window(window, 8)


@pytest.mark.parametrize(
    "window",
    [[1.0, np.nan], [np.inf, 1.0], [0.0, 0.0], np.zeros, ("kaiser", np.nan), ("general_cosine", (0.0,))],
    ids=["nan", "inf", "zeros", "function", "named-nan", "named-zeros"],
)
def test_windows_must_be_finite_and_not_zero_everywhere(window):
    with pytest.raises(aa.ParameterError, match=r"window.*: must be finite, and not zero everywhere"):
        aa.get_window(window, 2)


@pytest.mark.parametrize("length", [0, -1, 4.0])
def test_the_length_must_be_a_positive_whole_number(length):
    with pytest.raises(aa.ParameterError, match=rf"length={length}: must be (at least 1|a whole number)"):
        aa.get_window("hann", length)
