"""Decoding in a process of its own: a file that crashes or hangs its decoder costs that file alone."""

import json
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from arrayaudio.errors import AudioDecodeError, BackendError
from arrayaudio.ext.io import printable

START_TIMEOUT = 120.0
GRACE = 5.0
# Numbers that are sent along with a header: so few that nobody need be asked whether there is room for them.
SHORT = 2**20


class Header(NamedTuple):
    """What the header of a file claims."""

    sr: float
    n_channels: int
    n_samples: int
    remark: str | None = None


Loaded = tuple[np.ndarray, float]
"""Samples, and their sampling rate."""


class Decoder:
    """A process that decodes files, one after the other; it starts when first needed, and anew after its death.

    Samples come in memory that both processes share, without a name that could be left behind.

    Parameters
    ----------
    timeout : float
        Seconds after which a file is given up.

    Examples
    --------
    >>> from arrayaudio.jobs.decoding import Decoder
    >>> with Decoder() as decoder:
    ...     y, sr = decoder.load("docs/audio/speech.flac")
    >>> y.shape, sr
    ((113600,), 16000.0)
    """

    def __init__(self, timeout: float = 300.0) -> None:
        self.timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def begin(
        self, path: str | os.PathLike[str], *, sr: float | None = None, mono: bool = True
    ) -> tuple[Header, str, Loaded | None]:
        """Return what the header of a file claims, its SHA-256, and what `load` returns, or None if it is long."""
        (header, digest, loaded), y = self._ask("begin", path, sr=sr, mono=mono, short=SHORT)
        return Header(*header), digest, None if loaded is None else (y.reshape(loaded[0]), loaded[1])

    def load(self, path: str | os.PathLike[str], *, sr: float | None = None, mono: bool = True) -> Loaded:
        """Read a file as `ext.io.load` does; the samples are read-only."""
        (shape, rate), y = self._ask("load", path, sr=sr, mono=mono)
        return y.reshape(shape), rate

    def spool(
        self, path: str | os.PathLike[str], folder: Path, *, sr: float | None = None, mono: bool = True
    ) -> Loaded:
        """Read a file longer than memory: its samples lie in a file without a name in `folder`, mapped into memory."""
        (shape, rate), y = self._ask("spool", path, folder=os.fspath(folder), sr=sr, mono=mono)
        return y.reshape(shape).T, rate

    def extract(
        self, tasks: list[tuple[str, str]], *, out: Path, pictures: bool, settings: str, most: int
    ) -> list[tuple[str | None, list[str]]]:
        """Have features of recordings written by the process, which takes no more than `most` bytes for each.

        It does the first one, and others while little time has gone. Returns for each of these the row as JSON, or None
        if the process leaves it to others, and warnings.
        """
        first, _ = tasks[0]
        if self._process is None or self._process.poll() is not None:
            self._ask("warm", first, START_TIMEOUT, settings=settings)
        return self._ask(
            "extract", first, tasks=tasks, out=os.fspath(out), pictures=pictures, settings=settings, most=most
        )[0]

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None and self._connection is not None:
            self._connection.close()
            self._process.kill()
            self._process.wait()
            self._process = self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, operation: str, path: str | os.PathLike[str], timeout: float | None = None, **options: Any
    ) -> tuple[Any, Any]:
        """Return the answer to a request, and the samples, if there are any."""
        connection, seconds = self._started(), self.timeout if timeout is None else timeout
        try:
            connection.send_bytes(json.dumps([operation, os.fspath(path), options, seconds + GRACE]).encode())
            if not connection.poll(seconds):
                self.close()
                raise AudioDecodeError(
                    f"{printable(path)}: was not decoded within {seconds:g} s; allow more time, or leave it out"
                )
            state, answer, shares = json.loads(connection.recv_bytes())
            if state == "failed":
                raise AudioDecodeError(answer)
            if not shares:
                return answer, None
            with os.fdopen(recv_handle(connection), "rb") as file:
                return answer, np.memmap(file, np.float32, "r")
        except (EOFError, ConnectionError) as error:
            raise AudioDecodeError(f"{printable(path)}: its decoder died ({self._last_words()})") from error

    def _started(self) -> Connection:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._connection is None:
            self._connection, far_end = Pipe()
            # Not multiprocessing, whose daemonic workers may have no children; in a session of its own, since Ctrl-C
            # is for the job, which lets decoders end what they have begun.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "arrayaudio.jobs.child", str(far_end.fileno())],
                pass_fds=[far_end.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            far_end.close()
            try:
                ready = self._connection.poll(START_TIMEOUT) and self._connection.recv_bytes()
            except (EOFError, ConnectionError):
                ready = False
            if not ready:
                raise BackendError(
                    f"a decoder process did not start ({self._last_words()}): run {sys.executable} -m "
                    "arrayaudio.jobs.child to see why"
                )
        return self._connection

    def _last_words(self) -> str:
        """End the process, and say how it ended."""
        process = self._process
        assert process is not None
        try:
            code = process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
