"""Per-channel energy normalisation against the loops and librosa."""

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from . import naive_features as naive
from .tolerances import assert_same_spectrum

SETTINGS = [
    {},
    {"gain": 0.5, "bias": 10.0, "power": 0.25},
    {"power": 0},
    {"bias": 0},
    {"b": 0.3, "eps": 1e-3},
    {"b": 0},
    {"b": 1},
    {"time_constant": 0.06, "hop_length": 256},
    {"max_size": 2},
    {"max_size": 3},
    {"max_size": 20},
]
DEFAULTS = {"gain": 0.98, "bias": 2.0, "power": 0.5, "eps": 1e-6, "max_size": 1}


def energies(rng, shape, dtype):
    return (1e3 * rng.standard_normal(shape) ** 2).astype(dtype)


def expected(S, options, before=1.0):
    """The loops, with librosa's documented coefficient for a time constant in seconds."""
    known = {"time_constant": 0.4, "hop_length": 512} | DEFAULTS | options
    frames = known.pop("time_constant") * 22050 / known.pop("hop_length")
    b = known.pop("b", (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2))
    return np.stack([naive.pcen(item, b=b, before=before, **known) for item in S.astype(np.float64)])


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_bands_are_those_of_the_loops(options, library, dtype, rng):
    S = energies(rng, (2, 6, 150), dtype)
    array = library.asarray(S)
    result = library.to_numpy(aa.pcen(array, sr=22050, **options))
    assert result.dtype == dtype
    assert_same_spectrum(result, expected(S, options), dtype)
    np.testing.assert_array_equal(library.to_numpy(array), S)


@pytest.mark.parametrize("options", [s for s in SETTINGS if s.get("b") != 0], ids=str)  # librosa's has no state for it
def test_bands_are_librosas(options, dtype, rng):
    S = energies(rng, (40, 300), dtype)
    assert_same_spectrum(
        aa.pcen(S, sr=22050, **options), librosa.pcen(S.astype(np.float64), sr=22050, **options), dtype
    )


def test_the_seed_of_real_speech(audio, dtype):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac", dtype=dtype)
    S = aa.melspectrogram(y * 2**31, sr=sr, power=1.0)
    assert_same_spectrum(aa.pcen(S, sr=sr), librosa.pcen(S.astype(np.float64), sr=sr), dtype)


def test_a_constant_band_that_starts_from_itself_stays_constant(library, dtype):
    S = np.broadcast_to(np.array([[1.0], [50.0], [1e4]]), (2, 3, 200)).astype(dtype)
    array = library.asarray(S)
    result = library.to_numpy(aa.pcen(array, sr=22050, initial=array[..., :1]))
    assert_same_spectrum(result, np.broadcast_to(result[..., :1], result.shape), dtype)
    assert_same_spectrum(result[0, 1], expected(S[:, 1:2], {}, before=50.0)[0, 0], dtype)


def test_silence_gives_zeros(library, dtype):
    S = library.asarray(np.zeros((3, 100), dtype))
    for options in SETTINGS:
        assert not library.to_numpy(aa.pcen(S, sr=16000, **options)).any()


@pytest.mark.parametrize("max_size", [1, 3])
def test_each_item_is_on_its_own(max_size, library, dtype, rng):
    S = energies(rng, (2, 2, 5, 90), dtype)
    together = library.to_numpy(aa.pcen(library.asarray(S), sr=8000, max_size=max_size))
    alone = [[library.to_numpy(aa.pcen(library.asarray(x), sr=8000, max_size=max_size)) for x in item] for item in S]
    assert_same_spectrum(together, alone, dtype)


def test_no_frames_pass():
    assert aa.pcen(np.zeros((3, 0)), sr=8000).shape == (3, 0)


S = np.ones((3, 10))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (S, {"sr": 0}, "sr=0: must be greater than 0"),
        (S, {"hop_length": 0}, "hop_length=0: must be at least 1"),
        (S, {"gain": -1}, "gain=-1: must be at least 0"),
        (S, {"bias": -1}, "bias=-1: must be at least 0"),
        (S, {"power": -1}, "power=-1: must be at least 0"),
        (S, {"eps": 0}, "eps=0: must be greater than 0"),
        (S, {"time_constant": 0}, "time_constant=0: must be greater than 0"),
        (S, {"b": 1.5}, r"b=1\.5: must be at least 0 and at most 1"),
        (S, {"b": -0.5}, r"b=-0\.5: must be at least 0"),
        (S, {"max_size": 0}, "max_size=0: must be at least 1"),
        (S, {"initial": S}, r"initial has shape \(3, 10\): must be a number or have shape \(3, 1\)"),
        (S[0], {}, r"spectrogram has shape \(10,\): must have shape \(\.\.\., freq, time\)"),
        (-S, {}, "must be finite and not negative; decibels come back"),
        (S * np.nan, {}, "must be finite and not negative"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(data, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.pcen(data, **{"sr": 8000} | options)


def test_integers_and_complex_spectra_are_refused():
    with pytest.raises(aa.DTypeError, match="spectrogram has dtype int64"):
        aa.pcen(S.astype(np.int64), sr=8000)
    with pytest.raises(aa.DTypeError, match="take its magnitude"):
        aa.pcen(S.astype(complex), sr=8000)
