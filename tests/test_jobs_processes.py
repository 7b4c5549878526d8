"""Jobs of many short recordings, each done by one process alone: the same as by threads, whatever happens."""

import errno
import os
import signal

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext import io
from arrayaudio.jobs import child, local
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task, extract_by, extract_one
from arrayaudio.jobs.manifest import parsed, read_rows
from arrayaudio.jobs.settings import Settings

from .command_line import copies, features, run, written
from .recordings import SR

pytestmark = pytest.mark.slow

MEL = Settings(aa.MelSpectrogram, {"n_fft": 256, "n_mels": 20})


@pytest.fixture
def clips(clip):
    copies(clip, "a.wav", "b/c.wav", "b/d.wav")
    (clip.parent / "bad.wav").write_bytes(b"RIFF")
    return clip.parent


@pytest.fixture
def many(monkeypatch):
    """Let any number of recordings be many, and none be done here."""
    monkeypatch.setattr(local, "MANY", 1)
    return monkeypatch


def plain(out):
    """Rows without what differs from run to run."""
    rows = sorted(read_rows(out), key=lambda row: row.output)
    return [vars(row) | {"seconds": 0} for row in rows]


@pytest.mark.parametrize(
    "options", [[], ["--plot"], ["--format", "npy"], ["--transform", "cqt", "--n-bins", "24"], ["--sr", "11025"]]
)
def test_the_same_as_by_threads(clips, out, many, options):
    other = out.with_name("other")
    with many.context() as patch:
        patch.setattr(local, "MANY", 10**9)
        threads = run("extract", clips, "-o", other, *options)

    def only_the_bad_one(task, *args, **options):
        assert task.source.name == "bad.wav"
        return extract_one(task, *args, **options)

    many.setattr("arrayaudio.jobs.extract.extract_one", only_the_bad_one)
    processes = run("extract", clips, "-o", out, *options)
    assert processes.exit_code == threads.exit_code == 3
    assert sorted(processes.stderr.splitlines()) == sorted(threads.stderr.splitlines())
    assert plain(out) == plain(other)
    assert written(out) == written(other)
    for name in written(out):
        if name.endswith((".npz", ".npy")):
            assert (out / name).read_bytes() == (other / name).read_bytes()


def test_warnings_are_heard(clips, out, many):
    lines = run("extract", clips, "-o", out, "--n-mels", "1500").stderr.splitlines()
    assert len([line for line in lines if line.startswith("note: ") and "stay zero" in line]) == 1


def test_a_crash_and_a_hang_are_the_end_of_one_file_each(clips, out, many, troubled):
    for name in ("crash", "hang"):
        (clips / f"{name}.wav").touch()
    result = run("extract", clips, "-o", out, "--timeout", "2")
    assert result.exit_code == 3
    reasons = {row.output: row.reason for row in read_rows(out) if row.status == "failed"}
    assert reasons["crash.npz"] == "its decoder died (SIGSEGV)"
    assert reasons["hang.npz"].startswith("was not decoded within 2 s")
    assert set(reasons) == {"bad.npz", "crash.npz", "hang.npz"}
    assert features(out / "b/d.npz").shape == aa.MelSpectrogram(sr=SR)(io.load(clips / "a.wav")[0]).shape


def test_long_ones_and_unknown_transforms_are_done_here(clips, out):
    calls = []

    class Noted(Decoder):
        def _ask(self, operation, *args, **options):
            calls.append(operation)
            return super()._ask(operation, *args, **options)

    class Own(aa.MelSpectrogram):
        pass

    task = Task(clips / "a.wav", out / "a.npz")
    how = {"out": out, "pictures": False, "memory_budget": 10**9}
    with Noted() as decoder:
        for settings, most, operations in [
            (MEL, 10**8, ["warm", "extract"]),
            (MEL, 10**8, ["extract"]),
            (MEL, 1000, ["extract", "begin"]),
            (MEL, 0, ["begin"]),
            (Settings(Own, {"n_mels": 20}), 10**8, ["begin"]),
        ]:
            calls.clear()
            (row,) = extract_by(decoder, [task], settings, most=most, **how)
            assert (row.status, calls) == ("done", operations)


