"""A long time in one process: threads that share everything, and memory, files and threads that do not grow."""

import json
import threading
import time

import numpy as np
import pytest

from arrayaudio.autodiff.trees import leaves
from arrayaudio.kernels.cpu import threads

from .every import TRANSFORMS
from .every_call import OF_SIGNALS
from .test_faults_processes import apart

pytestmark = pytest.mark.slow

SECONDS, PATIENCE = 60, 120
SHAPES = [(1500,), (3000,), (2, 2000), (3, 2, 1200)]
OF_TWO_CHANNELS = {name for name in OF_SIGNALS if "stream" in name}


def equal(found, expected):
    """Whether results are the same to the last bit."""
    pairs = list(zip(leaves(found), leaves(expected), strict=True))
    return all(
        ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()
        for ours, theirs in (map(np.asarray, pair) for pair in pairs)
    )


def test_eight_threads_share_everything_for_a_minute():
    rng = np.random.default_rng(11)
    signals = [rng.standard_normal(shape).astype(kind) for shape in SHAPES for kind in ("float32", "float64")]
    calls = [
        (name, call, y)
        for name, call in (TRANSFORMS | OF_SIGNALS).items()
        for y in signals
        if name not in OF_TWO_CHANNELS or y.shape == (2, 2000)
    ]
    expected = [call(y) for _, call, y in calls]
    called, wrong, errors, ended = [set() for _ in range(8)], [], [], []
    begin = threading.Barrier(8, timeout=PATIENCE)

    def work(k):
        try:
            own = np.random.default_rng([11, k])
            begin.wait()
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                place = int(own.integers(len(calls)))
                name, call, y = calls[place]
                if not equal(call(y), expected[place]):
                    wrong.append((name, y.shape, y.dtype))
                called[k].add(name)
            ended.append(k)
        except BaseException as error:
            errors.append(error)

    # Daemons, since a thread that waits for ever would not let the tests end.
    workers = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(8)]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + SECONDS + PATIENCE
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    assert not any(worker.is_alive() for worker in workers)
    assert (errors, wrong) == ([], [])
    assert sorted(ended) == list(range(8))
    assert set().union(*called) == TRANSFORMS.keys() | OF_SIGNALS.keys()
    assert threads._pool.at_work == 0


# What a process holds, in one that does nothing else. Memory that was given back to the allocator is given back to the
# system before it is counted.
MEASURED = """
import ctypes, functools, gc, itertools, json
import psutil
import arrayaudio as aa
process, trim = psutil.Process(), getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)

def measured():
    gc.collect()
    trim(0)
    held = {"bytes": process.memory_info().rss, "objects": sys.getallocatedblocks()}
    return held | {"files": process.num_fds(), "threads": process.num_threads()}

def twice(first, rounds, call):
    for k in range(first):
        call(k)
    before = measured()
    for k in range(first, first + rounds):
        call(k)
    after = measured()
    print(json.dumps({name: after[name] - before[name] for name in after}))
"""


def grown(script, tmp_path):
    """How much a process holds more after many calls than after some."""
    return json.loads(apart(MEASURED + script, tmp_path, timeout=500).splitlines()[-1])


def test_ten_thousand_calls_hold_nothing(tmp_path):
    """Of everything that takes arrays, transforms, inverses, streams and gradients."""
    script = """
from tests.test_any_array import CALLS
y = y[0, :2000]
def gradient(transform):
    return aa.value_and_grad(lambda y: (abs(transform(y)) ** 2).sum())(y)
calls = [functools.partial(transform, y) for transform in TRANSFORMS.values()]
calls += [functools.partial(gradient, transform) for transform in TRANSFORMS.values()]
# Two do what others do, and take long.
others = {name: pair for name, pair in CALLS.items() if name not in ("icqt", "mel_to_audio")}
calls += [functools.partial(call, make()) for call, make in others.values()]
rng = np.random.default_rng(0)
def all_of_them(k):
    # In an order of their own, and at the end of each part in the same, which leaves the same in caches.
    for place in range(len(calls)) if k in (FIRST - 1, FIRST + ROUNDS - 1) else rng.permutation(len(calls)):
        calls[place]()
FIRST, ROUNDS = 25, -(-10_000 // len(calls))
twice(FIRST, ROUNDS, all_of_them)
"""
    growth = grown(script, tmp_path)
    # A hundred bytes a call; an object or two at each call of one function in forty.
    assert growth["bytes"] < 1_000_000, growth
    assert growth["objects"] < 300, growth
    assert (growth["files"], growth["threads"]) == (0, 0), growth


