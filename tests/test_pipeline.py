"""The example of a pipeline: the features of the CPU, and a race without any one of its waits."""

import inspect
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.cuda import cuda_problem
from arrayaudio.ext.io import load
from docs import pipeline

from .command_line import copies
from .tolerances import assert_same_levels

ROOT = Path(__file__).parent.parent
SR = 8000
MEL = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=100, n_mels=20, scale="log")


@pytest.fixture
def clips(rng):
    """Batches of which the last one is smaller."""
    return [(i, rng.standard_normal((n, 2000)).astype(np.float32)) for i, n in enumerate((3, 3, 3, 3, 3, 2))]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_features_are_those_of_the_cpu_in_turn(gpu, clips, count):
    found = list(pipeline.featurised(clips[:count], MEL))
    assert [key for key, _ in found] == list(range(count))
    for (_, S), (_, y) in zip(found, clips, strict=False):
        assert_same_levels(S, MEL(y))


WITHOUT = {
    "waiting for the copy": ("kernels.wait_event(slot.copied)", "pass"),
    "waiting for results": ("slot.ready.synchronize()", "pass"),
    "a second slot": ("slots[number % 2]", "slots[0]"),
}


@pytest.mark.parametrize(("line", "instead"), WITHOUT.values(), ids=WITHOUT)
def test_without_any_of_its_parts_it_races(stand_in, clips, line, instead):
    source = inspect.getsource(pipeline)
    assert source.count(line) == 1
    raced = {"__name__": "raced"}
    exec(source.replace(line, instead), raced)
    try:
        found = [S for _, S in raced["featurised"](clips, MEL)]
    except Exception as error:
        assert type(error).__name__ == "RaceError"
    else:
        assert not all(np.isfinite(S).all() for S in found)


def test_each_gpu_takes_batches(gpu, clips):
    import cupy

    found, places = {}, set()

    def save(key, S):
        found[key] = S
        places.add(cupy.cuda.runtime.getDevice())

    devices = range(cupy.cuda.runtime.getDeviceCount())
    pipeline.on_gpus(clips, MEL, save, devices)
    assert sorted(found) == list(range(len(clips)))
    for key, y in clips:
        assert_same_levels(found[key], MEL(y))
    assert places <= set(devices)


def test_an_error_on_a_gpu_reaches_the_caller(gpu, clips):
    def save(key, S):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pipeline.on_gpus(clips, MEL, save, [0])


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_batches_of_recordings(clip, pool):
    copies(clip, "a.wav", "b.wav", "c.wav", "d.wav")
    paths = sorted(clip.parent.glob("*.wav"))
    with pool(2) as executor:
        found = list(pipeline.batches(paths, 2, executor, 4000, 3000))
    assert [path for group, _ in found for path in group] == paths
    assert [y.shape for _, y in found] == [(2, 3000), (2, 3000), (1, 3000)]
    y, _ = load(clip, sr=4000)
    for _, batch in found:
        np.testing.assert_array_equal(batch[0], np.pad(y, (0, 1000)))


@pytest.mark.skipif(not cuda_problem(), reason="there is a GPU")
def test_without_a_gpu_the_example_says_so(audio):
    done = subprocess.run(
        [sys.executable, "-m", "docs.pipeline", audio], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.startswith("this example needs a GPU: ")
    assert "pip install 'arrayaudio[cuda13]'" in done.stderr
