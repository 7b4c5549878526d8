"""Constant-Q analysis and its adjoint by spectra against the references in float64."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constant_q import bank as banks
from arrayaudio.constant_q.bank import Bank, segment
from arrayaudio.constant_q.projection import _analysed, _synthesised, constant_q, constant_q_adjoint
from arrayaudio.constant_q.wavelets import Wavelets
from arrayaudio.frames import INDEX_MODES, Framing, pad
from arrayaudio.kernels.gpu import constant_q as analysis
from arrayaudio.kernels.gpu import constant_q_adjoint as synthesis
from arrayaudio.kernels.gpu import spectra

from .tolerances import assert_near_peak, assert_same_spectrum

KERNELS = ["segments", "constant_q"], ["constant_q_adjoint", "overlapped"]


def wavelets(n_bins, longest=200.0, ratio=0.8, periods=2):
    """Kernels of many lengths, down to a single sample, that hold so many periods."""
    lengths = tuple(max(1.0, longest * ratio**k) for k in range(n_bins))
    return Wavelets(8000.0, tuple(min(8000 * periods / length, 4000.0) for length in lengths), lengths, (1.0,) * n_bins)


def random(rng, shape, dtype):
    values = rng.standard_normal((2, *shape))
    return (values[0] + 1j * values[1]).astype(np.result_type(dtype, np.complex64))


def analyse(gpu, y, framing, bank):
    """The result of the kernels, which leave their input as it is."""
    given = gpu.asarray(y)
    result = analysis.constant_q(given, framing, bank)
    np.testing.assert_array_equal(gpu.to_numpy(given), y)
    assert result.flags.c_contiguous
    return gpu.to_numpy(result)


def synthesise(gpu, C, n_samples, framing, bank):
    given = gpu.asarray(C)
    result = synthesis.constant_q_adjoint(given, n_samples, framing, bank)
    np.testing.assert_array_equal(gpu.to_numpy(given), C)
    assert result.flags.c_contiguous
    return gpu.to_numpy(result)


def check(gpu, y, framing, bank, same=assert_same_spectrum):
    result, exact = analyse(gpu, y, framing, bank), constant_q.reference(y.astype(np.float64), framing, bank)
    assert result.dtype == np.result_type(y.dtype, np.complex64)
    same(result, exact, y.dtype.name)


def check_adjoint(gpu, C, n_samples, framing, bank):
    exact = constant_q_adjoint.reference(C.astype(complex), n_samples, framing, bank)
    result = synthesise(gpu, C, n_samples, framing, bank)
    assert result.dtype == C.real.dtype
    assert_same_spectrum(result, exact, result.dtype.name)


CASES = [
    # shape of signals, bins, hop
    ((600,), 1, 16),
    ((2, 3, 700), 5, 9),
    ((3, 1900), 17, 16),
    ((1, 450), 33, 70),
    ((5, 201), 4, 300),
    ((1, 230), 7, 1),
]


@pytest.mark.parametrize("method", ["auto", "1992"])
@pytest.mark.parametrize(("shape", "n_bins", "hop"), CASES)
def test_any_shape(method, shape, n_bins, hop, dtype, rng, gpu):
    y, framing, bank = rng.standard_normal(shape).astype(dtype), Framing(200, hop), Bank(wavelets(n_bins), hop, method)
    check(gpu, y, framing, bank)
    C = random(rng, (*shape[:-1], n_bins, framing.n_frames(shape[-1])), dtype)
    check_adjoint(gpu, C, shape[-1], framing, bank)
    assert [program.name for program in gpu.launches] == [*KERNELS[0], *KERNELS[1]]


@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize(("n_samples", "padding"), [(901, 100), (40, 99), (31, 300)])
def test_any_padding(mode, n_samples, padding, dtype, rng, gpu):
    y, bank = rng.standard_normal((2, n_samples)).astype(dtype), Bank(wavelets(5), 16)
    framing = Framing(200, 16, padding, mode)
    if n_samples < framing.min_length:
        with pytest.raises(aa.ParameterError, match="at least"):
            analysis.constant_q(gpu.asarray(y), framing, bank)
        return
    check(gpu, y, framing, bank, assert_near_peak)


@pytest.mark.parametrize(("n_samples", "padding"), [(901, 100), (40, 99), (5, 300), (2000, 0)])
def test_adjoint_of_padding_with_zeros(n_samples, padding, dtype, rng, gpu):
    framing, bank = Framing(200, 16, padding), Bank(wavelets(5), 16)
    check_adjoint(gpu, random(rng, (2, 5, framing.n_frames(n_samples)), dtype), n_samples, framing, bank)


@pytest.mark.parametrize(("method", "hop"), [("auto", 16), ("auto", 300), ("1992", 16), ("1992", 300)])
@pytest.mark.parametrize("together", [1, 2, 5])
def test_chunks_change_nothing(method, hop, together, rng, gpu, monkeypatch):
    """One segment at a time, several of an item, and several items."""
    framing, bank = Framing(200, hop, 100), Bank(wavelets(5), hop, method)
    n_fft, period, n_useful = segment(bank)
    n_samples = (5 * n_useful // 2 + 1) * hop
    y, n_segments = rng.standard_normal((3, n_samples)), -(-framing.n_frames(n_samples) // n_useful)
    C = random(rng, (3, 5, framing.n_frames(n_samples)), "float64")
    whole, signal = analyse(gpu, y, framing, bank), synthesise(gpu, C, n_samples, framing, bank)
    gpu.launches.clear()
    monkeypatch.setattr(spectra, "CHUNK", together * max(n_fft, 10 * period))
    np.testing.assert_array_equal(analyse(gpu, y, framing, bank), whole)
    assert len(gpu.launches) == 2 * {1: 3 * n_segments, 2: 6, 5: 3}[together]
    assert_same_spectrum(synthesise(gpu, C, n_samples, framing, bank), signal)


def test_chunks_have_one_shape_and_hold_all(monkeypatch):
    monkeypatch.setattr(spectra, "CHUNK", 1000)
    for n_items, n_segments, size in [(1, 1, 5000), (7, 3, 100), (5, 40, 30), (64, 6, 10), (1, 1001, 1)]:
        found, held = set(), np.zeros((n_items, n_segments), int)
        for chunk in spectra.chunks(n_items, n_segments, size):
            held[chunk.items, chunk.first : chunk.first + chunk.n_segments] += 1
            found.add((chunk.n_items, chunk.n_segments))
            assert chunk.items.stop <= n_items
            assert chunk.size * size <= 1000 or chunk.size == 1
        assert len(found) == 1
        assert held.min() == 1


def test_items_do_not_depend_on_their_mates(rng, gpu, monkeypatch):
    y, framing, bank = rng.standard_normal((5, 1500)).astype("float32"), Framing(200, 16, 100), Bank(wavelets(18), 16)
    C = random(rng, (5, 18, framing.n_frames(1500)), "float32")
    whole, signals = analyse(gpu, y, framing, bank), synthesise(gpu, C, 1500, framing, bank)
    for module in (analysis, synthesis):
        monkeypatch.setattr(module, "MOST_BLOCKS", 2)
        monkeypatch.setattr(module, "MOST_ROWS", 1)
    np.testing.assert_array_equal(analyse(gpu, y[2:4], framing, bank), whole[2:4])
    np.testing.assert_array_equal(synthesise(gpu, C[2:4], 1500, framing, bank), signals[2:4])


def test_arrays_in_any_memory_layout(rng, gpu):
    y, framing, bank = rng.standard_normal((4, 3, 500)), Framing(200, 16), Bank(wavelets(5), 16)
    result = gpu.to_numpy(analysis.constant_q(gpu.asarray(y)[::2, :, ::-1], framing, bank))
    np.testing.assert_array_equal(result, analyse(gpu, y[::2, :, ::-1].copy(), framing, bank))
    C = random(rng, (3, framing.n_frames(500), 5), "float64")
    result = gpu.to_numpy(synthesis.constant_q_adjoint(gpu.asarray(C)[::-2].swapaxes(1, 2), 500, framing, bank))
    np.testing.assert_array_equal(result, synthesise(gpu, C[::-2].swapaxes(1, 2).copy(), 500, framing, bank))


@pytest.mark.parametrize("periods", [2, 20])
def test_half_spectra_mirror_kernels_that_reach_beyond_them(periods, dtype, rng, gpu):
    """Spectra that are cut, which begin below 0 Hz or end beyond half the rate, and those that are whole."""
    bank, framing = Bank(wavelets(12, 3000.0, 0.6, periods), 500, tolerance=1e-3), Framing(3000, 500, 1500)
    made = bank.like(gpu.asarray(np.ones(1, dtype))).spectra
    sizes = np.diff(made.offsets)
    stops = [start + size for start, size in zip(made.starts, sizes, strict=True)]
    assert min(made.starts) < 0 if periods == 2 else any(made.n_fft // 2 < stop < made.n_fft for stop in stops)
    assert sizes.min() < sizes.max() == made.n_fft
    y, C = rng.standard_normal(9000).astype(dtype), random(rng, (12, framing.n_frames(9000)), dtype)
    exact = banks.spectra(bank, 12, "float64")
    padded, n_frames = pad(y.astype(np.float64), 1500, "constant"), framing.n_frames(9000)
    assert_same_spectrum(analyse(gpu, y, framing, bank), _analysed(padded, exact, framing, n_frames), dtype)
    expected = _synthesised(C.astype(complex), exact, framing, 12000)[1500:-1500]
    assert_same_spectrum(synthesise(gpu, C, 9000, framing, bank), expected, dtype)


def test_what_it_does_not_cover_is_declined(rng, gpu, monkeypatch):
    y, framing = gpu.asarray(rng.standard_normal((2, 900))), Framing(200, 16)
    C, bank = gpu.asarray(random(rng, (2, 5, 44), "float64")), Bank(wavelets(5), 16)
    rows = Bank(wavelets(5), 16, "1992v2")
    assert analysis.constant_q(y, Framing(200, 16, 100, "mean"), bank) is NotImplemented
    assert analysis.constant_q(y, framing, rows) is NotImplemented
    assert synthesis.constant_q_adjoint(C, 900, framing, rows) is NotImplemented
    assert analysis.constant_q(y[:0], framing, bank).shape == (0, 5, 44)
    assert synthesis.constant_q_adjoint(C[:0], 900, framing, bank).shape == (0, 900)
    np.testing.assert_array_equal(gpu.to_numpy(synthesis.constant_q_adjoint(C[..., :0], 90, framing, bank)), 0)
    assert gpu.launches == []
    monkeypatch.setattr(banks, "LARGEST_ON_GPU", 1000)
    assert analysis.constant_q(y, framing, Bank(wavelets(5), 16, tolerance=1e-5)) is NotImplemented


@pytest.mark.parametrize("method", ["auto", "1992", "1992v2"])
def test_a_transform_and_its_gradient(method, dtype, rng, gpu):
    cqt = aa.CQT(sr=8000, fmin=220.0, n_bins=14, hop_length=160, method=method)
    y = rng.standard_normal((2, 1500)).astype(dtype)

    def loss(y):
        return (abs(cqt(y)) ** 2).sum()

    result = gpu.to_numpy(cqt(gpu.asarray(y)))
    assert_same_spectrum(result, cqt(y.astype(np.float64)), dtype)
    gradient = gpu.to_numpy(aa.grad(loss)(gpu.asarray(y)))
    assert_same_spectrum(gradient, aa.grad(loss)(y.astype(np.float64)), dtype)