def test_reading_and_writing_files_thousands_of_times_holds_nothing(tmp_path):
    script = f"""
from pathlib import Path
import soundfile
from arrayaudio.ext import io
here = Path({str(tmp_path)!r})
soundfile.write(here / "y.wav", y.T, 8000)
(here / "bad.wav").write_bytes(b"no audio")
mel = aa.MelSpectrogram(sr=8000, n_fft=256, n_mels=20, trainable_mel=True)
def refused(read, path):
    try:
        read(path)
    except aa.ArrayAudioError:
        return
    raise AssertionError
def files(k):
    y, sr = io.load(here / "y.wav")
    _, _, blocks = io.read_blocks(here / "y.wav", 1000, mono=True)
    next(blocks)
    io.save_features(here / "S.npz", mel(y), mel, len(y), sr)
    io.save_features(here / "S.npy", mel(y), mel, len(y), sr)
    io.load_features(here / "S.npz")
    mel.with_params(mel.params).save(here / "mel")
    aa.load_transform(here / "mel")
    refused(io.load, here / "bad.wav")
    refused(io.load_features, here / "bad.wav")
    refused(aa.load_transform, here / "bad.wav")
    refused(io.load, here / "gone.wav")
twice(700, 500, files)
"""
    growth = grown(script, tmp_path)
    assert growth["bytes"] < 1_000_000, growth
    assert growth["objects"] < 300, growth
    assert (growth["files"], growth["threads"]) == (0, 0), growth


def test_two_thousand_settings_hold_no_more_than_some(tmp_path):
    """Caches keep what was made for few settings, whatever they are, and however many there have been."""
    script = """
y = y[0, :1500]
made = {
    "STFT": lambda k: aa.STFT(n_fft=255, hop_length=100, window=("kaiser", 1 + k / 1000)),
    "odd": lambda k: aa.STFT(n_fft=101 + 2 * (k % 400), hop_length=100, output="power"),
    "scale": lambda k: aa.STFT(sr=8000, n_fft=256, freq_scale="log", freq_bins=20, fmin=50 + k / 100),
    "array": lambda k: aa.STFT(n_fft=64, hop_length=50, window=np.hanning(64) + k),
    "mel": lambda k: aa.MelSpectrogram(sr=8000 + k, n_fft=256, n_mels=10),
    "MFCC": lambda k: aa.MFCC(sr=8000, n_fft=256, n_mels=20, n_mfcc=13, lifter=1 + k / 10),
    "LFCC": lambda k: aa.LFCC(sr=8000, n_fft=256, n_filter=20, n_lfcc=13, fmin=k / 10),
    "Gammatonegram": lambda k: aa.Gammatonegram(sr=8000, n_fft=256, n_bins=10, fmin=50 + k / 100),
    "Chroma": lambda k: aa.Chroma(sr=8000 + k, n_fft=256),
    "CFP": lambda k: aa.CFP(sr=8000, n_fft=256, fmin=100.0 + k / 100, fmax=1000.0),
    "CQT": lambda k: aa.CQT(sr=8000, fmin=500 + k / 100, n_bins=12, hop_length=64),
    "octaves": lambda k: aa.CQT(sr=8000, fmin=500 + k / 100, n_bins=24, hop_length=64, method="2010"),
    "VQT": lambda k: aa.VQT(sr=8000, fmin=500.0, n_bins=12, hop_length=64, gamma=k / 100),
    "NSGT": lambda k: aa.NSGT(sr=8000, fmin=500 + k / 100),
    "ChromaCQT": lambda k: aa.ChromaCQT(sr=8000, fmin=500 + k / 100, n_octaves=2),
}
def settings(k):
    for transform in (make(k) for make in made.values()):
        transform(y)
        aa.grad(lambda y: (abs(transform(y)) ** 2).sum())(y)
    aa.resample(y, orig_sr=8000, target_sr=8000 + k)
    aa.gammatone_filterbank(y, sr=8000, n_bands=4, fmin=50 + k / 100)
    aa.pcen(abs(y)[None], sr=8000, time_constant=0.1 + k / 1000)
    aa.delta(y[None], width=3 + 2 * (k % 300))
    aa.filters.mel(sr=8000 + k, n_fft=256, n_mels=10)
    aa.STFT(n_fft=64, hop_length=16, window=("kaiser", 1 + k / 1000)).inverse(np.ones((33, 9), complex))
twice(100, 60, settings)
"""
    growth = grown(script, tmp_path)
    # Nine hundred transforms have been made meanwhile, with 10 000 bytes and more in each.
    assert growth["bytes"] < 3_000_000, growth
    assert growth["objects"] < 300, growth
