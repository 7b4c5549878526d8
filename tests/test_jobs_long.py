"""Recordings that do not fit into the memory that is allowed are read and transformed in parts, or refused."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext import io
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task, extract_one
from arrayaudio.jobs.manifest import read_rows
from arrayaudio.jobs.settings import Settings

from .command_line import features, run, written
from .recordings import SR, tone, wav_header
from .tolerances import assert_same_levels

BUDGET = 2_000_000
SETTINGS = {
    "stft": Settings(aa.STFT, {"output": "complex", "n_fft": 512}),
    "logmel": Settings(aa.MelSpectrogram, {"scale": "db", "n_fft": 512, "n_mels": 40}),
    "channels": Settings(aa.MFCC, {"n_fft": 512, "n_mels": 40}, mono=False),
    "not centred": Settings(aa.STFT, {"output": "power", "center": False}),
}


@pytest.fixture
def long(tmp_path, rng):
    """Two minutes, of which the decoded samples alone are more than the budget."""
    y = 0.1 * rng.standard_normal((120 * SR, 2)) * np.linspace(0.001, 1, 120 * SR)[:, None]
    soundfile.write(tmp_path / "long.flac", y, SR)
    return tmp_path / "long.flac"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_long_recording_gives_the_features_that_it_gives_at_once(long, out, settings):
    row = extract_one(Task(long, out / "parts.npz"), settings, out=out, memory_budget=BUDGET)
    assert (row.status, row.duration) == ("done", 120.0)
    assert extract_one(Task(long, out / "whole.npz"), settings, out=out).status == "done"
    np.testing.assert_array_equal(features(out / "parts.npz"), features(out / "whole.npz"), strict=True)
    assert (out / "parts.npz").read_bytes() == (out / "whole.npz").read_bytes()
    assert written(out) == ["parts.npz", "whole.npz"]


def test_long_recordings_are_resampled_in_parts(long, out):
    settings = Settings(aa.MelSpectrogram, {"scale": "db", "n_fft": 256, "n_mels": 20}, sr=4000)
    for name, budget in {"parts": BUDGET // 2, "whole": 10**9}.items():
        extract_one(Task(long, out / f"{name}.npz"), settings, out=out, memory_budget=budget)
    assert_same_levels(features(out / "parts.npz"), features(out / "whole.npz"), "float32")


def test_the_whole_is_never_asked_for(long, out, monkeypatch):
    monkeypatch.delattr(Decoder, "load")
    settings = SETTINGS["logmel"]
    assert extract_one(Task(long, out / "parts.npz"), settings, out=out, memory_budget=BUDGET).status == "done"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--transform cqt --fmin 200 --n-bins 24 --method 2010", "halves the rate of the whole signal"),
        ("--pad-mode mean", "pad_mode='mean': needs the whole signal at once"),
        ("--memory-budget 10kB", "a frame of 2048 samples takes up to"),
    ],
)
def test_what_needs_the_whole_signal_fails_with_the_reason(long, out, options, reason):
    result = run("extract", long, "-o", out, "--memory-budget", "4MB", *options.split())
    assert (result.exit_code, written(out)) == (3, [])
    assert f"failed: {long}: " in result.stderr
    assert reason in result.stderr


def test_recordings_in_work_share_the_memory(long, out):
    """Each holds what it needs, or all there is, and not more than once at a time."""
    held, lock = [], threading.Lock()

    @contextmanager
    def holding(size):
        with lock:
            held.append(size)
        yield

    for name, budget in {"parts": BUDGET, "whole": 10**9}.items():
        extract_one(Task(long, out / f"{name}.npz"), SETTINGS["stft"], out=out, memory_budget=budget, holding=holding)
    decoded, features_ = 4 * 2 * 120 * SR, (out / "whole.npz").stat().st_size
    assert held[0] == BUDGET
    assert decoded + features_ < held[1] < 10 * (decoded + features_)


def test_an_hour_at_192_khz(tmp_path, out):
    n_bytes = 3600 * 192000
    with (tmp_path / "hour.wav").open("wb") as file:
        file.write(wav_header(1, n_bytes, rate=192000, bits=8))
        file.truncate(file.tell() + n_bytes)  # a hole, which takes no room on the disk
    result = run("extract", tmp_path, "-o", out, "--sr", "8000", "--n-mels", "20", "--memory-budget", "50MB")
    assert (result.exit_code, result.stderr) == (0, "")
    (row,) = read_rows(out)
    assert (row.duration, row.sr, row.shape) == (3600.0, 192000.0, [20, 1 + 3600 * 8000 // 512])


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path, out):
    """An MP3 that claims four billion frames."""
    soundfile.write(tmp_path / "vast.mp3", tone(), SR)
    mp3 = (tmp_path / "vast.mp3").read_bytes()
    count = max(mp3.find(b"Xing"), mp3.find(b"Info")) + 8
    (tmp_path / "vast.mp3").write_bytes(mp3[:count] + b"\x0f" + mp3[count + 1 :])
    assert io.header(tmp_path / "vast.mp3")[2] > 10**9
    row = extract_one(Task(tmp_path / "vast.mp3", out / "vast.npz"), SETTINGS["logmel"], out=out)
    assert row.status == "done"
    assert row.reason.startswith("ends early: has ")
    assert row.duration < 2
