"""The kernel of `synthesis` against the reference in float64."""

import numpy as np
import pytest

from arrayaudio.constants import Constant
from arrayaudio.frames import Framing
from arrayaudio.inverse import synthesis as primitive
from arrayaudio.kernels.gpu import fft, loader, overlap_add
from arrayaudio.kernels.gpu.synthesis import synthesis

from .emulator import EmulationError
from .tolerances import assert_same_spectrum

LENGTHS = [32, 48, 50, 60, 64, 100, 240, 256, 400, 512, 1024, 2048, 4096, 8192]


def window(n_fft):
    return Constant(np.hanning(n_fft + 1)[1:])


def spectra(rng, shape, dtype="float64"):
    """Coefficients, also at 0 Hz and half the rate, whose imaginary parts count for nothing."""
    S = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return S.astype(np.result_type(dtype, np.complex64))


def run(gpu, S, framing):
    """The result of the kernel, which leaves its input as it is."""
    given = gpu.asarray(S)
    result = gpu.to_numpy(synthesis(given, framing, window(framing.frame_length)))
    np.testing.assert_array_equal(gpu.to_numpy(given), S)
    return result


def check(gpu, S, framing):
    result, exact = run(gpu, S, framing), primitive.reference(S.astype(complex), framing, window(framing.frame_length))
    assert result.dtype == S.real.dtype
    assert_same_spectrum(result, exact)


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_any_length(n_fft, dtype, rng, gpu):
    gpu.limit_shared_memory(163 * 1024)
    check(gpu, spectra(rng, (2, 1 + n_fft // 2, 7), dtype), Framing(n_fft, n_fft // 4))
    assert [(program.name, program.dtype) for program in gpu.launches] == [("synthesis", dtype)]


@pytest.mark.parametrize("full", [1, 40, 10**6])
@pytest.mark.parametrize("hop", [1, 5, 16, 23, 32, 40, 200])
@pytest.mark.parametrize("shape", [(17, 1), (2, 3, 17, 6), (17, 75)], ids=str)
def test_any_hop_shape_and_run(shape, hop, full, rng, gpu, monkeypatch):
    """Runs of one frame and of all, of tiles of few frames and of many, and several to a block."""
    monkeypatch.setattr(overlap_add, "FULL", full)
    monkeypatch.setattr(overlap_add, "MOST_BLOCKS", 5)
    check(gpu, spectra(rng, shape, "float32"), Framing(32, hop))


def test_samples_do_not_depend_on_runs_tiles_and_mates(dtype, rng, gpu, monkeypatch):
    S, framing = spectra(rng, (3, 33, 60), dtype), Framing(64, 20)
    results, places = [], set()
    for full in (1, 60, 10**6):
        monkeypatch.setattr(overlap_add, "FULL", full)
        places.add(overlap_add.runs(64, 20, np.dtype(dtype), 3, 60))
        results += [run(gpu, S, framing), np.stack([run(gpu, item, framing) for item in S])]
    assert len(places) == len({place.tile for place in places}) == 3
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_nan_spoils_its_own_samples_only(rng, gpu):
    S, framing = spectra(rng, (2, 17, 50), "float32"), Framing(32, 10)
    spoilt = S.copy()
    spoilt[1, 3, 20] = np.nan
    result, expected = run(gpu, spoilt, framing), run(gpu, S, framing)
    hit = np.zeros(result.shape, bool)
    hit[1, 200:232] = True
    np.testing.assert_array_equal(np.isnan(result), hit)
    np.testing.assert_array_equal(result[~hit], expected[~hit])


def test_spectra_in_any_memory_layout(rng, gpu):
    S, framing = spectra(rng, (4, 3, 17, 9)), Framing(32, 8)
    for given in (gpu.asarray(S)[::2, :, :, ::-1], gpu.asarray(S).swapaxes(0, 1)):
        assert not given.flags.c_contiguous
        result = gpu.to_numpy(synthesis(given, framing, window(32)))
        np.testing.assert_array_equal(result, run(gpu, gpu.to_numpy(given), framing))
    assert synthesis(gpu.asarray(S[:0]), framing, window(32)).shape == (0, 3, 96)


@pytest.mark.parametrize("occurrence", range(3, 7))
def test_each_barrier_is_needed(occurrence, rng, stand_in, monkeypatch):
    """The first three are those of the way forth."""
    monkeypatch.setattr(overlap_add, "FULL", 1)
    S, framing = spectra(rng, (121, 40), "float32"), Framing(240, 60)
    check(stand_in, S, framing)
    whole = loader.Program.text.fget
    barrier = "__syncthreads();"

    def without(program):
        parts = whole(program).split(barrier)
        assert len(parts) == 8
        return barrier.join(parts[: occurrence + 1]) + barrier.join(parts[occurrence + 1 :])

    monkeypatch.setattr(loader.Program, "text", property(without))
    stand_in.unload()
    with pytest.raises(EmulationError, match="differs between the schedules"):
        run(stand_in, S, framing)


def test_what_it_does_not_cover_is_declined(rng, gpu):
    gpu.limit_shared_memory(99 * 1024)
    for n_bins, framing in (
        (32, Framing(63, 16)),
        (16, Framing(30, 16)),
        (68, Framing(2 * 67, 16)),
        (16, Framing(32, 16)),
        (18, Framing(32, 16)),
        (17, Framing(32, 2**27)),
        (1 + 2**13, Framing(2**14, 2**12)),  # more than the shared memory of small devices
    ):
        S = gpu.asarray(spectra(rng, (n_bins, 1), "float32"))
        assert synthesis(S, framing, window(framing.frame_length)) is NotImplemented
    assert synthesis(gpu.asarray(np.ones((17, 3))), Framing(32, 16), window(32)) is NotImplemented
    assert synthesis(gpu.asarray(np.ones((17, 0), complex)), Framing(32, 16), window(32)) is NotImplemented
    assert gpu.launches == []
    gpu.limit_shared_memory(163 * 1024)
    check(gpu, spectra(rng, (1 + 2**13, 2), "float32"), Framing(2**14, 2**12))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("limit", [99 * 1024, 163 * 1024, 227 * 1024])
def test_runs_fit_read_whole_sectors_and_fill_devices(limit, dtype, monkeypatch):
    monkeypatch.setattr(overlap_add, "shared_limit", lambda device: limit)
    monkeypatch.setattr(overlap_add, "current_device", lambda: 0)
    itemsize = np.dtype(dtype).itemsize
    for n_fft in (32, 400, 512, 1024, 2048, 4096):
        for hop in (1, n_fft // 4, n_fft // 2, n_fft, 2 * n_fft):
            for n_items, n_frames in ((1, 1), (1, 44), (64, 431), (1, 10**7), (10**5, 3)):
                runs = overlap_add.runs(n_fft, hop, np.dtype(dtype), n_items, n_frames)
                assert runs.shared_bytes(itemsize) <= limit
                assert runs.ring >= n_fft - hop
                assert runs.ring % overlap_add.THREADS == 0
                assert 2 * itemsize * runs.tile.n_frames >= 32
                blocks, overlap = n_items * -(-n_frames // runs.length), (n_fft - 1) // hop
                assert runs.length >= 1
                assert (runs.length + overlap) % runs.tile.n_frames == 0
                assert blocks >= min(fft.FULL // 2, n_items * n_frames // runs.tile.n_frames)
