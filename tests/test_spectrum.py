"""Magnitude, power, phase and decibels against the loops and librosa."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.arrays import namespace
from arrayaudio.spectrum import Scaling, limit_range, magnitude, phase, power, scaled

from . import naive
from .tolerances import assert_same_levels, assert_same_spectrum

TO_DB = {
    "power": (aa.power_to_db, naive.power_to_db, librosa.power_to_db, 1e-10),
    "amplitude": (aa.amplitude_to_db, naive.amplitude_to_db, librosa.amplitude_to_db, 1e-5),
}
FROM_DB = {
    "power": (aa.db_to_power, naive.db_to_power, librosa.db_to_power),
    "amplitude": (aa.db_to_amplitude, naive.db_to_amplitude, librosa.db_to_amplitude),
}
OPTIONS = [
    {},
    {"ref": 0.3},
    {"ref": -2.0},
    {"ref": 0.0},
    {"amin": 1e-3},
    {"top_db": 20.0},
    {"top_db": 0.0},
    {"top_db": None},
    {"ref": 5.0, "amin": 1e-2, "top_db": 35},
]
kinds = pytest.mark.parametrize("kind", ["power", "amplitude"])
options = pytest.mark.parametrize("options", OPTIONS, ids=str)


@pytest.fixture
def batch(rng, dtype):
    """Items of very different loudness, with exact zeros."""
    loudness = np.array([1e-4, 1.0, 1e3])[:, None, None]
    S = loudness * 10 ** rng.uniform(-6, 0, (3, 5, 7))
    S[:, 0, :2] = 0
    return S.astype(dtype)


@kinds
@options
def test_levels_are_those_of_the_loops_item_by_item(kind, options, library, batch):
    to_db, loops, _, amin = TO_DB[kind]
    x = library.asarray(batch)
    levels = library.to_numpy(to_db(x, **options))
    settings = {"ref": 1.0, "amin": amin, "top_db": 80.0} | options
    assert_same_levels(levels, np.stack([loops(S.astype(np.float64), **settings) for S in batch]), batch.dtype.name)
    assert levels.dtype == batch.dtype
    np.testing.assert_array_equal(library.to_numpy(x), batch)


@kinds
@options
def test_levels_of_an_item_are_librosas(kind, options, batch):
    to_db, _, librosas, _ = TO_DB[kind]
    for S in batch:
        assert_same_levels(to_db(S, **options), librosas(S.astype(np.float64), **options), batch.dtype.name)


@kinds
@pytest.mark.parametrize("ref", [1.0, np.max, np.median], ids=["1", "max", "median"])
def test_an_item_never_depends_on_its_batch(kind, ref, batch):
    to_db = TO_DB[kind][0]
    together = to_db(batch, ref=ref, top_db=30.0)
    for item, alone in zip(together, batch, strict=True):
        np.testing.assert_array_equal(item, to_db(alone, ref=ref, top_db=30.0))
    np.testing.assert_array_equal(to_db(batch[None], ref=ref, top_db=30.0)[0], together)


@kinds
def test_one_dimensional_input_is_one_item(kind, batch):
    to_db, loops, _, amin = TO_DB[kind]
    row = batch[1, 0]
    assert_same_levels(to_db(row, top_db=10.0), loops(row.astype(np.float64), 1.0, amin, 10.0), batch.dtype.name)


@kinds
def test_a_function_gives_the_reference_of_each_item(kind, library, batch):
    to_db, loops, librosas, amin = TO_DB[kind]
    x = library.asarray(batch)

    def loudest(values, axis, keepdims):
        assert library.owns(values)
        return namespace(values).max(values, axis=axis, keepdims=keepdims)

    levels = library.to_numpy(to_db(x, ref=loudest))
    exact = batch.astype(np.float64)
    assert levels.dtype == batch.dtype
    assert_same_levels(levels, np.stack([loops(S, S.max(), amin, 80.0) for S in exact]), batch.dtype.name)
    assert_same_levels(levels, np.stack([librosas(S, ref=np.max) for S in exact]), batch.dtype.name)
    np.testing.assert_array_equal(levels.max(axis=(1, 2)), 0)


@kinds
def test_the_reference_of_a_silent_item_is_the_floor(kind):
    to_db, _, librosas, _ = TO_DB[kind]
    S = np.array([[[0.0, 0.0]], [[1.0, 0.5]]])
    levels = to_db(S, ref=np.max)
    np.testing.assert_array_equal(levels[0], 0)
    assert_same_levels(levels, np.stack([librosas(item, ref=np.max) for item in S]))


@kinds
def test_top_db_bounds_the_range_of_each_item(kind, batch):
    to_db = TO_DB[kind][0]
    levels, free = to_db(batch, top_db=15.0), to_db(batch, top_db=None)
    top = levels.max(axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(top, free.max(axis=(1, 2), keepdims=True))
    np.testing.assert_array_equal(levels, np.maximum(free, top - np.asarray(15, batch.dtype)))
    assert (levels != free).any(axis=(1, 2)).all()


def test_complex_amplitudes_count_by_their_magnitude(library, dtype, rng):
    X = (rng.standard_normal((2, 4, 6)) + 1j * rng.standard_normal((2, 4, 6))).astype(
        np.result_type(dtype, np.complex64)
    )
    levels = library.to_numpy(aa.amplitude_to_db(library.asarray(X)))
    assert levels.dtype == dtype
    assert_same_levels(levels, np.stack([naive.amplitude_to_db(item, 1.0, 1e-5, 80.0) for item in X]), dtype)


@kinds
@pytest.mark.parametrize("ref", [1.0, 0.25])
def test_values_are_those_of_the_loops_and_librosa(kind, ref, library, dtype, rng):
    from_db, loops, librosas = FROM_DB[kind]
    D = rng.uniform(-80, 40, (2, 6, 5)).astype(dtype)
    x = library.asarray(D)
    values = library.to_numpy(from_db(x, ref=ref))
    assert values.dtype == dtype
    assert_same_spectrum(values, loops(D, ref), dtype)
    assert_same_spectrum(values, librosas(D.astype(np.float64), ref=ref), dtype)
    np.testing.assert_array_equal(library.to_numpy(x), D)


@kinds
@given(level=st.floats(min_value=-100, max_value=100), ref=st.floats(min_value=1e-3, max_value=1e3))
def test_levels_survive_the_values(kind, level, ref):
    to_db, from_db = TO_DB[kind][0], FROM_DB[kind][0]
    value = from_db(np.array([level]), ref=ref)
    np.testing.assert_allclose(to_db(value, ref=ref, amin=1e-20, top_db=None), [level], rtol=1e-12, atol=1e-12)


@kinds
@given(
    values=st.lists(st.floats(min_value=0, max_value=1e6), min_size=2, max_size=8),
    top_db=st.none() | st.floats(min_value=0, max_value=120),
)
def test_louder_never_gives_a_lower_level(kind, values, top_db):
    levels = TO_DB[kind][0](np.sort(values), top_db=top_db)
    assert (np.diff(levels) >= 0).all()
    assert top_db is None or np.ptp(levels) <= top_db * (1 + 1e-12) + 1e-12


@kinds
def test_scalars_give_scalars(kind):
    to_db, from_db = TO_DB[kind][0], FROM_DB[kind][0]
    assert isinstance(to_db(1.0), float)
    assert isinstance(from_db(0.0), float)
    assert to_db(1.0) == 0.0
    assert from_db(0.0) == 1.0
    assert from_db(20.0) == pytest.approx(100.0 if kind == "power" else 10.0, rel=1e-12)


@kinds
def test_nothing_in_gives_nothing_out(kind, library, dtype):
    for shape in ((0,), (3, 0), (2, 0, 5)):
        x = library.asarray(np.zeros(shape, dtype))
        for convert in (TO_DB[kind][0], FROM_DB[kind][0]):
            result = library.to_numpy(convert(x))
            assert result.shape == shape
            assert result.dtype == dtype


@kinds
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amin": 0.0}, "amin=0.0: must be greater than 0"),
        ({"amin": -1e-5}, "amin=-1e-05: must be greater than 0"),
        ({"amin": np.nan}, "amin=nan: must be finite"),
        ({"top_db": -1.0}, "top_db=-1.0: must be at least 0"),
        ({"top_db": np.nan}, "top_db=nan: must be finite"),
        ({"top_db": [80]}, r"top_db=\[80\]: must be a real number"),
        ({"ref": np.inf}, "ref=inf: must be finite"),
        ({"ref": "max"}, "ref='max': must be a real number"),
    ],
    ids=str,
)
def test_bad_parameters_of_levels_are_named_with_their_rule(kind, change, message):
    with pytest.raises(aa.ParameterError, match=message):
        TO_DB[kind][0](np.ones((2, 3)), **change)


@kinds
def test_bad_references_of_values_are_named_with_their_rule(kind):
    from_db = FROM_DB[kind][0]
    with pytest.raises(aa.ParameterError, match="ref: must be the number that was 0 dB"):
        from_db(np.zeros(3), ref=np.max)
    with pytest.raises(aa.ParameterError, match="ref=nan: must be finite"):
        from_db(np.zeros(3), ref=np.nan)


@pytest.mark.parametrize("convert", [aa.power_to_db, aa.amplitude_to_db, aa.db_to_power, aa.db_to_amplitude])
@pytest.mark.parametrize(("dtype", "remedy"), [("int16", "aa.pcm_to_float"), ("bool", "astype")])
def test_values_that_are_no_floats_are_refused(convert, dtype, remedy):
    with pytest.raises(aa.DTypeError, match=rf"dtype {dtype}: must be float32 or float64; .*{remedy}"):
        convert(np.ones((2, 3), dtype))


@pytest.mark.parametrize("convert", [aa.power_to_db, aa.db_to_power, aa.db_to_amplitude])
def test_complex_values_are_refused_where_only_real_ones_make_sense(convert):
    with pytest.raises(aa.DTypeError, match="dtype complex128: must be float32 or float64; take its magnitude"):
        convert(np.ones((2, 3), complex))


@kinds
def test_half_precision_becomes_single(kind):
    S = np.array([[1.0, 0.5, 0.25]], np.float16)
    for convert in (TO_DB[kind][0], FROM_DB[kind][0]):
        result = convert(S)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, convert(S.astype(np.float32)))


@pytest.fixture
def spectrum(rng, dtype):
    X = rng.standard_normal((2, 5, 6)) + 1j * rng.standard_normal((2, 5, 6))
    X[0, 0] = [0, 1, -1, 1j, -1j, -3 - 4j]
    return X.astype(np.result_type(dtype, np.complex64))


def test_power_is_the_squared_magnitude(library, dtype, spectrum):
    result = library.to_numpy(power(library.asarray(spectrum)))
    assert result.dtype == dtype
    assert result[0, 0].tolist() == [0, 1, 1, 1, 1, 25]
    expected = [float(v.real) ** 2 + float(v.imag) ** 2 for v in spectrum.flat]
    assert_same_spectrum(result, np.reshape(expected, spectrum.shape), dtype)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7, 2.0, 3.0])
def test_magnitude_takes_any_exponent(exponent, library, dtype, spectrum):
    result = library.to_numpy(magnitude(library.asarray(spectrum), exponent))
    assert result.dtype == dtype
    expected = [abs(complex(v)) ** exponent for v in spectrum.flat]
    assert_same_spectrum(result, np.reshape(expected, spectrum.shape), dtype)


def test_phase_is_the_angle(library, dtype, spectrum):
    result = library.to_numpy(phase(library.asarray(spectrum)))
    assert result.dtype == dtype
    np.testing.assert_allclose(result[0, 0, :5], [0, 0, np.pi, np.pi / 2, -np.pi / 2], rtol=np.finfo(dtype).eps)
    assert_same_spectrum(result, np.angle(spectrum.astype(complex)), dtype)


@pytest.mark.parametrize("base", ["e", "10"])
@pytest.mark.parametrize("span", [None, 3.0])
def test_scaling_takes_the_logarithm_above_the_floor_within_the_range(base, span, library, batch):
    scaling = Scaling(factor=2.5, floor=1e-4, base=base, range=span)
    result = library.to_numpy(scaled(library.asarray(batch), scaling))
    levels = 2.5 * np.log(np.maximum(batch.astype(np.float64), 1e-4)) / (np.log(10) if base == "10" else 1)
    floor = -np.inf if span is None else levels.max(axis=(1, 2), keepdims=True) - span
    assert result.dtype == batch.dtype
    assert_same_levels(result, np.maximum(levels, floor), batch.dtype.name)


def test_the_range_of_a_vector_is_that_of_all_its_levels():
    np.testing.assert_array_equal(limit_range(np.array([0.0, -5.0, -30.0]), 10.0), [0, -5, -10])
