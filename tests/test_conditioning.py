"""Frames without their mean and with more treble: as a matrix, in tiles, and as settings of transforms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import arrayaudio as aa
from arrayaudio.conditioning import Conditioning, conditioned
from arrayaudio.kernels.tiled.spectrogram import spectrogram as tiled
from arrayaudio.plan import spectrogram
from arrayaudio.transforms.base import compiled

from .tolerances import assert_same_levels, assert_same_spectrum

KALDI = {"sr": 16000, "compat": "kaldi"}


def test_frames_are_changed_as_kaldi_does(rng):
    frame = rng.standard_normal(7)
    centred = frame - sum(frame) / 7
    expected = [centred[0] * (1 - 0.9), *(centred[i] - 0.9 * centred[i - 1] for i in range(1, 7))]
    both = Conditioning(8, remove_dc=True, preemphasis=0.9)
    assert_allclose(conditioned(frame[None], both)[0], expected, atol=1e-14)
    assert_allclose(both.matrix(7) @ frame, expected, atol=1e-14)


@pytest.mark.parametrize("options", [{}, {"remove_dc": False}, {"preemphasis": 0.0}, {"center": True}, {"power": 1}])
def test_tiles_agree_with_the_reference(rng, options, dtype):
    y = (rng.standard_normal((2, 9000)) + 1).astype(dtype)
    plan = compiled(aa.MelSpectrogram(**KALDI, **options))
    assert_same_levels(tiled(y, plan), spectrogram.reference(y.astype(np.float64), plan), dtype)


def test_a_basis_takes_the_place_of_all_of_it(rng):
    y = rng.standard_normal(4000) + 1
    transform = aa.MelSpectrogram(**KALDI, trainable_stft=True)
    assert transform.params["basis"].shape == (2, 257, 400)
    basis = transform._arrays["basis"]()
    assert_allclose(transform.with_params({"basis": basis})(y), transform(y), atol=1e-10)


def test_a_window_at_the_start_has_zeros_behind_it(rng):
    y = rng.standard_normal(3000)
    start = aa.MelSpectrogram(
        sr=16000, n_fft=512, win_length=400, hop_length=160, window_at="start", center=False, n_mels=20
    )
    window = np.concatenate([aa.get_window("hann", 400), np.zeros(112)])
    longer = aa.MelSpectrogram(sr=16000, n_fft=512, hop_length=160, window=window, center=False, n_mels=20)
    assert_same_spectrum(start(y), longer(np.concatenate([y, np.zeros(112)])))
    assert start.n_frames(3000) == 17
    assert start.times(3000)[0] == 200 / 16000
    assert start.min_length == 400


def test_long_signals_streams_and_budgets(rng):
    y, mel = rng.standard_normal(20000), aa.MelSpectrogram(**KALDI)
    assert_same_levels(np.concatenate(list(mel.blocks(y, block_length=3000)), axis=-1), mel(y))
    assert_same_levels(mel(y, memory_budget=2**20), mel(y))
    mfcc = aa.MFCC(**KALDI)
    assert_same_levels(np.concatenate(list(mfcc.blocks(y, block_length=3000)), axis=-1), mfcc(y))
    values, lengths, _ = mfcc.ragged([y, y[:5000]])
    assert_same_levels(values[1, :, : lengths[1]], mfcc(y[:5000]))


def test_gradients_of_windows_and_signals(rng):
    y, mel = rng.standard_normal(900), aa.MelSpectrogram(**KALDI)
    aa.check_grads(lambda y, w: mel.with_params({"window": w})(y), y, aa.get_window("hann", 400) + 0.1)


@pytest.mark.parametrize("scale", ["log", "db", None])
def test_energy_takes_the_first_place(rng, scale):
    y = rng.standard_normal(800) + 1
    mfcc = aa.MFCC(sr=16000, compat="kaldi", scale=scale, top_db=None)
    frame = y[:400] - y[:400].mean()
    energy = np.sum(frame**2)
    expected = {"log": np.log(energy), "db": 10 * np.log10(energy), None: energy}[scale]
    assert mfcc(y)[0, 0] == pytest.approx(expected, rel=1e-12)
    assert_allclose(mfcc(y)[1:], aa.MFCC(sr=16000, compat="kaldi", scale=scale, top_db=None, energy=False)(y)[1:])


def test_lifters_count_from_one_or_from_zero(rng):
    y = rng.standard_normal(4000)
    plain, first, zeroth = (
        aa.MFCC(sr=16000, n_mfcc=5, lifter=lifter, lifter_from=n)(y) for lifter, n in ((0, 1), (22, 1), (22, 0))
    )
    n = np.arange(5)
    assert_allclose(first, plain * (1 + 11 * np.sin(np.pi * (n + 1) / 22))[:, None])
    assert_allclose(zeroth, plain * (1 + 11 * np.sin(np.pi * n / 22))[:, None])


def test_symmetric_windows():
    n = np.arange(9)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 8)
    assert_allclose(aa.get_window("hann_symmetric", 9), hann, atol=1e-15)
    assert_allclose(aa.get_window("hamming_symmetric", 9), 0.54 - 0.46 * np.cos(2 * np.pi * n / 8), atol=1e-15)
    assert_allclose(aa.get_window("povey", 9), hann**0.85, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_at": "end"}, "window_at='end'"),
        ({"remove_dc": 2}, "remove_dc=2"),
        ({"preemphasis": 1.5}, "preemphasis=1.5: must be at most 1"),
        ({"preemphasis": -0.1}, "preemphasis=-0.1"),
        ({"remove_dc": True, "win_length": 400}, "use window_at='start', or win_length=2048"),
    ],
)
def test_errors_say_what_to_do(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.MelSpectrogram(sr=16000, **options)


def test_energy_needs_levels_that_do_not_depend_on_the_whole():
    with pytest.raises(aa.ParameterError, match="use top_db=None"):
        aa.MFCC(sr=16000, energy=True).stream()
