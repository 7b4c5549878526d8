"""Transforms as steps that act on each frame by itself: what streams, long signals and batches of clips share."""

from collections.abc import Callable
from typing import NamedTuple

from arrayaudio.arrays import Array, namespace


class ByFrames(NamedTuple):
    """What gives the frames inside a signal, without padding; how far below the loudest value of an item results are
    limited, or None; and what then becomes of them, frame by frame.
    """

    run: Callable[[Array], Array]
    span: float | None = None
    finish: Callable[[Array], Array] = lambda S: S

    def limited(self, S: Array, loudest: Array) -> Array:
        """Results of all steps, where the loudest value of the item is known."""
        return self.finish(S if self.span is None else namespace(S).maximum(S, loudest - self.span))
