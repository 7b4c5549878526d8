"""Frames transformed side by side: sizes, edges and lanes of the CPU's own FFT, and its logarithm."""

import cmath
import math
import os
import platform
import subprocess
import sys

import numba
import numpy as np
import pytest

from arrayaudio.constants import Constant
from arrayaudio.frames import Framing
from arrayaudio.kernels.cpu import fft, lane_frames, lanes
from arrayaudio.kernels.cpu.rephased import rephased
from arrayaudio.kernels.cpu.spectrogram import spectrogram
from arrayaudio.kernels.cpu.synthesis import synthesis
from arrayaudio.plan import Plan
from arrayaudio.plan import spectrogram as primitive
from arrayaudio.reconstruction.griffin_lim import rephased as rephased_primitive
from arrayaudio.spectrum import Scaling

from .tolerances import assert_near_peak, assert_same_levels, assert_same_spectrum

# One, two and three butterflies; odd radices in each place.
SIZES = [16, 30, 98, 144, 250, 400, 512, 882, 2048, 3000, 4096, 6174, 16384]


def naive(frame, k):
    """One bin of the spectrum of a frame: sum over j of frame[j] exp(-2 pi i j k / n)."""
    n = len(frame)
    return sum(float(frame[j]) * cmath.exp(-2j * math.pi * (j * k % n) / n) for j in range(n))


