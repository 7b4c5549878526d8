"""Resampling against the loops, SciPy's polyphase filter and sines at the new rate."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio import resampling

from . import naive
from .tolerances import SPECTRUM, assert_same_spectrum

RATIOS = [(2, 3), (3, 2), (1, 4), (5, 1), (160, 147), (80, 441)]
DEFAULTS = (64, 12.27, 0.94)


@pytest.fixture(params=["matrix", "blocks"])
def path(request, monkeypatch):
    """Resample on one of the two paths, and on no other."""

    def other(*args):
        raise AssertionError("took the other path")

    if request.param == "blocks":
        monkeypatch.setattr(resampling, "LARGEST_MATRIX", 0)
        monkeypatch.setattr(resampling, "BLOCK", 17)
    monkeypatch.setattr(resampling, "_by_taps" if request.param == "matrix" else "polyphase", other)
    return request.param


def noise(*shape):
    """The same samples in both dtypes."""
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


@functools.cache
def loops(up, down, n_samples, half_width, beta, rolloff):
    y = noise(2, n_samples).astype(np.float64)
    return np.stack([naive.resample(row, up, down, half_width, beta, rolloff) for row in y])


def check(library, dtype, up, down, n_samples, half_width=64, beta=12.27, rolloff=0.94):
    y = noise(2, n_samples).astype(dtype)
    x = library.asarray(y)
    options = {"half_width": half_width, "beta": beta, "rolloff": rolloff}
    result = library.to_numpy(aa.resample(x, orig_sr=100 * down, target_sr=100 * up, **options))
    assert result.dtype == dtype
    assert_same_spectrum(result, loops(up, down, n_samples, half_width, beta, rolloff), dtype)
    np.testing.assert_array_equal(library.to_numpy(x), y)


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_both_paths_are_the_sum_of_the_loops(up, down, path, library, dtype):
    check(library, dtype, up, down, n_samples=90)


@pytest.mark.parametrize(
    "options", [{"half_width": 1}, {"half_width": 7, "beta": 0.0}, {"beta": 5, "rolloff": 1}], ids=str
)
def test_both_paths_take_other_kernels(options, path, library, dtype):
    check(library, dtype, 3, 5, n_samples=60, **options)


@pytest.mark.parametrize("n_samples", [1, 2, 5, 40])
@pytest.mark.parametrize(("up", "down"), [(7, 3), (3, 7)])
def test_short_signals_are_enough(up, down, n_samples, path, library, dtype):
    check(library, dtype, up, down, n_samples)


def test_ratios_with_a_large_matrix_go_block_by_block(library, dtype, monkeypatch):
    monkeypatch.setattr(resampling, "polyphase", None)
    check(library, dtype, 44101, 44100, n_samples=50)


@pytest.mark.parametrize(("up", "down"), [*RATIOS, (147, 320), (3, 1)])
def test_the_filter_is_that_of_scipys_polyphase_resampling(up, down, path):
    y = noise(3, 700).astype(np.float64)
    half_width, beta, rolloff = DEFAULTS
    cutoff = rolloff * min(1, up / down)
    reach = math.ceil(half_width / cutoff * up)
    u = np.arange(-reach, reach + 1) / up
    kernel = cutoff * np.sinc(cutoff * u)
    inside = np.abs(u) < half_width / cutoff
    kernel *= np.where(inside, np.i0(beta * np.sqrt(np.clip(1 - (u * cutoff / half_width) ** 2, 0, 1))), 0) / np.i0(
        beta
    )
    expected = scipy.signal.resample_poly(y, up, down, axis=-1, window=kernel / up)
    assert_same_spectrum(aa.resample(y, orig_sr=down, target_sr=up), expected)


@settings(max_examples=60)
@given(
    n_samples=st.integers(min_value=1, max_value=60),
    orig_sr=st.integers(min_value=1, max_value=60),
    target_sr=st.integers(min_value=1, max_value=60),
    blocks=st.booleans(),
)
def test_the_length_is_that_of_the_signal_rounded_up(n_samples, orig_sr, target_sr, blocks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "LARGEST_MATRIX", 0 if blocks else 2**22)
        result = aa.resample(np.ones((2, n_samples)), orig_sr=orig_sr, target_sr=target_sr, half_width=2)
    assert result.shape == (2, math.ceil(Fraction(n_samples * target_sr, orig_sr)))


@pytest.mark.parametrize(("orig_sr", "target_sr"), [(22050, 44100), (44100, 16000), (48000, 44100), (8000, 192000)])
@pytest.mark.parametrize("n_samples", [1, 999, 1000, 1001])
def test_the_length_at_usual_rates_is_rounded_up(orig_sr, target_sr, n_samples):
    result = aa.resample(np.ones(n_samples), orig_sr=orig_sr, target_sr=target_sr)
    assert result.shape == (-(-n_samples * target_sr // orig_sr),)


SINES = [(48000, 44100), (44100, 48000), (48000, 16000), (16000, 48000), (44100, 1001), (8000, 8001.5)]


def sine(frequency, sr, n_samples):
    return np.cos(2 * np.pi * frequency * np.arange(n_samples) / sr + 0.3)


def away_from_the_edges(result, orig_sr, target_sr):
    skip = math.ceil(64 / 0.94 * max(1, target_sr / orig_sr)) + 1
    assert len(result) > 2 * skip
    return result[skip:-skip]


@pytest.mark.parametrize(("orig_sr", "target_sr"), SINES)
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.88])
def test_sines_in_the_flat_band_are_sines_at_the_new_rate(orig_sr, target_sr, part):
    frequency = part * min(orig_sr, target_sr) / 2
    result = aa.resample(sine(frequency, orig_sr, int(0.2 * orig_sr)), orig_sr=orig_sr, target_sr=target_sr)
    error = result - sine(frequency, target_sr, len(result))
    assert np.abs(away_from_the_edges(error, orig_sr, target_sr)).max() <= 10 ** (-120 / 20)


@pytest.mark.parametrize(("orig_sr", "target_sr"), [pair for pair in SINES if pair[1] < pair[0]])
@pytest.mark.parametrize("part", [1.0, 1.02, 1.08])
def test_sines_above_the_new_nyquist_frequency_are_120_db_down(orig_sr, target_sr, part):
    y = sine(part * target_sr / 2, orig_sr, int(0.2 * orig_sr))
    result = aa.resample(y, orig_sr=orig_sr, target_sr=target_sr)
    assert np.abs(away_from_the_edges(result, orig_sr, target_sr)).max() <= 10 ** (-120 / 20)


@settings(max_examples=30)
@given(
    a=st.floats(min_value=0.1, max_value=9), b=st.floats(min_value=-9, max_value=-0.1), ratio=st.sampled_from(RATIOS)
)
def test_resampling_is_linear(a, b, ratio):
    up, down = ratio
    x, y = noise(2, 200).astype(np.float64)
    resample = functools.partial(aa.resample, orig_sr=down, target_sr=up)
    np.testing.assert_allclose(
        resample(a * x + b * y), a * resample(x) + b * resample(y), rtol=0, atol=SPECTRUM["float64"] * (abs(a) + abs(b))
    )


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_a_delay_of_whole_periods_delays_the_result(up, down, path):
    y = noise(600).astype(np.float64)
    resample = functools.partial(aa.resample, orig_sr=down, target_sr=up)
    delayed = resample(np.concatenate([np.zeros(down), y]))
    assert_same_spectrum(delayed[up:], resample(y))


def test_each_channel_is_on_its_own(path, dtype):
    y = noise(2, 3, 100).astype(dtype)
    together = aa.resample(y, orig_sr=3, target_sr=2)
    alone = np.stack([[aa.resample(row, orig_sr=3, target_sr=2) for row in item] for item in y])
    assert together.shape == (2, 3, 67)
    assert_same_spectrum(together, alone)


def test_the_same_rate_leaves_the_signal_as_it_is(library, dtype):
    y = noise(2, 50).astype(dtype)
    for sr in (16000, 22050.5):
        result = library.to_numpy(aa.resample(library.asarray(y), orig_sr=sr, target_sr=sr))
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, y)


@pytest.mark.parametrize(
    ("orig_sr", "target_sr", "up", "down"), [(44100.5, 22050.25, 1, 2), (0.1, 0.3, 3, 1), (np.float32(12), 8, 2, 3)]
)
def test_only_the_ratio_of_the_rates_counts(orig_sr, target_sr, up, down):
    y = noise(100)
    np.testing.assert_array_equal(
        aa.resample(y, orig_sr=orig_sr, target_sr=target_sr), aa.resample(y, orig_sr=down, target_sr=up)
    )


def test_half_precision_becomes_single():
    y = noise(100).astype(np.float16)
    for target_sr in (1, 2):
        result = aa.resample(y, orig_sr=2, target_sr=target_sr)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, aa.resample(y.astype(np.float32), orig_sr=2, target_sr=target_sr))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orig_sr": 0}, "orig_sr=0: must be greater than 0"),
        ({"orig_sr": -8000}, "orig_sr=-8000: must be greater than 0"),
        ({"orig_sr": np.nan}, "orig_sr=nan: must be finite"),
        ({"orig_sr": None}, "orig_sr=None: must be a real number"),
        ({"target_sr": 0.0}, "target_sr=0.0: must be greater than 0"),
        ({"target_sr": -1}, "target_sr=-1: must be greater than 0"),
        ({"target_sr": np.inf}, "target_sr=inf: must be finite"),
        ({"target_sr": 1e-4}, "target_sr=0.0001: must be within a factor of 1024 of orig_sr=8000"),
        ({"half_width": 0}, "half_width=0: must be at least 1"),
        ({"half_width": 4097}, "half_width=4097: must be at least 1 and at most 4096"),
        ({"half_width": 8.0}, "half_width=8.0: must be a whole number"),
        ({"rolloff": 0.0}, "rolloff=0.0: must be at least 0.001"),
        ({"rolloff": 1.01}, "rolloff=1.01: must be at most 1"),
        ({"rolloff": np.nan}, "rolloff=nan: must be finite"),
        ({"rolloff": "0.9"}, "rolloff='0.9': must be a real number"),
        ({"beta": -0.1}, "beta=-0.1: must be at least 0"),
        ({"beta": np.inf}, "beta=inf: must be finite"),
    ],
    ids=str,
)
def test_bad_parameters_are_named_with_their_rule(change, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.resample(np.ones(100), **{"orig_sr": 8000, "target_sr": 16000} | change)


def test_signals_need_samples():
    for y, message in ((np.zeros((2, 0)), r"0 samples \(shape \(2, 0\)\)"), (np.float64(1.0), "a single number")):
        with pytest.raises(aa.ParameterError, match=message):
            aa.resample(y, orig_sr=2, target_sr=1)


def test_samples_that_are_not_finite_are_located():
    y = np.ones((2, 100))
    y[1, 30] = np.nan
    with pytest.raises(aa.ParameterError, match=r"1 NaN or infinite samples, the first at index 30 of channel \(1,\)"):
        aa.resample(y, orig_sr=2, target_sr=1)


def test_the_remedy_for_samples_that_are_not_finite_exists():
    y = np.ones(1000)
    y[0] = np.inf
    with pytest.raises(aa.ParameterError, match="check_finite=False"):
        aa.resample(y, orig_sr=2, target_sr=1)
    unchecked = aa.resample(y, orig_sr=2, target_sr=1, check_finite=False)
    assert np.isfinite(unchecked[-100:]).all()


@pytest.mark.parametrize(
    ("dtype", "remedy"), [("int16", "aa.pcm_to_float"), ("complex128", "its real and its imaginary")]
)
def test_signals_that_are_no_floats_are_refused(dtype, remedy):
    with pytest.raises(aa.DTypeError, match=rf"signal has dtype {dtype}: must be float32 or float64; .*{remedy}"):
        aa.resample(np.ones(10, dtype), orig_sr=2, target_sr=1)
