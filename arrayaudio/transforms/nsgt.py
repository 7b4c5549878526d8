"""The constant-Q transform that can be inverted exactly."""

import math
from collections.abc import Sequence

import numpy as np
import scipy.fft

from arrayaudio.arrays import Array, ArrayLike, asarray, contiguous, namespace, on_device_of
from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.constant_q.nonstationary import Tiling, bands, joined, tiling
from arrayaudio.errors import ParameterError
from arrayaudio.frames import lengthened
from arrayaudio.scales import C1
from arrayaudio.signals import as_complex
from arrayaudio.spectrum import DETECTORS, detected
from arrayaudio.transforms.base import Transform, settings

__all__ = ["NSGT"]


@settings
class NSGT(Transform):
    """Constant-Q transform with perfect reconstruction, as a non-stationary Gabor transform.

    Each row is the signal in one band of its spectrum, brought down to the rate of the widest band. The windows of
    the bands are raised cosines on the linear frequency axis, from the frequency of the row before to that of the row
    after. The first row holds what is below fmin, the last what is above the highest bin. `inverse` returns the signal
    to rounding (Velasco, Holighaus, Doerfler, Grill, "Constructing an invertible constant-Q transform with
    non-stationary Gabor frames", 2011).

    The spectrum is that of the whole signal, which goes round: the end of a signal and its beginning are neighbours.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    fmin : float, optional
        Frequency of the lowest bin in Hz; C1, 32.7 Hz, by default.
    fmax : float, optional
        No bin is at or above this frequency in Hz; sr / 2 by default.
    bins_per_octave : int
        Number of bins in an octave.
    output : "complex", "magnitude", "power" or "phase"
        What to return of each coefficient. The magnitude of a sinusoid is half its amplitude.
    device : str, optional
        "cpu", "cuda" or "cuda:N" move signals there first; without it the signal decides.

    Returns
    -------
    array, shape (..., n_bins + 2, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> nsgt = aa.NSGT(sr=22050)
    >>> C = nsgt(y)
    >>> bool(np.allclose(nsgt.inverse(C, length=22050), y, atol=1e-12))
    True
    >>> float(round(nsgt.frequencies[abs(C[:, 500]).argmax()], 6))
    440.0
    """

    sr: float
    fmin: float | None = None
    fmax: float | None = None
    bins_per_octave: int = 12
    output: str = "complex"

    def __post_init__(self) -> None:
        super().__post_init__()
        sr = real("sr", self.sr, above=0)
        fmin = C1 if self.fmin is None else real("fmin", self.fmin, above=0)
        fmin, fmax = frequency_range(fmin, self.fmax, sr)
        one_of("output", self.output, DETECTORS)
        self._replace(sr=sr, fmin=fmin, fmax=fmax, bins_per_octave=whole("bins_per_octave", self.bins_per_octave))

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz, from 0 to sr / 2."""
        assert self.fmin is not None
        assert self.fmax is not None
        n_bins = math.ceil(self.bins_per_octave * math.log2(self.fmax / self.fmin) - 1e-9)
        bins = self.fmin * 2 ** (np.arange(n_bins) / self.bins_per_octave)
        return np.concatenate([[0.0], bins, [self.sr / 2]])

    @property
    def hop_length(self) -> int:
        """Samples from one frame to the next: as many as the widest band permits."""
        nodes = self.frequencies
        ends = np.concatenate([nodes[:1], nodes, nodes[-1:]])
        return int(self.sr / (ends[2:] - ends[:-2]).max())

    @property
    def min_length(self) -> int:
        """The shortest signal that can be transformed, in samples."""
        return 1

    def n_frames(self, n_samples: int) -> int:
        """The number of frames that a signal of `n_samples` samples gives."""
        return -(-whole("n_samples", n_samples, most=2**63 - 1) // self.hop_length)

    def times(self, n_samples: int) -> np.ndarray:
        """Time of each frame in seconds, for a signal of `n_samples` samples."""
        return np.arange(self.n_frames(n_samples)) * (self.hop_length / self.sr)

    def _tiles(self, n_samples: int) -> Tiling:
        return tiling(tuple((self.frequencies / self.sr).tolist()), self.n_frames(n_samples) * self.hop_length)

    def _apply(self, y: Array) -> Array:
        n_frames = self.n_frames(y.shape[-1])
        tiles = self._tiles(y.shape[-1])
        rows = bands(lengthened(y, 0, tiles.n_fft), tiles, [n_frames] * len(tiles.starts))
        return contiguous(detected(namespace(y).stack(rows, axis=-2), DETECTORS[self.output]))

    def bands(self, y: ArrayLike) -> list[Array]:
        """Return the coefficients of each row at the lowest rate that loses nothing.

        Parameters
        ----------
        y : array, shape (..., n_samples)

        Returns
        -------
        list of n_bins + 2 complex arrays, shapes (..., n_k)
            Coefficient m of row k belongs to the time m n_frames hop_length / n_k, in samples.
        """
        signal = self._checked(y)
        with on_device_of(signal):
            tiles = self._tiles(signal.shape[-1])
            periods = [max(1, int(scipy.fft.next_fast_len(len(window.value)))) for window in tiles.windows]
            return bands(lengthened(signal, 0, tiles.n_fft), tiles, periods)

    def inverse(self, S: ArrayLike | Sequence[ArrayLike], *, length: int | None = None) -> Array:
        """Reconstruct the waveform, exactly but for rounding.

        Parameters
        ----------
        S : complex array, shape (..., n_bins + 2, n_frames), or what `bands` returns
        length : int, optional
            Samples of the signal that was transformed; n_frames hop_length by default, which is up to hop_length - 1
            more. Must be given for what `bands` returns.

        Returns
        -------
        array, shape (..., length)

        Raises
        ------
        ParameterError
            If shape and length do not fit, or this transform keeps something else than complex coefficients.
        """
        if self.output != "complex":
            raise ParameterError(f"output={self.output!r}: only complex coefficients determine the waveform")
        if isinstance(S, list | tuple):
            if length is None:
                raise ParameterError("length=None: bands come back to as many samples as were transformed; give length")
            tiles = self._tiles(length)
            rows = [as_complex(asarray(row, device=self.device), "coefficients") for row in S]
            fitting = [len(window.value) <= row.shape[-1] for row, window in zip(rows, tiles.windows, strict=False)]
            if not all(fitting):
                k = fitting.index(False)
                raise ParameterError(
                    f"row {k} has {rows[k].shape[-1]} coefficients: must have at least {len(tiles.windows[k].value)} "
                    f"for length={length}"
                )
        else:
            C = as_complex(asarray(S, device=self.device), "coefficients")
            if C.ndim < 2 or C.shape[-1] == 0:
                raise ParameterError(f"coefficients have shape {C.shape}: must be (..., n_bins + 2, n_frames)")
            length = C.shape[-1] * self.hop_length if length is None else length
            if self.n_frames(length) != C.shape[-1]:
                raise ParameterError(
                    f"length={length}: gives {self.n_frames(length)} frames, and here are {C.shape[-1]}"
                )
            tiles = self._tiles(length)
            rows = [C[..., k, :] for k in range(C.shape[-2])]
        if len(rows) != len(tiles.starts):
            raise ParameterError(
                f"coefficients have {len(rows)} rows: must have {len(tiles.starts)} for these settings"
            )
        with on_device_of(rows[0]):
            return joined(rows, tiles)[..., :length]
