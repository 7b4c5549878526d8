"""The kernel of running medians, which are values of the input."""

import numpy as np
import pytest

from arrayaudio.kernels.gpu import loader
from arrayaudio.kernels.gpu import median_filter as kernel
from arrayaudio.medians import median_filter

from .emulator import EmulationError


def check(gpu, S, size, axis):
    given = gpu.asarray(S)
    result = kernel.median_filter(given, size, axis)
    np.testing.assert_array_equal(gpu.to_numpy(given), S)
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(gpu.to_numpy(result), median_filter.reference(S, size, axis))
    return gpu.to_numpy(result)


@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize("size", [1, 2, 9, 31])
@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (3, 33, 7), (40, 129), (2, 260, 3), (2, 1, 3, 260)])
def test_any_shape_and_size(axis, size, shape, dtype, rng, gpu):
    check(gpu, rng.standard_normal(shape).astype(dtype), size, axis)
    assert len(gpu.launches) == 1


@pytest.mark.parametrize("axis", [-1, -2])
def test_the_largest_window_on_short_lines(axis, dtype, rng, gpu):
    check(gpu, rng.standard_normal((2, 5, 3)).astype(dtype), kernel.LARGEST, axis)


@pytest.mark.parametrize("axis", [-1, -2])
def test_values_that_are_the_same(axis, dtype, rng, gpu):
    S = rng.integers(0, 3, (50, 150)).astype(dtype)
    S[:, 70:90] = np.inf
    check(gpu, S, 17, axis)


def test_items_do_not_depend_on_their_mates(dtype, rng, gpu, monkeypatch):
    S = rng.standard_normal((5, 20, 150)).astype(dtype)
    monkeypatch.setattr(kernel, "MOST_BLOCKS", 3)
    for axis in (-1, -2):
        np.testing.assert_array_equal(check(gpu, S, 9, axis)[1:3], check(gpu, S[1:3], 9, axis))


def test_values_in_any_memory_layout(rng, gpu):
    S = rng.standard_normal((40, 6, 9))
    result = gpu.to_numpy(kernel.median_filter(gpu.asarray(S)[::-2].T, 5, -1))
    np.testing.assert_array_equal(result, median_filter.reference(S[::-2].T, 5, -1))


@pytest.mark.parametrize("occurrence", range(3))
def test_each_barrier_is_needed(occurrence, rng, stand_in, monkeypatch):
    monkeypatch.setattr(kernel, "MOST_BLOCKS", 1)
    S = rng.standard_normal((150, 150))
    check(stand_in, S, 5, -1)
    whole = loader.Program.text.fget
    barrier = "__syncthreads();"

    def without(program):
        parts = whole(program).split(barrier)
        assert len(parts) == 4
        return barrier.join(parts[: occurrence + 1]) + barrier.join(parts[occurrence + 1 :])

    monkeypatch.setattr(loader.Program, "text", property(without))
    stand_in.unload()
    with pytest.raises(EmulationError, match="differs between the schedules"):
        kernel.median_filter(stand_in.asarray(S), 5, -1)


def test_what_it_does_not_cover_is_declined(gpu):
    S = gpu.asarray(np.ones((2, 6, 10)))
    assert kernel.median_filter(S, kernel.LARGEST + 1, -1) is NotImplemented
    assert kernel.median_filter(gpu.asarray(np.ones((6, 10), "int32")), 3, -1) is NotImplemented
    assert kernel.median_filter(S[:0], 3, -1).shape == (0, 6, 10)
    assert gpu.launches == []
