"""Jobs under any order of changes to their recordings and outputs, of deaths and of ends."""

import errno
import functools
import itertools
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import arrayaudio as aa
from arrayaudio.jobs import local
from arrayaudio.jobs.manifest import NAME
from arrayaudio.jobs.runner import CHANGED, run_job
from arrayaudio.jobs.settings import Settings
from arrayaudio.jobs.targets import tasks

from .command_line import written
from .dying_jobs import EVENTS, Decoder, begun, die_at, records
from .recordings import encoded, tone

MEL = Settings(aa.MelSpectrogram, {"n_fft": 256, "n_mels": 8, "hop_length": 200})
OPTIONS = "--transform mel --n-fft 256 --n-mels 8 --hop-length 200"
# Two and two of a size, so that features of one in the place of the other show in their values alone.
CONTENTS = [encoded(tone(n, hz)) for n in (1000, 2000) for hz in (500, 900)]
BAD = [b"", b"no audio", encoded(tone())[:30], encoded(tone(0))]
# The first two would share an output, and have their suffixes in it where both are there.
PLACES = ["a.wav", "a.flac", "b/c.wav", "d.wav"]

places = st.sampled_from(PLACES)
contents = st.sampled_from(CONTENTS)
workers = st.integers(1, 3)
events = st.tuples(st.sampled_from(EVENTS), st.integers(1, 6))


@pytest.fixture(autouse=True)
def _decoding_here(monkeypatch):
    monkeypatch.setattr(local, "Decoder", Decoder)


