"""Linear-frequency cepstra and their filters against the loops, and against librosa's and SciPy's parts."""

import json

import librosa
import numpy as np
import pytest
import scipy.fft

import arrayaudio as aa

from . import naive, naive_features
from .tolerances import assert_same_levels, assert_same_spectrum

SR, N_FFT, HOP = 8000, 64, 20

BANKS = [
    {"sr": 8000, "n_fft": 128, "n_filter": 10},
    {"sr": 16000, "n_fft": 400, "n_filter": 40, "fmin": 20.0, "fmax": 7600.0},
    {"sr": 22051, "n_fft": 301, "n_filter": 1, "fmin": 300.0},
]


@pytest.mark.parametrize("bank", BANKS, ids=str)
def test_filters_are_the_triangles_of_the_loops(bank):
    edges = {"fmin": 0.0, "fmax": bank["sr"] / 2} | bank
    assert_same_spectrum(aa.filters.linear(**bank), naive_features.linear_filters(**edges))


def test_filters_between_the_outer_centres_add_up_to_one():
    weights = aa.filters.linear(sr=16000, n_fft=512, n_filter=15)
    hz = aa.fft_frequencies(sr=16000, n_fft=512)
    np.testing.assert_allclose(weights.sum(axis=0)[(hz >= 500) & (hz <= 7500)], 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_fft", "n_filter", "more"), [(64, 81, ""), (62, 81, " and 1 more"), (64, 84, " and 2 more")]
)
def test_empty_bands_are_named(n_fft, n_filter, more):
    with pytest.warns(aa.ArrayAudioWarning) as caught:
        weights = aa.filters.linear(sr=8000, n_fft=n_fft, n_filter=n_filter)
    empty = np.flatnonzero(~weights.any(axis=1)).tolist()
    assert len(empty) >= 20
    assert str(caught.list[0].message) == (
        f"linear bands {empty[:20]}{more} of {n_filter} fall between the bins of n_fft={n_fft} at sr=8000 Hz and stay "
        "zero: use fewer bands or a longer n_fft"
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"fmin": 100.0, "fmax": 3000.0}, {"power": 1.0}, {"dct_type": 3, "norm": None}, {"lifter": 22}, {"top_db": 9}],
    ids=str,
)
def test_lfcc_equals_the_oracle(options, library, dtype, rng):
    y = (rng.standard_normal((2, 300)) * np.array([[1.0], [30.0]])).astype(dtype)
    transform = aa.LFCC(sr=SR, n_fft=N_FFT, hop_length=HOP, n_filter=10, n_lfcc=6, **options)
    window = aa.get_window("hann", N_FFT)
    bank = naive_features.linear_filters(SR, N_FFT, 10, transform.fmin, transform.fmax)
    expected = []
    for row in y.astype(np.float64):
        S = np.abs(naive.stft(row, N_FFT, HOP, window, True, "constant")) ** transform.power
        levels = naive.power_to_db(bank @ S, 1.0, 1e-10, None) * (2 / transform.power)
        levels = np.maximum(levels, levels.max() - transform.top_db)
        expected.append(naive.mfcc(levels, 6, transform.dct_type, transform.norm == "ortho", transform.lifter))
    array = library.asarray(y)
    result = library.to_numpy(transform(array))
    assert result.dtype == dtype
    assert_same_levels(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


def test_lfcc_equals_the_parts_of_librosa_and_scipy(dtype, rng):
    y = rng.standard_normal((2, 20000)).astype(dtype)
    S = np.abs(librosa.stft(y.astype(np.float64), hop_length=512)) ** 2
    bank = naive_features.linear_filters(16000, 2048, 128, 0.0, 8000.0)
    levels = np.stack([librosa.power_to_db(bank @ item) for item in S])
    expected = scipy.fft.dct(levels, axis=-2, norm="ortho")[..., :40, :]
    assert_same_levels(aa.lfcc(y, sr=16000), expected, dtype)


def test_each_row_is_on_its_own(library, dtype, rng):
    y = rng.standard_normal((2, 3, 4000)).astype(dtype)
    transform = aa.LFCC(sr=16000)
    together = library.to_numpy(transform(library.asarray(y)))
    alone = [[library.to_numpy(transform(library.asarray(row))) for row in item] for item in y]
    assert_same_levels(together, alone, dtype)


def test_silence_is_flat(library, dtype):
    result = library.to_numpy(aa.LFCC(sr=8000)(library.asarray(np.zeros(4000, dtype))))
    assert_same_levels(result[0], np.full_like(result[0], -100 * np.sqrt(128)), dtype)
    assert np.abs(result[1:]).max() <= 1e-4


def test_axes_and_settings():
    transform = aa.LFCC(sample_rate=16000, n_lfcc=13, f_min=100, f_max=7000)
    assert transform.frequencies.tolist() == list(range(13))
    assert transform(np.ones(16000)).shape == (13, transform.n_frames(16000))
    assert aa.LFCC.from_dict(json.loads(transform.to_json())) == transform
    assert hash(aa.LFCC.from_json(transform.to_json())) == hash(transform)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": None}, "sr=None"),
        ({"n_filter": 0}, "n_filter=0: must be at least 1"),
        ({"n_lfcc": 129}, "n_lfcc=129: must be at most n_filter=128"),
        ({"n_lfcc": 0}, "n_lfcc=0: must be at least 1"),
        ({"fmax": 9000}, "fmax=9000: must be at most sr / 2 = 8000 Hz"),
        ({"dct_type": 4}, "dct_type=4: must be one of 1, 2, 3"),
        ({"norm": "slaney"}, "norm='slaney': must be one of 'ortho', None"),
        ({"lifter": -1}, "lifter=-1: must be at least 0"),
        ({"dct_type": 1, "n_filter": 1, "n_lfcc": 1}, "dct_type=1: needs n_filter of at least 2"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.LFCC(**({"sr": 16000} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fmin": 3000, "fmax": 2000}, "fmin=3000: must be below fmax = 2000 Hz"),
        ({"fmax": 8001}, "fmax=8001: must be at most sr / 2 = 8000 Hz"),
        ({"n_filter": 0}, "n_filter=0: must be at least 1"),
        ({"n_fft": 0}, "n_fft=0: must be at least 1"),
        ({"sr": 0}, "sr=0: must be greater than 0"),
    ],
    ids=str,
)
def test_bad_filters_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=f"^{message}"):
        aa.filters.linear(**({"sr": 16000, "n_fft": 512} | options))


def test_there_are_128_filters_unless_asked_for_others():
    assert aa.filters.linear(sr=16000, n_fft=2048).shape == (128, 1025)


def test_rates_below_one_are_rates_too():
    np.testing.assert_array_equal(aa.filters.linear(sr=0.5, n_fft=4, n_filter=1), [[0, 1, 0]])
