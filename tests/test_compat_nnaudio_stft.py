"""nnAudio's STFT, iSTFT and Griffin_Lim: its numbers, and what it cannot do."""

import functools
import re

import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio.compat import nnaudio

from . import naive_scales
from .nnaudio_peer import PEER, paired, run, theirs
from .tolerances import SPECTRUM, assert_same_spectrum, relative_error

SETTINGS = [
    {"n_fft": 1024},
    {"n_fft": 512, "win_length": 300},
    {"n_fft": 1000, "hop_length": 441, "window": "hamming", "pad_mode": "constant"},
    {"n_fft": 512, "center": False, "window": ("kaiser", 5.0)},
    {"n_fft": 512, "window": 8.6},
    {"n_fft": 512, "freq_bins": 100},
    {"n_fft": 512, "freq_bins": 300},
    {"n_fft": 511, "freq_bins": 511},
    {"n_fft": 512, "freq_scale": "linear"},
    {"n_fft": 512, "freq_scale": "log", "freq_bins": 77, "fmin": 30, "fmax": 11025},
    {"n_fft": 512, "freq_scale": "log2", "sr": 16000},
]


@pytest.fixture
def y(rng):
    return rng.standard_normal((2, 9000)).astype(np.float32)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
class TestStft:
    def test_has_nnaudios_numbers(self, options, y):
        mine, other = nnaudio.STFT(**options), theirs("STFT", verbose=False, **options)
        exact = paired(mine(y.astype(np.float64)))
        for kind, seen in {"Complex": lambda X: X, "Magnitude": np.abs}.items():
            ours, peer = mine(y, output_format=kind), run(other, y, output_format=kind)
            assert ours.shape == peer.shape
            assert ours.dtype == np.float32
            assert ours.flags.c_contiguous
            if kind == "Complex":
                ours, peer = paired(ours), paired(peer)
            assert_same_spectrum(ours, seen(exact), "float32")
            assert relative_error(peer, seen(exact)) <= PEER
        np.testing.assert_allclose(mine.bins2freq, other.bins2freq, rtol=1e-12)

    def test_has_nnaudios_phase(self, options, y):
        X = paired(nnaudio.STFT(**options)(y.astype(np.float64)))
        ours = nnaudio.STFT(**options, output_format="Phase")(y)
        peer = run(theirs("STFT", verbose=False, output_format="Phase", **options), y)
        assert ours.shape == peer.shape == X.shape
        assert ours.dtype == np.float32
        assert relative_error(np.abs(X) * np.exp(1j * ours), X) <= SPECTRUM["float32"]
        assert relative_error(np.abs(X) * np.exp(1j * peer), X) <= PEER


