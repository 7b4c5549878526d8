"""Lazy spectrograms of Dask arrays: the numbers of the whole signal, however it is cut and whoever computes."""

import threading

import dask
import dask.array as da
import distributed
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.ext.dask import lazy_spectrogram
from arrayaudio.kernels.cpu import threads

from .test_streaming import LOCAL, ROUNDED
from .tolerances import assert_near_peak

SR = 8000
MEL = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=100, n_mels=20, scale="db", top_db=None)
sizes = st.lists(st.integers(1, 3000), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def processes():
    """A scheduler with two worker processes."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def same(name, found, expected):
    if name in ROUNDED:
        assert_near_peak(found, expected)
    else:
        np.testing.assert_array_equal(found, expected, strict=True)


# Chunks of any sizes


@pytest.mark.parametrize("name", LOCAL)
@given(chunks=sizes, seed=st.integers(0, 99))
@settings(max_examples=10)
def test_a_signal_in_chunks_gives_the_frames_of_the_whole(name, chunks, seed):
    transform = LOCAL[name]
    y = np.random.default_rng(seed).standard_normal((2, transform.min_length + sum(chunks)))
    found = lazy_spectrogram(da.from_array(y, chunks=((1, 1), (*chunks, transform.min_length))), transform)
    result = found.compute(scheduler="synchronous")
    assert found.shape == result.shape
    assert found.dtype == result.dtype
    same(name, result, transform(y))
    assert 0 not in found.chunks[-1]


@pytest.mark.parametrize("pad_mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("size", [1, 63, 64, 127, 128, 500])
def test_all_chunks_of_one_size(pad_mode, center, size, dtype, rng):
    stft = aa.STFT(n_fft=127, hop_length=64, center=center, pad_mode=pad_mode)
    y = rng.standard_normal(1000).astype(dtype)
    found = lazy_spectrogram(da.from_array(y, chunks=size), stft).compute(scheduler="synchronous")
    np.testing.assert_array_equal(found, stft(y), strict=True)


@pytest.mark.parametrize("shape", [(700,), (5, 700), (2, 3, 700), (0, 700)])
def test_clips_with_any_batch_axes(shape, rng):
    y = rng.standard_normal(shape)
    S = lazy_spectrogram(da.from_array(y, chunks=(2,) * (y.ndim - 1) + (700,)), MEL)
    np.testing.assert_array_equal(S.compute(scheduler="synchronous"), MEL(y), strict=True)
    assert S.chunks[-2:] == ((20,), (8,))


@pytest.mark.parametrize(
    "transform",
    [aa.MFCC(sr=SR), aa.NSGT(sr=SR, fmin=100), aa.HybridCQT(sr=SR, n_bins=24)],
    ids=lambda t: type(t).__name__,
)
def test_clips_in_one_piece_take_any_transform(transform, rng):
    y = rng.standard_normal((3, 4000)) * [[1], [100], [0.01]]
    found = lazy_spectrogram(da.from_array(y, chunks=(2, 4000)), transform).compute(scheduler="synchronous")
    np.testing.assert_allclose(found, transform(y), rtol=1e-12, atol=1e-12)


def test_axes_are_those_of_the_transform():
    S = lazy_spectrogram(da.zeros((4, 100_000), chunks=(2, 30_000)), MEL)
    assert S.shape == (4, len(MEL.frequencies), len(MEL.times(100_000)))
    assert S.chunks == ((2, 2), (20,), (300, 300, 300, 101))


# Lazy, and small


def refuse(*_):
    raise AssertionError("computed too early")


def test_nothing_is_computed_before_it_is_asked_for():
    S = lazy_spectrogram(da.zeros(5000, chunks=1000).map_blocks(refuse, dtype=np.float32), MEL)
    assert (S.dtype, S.shape) == (np.float32, (20, 51))
    with pytest.raises(AssertionError, match="computed too early"):
        S.compute(scheduler="synchronous")


def test_only_what_is_needed_is_computed():
    used = []

    def note(block, block_id):
        used.append(block_id[0])
        return block

    y = da.zeros(10 * SR, chunks=SR, meta=np.empty(0)).map_blocks(note, dtype=np.float64)
    lazy_spectrogram(y, MEL)[:, 250:260].compute(scheduler="synchronous")
    assert set(used) <= {2, 3, 4}


def test_graphs_grow_by_few_tasks_a_chunk():
    day = da.zeros(86400 * 100, chunks=60 * 100)
    mel = aa.MelSpectrogram(sr=100, n_fft=40, hop_length=10, n_mels=4)
    added = len(dict(lazy_spectrogram(day, mel).__dask_graph__())) - len(dict(day.__dask_graph__()))
    assert added <= 6 * day.npartitions


def test_names_tell_transforms_apart(rng):
    y = da.zeros((2, 1000), chunks=(1, 1000))
    trained = aa.MelSpectrogram(sr=SR, n_fft=256, n_mels=20, trainable_mel=True)
    twice = trained.with_params({"bank": 2 * trained.params["bank"]})
    names = [lazy_spectrogram(y, t).name for t in (MEL, MEL.to("cpu"), trained, twice, twice.with_params(twice.params))]
    assert names == [*names[:4], names[3]]
    assert len(set(names)) == 4


# Whoever computes


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_schedulers_of_one_machine(scheduler, rng):
    y = rng.standard_normal((3, 20_000)).astype(np.float32)
    with dask.config.set(scheduler=scheduler, num_workers=2):
        found = lazy_spectrogram(da.from_array(y, chunks=(2, 3_000)), MEL).compute()
    np.testing.assert_array_equal(found, MEL(y), strict=True)


def test_distributed_workers(processes, rng):
    y = rng.standard_normal((3, 20_000)).astype(np.float32)
    found = processes.compute(lazy_spectrogram(da.from_array(y, chunks=(2, 3_000)), MEL)).result()
    np.testing.assert_array_equal(found, MEL(y), strict=True)


def test_worker_processes_use_one_thread_each(processes):
    assert set(processes.run(threads.num_threads).values()) == {1}


def test_threads_of_a_scheduler_start_no_more_threads(monkeypatch):
    """Blocks that are computed at once share the cores among them."""
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    aa.set_num_threads(2)
    together, most = threading.Barrier(2, timeout=60), []
    count = threads._Pool.enter

    def enter(pool, wanted):
        found = count(pool, wanted)
        most.append(pool.at_work)
        return found

    def meet(block):
        together.wait()
        return block

    monkeypatch.setattr(threads._Pool, "enter", enter)
    y = da.zeros((2, 200_000), chunks=(1, 200_000), meta=np.empty((0, 0))).map_blocks(meet, meta=np.empty((0, 0)))
    lazy_spectrogram(y, MEL).compute(scheduler="threads", num_workers=2)
    assert 1 <= max(most) <= 3  # one that came alone took a helper
    assert threads._pool.at_work == 0


def test_blocks_stay_where_they_are(gpu, rng):
    y = rng.standard_normal((2, 3000)).astype(np.float32)
    given = da.from_array(y, chunks=(1, 1000)).map_blocks(gpu.asarray, meta=gpu.asarray(np.empty((0, 0), np.float32)))
    S = lazy_spectrogram(given, MEL)
    assert gpu.owns(S._meta)
    blocks = [block.compute(scheduler="synchronous") for block in S[0].blocks.ravel()]
    found = np.concatenate([gpu.to_numpy(block) for block in blocks], axis=-1)
    np.testing.assert_allclose(found, MEL(y[0]), rtol=1e-4, atol=1e-4)


# What is refused


@pytest.mark.parametrize(
    "transform",
    [
        aa.MelSpectrogram(sr=SR, scale="db"),
        aa.STFT(pad_mode="wrap"),
        aa.CQT(sr=SR, n_bins=24, method="2010"),
        aa.HybridCQT(sr=SR, n_bins=24),
    ],
    ids=["top_db", "wrap", "octaves", "hybrid"],
)
def test_what_depends_on_the_whole_signal_is_refused_as_by_streams(transform):
    with pytest.raises(aa.ParameterError) as refusal:
        transform.stream()
    with pytest.raises(aa.ParameterError) as found:
        lazy_spectrogram(da.zeros(40_000, chunks=10_000), transform)
    assert str(found.value) == str(refusal.value)


@pytest.mark.parametrize(
    ("y", "transform", "message"),
    [
        (np.zeros(9), MEL, "signal of type ndarray: must be a Dask array of shape"),
        (da.zeros(()), MEL, "must be a Dask array of shape"),
        (da.zeros(99)[da.zeros(99) > 1], MEL, "call y.compute_chunk_sizes()"),
        (da.zeros(9, chunks=3), aa.STFT(center=False), "signal has 9 samples: must have at least 2048"),
        (da.zeros(9, chunks=3), aa.NSGT(sr=SR, fmin=100), r"NSGT takes the whole signal at once: join its chunks"),
        (da.zeros(9, dtype=int), MEL, "signal has dtype int64"),
    ],
)
def test_wrong_arrays(y, transform, message):
    with pytest.raises(aa.ArrayAudioError, match=message.replace("(", r"\(").replace(")", r"\)")):
        lazy_spectrogram(y, transform)


def test_samples_that_are_not_finite_are_found_when_they_come():
    y = da.full(5000, np.nan, chunks=1000)
    with pytest.raises(aa.ParameterError, match="NaN or infinite"):
        lazy_spectrogram(y, MEL).compute(scheduler="synchronous")
