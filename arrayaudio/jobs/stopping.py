"""Ctrl-C and SIGTERM as a wish to stop, which a job follows when the files in hand are done."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTE = b"stopping when the files in hand are done; once more stops at once\n"


class Stop:
    """Whether to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.signal is not None


@contextmanager
def stop_by_signal() -> Iterator[Stop]:
    """Take the first Ctrl-C or SIGTERM as a wish; the second acts as it does elsewhere."""
    stop = Stop()

    def wish(number: int, _: FrameType | None) -> None:
        stop.signal = signal.Signals(number)
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        os.write(2, NOTE)  # whatever the buffered stream is doing

    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals do not come here
        return
    before = {each: signal.signal(each, wish) for each in SIGNALS}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
