"""The Fourier transform at any frequencies, by a dense basis and by the FFT, and its adjoint."""

from fractions import Fraction

import numpy as np
import pytest

from arrayaudio import nonuniform
from arrayaudio.constants import Constant
from arrayaudio.nonuniform import dense_basis, exact_product, fourier_at, fourier_at_adjoint, is_dense

from . import traced
from .naive_scales import waves
from .tolerances import SPECTRUM, assert_same_spectrum, relative_error

N_FFT = 67  # odd, prime
FREQUENCIES = {
    "whole range": np.linspace(0, 0.5, 240),
    "zoom": np.linspace(0.31, 0.32, 240),
    "logarithmic": np.geomspace(1e-3, 0.499, 240),
    "at the ends": np.concatenate([np.linspace(0, 1e-3, 120), np.linspace(0.4999, 0.5, 120)]),
    "far apart": np.sort(np.random.default_rng(0).random(240)) ** 3 / 2,
    "all the same": np.full(240, 0.123),
    "few": np.array([0.0, 0.01, 0.5]),
}


@pytest.fixture(params=[True, False], ids=["dense", "FFT"])
def dense(request, monkeypatch):
    """Which way is taken, whatever the rule says."""
    monkeypatch.setattr(nonuniform, "is_dense", lambda *_: request.param)
    return request.param


@pytest.mark.parametrize("kind", FREQUENCIES)
@pytest.mark.usefixtures("dense")
class TestEqualsTheOracle:
    def test_forth(self, library, dtype, kind, rng):
        frames = rng.standard_normal((2, 1, 5, N_FFT)).astype(dtype)
        S = library.to_numpy(fourier_at(library.asarray(frames), Constant(FREQUENCIES[kind])))
        expected = waves(FREQUENCIES[kind], N_FFT) @ np.swapaxes(frames.astype(np.float64), -1, -2)
        assert S.dtype == np.result_type(dtype, np.complex64)
        assert_same_spectrum(S, expected)

    def test_and_back(self, library, dtype, kind, rng):
        shape = (2, 1, len(FREQUENCIES[kind]), 5)
        form = np.result_type(dtype, np.complex64)
        S = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(form)
        frames = library.to_numpy(fourier_at_adjoint(library.asarray(S), Constant(FREQUENCIES[kind]), N_FFT))
        expected = (np.swapaxes(S.astype(np.complex128), -1, -2) @ waves(FREQUENCIES[kind], N_FFT).conj()).real
        assert frames.dtype == dtype
        assert_same_spectrum(frames, expected)


@pytest.mark.parametrize("n_fft", [1000, 2047, 4096])
def test_long_frames_keep_their_precision(dense, dtype, n_fft, rng):
    cycles = np.geomspace(1 / n_fft, 0.49, 400)
    basis = np.exp(-2j * np.pi * np.mod(np.outer(cycles, np.arange(n_fft)), 1.0))  # good to 1e-12
    frames = rng.standard_normal((3, n_fft)).astype(dtype)
    S = rng.standard_normal((400, 3)) + 1j * rng.standard_normal((400, 3))
    S = S.astype(np.result_type(dtype, np.complex64))
    assert_same_spectrum(fourier_at(frames, Constant(cycles)), basis @ frames.T.astype(np.float64))
    back = fourier_at_adjoint(S, Constant(cycles), n_fft)
    assert_same_spectrum(back, (S.T.astype(np.complex128) @ basis.conj()).real)


@pytest.mark.usefixtures("dense")
def test_the_way_back_is_adjoint(rng):
    cycles = Constant(FREQUENCIES["logarithmic"])
    frames, S = rng.standard_normal((4, N_FFT)), rng.standard_normal((240, 4)) + 1j * rng.standard_normal((240, 4))
    one = np.vdot(fourier_at(frames, cycles), S).real
    other = np.vdot(frames, fourier_at_adjoint(S, cycles, N_FFT))
    assert abs(one - other) < 1e-14 * np.linalg.norm(S) * np.linalg.norm(fourier_at(frames, cycles))


