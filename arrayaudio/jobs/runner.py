"""Jobs: many recordings into one folder, each once, whatever comes between."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from arrayaudio.errors import ParameterError
from arrayaudio.ext.io import printable, write_whole
from arrayaudio.ext.zarr import GROUP
from arrayaudio.jobs.extract import Task, fingerprint, picture_of
from arrayaudio.jobs.locking import locked
from arrayaudio.jobs.manifest import Manifest, Row, read_rows
from arrayaudio.jobs.settings import Settings
from arrayaudio.versions import versions

SETTINGS = "settings.json"
CHANGED = "the recording is another one than before, and the run that was to do it again did not end"

Executor = Callable[[list[Task]], Iterable[tuple[Task, Row]]]


def run_job(
    tasks: list[Task], settings: Settings, execute: Executor, *, out: Path, pictures: bool = False
) -> Iterator[tuple[Task, Row]]:
    """Iterate over tasks and what became of them, while `execute` does those that no earlier run did.

    Parameters
    ----------
    tasks : list of Task
    settings : Settings
    execute : callable
        Takes tasks, and gives each with its row, in any order; it may stop early.
    out : path
        The folder to write to, which holds the manifest too. No other job may be writing there.
    pictures : bool
        Whether tasks without a picture are to be done again.

    Raises
    ------
    ParameterError
        If the folder cannot be used, is in use, or holds features that were made with other settings.
    """
    with locked(out):
        before = {row.output: row for row in read_rows(out)}
        _require_same(out, settings, before)
        _remove_parts(tasks, out)
        write_whole(out / SETTINGS, lambda file: file.write(_described(settings)))
        with Manifest(out) as manifest:
            left = []
            for task in tasks:
                row = before.get(str(task.target.relative_to(out)))
                if row is None or row.status == "failed":
                    left.append(task)
                elif not _is_of(task, row):
                    # Should this run end between the new output and its row, the old row must not vouch for it.
                    manifest.append(replace(row, status="failed", reason=CHANGED))
                    left.append(task)
                elif not _is_there(task, row, pictures):
                    left.append(task)
                else:
                    row = replace(row, status="skipped", fingerprint=fingerprint(task.source), seconds=0.0)
                    manifest.append(row)
                    yield task, row
            manifest.flush()
            for task, row in execute(left):
                manifest.append(row)
                yield task, row
            _remove_parts(left, out)


def _is_there(task: Task, row: Row, pictures: bool) -> bool:
    """Whether what an earlier run has written is still there."""
    if not task.target.is_file() or task.target.stat().st_size != row.output_bytes:
        return False
    return not pictures or picture_of(task.target).is_file()


def _is_of(task: Task, row: Row) -> bool:
    """Whether the row is of the recording of a task, not touched since, or still of the same content."""
    if row.path != os.path.abspath(task.source):  # noqa: PTH100
        return False
    now = fingerprint(task.source)
    if now is None or row.fingerprint is None or now == row.fingerprint:
        return now == row.fingerprint is not None
    if row.sha256 is None or now.partition("-")[0] != row.fingerprint.partition("-")[0]:
        return False
    with task.source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == row.sha256


def _require_same(out: Path, settings: Settings, before: dict[str, Row]) -> None:
    """Refuse to mix features of other settings with those that are there."""
    if all(row.status == "failed" or row.settings == settings.digest for row in before.values()):
        return
    try:
        theirs = json.loads((out / SETTINGS).read_bytes())["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        theirs = {}
    ours = settings.to_dict()
    names = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    there, here = (", ".join(f"{name}={of.get(name, 'default')}" for name in names) for of in (theirs, ours))
    raise ParameterError(
        f"{printable(out)}: holds features made with other settings ({there}; here {here}): give a new folder, or the "
        "same settings"
    )


def _described(settings: Settings) -> bytes:
    described = {"settings": settings.to_dict(), "digest": settings.digest, "versions": versions()}
    return json.dumps(described, indent=1).encode()


def _remove_parts(tasks: list[Task], out: Path) -> None:
    """Remove what processes that died had begun to write; while the folder is locked, nobody else is writing."""
    places = (task.target.parent if task.target.name == GROUP else task.target for task in tasks)
    for folder in {out / parent for place in places for parent in place.relative_to(out).parents}:
        if folder.is_dir():
            for path in folder.iterdir():
                if re.fullmatch(r"\.\d+-\d+\.part", path.name):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
