"""The way back from constant-Q coefficients: waveforms, residuals, and what cannot come back."""

import numpy as np
import pytest
import scipy.signal

import arrayaudio as aa
from arrayaudio.constant_q.inversion import LEAST_WEIGHT, preconditioner, synthesis, weights

from . import naive_constant_q, traced
from .tolerances import relative_error

# Kernels from 693 to 92 samples, at 100 to 755 Hz.
BASE = {"sr": 4000, "fmin": 100.0, "n_bins": 36, "hop_length": 40}
N = 3000


def in_band(y):
    """What is between two frequencies well inside the bins."""
    return scipy.signal.sosfiltfilt(scipy.signal.butter(8, [150, 500], "bandpass", fs=4000, output="sos"), y, axis=-1)


def band_limited(rng, shape=(N,)):
    return in_band(rng.standard_normal(shape))


def snr(actual, wanted, margin=700):
    """Signal to noise in decibels, away from the ends and from the lowest and the highest bin."""
    actual, wanted = (in_band(np.float64(y))[..., margin:-margin] for y in (actual, wanted))
    return -20 * np.log10(relative_error(actual, wanted))


class TestWaveforms:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"hop_length": 16},
            {"hop_length": 45, "window": "hamming"},
            {"norm": 2, "normalization": "convolutional"},
            {"norm": None},
            {"gamma": 10.0, "hop_length": 30},
            {"tuning": 0.3, "pad_mode": "reflect"},
            {"center": False},
            {"bins_per_octave": 24, "n_bins": 72},
            {"method": "1992"},
            {"method": "1992v2"},
            {"tolerance": 1e-3},
        ],
        ids=str,
    )
    def test_come_back(self, dtype, options, rng):
        y = band_limited(rng)
        made = (aa.VQT if "gamma" in options else aa.CQT)(**BASE | options)
        assert made.hop_length <= made.lengths[-1] / 2
        y = y[: made.min_length + (made.n_frames(N) - 1) * made.hop_length]
        back, residual = made.inverse(made(y.astype(dtype)), length=len(y), residual=True)
        assert back.dtype == residual.dtype == dtype
        assert snr(back, y) > 60
        assert residual < 1e-3

    def test_are_small_at_other_frequencies(self, dtype, rng):
        y = band_limited(rng)
        for window, limit in (("hann", 1e-3), ("hamming", 2e-2)):
            made = aa.CQT(window=window, **BASE)
            back = made.inverse(made(y.astype(dtype)), length=N)
            assert relative_error(back[700:-700], y[700:-700]) < limit

    def test_come_back_on_every_library(self, library, dtype, rng):
        y = band_limited(rng, (2, 2000))
        made = aa.CQT(**BASE)
        C = made(library.asarray(y.astype(dtype)))
        back, residual = made.inverse(C, length=2000, residual=True, n_iter=25)
        back, residual = library.to_numpy(back), library.to_numpy(residual)
        assert back.shape == (2, 2000)
        assert residual.shape == (2,)
        assert snr(back, y) > 60

    def test_come_back_from_the_oracle(self, rng):
        y = band_limited(rng, (2000,))
        C = naive_constant_q.cqt(y, **BASE)
        assert snr(aa.icqt(C, length=2000, **BASE | {"n_bins": 36}), y) > 60

    def test_come_back_from_octaves_as_far_as_these_are_exact(self, rng):
        y = band_limited(rng)
        made = aa.CQT(method="2010", **BASE)
        assert 50 < snr(made.inverse(made(y), length=N), y) < 120

    def test_fit_best(self, library, rng):
        """No other waveform has coefficients that are nearer to any given ones: what is left is orthogonal to all."""
        made = aa.CQT(**BASE | {"n_bins": 24, "hop_length": 80})
        C = rng.standard_normal((24, 11)) + 1j * rng.standard_normal((24, 11))
        y, residual = made.inverse(library.asarray(C), residual=True, n_iter=300, tolerance=1e-6)
        y = library.to_numpy(y)
        rest = C - made(y)
        adjoint = synthesis(made.framing, made.bank, len(y))
        # Random coefficients are the hardest: what kernels hardly reach is found last.
        assert np.linalg.norm(adjoint(rest)) < 2e-2 * np.linalg.norm(adjoint(C))
        assert abs(float(residual) - np.linalg.norm(rest) / np.linalg.norm(C)) < 1e-12
        assert residual > 0.1
        for _ in range(5):
            assert np.linalg.norm(C - made(y + rng.standard_normal(len(y)))) > np.linalg.norm(rest)

    @pytest.mark.parametrize("scale", [1e-20, 1e15])
    def test_have_any_scale(self, dtype, scale, rng):
        y = band_limited(rng, (1500,))
        made = aa.CQT(**BASE)
        C = made((scale * y).astype(dtype))
        assert snr(made.inverse(C, length=1500).astype(np.float64) / scale, y, 600) > 60