def bins_to_check(n):
    return sorted({0, 1, 2, n // 5, n // 4, n // 3, n // 2 - 2, n // 2 - 1, n // 2})


@pytest.mark.parametrize("n", SIZES)
def test_spectra_are_sums_over_samples(n, dtype, rng):
    dtype = np.dtype(dtype)
    assert fft.covered(n, dtype)
    hop = n // 3
    # Whole vectors of frames, and some more.
    n_frames = 2 * fft.layout(n, dtype).n_lanes + 3
    y = rng.standard_normal(n + (n_frames - 1) * hop).astype(dtype)
    window = rng.random(n)
    X = spectrogram(y, Plan(Framing(n, hop), Constant(window)))
    frames = np.stack([y[t * hop : t * hop + n].astype(np.float64) * window for t in range(n_frames)])
    assert_same_spectrum(X, np.fft.rfft(frames).T, dtype.name)
    bins = bins_to_check(n)
    for t in (0, n_frames - 1):
        assert_near_peak(X[bins, t], np.array([naive(frames[t], k) for k in bins]), dtype.name)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("few", [True, False])
def test_the_way_back_gives_the_frames(n, few, dtype, rng):
    dtype = np.dtype(dtype)
    n_lanes, hop = fft.layout(n, dtype).n_lanes, n // 3
    n_frames = n_lanes - 1 if few else 2 * n_lanes + 3
    S = rng.standard_normal((2, n_frames, n // 2 + 1)) + 1j * rng.standard_normal((2, n_frames, n // 2 + 1))
    S, window = S.astype(np.result_type(dtype, np.complex64)), rng.random(n)
    exact = np.zeros((2, (n_frames - 1) * hop + n))
    for item in range(2):
        for t in range(n_frames):
            exact[item, t * hop : t * hop + n] += window * np.fft.irfft(S[item, t].astype(np.complex128), n)
    result = synthesis(S.swapaxes(-1, -2), Framing(n, hop), Constant(window))
    assert_same_spectrum(result, exact, dtype.name)


@pytest.mark.parametrize("loudness", [1.0, "smallest", "largest"])
def test_phases_come_from_signals_of_any_loudness(loudness, dtype, rng):
    limits = np.finfo(dtype)
    factor = {"smallest": 1e6 * float(limits.smallest_subnormal), "largest": float(limits.max) / 1e4}.get(loudness, 1.0)
    y, S = rng.standard_normal(2000), rng.random((51, 121)).astype(dtype)
    framing, window = Framing(100, 16, 10, "symmetric"), Constant(np.hanning(100) + 0.1)
    # Samples so small have few digits: both must see the same.
    y = (y * factor).astype(dtype)
    scaled, gain = y.astype(np.float64) / factor, rng.random(2000)
    exact = rephased_primitive.reference(scaled, scaled, S.astype(np.float64), framing, window, 0.9, gain)
    result = rephased(y, y, S, framing, window, 0.9, gain.astype(dtype))
    if loudness == "smallest":
        assert np.linalg.norm(result - exact) <= 1e-4 * np.linalg.norm(exact)
    else:
        assert_same_spectrum(result, exact, dtype)


def test_the_phase_of_silence_is_zero(dtype, rng):
    S, framing, window = rng.random((33, 40)).astype(dtype), Framing(64, 16), Constant(np.hanning(64))
    y = np.zeros(64 + 39 * 16, dtype)
    exact = synthesis(S.astype(np.complex128), framing, window)
    assert_same_spectrum(rephased(y, y, S, framing, window, 0.9, np.ones_like(y)), exact, dtype)


@pytest.mark.parametrize("n", [2, 8, 15, 22, 2 * 37, 2**15, 2 * 31 * 31])
def test_other_sizes_go_another_way(n, rng):
    assert not fft.covered(n, np.dtype(np.float32))
    y, window = rng.standard_normal(2 * n).astype(np.float32), rng.random(n)
    plan = Plan(Framing(n, n), Constant(window))
    X = np.fft.rfft(y.reshape(2, n) * window).T.astype(np.complex64)
    assert spectrogram(y, plan) is NotImplemented
    assert synthesis(X, plan.framing, plan.window) is NotImplemented
    assert rephased(y, y, np.abs(X), plan.framing, plan.window, 0.9, y) is NotImplemented
    assert_same_spectrum(primitive(y, plan), X, "float32")


def test_at_most_three_radices_with_the_least_work():
    assert fft.radices(1) == (1, 1, 1)
    assert fft.radices(32) == (1, 1, 32)
    assert fft.radices(1024) == (32, 1, 32)
    assert fft.radices(11) is None
    assert fft.radices(31**2) is None
    assert math.prod(fft.radices(2**13)) == 2**13


def test_a_sample_that_is_no_number_spoils_its_own_frames_alone(dtype, rng):
    y = rng.standard_normal(4000).astype(dtype)
    plan = Plan(Framing(64, 16, 32, "reflect"), Constant(np.hanning(64) + 0.1), 2.0)
    clean = spectrogram(y, plan)
    y[2000] = np.nan
    spoilt = spectrogram(y, plan)
    holding = np.array([t * 16 - 32 <= 2000 < t * 16 + 32 for t in range(clean.shape[1])])
    assert np.isnan(spoilt[:, holding]).all()
    np.testing.assert_array_equal(spoilt[:, ~holding], clean[:, ~holding])


@pytest.mark.parametrize("detector", ["complex", 1.0, 2.0])
def test_a_frame_is_the_same_in_any_lane_batch_and_tile(detector, dtype, rng):
    y = rng.standard_normal((3, 60000)).astype(dtype)
    plan = Plan(Framing(256, 64, 128, "reflect"), Constant(np.hanning(256)), detector)
    together = spectrogram(y, plan)
    np.testing.assert_array_equal(together[1], spectrogram(y[1], plan))
    later = spectrogram(y[1, 64 * 5 :], plan)
    np.testing.assert_array_equal(together[1][:, 7:], later[:, 2:])


def test_silence_is_the_floor_and_a_loud_neighbour_leaves_it(dtype):
    y = np.zeros((2, 5000), dtype=dtype)
    y[1, :2000] = 1e3
    scaling = Scaling(10.0, 1e-10)
    plan = Plan(Framing(128, 32), Constant(np.hanning(128)), 2.0, Constant(np.eye(5, 65)), scaling)
    S = spectrogram(y, plan)
    assert (S[0] == np.dtype(dtype).type(scaling.lowest)).all()
    assert (S[1, :, 63:] == np.dtype(dtype).type(scaling.lowest)).all()
    assert S[1].max() > 0


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("detector", ["complex", 1.0, 2.0])
def test_registers_of_any_width_give_the_numbers(width, detector, dtype, rng, monkeypatch):
    y = rng.standard_normal(2000).astype(dtype)
    bank = None if detector == "complex" else Constant(rng.random((7, 101)) * (rng.random((7, 101)) < 0.2))
    plan = Plan(Framing(200, 50, 100, "symmetric"), Constant(np.hanning(200)), detector, bank)
    exact = primitive.reference(y.astype(np.float64), plan)
    monkeypatch.setattr(lanes, "REGISTER_BYTES", width)
    fft.tables.cache_clear()
    try:
        assert fft.layout(200, np.dtype(dtype)).n_lanes == width // np.dtype(dtype).itemsize
        assert_same_spectrum(spectrogram(y, plan), exact, dtype)
    finally:
        fft.tables.cache_clear()


def logarithm(dtype):
    """The logarithm of the kernels as a function of whole arrays."""
    n = lanes.lanes(np.dtype(dtype))

    @numba.njit
    def each(x, out):
        for place in range(0, x.size, n):
            lanes.store(lanes.log(lanes.load(n, x, place)), out, place)

    def log(x):
        padded = np.ones(-(-x.size // n) * n, dtype)
        padded[: x.size] = x
        out = np.empty_like(padded)
        each(padded, out)
        return out[: x.size]

    return log


def test_logarithms_are_right_to_the_last_digits(dtype, rng):
    limits = np.finfo(dtype)
    near_one = 1 + np.arange(-2000, 2000) * limits.eps
    anywhere = np.exp(rng.uniform(np.log(float(limits.tiny)), np.log(float(limits.max)), 20000))
    bounds = [limits.tiny, limits.smallest_subnormal, 1000 * limits.smallest_subnormal, limits.max, 1, np.sqrt(0.5), 2]
    x = np.concatenate([near_one, anywhere, rng.uniform(0.4, 2.5, 20000), bounds]).astype(dtype)
    result, exact = logarithm(dtype)(x), np.log(x.astype(np.longdouble))
    # Of 1 it is 0 exactly, and elsewhere off by at most twice the distance of two numbers.
    assert (np.abs(result - exact) <= 2 * np.spacing(np.abs(exact).astype(dtype))).all()


def test_logarithms_of_infinity_and_of_no_number_are_themselves(dtype):
    np.testing.assert_array_equal(logarithm(dtype)(np.array([np.inf, np.nan], dtype)), [np.inf, np.nan])


@pytest.mark.parametrize("base", ["e", "10"])
@pytest.mark.parametrize("bank", [None, Constant(np.eye(6, 17) + np.eye(6, 17, k=4))])
def test_levels_at_and_under_the_floor_are_equal(base, bank, dtype, rng):
    y = (rng.standard_normal(3000) * np.geomspace(1e-6, 1, 3000)).astype(dtype)
    plan = Plan(Framing(32, 8), Constant(np.hanning(32)), 2.0, bank, Scaling(10.0, 1e-4, base))
    result, exact = spectrogram(y, plan), primitive.reference(y.astype(np.float64), plan)
    assert_same_levels(result, exact, dtype)
    floor = np.dtype(dtype).type(plan.scaling.lowest)
    assert (result >= floor).all()
    assert (result == floor).sum() > result.size / 10


def test_compiled_functions_change_with_what_they_are_made_of():
    made = lane_frames.kernel(fft.layout(64, np.dtype(np.float32)), "power", False, False)
    assert lane_frames.VERSION in [cell.cell_contents for cell in made.py_func.__closure__]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names of registers")
def test_the_machine_code_works_on_whole_registers(tmp_path):
    script = """
import re
import numpy as np, arrayaudio as aa
from arrayaudio.kernels.cpu import lane_frames, lanes
from arrayaudio.kernels.cpu.fft import layout
aa.melspectrogram(np.ones(30000, np.float32), sr=22050, scale="db")
kernel = lane_frames.kernel(layout(2048, np.dtype(np.float32)), "power", True, True)
(code,) = kernel.inspect_asm().values()
register = {64: "zmm", 32: "ymm", 16: "xmm"}[lanes.REGISTER_BYTES]
whole = re.findall(rf"v?(?:mul|add|sub|fn?m(?:add|sub)\\d+)ps\\s.*%{register}", code)
single = re.findall(r"v?(?:mul|add|sub|fn?m(?:add|sub)\\d+)ss\\s", code)
assert len(whole) > 1000, len(whole)
assert len(single) < 0.02 * len(whole), (len(single), len(whole))
assert "gather" not in code
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}  # what comes from a cache has no assembly
    subprocess.run([sys.executable, "-c", script], timeout=300, check=True, env=environment)
