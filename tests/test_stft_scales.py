"""The STFT on linear and logarithmic scales of frequency, and its inverse by least squares."""

import functools
import pickle

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nnAudio.features import stft as nnaudio

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import INDEX_MODES, VALUE_MODES, Framing
from arrayaudio.kernels.cpu.spectrogram import spectrogram as kernel
from arrayaudio.nonuniform import is_dense
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.plan_inverse import adjoint
from arrayaudio.project import fourier_basis
from arrayaudio.transforms.base import compiled

from . import naive_scales, traced
from .tolerances import SPECTRUM, assert_same_spectrum, relative_error

SETTINGS = [
    {"freq_scale": "linear", "n_fft": 32},
    {"freq_scale": "log", "n_fft": 31, "hop_length": 7, "freq_bins": 5},
    {"freq_scale": "linear", "n_fft": 37, "hop_length": 5, "center": False, "fmin": 900, "fmax": 1000, "freq_bins": 12},
    {"freq_scale": "log", "n_fft": 32, "win_length": 20, "window": "hamming", "fmin": 3.5, "pad_mode": "reflect"},
    {"freq_scale": "linear", "n_fft": 1, "hop_length": 3, "freq_bins": 2},
    # by the FFT
    {"freq_scale": "linear", "n_fft": 64, "freq_bins": 210},
    {"freq_scale": "log", "n_fft": 67, "hop_length": 30, "freq_bins": 220, "fmin": 1e-3, "pad_mode": "edge"},
    {"freq_scale": "linear", "n_fft": 66, "win_length": 41, "hop_length": 80, "freq_bins": 220, "fmin": 3990},
]
DETECTORS = {"complex": lambda X: X, "magnitude": np.abs, "power": lambda X: np.abs(X) ** 2}
SIGNALS = np.random.default_rng(3).standard_normal((2, 2, 130)).astype(np.float32)


def oracle(y, transform):
    """The transform by loops, for each item of a batch."""
    window = np.zeros(transform.n_fft)
    left = (transform.n_fft - transform.win_length) // 2
    window[left : left + transform.win_length] = scipy.signal.get_window(transform.window, transform.win_length)
    hz = naive_scales.scale(transform.freq_scale, transform.freq_bins, transform.fmin, transform.fmax)
    rows = y.reshape(-1, y.shape[-1])
    how = transform.n_fft, transform.hop_length, window, transform.center, transform.pad_mode
    each = [naive_scales.stft_at(row, hz / transform.sr, *how) for row in rows]
    return np.stack(each).reshape(*y.shape[:-1], *each[0].shape)


@functools.cache
def expected(number):
    return oracle(SIGNALS.astype(np.float64), aa.STFT(sr=8000, **SETTINGS[number]))


def test_the_settings_take_both_ways():
    ways = [is_dense(t.freq_bins, t.n_fft) for t in (aa.STFT(sr=8000, **options) for options in SETTINGS)]
    assert ways == [True] * 5 + [False] * 3


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=lambda n: str(SETTINGS[n]))
class TestEqualsTheOracle:
    @pytest.mark.parametrize("output", DETECTORS)
    def test_in_size_and_angle(self, library, dtype, number, output):
        transform = aa.STFT(sr=8000, output=output, **SETTINGS[number])
        result = transform(library.asarray(SIGNALS.astype(dtype)))
        assert result.shape == (2, 2, transform.freq_bins, transform.n_frames(130))
        if library.name.startswith("numpy"):
            assert result.flags.c_contiguous
        values = library.to_numpy(result)
        assert values.dtype == (np.result_type(dtype, np.complex64) if output == "complex" else dtype)
        assert_same_spectrum(values, DETECTORS[output](expected(number)), dtype)

    def test_in_phase_counted_from_the_start_of_the_frame(self, library, dtype, number):
        phase = aa.STFT(sr=8000, output="phase", **SETTINGS[number])(library.asarray(SIGNALS.astype(dtype)))
        X, angle = expected(number), library.to_numpy(phase)
        assert angle.dtype == dtype
        assert np.abs(angle).max() <= np.pi * (1 + 1e-6)
        assert relative_error(np.abs(X) * np.exp(1j * angle), X) <= SPECTRUM[dtype]


