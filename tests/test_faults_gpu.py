"""What must survive what on a GPU: too little memory, forks, and other processes."""

import copy
import multiprocessing
import os
import pickle
import signal
import threading
import warnings
from types import SimpleNamespace

import cupy
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves
from arrayaudio.cuda import free_caches

from .tolerances import assert_same_spectrum

ODD = {"n_fft": 67, "hop_length": 16}  # a length that no kernel takes, so that FFTs are CuPy's
FUSED = {"n_fft": 64, "hop_length": 16}
MEL = aa.MelSpectrogram(sr=8000, n_mels=4, **ODD)


@pytest.fixture
def y(gpu, rng):
    return gpu.asarray(rng.standard_normal((2, 3, 300)))


@pytest.fixture
def magnitudes(y):
    return aa.stft(y, output="magnitude", **ODD)


class CuFFTError(RuntimeError):
    """What cuFFT raises, where there is no cuFFT."""

    __module__ = "cupy.cuda.cufft"


def cufft_error():
    return CuFFTError("CUFFT_ALLOC_FAILED")


def out_of_memory():
    return type("OutOfMemoryError", (MemoryError,), {"__module__": "cupy.cuda.memory"})("Out of memory allocating")


@pytest.fixture
def most(monkeypatch):
    """A function that lets FFTs have so many items at most, and returns a list of the items of each call."""

    def limit(n_items, error=out_of_memory):
        seen = []

        def limited(transform):
            def call(x, *args, **kwargs):
                seen.append(int(np.prod(x.shape[:-2])))
                if seen[-1] > n_items:
                    raise error()
                return transform(x, *args, **kwargs)

            return call

        for name in ("rfft", "irfft"):
            monkeypatch.setattr(cupy.fft, name, limited(getattr(cupy.fft, name)))
        return seen

    return limit


class TestMemory:
    @pytest.mark.parametrize("error", [out_of_memory, cufft_error])
    def test_the_batch_is_halved_until_it_fits(self, gpu, y, most, error):
        expected = gpu.to_numpy(MEL(y))
        seen = most(2, error)
        assert_same_spectrum(gpu.to_numpy(MEL(y)), expected)
        assert seen == [6, 3, 2, 2, 2]

    def test_parts_have_one_shape(self, gpu, rng, most):
        y = gpu.asarray(rng.standard_normal((7, 300)))
        expected = gpu.to_numpy(MEL(y))
        seen = most(4)
        assert_same_spectrum(gpu.to_numpy(MEL(y)), expected)
        assert seen == [7, 4, 4]

    def test_results_go_to_memory_that_is_given(self, gpu, y, most):
        expected = gpu.to_numpy(MEL(y))
        out = cupy.empty_like(gpu.asarray(expected))
        seen = most(1)
        assert MEL(y, out=out) is out
        assert_same_spectrum(gpu.to_numpy(out), expected)
        assert seen == [6, 3, 2] + 6 * [1]

    @pytest.mark.parametrize(
        "function",
        [
            lambda S: aa.STFT(**ODD).inverse(S * cupy.exp(1j * S), residual=True),
            lambda S: aa.griffinlim(S, **ODD, n_iter=2, seed=0),
            lambda S: aa.griffinlim(S, **ODD, n_iter=2, init="pghi", seed=0, tolerance=1e-3),
            lambda S: aa.griffinlim(S, **ODD, n_iter=2, init=S),
            lambda S: aa.pghi(S, **ODD, seed=0),
        ],
        ids=["inverse", "griffinlim", "pghi", "own phases", "pghi alone"],
    )
    def test_ways_back_are_done_in_parts_too(self, function, gpu, magnitudes, most):
        expected = function(magnitudes)
        seen = most(2)
        for found, wanted in zip(leaves(function(magnitudes)), leaves(expected), strict=True):
            assert_same_spectrum(gpu.to_numpy(found), gpu.to_numpy(wanted))
        assert max(seen) > 2

    def test_a_callback_hears_of_all_items_at_once(self, magnitudes, most):
        most(2)
        with pytest.raises(aa.MemoryBudgetError, match="smaller batches"):
            aa.griffinlim(magnitudes, **ODD, n_iter=1, callback=lambda iteration, value: None)

    @pytest.mark.parametrize("batch", [(), (3,)])
    def test_an_item_that_does_not_fit_is_explained_and_the_process_goes_on(self, gpu, rng, batch, monkeypatch):
        y = gpu.asarray(rng.standard_normal((*batch, 300)))
        expected = gpu.to_numpy(MEL(y))
        with monkeypatch.context() as patch:
            patch.setattr(cupy.fft, "rfft", raising(out_of_memory()))
            with pytest.raises(aa.MemoryBudgetError, match=r"shape \(300,\) .* cuda:0 .*allocating.* GB are free.*cpu"):
                MEL(y)
        assert_same_spectrum(gpu.to_numpy(MEL(y)), expected)

    def test_an_empty_batch_needs_nothing(self, gpu, most):
        most(0)
        assert MEL(gpu.asarray(np.zeros((0, 300)))).shape[0] == 0

    def test_other_errors_are_left_alone(self, y, monkeypatch):
        for error in (ValueError("Out of memory allocating"), MemoryError("of the host"), CuFFTError("CUFFT_SETUP")):
            monkeypatch.setattr(cupy.fft, "rfft", raising(error))
            with pytest.raises(type(error)) as found:
                MEL(y)
            assert found.value is error

    def test_what_is_recorded_is_not_done_again(self, y, most):
        seen = most(2)
        with pytest.raises(aa.MemoryBudgetError, match="out of memory"):
            aa.grad(lambda y: MEL(y).sum())(y)
        with pytest.raises(aa.MemoryBudgetError, match="out of memory"):
            aa.grad(lambda bank: MEL.with_params({"bank": bank})(y).sum())(cupy.ones((4, 34)))
        assert seen == [6, 6]

    def test_a_failed_attempt_and_its_error_hold_no_memory(self, gpu, rng):
        y = gpu.asarray(rng.standard_normal((8, 8000)))
        stft = aa.STFT(n_fft=67, hop_length=8)
        expected = gpu.to_numpy(stft(y))
        pool = cupy.get_default_memory_pool()
        item = expected.nbytes // 8
        free_caches()
        before = pool.used_bytes()
        pool.set_limit(size=before + 15 * item)  # the result, and parts of what comes before it
        try:
            assert_same_spectrum(gpu.to_numpy(stft(y)), expected)
            pool.set_limit(size=before + item)
            with pytest.raises(aa.MemoryBudgetError, match="Out of memory allocating") as found:
                stft(y)
        finally:
            pool.set_limit(size=0)
        assert found.value.__context__ is None
        free_caches()
        assert pool.used_bytes() <= before

    def test_signals_that_do_not_fit_are_explained(self, gpu):
        pool = cupy.get_default_memory_pool()
        pool.set_limit(size=pool.used_bytes() + 2**20)
        try:
            with pytest.raises(aa.MemoryBudgetError, match=r"cuda:0 is out of memory \(Out of memory allocating"):
                aa.STFT(device="cuda")(np.ones(2**19))
        finally:
            pool.set_limit(size=0)

    def test_what_ffts_keep_is_given_up(self, y, gpu, monkeypatch):
        """A cache that is full: nothing fits until it is empty."""
        expected, kept = gpu.to_numpy(MEL(y)), [True]
        rfft = cupy.fft.rfft

        def crowded(*args, **kwargs):
            if kept:
                raise cufft_error()
            return rfft(*args, **kwargs)

        monkeypatch.setattr(cupy.fft, "rfft", crowded)
        monkeypatch.setattr(cupy.fft.config, "get_plan_cache", lambda: SimpleNamespace(clear=kept.clear))
        assert_same_spectrum(gpu.to_numpy(MEL(y)), expected)


