"""Waveforms from constant-Q magnitudes."""

import warnings

import librosa
import numpy as np
import pytest
import soundfile

import arrayaudio as aa

from .tolerances import assert_same_spectrum

SETTINGS = {"sr": 8000, "fmin": 110.0, "hop_length": 32}


def chirp(n=4000):
    t = np.arange(n) / 8000
    return np.sin(2 * np.pi * (200 * t + 1000 * t**2)) * np.hanning(n)


def distance(y, S, **settings):
    ours = aa.cqt(y, n_bins=S.shape[-2], output="magnitude", **settings)
    return float(np.linalg.norm(ours - S) / np.linalg.norm(S))


def test_magnitudes_come_near(library, dtype):
    S = aa.cqt(chirp().astype(dtype), n_bins=48, output="magnitude", **SETTINGS)
    y = library.to_numpy(aa.griffinlim_cqt(library.asarray(S), seed=1, length=4000, **SETTINGS))
    assert y.dtype == dtype
    assert y.shape == (4000,)
    assert distance(y, S, **SETTINGS) < 0.1


def test_more_iterations_come_nearer():
    S = aa.cqt(chirp(), n_bins=48, output="magnitude", **SETTINGS)
    far, near, nearer = (
        distance(aa.griffinlim_cqt(S, seed=1, length=4000, n_iter=n, **SETTINGS), S, **SETTINGS) for n in (0, 8, 60)
    )
    assert far > 1.5 * near > 2 * nearer


def test_true_phases_give_the_signal():
    y = chirp()
    C = aa.cqt(y, n_bins=48, **SETTINGS)
    inside = slice(500, -500)
    for init in (C, np.angle(C)):
        back = aa.griffinlim_cqt(np.abs(C), init=init, n_iter=20, length=4000, **SETTINGS)
        assert np.linalg.norm((back - y)[inside]) < 1e-3 * np.linalg.norm(y[inside])


def test_recordings_come_nearer_than_by_librosa(audio):
    y, sr = soundfile.read(audio / "piano.flac")
    y = aa.resample(y if y.ndim == 1 else y.mean(axis=1), orig_sr=sr, target_sr=22050)[:44100]
    S = aa.cqt(y, sr=22050, output="magnitude")
    ours = distance(aa.griffinlim_cqt(S, sr=22050, length=44100, seed=0), S, sr=22050)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        T = np.abs(librosa.cqt(y, sr=22050))
        back = librosa.griffinlim_cqt(T, sr=22050, length=44100, random_state=0)
        theirs = np.linalg.norm(np.abs(librosa.cqt(back, sr=22050)) - T) / np.linalg.norm(T)
    assert ours < theirs


def test_items_do_not_depend_on_their_mates_and_seeds_repeat():
    S = aa.cqt(np.stack([chirp(), chirp()[::-1] / 100]), n_bins=48, output="magnitude", **SETTINGS)
    both = aa.griffinlim_cqt(S, seed=3, n_iter=4, **SETTINGS)
    assert_same_spectrum(both[1], aa.griffinlim_cqt(S[1], seed=3, n_iter=4, **SETTINGS), "float64")
    np.testing.assert_array_equal(both, aa.griffinlim_cqt(S, seed=3, n_iter=4, **SETTINGS))
    assert np.abs(both - aa.griffinlim_cqt(S, seed=4, n_iter=4, **SETTINGS)).max() > 1e-3


def test_silence_stays_silent():
    assert not aa.griffinlim_cqt(np.zeros((48, 20)), seed=0, **SETTINGS).any()


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((48, 20), {"n_iter": -1}, "n_iter=-1: must be at least 0"),
        ((48, 20), {"momentum": -0.1}, "momentum=-0.1: must be at least 0"),
        ((48, 20), {"init": "pghi"}, "init='pghi': must be 'random'"),
        ((48, 20), {"init": np.ones((3, 3))}, r"init has shape \(3, 3\)"),
        ((48, 20), {"n_bins": 47}, r"must be \(..., 47, n_frames\)"),
        ((48, 20), {"length": 10}, "length=10"),
        ((48, 0), {}, "at least one frame"),
    ],
)
def test_errors_say_what_to_do(shape, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.griffinlim_cqt(np.ones(shape), **(SETTINGS | options))


def test_magnitudes_must_not_be_negative():
    with pytest.raises(aa.ParameterError, match="negative"):
        aa.griffinlim_cqt(-np.ones((48, 20)), **SETTINGS)
