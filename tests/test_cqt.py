"""CQT and VQT against sums over samples and librosa's kernels."""

import math
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
from .constant_q_cases import BASE, EXACT, OCTAVES, expected, signal, transform
from .tolerances import assert_near_peak, peak_error

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
