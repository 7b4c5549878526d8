"""What phase gradient heap integration gains on recordings, alone and as a start for Griffin-Lim."""

import numpy as np
import pytest
import soundfile

import arrayaudio as aa

from . import naive_inverse

LOOKAHEADS = [None, 0, 1]


def recording(audio, name):
    y, _ = soundfile.read(audio / f"{name}.flac", dtype="float32", always_2d=True, frames=66150)
    return y[:, 0]


def convergence_db(y, S, **options):
    X = aa.stft(y, output="magnitude", **options)
    return 20 * np.log10(naive_inverse.spectral_convergence(X, S))


class TestRecordings:
    @pytest.mark.parametrize(
        ("name", "options", "least"),
        [
            ("speech", {"n_fft": 1024, "hop_length": 128}, (15, 13, 15)),
            ("guitar", {"n_fft": 2048, "hop_length": 256}, (15, 13, 15)),
            ("piano", {"n_fft": 2048, "hop_length": 512}, (13, 11, 13)),
        ],
        ids=str,
    )
    def test_come_back_far_better_than_with_phases_of_zero_or_chance(self, audio, name, options, least):
        y = recording(audio, name)
        S = aa.stft(y, output="magnitude", **options)
        nothing, chance = (
            convergence_db(aa.griffinlim(S, n_iter=0, init=init, seed=0, length=len(y), **options), S, **options)
            for init in (None, "random")
        )
        for lookahead, gain in zip(LOOKAHEADS, least, strict=True):
            once = aa.pghi(S, lookahead=lookahead, seed=0, length=len(y), **options)
            assert convergence_db(once, S, **options) < min(nothing, chance) - gain

    @pytest.mark.parametrize("name", ["speech", "guitar", "piano"])
    def test_give_griffin_lim_a_better_start(self, audio, name):
        y = recording(audio, name)
        options = {"n_fft": 2048, "hop_length": 512}
        S = aa.stft(y, output="magnitude", **options)
        after = {
            init: convergence_db(aa.griffinlim(S, init=init, seed=0, length=len(y), **options), S, **options)
            for init in ("random", "pghi")
        }
        assert after["pghi"] < after["random"] - 5

    def test_one_frame_of_lookahead_helps(self, audio):
        y = recording(audio, "speech")
        options = {"n_fft": 1024, "hop_length": 256}
        S = aa.stft(y, output="magnitude", **options)
        blind, seeing = (
            convergence_db(aa.pghi(S, lookahead=k, seed=0, length=len(y), **options), S, **options) for k in (0, 1)
        )
        assert seeing < blind - 1
