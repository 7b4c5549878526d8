"""One recording to one feature file: what all executors of jobs call."""

import errno
import functools
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.arrays import asarray, to_numpy
from arrayaudio.errors import ArrayAudioError, ArrayAudioWarning, AudioDecodeError, MissingExtraError
from arrayaudio.ext import io
from arrayaudio.jobs import outputs
from arrayaudio.jobs.decoding import Decoder, Header
from arrayaudio.jobs.manifest import Row, parsed
from arrayaudio.jobs.settings import Settings
from arrayaudio.transforms.framed import Framed

# What says that no other file can be written either.
NO_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
# matplotlib draws in one thread at a time.
DRAWING = threading.Lock()


class Task(NamedTuple):
    """A recording, and the file to write its features to."""

    source: Path
    target: Path


def fingerprint(path: Path) -> str | None:
    """Return the size of a file and the time of its last change, or None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return f"{found.st_size}-{found.st_mtime_ns}"


def picture_of(target: Path) -> Path:
    """Where the picture of a feature file is drawn."""
    return target.with_suffix(".png")


def extract_one(
    task: Task,
    settings: Settings,
    *,
    out: Path,
    pictures: bool = False,
    memory_budget: int = 2 * 10**9,
    decoder: Any = None,
    holding: Callable[[int], AbstractContextManager[Any]] = nullcontext,
) -> Row:
    """Write the features of one recording, and return what became of it.

    Nothing is kept from call to call, and all arguments but the last two can be sent to other processes.

    Parameters
    ----------
    task : Task
    settings : Settings
    out : path
        The folder of the job, which the target lies in.
    pictures : bool
        Draw the features too, beside the target.
    memory_budget : int
        Bytes that a recording may take; longer ones are read and transformed in chunks, if the transform allows.
    decoder : Decoder, optional
        Decodes; without it, a process is started for this file alone.
    holding : callable
        Called with the number of bytes that the recording takes; they are taken while in the context it returns.

    Raises
    ------
    OSError
        If no file can be written at all, since the disk is full or read-only.
    MissingExtraError
        If an optional package is missing.
    """
    start, facts = time.perf_counter(), _facts(task, settings, out)
    try:
        with nullcontext(decoder) if decoder is not None else Decoder() as decoding:
            header, facts["sha256"], loaded = decoding.begin(task.source, sr=settings.sr, mono=settings.mono)
            with holding(min(memory_budget, needed := bytes_needed(header, settings))):
                if needed > memory_budget:
                    n_samples, S = _long_features(task, settings, decoding, memory_budget)
                else:
                    y, rate = loaded or decoding.load(task.source, sr=settings.sr, mono=settings.mono)
                    n_samples, S = y.shape[-1], to_numpy(settings.transform(rate)(asarray(y, device=settings.device)))
                transform = settings.transform(header.sr)
                # The features last: where they are, all is.
                if pictures:
                    _draw(task, S, transform)
                origin = {"path": io.printable(facts["path"])} | {n: facts[n] for n in ("fingerprint", "sha256")}
                outputs.save(task.target, S, transform, n_samples, out=out, source=origin)
        facts["reason"] = header.remark or _too_few(n_samples, header, settings)
        facts |= {"status": "done", "sr": header.sr, "duration": n_samples / (settings.sr or header.sr)}
        facts |= {"shape": list(S.shape), "output_bytes": task.target.stat().st_size}
    except MissingExtraError:
        raise
    except Exception as error:  # whatever one recording meets must not cost the others
        if isinstance(error, OSError) and error.errno in NO_PLACE:
            raise
        known = isinstance(error, ArrayAudioError | OSError)
        reason = str(error).removeprefix(f"{io.printable(task.source)}: ")
        facts |= {"status": "failed", "reason": reason if known else f"{type(error).__name__}: {reason}"}
    return Row(**facts, seconds=round(time.perf_counter() - start, 6))


def extract_by(
    decoder: Decoder,
    tasks: list[Task],
    settings: Settings,
    *,
    out: Path,
    pictures: bool,
    memory_budget: int,
    most: int,
    holding: Callable[[int], AbstractContextManager[Any]] = nullcontext,
) -> list[Row]:
    """Do what `extract_one` does for the first of these tasks, or more of them.

    The process of the decoder does all of it for those that take no more than `most` bytes there.
    """

    def one(task: Task) -> Row:
        return extract_one(
            task, settings, out=out, pictures=pictures, memory_budget=memory_budget, decoder=decoder, holding=holding
        )

    described = settings.described
    if not most or described is None:
        return [one(tasks[0])]
    start = time.perf_counter()
    facts = [_facts(task, settings, out) for task in tasks]
    places = [(known["path"], os.path.abspath(task.target)) for known, task in zip(facts, tasks, strict=True)]  # noqa: PTH100
    try:
        answers = decoder.extract(places, out=out.absolute(), pictures=pictures, settings=described, most=most)
    except AudioDecodeError as error:
        if len(tasks) > 1:  # of which one did it
            alone = ([task] for task in tasks)
            how: Any = {"out": out, "pictures": pictures, "memory_budget": memory_budget, "holding": holding}
            return [row for task in alone for row in extract_by(decoder, task, settings, most=most, **how)]
        reason = str(error).removeprefix(f"{io.printable(places[0][0])}: ")
        return [Row(**facts[0], status="failed", reason=reason, seconds=round(time.perf_counter() - start, 6))]
    rows = []
    for task, known, (line, heard) in zip(tasks, facts, answers, strict=False):
        row = None if line is None else parsed(f"{line}\n".encode())
        for message in heard:
            warnings.warn(message, ArrayAudioWarning, stacklevel=2)
        rows.append(one(task) if row is None else replace(row, **known))
    return rows


def _facts(task: Task, settings: Settings, out: Path) -> dict[str, Any]:
    """What a row says of a task before it is begun."""
    source = os.path.abspath(task.source)  # noqa: PTH100 - links stay what they are
    facts = {"path": source, "output": str(task.target.relative_to(out))}
    return facts | {"settings": settings.digest, "fingerprint": fingerprint(task.source)}


def _too_few(n_samples: int, header: Header, settings: Settings) -> str | None:
    expected = header.n_samples if settings.sr is None else header.n_samples * settings.sr // header.sr
    return f"ends early: has {n_samples} of the {expected:.0f} samples that it claims" if n_samples < expected else None


def bytes_needed(header: Header, settings: Settings) -> int:
    """About as many bytes as a recording takes if all of it is in memory: as decoded, as transformed, as features."""
    transform = settings.transform(header.sr)
    n_samples = header.n_samples if settings.sr is None else round(header.n_samples * settings.sr / header.sr)
    channels = 1 if settings.mono else header.n_channels
    n_values = _n_rows(transform) * transform.n_frames(max(n_samples, transform.min_length))
    # Twice the signal: in the decoder and shared. Twice the features, which may be complex.
    return 4 * (header.n_channels * header.n_samples + 2 * channels * n_samples + 2 * channels * n_values)


@functools.lru_cache(maxsize=16)
def _n_rows(transform: Framed) -> int:
    return len(transform.frequencies)


def _long_features(task: Task, settings: Settings, decoder: Decoder, memory_budget: int) -> tuple[int, np.ndarray]:
    """Return the number of samples, and the features, which lie in a file without a name unless a GPU made them."""
    task.target.parent.mkdir(parents=True, exist_ok=True)
    y, rate = decoder.spool(task.source, task.target.parent, sr=settings.sr, mono=settings.mono)
    transform = settings.transform(rate)
    # Half for chunks in the transform, and half for those that are on their way to and from the disk.
    budget = max(1, memory_budget // 2)
    if settings.device != "cpu":
        return y.shape[-1], to_numpy(transform(asarray(y, device=settings.device), memory_budget=budget))
    frame = transform(np.zeros((*y.shape[:-1], transform.min_length), np.float32))
    shape = (*frame.shape[:-1], transform.n_frames(y.shape[-1]))
    with tempfile.TemporaryFile(dir=task.target.parent) as file:
        out = np.memmap(file, frame.dtype, "w+", shape=shape)
    return y.shape[-1], transform(y, out=out, memory_budget=budget)


def _draw(task: Task, S: np.ndarray, transform: Framed) -> None:
    from arrayaudio.ext import plot  # which most jobs need not wait for

    with DRAWING:
        plot.draw_one(picture_of(task.target), S, transform, io.printable(task.source.name))
