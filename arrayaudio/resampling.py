"""Change of sampling rate by band-limited interpolation."""

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, namespace
from arrayaudio.checks import real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import frame, lengthened
from arrayaudio.parts import in_parts
from arrayaudio.primitive import primitive
from arrayaudio.signals import as_signal, require_finite

__all__ = ["resample"]

# Polyphase matrices up to this many values are kept; ratios that need larger ones are interpolated tap by tap.
LARGEST_MATRIX = 2**22
# Values for each channel that are gathered at a time.
BLOCK = 2**22
LARGEST_RATIO = 1024
# Outputs of a frame at least.
LEAST_OUTPUTS = 32


def _kernel(u: np.ndarray, cutoff: float, half_width: int, beta: float) -> np.ndarray:
    """Kaiser-windowed sinc at `u` input samples from its middle, zero beyond half_width / cutoff."""
    inside = np.clip(1 - (u * cutoff / half_width) ** 2, 0, None)
    window = np.where(inside > 0, np.i0(beta * np.sqrt(inside)) / np.i0(beta), 0.0)
    return np.asarray(cutoff * np.sinc(cutoff * u) * window)


@functools.lru_cache(maxsize=16)
def _polyphase(up: int, down: int, reach: int, cutoff: float, half_width: int, beta: float) -> Constant:
    """Matrix (taps, up): column p gives the p-th of `up` outputs from the inputs that begin `reach` - 1 earlier."""
    taps = (up - 1) * down // up + 2 * reach
    places = np.arange(up) * down / up + reach - 1
    return Constant(_kernel(places - np.arange(taps)[:, None], cutoff, half_width, beta))


def resample(
    y: ArrayLike,
    *,
    orig_sr: float,
    target_sr: float,
    half_width: int = 64,
    rolloff: float = 0.94,
    beta: float = 12.27,
    check_finite: bool = True,
) -> Array:
    """Resample a signal by windowed-sinc interpolation (Smith, "Digital Audio Resampling Home Page", 1984-2020).

    Output sample m is the band-limited signal at time m / target_sr; samples before and after the signal count as
    zero. With the defaults the response is flat up to 88 % of the lower Nyquist frequency and 120 dB down above it.

    Parameters
    ----------
    y : array, shape (..., n_samples)
    orig_sr, target_sr : float
        Sampling rates in Hz.
    half_width : int
        Zero crossings of the sinc on each side; more make the transition steeper.
    rolloff : float
        Cutoff as a part of the lower Nyquist frequency, at most 1.
    beta : float
        Shape of the Kaiser window; more is a deeper stop band and a wider transition.
    check_finite : bool
        Whether to search for NaN and infinite samples, which otherwise spoil what is around them.

    Returns
    -------
    array, shape (..., ceil(n_samples * target_sr / orig_sr))

    Raises
    ------
    ParameterError
        If a rate is not positive, or another parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.resample(np.ones(44100), orig_sr=44100, target_sr=16000).shape
    (16000,)
    """
    signal = as_signal(y)
    if check_finite:
        require_finite(signal)
    way = conversion(orig_sr, target_sr, half_width=half_width, rolloff=rolloff, beta=beta)
    if way.up == way.down:
        return signal
    return in_parts(lambda y: way.outputs(y, 0, 0, way.n_outputs(y.shape[-1])), signal)


