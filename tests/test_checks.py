"""The rules for parameters."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.checks import LARGEST_LENGTH, frequency_range, one_of, real, whole


@given(st.integers(min_value=1, max_value=LARGEST_LENGTH))
def test_whole_numbers_in_range_pass_as_they_are(value):
    assert whole("n", value) == value


@pytest.mark.parametrize("value", [7, np.int16(7), np.uint8(7), np.array(7)], ids=repr)
def test_whole_numbers_of_any_type_become_int(value):
    result = whole("n", value)
    assert result == 7
    assert type(result) is int


@pytest.mark.parametrize("value", [2.0, "2", None, 2.5, [2], np.float32(2), np.array([2, 3]), 2j], ids=repr)
def test_other_types_are_no_whole_numbers(value):
    with pytest.raises(aa.ParameterError) as caught:
        whole("hop_length", value, least=2)
    assert str(caught.value) == f"hop_length={value!r}: must be a whole number, such as 2"


@pytest.mark.parametrize("value", [True, False, np.True_], ids=repr)
def test_truth_is_no_whole_number(value):
    with pytest.raises(aa.ParameterError, match=r"n=.*(True|False).*: must be"):
        whole("n", value, least=0)


@pytest.mark.parametrize(("least", "most"), [(1, LARGEST_LENGTH), (0, 3), (-2, 2)])
def test_whole_numbers_have_inclusive_bounds(least, most):
    assert whole("n", least, least=least, most=most) == least
    assert whole("n", most, least=least, most=most) == most
    for value in (least - 1, most + 1):
        with pytest.raises(aa.ParameterError) as caught:
            whole("n", value, least=least, most=most)
        assert str(caught.value) == f"n={value}: must be at least {least} and at most {most}"


def test_slips_of_the_keyboard_are_refused_by_default():
    with pytest.raises(aa.ParameterError, match="n=0: must be at least 1"):
        whole("n", 0)
    with pytest.raises(aa.ParameterError, match="at most 16777216"):
        whole("n", 2**24 + 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_floats_pass_as_they_are(value):
    assert real("x", value) == value


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), np.array(2.0), Fraction(2), Decimal(2)], ids=repr)
def test_real_numbers_of_any_type_become_float(value):
    result = real("x", value)
    assert result == 2.0
    assert type(result) is float


@pytest.mark.parametrize(
    "value", [None, "high", "8000", b"8", [1.0], 1j, np.ones(2), 10**400], ids=lambda v: repr(v)[:9]
)
def test_other_types_are_no_real_numbers(value):
    with pytest.raises(aa.ParameterError) as caught:
        real("sr", value)
    assert str(caught.value) == f"sr={value!r}: must be a real number"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.float32("nan")], ids=repr)
def test_real_numbers_must_be_finite(value):
    with pytest.raises(aa.ParameterError) as caught:
        real("sr", value)
    assert str(caught.value) == f"sr={value!r}: must be finite"


@given(bound=st.floats(min_value=-1e6, max_value=1e6), step=st.floats(min_value=1e-3, max_value=1e6))
def test_the_bound_itself_is_out_with_above_and_in_with_least(bound, step):
    assert real("x", bound, least=bound) == bound
    assert real("x", bound + step, above=bound) == bound + step
    with pytest.raises(aa.ParameterError, match=r"must be greater than"):
        real("x", bound, above=bound)
    with pytest.raises(aa.ParameterError, match=r"must be at least"):
        real("x", bound - step, least=bound)


def test_the_message_of_a_bound_names_it():
    with pytest.raises(aa.ParameterError) as caught:
        real("amin", -0.5, above=0)
    assert str(caught.value) == "amin=-0.5: must be greater than 0"
    with pytest.raises(aa.ParameterError) as caught:
        real("beta", -0.5, least=0)
    assert str(caught.value) == "beta=-0.5: must be at least 0"


def test_choices_pass_as_they_are():
    for choice in ("htk", None, 2, True):
        assert one_of("x", choice, ("htk", None, 2, True)) is choice
    assert one_of("x", "".join(["h", "tk"]), ("htk",)) == "htk"
    assert one_of("mode", "wrap", {"wrap": "w"}) == "wrap"


@pytest.mark.parametrize("value", ["HTK", "", None, 0, 1.0, True, ["htk"], np.ones(2)], ids=repr)
def test_other_choices_are_refused_with_the_list(value):
    with pytest.raises(aa.ParameterError) as caught:
        one_of("mel_scale", value, ("slaney", "htk", 1))
    assert str(caught.value) == f"mel_scale={value!r}: must be one of 'slaney', 'htk', 1"


@given(sr=st.floats(min_value=1.0, max_value=1e6), low=st.floats(0, 0.9), width=st.floats(0.01, 0.1))
def test_ranges_below_half_the_rate_pass_as_they_are(sr, low, width):
    fmin, fmax = low * sr / 2, (low + width) * sr / 2
    if fmax <= sr / 2:
        assert frequency_range(fmin, fmax, sr) == (fmin, fmax)
    assert frequency_range(fmin, None, sr) == (fmin, sr / 2)


def test_the_whole_band_is_a_range():
    assert frequency_range(0, 4000, 8000) == (0.0, 4000.0)


@pytest.mark.parametrize(
    ("fmin", "fmax", "message"),
    [
        (-1, None, "fmin=-1: must be at least 0"),
        (np.nan, None, "fmin=nan: must be finite"),
        (None, None, "fmin=None: must be a real number"),
        (0, 0, "fmax=0: must be greater than 0"),
        (0, np.inf, "fmax=inf: must be finite"),
        (0, 4000.5, "fmax=4000.5: must be at most sr / 2 = 4000 Hz"),
        (4000, None, "fmin=4000: must be below fmax = 4000 Hz"),
        (200, 200, "fmin=200: must be below fmax = 200 Hz"),
        (300, 200, "fmin=300: must be below fmax = 200 Hz"),
    ],
)
def test_empty_or_impossible_ranges_are_refused(fmin, fmax, message):
    with pytest.raises(aa.ParameterError) as caught:
        frequency_range(fmin, fmax, 8000.0)
    assert str(caught.value) == message


def test_parameter_errors_are_value_errors_and_dtype_errors_are_type_errors():
    assert issubclass(aa.ParameterError, ValueError)
    assert issubclass(aa.DTypeError, TypeError)
    assert issubclass(aa.ParameterError, aa.ArrayAudioError)
    assert issubclass(aa.DTypeError, aa.ArrayAudioError)
