"""Where arrays lie and when they are ready: two libraries, two devices, and streams."""

import threading

import cupy
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio import arrays, cuda
from arrayaudio.constants import Constant

ODD = {"n_fft": 67, "hop_length": 16}  # a length that no kernel takes
FUSED = {"n_fft": 64, "hop_length": 16}
MEL = aa.MelSpectrogram(sr=8000, n_mels=4, **ODD)
TWO = pytest.mark.skipif(
    cuda.cuda_problem() is not None or cupy.cuda.runtime.getDeviceCount() < 2, reason="needs two devices"
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
        monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", lambda: 0)
        with pytest.raises(aa.BackendError, match=r"no CUDA device is visible.*pip install"):
            aa.asarray(lent)


@TWO
def test_constants_are_kept_once_for_each_device(gpu):
    constant = Constant([1.0, 2.0])
    for place in ("cuda:0", "cuda:1"):
        x = placed(np.ones(2), place)
        assert arrays.device(constant.like(x)) == place
        assert constant.like(x) is constant.like(x)
