"""The phase vocoder: librosa's and the textbook's numbers, and what stretching keeps."""

import librosa
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.arrays import cumulative_sum

from . import naive_inverse
from .tolerances import assert_same_spectrum, relative_error

# The phases that librosa sums up hold all whole turns, so that the sums grow and lose digits.
LIBROSAS_DIGITS = 1e-9
RATES = [0.37, 0.5, 1, 1.3, 2, 7.5, 100]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n_fft", [32, 31])
def test_equals_the_oracle(library, dtype, rate, n_fft, rng):
    D = aa.stft(rng.standard_normal((2, 300)).astype(dtype), n_fft=n_fft, hop_length=8)
    result = library.to_numpy(aa.phase_vocoder(library.asarray(D), rate=rate, hop_length=8, n_fft=n_fft))
    assert result.dtype == D.dtype
    for ours, item in zip(result, D, strict=True):
        expected = naive_inverse.phase_vocoder(item.astype(np.complex128), rate, 8, n_fft)
        assert_same_spectrum(ours, expected, dtype)


@pytest.mark.parametrize("rate", RATES)
def test_equals_librosa_whichever_the_hop(rate, rng):
    D = librosa.stft(rng.standard_normal(20000), n_fft=512, hop_length=100)
    for hop in (None, 100, 77):
        theirs = librosa.phase_vocoder(D, rate=rate, hop_length=hop)
        assert relative_error(aa.phase_vocoder(D, rate=rate, hop_length=hop), theirs) < LIBROSAS_DIGITS


def test_float32_does_not_drift(rng):
    D = aa.stft(rng.standard_normal(100000).astype(np.float32), n_fft=64)
    exact = aa.phase_vocoder(D.astype(np.complex128), rate=0.3)
    assert_same_spectrum(aa.phase_vocoder(D, rate=0.3), exact, "float32")


def test_rate_1_changes_nothing(library, dtype, rng):
    y = rng.standard_normal(3000).astype(dtype)
    D = aa.stft(y, n_fft=128)
    assert_same_spectrum(library.to_numpy(aa.phase_vocoder(library.asarray(D), rate=1)), D)
    result = library.to_numpy(aa.time_stretch(library.asarray(y), rate=1, n_fft=128))
    assert result.dtype == dtype
    assert relative_error(result, y) < {"float32": 2e-6, "float64": 1e-12}[dtype]


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.7])
def test_a_tone_keeps_its_pitch_and_changes_its_length(library, rate):
    y = np.sin(2 * np.pi * 1000 * np.arange(16000) / 8000)
    stretched = library.to_numpy(aa.time_stretch(library.asarray(y), rate=rate, n_fft=512))
    assert stretched.shape == (round(16000 / rate),)
    middle = stretched[2000:-2000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(spectrum.argmax() * 8000 / len(middle) - 1000) < 3
    assert abs(np.sqrt(np.mean(middle**2)) - np.sqrt(0.5)) < 0.1  # neighbouring bins drift apart: phasiness


@pytest.mark.parametrize(
    "options", [{}, {"n_fft": 511}, {"n_fft": 400, "hop_length": 160, "window": "hamming"}], ids=str
)
def test_time_stretch_equals_librosa(options, rng):
    y = rng.standard_normal(20000)
    for rate in (0.7, 2):
        theirs = librosa.effects.time_stretch(y, rate=rate, **options)
        assert relative_error(aa.time_stretch(y, rate=rate, **options), theirs) < LIBROSAS_DIGITS


def test_without_centring_the_end_is_filled_with_zeros(rng):
    stretched = aa.time_stretch(rng.standard_normal(1000), rate=0.5, n_fft=256, center=False)
    assert stretched.shape == (2000,)
    assert stretched[-64:].tolist() == [0] * 64
    assert np.abs(stretched[:1400]).max() > 1


def test_items_are_as_they_would_be_alone(dtype, rng):
    y = rng.standard_normal((2, 3, 2000)).astype(dtype)
    together = aa.time_stretch(y, rate=0.8, n_fft=128)
    for place in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[place], aa.time_stretch(y[place], rate=0.8, n_fft=128))


def test_silence_and_empty_batches(library, dtype):
    y = library.asarray(np.zeros(1000, dtype))
    np.testing.assert_array_equal(library.to_numpy(aa.time_stretch(y, rate=0.5, n_fft=128)), np.zeros(2000, dtype))
    assert aa.time_stretch(library.asarray(np.zeros((0, 1000), dtype)), rate=2, n_fft=128).shape == (0, 500)


def test_cumulative_sums(library, rng):
    x = rng.standard_normal((3, 50))
    np.testing.assert_allclose(library.to_numpy(cumulative_sum(library.asarray(x))), np.cumsum(x, axis=-1), rtol=1e-12)


@pytest.mark.parametrize(
    ("D", "options", "message"),
    [
        (np.ones((33, 9)), {"rate": 0}, "rate=0: must be at least 0.001"),
        (np.ones((33, 9)), {"rate": np.inf}, "rate=inf: must be finite"),
        (np.ones((33, 9)), {"rate": 1, "hop_length": 0}, "hop_length=0"),
        (np.ones((33, 9)), {"rate": 1, "n_fft": 1.5}, "n_fft=1.5"),
        (np.ones((33, 0)), {"rate": 1}, r"shape \(33, 0\)"),
        (np.ones(33), {"rate": 1}, r"shape \(33,\)"),
    ],
)
def test_errors(D, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.phase_vocoder(D, **options)


def test_errors_of_time_stretch():
    with pytest.raises(aa.ParameterError, match=r"rate=-1: must be at least 0\.001"):
        aa.time_stretch(np.ones(100), rate=-1)
    with pytest.raises(aa.ParameterError, match="rate=300: leaves no sample of 100"):
        aa.time_stretch(np.ones(100), rate=300)
    with pytest.raises(aa.DTypeError, match="int64"):
        aa.phase_vocoder(np.ones((33, 9), int), rate=1)
