"""Change of the sampling rate of a signal that comes block by block."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, dtype_name, namespace, on_device_of
from arrayaudio.errors import ParameterError
from arrayaudio.resampling import Conversion, conversion
from arrayaudio.signals import checked_signal
from arrayaudio.streaming.base import Channels, Stream, joined, require_dtype

__all__ = ["resample_stream"]


class Resampling(Stream):
    """`resample` for a signal that comes block by block; made by `aa.resample_stream`.

    Samples are returned as soon as all those around them are there. Up to twice the reach of the kernel, a block and a
    period of the two rates are held.
    """

    def __init__(self, way: Conversion, check_finite: bool, channels: Channels) -> None:
        self._way, self._check_finite = way, check_finite
        super().__init__(channels)

    @property
    def latency(self) -> int:
        """Samples of the input that must come, after the time of one of the output, until it is returned."""
        return 0 if self._way.up == self._way.down else self._way.reach

    def _fresh(self) -> dict[str, Any]:
        # Inputs from number `begin` on; how many have come; how many outputs were returned.
        return {"samples": None, "begin": 0, "received": 0, "returned": 0}

    def push(self, block: ArrayLike) -> Array:
        """Take the next samples (..., n), and return those that are ready: (..., m), or m = 0.

        Raises
        ------
        ParameterError
            If the shape or the dtype is not that of the blocks before, samples are not finite, or the stream ended.
        """
        y = checked_signal(block, self._check_finite)
        self._open(y, 1)
        require_dtype(self._held["samples"], dtype_name(y))
        with on_device_of(y):
            self._held["samples"] = joined(self._held["samples"], y)
            self._held["received"] += y.shape[-1]
            # Output m needs the inputs up to number m down // up + reach.
            whole = self._held["received"] - self.latency
            return self._until(max(self._held["returned"], -(-whole * self._way.up // self._way.down)))

    def flush(self) -> Array:
        """End the signal, and return the last samples.

        Raises
        ------
        ParameterError
            If there was none.
        """
        held = self._held
        if held["ended"] or not held["received"]:
            raise ParameterError("the stream has no samples: begin with push(), or after the end with reset()")
        with on_device_of(held["samples"]):
            samples = self._until(self._way.n_outputs(held["received"]))
        self.reset()
        self._held["ended"] = True
        return samples

    def _until(self, stop: int) -> Array:
        """Return the outputs before `stop`, and hold the inputs that later ones need."""
        way, held = self._way, self._held
        y, first = held["samples"], held["returned"]
        if way.up == way.down:
            found, needed = y[..., first - held["begin"] : stop - held["begin"]], stop
        else:
            found = way.outputs(y, held["begin"], first, stop) if stop > first else y[..., :0]
            needed = max(0, stop * way.down // way.up - way.reach + 1)
            needed -= needed % way.down if way.by_matrix else 0
        needed = min(max(needed, held["begin"]), held["begin"] + y.shape[-1])
        held["samples"] = namespace(y).asarray(y[..., needed - held["begin"] :], copy=True)  # not all of the block
        held["returned"], held["begin"] = stop, needed
        return found


def resample_stream(
    *,
    orig_sr: float,
    target_sr: float,
    channels: Channels = None,
    half_width: int = 64,
    rolloff: float = 0.94,
    beta: float = 12.27,
    check_finite: bool = True,
) -> Resampling:
    """Return `resample` for a signal that comes block by block.

    Parameters
    ----------
    channels : None, int or tuple
        Shape of the blocks before their last axis: (n,), (channels, n) or (*channels, n).
    orig_sr, target_sr, half_width, rolloff, beta, check_finite
        As for `resample`.

    Returns
    -------
    Resampling
        With `push(block)` and `flush()`, which return the samples that are ready.

    Raises
    ------
    ParameterError
        If a rate is not positive, or another parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(44100.0) / 10)
    >>> stream = aa.resample_stream(orig_sr=44100, target_sr=16000)
    >>> parts = [stream.push(y[first : first + 4410]) for first in range(0, 44100, 4410)]
    >>> z = np.concatenate([*parts, stream.flush()])
    >>> bool(np.allclose(z, aa.resample(y, orig_sr=44100, target_sr=16000)))
    True
    """
    way = conversion(orig_sr, target_sr, half_width=half_width, rolloff=rolloff, beta=beta)
    return Resampling(way, check_finite, channels)
