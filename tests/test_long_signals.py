"""Long signals block by block, from memory and from files, with memory that does not grow."""

import tracemalloc

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext.io import load

from .recordings import encoded, tone
from .tolerances import assert_same_levels, assert_same_spectrum

SR = 16000


@pytest.mark.parametrize("block_length", [1, 777, 2**18])
def test_blocks_of_an_array_are_those_of_the_whole(block_length, library, dtype, rng):
    transform = aa.STFT(n_fft=128, hop_length=50)
    y = library.asarray(rng.standard_normal((2, 3000)).astype(dtype))
    parts = [library.to_numpy(part) for part in transform.blocks(y, block_length=block_length)]
    assert all(part.shape[-1] > 0 for part in parts)
    assert_same_spectrum(np.concatenate(parts, axis=-1), library.to_numpy(transform(y)), dtype)


def test_blocks_but_the_ends_have_one_shape(rng):
    transform = aa.MelSpectrogram(sr=SR, n_fft=400, hop_length=160, n_mels=20)
    shapes = [part.shape for part in transform.blocks(rng.standard_normal(100_000), block_length=7900)]
    assert set(shapes[1:-2]) == {(20, 50)}


@pytest.mark.parametrize("mono", [True, False])
def test_blocks_of_a_file(mono, audio):
    path = audio / "guitar.flac"
    y, sr = load(path, mono=mono)
    transform = aa.MelSpectrogram(sr=sr, n_fft=1024, scale="log")
    found = np.concatenate(list(transform.blocks(path, block_length=20000, mono=mono)), axis=-1)
    assert_same_spectrum(found, transform(y))


def test_memory_does_not_grow(tmp_path):
    """An hour from a memory map, into results that are dropped."""
    n = 3600 * SR
    y = np.memmap(tmp_path / "hour.f32", np.float32, "w+", shape=n)
    transform = aa.MelSpectrogram(sr=SR, n_fft=512, hop_length=256, n_mels=40, scale="log", check_finite=False)
    next(transform.blocks(y))
    tracemalloc.start()
    frames = sum(part.shape[-1] for part in transform.blocks(y))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == transform.n_frames(n)
    assert peak < 20e6


BUDGETED = {
    "STFT": aa.STFT(n_fft=256, hop_length=100, pad_mode="reflect"),
    "phase": aa.STFT(n_fft=254, output="phase", center=False),
    "mel in dB": aa.MelSpectrogram(sr=SR, n_fft=512, n_mels=30, scale="db", top_db=30.0, pad_mode="wrap"),
    "MFCC": aa.MFCC(sr=SR, n_fft=512, n_mels=30, top_db=30.0, pad_mode="edge"),
    "CQT": aa.CQT(sr=SR, n_bins=24, fmin=800, output="magnitude"),
}


@pytest.mark.parametrize("budget", [300_000, 4_000_000, 10**9])
@pytest.mark.parametrize("name", BUDGETED)
def test_chunks_give_the_whole(name, budget, library, dtype, rng):
    transform, y = BUDGETED[name], rng.standard_normal((3, 2, 9000)).astype(dtype)
    y[0] *= 1000  # so that what is limited differs between items
    given = library.asarray(y)
    found = library.to_numpy(transform(given, memory_budget=budget))
    expected = library.to_numpy(transform(given))
    assert found.dtype == expected.dtype
    assert found.flags.c_contiguous
    same = assert_same_levels if "dB" in name or name == "MFCC" else assert_same_spectrum
    if name == "phase":
        found, expected = (np.exp(1j * x.astype(float)) for x in (found, expected))
    same(found, expected, dtype)


