"""What must survive what on a GPU: too little memory, forks, several streams, devices and libraries."""

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
from arrayaudio import arrays
from arrayaudio.arrays import Constant
from arrayaudio.autodiff.trees import leaves

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
        learned = aa.STFT(n_fft=67, trainable=True, output="power")
        with pytest.raises(aa.MemoryBudgetError, match="out of memory"):
            aa.grad(lambda bank: MEL.with_params({"bank": bank})(y).sum())(cupy.ones((4, 34)))
        assert seen == [6, 6]
        assert learned.params["basis"].shape == (2, 34, 67)

    def test_a_failed_attempt_and_its_error_hold_no_memory(self, gpu, rng):
        y = gpu.asarray(rng.standard_normal((8, 8000)))
        stft = aa.STFT(n_fft=67, hop_length=8)
        expected = gpu.to_numpy(stft(y))
        pool = cupy.get_default_memory_pool()
        item = expected.nbytes // 8
        pool.free_all_blocks()
        before = pool.used_bytes()
        pool.set_limit(size=before + 8 * item + 5 * item)
        try:
            assert_same_spectrum(gpu.to_numpy(stft(y)), expected)
            pool.set_limit(size=before + item)
            with pytest.raises(aa.MemoryBudgetError, match="Out of memory allocating") as found:
                stft(y)
        finally:
            pool.set_limit(size=0)
        assert found.value.__context__ is None
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


TWO = pytest.mark.skipif(
    arrays.cuda_problem() is not None or cupy.cuda.runtime.getDeviceCount() < 2, reason="needs two devices"
)


def placed(x, place):
    return aa.asarray(x, device=place)


NSGT = aa.NSGT(sr=8000, bins_per_octave=2)
BOTH = {
    "out": lambda S, y, at: aa.STFT(**FUSED, output="magnitude")(y, out=at(S)),
    "init": lambda S, y, at: aa.griffinlim(aa.stft(y, **FUSED, output="magnitude"), init=at(S), n_iter=1),
    "window": lambda S, y, at: aa.STFT(**FUSED).with_params({"window": at(np.ones(64))})(y),
    "spectrum": lambda S, y, at: aa.reassigned_spectrogram(y, S=at(S + 0j), sr=8000, **FUSED),
    "initial": lambda S, y, at: aa.pcen(aa.stft(y, **FUSED, output="power"), sr=8000, initial=at(S[..., :1])),
    "gain": lambda S, y, at: aa.pcen(aa.stft(y, **FUSED, output="power"), sr=8000, gain=at(S[0, :, :1])),
    "rows": lambda S, y, at: NSGT.inverse([at(np.ones((2, 300), complex)), *NSGT.bands(y)[1:]], length=300),
    "hop": lambda S, y, at: aa.adaptive_stft(y, n_fft=64, win_length=50.5, hop_length=at(np.array(16.5))),
    "block": lambda S, y, at: pushed(aa.STFT(**FUSED).stream(2), y, at(np.ones((2, 300)))),
    "frames": lambda S, y, at: pushed(aa.STFT(**FUSED).inverse_stream(2), aa.stft(y, **FUSED), at(S + 0j)),
    "clips": lambda S, y, at: aa.STFT(**FUSED).ragged([y, at(np.ones((2, 200)))]),
    "gradient": lambda S, y, at: aa.vjp(lambda y: aa.stft(y, **FUSED, output="magnitude"), y)[1](at(S)),
}


def pushed(stream, *blocks):
    for block in blocks:
        stream.push(block)


# Settings that are plain NumPy arrays are constants like any other. Streams take what they hold in host memory, as
# after `restore`, to where the blocks are.
ALLOWED = {"cuda:0": {"window", "initial", "gain", "hop"}, "cpu": {"block", "frames"}}


@pytest.mark.parametrize(
    ("first", "case"), [(first, case) for first in ALLOWED for case in BOTH if case not in ALLOWED[first]]
)
def test_arrays_of_two_libraries_are_refused_by_name(first, case, gpu, rng):
    second = {"cpu": "cuda:0", "cuda:0": "cpu"}[first]
    check_refusal(case, first, second, rng, "cupy on cuda:0 and numpy on cpu")


@TWO
@pytest.mark.parametrize("case", BOTH)
def test_arrays_on_two_devices_are_refused_by_name(case, gpu, rng):
    check_refusal(case, "cuda:0", "cuda:1", rng, "cupy on cuda:0 and cupy on cuda:1")
    check_refusal(case, "cuda:1", "cuda:0", rng, "cupy on cuda:0 and cupy on cuda:1")


def check_refusal(case, first, second, rng, names):
    y = rng.standard_normal((2, 300))
    S = aa.stft(y, **FUSED, output="magnitude")
    with pytest.raises(aa.BackendError, match=names):
        BOTH[case](S, placed(y, first), lambda x: placed(x, second))


@TWO
@pytest.mark.parametrize(
    "function",
    [
        MEL,
        aa.STFT(**FUSED),
        aa.CQT(sr=8000, fmin=500, n_bins=12),
        aa.rms,
        aa.preemphasis,
        lambda y: aa.power_to_db(aa.stft(y, **FUSED, output="power")),
        lambda y: aa.delta(aa.stft(y, **FUSED, output="power")),
        lambda y: aa.griffinlim(aa.stft(y, **FUSED, output="magnitude"), n_iter=1, seed=0),
        lambda y: aa.hpss(aa.stft(y, **FUSED))[0],
        lambda y: aa.time_stretch(y, rate=2, **FUSED),
        lambda y: aa.resample(y, orig_sr=8000, target_sr=5000),
        aa.grad(lambda y: MEL(y).mean()),
        lambda y: aa.optim.Adam().update(y, aa.optim.Adam().init(y), y)[0],
    ],
)
def test_work_is_done_where_the_array_is(function, gpu, rng):
    y = rng.standard_normal((2, 300))
    here, there = (function(placed(y, place)) for place in ("cuda:0", "cuda:1"))
    assert (arrays.device(here), arrays.device(there)) == ("cuda:0", "cuda:1")
    np.testing.assert_array_equal(aa.to_numpy(here), aa.to_numpy(there))


