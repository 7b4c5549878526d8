"""CQT and VQT against sums over samples, librosa's kernels, and themselves by other methods."""

import functools
import json
import math
import pickle
import time
import tracemalloc

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.frames import PAD_MODES

from . import naive_constant_q, traced
from .tolerances import assert_near_peak, peak_error

EXACT = ("auto", "1992", "1992v2")
OCTAVES = ("2010", "2010v2")
BASE = {"sr": 8000, "fmin": 220.0, "n_bins": 14, "hop_length": 160}
N = 1500


@functools.cache
def signal(name, n=N):
    """Signals at 8 kHz whose samples are float32 numbers."""
    t = np.arange(n) / 8000
    made = {
        "noise": lambda: np.random.default_rng(7).standard_normal(n),
        "impulse": lambda: np.eye(1, n, 2 * n // 3)[0],
        "tone": lambda: np.sin(2 * np.pi * 330 * t),
        "sweep": lambda: scipy.signal.chirp(t, 60, t[-1], 3900, method="logarithmic"),
        "silence": lambda: np.zeros(n),
    }[name]()
    made = made.astype(np.float32).astype(np.float64)
    made.setflags(write=False)
    return made


@functools.cache
def sums(name, n, items):
    return naive_constant_q.cqt(signal(name, n), **dict(items))


def expected(name="noise", n=N, **options):
    return sums(name, n, tuple(sorted(options.items())))


def transform(method="auto", **options):
    return (aa.VQT if "gamma" in options else aa.CQT)(method=method, **options)


SETTINGS = [
    *({"hop_length": hop} for hop in (7, 24, 160, 441, 500, 512, 1148, 1300)),
    *({"norm": norm, "hop_length": 48} for norm in (2, 3, math.inf, None)),
    *({"window": w, "hop_length": 48} for w in ("hamming", "boxcar", ("kaiser", 8.0), "blackmanharris")),
    {"window": ("gaussian", 40.0), "hop_length": 20},
    {"filter_scale": 0.5},
    {"filter_scale": 2, "hop_length": 64},
    {"filter_scale": 0.01},
    *({"tuning": tuning} for tuning in (0.3, -1.25)),
    *({"gamma": gamma, "hop_length": 30} for gamma in (0.0, 1e-3, 30.0, None)),
    {"sr": 7040, "n_bins": 49, "hop_length": 300},  # the highest bin is at sr / 2
    {"n_bins": 1},
    {"n_bins": 8, "bins_per_octave": 1, "filter_scale": 0.6, "fmin": 20.0},  # 400, 200, 100, 50, 25, ... samples
    {"bins_per_octave": 36, "fmin": 500.0, "n_bins": 30},
    {"center": False},
    {"center": False, "hop_length": 16},
    *({"pad_mode": mode} for mode in PAD_MODES),
    *({"normalization": kind, "norm": norm} for kind in ("convolutional", "wrap") for norm in (1, 2)),
]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_equals_the_sums(library, dtype, options):
    options = BASE | options
    y = library.asarray(signal("noise").astype(dtype))
    for method in EXACT:
        C = library.to_numpy(transform(method, **options)(y))
        assert C.dtype == np.result_type(dtype, np.complex64)
        assert_near_peak(C, expected(**options))
    np.testing.assert_array_equal(library.to_numpy(y), signal("noise"))


@pytest.mark.parametrize("name", ["impulse", "tone", "sweep", "silence"])
@pytest.mark.parametrize("options", [{}, {"hop_length": 24}, {"gamma": None, "pad_mode": "reflect"}], ids=str)
def test_equals_the_sums_for_any_signal(library, dtype, name, options):
    options = BASE | options
    for method in EXACT:
        C = library.to_numpy(transform(method, **options)(library.asarray(signal(name).astype(dtype))))
        assert_near_peak(C, expected(name, **options))
        assert name != "silence" or not C.any()


def test_a_hop_of_one_sample(library, dtype):
    options = BASE | {"hop_length": 1, "n_bins": 4}
    for method in EXACT:
        C = library.to_numpy(transform(method, **options)(library.asarray(signal("noise", 150).astype(dtype))))
        assert_near_peak(C, expected(n=150, **options))


@pytest.mark.parametrize("n", [1, 2, 99, 160, 629, 630])
def test_signals_shorter_than_a_kernel(library, dtype, n):
    y = library.asarray(signal("noise", n).astype(dtype))
    # One or two samples repeated are a constant, of which next to nothing is left.
    for mode in ("constant",) if n < 3 else ("constant", "symmetric", "wrap", "edge"):
        options = BASE | {"pad_mode": mode}
        for method in EXACT:
            assert_near_peak(library.to_numpy(transform(method, **options)(y)), expected(n=n, **options))


@settings(max_examples=40)
@given(
    sr=st.floats(1000, 16000),
    fmin=st.floats(100, 300),
    bins_per_octave=st.integers(1, 24),
    n_bins=st.integers(1, 20),
    hop=st.integers(1, 700),
    n=st.integers(400, 700),
    gamma=st.floats(0, 100),
    center=st.booleans(),
    mode=st.sampled_from(PAD_MODES),
    method=st.sampled_from(EXACT),
)
def test_equals_the_sums_whatever_the_settings(sr, fmin, bins_per_octave, n_bins, hop, n, gamma, center, mode, method):
    options = {"sr": sr, "fmin": fmin, "bins_per_octave": bins_per_octave, "gamma": gamma, "hop_length": 40 + hop}
    n_bins = min(n_bins, 1 + int(bins_per_octave * math.log2(sr / 2 / fmin)))
    options |= {"n_bins": n_bins, "center": center, "pad_mode": mode, "filter_scale": 0.5}
    made = transform(method, **options)
    if n >= made.min_length:
        y = signal("noise", n)
        assert_near_peak(made(y), naive_constant_q.cqt(y, **options))


class TestBatches:
    @pytest.mark.parametrize("method", EXACT + OCTAVES)
    def test_items_are_as_they_would_be_alone(self, library, dtype, method, rng):
        y = rng.standard_normal((2, 3, 700)).astype(dtype)
        made = transform(method, **BASE | {"hop_length": 16})
        together = library.to_numpy(made(library.asarray(y)))
        assert together.shape == (2, 3, 14, made.n_frames(700))
        assert together.flags.c_contiguous
        for place in np.ndindex(2, 3):
            alone = library.to_numpy(made(library.asarray(y[place])))
            np.testing.assert_array_equal(together[place], alone)

    @pytest.mark.parametrize("method", EXACT + OCTAVES)
    def test_may_be_empty(self, library, method):
        C = library.to_numpy(transform(method, **BASE)(library.asarray(np.zeros((2, 0, 700)))))
        assert C.shape == (2, 0, 14, 5)

    def test_do_not_depend_on_the_number_of_threads(self):
        results = []
        for n in (1, 3):
            aa.set_num_threads(n)
            results.append(aa.cqt(signal("noise"), **BASE | {"hop_length": 16}))
        np.testing.assert_array_equal(*results)


class TestVariableQ:
    def test_without_gamma_it_is_the_constant_q_transform(self):
        np.testing.assert_array_equal(aa.vqt(signal("noise"), gamma=0, **BASE), aa.cqt(signal("noise"), **BASE))

    def test_is_continuous_in_gamma(self):
        errors = [
            peak_error(aa.vqt(signal("noise"), gamma=gamma, **BASE), aa.cqt(signal("noise"), **BASE))
            for gamma in (1e-1, 1e-2, 1e-3, 1e-9)
        ]
        # Lengths lose a sample at a time, so that errors fall by steps.
        assert errors == sorted(errors, reverse=True)
        assert errors[0] < 0.05
        assert errors[-1] < 1e-3

    def test_kernels_get_shorter_at_low_frequencies(self):
        constant, variable = aa.CQT(sr=22050), aa.VQT(sr=22050)
        shorter = variable.lengths / constant.lengths
        assert (np.diff(shorter) > 0).all()
        assert shorter[0] < 0.2 < 0.9 < shorter[-1]

    def test_lengths_are_those_of_librosa(self):
        for gamma in (None, 0, 17.0):
            made = aa.VQT(sr=22050, gamma=gamma, bins_per_octave=24, filter_scale=0.7)
            theirs, _ = librosa.filters.wavelet_lengths(freqs=made.frequencies, sr=22050, gamma=gamma, filter_scale=0.7)
            np.testing.assert_allclose(made.lengths, theirs, rtol=1e-12)


LOW = {"sr": 8000, "fmin": 65.0, "n_bins": 60, "hop_length": 128}


class TestOctaves:
    """By halving the rate: near to the exact methods."""

    @pytest.mark.parametrize("method", OCTAVES)
    @pytest.mark.parametrize("name", ["noise", "impulse", "tone", "sweep"])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"hop_length": 160},
            {"hop_length": 441},
            {"hop_length": 512, "pad_mode": "reflect"},
            {"n_bins": 12},
            {"gamma": None, "hop_length": 500},
            {"center": False},
            {"bins_per_octave": 24, "norm": None},
            {"window": "blackmanharris", "norm": 2, "pad_mode": "edge"},
            {"n_bins": 71, "filter_scale": 0.5, "hop_length": 64},
        ],
        ids=str,
    )
    def test_are_within_the_documented_error(self, method, name, options, dtype):
        options = LOW | options
        y = signal(name, 6000).astype(dtype)
        result, exact = transform(method, **options)(y), transform(**options)(y.astype(np.float64))
        assert result.dtype == np.result_type(dtype, np.complex64)
        assert peak_error(result, exact) < 5e-4
        # The signal is padded first: the ends are as good as the rest.
        assert peak_error(result[:, [0, 1, -2, -1]], exact[:, [0, 1, -2, -1]]) < 5e-4 or name == "impulse"

    @pytest.mark.parametrize("method", OCTAVES)
    def test_run_on_every_library(self, library, dtype, method):
        y = signal("noise", 3000).astype(dtype)
        C = library.to_numpy(transform(method, **LOW)(library.asarray(y)))
        assert_near_peak(C, transform(method, **LOW)(y.astype(np.float64)), dtype)

    @pytest.mark.parametrize(("window", "limit"), [("hamming", 2e-2), ("boxcar", 0.2), (("kaiser", 8.0), 1e-3)])
    def test_lose_what_windows_with_jumps_leak(self, window, limit):
        y = signal("noise", 6000)
        error = peak_error(transform("2010", window=window, **LOW)(y), transform(window=window, **LOW)(y))
        assert 1e-4 < error < limit

    @pytest.mark.parametrize("method", EXACT + OCTAVES)
    def test_have_no_delay(self, method):
        y = np.eye(1, 6000, 24 * 128)[0]
        size = np.abs(transform(method, **LOW)(y))
        assert (size.argmax(axis=-1) == 24).all()
        # Kernels may have one sample more on the left.
        assert np.abs(size[:, 24 - 4 : 24] - size[:, 28:24:-1]).max() < 0.03 * size.max()

    def test_keep_the_scale_of_low_bins(self):
        made = transform("2010", norm=1, normalization="wrap", **LOW | {"n_bins": 24, "output": "magnitude"})
        for k in (0, 7, 23):
            tone = 0.7 * np.sin(2 * np.pi * made.frequencies[k] * np.arange(8000) / 8000)
            assert abs(made(tone)[k, 31] - 0.7) < 1e-3

    def test_an_odd_hop_cannot_be_halved(self, dtype):
        y = signal("noise").astype(dtype)
        options = BASE | {"hop_length": 441}
        assert_near_peak(transform("2010", **options)(y), expected(**options))