@pytest.mark.parametrize("name", BUDGETED)
def test_the_budget_is_kept(name, rng):
    transform, y = BUDGETED[name], rng.standard_normal(300_000).astype(np.float32)
    out = transform(y, memory_budget=2_000_000)
    tracemalloc.start()
    transform(y, memory_budget=2_000_000, out=out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_an_hour_between_memory_maps(tmp_path):
    y = np.memmap(tmp_path / "in.f32", ">f4", "w+", shape=3600 * SR)
    y[::1000] = 1
    transform = aa.MelSpectrogram(sr=SR, n_fft=512, hop_length=512, n_mels=20, scale="log")
    out = np.memmap(tmp_path / "out.f32", np.float32, "w+", shape=(20, transform.n_frames(y.size)))
    tracemalloc.start()
    result = transform(y, out=out, memory_budget=10**7)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result is out
    assert peak < 10**7
    last = slice(-512 * 2000, None)
    np.testing.assert_array_equal(out[:, -1900:-5], transform(np.asarray(y[last]))[:, -1900:-5])


class TestErrors:
    def test_budgets_that_do_not_do(self):
        y = np.ones(9000)
        with pytest.raises(aa.MemoryBudgetError, match="memory_budget=1000: a frame of 2048 samples takes up to"):
            aa.STFT()(y, memory_budget=1000)
        for transform, message in (
            (aa.STFT(pad_mode="median"), "pad_mode='median': needs the whole signal at once"),
            (aa.NSGT(sr=SR, fmin=100, fmax=4000), "NSGT takes the whole signal at once"),
            (aa.HybridCQT(sr=SR, fmin=200, n_bins=24), "takes whole signals alone"),
        ):
            with pytest.raises(aa.ParameterError, match=message):
                transform(y, memory_budget=10**8)
        with pytest.raises(aa.ParameterError, match="memory_budget=0: must be at least 1"):
            aa.STFT()(y, memory_budget=0)
        with pytest.raises(aa.ParameterError, match="out has shape"):
            aa.STFT()(y, memory_budget=10**8, out=np.zeros((3, 4)))
        with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
            aa.STFT()(y[:0], memory_budget=10**8)
        with pytest.raises(aa.ParameterError, match="1 NaN"):
            aa.STFT()(np.append(y, np.nan), memory_budget=10**8)
        with pytest.raises(aa.DifferentiationError, match="memory_budget: an array on the tape"):
            aa.grad(lambda x: aa.STFT(output="power")(x, memory_budget=10**8).sum())(y)

    def test_a_file_of_another_rate(self, tmp_path):
        (tmp_path / "clip.wav").write_bytes(encoded(tone()))
        _, sr = load(tmp_path / "clip.wav")
        with pytest.raises(aa.ParameterError, match=f"clip.wav: has a sampling rate of {sr:g} Hz, and the transform"):
            aa.MelSpectrogram(sr=sr + 1).blocks(tmp_path / "clip.wav")
        assert list(aa.STFT(n_fft=256).blocks(tmp_path / "clip.wav"))

    def test_files_that_cannot_be_read(self, tmp_path):
        (tmp_path / "text.wav").write_text("no audio")
        (tmp_path / "empty.wav").write_bytes(encoded(tone()[:0]))
        for name in ("missing.wav", "text.wav", "empty.wav"):
            with pytest.raises(aa.AudioDecodeError, match=name):
                aa.STFT().blocks(tmp_path / name)

    def test_what_is_no_long_signal(self):
        with pytest.raises(aa.ParameterError, match="top_db"):
            aa.MFCC(sr=SR).blocks(np.ones(3000))
        with pytest.raises(aa.ParameterError, match=r"signal has shape \(2, 0\)"):
            aa.STFT().blocks(np.ones((2, 0)))
        with pytest.raises(aa.ParameterError, match="block_length=0: must be at least 1"):
            aa.STFT().blocks(np.ones(3000), block_length=0)
        with pytest.raises(aa.ParameterError, match="mono=1: must be one of"):
            aa.STFT().blocks(np.ones(3000), mono=1)
        with pytest.raises(aa.ParameterError, match="1 NaN"):
            list(aa.STFT().blocks(np.array([0, np.nan])))
