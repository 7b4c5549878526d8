"""Gammatone filters: their matrix, the gammatonegram and the bands as waveforms, against loops, SciPy and nnAudio."""

import json

import numpy as np
import pytest
import scipy.signal
import torch
from nnAudio.features.gammatone import Gammatonegram as Peer
from nnAudio.librosa_functions import get_gammatone

import arrayaudio as aa
from arrayaudio import gammatone_filtering
from arrayaudio.gammatone_bank import Gammatones, gammatones

from . import naive, naive_gammatone
from .tolerances import assert_same_levels, assert_same_spectrum, relative_error

SR, N_FFT, HOP = 8000, 64, 20

BANKS = [
    {"sr": 8000, "n_fft": 128, "n_bins": 10},
    {"sr": 16000, "n_fft": 400, "n_bins": 40, "fmin": 100.0, "fmax": 7600.0, "width": 0.5},
    {"sr": 22051, "n_fft": 301, "n_bins": 1, "fmin": 300.0},
    {"sr": 8000, "n_fft": 50, "n_bins": 4, "fmin": 0.0},
]


@pytest.mark.parametrize("bank", BANKS, ids=str)
def test_weights_are_the_responses_of_the_biquads(bank):
    edges = {"fmin": 20.0, "fmax": bank["sr"] / 2, "width": 1.0} | bank
    expected = naive_gammatone.weights(*(edges[name] for name in ("sr", "n_fft", "n_bins", "fmin", "fmax", "width")))
    assert_same_spectrum(aa.filters.gammatone(**bank), expected)


@pytest.mark.parametrize(("sr", "n_fft", "fmin", "fmax"), [(22050, 2048, 0.0, None), (44100, 4096, 50.0, 20000.0)])
def test_weights_are_those_of_nnaudio(sr, n_fft, fmin, fmax):
    theirs = get_gammatone(sr, n_fft, 64, fmin, fmax)
    ours = aa.filters.gammatone(sr=sr, n_fft=n_fft, fmin=fmin, fmax=fmax)
    assert relative_error(theirs, ours) <= 1e-7


def test_centres_run_from_fmin_to_a_step_below_fmax():
    hz = aa.gammatone_frequencies(20, fmin=100, fmax=7000)
    np.testing.assert_allclose(hz, naive_gammatone.centres(20, 100, 7000), rtol=1e-12)
    assert hz[0] == pytest.approx(100, abs=1e-9)
    assert aa.gammatone_frequencies(21, fmin=hz[0], fmax=7000).max() < 7000
    steps = np.diff(aa.hz_to_erb([*hz, 7000]))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)


def test_responses_are_one_at_the_centres():
    filters = gammatones(16000, 30, 0.0, None, 1.0)
    at_centre = np.diagonal(filters.responses(np.array(filters.centres)))
    np.testing.assert_allclose(np.abs(at_centre), 1, rtol=1e-12)


@pytest.mark.parametrize(("hz", "error"), [(1000, 1e-8), (2000, 1e-9), (4000, 1e-12)])
def test_responses_are_those_of_scipy(hz, error):
    # SciPy multiplies the sections out to a polynomial of order eight, which loses digits at low frequencies.
    b, a = scipy.signal.gammatone(hz, "iir", fs=16000)
    at, theirs = scipy.signal.freqz(b, a, 512, fs=16000)
    assert relative_error(theirs, Gammatones(16000, (hz,)).responses(at)[0]) <= error


