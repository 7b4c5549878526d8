"""The constant-Q transform that can be inverted exactly."""

import json
import pickle

import numpy as np
import pytest

import arrayaudio as aa

from .naive_cqt_kin import raised_cosine_bands
from .tolerances import SPECTRUM, assert_same_spectrum, relative_error

SETTINGS = [
    {"sr": 22050},
    {"sr": 22050, "fmax": 4000.0},
    {"sr": 8000, "bins_per_octave": 48, "fmin": 50.0},
    {"sr": 44100, "bins_per_octave": 1},
    {"sr": 1000, "fmin": 400.0},
]


@pytest.mark.parametrize("settings", [{"sr": 500, "fmin": 60.0, "bins_per_octave": 2}, {"sr": 400, "fmin": 190.0}])
@pytest.mark.parametrize("n_samples", [40, 53])
def test_coefficients_are_those_of_the_sums(settings, n_samples, library, dtype, rng):
    y = rng.standard_normal(n_samples).astype(dtype)
    nsgt = aa.NSGT(**settings)
    expected = raised_cosine_bands(
        y.astype(float), nsgt.frequencies, nsgt.sr, nsgt.hop_length, nsgt.n_frames(n_samples)
    )
    assert_same_spectrum(library.to_numpy(nsgt(library.asarray(y))), expected, dtype)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("n_samples", [1, 2, 100, 5000, 5003])
def test_the_inverse_returns_the_signal_to_rounding(settings, n_samples, library, dtype, rng):
    y = rng.standard_normal((2, n_samples)).astype(dtype)
    nsgt = aa.NSGT(**settings)
    given = library.asarray(y)
    C = nsgt(given)
    assert C.shape == (2, len(nsgt.frequencies), nsgt.n_frames(n_samples))
    back = library.to_numpy(nsgt.inverse(C, length=n_samples))
    assert back.dtype == dtype
    assert_same_spectrum(back, y.astype(float), dtype)
    bands = nsgt.bands(given)
    assert_same_spectrum(library.to_numpy(nsgt.inverse(bands, length=n_samples)), y.astype(float), dtype)


def test_bands_hold_about_twice_as_many_numbers_as_the_signal(rng):
    bands = aa.NSGT(sr=22050).bands(rng.standard_normal(22050))
    assert sum(2 * band.size for band in bands) < 4.1 * 22050


def test_the_whole_result_of_the_inverse_is_the_signal_and_zeros(rng):
    y = rng.standard_normal(5003)
    nsgt = aa.NSGT(sr=22050)
    back = nsgt.inverse(nsgt(y))
    assert back.shape == (nsgt.n_frames(5003) * nsgt.hop_length,)
    np.testing.assert_allclose(back[:5003], y, atol=1e-12)
    np.testing.assert_allclose(back[5003:], 0, atol=1e-12)


def test_the_frame_is_tight(rng):
    """Energy is kept: rows hold the positive frequencies, but for 0 Hz and half the rate, with half their energy."""
    nsgt = aa.NSGT(sr=22050)
    n = 19 * 1000
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[[0, -1]] = 0
    y = np.fft.irfft(spectrum, n)
    energy = sum(2 * n * np.mean(np.abs(band) ** 2) for band in nsgt.bands(y))
    assert energy == pytest.approx(np.sum(y**2), rel=1e-12)
    assert nsgt.hop_length == 19


def test_sinusoids_are_in_their_row_with_half_their_amplitude():
    n = 22050
    nsgt = aa.NSGT(sr=22050, output="magnitude")
    y = 0.8 * np.cos(2 * np.pi * 440 * np.arange(n) / 22050)
    S = nsgt(y)
    row = int(np.argmin(np.abs(nsgt.frequencies - 440)))
    inside = S[:, 200:-200]
    assert set(inside.argmax(axis=0)) == {row}
    np.testing.assert_allclose(inside[row], 0.4, rtol=2e-2)