class TestOutputs:
    def test_are_seen_from_the_coefficients(self, library, dtype):
        y = library.asarray(signal("noise").astype(dtype))
        for method in ("auto", "2010"):
            results = {
                kind: library.to_numpy(transform(method, output=kind, **BASE)(y))
                for kind in ("complex", "magnitude", "power", "phase")
            }
            assert {r.dtype for kind, r in results.items() if kind != "complex"} == {np.dtype(dtype)}
            assert all(r.flags.c_contiguous for r in results.values())
            C = results["complex"].astype(complex)
            assert_near_peak(results["magnitude"], np.abs(C))
            assert_near_peak(results["power"], np.abs(C) ** 2)
            assert_near_peak(results["phase"], np.angle(C))

    def test_tolerance_trades_digits_for_speed(self):
        options = LOW | {"hop_length": 16, "fmin": 40.0, "n_bins": 24}
        y = signal("noise", 4000)
        exact = transform(**options)
        for method in ("auto", "1992"):
            made = transform(method, tolerance=1e-3, **options)
            assert 1e-9 < peak_error(made(y), exact(y)) < 1e-3
            assert made.bank.like(y).spectra.values.size < transform(method, **options).bank.like(y).spectra.values.size
        direct = transform("1992v2", tolerance=1e-3, **options)
        assert_near_peak(direct(y), exact(y))


