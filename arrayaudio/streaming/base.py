"""What all streams share: the shape of blocks, what is held between them, and its copies."""

import copy
from typing import Any, Self

import numpy as np

from arrayaudio.arrays import Array, device, dtype_name, namespace, to_numpy
from arrayaudio.checks import whole
from arrayaudio.errors import ParameterError

Channels = int | tuple[int, ...] | None


class Stream:
    """Base of all streams: blocks go in by `push`, in turn, and `flush` ends the signal.

    Results lie where the blocks do. What is held from block to block is `state`, a dict of NumPy arrays and numbers
    that may be kept anywhere and given back by `restore`, to this stream or to another with the same settings.
    """

    def __init__(self, channels: Channels) -> None:
        sizes = () if channels is None else channels if isinstance(channels, tuple) else (channels,)
        self.batch = tuple(whole("channels", size) for size in sizes)
        self._held: dict[str, Any] = {}
        self.reset()

    def reset(self) -> Self:
        """Begin a new signal."""
        self._held = {"ended": False} | self._fresh()
        return self

    def _fresh(self) -> dict[str, Any]:
        """What is held before the first block."""
        raise NotImplementedError

    @property
    def state(self) -> dict[str, Any]:
        """A copy of what is held."""
        return {name: _kept(value) for name, value in self._held.items()}

    def restore(self, state: dict[str, Any]) -> Self:
        """Go on from a state, or raise ParameterError if it is not one of such a stream."""
        fresh = self._fresh()
        if not isinstance(state, dict) or state.keys() != {"ended", *fresh}:
            names = sorted(state) if isinstance(state, dict) else type(state).__name__
            raise ParameterError(f"state={names}: must have the entries {sorted({'ended', *fresh})}")
        for name, value in state.items():
            if isinstance(value, np.ndarray) and value.ndim > 1 and value.shape[: len(self.batch)] != self.batch:
                raise ParameterError(f"state holds {name} of shape {value.shape}: channels must be {self.batch}")
        self._held = copy.deepcopy(state)
        return self

    def _open(self, block: Array, n_axes: int) -> None:
        """Raise unless a block fits, without its last `n_axes` axes, is where others were, and the signal goes on."""
        if self._held["ended"]:
            raise ParameterError("the stream has ended: begin a new signal with reset()")
        if block.ndim < n_axes or tuple(block.shape[: block.ndim - n_axes]) != self.batch:
            rest = ", ".join(["n_samples"] if n_axes == 1 else ["freq", "n_frames"])
            shape = ", ".join([*map(str, self.batch), rest])
            raise ParameterError(f"block has shape {tuple(block.shape)}: must be ({shape}); see channels={self.batch}")
        # What is in host memory, as after `restore`, goes where the block is.
        namespace(block, *(x for x in self._held.values() if hasattr(x, "shape") and device(x) != "cpu"))


def require_dtype(held: Array | None, dtype: str) -> None:
    """Raise ParameterError unless what is held, if anything, has the dtype of a block; before anything is changed."""
    if held is not None and dtype_name(held) != dtype:
        raise ParameterError(f"block has dtype {dtype}: the blocks before it have {dtype_name(held)}")


def joined(held: Array | None, block: Array) -> Array:
    """What is held with a block behind it, where the block is, in memory of its own: that of blocks is used again."""
    xp = namespace(block)
    if held is None:
        return xp.asarray(block, copy=True)
    return xp.concat([xp.asarray(held), block], axis=-1)


def _kept(value: Any) -> Any:
    return to_numpy(value).copy() if hasattr(value, "shape") else value
