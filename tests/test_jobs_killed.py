"""Jobs as processes: killed, stopped, side by side, and with recordings that kill or hang their decoders."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arrayaudio.jobs.manifest import read_rows

from .command_line import copies, run, run_apart, written
from .recordings import BAD_FILES, NAMES, encoded, tone

pytestmark = pytest.mark.slow

PATIENCE = 120


@pytest.fixture
def start(out, troubled):
    """Start the command as a process of its own, with the troubled soundfile."""
    with contextlib.ExitStack() as started:

        def start(*args):
            words = [sys.executable, "-m", "arrayaudio", "extract", *map(str, args)]
            process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(troubled)}
            )
            started.callback(process.communicate)
            started.callback(process.kill)
            return process

        yield start


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def done(out):
    return [row.output for row in read_rows(out) if row.status == "done"]


def children_of(process):
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return [pid for thread in threads for pid in (thread / "children").read_text().split()]


def contents(out):
    return {name: (out / name).read_bytes() for name in written(out)}


def lives(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.fixture
def clips(clip):
    copies(clip, *(f"{place}/{number}.wav" for place in "ab" for number in range(6)))
    return clip.parent


# Killed


def test_a_job_that_was_killed_goes_on_and_ends_as_if_nothing_had_been(clips, out, start):
    assert run("extract", clips, "-o", out.with_name("undisturbed")).exit_code == 0
    (clips / "b" / "hang.wav").write_bytes(encoded(tone()))  # this run cannot end
    killed = start(clips, "-o", out, "--workers", "2")
    wait_until(lambda: len(done(out)) >= 6)
    killed.kill()
    killed.wait()
    (clips / "b" / "hang.wav").unlink()
    before = contents(out)
    assert set(done(out)) <= before.keys()
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    skipped = [row.output for row in read_rows(out) if row.status == "skipped"]
    assert len(skipped) >= 6
    assert contents(out) == contents(out.with_name("undisturbed"))
    assert {name: contents(out)[name] for name in skipped} == {name: before[name] for name in skipped}


def test_decoders_do_not_outlive_a_job_that_was_killed(clips, out, start):
    (clips / "hang.wav").write_bytes(encoded(tone()))
    job = start(clips, "-o", out, "--workers", "2", "--timeout", "2")
    # One of them hangs, and the other waits for more.
    wait_until(lambda: len(done(out)) == 13)
    decoders = children_of(job)
    assert len(decoders) == 2
    job.kill()
    job.wait()
    wait_until(lambda: not any(map(lives, decoders)))


# Stopped


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_job_that_is_stopped_ends_the_file_in_hand(clips, out, start, troubled, number, code):
    (clips / "a" / "wait.wav").write_bytes(encoded(tone()))
    job = start(clips, "-o", out, "--workers", "1")
    wait_until(lambda: len(done(out)) == 6)
    with (troubled / "gate").open("w"):  # which opens when the decoder is there
        job.send_signal(number)
        assert job.stderr.readline() == b"stopping when the files in hand are done; once more stops at once\n"
        stdout, stderr = job.communicate(timeout=PATIENCE)
    assert job.returncode == code
    assert stderr.decode() == f"stopped by {number.name}; the same command goes on\n"
    assert stdout.decode() == f"7 of 14 files written to {out}\n"
    assert done(out)[-1] == "a/wait.npz"
    assert sorted(done(out)) == written(out)
    result = run("extract", clips, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"14 of 14 files written to {out}, 7 of them by an earlier run\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_stops_at_once(clips, out, start, number):
    (clips / "a" / "hang.wav").write_bytes(encoded(tone()))
    job = start(clips, "-o", out, "--workers", "1")
    wait_until(lambda: len(done(out)) == 6)
    job.send_signal(number)
    assert job.stderr.readline().startswith(b"stopping")
    job.send_signal(number)
    job.communicate(timeout=PATIENCE)
    assert job.returncode == -number
    (clips / "a" / "hang.wav").unlink()
    assert run("extract", clips, "-o", out).exit_code == 0


# Two jobs


def test_a_folder_is_one_jobs_until_it_ends_or_dies(clips, out, start, troubled):
    (clips / "a" / "hang.wav").write_bytes(encoded(tone()))
    first = start(clips, "-o", out, "--workers", "1")
    wait_until(lambda: len(done(out)) == 6)
    second = run_apart("extract", clips, "-o", out)
    assert (second.returncode, second.stdout) == (2, "")
    assert f"{out}: another job is writing there; wait for its end, or give another folder" in second.stderr
    first.kill()
    first.wait()
    (clips / "a" / "hang.wav").unlink()
    assert run_apart("extract", clips, "-o", out).returncode == 0


# Recordings of all kinds


def test_each_bad_file_is_a_row_with_a_reason_and_the_others_are_done(clip, out, start):
    folder = clip.parent
    copies(clip, *NAMES.values(), "take/one.wav")
    (folder / "take" / "one.flac").write_bytes(encoded(tone(), "FLAC"))
    reasons = {}
    for name, content, reason in BAD_FILES.values():
        if not name.endswith(".raw"):
            (folder / name).write_bytes(content)
            reasons[name] = reason
    for name, reason in {"crash.wav": "its decoder died (SIGSEGV)", "hang.wav": "was not decoded within 3 s"}.items():
        (folder / name).write_bytes(encoded(tone()))
        reasons[name] = reason
    for name, target in {"lost.wav": "gone.wav", "loop.wav": "loop.wav"}.items():
        (folder / name).symlink_to(target)
        reasons[name] = "cannot be read as audio: [Errno"
    good = sorted(["clip.npz", *(name.replace(".wav", ".npz") for name in NAMES.values())])
    good += ["take/one.flac.npz", "take/one.wav.npz"]
    job = start(folder, "-o", out, "--timeout", "3")
    stdout, stderr = job.communicate(timeout=PATIENCE)
    assert job.returncode == 3
    assert stdout.decode() == f"{len(good)} of {len(good) + len(reasons)} files written to {out}\n"
    assert written(out) == sorted(good)
    rows = {os.path.relpath(row.path, folder): row for row in read_rows(out)}
    for name, reason in reasons.items():
        assert rows[name].status == "failed"
        assert reason in rows[name].reason
        assert f"failed: {folder / name}: {rows[name].reason}\n" in stderr.decode()
    assert sorted(row.output for row in rows.values() if row.status == "done") == sorted(good)