def test_is_the_fft_at_its_frequencies(dense, rng):
    frames = rng.standard_normal((3, 500))
    assert_same_spectrum(fourier_at(frames, Constant(np.arange(251) / 500)), np.fft.rfft(frames).T)


class TestPieces:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(nonuniform, "is_dense", lambda *_: False)
        monkeypatch.setattr(nonuniform, "CHUNK_BYTES", 8 * 144 * 7)  # seven frames

    def test_join(self, library, rng):
        cycles = Constant(FREQUENCIES["zoom"])
        for batch, n_frames in [((5,), 3), ((), 30), ((2, 2), 30), ((0,), 3), ((3, 0), 30)]:
            frames = rng.standard_normal((*batch, n_frames, N_FFT))
            S = fourier_at(library.asarray(frames), cycles)
            expected = waves(cycles.value, N_FFT) @ np.swapaxes(frames, -1, -2)
            assert_same_spectrum(library.to_numpy(S), expected)
            back = library.to_numpy(fourier_at_adjoint(S, cycles, N_FFT))
            assert_same_spectrum(back, (np.swapaxes(expected, -1, -2) @ waves(cycles.value, N_FFT).conj()).real)

    @pytest.mark.parametrize("n_frames", [3, 30])
    def test_do_not_depend_on_the_batch(self, dtype, n_frames, rng):
        cycles = Constant(FREQUENCIES["zoom"])
        frames = rng.standard_normal((5, n_frames, N_FFT)).astype(dtype)
        S = fourier_at(frames, cycles)
        back = fourier_at_adjoint(S, cycles, N_FFT)
        for i in range(5):
            np.testing.assert_array_equal(S[i], fourier_at(frames[i], cycles))
            np.testing.assert_array_equal(back[i], fourier_at_adjoint(S[i], cycles, N_FFT))


def test_products_lose_nothing(rng):
    a, b = rng.random(500), np.floor(rng.random(500) * 2**24)
    product, lost = exact_product(a, b)
    for values in zip(a, b, product, lost, strict=True):
        x, y, rounded, rest = map(Fraction, map(float, values))
        assert x * y == rounded + rest


def test_phases_of_late_samples_are_exact():
    cycles = np.array([0.1234567890123, 0.4999999999])
    basis = dense_basis(Constant(cycles), 100_000).value
    late = waves_at(cycles, 99_999)
    assert np.abs(basis[:2, -1] + 1j * basis[2:, -1] - late).max() < 1e-15


def waves_at(cycles, n):
    turns = [float(Fraction(float(f)) * n % 1) for f in cycles]
    return np.exp(-2j * np.pi * np.array(turns))


def test_the_rule_takes_the_dense_basis_for_few_rows_and_short_frames():
    assert is_dense(12, 4096)
    assert is_dense(1000, 32)
    assert is_dense(129, 256)
    assert not is_dense(1025, 2048)
    assert not is_dense(300, 2**20)  # whose basis would take gigabytes
    assert not is_dense(513, 1024)


def test_constants_are_built_once():
    one, other = (nonuniform.interpolation(Constant(np.linspace(0, 0.5, 300)), 128, np.ones(1)) for _ in range(2))
    assert one is not None
    assert one is other
    single = nonuniform.interpolation(Constant(np.linspace(0, 0.5, 300)), 128, np.ones(1, np.float32))
    assert single.taps.value.shape[-1] < one.taps.value.shape[-1]


@pytest.mark.usefixtures("dense")
def test_runs_on_a_namespace_that_records(rng):
    cycles, frames = Constant(FREQUENCIES["zoom"]), rng.standard_normal((4, N_FFT))
    S = fourier_at(frames, cycles)
    assert relative_error(fourier_at(traced.Traced(frames), cycles).value, S) <= SPECTRUM["float64"]
    back = fourier_at_adjoint(traced.Traced(S), cycles, N_FFT).value
    assert relative_error(back, fourier_at_adjoint(S, cycles, N_FFT)) <= SPECTRUM["float64"]
