"""Memory as a number of bytes that threads share."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from arrayaudio.errors import ParameterError

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def n_bytes(text: str) -> int:
    """Return the number of bytes that a text such as "500MB" or "2GB" means.

    Examples
    --------
    >>> from arrayaudio.jobs.budget import n_bytes
    >>> n_bytes("1.5GB")
    1500000000
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kKMGT]?)B?", text.strip())
    size = int(float(found[1]) * UNITS[found[2].replace("K", "k")]) if found else 0
    if size < 1:
        raise ParameterError(f"{text!r}: must be a number of bytes above 0, such as 500MB or 2GB")
    return size


def half_of_memory() -> int:
    """Half of this machine's memory, or 2 GB where it is not known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return 2 * 10**9


class Budget:
    """So many bytes, of which threads hold a part for a while, in the order in which they ask.

    Examples
    --------
    >>> from arrayaudio.jobs.budget import Budget
    >>> budget = Budget(1000)
    >>> with budget.held(600), budget.held(400):
    ...     budget.free
    0
    """

    def __init__(self, total: int) -> None:
        self.total = self.free = total
        self._turn, self._changed = threading.Lock(), threading.Condition()

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Wait until so many bytes are free, and hold them; all of them, if there are fewer."""
        size = min(size, self.total)
        # A thread that wants much would starve if others could pass it.
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self.free >= size)
            self.free -= size
        try:
            yield
        finally:
            with self._changed:
                self.free += size
                self._changed.notify_all()