class TestResiduals:
    def test_are_those_of_the_waveform(self, library, dtype, rng):
        made = aa.CQT(**BASE)
        C = made(band_limited(rng, (2, 2000)).astype(dtype))
        C = C + 0.1 * np.abs(C).max() * rng.standard_normal((2, 1, 1)).astype(dtype)
        for n_iter in (0, 1, 20):
            y, residual = made.inverse(library.asarray(C), residual=True, n_iter=n_iter)
            again = made(library.to_numpy(y).astype(np.float64))
            expected = [relative_error(a, c) for a, c in zip(again, C, strict=True)]
            np.testing.assert_allclose(library.to_numpy(residual), expected, rtol=1e-4, atol=1e-6)

    def test_fall(self, rng):
        made = aa.CQT(**BASE)
        C = made(band_limited(rng))
        left = [made.inverse(C, residual=True, n_iter=n, tolerance=None)[1] for n in (0, 1, 3, 10, 30)]
        assert left[0] == 1
        assert left == sorted(left, reverse=True)
        assert left[-1] < 1e-4

    def test_are_small_although_the_waveform_is_another(self, rng):
        y = rng.standard_normal(N)
        made = aa.CQT(**BASE | {"hop_length": 500})
        with pytest.warns(aa.ArrayAudioWarning, match="hop_length=500: more than half the shortest kernel, 92 samples"):
            back, residual = made.inverse(made(y), length=N, residual=True)
        assert residual < 1e-2
        assert snr(back, y) < 30

    def test_of_noise_outside_the_bins_tell_nothing(self, rng):
        y = rng.standard_normal(N)
        made = aa.CQT(**BASE)
        back, residual = made.inverse(made(y), length=N, residual=True)
        assert residual < 1e-2
        assert snr(back, y) > 60
        assert relative_error(back, y) > 0.5


class TestLengths:
    def test_by_default_reach_from_the_first_frame_to_the_last(self, rng):
        made = aa.CQT(**BASE)
        C = made(rng.standard_normal(1030))
        assert made.inverse(C, n_iter=1).shape == (1000,)
        assert aa.CQT(center=False, **BASE).inverse(C, n_iter=1).shape == (1000 + 694,)

    def test_give_as_many_frames(self):
        made = aa.CQT(**BASE)
        C = made(np.ones(1000))
        assert made.inverse(C, length=1039, n_iter=1).shape == (1039,)
        for length in (999, 1040):
            with pytest.raises(aa.ParameterError, match=f"length={length}: must be from 1000 to 1039"):
                made.inverse(C, length=length)

    def test_one_frame_in_the_middle_needs_a_length(self):
        made = aa.CQT(**BASE)
        C = made(np.ones(10))
        assert C.shape == (36, 1)
        assert made.inverse(C, length=10).shape == (10,)
        with pytest.raises(aa.ParameterError, match="length=None: must be from 1 to 39"):
            made.inverse(C)


class TestBatches:
    def test_items_are_as_they_would_be_alone(self, library, dtype, rng):
        made = aa.CQT(**BASE)
        C = made((band_limited(rng, (2, 2, 1500)) * np.array([[1.0, 1e-3], [50.0, 0.0]])[..., None]).astype(dtype))
        C[0, 0] += rng.standard_normal((36, 1)).astype(dtype)
        together, residual = made.inverse(library.asarray(C), residual=True, n_iter=20)
        together = library.to_numpy(together)
        assert residual.shape == (2, 2)
        for place in np.ndindex(2, 2):
            alone = library.to_numpy(made.inverse(library.asarray(C[place]), n_iter=20))
            assert relative_error(together[place], alone) <= {"float32": 1e-4, "float64": 1e-10}[dtype]

    def test_may_be_empty(self):
        y, residual = aa.CQT(**BASE).inverse(np.zeros((0, 36, 5)), residual=True)
        assert (y.shape, residual.shape) == ((0, 160), (0,))

    def test_silence_stays_silent(self, library, dtype):
        y, residual = aa.CQT(**BASE).inverse(library.asarray(np.zeros((36, 20), dtype)), residual=True)
        assert not library.to_numpy(y).any()
        assert library.to_numpy(y).dtype == dtype
        assert float(residual) == 0


