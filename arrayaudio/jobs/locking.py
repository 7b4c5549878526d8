"""One job for each output folder at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from arrayaudio.errors import ParameterError
from arrayaudio.ext.io import printable

NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other jobs out of a folder, which is made if need be; the lock of a process that died is no lock.

    Raises
    ------
    ParameterError
        If another job is writing to the folder, or this one cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / NAME, blocking=False).acquire()
    except Timeout as error:
        raise ParameterError(
            f"{printable(folder)}: another job is writing there; wait for its end, or give another folder"
        ) from error
    except OSError as error:
        raise ParameterError(
            f"{printable(folder)}: cannot be written to ({error.strerror}); give another folder"
        ) from error
    with lock:
        yield
