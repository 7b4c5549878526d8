"""`compat=`: defaults of other libraries stand in for what is not given, and nothing else changes."""

import dataclasses

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.transforms.defaults import DEFAULTS


@pytest.mark.parametrize(("kind", "compat"), [(kind, compat) for kind in DEFAULTS for compat in DEFAULTS[kind]])
def test_defaults_become_plain_settings(kind, compat):
    make = getattr(aa, kind)
    transform = make(compat=compat)
    assert make.from_dict(transform.to_dict()) == transform
    assert dataclasses.replace(transform) == transform
    assert "compat" not in repr(transform)
    for name, value in DEFAULTS[kind][compat].items():
        if not callable(value):
            assert getattr(transform, name) == value


def test_what_is_given_stays():
    mel = aa.MelSpectrogram(sr=8000, n_mels=40, f_min=50, compat="torchaudio")
    assert (mel.sr, mel.n_mels, mel.fmin, mel.n_fft, mel.hop_length, mel.norm) == (8000, 40, 50, 400, 200, None)


def test_settings_that_follow_from_others():
    assert aa.STFT(n_fft=512, compat="torchaudio").hop_length == 256
    assert aa.STFT(n_fft=512, win_length=300, compat="torchaudio").hop_length == 150
    kaldi = aa.MFCC(sr=8000, compat="kaldi")
    assert (kaldi.win_length, kaldi.hop_length, kaldi.n_fft) == (200, 80, 256)
    assert aa.MelSpectrogram(win_length=600, compat="kaldi").n_fft == 1024
    assert aa.MelSpectrogram(win_length=None, compat="kaldi").win_length == 512
    scaled = aa.STFT(freq_scale="log", compat="nnaudio")
    assert (scaled.fmin, scaled.fmax) == (50, 6000)


def test_functions_take_it_too(rng):
    y = rng.standard_normal(4000)
    assert np.array_equal(
        aa.melspectrogram(y, compat="torchaudio", n_mels=40), aa.MelSpectrogram(compat="torchaudio", n_mels=40)(y)
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aa.STFT(compat="scipy"), "compat='scipy': must be one of 'librosa'"),
        (lambda: aa.STFT(compat="kaldi"), "kaldi has no STFT.*'librosa', 'torchaudio', 'nnaudio'"),
        (lambda: aa.Gammatonegram(sr=16000, compat="librosa"), "none"),
        (lambda: aa.VQT(sr=16000, compat="nnaudio"), "'librosa'"),
        (lambda: aa.MFCC(compat="kaldi", sr="x"), "sr='x'"),
        (lambda: aa.MelSpectrogram(compat="kaldi", win_length=0), "win_length=0"),
        (lambda: aa.STFT(compat="torchaudio", n_fft="x"), "n_fft='x'"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(aa.ParameterError, match=message):
        make()
