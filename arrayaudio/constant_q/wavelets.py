"""The kernels that define constant-Q and variable-Q transforms: windowed complex exponentials, one for each bin."""

import dataclasses
import functools
import math
from dataclasses import dataclass

import numpy as np

from arrayaudio.windows import Window, get_window

# Bins of 1 / length in which the spectrum of a window is followed outwards from its middle.
WINDOW_SAMPLES, OVERSAMPLING = 4096, 8
# A window has the same shape at any length if it changes by less than this with an eighth of its samples.
SAME_SHAPE = 0.01


@dataclass(frozen=True)
class Wavelets:
    """Kernels w_k[n] = window[n] exp(2 pi i f_k n / sr), divided by their norm and multiplied by `factors[k]`.

    A length L, in samples, need not be whole: the kernel lives on n = floor(-L / 2) ... floor(L / 2) - 1, and the
    window has as many samples. This is the definition of `librosa.filters.wavelet`; n = 0 is the middle of a frame.
    A norm of None stands for the exponentials as they are. Lengths fall, or stay, from bin to bin.

    With a step, `sr` and `lengths` are those of a signal of which every step-th sample is left, and so are the kernels.
    """

    sr: float
    frequencies: tuple[float, ...]
    lengths: tuple[float, ...]
    factors: tuple[float, ...]
    window: Window = "hann"
    norm: float | None = 1.0
    step: int = 1

    @property
    def width(self) -> int:
        """Samples of a frame that holds the longest kernel, with n = 0 in its middle; an even number."""
        return -2 * math.floor(-self.lengths[0] / 2)

    def bins(self, first: int, stop: int) -> "Wavelets":
        """Return the kernels from `first` to before `stop`."""
        some = slice(first, stop)
        return dataclasses.replace(
            self, frequencies=self.frequencies[some], lengths=self.lengths[some], factors=self.factors[some]
        )

    def thinned(self, step: int) -> "Wavelets":
        """Return the kernels for the signal of which every `step`-th sample is left."""
        return dataclasses.replace(
            self, sr=self.sr / step, lengths=tuple(length / step for length in self.lengths), step=step
        )

    def kernel(self, k: int) -> tuple[int, np.ndarray]:
        """Return the first n of kernel k, and its values in complex128."""
        length, step = self.lengths[k] * self.step, self.step
        first, stop = math.floor(-length / 2), math.floor(length / 2)
        taper = get_window(self.window, stop - first)
        largest = np.abs(taper).max()  # whose part has powers within the range of numbers
        size = 1.0 if self.norm is None else largest * np.linalg.norm(taper / largest, self.norm)
        start = -(-first // step)
        phases = 2 * np.pi * self.frequencies[k] / self.sr * np.arange(start, -(-stop // step))
        return start, (step * self.factors[k] / size) * taper[start * step - first :: step] * np.exp(1j * phases)


@functools.lru_cache(maxsize=32)
def spectral_reach(window: Window, tolerance: float) -> float:
    """Return beyond how many bins of sr / length, from its middle, a kernel's spectrum may be dropped, or infinity.

    What is dropped is at most `tolerance` of the spectrum's absolute sum, so no value of the kernel, nor of the
    response to a sinusoid, changes by more than this part of the largest. Windows with a parameter in samples, such as
    the standard deviation of a Gaussian, have another shape at each length, so that nothing may be dropped.
    """
    values = get_window(window, WINDOW_SAMPLES)
    if np.abs(values[::8] - get_window(window, WINDOW_SAMPLES // 8)).max() > SAME_SHAPE:
        return math.inf
    spectrum = np.abs(np.fft.rfft(values, OVERSAMPLING * WINDOW_SAMPLES))
    outside = np.cumsum(spectrum[::-1])[::-1] / spectrum.sum()
    # Near the end the spectrum of a sampled window is no longer that of the window.
    enough = np.flatnonzero(outside[: len(outside) // 2] <= tolerance)
    return float(enough[0] / OVERSAMPLING) if len(enough) else math.inf
