"""The program of a decoder process: it reads files of any origin, and may die of them."""

import hashlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import IO, Any

import numpy as np

import arrayaudio
from arrayaudio.errors import ArrayAudioError, AudioDecodeError
from arrayaudio.ext import io
from arrayaudio.streaming.conversion import resample_stream

BLOCK_LENGTH = 2**18

Answer = tuple[Any, IO[bytes] | None]


def begin(path: str, *, sr: float | None, mono: bool, short: int) -> Answer:
    """The header and the SHA-256 of a file, and what `load` gives if it has no more than `short` numbers."""
    found = io.header(path)
    with open(path, "rb") as file:  # noqa: PTH123 - a name that is no UTF-8 stays what it is
        digest = hashlib.file_digest(file, "sha256").hexdigest()
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


OPERATIONS: dict[str, Callable[..., Answer]] = {"begin": begin, "load": load, "spool": spool}


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
