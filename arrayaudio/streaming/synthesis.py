"""The waveform of spectra that come block by block."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray, namespace, on_device_of, plain, to_numpy
from arrayaudio.checks import whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, lengthened
from arrayaudio.inverse import require_invertible, squared_windows, synthesis, weighed
from arrayaudio.signals import as_complex
from arrayaudio.streaming.base import Channels, Stream

__all__ = ["Synthesis"]


class Synthesis(Stream):
    """The inverse STFT of spectra that come block by block; made by `inverse_stream` of an `STFT`.

    Samples are returned as soon as all frames that reach them are there. Up to a frame of sums is held.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(5120.0))
    >>> stft = aa.STFT(n_fft=512)
    >>> S, stream = stft(y), stft.inverse_stream()
    >>> parts = [stream.push(S[:, first : first + 10]) for first in range(0, S.shape[-1], 10)]
    >>> bool(np.allclose(np.concatenate([*parts, stream.flush()]), y))
    True
    """

    def __init__(self, framing: Framing, window: Constant, device: str | None, channels: Channels) -> None:
        require_invertible(to_numpy(plain(window.value)), framing.hop_length)
        self._framing, self._window, self._device = framing, window, device
        super().__init__(channels)

    @property
    def latency(self) -> int:
        """Samples before the middle of the last frame that are not returned yet."""
        return max(0, self._framing.frame_length // 2 - self._framing.hop_length)

    def _fresh(self) -> dict[str, Any]:
        # Sums of frames and of squared windows from a sample on that counts with the padding; all before are returned.
        return {"sums": None, "squares": None, "begin": 0, "n_frames": 0}

    def push(self, block: ArrayLike) -> Array:
        """Take the next frames (..., freq, n_frames), and return the samples that are ready: (..., n), or n = 0.

        Raises
        ------
        ParameterError
            If the shape is not that of the blocks before, or the stream has ended.
        """
        S = as_complex(asarray(block, device=self._device))
        self._open(S, 2)
        framing, held = self._framing, self._held
        if S.shape[-2] != 1 + framing.frame_length // 2 or S.shape[-1] == 0:
            raise ParameterError(
                f"block has shape {S.shape}: must be (..., {1 + framing.frame_length // 2}, n_frames) for "
                f"n_fft={framing.frame_length}, with at least one frame"
            )
        with on_device_of(S):
            bare, start = Framing(framing.frame_length, framing.hop_length), held["n_frames"] * framing.hop_length
            sums, squares = synthesis(S, bare, self._window), squared_windows(S, bare, self._window)
            held["sums"] = _sum(held["sums"], sums, start - held["begin"])
            held["squares"] = _sum(held["squares"], squares, start - held["begin"])
            held["n_frames"] += S.shape[-1]
            return self._until(min(held["n_frames"] * framing.hop_length, self._covered - framing.padding))

    def flush(self, *, length: int | None = None) -> Array:
        """End the spectra, and return the last samples; of `length` in all, or up to the middle of the last frame.

        Raises
        ------
        ParameterError
            If there was no frame, or so many samples are not covered, or more have been returned.
        """
        framing, held = self._framing, self._held
        if held["ended"] or not held["n_frames"]:
            raise ParameterError("the stream has no frames: begin with push(), or after the end with reset()")
        stop = self._covered - framing.padding
        if length is not None:
            least, most = max(1, held["begin"] - framing.padding), self._covered - framing.padding
            if not least <= whole("length", length, most=2**63 - 1) <= most:
                raise ParameterError(f"length={length}: must be from {least} to {most} after {held['n_frames']} frames")
            stop = framing.padding + length
        with on_device_of(held["sums"]):
            samples = self._until(stop)
        self.reset()
        self._held["ended"] = True
        return samples

    @property
    def _covered(self) -> int:
        """Samples that the frames so far cover, with the padding."""
        return (self._held["n_frames"] - 1) * self._framing.hop_length + self._framing.frame_length

    def _until(self, stop: int) -> Array:
        """Return, and hold no longer, the samples before `stop`, but for the padding."""
        framing, held = self._framing, self._held
        count, padding = max(0, stop - held["begin"]), max(0, framing.padding - held["begin"])
        bare = Framing(framing.frame_length, framing.hop_length)
        samples = weighed(held["sums"], held["squares"], bare, self._window, count)
        held["sums"], held["squares"] = held["sums"][..., count:], held["squares"][count:]
        held["begin"] += count
        return samples[..., padding:]


def _sum(held: Array | None, new: Array, start: int) -> Array:
    """What is held plus what begins at sample `start` of it."""
    if held is None:
        return new
    xp, length = namespace(new), start + new.shape[-1]
    return lengthened(xp.asarray(held), 0, length) + lengthened(new, start, length)
