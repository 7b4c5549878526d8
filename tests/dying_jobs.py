"""What tests of jobs need in this process: a decoder, deaths at any point, and what a job left."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from arrayaudio.ext import io
from arrayaudio.jobs import manifest
from arrayaudio.jobs.child import Here
from arrayaudio.jobs.decoding import Header
from arrayaudio.jobs.manifest import read_rows

# Where a job can die: files are begun, flushed and placed, and rows added in two halves.
EVENTS = ["mkdir", "fsync", "replace", "row", "half a row"]


class Decoder:
    """Decodes in this process, as to start others takes longer than all else here."""

    def __init__(self, timeout):
        pass

    def begin(self, source, *, sr, mono):
        return Here(Header(*io.header(source))).begin(source, sr=sr, mono=mono)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def begun(name):
    """The file or folder that had not yet taken its place, if a file is of one."""
    return next((place for place in (Path(name), *Path(name).parents) if place.name.endswith(".part")), None)


def records(out, names):
    """The last rows of these outputs, without what tells how many runs there were."""
    rows = {row.output: row for row in read_rows(out) if row.output in names}
    assert rows.keys() == names
    return {name: replace(row, status=row.status.replace("skipped", "done"), seconds=0.0) for name, row in rows.items()}


def die_at(event, n):
    """Let this process be killed at the n-th event of a kind."""
    left = iter(range(n - 1))

    def happens(what):
        if what == event and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(what, function):
        def call(*args, **options):
            happens(what)
            return function(*args, **options)

        return call

    def append(self, row):
        line = f"{row.to_json()}\n".encode()
        happens("row")
        self._file.write(line[: len(line) // 2])
        happens("half a row")
        self._file.write(line[len(line) // 2 :])

    manifest.Manifest.append = append
    os.fsync = before("fsync", os.fsync)
    Path.replace = before("replace", Path.replace)
    Path.mkdir = before("mkdir", Path.mkdir)
