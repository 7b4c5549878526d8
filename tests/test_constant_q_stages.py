"""The parts of the constant-Q transforms: kernels, banks, the adjoint, and the loops of the fast version."""

import math

import librosa
import numba
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constant_q.bank import FOLDED, Bank, segment, stride, support
from arrayaudio.constant_q.inversion import analysis, synthesis
from arrayaudio.constant_q.octaves import levels
from arrayaudio.constant_q.projection import constant_q, constant_q_adjoint
from arrayaudio.constant_q.wavelets import Wavelets, spectral_reach
from arrayaudio.frames import INDEX_MODES, PAD_MODES, Framing
from arrayaudio.kernels.cpu import constant_q as fast
from arrayaudio.kernels.cpu.vectors import aligned, widest_vectors

from . import naive_constant_q
from .constant_q_cases import oracle
from .tolerances import assert_near_peak, assert_same_spectrum, peak_error, relative_error

WINDOWS = ["hann", "hamming", "boxcar", ("kaiser", 8.0), "blackmanharris", ("gaussian", 40.0)]


class TestOracle:
    @pytest.mark.parametrize("norm", [1, 2, 3, math.inf, None])
    @pytest.mark.parametrize(
        ("filter_scale", "gamma", "bins_per_octave"), [(1.0, 0.0, 12), (0.5, 20.0, 12), (1.7, None, 36), (0.6, 0.0, 1)]
    )
    def test_kernels_are_those_of_librosa(self, norm, filter_scale, gamma, bins_per_octave):
        freqs = [naive_constant_q.frequency(k, 110.0, bins_per_octave, 0.2) for k in range(5)]
        for window in WINDOWS:
            basis, lengths = librosa.filters.wavelet(
                freqs=freqs, sr=8000, window=window, filter_scale=filter_scale, gamma=gamma, norm=norm, dtype=complex
            )
            middle = basis.shape[1] // 2
            for f, row, theirs in zip(freqs, basis, lengths, strict=True):
                length = naive_constant_q.kernel_length(f, 8000, bins_per_octave, filter_scale, gamma)
                assert abs(length - theirs) <= 1e-12 * theirs
                first, values = naive_constant_q.kernel(f, 8000, length, window, norm)
                expected = np.zeros_like(row)
                expected[middle + first : middle + first + len(values)] = values
                assert_near_peak(row, expected)

    def test_bins_are_those_of_librosa(self):
        theirs = librosa.cqt_frequencies(40, fmin=55.0, bins_per_octave=24, tuning=-0.3)
        ours = [naive_constant_q.frequency(k, 55.0, 24, -0.3) for k in range(40)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def wavelets(lengths=(400.0, 200.0, 101.3, 25.0, 3.125, 0.7), **options):
    """Kernels of any lengths, at frequencies that suit them."""
    frequencies = tuple(min(8000 / length, 4000.0) for length in lengths)
    return Wavelets(8000.0, frequencies, lengths, tuple(1.0 + i for i in range(len(lengths))), **options)


class TestWavelets:
    @pytest.mark.parametrize("norm", [1.0, 2.0, 0.5, math.inf, None])
    @pytest.mark.parametrize("window", WINDOWS, ids=str)
    def test_equal_the_oracle(self, window, norm):
        made = wavelets(window=window, norm=norm)
        for k, (f, length) in enumerate(zip(made.frequencies, made.lengths, strict=True)):
            first, values = naive_constant_q.kernel(f, 8000, length, window, norm)
            start, kernel = made.kernel(k)
            assert start == first
            assert_near_peak(kernel, (1.0 + k) * np.array(values))

    @pytest.mark.parametrize(("longest", "width"), [(400.0, 400), (401.0, 402), (399.9, 400), (3.125, 4), (0.7, 2)])
    def test_fit_into_their_width(self, longest, width):
        made = wavelets((longest,))
        assert made.width == width
        start, kernel = made.kernel(0)
        assert -start <= width // 2 >= start + len(kernel)

    @pytest.mark.parametrize("step", [2, 4, 8])
    def test_thinned_are_every_other_sample(self, step):
        whole = wavelets((400.0, 101.3, 25.0))
        thin = whole.thinned(step)
        assert thin.width <= 2 * math.ceil(whole.width / 2 / step)
        for k in range(3):
            (start, kernel), (first, few) = whole.kernel(k), thin.kernel(k)
            expected = [step * v for n, v in enumerate(kernel, start) if n % step == 0]
            assert first == -(-start // step)
            assert_near_peak(few, expected)

    def test_some_bins(self):
        made = wavelets()
        some = made.bins(1, 3)
        assert (some.lengths, some.width) == (made.lengths[1:3], 200)
        assert_near_peak(some.kernel(1)[1], made.kernel(2)[1])


class TestReach:
    @pytest.mark.parametrize("window", ["hann", "blackman", ("kaiser", 8.0)], ids=str)
    @pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
    @pytest.mark.parametrize("length", [50, 333, 4000])
    def test_drops_no_more_than_the_tolerance_of_a_window(self, window, tolerance, length):
        reach, points = spectral_reach(window, tolerance), 64 * length
        spectrum = np.abs(np.fft.fft(aa.get_window(window, length), points))
        bins = np.abs(np.fft.fftfreq(points, 1 / points)) * length / points
        # Aliases of short windows add a little.
        assert spectrum[bins > reach].sum() <= 1.1 * tolerance * spectrum.sum()

    def test_is_endless_where_a_spectrum_does_not_end(self):
        assert spectral_reach("boxcar", 5e-7) == math.inf
        assert spectral_reach("hann", 5e-7) < 500

    @pytest.mark.parametrize("window", [("gaussian", 40.0), ("gaussian", 500.0), ("general_gaussian", 1.5, 90.0)])
    def test_is_endless_for_windows_whose_shape_depends_on_their_length(self, window):
        assert spectral_reach(window, 1e-3) == math.inf
        assert spectral_reach("hann", 1e-3) < 20


class TestBank:
    def test_segments_hold_their_frames(self):
        for width in (2, 30, 401, 6000):
            for hop in (1, 7, 160, 512, 7000):
                bank = Bank(wavelets((float(width),)), hop)
                n_fft, period, n_useful = segment(bank)
                assert n_fft == hop * period
                assert n_useful >= 1
                assert (n_useful - 1) * hop + bank.wavelets.width <= n_fft
                n_fft, period, n_useful = segment(Bank(wavelets((float(width),)), hop, "1992"))
                assert (n_fft % period, period, n_useful) == (0, FOLDED, 1)
                assert n_fft >= width

    def test_support_is_all_of_a_spectrum_that_reaches_round(self):
        assert support(100.0, math.inf, 512) == 512
        assert support(100.0, 10.0, 512) == 105
        assert support(100.0, 60.0, 512) == 512

    def test_strides_divide_the_segment(self):
        assert [stride(most, 720) for most in (0.0, 1.5, 5.0, 7.9, 800.0)] == [1, 1, 5, 6, 720]

    @pytest.mark.parametrize("method", ["auto", "1992", "1992v2"])
    def test_kernels_in_a_bank_are_the_kernels(self, method, library, dtype):
        bank = Bank(wavelets(), 16, method)
        ready = bank.like(library.asarray(np.zeros(1, dtype)))
        kernels = ready.spectra
        middle, found = bank.wavelets.width // 2, []
        for start, values in kernels.pieces:
            spectrum = np.zeros(kernels.n_fft, complex)
            spectrum[np.arange(start, start + values.shape[0]) % kernels.n_fft] = library.to_numpy(values)
            found.append(np.fft.ifft(spectrum.conj(), norm="forward"))
        for group in ready.rows:
            matrix = library.to_numpy(group.matrix)
            assert matrix.dtype == dtype
            for real, imag in zip(matrix[0::2], matrix[1::2], strict=True):
                found.append(np.pad(real - 1j * imag, (group.start, bank.wavelets.width)))
        assert len(found) == len(bank.wavelets.lengths)
        for k, kernel in enumerate(found):
            first, values = bank.wavelets.kernel(k)
            expected = np.zeros(len(kernel), complex)
            expected[middle + first : middle + first + len(values)] = values
            assert_near_peak(kernel, expected, dtype)

    def test_is_made_ready_once(self):
        y = np.zeros(1, np.float32)
        assert Bank(wavelets(), 16).like(y) is Bank(wavelets(), 16).like(y + 1j)
        assert Bank(wavelets(), 16).like(y) is not Bank(wavelets(), 17).like(y)

    def test_large_banks_keep_no_matrices(self, monkeypatch, rng):
        y = rng.standard_normal(900)
        framing = Framing(400, 90, 200)
        kept = constant_q(y, framing, Bank(wavelets(), 90))
        monkeypatch.setattr("arrayaudio.constant_q.bank.LARGEST_KEPT", 100)
        monkeypatch.setattr("arrayaudio.constant_q.rows.LARGEST_MATRIX", 300)
        bank = Bank(wavelets(norm=2.0), 90)
        assert not bank.like(y).is_kept
        few = Bank(wavelets(), 90, "1992v2")
        assert len(list(few.like(y).rows)) == 6
        assert_near_peak(constant_q(y, framing, few), kept)

    def test_levels_cover_the_bins(self):
        bank = aa.CQT(sr=22050, method="2010").bank
        groups = levels(bank)
        assert [level for level, _ in groups] == sorted({level for level, _ in groups}, reverse=True)
        assert sum((small.wavelets.frequencies for _, small in groups), ()) == bank.wavelets.frequencies
        assert all(small.hop_length << level == bank.hop_length for level, small in groups)
        assert groups[0][0] > 3


class TestProjection:
    @pytest.mark.parametrize("method", ["auto", "1992", "1992v2"])
    @pytest.mark.parametrize("hop", [4, 77, 512])
    @pytest.mark.parametrize("mode", ["wrap", "mean"])
    def test_equals_the_sums(self, library, dtype, method, hop, mode, rng):
        made, y = wavelets(), rng.standard_normal(1501).astype(np.float32).astype(dtype)
        for padding in (0, 200):
            framing = Framing(400, hop, padding, mode)
            result = constant_q(library.asarray(y), framing, Bank(made, hop, method))
            assert_near_peak(library.to_numpy(result), oracle(y, made, framing))

    def test_kernels_that_are_sampled_more_thinly(self, dtype, rng):
        y = rng.standard_normal(24000).astype(dtype)
        made = Wavelets(22050.0, (20.0, 41.0, 3000.0), (18500.3, 9000.0, 301.0), (1.0, 2.0, 3.0))
        for tolerance in (None, 1e-2):
            bank = Bank(made, 1100, "1992", tolerance)
            result = constant_q(y, Framing(18502, 1100), bank)
            error = peak_error(result, oracle(y.astype(float), made, Framing(18502, 1100)))
            assert error <= (tolerance or {"float32": 1e-6, "float64": 1e-12}[dtype])
        assert stride(18500 / (8 * bank.reach(dtype)), segment(bank)[0]) > 16

    def test_batches_and_channels(self, library, dtype, rng):
        y = rng.standard_normal((2, 3, 450)).astype(dtype)
        framing = Framing(400, 16, 200)
        for method in ("auto", "1992", "1992v2"):
            bank = Bank(wavelets(), 16, method)
            result = library.to_numpy(constant_q(library.asarray(y), framing, bank))
            for place in np.ndindex(2, 3):
                assert_near_peak(result[place], oracle(y[place], bank.wavelets, framing))

    @pytest.mark.parametrize("mode", PAD_MODES)
    def test_fast_padding_is_that_of_numpy(self, mode, rng):
        y, framing = rng.standard_normal(9), Framing(10, 3, 25, mode)
        edges = framing.edge_indices(9)
        if mode in INDEX_MODES:
            expected = np.pad(np.pad(y, 25, mode), (0, 30))
            for start, stop in ((0, 59), (0, 80), (3, 20), (20, 27), (26, 33), (30, 44), (33, 61), (60, 70)):
                np.testing.assert_array_equal(fast.piece(y, edges, start, stop), expected[start:stop])
        else:
            assert edges is None
            assert fast.constant_q(y, Framing(50, 3, 25, mode), Bank(wavelets((50.0,)), 3)) is NotImplemented


class TestAdjoint:
    @pytest.mark.parametrize("method", ["auto", "1992", "1992v2"])
    @pytest.mark.parametrize("hop", [4, 77, 512])
    def test_makes_inner_products_equal(self, library, dtype, method, hop, rng):
        bank = Bank(wavelets(), hop, method)
        y = rng.standard_normal((2, 701)).astype(dtype)
        for padding in (0, 200):
            framing = Framing(400, hop, padding)
            A_y = library.to_numpy(constant_q(library.asarray(y), framing, bank))
            C = (rng.standard_normal(A_y.shape) + 1j * rng.standard_normal(A_y.shape)).astype(A_y.dtype)
            back = library.to_numpy(constant_q_adjoint(library.asarray(C), 701, framing, bank))
            assert back.dtype == dtype
            left = np.sum(A_y.conj() * np.complex128(C), axis=(-2, -1)).real
            right = np.sum(y * np.float64(back), axis=-1)
            size = np.linalg.norm(y, axis=-1) * np.linalg.norm(back, axis=-1)
            assert np.abs(left - right).max() <= {"float32": 1e-6, "float64": 1e-13}[dtype] * size.max()

    @pytest.mark.parametrize("method", ["auto", "1992", "1992v2"])
    def test_is_the_transposed_matrix(self, library, dtype, method, rng):
        made, framing = wavelets((60.0, 31.0, 7.3)), Framing(60, 11, 30)
        matrix = np.stack([oracle(column, made, framing) for column in np.eye(97)])
        C = rng.standard_normal((3, 9)) + 1j * rng.standard_normal((3, 9))
        C = C.astype(np.result_type(dtype, np.complex64))
        back = constant_q_adjoint(library.asarray(C), 97, framing, Bank(made, 11, method))
        expected = np.einsum("nkt,kt->n", matrix.conj(), C).real
        assert_same_spectrum(library.to_numpy(back), expected)

    @pytest.mark.parametrize("mode", INDEX_MODES)
    @pytest.mark.parametrize("n", [90, 701])
    def test_of_padding(self, library, dtype, mode, n, rng):
        bank, framing = Bank(wavelets((120.0, 60.0, 9.0)), 16), Framing(120, 16, 60, mode)
        y = library.asarray(rng.standard_normal(n).astype(dtype))
        A_y = library.to_numpy(analysis(framing, bank)(y))
        C = (rng.standard_normal(A_y.shape) + 1j * rng.standard_normal(A_y.shape)).astype(A_y.dtype)
        back = library.to_numpy(synthesis(framing, bank, n)(library.asarray(C)))
        left, right = np.vdot(A_y, np.complex128(C)).real, np.dot(library.to_numpy(y), np.float64(back))
        size = np.linalg.norm(library.to_numpy(y)) * np.linalg.norm(back)
        assert abs(left - right) <= {"float32": 1e-6, "float64": 1e-13}[dtype] * size

    def test_of_padding_with_computed_values_is_refused(self):
        bank, framing = Bank(wavelets((120.0,)), 16), Framing(120, 16, 60, "mean")
        with pytest.raises(aa.ParameterError, match="pad_mode='mean': has no adjoint"):
            synthesis(framing, bank, 200)(np.ones((1, 13), complex))


class TestFastLoops:
    @pytest.mark.parametrize("n_fft", [64, 63, 60, 1])
    @pytest.mark.parametrize("period", [1, 6, 7, 64])
    def test_fold_adds_up_bins_that_coincide(self, n_fft, period, dtype, rng):
        form = np.result_type(dtype, np.complex64)
        X = np.fft.rfft(rng.standard_normal(n_fft)).astype(form)
        whole = np.concatenate([X, X[1 : (n_fft + 1) // 2][::-1].conj()])
        half = n_fft // 2
        starts = np.array([-half, 0, half, -min(3, half), half // 2])
        sizes = np.array([n_fft, n_fft, n_fft - half, min(5, n_fft), 0])
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        values = (rng.standard_normal(offsets[-1]) + 1j * rng.standard_normal(offsets[-1])).astype(form)
        out = np.full((5, period), np.nan, form)
        fast.fold(X, n_fft, values, offsets, starts, out)
        expected = np.zeros((5, period), complex)
        for k in range(5):
            for i in range(sizes[k]):
                j = starts[k] + i
                expected[k, j % period] += complex(whole[j % n_fft]) * complex(values[offsets[k] + i])
        assert_same_spectrum(out, expected)

    @pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 9])
    @pytest.mark.parametrize("width", [1, 2, 511, 513, 1100])
    def test_correlate_adds_up_products(self, n_frames, width, dtype, rng):
        matrix, spans = rng.standard_normal((6, width)).astype(dtype), np.array([(0, width), (0, width), (1, width)])
        matrix[4:, 0] = 0
        for hop in (1, 30):
            y = rng.standard_normal((n_frames - 1) * hop + width).astype(dtype)
            out = np.full((3, n_frames), np.nan, np.result_type(dtype, np.complex64))
            fast.correlate(y, matrix, spans, hop, out)
            frames = np.stack([y[t * hop :][:width] for t in range(n_frames)]).astype(np.float64)
            expected = (matrix[0::2] + 1j * np.float64(matrix[1::2])) @ frames.T
            assert relative_error(out, expected) <= {"float32": 1e-6, "float64": 1e-13}[dtype]

    def test_wide_vectors_are_asked_for(self):
        @numba.njit
        def total(x):
            widest_vectors()
            return x.sum()

        assert total(np.ones(3)) == 3
        assert '"prefer-vector-width"="512"' in next(iter(total.inspect_llvm().values()))

    def test_aligned_memory(self):
        for shape in ((0,), (3,), (5, 7)):
            made = aligned(shape, np.float32)
            assert made.shape == shape
            assert made.ctypes.data % 64 == 0 or made.size == 0
