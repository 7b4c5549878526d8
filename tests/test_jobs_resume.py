"""A second run does what is left, and nothing is mixed, whatever has changed in between."""

import errno
import functools
import hashlib
import json
import os
import pickle

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext import io
from arrayaudio.jobs.extract import Task, extract_one
from arrayaudio.jobs.local import in_threads
from arrayaudio.jobs.manifest import NAME, read_rows
from arrayaudio.jobs.runner import run_job
from arrayaudio.jobs.settings import Settings

from .command_line import copies, features, run, written
from .recordings import SR, encoded, tone

MEL = Settings(aa.MelSpectrogram, {"n_fft": 256, "n_mels": 20})


@pytest.fixture
def clips(clip):
    copies(clip, "a.wav", "b/c.wav")
    (clip.parent / "z.wav").write_bytes(encoded(tone(3000, 500)))
    return clip.parent


def statuses(out):
    """The last status of each output."""
    return {row.output: row.status for row in read_rows(out)}


def contents(out):
    return {name: (out / name).read_bytes() for name in written(out)}


# What is done stays done


def test_a_second_run_finds_all_done(clips, out):
    assert run("extract", clips, "-o", out).stdout == f"4 of 4 files written to {out}\n"
    before = {name: (out / name).stat() for name in written(out)}
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"4 of 4 files written to {out}, 4 of them by an earlier run\n"
    assert {name: (out / name).stat() for name in written(out)} == before
    assert set(statuses(out).values()) == {"skipped"}
    assert run("extract", clips, "-o", out).stdout == result.stdout


def edit_a_sample(clips, out):
    content = bytearray((clips / "a.wav").read_bytes())
    content[-1] ^= 1
    (clips / "a.wav").write_bytes(content)
    os.utime(clips / "a.wav", ns=(1, 1))


def edit(clips, out):
    (clips / "a.wav").write_bytes(encoded(tone(4000, 700)))


def remove(clips, out):
    (out / "a.npz").unlink()


def cut(clips, out):
    (out / "a.npz").write_bytes((out / "a.npz").read_bytes()[:-1])


def forget(clips, out):
    lines = (out / NAME).read_text().splitlines(keepends=True)
    (out / NAME).write_text("".join(line for line in lines if json.loads(line)["output"] != "a.npz"))


def tear(clips, out):
    rows = sorted(read_rows(out), key=lambda row: row.output == "a.npz")
    (out / NAME).write_text("".join(f"{row.to_json()}\n" for row in rows)[:-20])


CHANGES = [edit_a_sample, edit, remove, cut, forget, tear]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_is_done_again_and_only_that(clips, out, change):
    run("extract", clips, "-o", out)
    change(clips, out)
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert statuses(out) == {"a.npz": "done", "b/c.npz": "skipped", "clip.npz": "skipped", "z.npz": "skipped"}
    run("extract", clips, "-o", out / "fresh")
    assert features(out / "a.npz").tobytes() == features(out / "fresh" / "a.npz").tobytes()


def test_a_recording_that_was_touched_or_copied_anew_is_what_it_was(clips, out):
    run("extract", clips, "-o", out)
    before = contents(out)
    os.utime(clips / "a.wav", ns=(1, 1))
    assert "4 of them by an earlier run" in run("extract", clips, "-o", out).stdout
    assert contents(out) == before
    rows = [row for row in read_rows(out) if row.output == "a.npz"]
    assert rows[0].fingerprint != rows[1].fingerprint == f"{(clips / 'a.wav').stat().st_size}-1"
    assert rows[0].sha256 == rows[1].sha256


def test_a_recording_that_was_added_is_done(clips, out):
    run("extract", clips, "-o", out)
    copies(clips / "clip.wav", "new.wav")
    run("extract", clips, "-o", out)
    assert [name for name, status in statuses(out).items() if status == "done"] == ["new.npz"]


def test_another_recording_for_the_same_output_is_done(clips, tmp_path, out):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "clip.wav").write_bytes(encoded(tone(4000, 700)))
    for place in (clips / "clip.wav", tmp_path / "other" / "clip.wav"):
        os.utime(place, ns=(1, 1))  # they differ in their content alone
        run("extract", place, "-o", out)
    np.testing.assert_array_equal(features(out / "clip.npz"), aa.MelSpectrogram(sr=SR, scale="db")(io.load(place)[0]))


def test_the_folder_may_be_named_from_elsewhere(clips, out, monkeypatch):
    run("extract", clips, "-o", out)
    monkeypatch.chdir(clips.parent)
    assert "4 of them by an earlier run" in run("extract", clips.name, "-o", out.name).stdout


def test_pictures_are_drawn_where_they_lack(clips, out):
    run("extract", clips, "-o", out)
    run("extract", clips, "-o", out, "--plot")
    assert set(statuses(out).values()) == {"done"}
    run("extract", clips, "-o", out, "--plot")
    assert set(statuses(out).values()) == {"skipped"}


def test_failures_are_tried_again(clips, out):
    (clips / "a.wav").write_bytes(b"")
    assert run("extract", clips, "-o", out).exit_code == 3
    assert statuses(out)["a.npz"] == "failed"
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stderr.count("failed: ")) == (3, 1)
    (clips / "a.wav").write_bytes(encoded(tone()))
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"4 of 4 files written to {out}, 3 of them by an earlier run\n")


def test_files_that_a_killed_run_had_begun_are_removed(clips, out):
    (out / "b").mkdir(parents=True)
    for part in (out / ".17-140.part", out / "b" / ".17-140.part"):
        part.write_bytes(b"half of")
    (out / ".my.part").touch()
    run("extract", clips, "-o", out)
    assert written(out) == [".my.part", "a.npz", "b/c.npz", "clip.npz", "z.npz"]


