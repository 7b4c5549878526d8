"""Frames of a signal that comes block by block."""

from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, ArrayLike, dtype_name, namespace, on_device_of
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing
from arrayaudio.streaming.base import Channels, Stream, joined, require_dtype

__all__ = ["Analysis"]

MODES = ("constant", "edge", "reflect", "symmetric")
"""Padding that a stream can do: its samples lie near the ends that they are put at."""


class Analysis(Stream):
    """A transform of a signal that comes block by block; made by `stream` of a transform.

    Frames are returned as soon as all their samples are there, and are those that the transform makes of the whole
    signal. Up to a frame, a block and the padding are held.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(10000.0))
    >>> stft = aa.STFT(n_fft=512)
    >>> stream = stft.stream()
    >>> parts = [stream.push(y[first : first + 1000]) for first in range(0, 10000, 1000)]
    >>> S = np.concatenate([*parts, stream.flush()], axis=-1)
    >>> bool(np.array_equal(S, stft(y)))
    True
    """

    def __init__(
        self, framing: Framing, checked: Callable[[ArrayLike], Array], run: Callable[[Array], Array], channels: Channels
    ) -> None:
        if framing.padding and framing.pad_mode not in MODES:
            raise ParameterError(
                f"pad_mode={framing.pad_mode!r}: needs the whole signal; a stream pads by {', '.join(MODES)}, or not "
                "at all with center=False"
            )
        self._framing, self._checked, self._run = framing, checked, run
        self._nothing: dict[str, Array] = {}
        super().__init__(channels)

    @property
    def latency(self) -> int:
        """Samples that must come, after the middle of a frame, until it is returned."""
        return self._framing.frame_length - self._framing.padding

    def _fresh(self) -> dict[str, Any]:
        # Samples from the beginning of the next frame on, or, while `skip` is not 0, that many fewer; the last ones,
        # which the padding repeats; how many have come.
        return {"samples": None, "last": None, "skip": 0, "received": 0, "padded": False}

    def push(self, block: ArrayLike) -> Array:
        """Take the next samples (..., n), and return the frames that are ready: (..., freq, n_frames), or n_frames = 0.

        Raises
        ------
        ParameterError
            If the shape or the dtype is not that of the blocks before, samples are not finite, or the stream ended.
        """
        y = self._checked(block)
        self._open(y, 1)
        require_dtype(self._held["samples"], dtype_name(y))
        with on_device_of(y):
            held = self._held
            held["received"] += y.shape[-1]
            last = joined(held["last"], y)
            held["last"] = last[..., max(0, last.shape[-1] - self._framing.padding - 1) :]
            held["samples"] = joined(held["samples"], y)
            if not held["padded"] and held["received"] >= self._needed:
                held["samples"] = joined(self._padding(held["samples"], 0), held["samples"])
                held["padded"] = True
            return self._ready() if held["padded"] else self._none(y)

    def flush(self) -> Array:
        """End the signal: pad it, and return the last frames.

        Raises
        ------
        ParameterError
            If the whole signal is too short for a frame, or there was none.
        """
        held = self._held
        if held["ended"]:
            raise ParameterError("the stream has ended: begin a new signal with reset()")
        if held["samples"] is None:
            raise ParameterError("signal has 0 samples: must have at least 1")
        self._framing.n_frames(held["received"])  # refuses what is too short
        with on_device_of(held["samples"]):
            if not held["padded"]:
                held["samples"] = joined(self._padding(held["samples"], 0), held["samples"])
            held["samples"] = joined(held["samples"], self._padding(held["last"], 1))
            frames = self._ready()
            self.reset()
            self._held["ended"] = True
            return frames

    @property
    def _needed(self) -> int:
        """Samples without which the beginning cannot be padded."""
        padding = self._framing.padding
        return {"constant": 0, "edge": 1, "reflect": padding + 1, "symmetric": padding}.get(self._framing.pad_mode, 0)

    def _padding(self, y: Array, side: int) -> Array:
        """The padding before (0) or behind (1) samples that reach to that end of the signal."""
        xp, padding = namespace(y), self._framing.padding
        edges = self._framing.edge_indices(y.shape[-1])
        if edges is None or self._framing.pad_mode == "constant":
            return xp.zeros((*y.shape[:-1], padding), dtype=y.dtype)
        return xp.take(y, xp.asarray(edges[side]), axis=-1)

    def _ready(self) -> Array:
        held, length, hop = self._held, self._framing.frame_length, self._framing.hop_length
        samples = held["samples"]
        gone = min(held["skip"], samples.shape[-1])
        samples = samples[..., gone:]
        held["skip"] -= gone
        count = 0 if held["skip"] else 1 + (samples.shape[-1] - length) // hop
        if count < 1:
            held["samples"] = samples
            return self._none(samples)
        frames = self._run(samples[..., : (count - 1) * hop + length])
        gone = min(count * hop, samples.shape[-1])
        held["skip"] = count * hop - gone
        held["samples"] = namespace(samples).asarray(samples[..., gone:], copy=True)  # not all of the block
        return frames

    def _none(self, y: Array) -> Array:
        """No frames, in the shape and dtype of those of `y`."""
        key = f"{namespace(y).__name__} {y.dtype}"
        if key not in self._nothing:
            shape = (*self.batch, self._framing.frame_length)
            self._nothing[key] = self._run(namespace(y).zeros(shape, dtype=y.dtype))[..., :0]
        return self._nothing[key]
