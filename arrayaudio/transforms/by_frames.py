"""Transforms as steps that act on each frame by itself: what streams, long signals and batches of clips share."""

from collections.abc import Callable
from typing import NamedTuple

from arrayaudio.arrays import Array


class ByFrames(NamedTuple):
    """Three steps, and what is known of the first.

    `run` gives the frames inside a signal, without padding; they are limited to `span` below the loudest value of the
    item, unless that is None; `finish` goes on with each frame. Frames are `separate` if nothing outside of them
    touches them, not even by rounding.
    """

    run: Callable[[Array], Array]
    span: float | None = None
    finish: Callable[[Array], Array] = lambda S: S
    separate: bool = False