def test_sinusoids_have_their_amplitude():
    y = 0.3 * np.cos(2 * np.pi * 440 * np.arange(8000) / 8000)
    C = aa.cqt(y, sr=8000, fmin=110, n_bins=48, norm=1, normalization="wrap")
    np.testing.assert_allclose(C[24, 8], 0.3 * np.exp(2j * np.pi * 440 / 8000 * 8 * 512), atol=1e-4)


SWEEP = {"sr": 22050, "fmin": 65.4, "n_bins": 72, "hop_length": 512}


class TestLibrosa:
    def by_kernels(self, y, sr, fmin, n_bins, hop_length, gamma=0.0):
        freqs = librosa.cqt_frequencies(n_bins, fmin=fmin)
        basis, lengths = librosa.filters.wavelet(freqs=freqs, sr=sr, gamma=gamma, dtype=np.complex128)
        half = basis.shape[1] // 2
        padded = np.pad(y, half)
        frames = librosa.util.frame(padded, frame_length=2 * half, hop_length=hop_length)
        return np.sqrt(lengths)[:, None] * (basis.conj() @ frames)

    @pytest.mark.parametrize("gamma", [0.0, None, 12.0])
    def test_equals_sums_over_its_kernels_which_its_recursion_does_not(self, gamma):
        t = np.arange(33000) / 22050
        y = scipy.signal.chirp(t, 65, t[-1], 4000, method="logarithmic")
        exact = self.by_kernels(y, gamma=gamma, **SWEEP)
        assert_near_peak(aa.vqt(y, gamma=gamma, **SWEEP), exact)
        assert_near_peak(aa.vqt(y.astype(np.float32), gamma=gamma, **SWEEP), exact)
        theirs = librosa.vqt(y, gamma=gamma, **SWEEP) if gamma != 0 else librosa.cqt(y, **SWEEP)
        assert 2e-3 < peak_error(theirs, exact) < 0.2
        assert peak_error(aa.vqt(y, gamma=gamma, method="2010", **SWEEP), exact) < 2e-4


