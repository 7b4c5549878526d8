"""What a job keeps: rows that are whole or not there, a folder for itself, and memory within bounds."""

import dataclasses
import errno
import json
import os
import subprocess
import sys
import threading

import pytest

import arrayaudio as aa
from arrayaudio.jobs import locking
from arrayaudio.jobs.budget import Budget, half_of_memory, n_bytes
from arrayaudio.jobs.locking import locked
from arrayaudio.jobs.manifest import NAME, Manifest, Row, read_rows

from .command_line import run
from .recordings import encoded, tone
from .unprivileged import bound_by_permissions

ROWS = [
    Row(path="/in/a.wav", output="a.npz", status="done", duration=1.5, sr=8000.0, shape=[128, 24], output_bytes=12345,
        settings="0123", fingerprint="8044-17", seconds=0.25),
    Row(path="/in/caf\udce9 日本.wav", output="caf\udce9 日本.npz", status="failed", reason='said "no"\nand no more',
        settings="0123", fingerprint=None, seconds=0.5),
]  # fmt: skip


@pytest.fixture
def manifest(tmp_path):
    with Manifest(tmp_path) as manifest:
        for row in ROWS:
            manifest.append(row)
    return tmp_path / NAME


# Manifest


def test_rows_come_back_in_turn(manifest):
    assert list(read_rows(manifest.parent)) == ROWS


def test_a_row_is_a_line_of_json(manifest):
    first, second = map(json.loads, manifest.read_text("ascii").splitlines())
    assert first.keys() == second.keys() == {field.name for field in dataclasses.fields(Row)}
    assert (first["status"], first["shape"], second["reason"]) == ("done", [128, 24], ROWS[1].reason)


def test_no_manifest_has_no_rows(tmp_path):
    assert not list(read_rows(tmp_path))


def test_wherever_the_last_line_is_torn_the_others_stay(manifest):
    whole = manifest.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        manifest.write_bytes(whole[:end])
        assert list(read_rows(manifest.parent)) == ROWS[:1]
        with Manifest(manifest.parent) as again:
            again.append(ROWS[1])
        assert manifest.read_bytes() == whole


@pytest.mark.parametrize("torn", [b"{", b"\0" * 100_000, b"x" * 200_000])
def test_a_torn_line_of_any_length_is_cut_off(manifest, torn):
    whole = manifest.read_bytes()
    manifest.write_bytes(whole + torn)
    with Manifest(manifest.parent):
        assert manifest.read_bytes() == whole


@pytest.mark.parametrize("line", [b"", b"\0\0\0", b"[]", b"7", b"{}", b'{"path": "a"}', b'"\xff"'])
def test_lines_that_are_no_rows_are_passed_over(manifest, line):
    first, second = manifest.read_bytes().splitlines()
    manifest.write_bytes(b"\n".join([first, line, second, b""]))
    assert list(read_rows(manifest.parent)) == ROWS


def test_a_row_is_with_the_system_at_once(tmp_path):
    with Manifest(tmp_path) as manifest:
        manifest.append(ROWS[0])
        assert (tmp_path / NAME).read_text() == f"{ROWS[0].to_json()}\n"


def test_a_row_that_does_not_fit_leaves_nothing(tmp_path):
    """Files may not grow beyond a size, in a process of its own."""
    program = f"""
import dataclasses, pathlib, resource
from arrayaudio.jobs.manifest import Manifest, Row
row = Row(path="a", output="a", status="done", settings="", fingerprint="", seconds=1.0)
size = len(row.to_json()) + 1
with Manifest(pathlib.Path({os.fspath(tmp_path)!r})) as manifest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))
    manifest.append(row)
    try:
        manifest.append(row)
    except OSError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "refused\n"
    assert len((tmp_path / NAME).read_text().splitlines()) == 1
    assert (tmp_path / NAME).read_text().endswith("\n")


def test_an_output_that_came_of_what_is_no_longer_there_is_done_again(clip, out, monkeypatch):
    """A run is killed between an output and its row, and the recording is again what the row before tells of."""

    class Killed(BaseException):
        pass

    def append(manifest, row):
        if row.status == "done":
            raise Killed
        Manifest.append(manifest, row)

    run("extract", clip, "-o", out)
    before, recording = (out / "clip.npz").read_bytes(), clip.read_bytes()
    clip.write_bytes(encoded(tone(4000, 700)))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("arrayaudio.jobs.runner.Manifest", type("Killing", (Manifest,), {"append": append}))
        run("extract", clip, "-o", out)
    assert (out / "clip.npz").read_bytes() != before
    assert len((out / "clip.npz").read_bytes()) == len(before)
    clip.write_bytes(recording)
    run("extract", clip, "-o", out)
    assert (out / "clip.npz").read_bytes() == before


# Lock


def test_a_folder_is_made_and_free_again_afterwards(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "far" / "out"):
            assert (tmp_path / "far" / "out").is_dir()


def test_a_second_job_is_refused(tmp_path):
    with locked(tmp_path), pytest.raises(aa.ParameterError, match="another job is writing there"), locked(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(locking.FileLock, "acquire", refuse)
    reason = f"cannot be written to \\({os.strerror(code)}\\); give another folder"
    with pytest.raises(aa.ParameterError, match=reason), locked(tmp_path):
        pass


def test_a_read_only_folder_is_refused(tmp_path):
    """In a process that is bound by permissions, as root is not."""
    (tmp_path / "out").mkdir(mode=0o555)
    program = f"""
import pathlib
import arrayaudio as aa
from arrayaudio.jobs.locking import locked
try:
    with locked(pathlib.Path({os.fspath(tmp_path / "out")!r})):
        print("open")
except aa.ParameterError as error:
    print(error)
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=60, preexec_fn=bound_by_permissions
    )
    assert "cannot be written to (Permission denied); give another folder" in done.stdout
    assert not list((tmp_path / "out").iterdir())


# Memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1), ("500MB", 5 * 10**8), ("2GB", 2 * 10**9), ("1.5 G", 15 * 10**8), ("64kB", 64000), ("1TB", 10**12)],
)
def test_sizes_are_read(text, expected):
    assert n_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0.1", "-1GB", "many", "2XB", "GB", "nan", "1e9"])
def test_other_sizes_are_refused(text):
    with pytest.raises(aa.ParameterError, match="must be a number of bytes"):
        n_bytes(text)


def test_half_of_the_memory_is_more_than_nothing():
    assert half_of_memory() > 10**8


def test_no_more_is_held_than_there_is():
    budget, sizes, least = Budget(100), [30, 70, 100, 10, 1000, 60] * 20, []

    def work(size):
        with budget.held(size):
            least.append(budget.free)

    threads = [threading.Thread(target=work, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(least) == len(sizes)
    assert min(least) == 0
    assert budget.free == 100


def test_what_failed_gives_its_memory_back():
    budget = Budget(100)
    with pytest.raises(ValueError, match="bad file"), budget.held(60):
        raise ValueError("bad file")
    assert budget.free == 100
