"""Signals larger than memory, than 32-bit numbers, and than a day, in every transform."""

import tracemalloc

import numpy as np
import pytest

import arrayaudio as aa

from .every import FRAMES, SETTINGS, SR, TRANSFORMS, changed
from .tolerances import assert_near_peak

WHOLE = {"HybridCQT", "PseudoCQT", "NSGT", "CQT 2010", "CQT 2010v2", "FrontEnd"}  # take the whole signal at once
BUDGET = 3_000_000


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - WHOLE))
def test_chunks_within_a_budget_give_the_same(name, rng):
    transform, y = TRANSFORMS[name], rng.standard_normal((3, 20_000)).astype(np.float32)
    assert_near_peak(transform(y, memory_budget=BUDGET), transform(y))
    long = rng.standard_normal(200_000).astype(np.float32)
    out = transform(long, memory_budget=BUDGET)
    tracemalloc.start()
    try:
        transform(long, memory_budget=BUDGET, out=out)
        assert tracemalloc.get_traced_memory()[1] < BUDGET
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_what_needs_the_whole_signal_says_so(name):
    with pytest.raises(aa.ParameterError, match=r"whole signals?\b"):
        TRANSFORMS[name](np.ones(20_000, np.float32), memory_budget=BUDGET)


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - WHOLE))
def test_chunks_have_one_shape(name, monkeypatch, rng):
    """Plans and buffers are kept for each shape, so there must be few of them."""
    seen, checked = [], type(TRANSFORMS[name])._checked

    def watched(self, y):
        seen.append(y.shape)
        return checked(self, y)

    monkeypatch.setattr(type(TRANSFORMS[name]), "_checked", watched)
    TRANSFORMS[name](rng.standard_normal(200_000).astype(np.float32), memory_budget=BUDGET)
    assert len(seen) > 2
    assert len(set(seen)) <= 2  # one frame alone tells the shape of results


@pytest.mark.parametrize("name", TRANSFORMS)
def test_frames_are_counted_exactly(name):
    transform = TRANSFORMS[name]
    hop = {"FrontEnd": 160}.get(name) or transform.hop_length
    for n in (2**31 - 1, 2**31, 2**32 + 1, 2**53 + 3, 2**61 + 1):
        assert transform.n_frames(n + hop) == transform.n_frames(n) + 1
        assert isinstance(transform.n_frames(n), int)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """More samples than 32 bits count, in a file that takes hardly any room: silence, and noise at the end."""
    path = tmp_path_factory.mktemp("long") / "y.f32"
    y = np.memmap(path, np.float32, "w+", shape=2**31 + 10_000)
    y[-5000:] = np.random.default_rng(0).standard_normal(5000)
    yield y
    path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["STFT", "MelSpectrogram", "MFCC", "LFCC", "Gammatonegram", "Chroma"])
@pytest.mark.parametrize("budget", [None, 10**7])
def test_more_samples_than_32_bits_count(name, budget, long):
    options = {"hop_length": 2**14, "center": False, "check_finite": False}
    transform = getattr(aa, name)(**SETTINGS[name] | options)
    S = transform(long, memory_budget=budget)
    assert S.shape[-1] == transform.n_frames(long.size) == 1 + (long.size - 256) // 2**14
    last = (S.shape[-1] - 1) * 2**14
    assert last > 2**31 - 2**15
    np.testing.assert_allclose(S[:, -1], transform(np.array(long[last:]))[:, 0], rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CQT", "VQT", "STFT phase"])
def test_constant_q_of_more_samples_than_32_bits_count(name, long):
    transform = changed(TRANSFORMS[name], hop_length=2**14, check_finite=False)
    S = transform(long, memory_budget=10**8)
    assert S.shape[-1] == transform.n_frames(long.size) == 1 + long.size // 2**14
    last = (S.shape[-1] - 1) * 2**14
    tail = transform(np.array(long[last - 2**15 :]))
    assert_near_peak(S[:, -1], tail[:, 2])


@pytest.mark.slow
def test_a_day_of_audio_block_by_block(tmp_path):
    n = 24 * 3600 * SR
    y = np.memmap(tmp_path / "day.f32", np.float32, "w+", shape=n)
    y[:: 3600 * SR] = 1
    transform = aa.MelSpectrogram(**SETTINGS["MelSpectrogram"] | FRAMES | {"hop_length": SR}, check_finite=False)
    next(transform.blocks(y))
    tracemalloc.start()
    try:
        loud = np.concatenate([part.max(axis=0) for part in transform.blocks(y)])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert loud.size == transform.n_frames(n) == 24 * 3600 + 1
    np.testing.assert_array_equal(np.flatnonzero(loud), np.arange(24) * 3600)
    assert peak < 20e6