def test_clicks_are_where_they_were():
    y = np.zeros(22050)
    y[11000] = 1
    nsgt = aa.NSGT(sr=22050)
    times = nsgt.times(22050)
    C = np.abs(nsgt(y))
    for row in range(60, len(C)):
        assert abs(times[C[row].argmax()] - 11000 / 22050) < 2 * nsgt.hop_length / 22050


@pytest.mark.parametrize("output", ["magnitude", "power", "phase"])
def test_outputs_are_parts_of_the_complex_one(output, rng):
    y = rng.standard_normal(3000)
    C = aa.NSGT(sr=8000)(y)
    expected = {"magnitude": np.abs(C), "power": np.abs(C) ** 2, "phase": np.angle(C)}[output]
    np.testing.assert_allclose(aa.NSGT(sr=8000, output=output)(y), expected, atol=1e-12)


def test_items_do_not_depend_on_their_mates(rng):
    y = rng.standard_normal((3, 4000)).astype(np.float32)
    nsgt = aa.NSGT(sr=8000)
    np.testing.assert_array_equal(nsgt(y)[1], nsgt(y[1]))


def test_silence_stays_silent():
    nsgt = aa.NSGT(sr=8000)
    assert not np.abs(nsgt(np.zeros(1000))).any()
    assert not nsgt.inverse(nsgt(np.zeros(1000)), length=1000).any()


def test_settings_travel():
    nsgt = aa.NSGT(sr=8000, fmax=2000.0, bins_per_octave=24)
    assert aa.NSGT.from_dict(json.loads(nsgt.to_json())) == nsgt
    assert pickle.loads(pickle.dumps(nsgt)) == nsgt
    assert hash(nsgt) == hash(aa.NSGT(sr=8000, fmax=2000, bins_per_octave=24))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aa.NSGT(sr=0), "sr=0: must be greater than 0"),
        (lambda: aa.NSGT(sr=8000, fmin=0), "fmin=0: must be greater than 0"),
        (lambda: aa.NSGT(sr=8000, fmax=5000), "fmax=5000: must be at most sr / 2 = 4000 Hz"),
        (lambda: aa.NSGT(sr=8000, fmin=3000, fmax=3000), "fmin=3000.*: must be below fmax"),
        (lambda: aa.NSGT(sr=8000, bins_per_octave=0), "bins_per_octave=0: must be at least 1"),
        (lambda: aa.NSGT(sr=8000, output="db"), "output='db': must be one of"),
        (lambda: aa.NSGT(sr=8000, output="power").inverse(np.ones((3, 3))), "only complex coefficients"),
        (lambda: aa.NSGT(sr=8000).inverse(np.ones((3, 5), complex)), "have 3 rows: must have 86"),
        (lambda: aa.NSGT(sr=8000).inverse(np.ones(5, complex)), r"shape \(5,\): must be"),
        (lambda: aa.NSGT(sr=8000).inverse(np.ones((86, 5), complex), length=9), r"length=9: gives \d+ frames, and"),
        (lambda: aa.NSGT(sr=8000).inverse([np.ones(5, complex)]), "length=None: bands come back"),
        (lambda: aa.NSGT(sr=8000).inverse([np.ones(1, complex)] * 86, length=9999), "row . has 1 coefficients: must"),
        (lambda: aa.NSGT(sr=8000)(np.array([])), "0 samples"),
        (lambda: aa.NSGT(sr=8000)(np.array([np.nan, 0])), "NaN or infinite"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(aa.ArrayAudioError, match=message):
        make()


def test_float32_is_as_good_as_its_format(rng):
    y = rng.standard_normal(5000).astype(np.float32)
    nsgt = aa.NSGT(sr=22050)
    assert relative_error(nsgt(y), nsgt(y.astype(float))) <= SPECTRUM["float32"]


def test_it_takes_the_whole_signal():
    with pytest.raises(aa.ParameterError, match="NSGT takes the whole signal at once, and cannot be streamed"):
        aa.NSGT(sr=8000).stream()
