"""The inverse of the STFT on linear and logarithmic scales of frequency, by least squares."""

import functools

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.frames import INDEX_MODES

from .test_stft_scales import oracle
from .tolerances import SPECTRUM, relative_error


@functools.cache
def dense_problem(number):
    """A transform of 79 samples, its matrix by loops, real parts above imaginary ones, and a random target."""
    options = [
        {"freq_scale": "linear", "freq_bins": 20},
        {"freq_scale": "log", "freq_bins": 220, "fmin": 20, "n_fft": 64, "hop_length": 12},
        {"freq_scale": "linear", "freq_bins": 12, "center": False, "window": "hamming", "hop_length": 9},
        {"freq_scale": "linear", "freq_bins": 25, "pad_mode": "reflect", "hop_length": 4},
    ]
    stft = aa.STFT(**{"sr": 8000, "n_fft": 16, "hop_length": 6} | options[number])
    columns = [oracle(unit, stft).ravel() for unit in np.eye(79)]
    matrix = np.concatenate([np.real(columns), np.imag(columns)], axis=1).T
    shape, rng = (2, stft.freq_bins, stft.n_frames(79)), np.random.default_rng(number)
    real, imaginary = rng.standard_normal(shape)
    return stft, matrix, real + 1j * imaginary


class TestInverse:
    @pytest.mark.parametrize("bins", [60, 300])
    @pytest.mark.parametrize("mode", INDEX_MODES)
    @pytest.mark.parametrize("scale", ["linear", "log"])
    def test_of_a_whole_spectrum_is_the_signal(self, library, dtype, bins, mode, scale, rng):
        options = {
            "n_fft": 70,
            "freq_bins": 5 * bins if scale == "log" else bins,
            "fmin": 0 if scale == "linear" else 20,
        }
        stft = aa.STFT(sr=8000, freq_scale=scale, pad_mode=mode, **options)
        y = rng.standard_normal((2, 310)).astype(dtype)
        S = library.asarray(stft(y))
        back, residual = stft.inverse(S, length=310, residual=True, tolerance=1e-14, n_iter=60)
        # Errors of the coefficients, times the condition of the scale.
        assert relative_error(library.to_numpy(back), y) < 20 * SPECTRUM[dtype]
        assert library.to_numpy(back).dtype == library.to_numpy(residual).dtype == dtype
        assert library.to_numpy(residual).max() < SPECTRUM[dtype]

    @pytest.mark.parametrize("number", range(4))
    def test_is_that_of_dense_least_squares_for_any_target(self, library, number):
        stft, matrix, S = dense_problem(number)
        values = np.concatenate([S.real.ravel(), S.imag.ravel()])
        solution = np.linalg.lstsq(matrix, values)[0]
        y, residual = stft.inverse(library.asarray(S), length=79, residual=True, n_iter=300, tolerance=1e-15)
        condition = np.linalg.cond(matrix)
        assert condition < 1e4
        assert relative_error(library.to_numpy(y), solution) < 1e-12 * condition
        distance = np.linalg.norm(matrix @ solution - values) / np.linalg.norm(values)
        assert abs(float(aa.to_numpy(residual)) - distance) < 1e-12

    def test_of_a_part_of_the_spectrum_is_that_part(self, library, dtype):
        time = np.arange(8000) / 8000
        low, high = np.hanning(8000) * np.sin(2 * np.pi * np.array([[700], [3000]]) * time)
        stft = aa.STFT(sr=8000, n_fft=512, freq_scale="linear", fmin=200, fmax=1500)
        back, residual = stft.inverse(library.asarray(stft((low + high).astype(dtype))), length=8000, residual=True)
        assert relative_error(library.to_numpy(back), low) < 1e-3
        assert float(aa.to_numpy(residual)) < 1e-4

    def test_needs_few_iterations(self, rng):
        y = rng.standard_normal(8000)
        for options in ({"freq_scale": "linear"}, {"freq_scale": "log", "fmin": 10, "freq_bins": 1000}):
            stft = aa.STFT(sr=8000, n_fft=512, **options)
            back, residual = stft.inverse(stft(y), length=8000, residual=True, n_iter=12)
            assert relative_error(back, y) < 1e-3
            assert residual < 1e-4

    def test_tolerance_and_n_iter_trade_time_for_precision(self, rng):
        stft = aa.STFT(sr=8000, n_fft=128, freq_scale="log", fmin=20, freq_bins=300)
        S = stft(rng.standard_normal(2000))
        residuals = [
            stft.inverse(S, residual=True, **given)[1]
            for given in (
                {"n_iter": 0},
                {"n_iter": 2},
                {"n_iter": 4, "tolerance": None},
                {"tolerance": 1e-3},
                {"tolerance": 1e-9},
            )
        ]
        assert residuals[0] == 1
        assert residuals[0] > residuals[1] > residuals[2] > residuals[4]
        assert residuals[2] != residuals[3] > residuals[4]

    def test_length_is_what_the_frames_cover_or_a_little_more(self, rng):
        stft = aa.STFT(sr=8000, n_fft=64, freq_scale="linear", freq_bins=100)
        S = stft(rng.standard_normal(170))  # 11 frames, hop 16
        assert stft.inverse(S).shape == (160,)
        assert stft.inverse(S, length=175).shape == (175,)
        for length in (159, 176):
            with pytest.raises(aa.ParameterError, match=f"length={length}: must be from 160 to 175.*11 frames"):
                stft.inverse(S, length=length)
        one = stft(rng.standard_normal(9))
        assert stft.inverse(one, length=9).shape == (9,)
        with pytest.raises(aa.ParameterError, match="length=None: must be from 1 to 15"):
            stft.inverse(one)

    def test_of_silence_is_silence(self, library, dtype):
        stft = aa.STFT(sr=8000, n_fft=64, freq_scale="log")
        S = np.zeros((2, 33, 11), np.result_type(dtype, np.complex64))
        S[1] = stft(np.ones(160, dtype))
        y, residual = map(library.to_numpy, stft.inverse(library.asarray(S), residual=True))
        np.testing.assert_array_equal(y[0], np.zeros(160, dtype))
        assert residual[0] == 0 < residual[1]

    @pytest.mark.parametrize("scale", [1e-30, 1e30])
    def test_at_any_loudness(self, dtype, scale, rng):
        stft = aa.STFT(sr=8000, n_fft=64, freq_scale="linear")
        y = rng.standard_normal(160)
        S = (stft(y) * scale).astype(np.result_type(dtype, np.complex64))
        assert relative_error(stft.inverse(S, tolerance=1e-14) / scale, y) < 20 * SPECTRUM[dtype]

    def test_of_the_fft_keeps_its_formula_and_gains_a_residual(self, library, dtype, rng):
        stft = aa.STFT(n_fft=64)
        S = library.asarray(stft(rng.standard_normal((2, 160)).astype(dtype)))
        y, residual = map(library.to_numpy, stft.inverse(S, residual=True))
        np.testing.assert_array_equal(y, library.to_numpy(stft.inverse(S)))
        assert residual.max() < SPECTRUM[dtype]
        noise = rng.standard_normal((33, 11)) + 1j * rng.standard_normal((33, 11))
        y, residual = stft.inverse(noise, residual=True)
        assert abs(residual - relative_error(stft(y), noise)) < 1e-12
        with pytest.raises(aa.ParameterError, match="length=100: must be from 160 to 175"):
            stft.inverse(noise, length=100, residual=True)
