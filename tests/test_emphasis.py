"""Preemphasis and its inverse against the loops and librosa."""

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from . import naive_features as naive
from .tolerances import assert_same_spectrum

FUNCTIONS = [
    (aa.preemphasis, naive.preemphasis, librosa.effects.preemphasis),
    (aa.deemphasis, naive.deemphasis, librosa.effects.deemphasis),
]
functions = pytest.mark.parametrize(("ours", "oracle", "theirs"), FUNCTIONS)


@functions
@pytest.mark.parametrize("coef", [0.0, 0.5, 0.97, -0.9, 1.0])
@pytest.mark.parametrize("n", [2, 64, 65, 500])
def test_filters_are_those_of_the_loops(ours, oracle, theirs, coef, n, library, dtype, rng):
    y = rng.standard_normal((2, n)).astype(dtype)
    array = library.asarray(y)
    result = library.to_numpy(ours(array, coef=coef))
    assert result.dtype == dtype
    assert_same_spectrum(result, [oracle(row, coef) for row in y.astype(np.float64)], dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@functions
@pytest.mark.parametrize("options", [{}, {"coef": 0.5}], ids=str)
def test_filters_are_librosas(ours, oracle, theirs, options, dtype, rng):
    y = rng.standard_normal((2, 20000)).astype(dtype)
    assert_same_spectrum(ours(y, **options), theirs(y.astype(np.float64), **options), dtype)


@pytest.mark.parametrize("coef", [0.5, 0.97, -0.9])
def test_the_one_undoes_the_other(coef, library, dtype, rng):
    y = rng.standard_normal((3, 1000)).astype(dtype)
    array = library.asarray(y)
    for first, second in [(aa.preemphasis, aa.deemphasis), (aa.deemphasis, aa.preemphasis)]:
        assert_same_spectrum(library.to_numpy(second(first(array, coef=coef), coef=coef)), y, dtype)


@functions
def test_each_row_is_on_its_own(ours, oracle, theirs, library, dtype, rng):
    y = rng.standard_normal((2, 3, 200)).astype(dtype)
    together = library.to_numpy(ours(library.asarray(y)))
    alone = [[library.to_numpy(ours(library.asarray(row))) for row in item] for item in y]
    assert_same_spectrum(together, alone, dtype)


@functions
def test_silence_stays_silent(ours, oracle, theirs, library, dtype):
    assert not library.to_numpy(ours(library.asarray(np.zeros(300, dtype)))).any()


@functions
@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.ones(9), {"coef": 1.5}, r"coef=1\.5: must be at most 1"),
        (np.ones(9), {"coef": -1.5}, r"coef=-1\.5: must be at least -1"),
        (np.ones(9), {"coef": "x"}, "coef='x': must be a real number"),
        (np.ones(1), {}, "signal has 1 sample: must have at least 2"),
        (np.ones(0), {}, "signal has 0 samples"),
        (np.array([0, np.nan, 0]), {}, "signal has 1 NaN or infinite samples, the first at index 1"),
    ],
    ids=str,
)
def test_bad_signals_and_settings_are_refused(ours, oracle, theirs, y, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        ours(y, **options)


@functions
def test_the_search_for_nan_can_be_left_out(ours, oracle, theirs):
    assert np.isnan(ours(np.array([0.0, 0.0, np.nan]), check_finite=False)[2])