@dataclass(frozen=True)
class Conversion:
    """From `down` inputs to `up` outputs, each from the inputs up to `reach` away."""

    up: int
    down: int
    reach: int
    cutoff: float
    half_width: int
    beta: float

    def n_outputs(self, n_samples: int) -> int:
        """Outputs for so many inputs."""
        return -(-n_samples * self.up // self.down)

    @property
    def by_matrix(self) -> bool:
        """Whether a matrix gives all outputs of a period."""
        return (self.down + 2 * self.reach) * self.up <= LARGEST_MATRIX

    def outputs(self, y: Array, begin: int, first: int, stop: int) -> Array:
        """Outputs `first` to before `stop`, from inputs that begin with number `begin`; what is outside is zero.

        With a matrix, `begin` must be a multiple of `down`.
        """
        if not self.by_matrix:
            return _by_taps(y, self, begin, first, stop)
        # Products of matrices are fast if each frame gives several outputs.
        several = -(-LEAST_OUTPUTS // self.up)
        up, down = several * self.up, several * self.down
        matrix = _polyphase(up, down, self.reach, self.cutoff, self.half_width, self.beta)
        before = begin // self.down * self.up
        needed = -(-(stop - before) * self.down // self.up)
        whole_signal = lengthened(y, 0, needed) if needed > y.shape[-1] else y
        return polyphase(whole_signal, up, down, self.reach, matrix)[..., first - before : stop - before]


def conversion(
    orig_sr: float, target_sr: float, *, half_width: int = 64, rolloff: float = 0.94, beta: float = 12.27
) -> Conversion:
    """Check the settings of `resample`, and return what they come to."""
    old, new = real("orig_sr", orig_sr, above=0), real("target_sr", target_sr, above=0)
    half_width, beta = whole("half_width", half_width, most=4096), real("beta", beta, least=0)
    rolloff = real("rolloff", rolloff, above=0)
    if rolloff > 1:
        raise ParameterError(f"rolloff={rolloff!r}: must be at most 1")
    # 2^20 keeps the drift over an hour of audio under a thousandth of a sample.
    ratio = (Fraction(new) / Fraction(old)).limit_denominator(2**20)
    if not 1 / LARGEST_RATIO <= ratio <= LARGEST_RATIO:
        raise ParameterError(
            f"target_sr={target_sr!r}: must be within a factor of {LARGEST_RATIO} of orig_sr={orig_sr!r}"
        )
    up, down = ratio.numerator, ratio.denominator
    cutoff = rolloff * min(1.0, up / down)
    return Conversion(up, down, math.ceil(half_width / cutoff), cutoff, half_width, beta)


@primitive
def polyphase(y: Array, up: int, down: int, reach: int, matrix: Constant) -> Array:
    """Frames of the input, `down` apart, times the polyphase matrix: `up` outputs each, block by block."""
    xp = namespace(y)
    n_out, taps = -(-y.shape[-1] * up // down), matrix.value.shape[0]
    count = -(-n_out // up)
    padded = lengthened(y, reach - 1, (count - 1) * down + taps)
    step = max(1, BLOCK // taps)
    blocks = []
    for first in range(0, count, step):
        n_frames = min(step, count - first)
        piece = padded[..., first * down : (first + n_frames - 1) * down + taps]
        with np.errstate(invalid="ignore"):  # infinite samples that were let in meet zeros of the matrix
            outputs = xp.matmul(frame(piece, taps, down), matrix.like(y))
        blocks.append(xp.reshape(outputs, (*y.shape[:-1], n_frames * up)))
    return xp.concat(blocks, axis=-1)[..., :n_out]


def _by_taps(y: Array, way: Conversion, begin: int, first: int, stop: int) -> Array:
    """Each output from the 2 reach inputs around it, with weights computed for its place, block by block."""
    xp, reach = namespace(y), way.reach
    taps = np.arange(2 * reach)
    # What is padded begins with the first input that any output needs.
    needed = first * way.down // way.up - reach + 1
    inside = y[..., max(0, needed - begin) :]
    padded = lengthened(inside, max(0, begin - needed), (stop - 1) * way.down // way.up + reach + 1 - needed)
    step = max(1, BLOCK // len(taps))
    blocks = []
    for start in range(first, stop, step):
        place, rest = np.divmod(np.arange(start, min(start + step, stop)) * way.down, way.up)
        index = xp.asarray((place[:, None] - reach + 1 - needed + taps).ravel())
        distances = (rest / way.up + reach - 1)[:, None] - taps
        weights = Constant(_kernel(distances, way.cutoff, way.half_width, way.beta)).like(y)
        values = xp.reshape(xp.take(padded, index, axis=-1), (*y.shape[:-1], *weights.shape))
        blocks.append(xp.sum(values * weights, axis=-1))
    return xp.concat(blocks, axis=-1)
