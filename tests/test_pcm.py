"""Integer PCM to floating point, exactly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa

# Zero level, full scale, and the dtype that holds every value.
FORMATS = {
    "uint8": (128, 2**7, "float32"),
    "int8": (0, 2**7, "float32"),
    "int16": (0, 2**15, "float32"),
    "int32": (0, 2**31, "float64"),
}
formats = pytest.mark.parametrize("pcm", FORMATS)


@formats
def test_the_extremes_are_exact_in_every_library(pcm, library):
    zero, full_scale, dtype = FORMATS[pcm]
    info = np.iinfo(pcm)
    samples = np.array([[info.min, zero, zero + 1], [zero - 1, zero + full_scale // 2, info.max]], pcm)
    x = library.asarray(samples)
    result = library.to_numpy(aa.pcm_to_float(x))
    assert result.dtype == dtype
    assert result.tolist() == [[-1.0, 0.0, 1 / full_scale], [-1 / full_scale, 0.5, 1 - 1 / full_scale]]
    np.testing.assert_array_equal(library.to_numpy(x), samples)
    assert library.to_numpy(x).dtype == pcm


@pytest.mark.parametrize("pcm", ["uint8", "int8", "int16"])
def test_every_value_is_exact(pcm):
    zero, full_scale, _ = FORMATS[pcm]
    info = np.iinfo(pcm)
    samples = np.arange(info.min, info.max + 1).astype(pcm)
    result = aa.pcm_to_float(samples)
    assert result.tolist() == [(v - zero) / full_scale for v in samples.tolist()]
    assert (result.min(), len(np.unique(result))) == (-1.0, len(samples))
    assert result.max() < 1.0


@given(value=st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_32_bit_samples_are_exact_in_double_precision(value):
    (result,) = aa.pcm_to_float(np.array([value], np.int32))
    assert isinstance(result, np.float64)
    assert Fraction(float(result)) == Fraction(value, 2**31)


@formats
def test_big_endian_samples_of_files_are_read_as_such(pcm):
    samples = np.array([1, 2, 100], pcm).astype(np.dtype(pcm).newbyteorder(">"))
    result = aa.pcm_to_float(samples)
    np.testing.assert_array_equal(result, aa.pcm_to_float(np.array([1, 2, 100], pcm)))
    assert result.dtype == FORMATS[pcm][2]
    assert result.dtype.isnative


@formats
def test_shapes_stay(pcm):
    for shape in ((), (0,), (2, 1, 3)):
        assert aa.pcm_to_float(np.ones(shape, pcm)).shape == shape


@pytest.mark.parametrize("dtype", ["int64", "uint16", "uint32", "float32", "float64", "complex64", "bool"])
def test_other_formats_are_refused(dtype):
    with pytest.raises(aa.DTypeError, match=f"samples have dtype {dtype}: must be one of uint8, int8, int16, int32"):
        aa.pcm_to_float(np.ones(3, dtype))


def test_lists_have_no_format():
    with pytest.raises(aa.DTypeError, match="must be one of uint8, int8, int16, int32"):
        aa.pcm_to_float([0, 1, 2])
