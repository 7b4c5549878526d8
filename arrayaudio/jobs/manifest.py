"""The record of a job: a line of JSON for each file, which says what became of it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NAME = "manifest.jsonl"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one file.

    `status` is "done", "failed" for the given `reason`, or "skipped" where an earlier run had done it; then the rest is
    that run's. Done ones have a `reason` for doubt where the recording ends early. `settings` is a digest of the
    settings. `fingerprint` holds the size of the recording and the time of its last change, and `sha256` its content.
    """

    path: str
    output: str
    status: str
    reason: str | None = None
    duration: float | None = None
    sr: float | None = None
    shape: list[int] | None = None
    output_bytes: int | None = None
    settings: str
    fingerprint: str | None
    sha256: str | None = None
    seconds: float

    def to_json(self) -> str:
        """Return the row as a line, in ASCII whatever the names are."""
        return json.dumps(vars(self))


def parsed(line: bytes) -> Row | None:
    """Return the row that a line holds, or None if it was torn."""
    try:
        return Row(**json.loads(line)) if line.endswith(b"\n") else None
    except (ValueError, TypeError):
        return None


def read_rows(folder: Path) -> Iterator[Row]:
    """Iterate over the rows of the manifest in a folder, if there is one; lines that were torn are passed over."""
    try:
        lines = (folder / NAME).open("rb")
    except FileNotFoundError:
        return
    with lines:
        yield from filter(None, map(parsed, lines))


class Manifest:
    """The manifest of a folder, open for rows to be added, by one process at a time.

    A row is handed to the system whole and at once, so that the death of the process loses none. The disk may get it
    later: what a power failure takes is done again. The opposite, a row without its output, cannot be: outputs are on
    the disk before their rows are written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("ab+", buffering=0)
        self._end = self._whole()

    def append(self, row: Row) -> None:
        """Add a row, whole or not at all."""
        line = f"{row.to_json()}\n".encode()
        if self._file.write(line) != len(line):
            self._file.truncate(self._end)
            raise OSError(28, os.strerror(28), NAME)
        self._end += len(line)

    def _whole(self) -> int:
        """Cut off a last line that was torn, and return the length of the others."""
        size = self._file.seek(0, os.SEEK_END)
        tail = b""
        while size and b"\n" not in tail:
            start = max(0, size - 2**16)
            self._file.seek(start)
            tail = self._file.read(size - start)
            size = start + tail.rfind(b"\n") + 1
        self._file.truncate(size)
        return size

    def __enter__(self) -> Self:
        return self

    def flush(self) -> None:
        """Wait until the disk has all rows."""
        os.fsync(self._file.fileno())

    def __exit__(self, *_: object) -> None:
        with self._file:
            self.flush()
