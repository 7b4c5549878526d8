"""Long constant-Q kernels as combinations of few shapes."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constant_q import bank as bank_module
from arrayaudio.constant_q.bank import Bank
from arrayaudio.constant_q.compression import block_length, compressed
from arrayaudio.constant_q.projection import constant_q, constant_q_adjoint
from arrayaudio.constant_q.wavelets import Wavelets
from arrayaudio.frames import Framing
from arrayaudio.kernels.cpu import constant_q as fast

from .constant_q_cases import oracle
from .tolerances import assert_near_peak, assert_same_spectrum

# Kernels long enough to be compressed, at frequencies that are low enough.
LONG = (1800.0, 1500.3, 1290.0, 1100.0, 905.5, 760.0, 333.0, 40.0)


def low(window="hann"):
    return Wavelets(8000.0, tuple(40000 / n for n in LONG), LONG, tuple(1.0 + i for i in range(len(LONG))), window)


@pytest.fixture(autouse=True)
def as_a_cpu_chooses(monkeypatch):
    """GPUs take spectra where there is memory for them; without it, they do what CPUs do."""
    monkeypatch.setattr(bank_module, "LARGEST_ON_GPU", 0)
    bank_module._prepared.cache_clear()
    yield
    bank_module._prepared.cache_clear()


class TestCompression:
    @pytest.mark.parametrize(
        ("hop", "length"), [(16, 16), (512, 512), (441, 441), (1024, 512), (1000, 500), (1, 0), (15, 0), (1103, 0)]
    )
    def test_blocks_divide_the_hop(self, hop, length):
        assert block_length(hop) == length

    @pytest.mark.parametrize("window", ["hann", "hamming", ("kaiser", 8.0), "blackmanharris"], ids=str)
    @pytest.mark.parametrize(("hop", "tolerance"), [(160, 5e-7), (100, 1e-3), (256, 5e-7), (200, 1e-5)])
    def test_no_value_misses_more_than_the_tolerance(self, window, hop, tolerance):
        made = low(window)
        short, _ = compressed(made, hop, tolerance, "float64")
        shapes, k = short.shapes, 0
        assert short.n_bins >= 3
        assert_near_peak(shapes @ shapes.T, np.eye(len(shapes)))
        for n, rows in short.groups:
            assert rows.start % n == rows.width % n == 0
            for (real, imag), span in zip(rows.matrix.reshape(rows.n_bins, 2, -1), rows.spans, strict=True):
                outside = np.r_[: span[0], span[1] : rows.width]
                assert not real[outside].any()
                assert not imag[outside].any()
                blocks = (real - 1j * imag).reshape(-1, n) @ shapes[:n]
                kernel = np.pad(blocks.ravel(), (rows.start // n * blocks.shape[1], made.width))
                first, values = made.kernel(k)
                expected = np.zeros(len(kernel), complex)
                expected[made.width // 2 + first :][: len(values)] = values
                # Kernels come in single precision.
                assert np.abs(kernel - expected).max() <= (tolerance + 1e-7) * np.abs(values).max()
                k += 1
        assert k == short.n_bins

    def test_a_larger_tolerance_needs_fewer_shapes(self):
        made = aa.CQT(sr=22050, n_bins=12).bank.wavelets
        sizes = [len(compressed(made, 512, tolerance, "float32")[0].shapes) for tolerance in (1e-2, 1e-4, 1e-6)]
        assert sizes == sorted(sizes)
        assert 0 < sizes[0] < sizes[-1]
        assert compressed(low(), 256, 1e-8, "float32")[0].n_bins == 0

    def test_saves_operations(self):
        short, cost = compressed(low(), 256, 5e-7, "float32")
        others = sum(LONG[short.n_bins :])
        values = sum(np.diff(rows.spans).sum() for _, rows in short.groups)
        assert cost == pytest.approx(2 * 256 * len(short.shapes) + 4 * values + 4 * others)
        assert cost < 4 * sum(LONG)
        assert compressed(low(), 1103, 5e-7, "float32")[1] == 4 * sum(LONG)

    def test_is_taken_where_it_is_cheaper(self, library):
        y = library.asarray(np.zeros(1, np.float32))
        assert Bank(low(), 256).like(y).compressed.n_bins > 0
        assert Bank(low(), 1).like(y).compressed.n_bins == 0
        assert Bank(low(), 256, "1992v2").like(y).compressed.n_bins == 0
        assert Bank(low(), 256).like(library.asarray(np.zeros(1))).compressed.n_bins == 0

    @pytest.mark.parametrize(("hop", "block"), [(100, 100), (256, 256), (250, 125)])
    @pytest.mark.parametrize("mode", ["reflect", "mean"])
    def test_equals_the_sums(self, library, monkeypatch, hop, block, mode, rng):
        monkeypatch.setattr("arrayaudio.constant_q.compression.LONGEST_BLOCK", block)
        bank, y = Bank(low(), hop), rng.standard_normal((2, 4001)).astype(np.float32)
        assert bank.like(library.asarray(y)).compressed.shapes.shape[1] == block
        for padding in (0, 900):
            framing = Framing(1800, hop, padding, mode)
            result = library.to_numpy(constant_q(library.asarray(y), framing, bank))
            for found, item in zip(result, y.astype(float), strict=True):
                assert_near_peak(found, oracle(item, bank.wavelets, framing))

    @pytest.mark.parametrize(("hop", "block"), [(100, 100), (256, 256), (250, 125)])
    def test_has_an_exact_adjoint(self, library, monkeypatch, hop, block, rng):
        monkeypatch.setattr("arrayaudio.constant_q.compression.LONGEST_BLOCK", block)
        bank, y = Bank(low(), hop), rng.standard_normal((2, 4001)).astype(np.float32)
        assert bank.like(library.asarray(y)).compressed.n_bins > 0
        for padding in (0, 900):
            framing = Framing(1800, hop, padding)
            A_y = library.to_numpy(constant_q(library.asarray(y), framing, bank))
            C = (rng.standard_normal(A_y.shape) + 1j * rng.standard_normal(A_y.shape)).astype(A_y.dtype)
            back = library.to_numpy(constant_q_adjoint(library.asarray(C), 4001, framing, bank))
            left = np.sum(A_y.conj() * np.complex128(C), axis=(-2, -1)).real
            right = np.sum(y * np.float64(back), axis=-1)
            size = np.linalg.norm(y, axis=-1) * np.linalg.norm(back, axis=-1)
            assert np.abs(left - right).max() <= 1e-6 * size.max()
            matrix = constant_q_adjoint(np.complex128(C), 4001, framing, bank)
            assert_same_spectrum(back, matrix)

    def test_tiles_and_threads_change_nothing(self, monkeypatch, rng):
        bank, y = Bank(low(), 100), rng.standard_normal((3, 9000)).astype(np.float32)
        framing, results = Framing(1800, 100, 900), []
        for shortest, samples, n in ((64, 2**17, 1), (1, 700, 3)):
            monkeypatch.setattr(fast, "SHORTEST_TILE", shortest)
            monkeypatch.setattr(fast, "TILE_SAMPLES", samples)
            aa.set_num_threads(n)
            results.append(constant_q(y, framing, bank))
        np.testing.assert_array_equal(*results)

    def test_large_banks(self, monkeypatch, rng):
        y, framing = rng.standard_normal(4001).astype(np.float32), Framing(1800, 256, 900)
        C = constant_q(y, framing, Bank(low(), 256))
        back = constant_q_adjoint(C, 4001, framing, Bank(low(), 256))
        monkeypatch.setattr("arrayaudio.constant_q.bank.LARGEST_KEPT", 100)
        bank = Bank(low("hann"), 256, tolerance=4.9e-7)
        ready = bank.like(y)
        assert not ready.is_kept
        assert ready.compressed.n_bins > 0
        assert_near_peak(constant_q(y, framing, bank), C)
        assert_same_spectrum(constant_q_adjoint(C, 4001, framing, bank), back)