# Other settings


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--n-mels 40", "n_mels=default; here n_mels=40"),
        ("--sr 4000", "sr=None; here sr=4000.0"),
        ("--no-mono", "mono=True; here mono=False"),
        ("--transform mel", "scale=db; here scale=default"),
    ],
)
def test_other_settings_are_refused(clips, out, options, reason):
    run("extract", clips, "-o", out)
    before = contents(out)
    result = run("extract", clips, "-o", out, *options.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{out}: holds features made with other settings ({reason}): give a new folder" in result.stderr
    assert contents(out) == before
    assert run("extract", clips, "-o", out.with_name("new"), *options.split()).exit_code == 0


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}"])
def test_other_settings_are_refused_without_the_file_that_says_which(clips, out, content):
    run("extract", clips, "-o", out)
    (out / "settings.json").unlink()
    if content is not None:
        (out / "settings.json").write_bytes(content)
    assert run("extract", clips, "-o", out, "--n-mels", "40").exit_code == 2
    assert run("extract", clips, "-o", out).exit_code == 0


def test_settings_that_no_file_came_of_are_no_obstacle(clip, out):
    assert run("extract", clip, "-o", out, "--fmax", "10000").exit_code == 3
    assert run("extract", clip, "-o", out).exit_code == 0


def test_equal_settings_have_one_digest():
    one = Settings(aa.MFCC, {"n_mfcc": 13, "n_mels": 40}, sr=16000)
    assert one.digest == Settings(aa.MFCC, {"n_mels": 40, "n_mfcc": 13}, sr=16000).digest
    others = [Settings(aa.MFCC, {"n_mfcc": 13}, sr=16000), Settings(aa.LFCC, {}), Settings(aa.MFCC, {}, mono=False)]
    assert len({settings.digest for settings in [one, *others]}) == 4


# One file, for any executor


def test_a_row_tells_what_was_done(clips, out):
    task = Task(clips / "b" / "c.wav", out / "b" / "c.npz")
    row = extract_one(task, MEL, out=out)
    stat = task.source.stat()
    assert (row.path, row.output, row.status, row.reason) == (str(task.source), "b/c.npz", "done", None)
    assert (row.duration, row.sr, row.shape) == (0.5, SR, list(features(task.target).shape))
    assert (row.settings, row.fingerprint) == (MEL.digest, f"{stat.st_size}-{stat.st_mtime_ns}")
    assert row.sha256 == hashlib.sha256(task.source.read_bytes()).hexdigest()
    assert row.output_bytes == task.target.stat().st_size
    assert row.seconds > 0


def test_a_call_can_be_sent_elsewhere_and_repeated(clips, out):
    call = functools.partial(extract_one, Task(clips / "a.wav", out / "a.npz"), MEL, out=out, pictures=True)
    first = call()
    before = contents(out)
    again = pickle.loads(pickle.dumps(call))()
    assert contents(out) == before
    assert (again.status, again.shape, again.output_bytes) == (first.status, first.shape, first.output_bytes)


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("by a bug"), aa.ParameterError("n_fft=0: no")])
def test_whatever_happens_to_one_recording_is_a_row(clips, out, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(aa.MelSpectrogram, "__call__", fail)
    row = extract_one(Task(clips / "a.wav", out / "a.npz"), MEL, out=out)
    assert row.status == "failed"
    assert row.reason == {"ParameterError": "n_fft=0: no"}.get(type(error).__name__, f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("workers", [1, 3])
def test_jobs_run_without_the_command(clips, out, workers):
    todo = [Task(clips / f"{name}.wav", out / f"{name}.npz") for name in ("a", "b/c", "missing")]
    execute = functools.partial(in_threads, settings=MEL, out=out, workers=workers)
    found = dict(run_job(todo, MEL, execute, out=out))
    assert found.keys() == set(todo)
    assert [found[task].status for task in todo] == ["done", "done", "failed"]
    assert sorted(read_rows(out), key=lambda row: row.output) == [found[task] for task in todo]


def test_a_job_that_is_stopped_begins_nothing_more(clips, out):
    todo = [Task(clips / f"{name}.wav", out / f"{name}.npz") for name in ("a", "clip", "z")]
    rows = []
    execute = functools.partial(in_threads, settings=MEL, out=out, workers=1, stopped=lambda: len(rows) == 2)
    for _, row in run_job(todo, MEL, execute, out=out):
        rows.append(row)
    assert [row.output for row in rows] == ["a.npz", "clip.npz"]


def test_recordings_that_end_early_are_done_with_a_note(clips, out):
    (clips / "a.wav").write_bytes(encoded(tone())[:5000])
    for _ in range(2):
        result = run("extract", clips, "-o", out)
        assert result.exit_code == 0
        assert result.stderr == f"note: {clips / 'a.wav'}: ends early: has 4992 of the 8036 bytes that it claims\n"


# A disk without room


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_stops_the_job_and_the_same_command_goes_on(clips, out, monkeypatch, code):
    run("extract", clips, "-o", out.with_name("whole"))
    fsync, calls = os.fsync, []

    def full(file):
        calls.append(file)
        if len(calls) > 3:  # settings, the manifest, and one output
            raise OSError(code, os.strerror(code))
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(io.os, "fsync", full)
        result = run("extract", clips, "-o", out, "--workers", "1")
    assert result.exit_code == 3
    assert f"{os.strerror(code)}; when that is mended, the same command goes on" in result.stderr
    assert result.stdout == f"1 of 4 files written to {out}\n"
    assert written(out) == ["a.npz"]
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"4 of 4 files written to {out}, 1 of them by an earlier run\n")
    assert contents(out) == contents(out.with_name("whole"))