class Jobs(RuleBasedStateMachine):
    """A folder of recordings and one of features, which jobs bring up to date, beside fresh folders."""

    kind: str

    @initialize(first=st.lists(contents, min_size=1, max_size=len(PLACES)), done=st.booleans())
    def begin(self, first, done):
        self.folder = TemporaryDirectory()
        self.clips, self.out = Path(self.folder.name) / "in", Path(self.folder.name) / "out"
        (self.clips / "b").mkdir(parents=True)
        self.clock, self.targets = itertools.count(1), set()
        for place, content in zip(PLACES, first, strict=False):
            self.write(place, content)
        if done:
            self.run(workers=1)

    def write(self, place, content):
        (self.clips / place).write_bytes(content)
        # Stores and tables name the time of a change, and are left as they are where nothing else is new.
        known = self.kind in ("zarr", "parquet") and content in CONTENTS
        self.touch(place, -CONTENTS.index(content) if known else next(self.clock))

    def touch(self, place, ns):
        os.utime(self.clips / place, ns=(10**18 + ns, 10**18 + ns))

    def recordings(self):
        return any(path.is_file() for path in self.clips.rglob("*"))

    def names(self):
        return {str(task.target.relative_to(self.out)) for task in tasks([self.clips], self.out, self.kind)}

    # Recordings

    @rule(place=places, content=contents)
    def add_or_change(self, place, content):
        self.write(place, content)

    @rule(place=places, content=st.sampled_from(BAD))
    def spoil(self, place, content):
        self.write(place, content)

    @rule(place=places)
    def remove(self, place):
        (self.clips / place).unlink(missing_ok=True)

    @precondition(lambda self: self.kind in ("npz", "npy"))
    @rule(place=places)
    def touch_only(self, place):
        with suppress(FileNotFoundError):
            self.touch(place, next(self.clock))

    # Outputs and their record

    @precondition(lambda self: self.targets)
    @rule(data=st.data(), cut=st.booleans())
    def lose_an_output(self, data, cut):
        path = self.out / data.draw(st.sampled_from(sorted(self.targets)))
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1]) if cut else path.unlink()

    @rule(part=st.floats(0, 0.99))
    def tear_the_record(self, part):
        lines = (self.out / NAME).read_bytes().splitlines(keepends=True) if (self.out / NAME).is_file() else []
        if lines and CHANGED.encode() not in lines[-1]:  # which is on the disk before anything is done
            lines[-1] = lines[-1][: int(part * len(lines[-1]))]
            (self.out / NAME).write_bytes(b"".join(lines))

    @precondition(recordings)
    @rule(pid=st.integers(1, 99999))
    def leave_what_was_begun(self, pid):
        # A group of a store is a folder, and lies beside what was begun as one.
        for folder in {(self.out / name).parent for name in self.names()}:
            folder = folder.parent if self.kind == "zarr" else folder
            if folder.is_dir():
                (folder / f".{pid}-140.part").write_bytes(b"half of")

    # Jobs

    def job(self, out, workers=1, **options):
        execute = functools.partial(local.in_threads, settings=MEL, out=out, workers=workers, **options)
        return run_job(tasks([self.clips], out, self.kind), MEL, execute, out=out)

    def do(self, workers):
        for _ in self.job(self.out, workers):
            pass

    def do_until(self, event, workers):
        """Do the job in a process that dies at an event, if it comes so far."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks among threads
            child = os.fork()
        if child == 0:
            try:
                die_at(*event)
                self.do(workers)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, -signal.SIGKILL)

    @precondition(recordings)
    @rule(event=events, workers=workers)
    def kill(self, event, workers):
        self.targets |= self.names()
        self.do_until(event, workers)

    @precondition(recordings)
    @rule(data=st.data(), content=contents, event=events)
    def kill_and_change_back(self, data, content, event):
        place = data.draw(st.sampled_from([place for place in PLACES if (self.clips / place).is_file()]))
        before = (self.clips / place).read_bytes()
        self.write(place, content)
        self.kill(event, workers=1)
        self.write(place, before)

    @precondition(recordings)
    @rule(n_rows=st.integers(0, 4), workers=workers, gently=st.booleans())
    def stop(self, n_rows, workers, gently):
        """Let files in hand end, or forget them."""
        self.targets |= self.names()
        rows = []
        job = self.job(self.out, workers, stopped=lambda: gently and len(rows) >= n_rows)
        for _, row in job:
            rows.append(row)
            if not gently and len(rows) >= n_rows:
                break
        job.close()

    @precondition(recordings)
    @rule(calls=st.integers(0, 8), workers=workers)
    def fill_the_disk(self, calls, workers):
        self.targets |= self.names()
        left = iter(range(calls))

        def full(file):
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with pytest.MonkeyPatch.context() as patch, suppress(OSError):
            patch.setattr(os, "fsync", full)
            Jobs.do(self, workers)

    @precondition(recordings)
    @rule(workers=workers)
    def run(self, workers):
        before = set(written(self.out)) if self.out.exists() else set()
        self.targets |= self.names()
        self.do(workers)
        self.compare(before)

    def compare(self, before):
        """What the job left is what a fresh one leaves, beside outputs of recordings that are gone or spoiled."""
        after = set(written(self.out))
        with TemporaryDirectory() as folder:
            fresh = Path(folder)
            for _ in self.job(fresh):
                pass
            assert records(self.out, self.names()) == records(fresh, self.names())
            for name in written(fresh):
                assert (self.out / name).read_bytes() == (fresh / name).read_bytes(), name
            others = after - set(written(fresh))
        lost = {name for name in before - after if begun(name) is None}
        assert not lost
        assert not {name for name in others if not self.is_former(name)}

    def is_former(self, name):
        """Whether a file is of a former output, or was begun where no recording is left to bring a job there."""
        part = begun(name)
        if part is not None:
            return part.parent not in {parent for known in self.names() for parent in Path(known).parents}
        if self.kind == "zarr":
            place, groups = Path(name), [Path(known) for known in self.targets]
            return any(group.parent in place.parents or place.parent in group.parents for group in groups)
        return name.removesuffix(".json") in self.targets

    def teardown(self):
        if hasattr(self, "folder"):
            try:
                if self.recordings():
                    self.run(workers=2)
            finally:
                self.folder.cleanup()


class Processes(Jobs):
    """The same with the command as a process of its own, which has others that decode."""

    def started(self, workers):
        words = [sys.executable, "-m", "arrayaudio", "extract", self.clips, "-o", self.out, "--workers", workers]
        words = [*map(str, words), "--format", self.kind, *OPTIONS.split()]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def do(self, workers):
        with self.started(workers) as job:
            _, stderr = job.communicate(timeout=120)
        assert job.returncode in (0, 3), stderr

    def do_until(self, event, workers):
        def n_bytes():
            return (self.out / NAME).stat().st_size if (self.out / NAME).is_file() else 0

        enough = n_bytes() + 100 * event[1]  # a row has 300 or more
        with self.started(workers) as job:
            while job.poll() is None and n_bytes() < enough:
                time.sleep(0.001)
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)


def explored(machine, kind, **options):
    made = type(kind, (machine,), {"kind": kind})
    made.TestCase.settings = settings(deadline=None, **options)
    made.TestCase("runTest").runTest()


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_any_order_of_changes_deaths_and_ends(kind):
    explored(Jobs, kind, max_examples=14, stateful_step_count=20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["npz", "npy", "zarr", "parquet"])
def test_longer_orders(kind):
    explored(Jobs, kind, max_examples=15, stateful_step_count=30)


@pytest.mark.slow
def test_any_order_of_changes_and_deaths_of_processes():
    explored(Processes, "npz", max_examples=5, stateful_step_count=12)
