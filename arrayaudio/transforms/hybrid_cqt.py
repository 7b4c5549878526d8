"""Magnitudes of a constant-Q transform whose short kernels are taken from an STFT."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, contiguous, namespace
from arrayaudio.checks import one_of
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.spectrum import magnitude
from arrayaudio.transforms.base import compiled, settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.cqt import CQT
from arrayaudio.windows import get_window

__all__ = ["HybridCQT", "PseudoCQT"]


@settings
class HybridCQT(CQT):
    """Constant-Q magnitudes, by the spectra of an STFT where kernels are short against the hop.

    A kernel that, lengthened to a power of two, is shorter than two hops, sees less than the signal between frames.
    For these bins the magnitudes of an STFT, whose frames cover all of the signal, are weighed with the magnitude of
    the kernel's spectrum; the others are those of `CQT`. This is the hybrid of librosa.

    Parameters
    ----------
    sr, hop_length, fmin, n_bins, bins_per_octave, tuning, filter_scale, norm, window, pad_mode, device
        As for `CQT`. The STFT always has a Hann window.
    method, tolerance
        As for `CQT`, for the long kernels.
    normalization
        As for `CQT`.
    output : "magnitude" or "power"
        What to return.
    center : bool
        Must be True.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.HybridCQT(sr=22050)(np.ones(22050)).shape
    (84, 44)
    """

    output: str = "magnitude"

    def __post_init__(self) -> None:
        if self.trainable:
            raise ParameterError("trainable=True: kernels of a hybrid transform cannot be learned; use CQT")
        one_of("output", self.output, ("magnitude", "power"))
        super().__post_init__()
        if not self.center:
            raise ParameterError("center=False: the frames of a hybrid transform differ in width, so they are centred")

    def _by_frames(self) -> ByFrames:
        raise ParameterError("a hybrid transform has frames of several widths, and takes whole signals alone; use CQT")

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        return {}

    @property
    def _shapes(self) -> dict[str, Any]:
        return {}

    @property
    def n_full(self) -> int:
        """How many bins, from the lowest on, are those of `CQT`."""
        assert self.hop_length is not None
        return int(np.sum(2.0 ** np.ceil(np.log2(self.lengths)) >= 2 * self.hop_length))

    def _apply(self, y: Array) -> Array:
        rows, n_full = [], self.n_full
        if n_full:
            rows.append(magnitude(self._coefficients(y, self.bank.part(0, n_full))))
        if n_full < self.n_bins:
            rows.append(spectrogram(y, compiled(self)))
        S = namespace(y).concat(rows, axis=-2)
        return contiguous(S * S if self.output == "power" else S)

    def _plan(self) -> Plan:
        """The STFT and the weights of its magnitudes for the bins with short kernels."""
        assert self.hop_length is not None
        wavelets = self.bank.wavelets.bins(self.n_full, self.n_bins)
        least = 2 ** (1 + math.ceil(math.log2(self.hop_length)))
        n_fft = max(2 ** math.ceil(math.log2(wavelets.lengths[0])), least)
        weights = np.zeros((len(wavelets.lengths), 1 + n_fft // 2))
        for k, length in enumerate(wavelets.lengths):
            _, kernel = wavelets.kernel(k)
            # librosa's scale: the kernel times length / n_fft, and the result divided by sqrt(n_fft).
            weights[k] = np.abs(np.fft.fft(kernel, n_fft))[: 1 + n_fft // 2] * math.sqrt(length) / n_fft**1.5
        framing = Framing(n_fft, self.hop_length, n_fft // 2, self.pad_mode)
        return Plan(framing, Constant(get_window("hann", n_fft)), 1.0, Constant(weights))


@settings
class PseudoCQT(HybridCQT):
    """Constant-Q magnitudes, all by the spectra of an STFT: the part that `HybridCQT` has for short kernels.

    Parameters
    ----------
    sr, hop_length, fmin, n_bins, bins_per_octave, tuning, filter_scale, norm, window, normalization, output
        As for `HybridCQT`.
    center, pad_mode, device
        As for `HybridCQT`.
    method, tolerance
        Of no effect here.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.PseudoCQT(sr=22050)(np.ones(22050)).shape
    (84, 44)
    """

    @property
    def n_full(self) -> int:
        """How many bins are those of `CQT`: none."""
        return 0
