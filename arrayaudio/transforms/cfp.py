"""Combined frequency and periodicity: what is both a partial in the spectrum and a period in the cepstrum."""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, contiguous, dtype_name, namespace, on_device_of
from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.log_frequency_bank import (
    interpolation,
    log_frequencies,
    published_frequency_matrix,
    published_period_matrix,
)
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.project import mix_rows
from arrayaudio.transforms.base import compiled, settings
from arrayaudio.transforms.framed import FramedTransform
from arrayaudio.transforms.params import bare
from arrayaudio.windows import Window

__all__ = ["CFP"]

VARIANTS = ("exact", "published")
# What an exponent of 0, which stands for the logarithm, adds to its argument.
LOG_OFFSET = 1e-8
# Values of a block of frames; more would only take memory.
BLOCK = 2**21


class CFPParts(NamedTuple):
    """What `CFP` computes, each (..., n_bins, n_frames) on the same frequencies."""

    cfp: Array
    """Product of frequency and periodicity."""
    spectrum: Array
    """Magnitudes of the spectrum."""
    frequency: Array
    """The last of the spectra: |X|^g[0], or the generalised cepstrum of a generalised cepstrum."""
    periodicity: Array
    """The last of the generalised cepstra, at the frequencies of its periods."""


@settings
class CFP(FramedTransform):
    """Combined frequency and periodicity (Su and Yang, 2015), which shows fundamentals and hides overtones.

    The magnitudes |X| of the STFT, with a window of norm 1, are raised to the power g[0]. Each further exponent takes
    the cosine transform of what came before it, divided by sqrt(n_fft), sets what is negative or below a cutoff to
    zero, and raises the rest to that power: to a generalised cepstrum first, which is cut below the period 1 / fmax,
    then back to a spectrum, cut below fmin, and so on. The last spectrum and the last cepstrum are read at the same
    frequencies, and multiplied.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the FFT; its bins should be finer than the bands at fmin.
    win_length : int
        Length of the window; n_fft // 4 by default, since it is zeros that make the bins fine.
    hop_length, window, center, pad_mode, device
        As for `STFT`; the hop is 512 and the window a Blackman-Harris one by default.
    fmin, fmax : float
        Centre of the first band, and a limit for the upper edge of the last, in Hz; fmax=None means sr / 2. They are
        the cutoffs, too.
    bins_per_octave : int
        Bands in an octave, at most 1200, a cent each.
    g : sequence of float
        Exponents, at least 0; 0 stands for the logarithm ln(x + 1e-8). One alone makes no cepstrum, and so neither
        "periodicity" nor "cfp".
    output : "cfp", "spectrum", "frequency" or "periodicity"
        What to return; `parts` returns all four.
    variant : "exact" or "published"
        "exact" reads bands as triangles between neighbouring centres that are at least one bin, or one sample of
        period, wide on each side. "published" gives the numbers of the authors' program and of nnAudio: triangles in Hz
        over an axis that is too long by a part of 2 / n_fft, which leave a bin at their very centre out; periods read
        as zero where the triangle holds none; zeros in the first band; and half the coefficient at each cutoff.

    Returns
    -------
    array, shape (..., n_bins, n_frames)

    Raises
    ------
    ParameterError
        If a setting or a signal breaks one of the rules above, or n_fft is too short for the period of fmin.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> t = np.arange(16000) / 16000
    >>> y = sum(np.sin(2 * np.pi * 200 * k * t) for k in range(1, 6))
    >>> transform = aa.CFP(sr=16000)
    >>> Z = transform(y)
    >>> Z.shape
    (174, 32)
    >>> float(transform.frequencies[Z[:, 16].argmax()].round(1))
    201.6
    """

    sr: float
    reads_stored: ClassVar[bool] = False

    n_fft: int = 8192
    hop_length: int | None = 512
    window: Window = "blackmanharris"
    fmin: float = 80.0
    fmax: float | None = 1000.0
    bins_per_octave: int = 48
    g: Sequence[float] = (0.24, 0.6, 1.0)
    output: str = "cfp"
    variant: str = "exact"

    def __post_init__(self) -> None:
        if self.win_length is None:
            self._replace(win_length=max(1, whole("n_fft", self.n_fft) // 4))
        super().__post_init__()
        if self.sr is None:
            raise ParameterError("sr=None: bands need the sampling rate in Hz")
        fmin, fmax = frequency_range(self.fmin, self.fmax, self.sr)
        lowest = self.sr / max(self.n_fft // 2, 1)
        if fmin < lowest:
            raise ParameterError(
                f"fmin={self.fmin!r}: must be at least {lowest:g} Hz, whose period is half of n_fft={self.n_fft}"
            )
        per_octave = whole("bins_per_octave", self.bins_per_octave, most=1200)
        if len(log_frequencies(fmin, fmax, per_octave)) < 3:
            raise ParameterError(
                f"fmax={self.fmax!r}: must be more than a band above fmin={fmin:g} Hz, with {per_octave} to the octave"
            )
        one_of("output", self.output, CFPParts._fields)
        one_of("variant", self.variant, VARIANTS)
        self._replace(fmin=fmin, fmax=fmax, bins_per_octave=per_octave, g=_exponents(self.g))
        if len(self.g) == 1 and self.output in ("cfp", "periodicity"):
            raise ParameterError(f"g={self.g!r}: must have at least 2 exponents for output={self.output!r}")

    def parts(self, y: ArrayLike) -> CFPParts:
        """Return all four outputs at once, from one pass over a signal (..., n_samples)."""
        if len(self.g) == 1:
            raise ParameterError(f"g={self.g!r}: must have at least 2 exponents for all parts")
        signal = self._checked(y)
        with on_device_of(signal):
            return CFPParts(*self._joined(signal, CFPParts._fields))

    def _apply(self, y: Array) -> Array:
        return self._joined(y, (self.output,))[0]

    def _plan(self) -> Plan:
        window = self.frame_window.value
        return Plan(self.framing, Constant(window / np.linalg.norm(window)), 1.0)

    def _joined(self, y: Array, names: Sequence[str]) -> list[Array]:
        """Compute some outputs, block by block of frames and in float64, since roots lift rounding errors."""
        xp = namespace(y)
        S = spectrogram(cast(y, "float64"), compiled(self))
        n_frames, n_items = S.shape[-1], max(1, y.size // y.shape[-1])
        step = max(1, BLOCK // (n_items * self.n_fft))
        blocks = [self._read(S[..., t : min(t + step, n_frames)]) for t in range(0, n_frames, step)]
        joined = (xp.concat([block[name] for block in blocks], axis=-1) for name in names)
        return [contiguous(cast(output, dtype_name(y))) for output in joined]

    def _read(self, S: Array) -> dict[str, Array]:
        """Outputs by name from magnitudes (..., 1 + n_fft // 2, n_frames)."""
        to_rows = namespace(S).matrix_transpose
        matrices = _matrices(bare(self))
        spectrum, cepstrum = self._layers(to_rows(S))
        found = {"spectrum": _read_at(S, matrices.bins), "frequency": _read_at(to_rows(spectrum), matrices.bins)}
        if cepstrum is not None:
            found["periodicity"] = _read_at(to_rows(cepstrum), matrices.periods)
            found["cfp"] = found["frequency"] * found["periodicity"]
        return found

    def _layers(self, S: Array) -> tuple[Array, Array | None]:
        """The last spectrum and the last cepstrum of magnitudes (..., n_frames, 1 + n_fft // 2)."""
        cuts = _matrices(bare(self))
        passed_on = spectrum = _compressed(S, self.g[0])
        cepstrum = None
        for layer, exponent in enumerate(self.g[1:], start=1):
            kept, onward = cuts.below_period if layer % 2 else cuts.below_fmin
            values = _compressed(_cosine_transform(passed_on, self.n_fft), exponent) * kept.like(S)
            passed_on = values * onward.like(S)
            if layer % 2:
                cepstrum = values
            else:
                spectrum = values
        return spectrum, cepstrum

    @property
    def frequencies(self) -> np.ndarray:
        """Centre of each band in Hz."""
        assert self.fmax is not None
        return log_frequencies(self.fmin, self.fmax, self.bins_per_octave)[1:-1]


class _Matrices(NamedTuple):
    """How spectra and cepstra are read, and for both cutoffs the weights of what is kept and of what goes on."""

    bins: Constant
    periods: Constant
    below_fmin: tuple[Constant, Constant]
    below_period: tuple[Constant, Constant]


@functools.lru_cache(maxsize=8)
def _matrices(transform: CFP) -> _Matrices:
    sr, n_fft, fmax = transform.sr, transform.n_fft, transform.fmax
    assert fmax is not None
    hz, n_points = log_frequencies(transform.fmin, fmax, transform.bins_per_octave), 1 + n_fft // 2
    published = transform.variant == "published"
    if published:
        bins, periods = published_frequency_matrix(hz, n_fft, sr), published_period_matrix(hz, n_fft, sr)
    else:
        bins, periods = interpolation(hz * n_fft / sr, n_points), interpolation(sr / hz, n_points)

    def cut(index: int) -> tuple[Constant, Constant]:
        kept = np.arange(n_points) >= index
        onward = np.where(np.arange(n_points) == index, 0.5 if published else 1.0, 1.0)
        return Constant(kept), Constant(onward)

    cuts = cut(round(transform.fmin * n_fft / sr)), cut(round(sr / fmax))
    return _Matrices(_trimmed(bins), _trimmed(periods), *cuts)


def _trimmed(matrix: np.ndarray) -> Constant:
    """Drop the columns after the last that is not zero."""
    return Constant(matrix[:, : 1 + max(np.flatnonzero(matrix.any(axis=0)), default=0)])


def _read_at(S: Array, matrix: Constant) -> Array:
    return mix_rows(S[..., : matrix.value.shape[1], :], matrix)


def _exponents(g: Any) -> tuple[float, ...]:
    if isinstance(g, str) or not hasattr(g, "__iter__"):
        raise ParameterError(f"g={g!r}: must be a sequence of exponents, such as (0.24, 0.6, 1)")
    exponents = tuple(real(f"g[{i}]", value, least=0) for i, value in enumerate(g))
    if not exponents:
        raise ParameterError("g=(): must have at least 1 exponent")
    return exponents


def _compressed(X: Array, exponent: float) -> Array:
    """Raise what is positive to a power; 0 stands for the logarithm."""
    xp = namespace(X)
    positive = xp.maximum(X, xp.zeros_like(X))
    return xp.log(positive + LOG_OFFSET) if exponent == 0 else positive**exponent


def _cosine_transform(half: Array, n_fft: int) -> Array:
    """Fourier transform of the even sequence that starts with `half`, which is real, divided by sqrt(n_fft)."""
    xp = namespace(half)
    even = xp.concat([half, xp.flip(half[..., 1 : n_fft - n_fft // 2], axis=-1)], axis=-1)
    return xp.real(xp.fft.rfft(even, axis=-1)) / n_fft**0.5
