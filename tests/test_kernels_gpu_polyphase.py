"""The kernel of resampling against its reference in float64."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant, Given
from arrayaudio.kernels.gpu import loader
from arrayaudio.kernels.gpu import polyphase as kernel
from arrayaudio.resampling import polyphase

from .emulator import EmulationError
from .tolerances import assert_same_spectrum

reference = polyphase.reference


def banded(up, down, reach, rng):
    """A matrix whose column p has weights for the `reach` inputs on each side of its place."""
    taps = (up - 1) * down // up + 2 * reach
    distance = np.arange(up) * down / up + reach - 1 - np.arange(taps)[:, None]
    return Constant(np.where(abs(distance) < reach, rng.standard_normal(distance.shape), 0))


def check(gpu, y, up, down, reach, matrix):
    given = gpu.asarray(y)
    result = kernel.polyphase(given, up, down, reach, matrix)
    np.testing.assert_array_equal(gpu.to_numpy(given), y)
    assert result.flags.c_contiguous
    assert result.dtype == y.dtype
    assert_same_spectrum(gpu.to_numpy(result), reference(y.astype(np.float64), up, down, reach, matrix), y.dtype.name)
    return gpu.to_numpy(result)


@pytest.mark.parametrize("full", [0, 10**6])
@pytest.mark.parametrize(
    ("shape", "up", "down", "reach"),
    [
        ((1,), 1, 2, 3),
        ((2, 500), 1, 2, 20),
        ((3, 2, 333), 5, 3, 9),
        ((2, 1200), 32, 64, 30),
        ((200,), 7, 1, 4),
        ((1, 900), 40, 17, 12),
        ((2, 70), 300, 110, 8),
        ((4, 50), 16, 200, 60),
        ((2, 30), 33, 32, 1),
    ],
)
def test_any_ratio(shape, up, down, reach, full, dtype, rng, gpu, monkeypatch):
    """Few frames, with one for each thread, and many."""
    monkeypatch.setattr(kernel, "FULL", full)
    check(gpu, rng.standard_normal(shape).astype(dtype), up, down, reach, banded(up, down, reach, rng))
    (launched,) = gpu.launches
    assert launched.macros == ("FRAMES=1",) if full else launched.macros != ("FRAMES=1",)


def test_outputs_without_weights_and_gaps_between_them(dtype, rng, gpu):
    matrix = banded(40, 30, 10, rng).value.copy()
    matrix[:, :18] = 0
    matrix[20:25, 20:] = 0
    check(gpu, rng.standard_normal((2, 200)).astype(dtype), 40, 30, 10, Constant(matrix))
    check(gpu, rng.standard_normal(200).astype(dtype), 40, 30, 10, Constant(0 * matrix))


def test_tiles_as_large_as_shared_memory(rng, gpu, monkeypatch):
    gpu.limit_shared_memory(99 * 1024)
    monkeypatch.setattr(kernel, "FULL", 0)
    y, found = rng.standard_normal((2, 9000)), []
    for down in (100, 300, 600, 1300, 3000):
        matrix = banded(16, down, 40, rng)
        if down == 3000:
            assert kernel.polyphase(gpu.asarray(y), 16, down, 40, matrix) is NotImplemented
        else:
            check(gpu, y, 16, down, 40, matrix)
            found.append(gpu.launches[-1].macros)
    assert found == [(f"FRAMES={n}",) for n in (4, 2, 1, 1)]


def test_signals_do_not_depend_on_their_mates(dtype, rng, gpu, monkeypatch):
    y, matrix = rng.standard_normal((5, 900)).astype(dtype), banded(40, 17, 12, rng)
    whole = check(gpu, y, 40, 17, 12, matrix)
    monkeypatch.setattr(kernel, "FULL", 0)
    monkeypatch.setattr(kernel, "MOST_BLOCKS", 2)
    np.testing.assert_array_equal(check(gpu, y[1:3], 40, 17, 12, matrix), whole[1:3])


def test_signals_in_any_memory_layout(rng, gpu):
    y, matrix = rng.standard_normal((300, 6)), banded(5, 3, 9, rng)
    result = gpu.to_numpy(kernel.polyphase(gpu.asarray(y)[:, ::-2].T, 5, 3, 9, matrix))
    np.testing.assert_array_equal(result, check(gpu, y[:, ::-2].T.copy(), 5, 3, 9, matrix))


def test_what_is_not_finite_spoils_what_is_near(rng, gpu):
    y = rng.standard_normal(600)
    clean = aa.resample(gpu.asarray(y), orig_sr=3, target_sr=2, half_width=8)
    y[300] = np.inf
    result = gpu.to_numpy(aa.resample(gpu.asarray(y), orig_sr=3, target_sr=2, half_width=8, check_finite=False))
    spoilt = ~np.isfinite(result)
    assert spoilt[200]
    assert not spoilt[:100].any()
    assert not spoilt[300:].any()
    np.testing.assert_array_equal(result[:100], gpu.to_numpy(clean)[:100])


@pytest.mark.parametrize("occurrence", range(2))
def test_each_barrier_is_needed(occurrence, rng, stand_in, monkeypatch):
    monkeypatch.setattr(kernel, "MOST_BLOCKS", 1)
    y, matrix = rng.standard_normal((2, 700)), banded(40, 17, 12, rng)
    check(stand_in, y, 40, 17, 12, matrix)
    whole = loader.Program.text.fget
    barrier = "__syncthreads();"

    def without(program):
        parts = whole(program).split(barrier)
        assert len(parts) == 3
        return barrier.join(parts[: occurrence + 1]) + barrier.join(parts[occurrence + 1 :])

    monkeypatch.setattr(loader.Program, "text", property(without))
    stand_in.unload()
    with pytest.raises(EmulationError, match="differs between the schedules"):
        kernel.polyphase(stand_in.asarray(y), 40, 17, 12, matrix)


def test_what_it_does_not_cover_is_declined(rng, gpu):
    matrix = banded(5, 3, 9, rng)
    assert kernel.polyphase(gpu.asarray(np.ones(50)), 5, 3, 9, Given(matrix.value)) is NotImplemented
    assert kernel.polyphase(gpu.asarray(np.ones(50) + 1j), 5, 3, 9, matrix) is NotImplemented
    assert kernel.polyphase(gpu.asarray(np.ones((0, 50))), 5, 3, 9, matrix).shape == (0, 84)
    assert gpu.launches == []