@pytest.mark.parametrize(
    "options",
    [{}, {"fmin": 100.0, "fmax": 3000.0}, {"power": 1.0}, {"width": 2.0}, {"scale": "db"}, {"center": False}],
    ids=str,
)
def test_gammatonegrams_equal_the_oracle(options, library, dtype, rng):
    y = (rng.standard_normal((2, 300)) * np.array([[1.0], [30.0]])).astype(dtype)
    transform = aa.Gammatonegram(sr=SR, n_fft=N_FFT, hop_length=HOP, n_bins=10, **options)
    bank = naive_gammatone.weights(SR, N_FFT, 10, transform.fmin, transform.fmax, transform.width)
    expected = []
    for row in y.astype(np.float64):
        X = naive.stft(row, N_FFT, HOP, aa.get_window("hann", N_FFT), transform.center, "constant")
        S = bank @ np.abs(X) ** transform.power
        expected.append(naive.power_to_db(S, 1.0, 1e-10, 80.0) if transform.scale else S)
    array = library.asarray(y)
    result = library.to_numpy(transform(array))
    assert result.dtype == dtype
    same = assert_same_levels if transform.scale else assert_same_spectrum
    same(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_gammatonegrams_are_those_of_nnaudio(power, rng):
    y = rng.standard_normal((2, 20000)).astype(np.float32)
    options = {"sr": 16000, "n_fft": 512, "n_bins": 40, "hop_length": 160, "pad_mode": "reflect", "power": power}
    theirs = Peer(**options, fmin=50.0, fmax=7000.0, verbose=False)(torch.tensor(y)).numpy()
    ours = aa.gammatonegram(y, **options, fmin=50.0, fmax=7000.0)
    assert relative_error(ours, theirs) <= 1e-6
    assert np.abs(ours / theirs - 1).max() <= 1e-5


def test_gammatonegrams_have_axes_and_settings():
    transform = aa.Gammatonegram(sample_rate=16000, n_bins=20, f_min=100, f_max=7000)
    np.testing.assert_array_equal(transform.frequencies, aa.gammatone_frequencies(20, fmin=100, fmax=7000))
    assert transform(np.ones((2, 3, 16000))).shape == (2, 3, 20, transform.n_frames(16000))
    assert len(transform.times(16000)) == transform.n_frames(16000)
    assert aa.Gammatonegram.from_dict(json.loads(transform.to_json())) == transform
    assert hash(aa.Gammatonegram.from_json(transform.to_json())) == hash(transform)


def test_gammatonegrams_of_silence_are_zero(library, dtype):
    result = library.to_numpy(aa.Gammatonegram(sr=8000)(library.asarray(np.zeros(4000, dtype))))
    assert not result.any()


@pytest.mark.parametrize("options", [{}, {"fmin": 200.0, "fmax": 3000.0}, {"width": 3.0}, {"fmin": 100.0}], ids=str)
@pytest.mark.parametrize("n_samples", [1, 2, 37, 400])
def test_bands_equal_the_oracle(options, n_samples, library, dtype, rng):
    y = rng.standard_normal((2, n_samples)).astype(dtype)
    edges = {"fmin": 50.0, "fmax": 4000.0, "width": 1.0} | options
    expected = [naive_gammatone.filterbank(row, SR, 7, **edges) for row in y.astype(np.float64)]
    array = library.asarray(y)
    result = library.to_numpy(aa.gammatone_filterbank(array, sr=SR, n_bands=7, **options))
    assert result.dtype == dtype
    assert_same_spectrum(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


def test_bands_are_those_of_scipys_recursion(library, dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    expected = []
    for hz in naive_gammatone.centres(12, 50, 22050):
        sections, gain = naive_gammatone.biquads(hz, 44100, 1.0)
        rows = np.array([(b0, b1, 0, 1, a1, a2) for b0, b1, a1, a2 in sections])
        expected.append(scipy.signal.sosfilt(rows, y.astype(np.float64) / gain))
    result = library.to_numpy(aa.gammatone_filterbank(library.asarray(y), sr=44100, n_bands=12))
    assert_same_spectrum(result, expected, dtype)


def test_both_versions_agree_in_every_band(rng):
    y = rng.standard_normal(30000)
    filters = gammatones(44100, 16, 0.0, None, 1.0)
    call = gammatone_filtering.gammatone_bands
    for recursion, convolution in zip(call(y, filters), call.reference(y, filters), strict=True):
        assert_same_spectrum(recursion, convolution)


def test_blocks_of_bands_and_of_samples_leave_no_trace(monkeypatch, dtype, rng):
    y = rng.standard_normal((3, 5000)).astype(dtype)
    filters = gammatones(8000, 9, 300.0, None, 2.0)
    assert 5000 > 4 * filters.n_taps
    whole = gammatone_filtering.gammatone_bands.reference(y, filters)
    monkeypatch.setattr(gammatone_filtering, "BLOCK", 1)
    assert_same_spectrum(gammatone_filtering.gammatone_bands.reference(y, filters), whole)


@pytest.mark.parametrize("width", [0.1, 1.0])
def test_taps_end_where_nothing_is_left(width):
    filters = gammatones(16000, 5, 0.0, 2000.0, width)
    h = filters.impulse_responses(2 * filters.n_taps)
    rest, whole = np.abs(h[:, filters.n_taps :]).sum(axis=1), np.abs(h).sum(axis=1)
    assert (rest <= 1e-16 * whole).all()


def test_a_tone_at_a_centre_passes_unchanged_in_size():
    hz = aa.gammatone_frequencies(10, fmin=50, fmax=8000)[6]
    y = np.cos(2 * np.pi * hz * np.arange(16000) / 16000)
    band = aa.gammatone_filterbank(y, sr=16000, n_bands=10)[6]
    assert np.sqrt(2 * (band[8000:] ** 2).mean()) == pytest.approx(1, abs=1e-3)


def test_a_pulse_rings_out_without_a_trace():
    y = np.zeros(60000)
    y[0] = 1
    bands = aa.gammatone_filterbank(y, sr=8000, n_bands=4, fmin=1000)
    assert not bands[:, -1].any()
    assert np.isfinite(bands).all()


def test_each_signal_is_on_its_own(library, dtype, rng):
    y = rng.standard_normal((2, 3, 1000)).astype(dtype)
    y[1, 2] = 0
    together = library.to_numpy(aa.gammatone_filterbank(library.asarray(y), sr=8000, n_bands=5))
    assert together.shape == (2, 3, 5, 1000)
    assert not together[1, 2].any()
    alone = library.to_numpy(aa.gammatone_filterbank(library.asarray(y[0, 1]), sr=8000, n_bands=5))
    assert_same_spectrum(together[0, 1], alone, dtype)
    assert aa.gammatone_filterbank(np.ones((0, 100), dtype), sr=8000, n_bands=5).shape == (0, 5, 100)
    assert gammatone_filtering.gammatone_bands.reference(y[:0], gammatones(8000, 5, 50, None, 1)).shape[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": None}, "sr=None"),
        ({"n_bins": 0}, "n_bins=0: must be at least 1"),
        ({"n_bins": True}, "n_bins=True: must be a whole number"),
        ({"fmax": 9000}, "fmax=9000: must be at most sr / 2 = 8000 Hz"),
        ({"fmin": 5000, "fmax": 400}, "fmin=5000: must be below fmax = 400 Hz"),
        ({"width": 0}, "width=0: must be at least 0.01"),
        ({"width": 101}, "width=101: must be at most 100"),
        ({"power": 0}, "power=0: must be greater than 0"),
        ({"scale": "dB"}, "scale='dB': must be one of"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.Gammatonegram(**({"sr": 16000} | options))


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([], {}, "signal has 0 samples"),
        ([0.0, np.nan], {}, "signal has 1 NaN or infinite samples"),
        ([0.0], {"sr": 0}, "sr=0: must be greater than 0"),
        ([0.0], {"n_bands": 2.5}, "n_bands=2.5: must be a whole number"),
        ([0.0], {"fmin": -1}, "fmin=-1: must be at least 0"),
        ([0.0], {"fmax": 8001}, "fmax=8001: must be at most sr / 2 = 8000 Hz"),
        ([0.0], {"width": np.inf}, "width=inf: must be finite"),
    ],
    ids=str,
)
def test_bad_filterbanks_are_refused(y, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.gammatone_filterbank(y, **({"sr": 16000} | options))


def test_bad_banks_are_refused():
    with pytest.raises(aa.ParameterError, match="n_fft=0: must be at least 1"):
        aa.filters.gammatone(sr=16000, n_fft=0)
    with pytest.raises(aa.ParameterError, match="fmin=300: must be below fmax = 200 Hz"):
        aa.gammatone_frequencies(4, fmin=300, fmax=200)
