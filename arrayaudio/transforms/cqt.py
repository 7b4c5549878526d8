"""Constant-Q and variable-Q transforms, and their inverse."""

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, contiguous
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constant_q import bank, octaves
from arrayaudio.constant_q.bank import Bank
from arrayaudio.constant_q.inversion import nearest
from arrayaudio.constant_q.octaves import by_octaves
from arrayaudio.constant_q.projection import by_rows, constant_q
from arrayaudio.constant_q.rows import Rows, groups, rows
from arrayaudio.constant_q.wavelets import Wavelets
from arrayaudio.errors import ArrayAudioWarning, ParameterError
from arrayaudio.frames import Framing
from arrayaudio.norms import checked_norm
from arrayaudio.parts import in_parts
from arrayaudio.plan_inverse import checked_length, require_finite_rows
from arrayaudio.scales import C1, cqt_frequencies
from arrayaudio.signals import as_complex
from arrayaudio.spectrum import DETECTORS, detected
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.framed import Framed
from arrayaudio.windows import Window, freeze_window

__all__ = ["CQT", "VQT"]

METHODS = (*bank.METHODS, *octaves.METHODS)
NORMALIZATIONS = ("librosa", "convolutional", "wrap")
# A kernel longer than this has lost its way.
LONGEST = 2**24


def scales(normalization: str, lengths: np.ndarray) -> np.ndarray:
    """What coefficients of kernels of these lengths are multiplied by."""
    return {"librosa": np.sqrt(lengths), "convolutional": np.ones_like(lengths), "wrap": np.full_like(lengths, 2.0)}[
        normalization
    ]


