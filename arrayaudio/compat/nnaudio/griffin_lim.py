"""nnAudio's Griffin-Lim."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray
from arrayaudio.checks import real, whole
from arrayaudio.compat.nnaudio.layer import Layer, named
from arrayaudio.errors import ParameterError
from arrayaudio.reconstruction.griffin_lim import griffinlim
from arrayaudio.transforms.stft import STFT
from arrayaudio.windows import Window

__all__ = ["Griffin_Lim"]


class Griffin_Lim(Layer):  # noqa: N801
    """Waveforms from magnitudes by the fast Griffin-Lim algorithm, with nnAudio's arguments.

    Parameters
    ----------
    n_fft, win_length, window, center, pad_mode
        As given to `STFT`.
    n_iter : int
        Iterations.
    hop_length : int, optional
        n_fft // 4 by default, also where the window is shorter than n_fft.
    momentum : float
        See `arrayaudio.griffinlim`.
    device : str, optional
        As for `to`; without it the array decides, while nnAudio's default is "cpu".

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> S = Spectrogram.STFT(n_fft=512, output_format="Magnitude")(np.sin(np.arange(8000.0)))
    >>> Spectrogram.Griffin_Lim(512)(S, length=8000, seed=0).shape
    (1, 8000)
    """

    def __init__(
        self,
        n_fft: int,
        n_iter: int = 32,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Window = "hann",
        center: bool = True,
        pad_mode: str = "reflect",
        momentum: float = 0.99,
        device: Any = None,
    ) -> None:
        hop = max(1, whole("n_fft", n_fft) // 4) if hop_length is None else hop_length
        self._stft: dict[str, Any] = {
            "n_fft": n_fft,
            "hop_length": hop,
            "win_length": win_length,
            "window": named(window),
            "center": center,
            "pad_mode": pad_mode,
        }
        super().__init__(STFT(**self._stft))
        self.n_iter, self.momentum = whole("n_iter", n_iter, least=0), real("momentum", momentum, least=0)
        self.to(device)

    def forward(self, S: ArrayLike, *, length: int | None = None, seed: int | None = None) -> Array:
        """Turn magnitudes (batch, 1 + n_fft // 2, time) into waveforms (batch, length).

        The length is that between the centres of the first and the last frame, unless given. The same seed gives the
        same initial phases.
        """
        magnitudes = asarray(S, device=self._device)
        if len(magnitudes.shape) != 3:
            raise ParameterError(f"spectrogram has shape {tuple(magnitudes.shape)}: must be (batch, freq, time)")
        return griffinlim(
            magnitudes, n_iter=self.n_iter, momentum=self.momentum, length=length, seed=seed, **self._stft
        )
