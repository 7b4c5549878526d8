"""Chroma from a constant-Q transform."""

import functools
import math

import numpy as np

from arrayaudio.arrays import Array, contiguous, namespace
from arrayaudio.checks import one_of, real, whole
from arrayaudio.chroma_bank import cq_to_chroma, smoothing
from arrayaudio.constants import Constant
from arrayaudio.frames import Framing
from arrayaudio.norms import checked_norm, normalised
from arrayaudio.project import mix_rows
from arrayaudio.scales import C1
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.cqt import CQT
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.hybrid_cqt import HybridCQT

__all__ = ["ChromaCQT"]

MODES = {"full": CQT, "hybrid": HybridCQT}


@settings
class ChromaCQT(Framed):
    """Chroma: constant-Q magnitudes gathered into pitch classes, each frame divided by its norm.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    hop_length : int
        Samples from one frame to the next.
    fmin : float, optional
        Frequency of the lowest bin in Hz; C1, 32.7 Hz, by default.
    n_octaves, bins_per_octave : int
        Octaves of the transform, and bins in each; the latter a multiple of n_chroma.
    n_chroma : int
        Pitch classes in an octave.
    tuning : float
        Shift of the bins, in bins. Nothing is estimated.
    norm : float or None
        inf divides each frame by its maximum, 1 by its sum, 2 by its length; None leaves it. Silence stays zero.
    threshold : float or None
        Values below it become zero, before the norm.
    window : sequence of float, optional
        Weights with which the bins are smoothed along frequency.
    cqt_mode : "full" or "hybrid"
        Whether magnitudes are those of `CQT` or `HybridCQT`.
    pad_mode, device
        As for `CQT`.

    Returns
    -------
    array, shape (..., n_chroma, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> int(aa.ChromaCQT(sr=22050)(y)[:, 20].argmax())  # A, the ninth semitone above C
    9
    """

    sr: float
    hop_length: int | None = 512
    fmin: float | None = None
    n_octaves: int = 7
    bins_per_octave: int = 36
    n_chroma: int = 12
    tuning: float = 0.0
    norm: float | None = math.inf
    threshold: float | None = 0.0
    window: tuple[float, ...] | None = None
    cqt_mode: str = "full"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("cqt_mode", self.cqt_mode, MODES)
        self._replace(
            n_octaves=whole("n_octaves", self.n_octaves, most=64),
            n_chroma=whole("n_chroma", self.n_chroma),
            bins_per_octave=whole("bins_per_octave", self.bins_per_octave),
            fmin=C1 if self.fmin is None else real("fmin", self.fmin, above=0),
            norm=checked_norm(self.norm),
            threshold=None if self.threshold is None else real("threshold", self.threshold),
            window=None if self.window is None else tuple(smoothing(self.window).tolist()),
        )
        # What the bank and the transform check, and what they make of it.
        _, transform = self.bank, self.transform
        self._replace(sr=transform.sr, hop_length=transform.hop_length, tuning=transform.tuning)

    @functools.cached_property
    def transform(self) -> CQT:
        """The constant-Q transform whose bins are gathered."""
        return MODES[self.cqt_mode](
            sr=self.sr,
            hop_length=self.hop_length,
            fmin=self.fmin,
            n_bins=self.n_octaves * self.bins_per_octave,
            bins_per_octave=self.bins_per_octave,
            tuning=self.tuning,
            center=self.center,
            pad_mode=self.pad_mode,
            output="magnitude",
        )

    @functools.cached_property
    def bank(self) -> Constant:
        """The weights that gather bins into pitch classes, (n_chroma, n_bins)."""
        n_input = self.n_octaves * self.bins_per_octave
        return Constant(
            cq_to_chroma(
                n_input=n_input,
                bins_per_octave=self.bins_per_octave,
                n_chroma=self.n_chroma,
                fmin=self.fmin,
                window=self.window,
            )
        )

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        return self.transform.framing

    @property
    def frequencies(self) -> np.ndarray:
        """Number of each pitch class, from 0; they have no frequencies in Hz."""
        return np.arange(self.n_chroma, dtype=np.float64)

    def _by_frames(self) -> ByFrames:
        self.transform._by_frames()  # which may have none
        return super()._by_frames()

    def _apply(self, y: Array) -> Array:
        S = mix_rows(self.transform._apply(y), self.bank)
        if self.threshold is not None:
            S = namespace(S).where(S < self.threshold, namespace(S).zeros_like(S), S)
        return contiguous(normalised(S, self.norm))