@TWO
def test_dtypes_are_changed_where_the_array_is(gpu):
    for values in (np.ones(300, np.float16), np.ones(300, np.int16)):
        x = placed(values, "cuda:1")
        assert arrays.device(aa.rms(x) if values.dtype.kind == "f" else aa.pcm_to_float(x)) == "cuda:1"


def streams(n):
    return [cupy.cuda.Stream(non_blocking=True) for _ in range(n)]


class TestStreams:
    @pytest.mark.parametrize(
        "transform",
        [
            aa.STFT(n_fft=131, win_length=101),
            aa.STFT(n_fft=128, win_length=101),
            aa.MelSpectrogram(sr=9000, n_mels=4, n_fft=131),
            aa.MelSpectrogram(sr=9000, n_mels=4, n_fft=128, scale="db"),
        ],
        ids=["stages", "kernel", "bank", "bands"],
    )
    def test_what_was_made_on_one_is_good_on_another(self, transform, gpu, rng):
        y, found = rng.standard_normal((2, 300)), []
        both = streams(2)
        for stream in both:
            with stream:
                found.append(transform(gpu.asarray(y)))
        for stream in both:
            stream.synchronize()
        np.testing.assert_array_equal(*map(gpu.to_numpy, found))

    def test_kernels_of_constant_q_transforms_are_too(self, gpu):
        bank = aa.CQT(sr=8100, fmin=500, n_bins=12, method="1992v2").bank
        one, other = streams(2)
        with one:
            groups = list(bank.like(gpu.asarray(np.ones(1))).rows)
        with other:
            assert all(gpu.to_numpy(group.matrix * 1).any() for group in groups)

    def test_the_stand_in_sees_what_was_not_waited_for(self, stand_in):
        one, other = streams(2)
        with one:
            x = stand_in.asarray(np.ones(3))
            event = one.record()
        with other:
            with pytest.raises(RuntimeError, match="has not waited for another to write it"):
                x + 1
            other.wait_event(event)
            assert stand_in.to_numpy(x + 1).tolist() == [2, 2, 2]

    def test_one_transform_in_eight_threads_each_with_its_own(self, gpu, rng):
        signals = [rng.standard_normal((2, 400)) for _ in range(8)]
        transforms = [aa.MelSpectrogram(sr=8000, n_mels=5, scale="db", **FUSED), MEL]
        expected = [[gpu.to_numpy(t(gpu.asarray(y))) for t in transforms] for y in signals]
        found, start = [None] * 8, threading.Barrier(8)

        def work(i):
            with cupy.cuda.Stream(non_blocking=True):
                start.wait()
                found[i] = [gpu.to_numpy(t(gpu.asarray(signals[i]))) for t in transforms]

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for ours, theirs in zip(found, expected, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


class Lent:
    """An array of another library that was filled on a stream of its own."""

    def __init__(self, values, protocol):
        self.stream = cupy.cuda.Stream(non_blocking=True)
        with self.stream:
            self.array = cupy.asarray(values)
            self.event = self.stream.record()
            if protocol != "dlpack":
                named = {
                    "stream": self.stream.ptr if protocol == "interface" else None
                }  # as PyTorch's, which names none
                self.__cuda_array_interface__ = self.array.__cuda_array_interface__ | named
        if protocol != "interface":
            self.__dlpack_device__ = self.array.__dlpack_device__


class LentByDlpack(Lent):
    def __dlpack__(self, *, stream, **_):
        cupy.cuda.get_current_stream().wait_event(self.event)
        return self.array if hasattr(self.array, "inner") else self.array.__dlpack__(stream=stream)


class TestOtherLibraries:
    @pytest.mark.parametrize("protocol", ["interface", "dlpack", "both"])
    def test_arrays_filled_on_another_stream_are_waited_for_and_shared(self, protocol, gpu):
        lent = (Lent if protocol == "interface" else LentByDlpack)(np.arange(6.0), protocol)
        with cupy.cuda.Stream(non_blocking=True):
            taken = aa.asarray(lent)
            assert gpu.owns(taken)
            taken *= 2
            assert gpu.to_numpy(taken).tolist() == [0, 2, 4, 6, 8, 10]
        assert taken.data.ptr == lent.array.data.ptr

    def test_without_a_usable_gpu_they_are_refused(self, gpu, monkeypatch):
        lent = Lent(np.ones(3), "interface")
        monkeypatch.setitem(cupy.cuda.runtime.__dict__, "getDeviceCount", lambda: 0)
        with pytest.raises(aa.BackendError, match=r"no CUDA device is visible.*pip install"):
            aa.asarray(lent)


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
        assert gpu.owns(other.params["bank"]) if other.params else True
        np.testing.assert_array_equal(gpu.to_numpy(other(y)), expected)


def test_constants_are_kept_once_for_each_device(gpu):
    constant, x = Constant([1.0, 2.0]), gpu.asarray(np.ones(2))
    assert constant.like(x) is constant.like(x)
    assert pickle.loads(pickle.dumps(constant))._copies == {}