class TestPreconditioner:
    def test_weighs_as_the_kernels_do(self):
        wavelets = aa.CQT(**BASE | {"n_bins": 5}).bank.wavelets
        n_fft = 4000
        total = np.zeros(n_fft // 2 + 1)
        for k in range(5):
            total += np.abs(np.fft.fft(wavelets.kernel(k)[1], n_fft))[: n_fft // 2 + 1] ** 2
        found = weights(wavelets, n_fft).value
        expected = np.maximum(total / total.max(), LEAST_WEIGHT)
        assert np.abs(found - expected).max() < 0.05
        assert (found.min(), found.max()) == (LEAST_WEIGHT, 1)

    def test_is_symmetric_and_positive(self, library, rng):
        apply = preconditioner(aa.CQT(**BASE).bank.wavelets, 1000)
        x, y = rng.standard_normal((2, 1000))
        Px, Py = (library.to_numpy(apply(library.asarray(v))) for v in (x, y))
        assert abs(x @ Py - Px @ y) < 1e-9
        assert x @ Px > 0
        assert y @ Py > 0

    def test_saves_iterations(self, rng):
        made = aa.CQT(**BASE)
        y = band_limited(rng)
        assert snr(made.inverse(made(y), length=N, n_iter=15), y) > 60


def test_icqt_is_the_inverse_of_cqt(rng):
    y = band_limited(rng)
    C = aa.cqt(y, **BASE)
    options = {key: value for key, value in BASE.items() if key != "n_bins"}
    back, residual = aa.icqt(C, length=N, residual=True, **options)
    np.testing.assert_array_equal(back, aa.CQT(**BASE).inverse(C, length=N))
    assert residual < 1e-4
    few = C[:, :3]
    np.testing.assert_array_equal(aa.icqt(few.tolist(), **options), aa.icqt(few, **options))


def test_runs_on_a_namespace_that_records(rng):
    made = aa.CQT(**BASE)
    C = made(band_limited(rng, (1000,)))
    back = made.inverse(traced.Traced(C), n_iter=3)
    assert isinstance(back, traced.Traced)
    assert relative_error(back.value, made.inverse(C, n_iter=3)) < 1e-9


class TestErrors:
    @pytest.mark.parametrize(
        ("shape", "options", "message"),
        [
            ((35, 9), {}, r"coefficients have shape \(35, 9\): must be \(\.\.\., 36, n_frames\)"),
            ((36,), {}, r"coefficients have shape \(36,\): must be"),
            ((36, 0), {}, "with at least one frame"),
            ((36, 9), {"n_iter": -1}, "n_iter=-1: must be at least 0"),
            ((36, 9), {"tolerance": -1.0}, "tolerance=-1.0: must be at least 0"),
            ((36, 9), {"residual": 1}, "residual=1: must be one of True, False"),
            ((36, 9), {"length": 1.5}, "length=1.5: must be a whole number"),
        ],
    )
    def test_say_what_to_do(self, library, shape, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.CQT(**BASE).inverse(library.asarray(np.zeros(shape, complex)), **options)

    @pytest.mark.parametrize("output", ["magnitude", "power", "phase"])
    def test_coefficients_without_phase(self, output):
        with pytest.raises(aa.ParameterError, match=rf"output='{output}': only complex .* aa\.griffinlim_cqt"):
            aa.CQT(output=output, **BASE).inverse(np.ones((36, 9)))

    def test_coefficients_that_are_not_finite(self, host_library):
        C = np.ones((36, 9), complex)
        C[3, 4] = np.nan
        with pytest.raises(aa.ParameterError, match="NaN or infinite values"):
            aa.CQT(**BASE).inverse(host_library.asarray(C))
        y = aa.CQT(check_finite=False, **BASE).inverse(host_library.asarray(C), n_iter=2)
        assert np.isnan(host_library.to_numpy(y)).any()

    def test_padding_that_cannot_be_undone(self):
        with pytest.raises(aa.ParameterError, match="pad_mode='mean': has no adjoint here"):
            aa.CQT(pad_mode="mean", **BASE).inverse(np.ones((36, 9)))

    def test_integers(self):
        with pytest.raises(aa.DTypeError, match="coefficients has dtype int64: must be complex"):
            aa.CQT(**BASE).inverse(np.ones((36, 9), int))

    def test_of_the_function(self):
        with pytest.raises(aa.ParameterError, match=r"coefficients have shape \(9,\): must be \(\.\.\., 1, n_frames\)"):
            aa.icqt(np.ones(9), sr=4000)
        with pytest.raises(aa.ParameterError, match="n_bins=0"):
            aa.icqt(np.ones((0, 9)), sr=4000)
        with pytest.raises(aa.ParameterError, match=r"shape \(36, 9\): must be \(\.\.\., 30, n_frames\)"):
            aa.icqt(np.ones((36, 9)), **BASE | {"n_bins": 30})