class TestEqualsNnAudio:
    """In float32, which is all that nnAudio has."""

    @pytest.mark.parametrize(
        ("scale", "options"),
        [
            ("linear", {}),
            ("log", {}),
            ("log2", {}),
            ("linear", {"freq_bins": 300, "hop_length": 200, "win_length": 601}),
            ("log", {"freq_bins": 2000, "fmin": 30, "fmax": 11025, "window": "hamming"}),
            ("linear", {"freq_bins": 5, "fmin": 440, "fmax": 450, "center": False}),
        ],
        ids=str,
    )
    def test_on_its_scales(self, scale, options, rng):
        options = {"n_fft": 1024, "sr": 22050, "pad_mode": "reflect"} | options
        y = rng.standard_normal((2, 6000)).astype(np.float32)
        layer = nnaudio.STFT(freq_scale=scale, verbose=False, **options)
        theirs = layer(torch.from_numpy(y)).numpy()
        ours = aa.STFT(freq_scale=scale.rstrip("2"), **{"fmin": 50, "fmax": 6000} | options)
        np.testing.assert_allclose(ours.frequencies, layer.bins2freq, rtol=1e-12)
        assert_same_spectrum(theirs[..., 0] + 1j * theirs[..., 1], ours(y.astype(np.float64)), "float32")

    def test_on_that_of_the_fft(self, rng):
        y = rng.standard_normal((2, 6000)).astype(np.float32)
        theirs = nnaudio.STFT(n_fft=1024, freq_bins=100, verbose=False)(torch.from_numpy(y)).numpy()
        ours = aa.stft(y.astype(np.float64), n_fft=1024, pad_mode="reflect")[:, :100]
        assert_same_spectrum(theirs[..., 0] + 1j * theirs[..., 1], ours, "float32")


@pytest.mark.parametrize("n_fft", [256, 2048])
def test_the_linear_scale_has_the_rows_of_librosa_where_they_meet(dtype, n_fft, rng):
    y = rng.standard_normal(9000).astype(dtype)
    ours = aa.stft(y, n_fft=n_fft, sr=22050, freq_scale="linear", freq_bins=n_fft // 2)
    assert_same_spectrum(ours, librosa.stft(y.astype(np.float64), n_fft=n_fft)[:-1])


class TestAxes:
    def test_frequencies(self):
        linear = aa.STFT(sr=8000, freq_scale="linear", freq_bins=4, fmin=100, fmax=300)
        assert linear.frequencies.tolist() == [100, 150, 200, 250]
        log = aa.STFT(sr=8000, freq_scale="log", freq_bins=4, fmin=100, fmax=1600)
        np.testing.assert_allclose(log.frequencies, [100, 200, 400, 800], rtol=1e-15)

    def test_range_and_number_have_defaults(self):
        linear, log = (aa.STFT(sr=8000, n_fft=500, freq_scale=scale) for scale in ("linear", "log"))
        assert (linear.fmin, linear.fmax, linear.freq_bins) == (0, 4000, 251)
        assert (log.fmin, log.fmax, log.freq_bins) == (16, 4000, 251)
        assert aa.STFT(n_fft=500).freq_bins is None

    def test_a_zoom_tells_where_between_the_bins_a_tone_is(self):
        y = np.sin(2 * np.pi * 1003.5 * np.arange(8000) / 8000)
        zoom = aa.STFT(sr=8000, n_fft=512, freq_scale="linear", fmin=990, fmax=1020, freq_bins=60, output="magnitude")
        assert zoom.frequencies[zoom(y)[:, 30].argmax()] == 1003.5
        assert zoom.times(8000)[30] == 30 * 128 / 8000


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=lambda n: str(SETTINGS[n]))
def test_short_and_silent_signals(library, dtype, number):
    transform = aa.STFT(sr=8000, **SETTINGS[number])
    shortest = transform.min_length
    y = SIGNALS[0, 0, :shortest].astype(dtype)
    assert_same_spectrum(library.to_numpy(transform(library.asarray(y))), oracle(y, transform), dtype)
    silence = library.to_numpy(transform(library.asarray(0 * y)))
    np.testing.assert_array_equal(silence, 0 * silence)
    if shortest > 1:
        with pytest.raises(aa.ParameterError, match=f"signal has {shortest - 1} samples"):
            transform(library.asarray(y[1:]))