def test_large_banks_are_ready_soon_and_small(dtype):
    y = np.random.default_rng(0).standard_normal(44100).astype(dtype)
    made = aa.CQT(sr=44100, fmin=27.5, n_bins=264, bins_per_octave=36)
    made(y)  # compiles
    other = aa.CQT(sr=44100, fmin=27.501, n_bins=264, bins_per_octave=36)
    start = time.process_time()
    other.bank.like(y)
    assert time.process_time() - start < 2
    tracemalloc.start()
    try:
        aa.CQT(sr=44100, fmin=27.502, n_bins=264, bins_per_octave=36)(y)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_stage_code_runs_on_a_namespace_that_records():
    for method in EXACT + OCTAVES:
        made = transform(method, output="power", **BASE | {"hop_length": 16})
        traced.calls.clear()
        result = made(traced.Traced(signal("noise", 700)))
        assert isinstance(result, traced.Traced)
        assert "matmul" in traced.calls or "rfft" in traced.calls
        assert_near_peak(result.value, made(signal("noise", 700)))


class TestSettings:
    def test_axes(self):
        made = aa.CQT(sr=22050)
        np.testing.assert_allclose(made.frequencies, librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1")))
        np.testing.assert_allclose(
            made.lengths, librosa.filters.wavelet_lengths(freqs=made.frequencies, sr=22050)[0], rtol=1e-9
        )
        assert made.min_length == 1
        assert made.n_frames(22050) == 44 == made(np.ones(22050)).shape[1]
        np.testing.assert_allclose(made.times(22050), np.arange(44) * 512 / 22050)

    def test_frames_inside_the_signal(self):
        made = aa.CQT(center=False, **BASE)
        width = 2 * math.ceil(made.lengths[0] / 2)
        assert made.min_length == width
        assert made.n_frames(width + 160) == 2
        np.testing.assert_allclose(made.times(width + 160), [width / 2 / 8000, (width / 2 + 160) / 8000])
        with pytest.raises(aa.ParameterError, match=f"signal has 100 samples: must have at least {width}"):
            made(np.ones(100))

    @pytest.mark.parametrize(
        "made",
        [
            aa.CQT(sr=8000, n_bins=60, norm=math.inf, window=("kaiser", 8.0), tolerance=1e-3),
            aa.CQT(sample_rate=8000, f_min=50, n_bins=20, output_format="power", norm=None, method="2010"),
            aa.VQT(sr=8000, n_bins=60, gamma=20, normalization="wrap", tuning=0.5),
            aa.VQT(sr=8000, n_bins=60),
        ],
        ids=str,
    )
    def test_travel(self, made):
        made(np.ones(3000))
        for copy in (type(made).from_dict(json.loads(made.to_json())), pickle.loads(pickle.dumps(made))):
            assert copy == made
            assert hash(copy) == hash(made)
            np.testing.assert_array_equal(copy(signal("noise")), made(signal("noise")))

    def test_differ(self):
        assert aa.CQT(**BASE) == aa.CQT(**BASE)
        assert aa.CQT(**BASE) != aa.CQT(**BASE | {"hop_length": 161})
        assert aa.CQT(**BASE) != aa.VQT(**BASE)
        assert aa.VQT(**BASE) != aa.VQT(gamma=0, **BASE)

    def test_show_what_was_given(self):
        assert repr(aa.CQT(sr=8000, fmin=220, n_bins=14)) == "CQT(sr=8000.0, fmin=220.0, n_bins=14)"
        assert repr(aa.VQT(sr=8000, fmin=220, n_bins=14, gamma=3)) == "VQT(sr=8000.0, fmin=220.0, n_bins=14, gamma=3.0)"


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sr": None}, "sr=None: constant-Q transforms need the sampling rate"),
            ({"sr": 0}, "sr=0: must be greater than 0"),
            ({"hop_length": 0}, "hop_length=0: must be at least 1"),
            ({"hop_length": None}, "hop_length=None: must be a whole number"),
            ({"fmin": 0}, "fmin=0: must be greater than 0"),
            ({"fmin": -1}, "fmin=-1: must be greater than 0"),
            ({"fmin": np.nan}, "fmin=nan: must be finite"),
            ({"n_bins": 0}, "n_bins=0: must be at least 1"),
            ({"n_bins": True}, "n_bins=True: must be a whole number"),
            ({"n_bins": 60}, "n_bins=60: bin 51 at 4186.01 Hz is above sr / 2 = 4000 Hz; use at most 51 bins"),
            ({"n_bins": 65536}, "use at most 51 bins, or a lower fmin"),
            ({"fmin": 5000}, "bin 0 at 5000 Hz is above sr / 2 = 4000 Hz; use a lower fmin"),
            ({"tuning": 1e6}, "is above sr / 2 = 4000 Hz; use a lower fmin"),
            ({"tuning": -1e6}, "the longest kernel has inf samples: must be at most 16777216"),
            ({"fmin": 1e-320}, "the longest kernel has inf samples: must be at most 16777216"),
            ({"fmin": 1e-3}, r"the longest kernel has 1\.39e\+08 samples: must be at most 16777216; use a higher fmin"),
            ({"bins_per_octave": 0}, "bins_per_octave=0: must be at least 1"),
            ({"tuning": np.inf}, "tuning=inf: must be finite"),
            ({"filter_scale": 0}, "filter_scale=0: must be greater than 0"),
            ({"norm": 0}, "norm=0: must be greater than 0"),
            ({"norm": -1}, "norm=-1: must be greater than 0"),
            ({"norm": "l2"}, "norm='l2': must be a real number"),
            ({"window": "hahn"}, "window='hahn'"),
            ({"window": np.hanning(630)}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": np.hanning(64)}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": [0.5, 1.0]}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": np.hanning}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": None}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": ()}, "window: must be a name or a .* since kernels differ in length"),
            ({"window": ("dpss", 50.0), "n_bins": 40}, r"window=\('dpss', 50.0\): NW must be less than M/2"),
            ({"method": "1993"}, "method='1993': must be one of 'auto', '1992', '1992v2', '2010', '2010v2'"),
            ({"normalization": "none"}, "normalization='none': must be one of 'librosa', 'convolutional', 'wrap'"),
            ({"tolerance": 0}, "tolerance=0: must be greater than 0"),
            ({"tolerance": 1}, "tolerance=1: must be less than 1"),
            ({"output": "db"}, "output='db': must be one of"),
            ({"center": 1}, "center=1: must be one of True, False"),
            ({"pad_mode": "empty"}, "pad_mode='empty': must be one of"),
            ({"sample_rate": 8000}, "mean the same"),
        ],
        ids=str,
    )
    def test_settings(self, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.CQT(**BASE | options)

    @pytest.mark.parametrize("gamma", [-1, np.nan, "erb"])
    def test_gamma(self, gamma):
        with pytest.raises(aa.ParameterError, match=f"gamma={gamma!r}: must be"):
            aa.VQT(gamma=gamma, **BASE)

    def test_signals(self, library):
        made = aa.CQT(**BASE)
        y = np.ones(1000)
        y[3] = np.nan
        with pytest.raises(aa.ParameterError, match="signal has 1 NaN or infinite samples, the first at index 3"):
            made(y)
        assert np.isnan(aa.CQT(check_finite=False, **BASE)(y)).any()
        with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
            made(library.asarray(np.zeros(0)))
        with pytest.raises(aa.DTypeError, match="int64"):
            made(library.asarray(np.ones(1000, np.int64)))
        with pytest.raises(aa.DTypeError, match="complex128"):
            made(library.asarray(np.ones(1000, complex)))
        with pytest.raises(aa.ParameterError, match="signal has 316 samples: must have at least 317"):
            aa.CQT(pad_mode="reflect", **BASE)(library.asarray(np.ones(316)))
