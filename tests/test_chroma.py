"""Chroma and its filters against the loops and librosa."""

import json

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from . import naive, naive_features
from .tolerances import assert_same_spectrum

SR, N_FFT, HOP = 8000, 64, 20
FILTERS = {"n_chroma": 12, "tuning": 0.0, "ctroct": 5.0, "octwidth": 2.0, "norm": 2.0, "base_c": True}

BANKS = [
    {},
    {"n_chroma": 24},
    {"n_chroma": 7},
    {"n_chroma": 5, "base_c": False},
    {"n_chroma": 1},
    {"tuning": 0.3, "norm": np.inf},
    {"octwidth": None, "norm": None, "base_c": False},
    {"ctroct": 3, "octwidth": 0.5, "norm": 1},
    {"n_fft": 255},
    {"n_fft": 2},
]
NORMS = [np.inf, 1, 2, 0.5, None]


@pytest.mark.parametrize("options", BANKS, ids=str)
def test_filters_are_those_of_the_loops(options):
    bank = {"sr": 16000, "n_fft": 400} | options
    weights = aa.filters.chroma(**bank)
    assert weights.dtype == np.float64
    assert_same_spectrum(weights, naive_features.chroma_filters(**FILTERS | bank))


@pytest.mark.parametrize("options", BANKS, ids=str)
def test_filters_are_librosas(options):
    bank = {"sr": 22050, "n_fft": 2048} | options
    assert_same_spectrum(aa.filters.chroma(**bank), librosa.filters.chroma(**bank, dtype=np.float64))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("options", [{}, {"n_chroma": 5, "tuning": -0.2, "octwidth": None}], ids=str)
def test_chroma_equals_the_oracle(options, norm, library, dtype, rng):
    y = rng.standard_normal((2, 300)).astype(dtype)
    transform = aa.Chroma(sr=SR, n_fft=N_FFT, hop_length=HOP, norm=norm, **options)
    bank = naive_features.chroma_filters(SR, N_FFT, **FILTERS | options)
    expected = []
    for row in y.astype(np.float64):
        raw = bank @ np.abs(naive.stft(row, N_FFT, HOP, aa.get_window("hann", N_FFT), True, "constant")) ** 2
        expected.append(np.stack([column / naive_features.norm_of(column, norm) for column in raw.T], axis=1))
    array = library.asarray(y)
    result = library.to_numpy(transform(array))
    assert result.dtype == dtype
    assert_same_spectrum(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@pytest.mark.parametrize("norm", NORMS)
def test_chroma_equals_librosa(norm, dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    theirs = librosa.feature.chroma_stft(y=y.astype(np.float64), sr=22050, tuning=0.0, norm=norm)
    ours = aa.chroma_stft(y, sr=22050, norm=norm)
    # librosa rounds its filters to float32 whatever the signal
    assert np.linalg.norm(ours - theirs) <= 1e-6 * np.linalg.norm(theirs)


def test_the_seed_of_real_speech(audio):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac", dtype="float32")
    theirs = librosa.feature.chroma_stft(y=y.astype(np.float64), sr=sr, tuning=0.0)
    assert_same_spectrum(aa.chroma_stft(y, sr=sr), theirs)


@pytest.mark.parametrize("octave", [2, 3, 4, 5])
def test_a_tone_lights_its_pitch_class(octave):
    for semitone in range(12):
        hz = 440 * 2 ** ((semitone - 9) / 12 + octave - 3)
        y = np.sin(2 * np.pi * hz * np.arange(22050) / 22050)
        assert aa.chroma_stft(y, sr=22050, n_fft=8192)[:, 20].argmax() == semitone


@pytest.mark.parametrize("norm", NORMS)
def test_each_row_is_on_its_own_and_silence_is_zero(norm, library, dtype, rng):
    y = rng.standard_normal((2, 3, 4000)).astype(dtype)
    y[1, 1] = 0
    transform = aa.Chroma(sr=16000, norm=norm)
    together = library.to_numpy(transform(library.asarray(y)))
    alone = [[library.to_numpy(transform(library.asarray(row))) for row in item] for item in y]
    assert_same_spectrum(together, alone, dtype)
    assert not together[1, 1].any()


@pytest.mark.parametrize("norm", NORMS[:-1])
def test_loudness_does_not_count_down_to_the_smallest_numbers(norm, dtype, rng):
    y = rng.standard_normal(4000).astype(dtype)
    quiet = (1e-15 * y).astype(dtype)
    assert_same_spectrum(aa.chroma_stft(quiet, sr=16000, norm=norm), aa.chroma_stft(y, sr=16000, norm=norm), dtype)


def test_axes_and_settings():
    transform = aa.Chroma(sample_rate=16000, n_chroma=24, octwidth=None)
    assert transform.frequencies.tolist() == list(range(24))
    assert transform(np.ones(16000)).shape == (24, transform.n_frames(16000))
    assert aa.Chroma.from_dict(json.loads(transform.to_json())) == transform
    assert hash(aa.Chroma.from_json(transform.to_json())) == hash(transform)
    with pytest.raises(aa.ParameterError, match="Chroma has no inverse"):
        transform.inverse(np.ones((24, 3)))


BAD = [
    ({"n_fft": 1}, "n_fft=1: must be at least 2"),
    ({"n_chroma": 0}, "n_chroma=0: must be at least 1"),
    ({"tuning": np.nan}, "tuning=nan: must be finite"),
    ({"tuning": None}, "tuning=None: must be a real number"),
    ({"ctroct": "5"}, "ctroct='5': must be a real number"),
    ({"octwidth": 0}, "octwidth=0: must be greater than 0"),
    ({"norm": 0}, "norm=0: must be at least 0.1"),
    ({"norm": -np.inf}, "norm=-inf: must be finite"),
    ({"base_c": 1}, "base_c=1: must be one of True, False"),
    ({"sr": 0}, "sr=0: must be greater than 0"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=str)
def test_bad_settings_are_refused(options, message):
    for make in (aa.Chroma, aa.filters.chroma):
        with pytest.raises(aa.ParameterError, match=message):
            make(**{"sr": 16000, "n_fft": 512} | options)


def test_the_sampling_rate_is_needed():
    with pytest.raises(aa.ParameterError, match="sr=None: pitch classes need the sampling rate"):
        aa.Chroma(sr=None)


@pytest.mark.parametrize("norm", [np.inf, 2, None])
def test_settings_are_written_as_json_that_every_reader_takes(norm):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    chroma = aa.Chroma(sr=22050, norm=norm)
    assert aa.Chroma.from_dict(json.loads(chroma.to_json(), parse_constant=refuse)) == chroma
