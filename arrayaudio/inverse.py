"""The way back: from spectra to waveforms."""

import math
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, namespace, plain, to_numpy
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, overlap_add, windowed_frames
from arrayaudio.primitive import primitive, pullback_of
from arrayaudio.project import fourier, half_weights, inverse_fourier

# Window sums below this part of the largest one are rounding errors, not weights to divide by.
NEGLIGIBLE = 1e-20
# The same part below which `scipy.signal.check_NOLA` calls a window not invertible.
NOLA_TOLERANCE = 1e-10


def require_invertible(window: np.ndarray, hop_length: int) -> None:
    """Raise ParameterError unless the squared, shifted windows cover every sample (the NOLA condition).

    The condition is that of Griffin and Lim (1984), as in `scipy.signal.check_NOLA`.
    """
    parts = -(-len(window) // hop_length)
    squares = np.pad(window**2, (0, parts * hop_length - len(window))).reshape(parts, hop_length).sum(axis=0)
    if squares.min() <= NOLA_TOLERANCE * squares.max():
        raise ParameterError(
            f"window and hop_length={hop_length} have no inverse: the sum of squared windows falls to "
            f"{squares.min():.3g} at sample {int(squares.argmin())} of each hop; use a shorter hop, or a window "
            "without zeros"
        )


@primitive
def synthesis(S: Array, framing: Framing, window: Constant) -> Array:
    """Inverse FFTs of (..., freq, n_frames), windowed and added up at their places: (..., n_covered).

    This is the adjoint of analysis without padding, up to the weights of the half spectrum.
    """
    frames = inverse_fourier(S, framing.frame_length)
    return overlap_add(frames * window.like(S), framing.hop_length)


@pullback_of(synthesis)
def _synthesis_pullback(S: Array, framing: Framing, window: Constant) -> Any:
    weights, bare = half_weights(framing.frame_length, 2.0), Framing(framing.frame_length, framing.hop_length)

    def pull(g: Array) -> Array:
        return fourier(windowed_frames(g, bare, window)) * (weights.like(g) / framing.frame_length)

    return synthesis(S, framing, window), pull


def squared_windows(S: Array, framing: Framing, window: Constant) -> Array:
    """Sum of the squared windows of the frames of `S` at each sample they cover: (n_covered,)."""
    xp = namespace(S)
    n_frames, length, hop = S.shape[-1], framing.frame_length, framing.hop_length
    n_parts = -(-length // hop)
    w = window.like(S)
    filler = xp.zeros((n_parts * hop - length,), dtype=w.dtype)
    parts = xp.reshape(xp.concat([w * w, filler]), (n_parts, hop))
    # Block b of the signal, of one hop, lies under part j of frame b - j, if there is such a frame.
    frame_number = np.arange(n_frames + n_parts - 1)[:, None] - np.arange(n_parts)
    under = Constant((frame_number >= 0) & (frame_number < n_frames)).like(S)
    return xp.reshape(xp.matmul(under, parts), (-1,))[: (n_frames - 1) * hop + length]


def istft(S: Array, framing: Framing, window: Constant, length: int | None = None) -> Array:
    """Waveform whose STFT is nearest to `S` in least squares (Griffin and Lim, 1984): (..., n_samples).

    Frames are windowed again, added up, and divided by the sum of the squared windows. Samples that no window
    reaches, at the ends of signals that were not padded, are zero.
    """
    frame_length, hop = framing.frame_length, framing.hop_length
    require_invertible(to_numpy(plain(window.value)), hop)
    if S.ndim < 2 or S.shape[-2] != 1 + frame_length // 2 or S.shape[-1] == 0:
        raise ParameterError(
            f"spectrum has shape {S.shape}: must be (..., {1 + frame_length // 2}, n_frames) for n_fft={frame_length}, "
            "with at least one frame"
        )
    n_frames = S.shape[-1]
    covered = (n_frames - 1) * hop + frame_length - framing.padding
    if length is None:
        length = covered - framing.padding
    if length < 1 or length > covered:
        raise ParameterError(
            f"length={length}: must be at least 1 and at most {covered}, which is what {n_frames} frames cover"
        )
    return weighed(synthesis(S, framing, window), squared_windows(S, framing, window), framing, window, length)


def weighed(added: Array, squares: Array, framing: Framing, window: Constant, length: int) -> Array:
    """Divide what `synthesis` added up by the squared windows, without the padding: (..., length)."""
    xp = namespace(added)
    here = slice(framing.padding, framing.padding + length)
    reached = squares[here] > NEGLIGIBLE * float(np.max(to_numpy(plain(window.value))) ** 2)
    return added[..., here] / xp.where(reached, squares[here], xp.full_like(squares[here], math.inf))
