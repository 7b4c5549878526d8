"""The program of a decoder process: it reads files of any origin, and may die of them.

Short recordings stay there, and become features without another process.
"""

import contextlib
import functools
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import IO, Any

import numpy as np

import arrayaudio
from arrayaudio.errors import ArrayAudioError, ArrayAudioWarning, AudioDecodeError
from arrayaudio.ext import io
from arrayaudio.jobs.decoding import Header, Loaded
from arrayaudio.jobs.extract import Task, bytes_needed, extract_one
from arrayaudio.jobs.settings import Settings
from arrayaudio.streaming.conversion import resample_stream

BLOCK_LENGTH = 2**18
# Seconds after which no other recording is begun before those that are done are told of.
ENOUGH = 0.1

Answer = tuple[Any, IO[bytes] | None]


def _content(path: str | Path) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - a name that is no UTF-8 stays what it is
        return hashlib.file_digest(file, "sha256").hexdigest()


def begin(path: str, *, sr: float | None, mono: bool, short: int) -> Answer:
    """The header and the SHA-256 of a file, and what `load` gives if it has no more than `short` numbers."""
    found, digest = io.header(path), _content(path)
    loaded, samples = load(path, sr=sr, mono=mono) if found[1] * found[2] <= short else (None, None)
    return (found, digest, loaded), samples


def _memory() -> IO[bytes]:
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("samples"), "wb")
    return tempfile.TemporaryFile()


def load(path: str, *, sr: float | None, mono: bool) -> Answer:
    """Shape and sampling rate of the samples, and these, in memory that can be shared."""
    y, rate = io.load(path, sr=sr, mono=mono)
    file = _memory()
    file.write(np.ascontiguousarray(y).data)
    return (y.shape, rate), file


def spool(path: str, *, folder: str, sr: float | None, mono: bool) -> Answer:
    """The same, block by block into a file without a name in `folder`; channels lie beside each other there."""
    rate, channels, blocks = io.read_blocks(path, BLOCK_LENGTH, mono=mono)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is handed on
    stream = None if sr is None else resample_stream(orig_sr=rate, target_sr=sr, channels=channels)
    for block in blocks:
        file.write(np.ascontiguousarray((block if stream is None else stream.push(block)).T).data)
    if stream is not None:
        file.write(np.ascontiguousarray(stream.flush().T).data)
    n_samples = file.tell() // (4 * (channels or 1))
    if n_samples == 0:  # whatever the header says
        raise AudioDecodeError(f"{io.printable(path)}: holds no samples")
    shape = (n_samples,) if channels is None else (n_samples, channels)
    return (shape, rate if sr is None else sr), file


class Here:
    """What a `Decoder` does, in this process, for a file whose header is known."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def begin(self, path: Path, *, sr: float | None, mono: bool) -> tuple[Header, str, Loaded]:
        """The header and the SHA-256 of a file, and all that is in it."""
        return self.header, _content(path), io.load(path, sr=sr, mono=mono)


@functools.lru_cache(maxsize=8)
def _settings(described: str) -> Settings:
    options = json.loads(described)
    make, more = getattr(arrayaudio, options.pop("transform")), {n: options.pop(n) for n in ("sr", "mono", "device")}
    return Settings(make, options, **more)


def warm(path: str, *, settings: str) -> Answer:  # noqa: ARG001 - all operations have one
    """Load and compile what recordings with these settings will need."""
    with contextlib.suppress(ArrayAudioError):  # if it does not suit this rate, it may suit that of a recording
        transform = _settings(settings).transform(44100.0)
        transform(np.zeros(transform.min_length, np.float32))
    return None, None


def extract(path: str, *, tasks: list[tuple[str, str]], settings: str, **how: Any) -> Answer:  # noqa: ARG001
    """Rows of the first recordings, at least of one, and warnings of each."""
    end, answers = time.monotonic() + ENOUGH, []
    for source, target in tasks:
        answers.append(_extracted(Task(Path(source), Path(target)), _settings(settings), **how))
        if time.monotonic() > end:
            break
    return answers, None


def _extracted(task: Task, settings: Settings, *, out: str, pictures: bool, most: int) -> tuple[str | None, list[str]]:
    """The row of a recording that takes no more than so many bytes, and warnings.

    For others there is no row, nor where something is wrong with more than the samples: the one who asks will see what.
    """
    with warnings.catch_warnings(record=True) as heard:
        try:
            header = Header(*io.header(task.source))
            if bytes_needed(header, settings) > most:
                return None, []
            here = Here(header)
            row = extract_one(task, settings, out=Path(out), pictures=pictures, memory_budget=most, decoder=here)
        except (ArrayAudioError, OSError):
            return None, []
    return row.to_json(), [str(w.message) for w in heard if issubclass(w.category, ArrayAudioWarning)]


OPERATIONS: dict[str, Callable[..., Answer]] = {
    "begin": begin,
    "load": load,
    "spool": spool,
    "warm": warm,
    "extract": extract,
}


def main() -> None:
    """Answer requests until the other side is gone: JSON, since a decoder that went astray may send anything."""
    connection = Connection(int(sys.argv[1]))
    io.require_soundfile()
    arrayaudio.set_num_threads(1)  # there are as many decoders as cores
    connection.send_bytes(b"ready")
    while True:
        try:
            operation, path, options, deadline = json.loads(connection.recv_bytes())
        except EOFError:
            return
        # The other side waits no longer than this; where it is gone, a decoder that hangs must not stay behind.
        signal.setitimer(signal.ITIMER_REAL, deadline)
        try:
            answer, shared = OPERATIONS[operation](path, **options)
            if shared is not None:
                shared.flush()
        except (ArrayAudioError, OSError, MemoryError) as error:
            connection.send_bytes(json.dumps(["failed", str(error), False]).encode())
        else:
            connection.send_bytes(json.dumps(["done", answer, shared is not None]).encode())
            if shared is not None:
                send_handle(connection, shared.fileno(), None)
                shared.close()
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