@pytest.mark.parametrize("kind", ["Complex", "Magnitude", "Phase"])
@pytest.mark.parametrize("options", [{}, {"freq_bins": 5}, {"freq_bins": 23, "n_fft": 23}, {"freq_bins": 24}], ids=str)
def test_stft_equals_the_oracle(options, kind, library, dtype, rng):
    options = {"n_fft": 24, "hop_length": 7} | options
    y, n_fft = rng.standard_normal(60).astype(dtype), options["n_fft"]
    bins = options.get("freq_bins", 1 + n_fft // 2)
    window = aa.get_window("hann", n_fft)
    expected = naive_scales.stft_at(y.astype(np.float64), np.arange(bins) / n_fft, n_fft, 7, window, True, "reflect")
    result = library.to_numpy(nnaudio.STFT(**options)(library.asarray(y), output_format=kind))[0]
    assert result.dtype == dtype
    if kind == "Complex":
        assert_same_spectrum(paired(result), expected, dtype)
    elif kind == "Magnitude":
        assert_same_spectrum(result, np.abs(expected))
    else:
        assert relative_error(np.abs(expected) * np.exp(1j * result), expected) <= SPECTRUM[dtype]


class TestInverse:
    @pytest.mark.parametrize(
        "options", [{"n_fft": 512}, {"n_fft": 400, "hop_length": 160, "window": "hamming"}], ids=str
    )
    @pytest.mark.parametrize("length", [None, 8000])
    def test_has_nnaudios_numbers(self, options, length, y):
        X = run(theirs("STFT", verbose=False, **options), y)
        X = X * np.float32(1 + np.sin(np.arange(X.shape[1])[:, None, None]))  # no longer the STFT of a signal
        peer = run(theirs("STFT", verbose=False, iSTFT=True, **options).inverse, X, length=length)
        ours = nnaudio.STFT(**options).inverse(X, length=length)
        assert ours.shape == peer.shape
        assert relative_error(peer, ours) <= PEER
        by_class = run(theirs("iSTFT", verbose=False, **options), X, onesided=True, length=length)
        np.testing.assert_array_equal(nnaudio.iSTFT(**options)(X, onesided=True, length=length), ours)
        assert relative_error(by_class, ours) <= PEER
        # nnAudio's class has a window in float64, and so its waveforms.
        assert (by_class.dtype, ours.dtype) == (np.float64, np.float32)

    def test_takes_all_rows_too(self, y, rng):
        X = rng.standard_normal((2, 512, 20, 2)).astype(np.float32)  # of complex frames, of which the real part counts
        peer = run(theirs("iSTFT", n_fft=512, verbose=False), X)
        assert relative_error(peer, nnaudio.iSTFT(n_fft=512)(X)) <= PEER
        both = nnaudio.STFT(n_fft=512, freq_bins=512)
        np.testing.assert_allclose(nnaudio.iSTFT(n_fft=512)(both(y), length=9000), y, atol=1e-6)
        np.testing.assert_allclose(both.inverse(both(y), length=9000), y, atol=1e-6)

    @pytest.mark.parametrize("n_fft", [23, 24])
    def test_of_all_rows_equals_the_oracle(self, n_fft, library, dtype, rng):
        X = rng.standard_normal((1, n_fft, 9)) + 1j * rng.standard_normal((1, n_fft, 9))
        window, total, weight = aa.get_window("hann", n_fft), np.zeros(8 * 7 + n_fft), np.zeros(8 * 7 + n_fft)
        for t in range(9):
            for n in range(n_fft):
                waves = np.exp(2j * np.pi * np.arange(n_fft) * n / n_fft)
                total[7 * t + n] += window[n] * (X[0, :, t] * waves).sum().real / n_fft
                weight[7 * t + n] += window[n] ** 2
        pairs = library.asarray(np.stack([X.real, X.imag], axis=-1).astype(dtype))
        result = library.to_numpy(nnaudio.iSTFT(n_fft=n_fft, hop_length=7)(pairs))
        inside = slice(n_fft // 2, -(n_fft // 2))
        assert result.dtype == dtype
        assert_same_spectrum(result[0], (total / np.where(weight, weight, 1))[inside])

    def test_goes_back_also_where_nnaudio_does_not(self, y):
        for options in (
            {"n_fft": 512, "win_length": 300},  # nnAudio's class crashes
            {"n_fft": 511},  # an odd length loses a row in nnAudio
            {"n_fft": 512, "iSTFT": False},  # nnAudio builds inverse kernels on request
            {"n_fft": 512, "freq_bins": 300},
        ):
            layer = nnaudio.STFT(**options)
            np.testing.assert_allclose(layer.inverse(layer(y), length=9000), y, atol=2e-6)
        with pytest.raises(RuntimeError):
            run(theirs("iSTFT", n_fft=512, win_length=300, verbose=False), nnaudio.STFT(n_fft=512)(y), onesided=True)
        with pytest.raises(RuntimeError):
            run(theirs("STFT", n_fft=511, iSTFT=True, verbose=False).inverse, nnaudio.STFT(n_fft=511)(y))

    def test_counts_rows_that_were_left_out_as_zero(self, y):
        few, all_rows = nnaudio.STFT(n_fft=512, freq_bins=100), nnaudio.STFT(n_fft=512)
        X = all_rows(y)
        X[:, 100:] = 0
        np.testing.assert_allclose(few.inverse(few(y)), all_rows.inverse(X), atol=1e-6)

    @pytest.mark.parametrize("scale", ["linear", "log", "log2"])
    def test_of_other_scales_is_by_least_squares(self, scale, rng):
        options = {"n_fft": 128, "freq_scale": scale, "fmin": 10, "fmax": 4000, "sr": 8000}
        n = np.arange(4000)
        y = np.sin(2 * np.pi * 440 / 8000 * n) + np.sin(2 * np.pi * 1000 / 8000 * n)
        layer = nnaudio.STFT(freq_bins=300, **options)
        back = layer.inverse(layer(y), length=4000)
        assert relative_error(back, y[None]) <= 1e-5
        np.testing.assert_array_equal(nnaudio.iSTFT(freq_bins=300, **options)(layer(y), length=4000), back)
        peer = theirs("STFT", iSTFT=True, verbose=False, **options)
        assert relative_error(run(peer.inverse, run(peer, np.float32(y)), length=4000), y[None]) > 0.3

    @pytest.mark.parametrize(
        ("X", "options", "message"),
        [
            (np.zeros((1, 257, 9)), {}, "must be (batch, freq, time, 2)"),
            (np.zeros((1, 257, 9, 3)), {}, "must be (batch, freq, time, 2)"),
            (np.zeros((1, 200, 9, 2)), {}, "spectrum has 200 rows: must have 257"),
            (np.zeros((1, 257, 9, 2)), {"onesided": False}, "has 257 rows: must have 512; with onesided=True"),
            (np.zeros((1, 257, 9, 2)), {"length": 99999}, "length=99999: must be at least 1 and at most"),
        ],
        ids=str,
    )
    def test_says_what_it_takes(self, X, options, message):
        with pytest.raises(aa.ParameterError, match=re.escape(message)):
            nnaudio.STFT(n_fft=512).inverse(X, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freq_scale": "mel"}, "freq_scale='mel': must be one of 'no', 'linear', 'log', 'log2'"),
        ({"n_fft": 64, "freq_bins": 65}, "freq_bins=65: must be at most n_fft=64"),
        ({"freq_bins": 0}, "freq_bins=0"),
        ({"freq_scale": "log", "fmax": 20000}, "fmax=20000: must be at most sr / 2"),
        ({"window": True}, "window=True"),
        ({"window": "round"}, "window='round'"),
        ({"pad_mode": "bounce"}, "pad_mode='bounce'"),
    ],
    ids=str,
)
def test_stft_refuses_settings_that_mean_nothing(options, message):
    with pytest.raises(aa.ParameterError, match=re.escape(message)):
        nnaudio.STFT(**options)


def test_unknown_formats_are_errors_where_nnaudio_returns_nothing(y):
    assert theirs("STFT", verbose=False).forward(torch.tensor(y), output_format="Power") is None
    with pytest.raises(aa.ParameterError):
        nnaudio.STFT()(y, output_format="Power")


def test_signals_shorter_than_the_reflection_are_errors_as_in_nnaudio():
    with pytest.raises(AssertionError):
        run(theirs("STFT", verbose=False), np.ones(1000, np.float32))
    with pytest.raises(aa.ParameterError, match="signal has 1000 samples: must have at least 1025"):
        nnaudio.STFT()(np.ones(1000, np.float32))


def age_torch(monkeypatch):
    """Let torch.stft and torch.istft be as when nnAudio's Griffin_Lim was written: with pairs of real numbers."""
    stft, istft = torch.stft, torch.istft
    monkeypatch.setattr(torch, "stft", lambda *a, **k: torch.view_as_real(stft(*a, return_complex=True, **k)))
    monkeypatch.setattr(torch, "istft", lambda X, *a, **k: istft(torch.view_as_complex(X), *a, **k))


class TestGriffinLim:
    @pytest.mark.parametrize(
        ("n_fft", "options"),
        [
            (256, {}),
            (256, {"n_iter": 3, "momentum": 0.0, "window": "hamming"}),
            (400, {"n_iter": 10, "hop_length": 160, "win_length": 320, "pad_mode": "constant"}),
        ],
        ids=str,
    )
    def test_is_nnaudios_algorithm(self, n_fft, options, monkeypatch, rng):
        settings = {"n_iter": 32, "hop_length": n_fft // 4, "momentum": 0.99, "pad_mode": "reflect"} | options
        stft = {name: value for name, value in settings.items() if name not in ("n_iter", "momentum")}
        S = aa.stft(rng.standard_normal((2, 4000)), n_fft=n_fft, output="magnitude", **stft)
        peer = theirs("Griffin_Lim", n_fft, **options)
        peer.w = torch.tensor(aa.get_window(options.get("window", "hann"), peer.win_length))
        # Else its phases would stay in float32.
        monkeypatch.setattr(torch, "empty", functools.partial(torch.empty, dtype=torch.float64))
        monkeypatch.setattr(torch, "randn", lambda *shape, device: torch.tensor(turns))
        turns = np.stack([np.random.default_rng(5).random(S.shape[-2:])] * 2)
        age_torch(monkeypatch)
        expected = run(peer, S)
        assert relative_error(nnaudio.Griffin_Lim(n_fft, **options)(S, seed=5), expected) <= 1e-8

    def test_runs_where_nnaudios_raises(self, y):
        S = nnaudio.STFT(n_fft=512, output_format="Magnitude")(y)
        with pytest.raises(RuntimeError):
            run(theirs("Griffin_Lim", 512), S)
        back = nnaudio.Griffin_Lim(512)(S, seed=1)
        assert back.shape == (2, 70 * 128)
        assert back.dtype == np.float32
        again = aa.stft(back, n_fft=512, pad_mode="reflect", output="magnitude")
        assert relative_error(again, S) < 0.2

    def test_length_seed_and_batch(self, library, dtype, rng):
        S = library.asarray(aa.stft(rng.standard_normal((2, 3000)).astype(dtype), n_fft=256, output="magnitude"))
        layer = nnaudio.Griffin_Lim(256, n_iter=4)
        back = library.to_numpy(layer(S, length=3000, seed=3))
        assert back.shape == (2, 3000)
        assert back.dtype == dtype
        assert_same_spectrum(library.to_numpy(layer(S, length=3000, seed=3)), back)
        for k in range(2):
            assert_same_spectrum(library.to_numpy(layer(S[k : k + 1, ...], length=3000, seed=3))[0], back[k])
        assert relative_error(library.to_numpy(layer(S, length=3000, seed=4)), back) > 0.1
        assert relative_error(library.to_numpy(layer(S, length=3000)), library.to_numpy(layer(S, length=3000))) > 0.1

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda: nnaudio.Griffin_Lim(256)(np.ones((129, 9))),
                "has shape (129, 9): must be (batch, freq",
            ),
            (lambda: nnaudio.Griffin_Lim(256)(np.ones((1, 100, 9))), "must be (..., 129, n_frames)"),
            (lambda: nnaudio.Griffin_Lim(256)(-np.ones((1, 129, 9))), "must be finite and not negative"),
            (lambda: nnaudio.Griffin_Lim(0), "n_fft=0"),
            (lambda: nnaudio.Griffin_Lim(256, n_iter=-1), "n_iter=-1"),
            (lambda: nnaudio.Griffin_Lim(256, momentum=-1), "momentum=-1"),
            (lambda: nnaudio.Griffin_Lim(256, device="tpu"), "device='tpu'"),
        ],
    )
    def test_refuses(self, make, message):
        with pytest.raises(aa.ParameterError, match=re.escape(message)):
            make()
