"""One recording to one feature file: what all executors of jobs call."""

import errno
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayaudio.arrays import asarray, to_numpy
from arrayaudio.errors import ArrayAudioError, MissingExtraError
from arrayaudio.ext import io, plot
from arrayaudio.jobs import outputs
from arrayaudio.jobs.decoding import Decoder, Header
from arrayaudio.jobs.manifest import Row
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
    """Return what stands for the content of a file: its size and the time of its last change; None if it has none."""
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
    decoder: Decoder | None = None,
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
    start, mark = time.perf_counter(), fingerprint(task.source)
    source = os.path.abspath(task.source)  # noqa: PTH100 - links stay what they are
    facts: dict[str, Any] = {"path": source, "output": str(task.target.relative_to(out))}
    try:
        with nullcontext(decoder) if decoder is not None else Decoder() as decoding:
            header = decoding.header(task.source)
            with holding(min(memory_budget, needed := _bytes_needed(header, settings))):
                n_samples, S = _features(task, settings, decoding, memory_budget, long=needed > memory_budget)
                transform = settings.transform(header.sr)
                # The features last: where they are, all is.
                if pictures:
                    _draw(task, S, transform)
                origin = {"path": io.printable(source), "fingerprint": mark}
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
    seconds = round(time.perf_counter() - start, 6)
    return Row(**facts, settings=settings.digest, fingerprint=mark, seconds=seconds)


def _too_few(n_samples: int, header: Header, settings: Settings) -> str | None:
    expected = header.n_samples if settings.sr is None else header.n_samples * settings.sr // header.sr
    return f"ends early: has {n_samples} of the {expected:.0f} samples that it claims" if n_samples < expected else None


def _bytes_needed(header: Header, settings: Settings) -> int:
    """About as many bytes as a recording takes if all of it is in memory: as decoded, as transformed, as features."""
    transform = settings.transform(header.sr)
    n_samples = header.n_samples if settings.sr is None else round(header.n_samples * settings.sr / header.sr)
    channels = 1 if settings.mono else header.n_channels
    n_values = len(transform.frequencies) * transform.n_frames(max(n_samples, transform.min_length))
    # Twice the signal: in the decoder and shared. Twice the features, which may be complex.
    return 4 * (header.n_channels * header.n_samples + 2 * channels * n_samples + 2 * channels * n_values)


def _features(
    task: Task, settings: Settings, decoder: Decoder, memory_budget: int, *, long: bool
) -> tuple[int, np.ndarray]:
    """Return the number of samples, and the features in memory, or in a file without a name if they are long."""
    if not long:
        y, rate = decoder.load(task.source, sr=settings.sr, mono=settings.mono)
        return y.shape[-1], to_numpy(settings.transform(rate)(asarray(y, device=settings.device)))
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
    with DRAWING:
        plot.draw_one(picture_of(task.target), S, transform, io.printable(task.source.name))
