import json

import librosa
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.plan import spectrogram
from arrayaudio.transforms.base import compiled

from . import naive
from .tolerances import assert_same_levels, assert_same_spectrum

SR, N_FFT, HOP = 8000, 64, 20

SETTINGS = [
    {},
    {"mel_scale": "htk", "norm": None},
    {"mel_scale": "kaldi", "norm": None, "fmin": 20.0},
    {"power": 1.0},
    {"power": 1.5},
    {"fmin": 100.0, "fmax": 3000.0, "center": False},
    {"win_length": 50, "window": "hamming", "pad_mode": "reflect"},
]


def mel_power(y, transform):
    window = np.pad(aa.get_window(transform.window, transform.win_length), (N_FFT - transform.win_length) // 2)
    X = naive.stft(y, N_FFT, HOP, window, transform.center, transform.pad_mode)
    norm = transform.norm if isinstance(transform, aa.MelSpectrogram) else transform.mel_norm
    bank = naive.mel_filters(SR, N_FFT, transform.n_mels, transform.fmin, transform.fmax, transform.mel_scale, norm)
    return bank @ np.abs(X) ** transform.power


def make(kind, **options):
    return kind(sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=8, **options)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_mel_equals_the_oracle(library, dtype, options, rng):
    y = rng.standard_normal((2, 300)).astype(dtype)
    transform = make(aa.MelSpectrogram, **options)
    result = transform(library.asarray(y))
    expected = np.stack([mel_power(row, transform) for row in y.astype(np.float64)])
    assert_same_spectrum(library.to_numpy(result), expected, dtype)


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize(
    ("scale", "factor", "log"), [("db", 20, np.log10), ("log", None, np.log), ("log10", None, np.log10)]
)
def test_levels_equal_the_oracle(library, dtype, power, scale, factor, log, rng):
    y = rng.standard_normal((2, 300)).astype(dtype)
    transform = make(aa.MelSpectrogram, power=power, scale=scale, amin=1e-3, top_db=None)
    S = np.stack([mel_power(row, transform) for row in y.astype(np.float64)])
    expected = (factor / power if factor else 1) * log(np.maximum(S, 1e-3))
    assert_same_levels(library.to_numpy(transform(library.asarray(y))), expected, dtype)


def test_the_range_of_levels_is_that_of_each_item(library, dtype, rng):
    y = (rng.standard_normal((3, 400)) * np.array([[1e-3], [1.0], [100.0]])).astype(dtype)
    transform = make(aa.MelSpectrogram, scale="db", top_db=6)
    S = np.stack([mel_power(row, transform) for row in y.astype(np.float64)])
    expected = np.stack([naive.power_to_db(item, 1.0, 1e-10, 6) for item in S])
    result = library.to_numpy(transform(library.asarray(y)))
    assert_same_levels(result, expected, dtype)
    for item in result:
        assert item.max() - item.min() == pytest.approx(6, abs=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"n_fft": 1024, "hop_length": 200, "n_mels": 64, "fmin": 50, "fmax": 7000}], ids=str
)
def test_mel_equals_librosa(options, dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    theirs = librosa.feature.melspectrogram(y=y.astype(np.float64), sr=22050, **options)
    ours = aa.melspectrogram(y, sr=22050, **options)
    # librosa rounds its filters to float32 whatever the signal
    assert np.linalg.norm(ours - theirs) <= 1e-6 * np.linalg.norm(theirs)


@pytest.mark.parametrize(
    "options",
    [{}, {"n_mfcc": 13, "lifter": 22}, {"dct_type": 3}, {"norm": None}, {"dct_type": 1, "norm": None}],
    ids=str,
)
def test_mfcc_equals_librosa(options, rng):
    y = rng.standard_normal(20000)
    theirs = librosa.feature.mfcc(y=y, sr=22050, **options)
    ours = aa.mfcc(y, sr=22050, **options)
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


@pytest.mark.parametrize("dct_type", [1, 2, 3])
@pytest.mark.parametrize("norm", ["ortho", None])
@pytest.mark.parametrize("lifter", [0, 5.5])
def test_mfcc_equals_the_oracle(library, dtype, dct_type, norm, lifter, rng):
    y = rng.standard_normal((2, 200)).astype(dtype)
    transform = make(aa.MFCC, n_mfcc=5, dct_type=dct_type, norm=norm, lifter=lifter, mel_norm=None)
    levels = [naive.power_to_db(mel_power(row, transform), 1.0, 1e-10, 80.0) for row in y.astype(np.float64)]
    expected = np.stack([naive.mfcc(level, 5, dct_type, norm == "ortho", lifter) for level in levels])
    assert_same_levels(library.to_numpy(transform(library.asarray(y))), expected, dtype)


def test_the_seed_of_real_speech(audio):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac", dtype="float32")
    ours = aa.MelSpectrogram(sr=sr, scale="db")(y)
    theirs = librosa.power_to_db(librosa.feature.melspectrogram(y=y.astype(np.float64), sr=sr))
    assert_same_levels(ours, theirs)


def test_axes_name_the_centres_of_bands_and_frames():
    transform = aa.MelSpectrogram(sr=16000, n_fft=512, n_mels=40)
    tone = np.sin(2 * np.pi * transform.frequencies[20] * np.arange(16000) / 16000)
    assert transform(tone)[:, 15].argmax() == 20
    assert transform.frequencies.shape == (40,)
    assert transform.times(16000)[15] == 15 * 512 / 16000
    assert aa.MFCC(sr=16000, n_mfcc=3).frequencies.tolist() == [0, 1, 2]


def test_empty_bands_are_named_once_and_give_finite_levels():
    transform = aa.MelSpectrogram(sr=22050, n_fft=256, n_mels=128, scale="db")
    with pytest.warns(aa.ArrayAudioWarning, match=r"mel bands \[.*\] of 128 .* n_fft=256 at sr=22050 Hz") as caught:
        first = transform(np.ones(4096))
        second = transform(np.ones(4096))
    assert len(caught) == 1
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", [aa.MelSpectrogram, aa.MFCC])
def test_the_inverse_says_why_there_is_none(kind):
    with pytest.raises(aa.ParameterError, match=f"{kind.__name__} has no inverse: it keeps neither the phase"):
        kind(sr=8000).inverse(np.ones((128, 3)), length=100)


@pytest.mark.parametrize("kind", [aa.MelSpectrogram, aa.MFCC])
def test_settings_survive_dict_and_json(kind):
    transform = kind(sr=16000.5, n_mels=30, fmax=7000, window=("kaiser", 8.0), scale="log")
    assert kind.from_dict(json.loads(transform.to_json())) == transform
    assert hash(kind.from_json(transform.to_json())) == hash(transform)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": None}, "sr=None"),
        ({"n_mels": 0}, "n_mels=0: must be at least 1"),
        ({"n_mels": 2.5}, r"n_mels=2\.5: must be a whole number"),
        ({"fmin": 3000, "fmax": 2000}, "fmin=3000: must be below fmax = 2000 Hz"),
        ({"fmin": -1}, "fmin=-1: must be at least 0"),
        ({"fmax": 8000.5}, r"fmax=8000\.5: must be at most sr / 2 = 8000 Hz"),
        ({"power": 0}, "power=0: must be greater than 0"),
        ({"power": float("nan")}, "power=nan: must be finite"),
        ({"mel_scale": "bark"}, "mel_scale='bark': must be one of 'slaney', 'htk', 'kaldi'"),
        ({"norm": "l2"}, "norm='l2': must be one of"),
        ({"scale": "dB"}, "scale='dB': must be one of 'db', 'log', 'log10', None"),
        ({"amin": 0}, "amin=0: must be greater than 0"),
        ({"top_db": -1}, "top_db=-1: must be at least 0"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    for kind in (aa.MelSpectrogram, aa.MFCC):
        with pytest.raises(aa.ParameterError, match=message):
            kind(**({"sr": 16000} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_mfcc": 41}, "n_mfcc=41: must be at most n_mels=40"),
        ({"dct_type": 4}, "dct_type=4: must be one of 1, 2, 3"),
        ({"lifter": -1}, "lifter=-1"),
        ({"mel_norm": "l1"}, "mel_norm='l1'"),
        ({"dct_type": 1, "n_mels": 1, "n_mfcc": 1}, "dct_type=1: needs n_mels of at least 2"),
    ],
    ids=str,
)
def test_bad_cepstra_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.MFCC(**({"sr": 16000, "n_mels": 40} | options))


def test_the_reference_and_the_fused_kernel_agree_on_speech(audio, dtype):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac", dtype=dtype)
    transform = aa.MelSpectrogram(sr=sr, n_fft=400, hop_length=160, n_mels=80)
    assert_same_spectrum(transform(y), spectrogram.reference(y.astype(np.float64), compiled(transform)), dtype)
