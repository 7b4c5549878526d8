"""The way back through a plan whose rows are not those of the FFT: there is no formula, so it is solved for."""

import numpy as np

from arrayaudio.arrays import Array, device, namespace
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, overlap_add
from arrayaudio.inverse import squared_windows
from arrayaudio.least_squares import Operator, least_squares
from arrayaudio.nonuniform import fourier_at_adjoint
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.spectrum import power
from arrayaudio.unpadding import unpad

# Frequencies and samples that weigh less than this part of the heaviest are not raised further by preconditioning:
# where no row and no window reaches, there is nothing to raise.
LEAST_WEIGHT = 1e-3


def adjoint(S: Array, plan: Plan, length: int) -> Array:
    """Adjoint of the plan of complex rows at `plan.frequencies`: (..., freq, n_frames) -> (..., length)."""
    assert plan.frequencies is not None
    xp, framing = namespace(S), plan.framing
    frames = fourier_at_adjoint(S, plan.frequencies, framing.frame_length)
    covered = overlap_add(frames * plan.window.like(frames), framing.hop_length)
    padded = length + 2 * framing.padding
    rest = xp.zeros((*covered.shape[:-1], padded - covered.shape[-1]), dtype=covered.dtype)
    return unpad(xp.concat([covered, rest], axis=-1), framing.padding, framing.pad_mode)


def preconditioner(plan: Plan, length: int, n_frames: int) -> Operator:
    """Approximate inverse of A* A: a filter between two square roots of weights in time, so that it is symmetric.

    With a hop of one sample, A* A filters with the window's autocorrelation times sum_k cos(2 pi frequencies[k] n), and
    longer hops do so on average. How often a sample is counted, the squared windows tell.
    """
    import scipy.fft

    assert plan.frequencies is not None
    framing, window = plan.framing, plan.window.value
    n_fft = framing.frame_length
    autocorrelation = np.fft.irfft(np.abs(np.fft.rfft(window, n=2 * n_fft)) ** 2, n=2 * n_fft)[:n_fft]
    cosines = fourier_at_adjoint(np.ones((len(plan.frequencies.value), 1), np.complex128), plan.frequencies, n_fft)[0]
    n = int(scipy.fft.next_fast_len(length + n_fft, real=True))
    half = autocorrelation * cosines
    response = 2 * np.fft.rfft(half, n=n).real - half[0]
    squares = squared_windows(np.zeros((1, n_frames)), framing, plan.window)[framing.padding :][:length]
    in_bins = Constant(_relative(response))
    in_time = Constant(np.sqrt(_relative(np.pad(squares, (0, length - len(squares))))))

    def precondition(y: Array) -> Array:
        xp = namespace(y)
        spectrum = xp.fft.rfft(y / in_time.like(y), n=n, axis=-1) / in_bins.like(y)
        return xp.fft.irfft(spectrum, n=n, axis=-1)[..., :length] / in_time.like(y)

    return precondition


def _relative(weight: np.ndarray) -> np.ndarray:
    return np.maximum(weight / (weight.max() or 1.0), LEAST_WEIGHT)


def checked_length(S: Array, framing: Framing, length: int | None) -> int:
    """The length of a signal whose frames are those of `S`, the shortest by default, or ParameterError."""
    n_frames = S.shape[-1]
    shortest = (n_frames - 1) * framing.hop_length + framing.frame_length - 2 * framing.padding
    found = shortest if length is None else length
    if found < 1 or not shortest <= found < shortest + framing.hop_length:
        raise ParameterError(
            f"length={length}: must be from {max(1, shortest)} to {shortest + framing.hop_length - 1}, of which "
            f"signals have {n_frames} frames as the spectrum has"
        )
    return found


def require_finite_rows(S: Array) -> None:
    """Raise ParameterError if a spectrum in host memory has NaN or infinite values; for a GPU this would wait."""
    xp = namespace(S)
    if device(S) == "cpu" and not bool(xp.all(xp.isfinite(S))):
        raise ParameterError("spectrum has NaN or infinite values: repair them, or pass check_finite=False")


def nearest(S: Array, plan: Plan, length: int | None, n_iter: int, tolerance: float | None) -> tuple[Array, Array]:
    """Signals (..., length) whose rows are nearest to `S` in least squares, and their relative distances (...)."""
    assert plan.frequencies is not None
    n_rows = len(plan.frequencies.value)
    if S.ndim < 2 or S.shape[-2] != n_rows or S.shape[-1] == 0:
        raise ParameterError(
            f"spectrum has shape {S.shape}: must be (..., {n_rows}, n_frames) as this transform has {n_rows} rows, "
            "with at least one frame"
        )
    n_samples = checked_length(S, plan.framing, length)
    return least_squares(
        lambda y: spectrogram(y, plan),
        lambda rows: adjoint(rows, plan, n_samples),
        S,
        n_iter,
        tolerance,
        precondition=preconditioner(plan, n_samples, S.shape[-1]),
    )


def distance(y: Array, S: Array, plan: Plan) -> Array:
    """||S - rows of y|| / ||S|| of each item, 0 for silence: shape (...)."""
    xp = namespace(S)
    checked_length(S, plan.framing, y.shape[-1])
    error, norm = (xp.sqrt(xp.sum(power(D), axis=(-2, -1))) for D in (S - spectrogram(y, plan), S))
    return error / xp.where(norm > 0, norm, xp.ones_like(norm))
