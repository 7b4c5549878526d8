"""Results of compiling, kept in files for the next process.

They live in the folder that ARRAYAUDIO_CACHE names, or in `arrayaudio` under XDG_CACHE_HOME or ~/.cache. Nothing here
ever fails: what cannot be written is not kept, and what is damaged is made again.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

_DIGEST_BYTES = hashlib.sha256().digest_size


def folder() -> Path:
    """Where files are kept."""
    if own := os.environ.get("ARRAYAUDIO_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base if base else Path("~/.cache").expanduser()) / "arrayaudio"


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what is kept under a name, or make it and keep it."""
    with contextlib.suppress(OSError, RuntimeError):
        stored = (folder() / name).read_bytes()
        if hashlib.sha256(stored[_DIGEST_BYTES:]).digest() == stored[:_DIGEST_BYTES]:
            return stored[_DIGEST_BYTES:]
    content = make()
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        _write(folder() / name, hashlib.sha256(content).digest() + content)
    return content


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none, as other processes may be reading or writing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(unfinished, path)  # noqa: PTH105 - a plain name came from tempfile
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