def test_a_process_that_talks_nonsense_is_not_believed(clips, out, monkeypatch):
    task, how = Task(clips / "a.wav", out / "a.npz"), {"out": out, "pictures": False, "memory_budget": 10**9}
    with Decoder() as decoder:
        for answer in ("nonsense", "[]", '{"status": "done"}'):
            monkeypatch.setattr(decoder, "extract", lambda *_, answer=answer, **__: [(answer, [])])
            assert extract_by(decoder, [task], MEL, most=10**8, **how)[0].shape == [20, 8]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), aa.MissingExtraError("a plot", "plot", ImportError())]
)
def test_what_stops_all_is_left_to_the_one_who_asks(clips, out, monkeypatch, error):
    def fail(*_):
        raise error

    source, how = str(clips / "a.wav"), {"settings": MEL.described, "most": 10**8}
    asked = how | {"tasks": [(source, str(out / "a.npz"))], "out": str(out), "pictures": False}
    ((line, _),), _ = child.extract(source, **asked)
    assert parsed(f"{line}\n".encode()).status == "done"
    monkeypatch.setattr(io, "write_whole", fail)
    assert child.extract(source, **asked) == ([(None, [])], None)


def test_no_other_is_begun_once_enough_time_has_gone(clips, out, monkeypatch):
    tasks = [Task(clips / "a.wav", out / f"{number}.npz") for number in range(3)]
    how = {"out": out, "pictures": False, "memory_budget": 10**9, "most": 10**8}
    with Decoder() as decoder:
        assert [row.output for row in extract_by(decoder, tasks, MEL, **how)] == ["0.npz", "1.npz", "2.npz"]
    asked = {"tasks": tasks, "out": out, "pictures": False, "settings": MEL.described, "most": 10**8}
    monkeypatch.setattr(child, "ENOUGH", -1.0)
    answers, _ = child.extract(tasks[0].source, **asked)
    assert len(answers) == 1


def test_what_is_left_of_some_is_done_later(clips, out, many):
    asked = []

    def first_two(decoder, tasks, settings, *, out, **how):
        asked.append([task.target.stem for task in tasks])
        return [extract_one(task, settings, out=out, decoder=decoder) for task in tasks[:2]]

    many.setattr(local, "extract_by", first_two)
    tasks = [Task(clips / "a.wav", out / f"{number}.npz") for number in range(5)]
    done = [task.target.stem for task, _ in local.in_threads(tasks, MEL, out=out, workers=1)]
    assert done == list("01234")
    assert asked == [list("01234"), list("234"), list("4")]


def test_settings_may_not_suit_the_rate_of_the_first_kernel():
    child.warm("", settings=Settings(aa.MelSpectrogram, {"fmax": 40000.0}).described)


def test_a_process_that_dies_of_old_age_is_replaced(clips, out):
    tasks, how = [Task(clips / "a.wav", out / "a.npz")], {"out": out, "pictures": False, "memory_budget": 10**9}
    with Decoder() as decoder:
        assert extract_by(decoder, tasks, MEL, most=10**8, **how)[0].status == "done"
        os.kill(decoder._process.pid, signal.SIGKILL)
        decoder._process.wait()
        assert extract_by(decoder, tasks, MEL, most=10**8, **how)[0].status == "done"


def test_the_row_is_that_of_extract_one(tmp_path, out):
    soundfile.write(tmp_path / "x.wav", np.zeros((3000, 2)), SR)
    task = Task(tmp_path / "x.wav", out / "x.npz")
    with Decoder() as decoder:
        (row,) = extract_by(decoder, [task], MEL, out=out, pictures=False, memory_budget=10**9, most=10**8)
    assert vars(row) | {"seconds": 0} == vars(extract_one(task, MEL, out=out)) | {"seconds": 0}
