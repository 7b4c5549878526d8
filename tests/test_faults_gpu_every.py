"""What must survive what on a GPU, for every transform: too little memory, other places, other streams, copies."""

import copy
import pickle

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio import cuda
from arrayaudio.cuda import free_caches

from .every import FRAMES, LEVELLED, TRANSFORMS, changed
from .tolerances import assert_same_levels, assert_same_spectrum

every_transform = pytest.mark.parametrize("name", TRANSFORMS)


@pytest.fixture
def y(rng):
    return rng.standard_normal((8, 1500)).astype(np.float32)


def assert_same(name, found, expected):
    if name == "STFT phase":
        found, expected = np.exp(1j * found.astype(float)), np.exp(1j * expected.astype(float))
    (assert_same_levels if name in LEVELLED else assert_same_spectrum)(found, expected, "float32")


@every_transform
def test_memory_that_is_too_small_costs_parts_or_an_error_and_never_the_process(name, gpu, y):
    import cupy

    transform, x = TRANSFORMS[name], gpu.asarray(y)
    expected = gpu.to_numpy(transform(x))
    pool, outcomes = cupy.get_default_memory_pool(), []
    for size in (1000, 3 * expected.nbytes, 2**28):
        free_caches()
        pool.set_limit(size=pool.used_bytes() + size)
        try:
            assert_same(name, gpu.to_numpy(transform(x)), expected)
            outcomes.append("done")
        except aa.MemoryBudgetError as error:
            assert "cuda:0" in str(error)
            assert "smaller batches" in str(error)
            outcomes.append("refused")
        finally:
            pool.set_limit(size=0)
    assert outcomes[0] == "refused"
    assert outcomes[-1] == "done"
    assert_same(name, gpu.to_numpy(transform(x)), expected)


@every_transform
def test_without_a_gpu_it_is_said_how_to_get_one(name, monkeypatch):
    monkeypatch.setattr(cuda, "cuda_problem", lambda: "no CUDA device is visible")
    for transform in (changed(TRANSFORMS[name], device="cuda"), TRANSFORMS[name].to("cuda:0")):
        with pytest.raises(aa.BackendError, match=r"device='cuda.*no CUDA device is visible.*pip install 'arrayaudio"):
            transform(np.ones(2000))


@every_transform
def test_results_stay_on_the_gpu_where_the_signal_is(name, gpu, y):
    found = TRANSFORMS[name](gpu.asarray(y[:2]))
    assert gpu.owns(found)
    assert found.flags.c_contiguous
    assert_same(name, gpu.to_numpy(found), TRANSFORMS[name](y[:2].astype(float)))


def test_results_go_nowhere_else(gpu, y):
    stft = aa.STFT(output="power", **FRAMES)
    for here, there in ((gpu.asarray(y), stft(y)), (y, gpu.asarray(stft(y)))):
        with pytest.raises(aa.BackendError, match=r"cupy on cuda:0 and numpy on cpu"):
            stft(here, out=there)


@every_transform
def test_work_goes_to_the_stream_of_the_caller(name, gpu, y):
    import cupy

    transform = TRANSFORMS[name]
    expected = gpu.to_numpy(transform(gpu.asarray(y[:2])))
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        found = transform(cupy.asarray(y[:2]) * 1)
        found = found + 0
    stream.synchronize()
    np.testing.assert_array_equal(gpu.to_numpy(found), expected)


@every_transform
def test_used_transforms_are_copied_without_what_they_hold_on_the_device(name, gpu, y):
    transform, x = TRANSFORMS[name], gpu.asarray(y[:1])
    expected = gpu.to_numpy(transform(x))
    written = pickle.dumps(transform)
    assert b"cupy" not in written
    for other in (pickle.loads(written), copy.deepcopy(transform), copy.copy(transform)):
        assert other == transform
        np.testing.assert_array_equal(gpu.to_numpy(other(x)), expected)