@settings
class ConstantQ(Framed):
    """What constant-Q and variable-Q transforms share, which is all but the bandwidth of their kernels."""

    sr: float
    hop_length: int | None = 512
    fmin: float | None = None
    n_bins: int = 84
    bins_per_octave: int = 12
    tuning: float = 0.0
    filter_scale: float = 1.0
    norm: float | None = 1.0
    window: Window = "hann"
    method: str = "auto"
    normalization: str = "librosa"
    tolerance: float | None = None
    output: str = "complex"
    trainable: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sr is None:
            raise ParameterError("sr=None: constant-Q transforms need the sampling rate in Hz")
        one_of("method", self.method, METHODS)
        one_of("normalization", self.normalization, NORMALIZATIONS)
        one_of("output", self.output, DETECTORS)
        one_of("trainable", self.trainable, (True, False))
        self._replace(
            hop_length=whole("hop_length", self.hop_length),
            fmin=C1 if self.fmin is None else real("fmin", self.fmin, above=0),
            n_bins=whole("n_bins", self.n_bins, most=2**16),
            bins_per_octave=whole("bins_per_octave", self.bins_per_octave),
            tuning=real("tuning", self.tuning),
            filter_scale=real("filter_scale", self.filter_scale, above=0),
            norm=checked_norm(self.norm),
            tolerance=None if self.tolerance is None else real("tolerance", self.tolerance, above=0),
        )
        if self.tolerance is not None and self.tolerance >= 1:
            raise ParameterError(f"tolerance={self.tolerance:g}: must be less than 1, as a part of the largest value")
        self._check_kernels()

    def _check_kernels(self) -> None:
        with np.errstate(over="ignore", divide="ignore"):
            frequencies, lengths = self.frequencies, self.lengths
        longest = float(lengths[0])
        if frequencies[-1] > self.sr / 2:
            fitting = int(np.sum(frequencies <= self.sr / 2))
            fewer = f"use at most {fitting} bins, or" if fitting else "use"
            raise ParameterError(
                f"n_bins={self.n_bins}: bin {fitting} at {frequencies[fitting]:g} Hz is above sr / 2 = {self.sr / 2:g} "
                f"Hz; {fewer} a lower fmin"
            )
        if longest > LONGEST:
            raise ParameterError(
                f"the longest kernel has {longest:.3g} samples: must be at most {LONGEST}; use a higher fmin, fewer "
                "bins_per_octave or a smaller filter_scale"
            )
        name = self.window[0] if isinstance(self.window, list | tuple) and self.window else self.window
        if not isinstance(name, str):
            raise ParameterError("window: must be a name or a (name, parameter) tuple, since kernels differ in length")
        for length in (lengths[-1], longest):
            window = freeze_window(self.window, max(1, int(length)))
        self._replace(window=window)

    @property
    def _gamma(self) -> float | None:
        raise NotImplementedError

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        assert self.fmin is not None
        return cqt_frequencies(self.n_bins, fmin=self.fmin, bins_per_octave=self.bins_per_octave, tuning=self.tuning)

    @property
    def lengths(self) -> np.ndarray:
        """Length of the kernel of each row in samples, not rounded."""
        # Without gamma, bandwidths are proportional to 24.7 + 0.108 f (Glasberg and Moore, 1990).
        square = 2 ** (2 / self.bins_per_octave)
        bandwidth = (square - 1) / (square + 1)
        gamma = bandwidth * 24.7 / 0.108 if self._gamma is None else self._gamma
        return self.filter_scale * self.sr / (bandwidth * self.frequencies + gamma)

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames, each as wide as the longest kernel."""
        assert self.hop_length is not None
        width = -2 * math.floor(-self.lengths[0] / 2)
        return Framing(width, self.hop_length, width // 2 if self.center else 0, self.pad_mode)

    @functools.cached_property
    def bank(self) -> Bank:
        """The kernels, and how they meet the frames."""
        assert self.hop_length is not None
        lengths = self.lengths
        wavelets = Wavelets(
            self.sr,
            tuple(self.frequencies.tolist()),
            tuple(lengths.tolist()),
            tuple(scales(self.normalization, lengths).tolist()),
            self.window,
            self.norm,
        )
        return Bank(wavelets, self.hop_length, self.method, self.tolerance)

    @property
    def exact_bank(self) -> Bank:
        """The kernels, and the fastest way that is exact."""
        return dataclasses.replace(self.bank, method="auto", tolerance=None)

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        return {"kernels": lambda: [group.matrix for group in rows(self.bank.wavelets, 0, "float64")]}

    @property
    def _shapes(self) -> dict[str, Any]:
        return {"kernels": [(2 * (stop - first), width) for first, stop, width in groups(self.bank.wavelets, 0)]}

    @property
    def _learned(self) -> tuple[str, ...]:
        return ("kernels",) if self.trainable else ()

    def _coefficients(self, y: Array, bank: Bank) -> Array:
        if self._given:
            matrices = [kernels.like(y) for kernels in self._given["kernels"]]
            width = self.framing.frame_length
            return by_rows(y, self.framing, [Rows((width - m.shape[1]) // 2, m) for m in matrices])
        analyse = by_octaves if self.method in octaves.METHODS else constant_q
        return analyse(y, self.framing, bank)

    def _by_frames(self) -> ByFrames:
        if self.method in octaves.METHODS:
            raise ParameterError(
                f"method={self.method!r}: halves the rate of the whole signal; in parts it needs one of 'auto', '1992' "
                "and '1992v2'"
            )
        return super()._by_frames()

    def _apply(self, y: Array) -> Array:
        return contiguous(detected(self._coefficients(y, self.bank), DETECTORS[self.output]))

    def inverse(
        self,
        C: ArrayLike,
        *,
        length: int | None = None,
        residual: bool = False,
        n_iter: int = 100,
        tolerance: float | None = 1e-6,
    ) -> Array:
        """Reconstruct the waveform whose coefficients are nearest to `C` in least squares.

        The waveform is found by preconditioned conjugate gradients on the normal equations, with the exact operator
        and adjoint whatever the method. It comes back with more than 60 dB of signal to noise where the coefficients
        determine it: between the lowest and the highest bin, and with a hop of at most half the shortest kernel (the
        last of `lengths`). At other frequencies a little may come back that was not there: 60 dB down with the Hann
        window, 35 dB with Hamming's. With a longer hop the upper bins are sampled too seldom, many waveforms have these
        coefficients, and the one found is the smallest: the residual is small all the same, so a warning is given.

        Parameters
        ----------
        C : complex array, shape (..., n_bins, n_frames)
        length : int, optional
            Samples to return, which must give as many frames; by default as many as lie between the centres of the
            first and the last frame, or all that the frames hold if they are not centred.
        residual : bool
            Whether to return as well how far the coefficients of the waveform are from `C`.
        n_iter : int
            Iterations at most, each of one transform and its adjoint.
        tolerance : float or None
            An item is done when the gradient has fallen to this part of its first length. None always runs `n_iter`
            iterations; a GPU is then never waited for. Gradients are those of the solution, or, with None, of what the
            iterations do.

        Returns
        -------
        y : array, shape (..., length)
        residual : array, shape (...), only if asked for
            ||C - transform(y)|| / ||C|| of each item, 0 for silence.

        Raises
        ------
        ParameterError
            If the shape or the length does not fit, values are not finite, this transform keeps something else than
            complex coefficients, or pads with values that the signal does not hold, such as its mean.

        Warns
        -----
        ArrayAudioWarning
            If the hop is longer than half the shortest kernel.
        """
        if self.output != "complex":
            raise ParameterError(
                f"output={self.output!r}: only complex coefficients determine the waveform; use output='complex', or "
                "aa.griffinlim_cqt for magnitudes"
            )
        if self._given:
            raise ParameterError("kernels given: a transform with kernels of its own has no inverse here")
        assert self.hop_length is not None
        spectrum, framing = as_complex(asarray(C, device=self.device), "coefficients"), self.framing
        wanted = None if length is None else whole("length", length, most=2**63 - 1)
        one_of("residual", residual, (True, False))
        n_iter = whole("n_iter", n_iter, least=0)
        tolerance = None if tolerance is None else real("tolerance", tolerance, least=0)
        if spectrum.ndim < 2 or spectrum.shape[-2] != self.n_bins or spectrum.shape[-1] == 0:
            raise ParameterError(
                f"coefficients have shape {spectrum.shape}: must be (..., {self.n_bins}, n_frames) for these settings, "
                "with at least one frame"
            )
        found = checked_length(spectrum, framing, wanted)
        if self.hop_length > self.lengths[-1] / 2:
            warnings.warn(
                f"hop_length={self.hop_length}: more than half the shortest kernel, {self.lengths[-1]:.0f} samples, so "
                "the upper bins do not determine the waveform; use a shorter hop, or the transform NSGT",
                ArrayAudioWarning,
                stacklevel=2,
            )
        if self.check_finite:
            require_finite_rows(spectrum)

        def solved(C: Array) -> Any:
            y, error = nearest(C, framing, self.exact_bank, found, n_iter, tolerance)
            return (y, error) if residual else y

        return in_parts(solved, spectrum, axes=2)


@settings
class CQT(ConstantQ):
    """Constant-Q transform: coefficients of kernels whose length is inversely proportional to their frequency.

    C[k, t] = sqrt(L_k) sum_n y[t hop + n] conj(w_k[n]), with w_k[n] = window[n] exp(2 pi i f_k n / sr) divided by its
    norm, on n = floor(-L_k / 2) ... floor(L_k / 2) - 1 and L_k = filter_scale sr / (a f_k), where a = (b - 1) / (b + 1)
    and b = 2^(2 / bins_per_octave). This is librosa's definition, evaluated exactly, not by its recursion.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    hop_length : int
        Samples from one frame to the next; any number.
    fmin : float, optional
        Frequency of the lowest bin in Hz; C1, 32.7 Hz, by default.
    n_bins, bins_per_octave : int
        Number of bins, and of those in an octave. The highest must not be above sr / 2.
    tuning : float
        Shift of all bins, in bins.
    filter_scale : float
        Kernels are so much longer; below 1, time is resolved more finely and frequency less.
    norm : float or None
        Exponent of the norm by which kernels are divided: 1, 2, any other number above 0, infinity, or None for none.
    window : str or tuple
        A name, or a tuple of name and parameter, of `scipy.signal.get_window`.
    method : str
        "auto": long kernels as spectra, folded at the rate of the frames, or on frames of a compressed signal, short
        ones on frames, each where it is cheaper; exact. "1992": spectra of all kernels on a long frame; exact (Brown
        and Puckette, 1992). "1992v2": all kernels on frames; exact. "2010" and "2010v2": "1992" and "1992v2" for each
        octave of a signal that is halved
        again and again (Schoerkhuber and Klapuri, 2010); within 5e-4 of the largest value for windows that begin at
        zero. Windows that jump at their ends, as Hamming's does, leak from far above, and that is lost: 2e-2 of the
        largest value for white noise and Hamming's window, more where there is little else than what leaks.
    normalization : "librosa", "convolutional" or "wrap"
        Coefficients times sqrt(L_k), times 1, or times 2 (which gives sinusoids their amplitude, for norm 1).
    tolerance : float, optional
        Part of the largest value by which kernels or their spectra may miss their value, for speed; by default 5e-7
        for float32 and 1e-13 for float64. "1992v2" does not use it.
    output : "complex", "magnitude", "power" or "phase"
        What to return of each coefficient; the phase is in radians, counted from the middle of the frame.
    center : bool
        True pads half the longest kernel on both sides, so that frame t is centred at sample t hop_length; False
        keeps the frames that lie inside the signal.
    pad_mode : str
        How to pad, by the names of `numpy.pad` ("empty" excepted).
    trainable : bool
        Whether `params` holds the kernels, to be learned: see `with_params`.
    compat : "librosa" or "nnaudio", optional
        Whose defaults to take for what is not given. Kernels are ours; `arrayaudio.compat.nnaudio` has nnAudio's.
    device : str, optional
        "cpu", "cuda" or "cuda:N" move signals there first; without it the signal decides.

    Returns
    -------
    array, shape (..., n_bins, n_frames)
        complex64 or complex128 for "complex", float32 or float64 for the others, after the dtype of the signal.

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> cqt = aa.CQT(sr=22050, output="magnitude")
    >>> C = cqt(y)
    >>> C.shape
    (84, 44)
    >>> float(round(cqt.frequencies[C[:, 20].argmax()], 6))
    440.0
    """

    @property
    def _gamma(self) -> float:
        return 0.0


@settings
class VQT(ConstantQ):
    """Variable-Q transform: a `CQT` whose kernels are shorter at low frequencies.

    Kernels have the length L_k = filter_scale sr / (a f_k + gamma), with a as for `CQT`.

    Parameters
    ----------
    gamma : float, optional
        Bandwidth in Hz that all kernels have in addition; 0 gives the constant-Q transform. By default, bandwidths
        are proportional to those of the ear (equivalent rectangular bandwidths of Glasberg and Moore, 1990).
    sr, hop_length, fmin, n_bins, bins_per_octave, tuning, filter_scale, norm, window, method, normalization
        As for `CQT`.
    tolerance, output, trainable, center, pad_mode, compat, device
        As for `CQT`.

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
    >>> aa.VQT(sr=22050, gamma=20.0)(np.ones(22050)).shape
    (84, 44)
    """

    gamma: float | None = None

    def __post_init__(self) -> None:
        if self.gamma is not None:
            self._replace(gamma=real("gamma", self.gamma, least=0))
        super().__post_init__()

    @property
    def _gamma(self) -> float | None:
        return self.gamma
