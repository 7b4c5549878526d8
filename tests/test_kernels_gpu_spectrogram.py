"""The fused kernel of `spectrogram` against the reference in float64."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant, Given
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.kernels.gpu import fft, loader, spectrogram
from arrayaudio.plan import Plan
from arrayaudio.plan import spectrogram as primitive
from arrayaudio.spectrum import Scaling

from .emulator import EmulationError
from .tolerances import assert_same_levels, assert_same_spectrum

fused, reference = spectrogram.spectrogram, primitive.reference
LENGTHS = [32, 48, 60, 64, 100, 128, 240, 256, 400, 512, 1024, 2048, 4096, 8192]
SCALINGS = [Scaling(10.0, 0.3), Scaling(20.0, 0.3, range=15.0), Scaling(1.0, 0.3, base="e")]


def window(n_fft):
    return Constant(np.hanning(n_fft + 1)[1:])


def bank(n_fft, rng):
    """Bands that touch, overlap and leave gaps, one that is empty, one with a hole, and one with all bins."""
    weights = np.zeros((9, 1 + n_fft // 2))
    for row, (first, last) in zip(weights, [(0, 1), (1, 4), (3, 9), (14, 15), (0, 0), (5, 12), (2, 17)], strict=False):
        row[first:last] = rng.random(last - first)
    weights[5, 7:9] = 0
    weights[7] = rng.random(1 + n_fft // 2)
    weights[8, -3:] = 1
    return Constant(weights)


def run(gpu, y, plan):
    """The result of the kernel, which leaves its input as it is."""
    given = gpu.asarray(y)
    result = fused(given, plan)
    np.testing.assert_array_equal(gpu.to_numpy(given), y)
    assert result.flags.c_contiguous
    return gpu.to_numpy(result)


def check(gpu, y, plan):
    result, exact = run(gpu, y, plan), reference(y.astype(np.float64), plan)
    assert result.dtype == reference(y, plan).dtype
    (assert_same_levels if plan.scaling else assert_same_spectrum)(result, exact, y.dtype.name)


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_any_length_and_detector(n_fft, dtype, rng, gpu):
    y = rng.standard_normal((2, 2 * n_fft + 77)).astype(dtype)
    framing = Framing(n_fft, n_fft // 4, n_fft // 2, "reflect")
    for detector in ("complex", 1.0, 2.0):
        check(gpu, y, Plan(framing, window(n_fft), detector))
    plan = Plan(framing, window(n_fft), 2.0, bank(n_fft, rng), SCALINGS[0])
    check(gpu, y, plan)
    assert [program.dtype for program in gpu.launches] == [dtype] * 4
    assert len(set(gpu.launches)) == 1


@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize(
    ("shape", "n_fft", "hop", "padding"),
    [
        ((50,), 32, 9, 16),
        ((2, 3, 333), 48, 5, 24),
        ((2, 9), 32, 4, 48),
        ((1, 400), 60, 71, 30),
        ((64,), 64, 1, 0),
        ((3, 2), 32, 1, 40),
        ((1, 2000), 32, 47, 0),
    ],
)
def test_any_padding_and_framing(mode, shape, n_fft, hop, padding, rng, gpu):
    y, plan = rng.standard_normal(shape).astype("float32"), Plan(Framing(n_fft, hop, padding, mode), window(n_fft))
    if shape[-1] < plan.framing.min_length:
        with pytest.raises(aa.ParameterError, match="at least"):
            run(gpu, y, plan)
    else:
        check(gpu, y, plan)


@pytest.mark.parametrize("full", [1, 40, 10**6])
def test_tiles_of_any_size(full, dtype, rng, gpu, monkeypatch):
    """Large ones, most of whose frames lie inside the signal, small ones for few frames, and several to a block."""
    monkeypatch.setattr(fft, "FULL", full)
    monkeypatch.setattr(spectrogram, "MOST_BLOCKS", 5)
    y = rng.standard_normal((3, 2500)).astype(dtype)
    for detector, matrix in (("complex", None), (1.0, bank(100, rng))):
        check(gpu, y, Plan(Framing(100, 40, 50, "reflect"), window(100), detector, matrix))


@pytest.mark.parametrize("detector", [1.0, 2.0])
@pytest.mark.parametrize("banded", [False, True])
@pytest.mark.parametrize("scaling", [None, *SCALINGS], ids=str)
def test_bands_and_levels(detector, banded, scaling, dtype, rng, gpu):
    y, matrix = rng.standard_normal((2, 1, 300)).astype(dtype), bank(64, rng) if banded else None
    check(gpu, y, Plan(Framing(64, 23, 32), window(64), detector, matrix, scaling))


@pytest.mark.parametrize("banded", [False, True])
def test_the_floor_is_exact(banded, dtype, rng, gpu):
    scaling, matrix = Scaling(10.0, 1e-10), bank(64, rng) if banded else None
    silence = np.zeros((2, 300), dtype)
    result = run(gpu, silence, Plan(Framing(64, 16), window(64), 2.0, matrix, scaling))
    assert set(result.ravel()) == {result.dtype.type(scaling.lowest)}
    plan = Plan(Framing(64, 16), window(64), 2.0, bank(64, rng), scaling)
    assert set(run(gpu, rng.standard_normal(300).astype(dtype), plan)[4]) == {result.dtype.type(scaling.lowest)}


@pytest.mark.parametrize("banded", [False, True])
@pytest.mark.parametrize("scaling", [None, Scaling(10.0, 1e-10)], ids=str)
def test_nan_spoils_its_own_frames_only(banded, scaling, rng, gpu):
    clean = rng.standard_normal((2, 1500)).astype("float32")
    y, matrix = clean.copy(), bank(64, rng) if banded else None
    y[1, 1000] = np.nan
    plan = Plan(Framing(64, 16, 32), window(64), 2.0, matrix, scaling)
    result, expected = run(gpu, y, plan), run(gpu, clean, plan)
    starts = np.arange(result.shape[-1]) * 16 - 32
    hit = (starts <= 1000) & (starts + 64 > 1000)
    assert np.isnan(result[1][(7 if banded else slice(None)), :][..., hit]).all()
    np.testing.assert_array_equal(result[0], expected[0])
    np.testing.assert_array_equal(result[1][:, ~hit], expected[1][:, ~hit])


def test_items_do_not_depend_on_their_mates(rng, gpu, monkeypatch):
    monkeypatch.setattr(fft, "FULL", 50)  # so that tiles of many items are large, and those of two are not
    y = rng.standard_normal((40, 400)).astype("float32")
    plan = Plan(Framing(64, 16, 32), window(64), 2.0, bank(64, rng), SCALINGS[1])
    np.testing.assert_array_equal(run(gpu, y, plan)[17:19], run(gpu, y[17:19], plan))


def test_signals_in_any_memory_layout(rng, gpu):
    y = gpu.asarray(rng.standard_normal((4, 3, 300)))
    plan = Plan(Framing(64, 16), window(64))
    mixed = y[::2, :, ::-1]
    assert not mixed.flags.c_contiguous
    np.testing.assert_array_equal(gpu.to_numpy(fused(mixed, plan)), run(gpu, gpu.to_numpy(mixed), plan))
    assert fused(y[:0], plan).shape == (0, 3, 33, 15)
    assert fused(y, Plan(Framing(64, 16), window(64), 2.0, Constant(np.ones((0, 33))))).shape == (4, 3, 0, 15)


@pytest.mark.parametrize("occurrence", range(5))
def test_each_barrier_is_needed(occurrence, rng, stand_in, monkeypatch):
    monkeypatch.setattr(spectrogram, "MOST_BLOCKS", 1)
    monkeypatch.setattr(fft, "FULL", 1)
    y, plan = rng.standard_normal(3000).astype("float32"), Plan(Framing(240, 60, 120), window(240), 2.0, bank(240, rng))
    check(stand_in, y, plan)
    whole = loader.Program.text.fget
    barrier = "__syncthreads();"

    def without(program):
        parts = whole(program).split(barrier)
        assert len(parts) == 6
        return barrier.join(parts[: occurrence + 1]) + barrier.join(parts[occurrence + 1 :])

    monkeypatch.setattr(loader.Program, "text", property(without))
    stand_in.unload()
    with pytest.raises(EmulationError, match="differs between the schedules"):
        run(stand_in, y, plan)


def test_what_it_does_not_cover_is_declined(rng, gpu):
    gpu.limit_shared_memory(99 * 1024)
    y, rows = gpu.asarray(rng.standard_normal(40000)), Constant(np.ones((2, 33)))
    framing, given = Framing(64, 16), window(64)
    for plan in (
        Plan(Framing(63, 16), window(63)),
        Plan(Framing(30, 16), window(30)),
        Plan(Framing(2 * 67, 16), window(2 * 67)),
        Plan(Framing(2**15, 16), window(2**15)),
        Plan(Framing(64, 16, 32, "mean"), given),
        Plan(framing, given, "phase"),
        Plan(framing, given, 1.5),
        Plan(framing, given, "complex", rows),
        Plan(framing, given, frequencies=Constant(np.array([0.1]))),
        Plan(framing, given, basis=Constant(np.ones((2, 3, 64)))),
        Plan(framing, Given(np.ones(64))),
        Plan(framing, given, 2.0, Given(np.ones((2, 33)))),
        Plan(framing, given, 2.0, Constant(np.ones((2, 32)))),
        Plan(Framing(2**14, 512), window(2**14)),  # in float64, more than the shared memory of small devices
    ):
        assert fused(y, plan) is NotImplemented
    assert gpu.launches == []


def test_the_longest_frames(rng, gpu, dtype):
    gpu.limit_shared_memory(163 * 1024)
    y = rng.standard_normal(2**14 + 600).astype(dtype)
    check(gpu, y, Plan(Framing(2**14, 512), window(2**14)))


def test_transforms_take_it(rng, gpu, dtype):
    y, mel = rng.standard_normal((2, 5000)).astype(dtype), aa.MelSpectrogram(sr=8000, n_fft=256, scale="db")
    assert_same_levels(gpu.to_numpy(mel(gpu.asarray(y))), mel(y.astype(np.float64)), dtype)
    assert [(program.name, program.dtype) for program in gpu.launches] == [("spectrogram", dtype)]


@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("limit", [99 * 1024, 163 * 1024, 227 * 1024])
def test_tiles_fit_and_use_all_banks(itemsize, limit):
    """The bins that the threads which read at a time take first lie in different banks of shared memory."""
    at_a_time = 64 // itemsize
    for n_fft in range(fft.SHORTEST, fft.LONGEST + 1):
        sizes = fft.radices(n_fft)
        if sizes is None:
            continue
        tile = fft.tile(sizes, itemsize, 10**6, 10**6, limit)
        assert tile.shared_bytes(itemsize) <= limit or (tile.n_frames == 1 and itemsize == 8)
        place = fft.places(sizes)
        assert np.unique(place).size == n_fft // 2
        assert place.max() < tile.pitch
        lanes = np.arange(at_a_time)
        banks = (lanes % tile.n_frames * tile.pitch + place[lanes // tile.n_frames]) % at_a_time
        if sizes[0] * tile.n_frames >= at_a_time:
            assert np.unique(banks).size == at_a_time, (n_fft, sizes, tile)
