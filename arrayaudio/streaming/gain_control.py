"""Per-channel energy normalisation of a spectrogram that comes block by block."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, dtype_name, namespace, on_device_of
from arrayaudio.errors import ParameterError
from arrayaudio.gain_control import beginning, checked_control, controlled, smoothed
from arrayaudio.spectrum import as_energies
from arrayaudio.streaming.base import Channels, Stream, require_dtype

__all__ = ["pcen_stream"]


class GainControl(Stream):
    """`pcen` of a spectrogram that comes block by block; made by `aa.pcen_stream`.

    Frames are returned at once. One frame of smoothed energies is held.
    """

    latency = 0

    def __init__(self, initial: Any, settings: dict[str, Any], channels: Channels) -> None:
        self._initial, self._settings = initial, settings
        super().__init__(channels)
        # Arrays are checked when it is known how many bands there are.
        numbers: dict[str, Any] = {name: 1.0 if hasattr(value, "shape") else value for name, value in settings.items()}
        checked_control(1, **numbers)

    def _fresh(self) -> dict[str, Any]:
        return {"smoothed": None}  # energy of the last frame, (..., freq, 1)

    def push(self, block: ArrayLike) -> Array:
        """Take the next frames (..., freq, n_frames), and return what becomes of them.

        Raises
        ------
        ParameterError
            If the shape is not that of the blocks before, or values are negative or not finite.
        """
        S = as_energies(block)
        self._open(S, 2)
        require_dtype(self._held["smoothed"], dtype_name(S))
        last, control = self._held["smoothed"], checked_control(S.shape[-2], **self._settings)
        if last is not None and last.shape[-2] != S.shape[-2]:
            raise ParameterError(f"block has {S.shape[-2]} bands: the blocks before it have {last.shape[-2]}")
        with on_device_of(S):
            start = beginning(S, self._initial if last is None else namespace(S).asarray(last))
            around = smoothed(S, control, start)
            if S.shape[-1]:
                self._held["smoothed"] = around[..., -1:]
            return controlled(S, around, control)

    def flush(self) -> None:
        """End the spectrogram; nothing is left of it."""
        self.reset()
        self._held["ended"] = True


def pcen_stream(
    *,
    sr: float,
    channels: Channels = None,
    hop_length: int = 512,
    gain: float | ArrayLike = 0.98,
    bias: float | ArrayLike = 2.0,
    power: float | ArrayLike = 0.5,
    time_constant: float = 0.4,
    eps: float | ArrayLike = 1e-6,
    b: float | ArrayLike | None = None,
    max_size: int = 1,
    initial: float | ArrayLike = 1.0,
) -> GainControl:
    """Return `pcen` for a spectrogram that comes block by block, as from the stream of a transform.

    Parameters
    ----------
    channels : None, int or tuple
        Shape of the blocks before their last two axes.
    sr, hop_length, gain, bias, power, time_constant, eps, b, max_size, initial
        As for `pcen`.

    Returns
    -------
    GainControl
        With `push(block)`, which returns as many frames as it is given.

    Raises
    ------
    ParameterError
        If a setting is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = np.random.default_rng(0).random((40, 100))
    >>> stream = aa.pcen_stream(sr=16000)
    >>> parts = [stream.push(S[:, first : first + 30]) for first in range(0, 100, 30)]
    >>> bool(np.allclose(np.concatenate(parts, axis=-1), aa.pcen(S, sr=16000)))
    True
    """
    settings = {
        "sr": sr,
        "hop_length": hop_length,
        "gain": gain,
        "bias": bias,
        "power": power,
        "time_constant": time_constant,
        "eps": eps,
        "b": b,
        "max_size": max_size,
    }
    return GainControl(initial, settings, channels)