def raising(error):
    def call(*_, **__):
        raise error

    return call


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    "work",
    [
        lambda y: MEL(y),
        lambda y: aa.asarray(np.ones(3), device="cuda"),
        lambda y: aa.STFT().to("cuda")(np.ones(4000)),
        lambda y: aa.to_numpy(y),
        lambda y: aa.power_to_db(y),
    ],
)
def test_a_fork_after_cuda_was_used_is_told_to_spawn(work, gpu, y):
    MEL(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of every fork while threads live
        child = os.fork()
    if child == 0:
        try:
            work(y)
            os._exit(1)
        except aa.BackendError as error:
            os._exit(0 if "spawn" in str(error) else 2)
        except BaseException:
            os._exit(3)
    too_long = threading.Timer(60, os.kill, (child, signal.SIGKILL))
    too_long.start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    too_long.cancel()
    assert status == 0
    MEL(y)


@pytest.mark.parametrize(
    "transform",
    [MEL, aa.STFT(**FUSED), aa.CQT(sr=8000, fmin=500, n_bins=12), aa.ChromaCQT(sr=8000, fmin=500, n_octaves=1)],
    ids=["stages", "kernel", "cqt", "chroma"],
)
def test_used_transforms_go_anywhere_without_what_they_hold_on_the_device(transform, gpu, rng):
    y = rng.standard_normal(400)
    expected = gpu.to_numpy(transform(gpu.asarray(y)))
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform), copy.copy(transform)):
        assert other == transform
        np.testing.assert_array_equal(gpu.to_numpy(other(gpu.asarray(y))), expected)
    assert b"cupy" not in pickle.dumps(transform)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert_same_spectrum(pool.apply(transform, (y,)), expected)


def test_learned_arrays_on_a_device_are_copied_with_the_transform(gpu, rng):
    transform = MEL.with_params({"bank": gpu.asarray(rng.random((4, 34)))})
    y = gpu.asarray(rng.standard_normal(400))
    expected = gpu.to_numpy(transform(y))
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        assert gpu.owns(other.params["bank"])
        np.testing.assert_array_equal(gpu.to_numpy(other(y)), expected)