@settings(max_examples=60)
@given(
    n_fft=st.integers(64, 300),
    hop=st.integers(1, 200),
    n=st.integers(301, 1500),
    bins=st.integers(260, 500),
    batch=st.sampled_from([(), (3,), (2, 2), (0,)]),
    low=st.floats(0, 0.4),
    detector=st.sampled_from(["complex", 1.0, 2.0]),
    mode=st.sampled_from(INDEX_MODES),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_kernel_equals_the_reference(n_fft, hop, n, bins, batch, low, detector, mode, seed):
    rng = np.random.default_rng(seed)
    cycles = Constant(np.linspace(low, 0.5, bins))
    plan = Plan(Framing(n_fft, hop, n_fft // 2, mode), Constant(rng.random(n_fft)), detector, frequencies=cycles)
    y = rng.standard_normal((*batch, n))
    result = kernel(y, plan)
    assert result is not NotImplemented
    assert_same_spectrum(result, spectrogram.reference(y, plan))


def test_the_kernel_declines_dense_bases_and_banks():
    framing, window = Framing(64, 16), Constant(np.ones(64))
    few, many = Constant(np.linspace(0, 0.5, 9)), Constant(np.linspace(0, 0.5, 300))
    assert kernel(np.ones(99), Plan(framing, window, frequencies=few)) is NotImplemented
    bank = Constant(np.ones((2, 300)))
    assert kernel(np.ones(99), Plan(framing, window, 2.0, bank, frequencies=many)) is NotImplemented
    banded = spectrogram(np.ones(99), Plan(framing, window, 2.0, bank, frequencies=many))
    rows = spectrogram(np.ones(99), Plan(framing, window, 2.0, frequencies=many))
    assert_same_spectrum(banded[0], rows.sum(axis=0))


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=lambda n: str(SETTINGS[n]))
class TestBatches:
    def test_items_are_as_they_would_be_alone(self, dtype, number):
        transform = aa.STFT(sr=8000, **SETTINGS[number])
        y = SIGNALS.astype(dtype)
        together, back = transform(y), transform.inverse(expected(number), n_iter=5)
        for place in np.ndindex(2, 2):
            np.testing.assert_array_equal(together[place], transform(y[place]))
            np.testing.assert_array_equal(back[place], transform.inverse(expected(number)[place], n_iter=5))

    def test_may_be_empty(self, number):
        transform = aa.STFT(sr=8000, **SETTINGS[number])
        S = transform(SIGNALS[:0])
        assert S.shape == (0, 2, transform.freq_bins, transform.n_frames(130))
        y, residual = transform.inverse(S, residual=True)
        assert y.shape[:2] == residual.shape == (0, 2)


@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=lambda n: str(SETTINGS[n]))
def test_the_adjoint_is_exact(library, dtype, number, mode, rng):
    transform = aa.STFT(sr=8000, **SETTINGS[number] | {"pad_mode": mode})
    y = rng.standard_normal((2, 133)).astype(dtype)
    X = library.to_numpy(transform(library.asarray(y)))
    S = (rng.standard_normal(X.shape) + 1j * rng.standard_normal(X.shape)).astype(X.dtype)
    back = library.to_numpy(adjoint(library.asarray(S), compiled(transform), 133))
    assert back.dtype == dtype
    one, other = (np.vdot(a.astype(np.complex128), b).real for a, b in ((X, S), (y, back)))
    assert abs(one - other) <= SPECTRUM[dtype] * np.linalg.norm(X) * np.linalg.norm(S)


def test_runs_on_a_namespace_that_records(rng):
    transform = aa.STFT(sr=8000, n_fft=64, freq_scale="log", freq_bins=250)
    y = rng.standard_normal(300)
    S = transform(y)
    assert_same_spectrum(transform(traced.Traced(y)).value, S)
    back = transform.inverse(traced.Traced(S), n_iter=4, tolerance=None)
    assert_same_spectrum(back.value, transform.inverse(S, n_iter=4, tolerance=None))


class TestSettings:
    @pytest.mark.parametrize("options", SETTINGS, ids=str)
    def test_survive_dict_json_and_pickle(self, options):
        transform = aa.STFT(sr=8000, **options)
        assert aa.STFT.from_dict(transform.to_dict()) == transform
        assert aa.STFT.from_json(transform.to_json()) == transform
        assert pickle.loads(pickle.dumps(transform)) == transform
        assert hash(transform) == hash(aa.STFT(sr=8000, **options))

    def test_the_function_takes_them(self, rng):
        y = rng.standard_normal(3000)
        S = aa.stft(y, sr=8000, freq_scale="log", freq_bins=20, f_min=100, f_max=3000)
        np.testing.assert_array_equal(S, aa.STFT(sr=8000, freq_scale="log", freq_bins=20, fmin=100, fmax=3000)(y))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"freq_scale": "mel"}, "freq_scale='mel': must be one of 'fft', 'linear', 'log'"),
            ({"freq_scale": None}, "freq_scale=None: must be one of"),
            ({"freq_bins": 10}, "freq_bins=10: needs freq_scale='linear' or 'log'"),
            ({"fmin": 0}, "fmin=0: needs freq_scale"),
            ({"fmax": 100}, "fmax=100: needs freq_scale"),
            ({"freq_scale": "log", "sr": None}, "sr=None: freq_scale='log' needs the sampling rate"),
            ({"freq_scale": "linear", "freq_bins": 0}, "freq_bins=0: must be at least 1"),
            ({"freq_scale": "linear", "freq_bins": True}, "freq_bins=True: must be a whole number"),
            ({"freq_scale": "linear", "fmin": -1}, "fmin=-1: must be at least 0"),
            ({"freq_scale": "linear", "fmin": 300, "fmax": 300}, "fmin=300: must be below fmax = 300 Hz"),
            ({"freq_scale": "linear", "fmax": 4001}, "fmax=4001: must be at most sr / 2 = 4000 Hz"),
            ({"freq_scale": "linear", "fmax": float("nan")}, "fmax=nan: must be finite"),
            ({"freq_scale": "log", "fmin": 0}, "fmin=0: must be greater than 0"),
            ({"freq_scale": "log", "n_fft": 2}, "fmin=4000.0: must be below fmax = 4000 Hz"),
        ],
    )
    def test_are_checked(self, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.STFT(**{"sr": 8000} | options)

    @pytest.mark.parametrize(
        ("S", "given", "message"),
        [
            (np.ones((32, 9)), {}, r"shape \(32, 9\): must be \(\.\.\., 33, n_frames\) as this transform has 33 rows"),
            (np.ones(33), {}, r"shape \(33,\): must be"),
            (np.ones((33, 0)), {}, "at least one frame"),
            (np.full((33, 9), np.nan), {}, "spectrum has NaN or infinite values"),
            (np.ones((33, 9)), {"n_iter": -1}, "n_iter=-1: must be at least 0"),
            (np.ones((33, 9)), {"tolerance": -1}, "tolerance=-1: must be at least 0"),
            (np.ones((33, 9)), {"residual": 1}, "residual=1: must be one of True, False"),
            (np.ones((33, 9)), {"length": 0}, "length=0: must be at least 1"),
        ],
    )
    def test_of_the_inverse_are_checked(self, S, given, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.STFT(sr=8000, n_fft=64, freq_scale="linear").inverse(S, **given)

    @pytest.mark.parametrize("mode", VALUE_MODES)
    def test_padding_with_computed_values_has_no_inverse(self, mode):
        stft = aa.STFT(sr=8000, n_fft=64, freq_scale="linear", pad_mode=mode)
        with pytest.raises(aa.ParameterError, match=f"pad_mode='{mode}': has no adjoint"):
            stft.inverse(stft(np.ones(160)))

    def test_magnitudes_have_no_inverse(self):
        with pytest.raises(aa.ParameterError, match="output='power': only complex"):
            aa.STFT(sr=8000, freq_scale="log", output="power").inverse(np.ones((1025, 3)))


def test_bases_are_those_of_the_dft(rng):
    window, y = rng.uniform(0.5, 1.5, 8), rng.standard_normal(8)
    real, imag = fourier_basis(window, np.arange(8) / 8)
    np.testing.assert_allclose(real @ y + 1j * (imag @ y), np.fft.fft(window * y), atol=1e-13)
