"""Waveforms from magnitudes in one pass: the slopes of the phase follow from those of the magnitudes.

For a Gaussian window exp(-pi n^2 / gamma) the logarithm of the STFT is, up to a known factor, an analytic function.
Its imaginary part, the phase, then has the slopes of its real part, the logarithm of the magnitude, turned by 90
degrees (Portnoff, 1979). Prusa, Balazs and Sondergaard (2017) take the same slopes for other windows, with the gamma of
the nearest Gaussian, and integrate them along the loudest cells, where they are exact enough.
"""

import math
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, cast, dtype_name, namespace, to_numpy
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.inverse import istft
from arrayaudio.parts import in_parts
from arrayaudio.plan import Plan
from arrayaudio.reconstruction.heap_integration import heap_phases
from arrayaudio.spectrum import as_energies
from arrayaudio.transforms.base import compiled
from arrayaudio.transforms.stft import STFT
from arrayaudio.windows import Window

__all__ = ["pghi"]

TOLERANCE = 1e-6


def centre(window: np.ndarray) -> float:
    """Where the energy of a window has its middle, in samples."""
    energy = window**2
    return float(np.arange(len(window)) @ energy / energy.sum())


def gaussian_gamma(window: np.ndarray) -> float:
    """The gamma in samples^2 for which exp(-pi n^2 / gamma) is nearest, in least squares, to the window of peak 1.

    Searched around that of a Gaussian with the same variance. This gives the published constants, such as
    0.256 win_length^2 for Hann, to three digits.
    """
    peak = window / window[np.abs(window).argmax()]
    squares = (np.arange(len(window)) - centre(window)) ** 2
    start = 4 * math.pi * max(float(squares @ peak**2 / (peak @ peak)), 1 / 12)

    def gaussians(gammas: np.ndarray) -> np.ndarray:
        return np.exp(-np.pi * squares / gammas[:, None])

    trials = start * 2.0 ** np.linspace(-5, 5, 81)
    # The squared norm of the Gaussian itself, over the whole line, is sqrt(gamma / 2).
    best = int(np.argmin(np.sqrt(trials / 2) - 2 * gaussians(trials) @ peak))
    low, high = trials[max(best - 1, 0)], trials[min(best + 1, 80)]
    for _ in range(60):
        middle = np.sqrt(low * high)
        derivative = np.sqrt(1 / (8 * middle)) - 2 * np.pi / middle**2 * (gaussians(middle[None]) @ (squares * peak))[0]
        low, high = (low, middle) if derivative > 0 else (middle, high)
    return float(high)


def log_ratio(M: Array, above: np.ndarray, below: np.ndarray, axis: int, floor: Array) -> Array:
    """The logarithm of magnitudes over others, picked by their indices on an axis; both are raised to the floor."""
    xp = namespace(M)
    upper, lower = (xp.maximum(xp.take(M, xp.asarray(index), axis=axis), floor) for index in (above, below))
    return xp.log(upper / lower)


def phase_slopes(M: Array, floor: Array, plan: Plan, lookahead: int | None) -> tuple[Array, Array]:
    """Slopes of the phase of an STFT in radians per frame and per bin, from its magnitudes (..., n_frames, n_bins).

    With the phase counted from the middle of the window, and s the logarithm of the magnitude:

        d phase / d frame = 2 pi k hop / n_fft + hop n_fft / gamma ds / dk
        d phase / d bin = - gamma / (hop n_fft) ds / dt

    Counted from the start of the frame, as the STFT does, it falls by 2 pi centre / n_fft more with each bin. The
    derivatives are differences over two bins or frames; without a frame to come, over the last three frames.
    """
    n_fft, hop = plan.framing.frame_length, plan.framing.hop_length
    gamma, middle = plan.window.derived(gaussian_gamma), plan.window.derived(centre)
    n_frames, n_bins = M.shape[-2:]
    t, k = np.arange(n_frames), np.arange(n_bins)
    # The spectrum of a real signal goes on beyond both ends as in a mirror; signals go on as they begin and end.
    around = (k + np.array([[1], [-1]])) % n_fft
    above, below = np.minimum(around, n_fft - around)
    before, long_before, after = np.maximum(t - 1, 0), np.maximum(t - 2, 0), np.minimum(t + 1, n_frames - 1)
    over_bins = log_ratio(M, above, below, -1, floor) / 2
    if lookahead == 0:
        over_frames = 1.5 * log_ratio(M, t, before, -2, floor) - 0.5 * log_ratio(M, before, long_before, -2, floor)
    else:
        over_frames = log_ratio(M, after, before, -2, floor) / 2
    # Whole turns are left out where they can be counted exactly.
    turns = Constant(2 * np.pi * (k * hop % n_fft) / n_fft).like(M)
    return turns + hop * n_fft / gamma * over_bins, -2 * math.pi * middle / n_fft - gamma / (hop * n_fft) * over_frames


def estimated_phases(
    S: Array, plan: Plan, *, tolerance: float = TOLERANCE, lookahead: int | None = None, seed: int | None = None
) -> Array:
    """Complex numbers of magnitude 1 that can be multiplied with the magnitudes `S`, (..., freq, n_frames)."""
    xp = namespace(S)
    M = cast(xp.matrix_transpose(S), "float64")
    # Drawn frame after frame, so that they do not depend on the frames to come.
    known = 2 * np.pi * np.random.default_rng(seed).random(M.shape[-2:])
    causal = lookahead is not None
    if causal:  # before the first frame there was one like it, with phases of zero
        M = xp.concat([M[..., :1, :], M], axis=-2)
        known = np.concatenate([np.zeros_like(known[:1]), known])
    peak = xp.max(M, axis=-1, keepdims=True)
    if causal:
        peak = xp.maximum(peak, xp.concat([peak[..., :1, :], peak[..., :-1, :]], axis=-2))
    else:
        peak = xp.max(peak, axis=-2, keepdims=True)
    floor = tolerance * peak
    wanted = M > floor
    floor = xp.where(floor > 0, floor, xp.ones_like(floor))
    in_time, in_frequency = phase_slopes(M, floor, plan, lookahead)
    found = heap_phases(to_numpy(M), to_numpy(wanted), to_numpy(in_time), to_numpy(in_frequency), known, causal)
    phases = xp.asarray(found)[..., int(causal) :, :]
    units = xp.exp(1j * cast(xp.matrix_transpose(phases), "complex128"))
    return cast(units, "complex64" if dtype_name(S) == "float32" else "complex128")


def stft_of(S: ArrayLike, n_fft: int | None, **settings: Any) -> tuple[Array, STFT]:
    """Check magnitudes, and find the STFT that gave them; `n_fft` is 2 (rows - 1) by default."""
    magnitudes = as_energies(S)
    rows, n_frames = magnitudes.shape[-2:]
    if n_fft is None:
        if rows < 2:
            raise ParameterError(f"spectrogram has shape {magnitudes.shape}: must have at least two rows; give n_fft")
        n_fft = 2 * (rows - 1)
    transform = STFT(n_fft=n_fft, **settings)
    if rows != 1 + transform.n_fft // 2 or n_frames == 0:
        raise ParameterError(
            f"spectrogram has shape {magnitudes.shape}: must be (..., {1 + transform.n_fft // 2}, n_frames) for "
            f"n_fft={transform.n_fft}, with at least one frame"
        )
    return magnitudes, transform


def pghi(
    S: ArrayLike,
    *,
    hop_length: int | None = None,
    win_length: int | None = None,
    n_fft: int | None = None,
    window: Window = "hann",
    center: bool = True,
    length: int | None = None,
    pad_mode: str = "constant",
    tolerance: float = TOLERANCE,
    lookahead: int | None = None,
    seed: int | None = None,
) -> Array:
    """Find a waveform with the STFT magnitudes `S` in one pass, by phase gradient heap integration.

    For windows near a Gaussian the slopes of the phase follow from those of the magnitude's logarithm; they are
    integrated from the loudest cells to ever softer ones (Prusa, Balazs and Sondergaard, 2017). The more frames
    overlap, by 7/8 rather than 3/4, the better the slopes. `griffinlim(S, init="pghi")` goes on from here.

    The integration takes one cell after the other, so it runs on the CPU: the magnitudes and slopes of a CuPy array are
    copied to the host, which waits for the device, and the phases back. Items of a batch are shared among threads.

    Parameters
    ----------
    S : array, shape (..., 1 + n_fft // 2, n_frames)
        Magnitudes, not powers.
    hop_length, win_length, window, center, pad_mode
        As given to `stft`; the padding has no effect.
    n_fft : int, optional
        As given to `stft`; 2 (rows - 1) by default, so odd ones must be given.
    length : int, optional
        Samples to return, as for `istft`.
    tolerance : float
        Cells not louder than this part of the loudest get random phases; at least 1e-100 and less than 1.
    lookahead : None, 0 or 1
        None looks at all frames. 0 and 1 are the form for real time (Prusa and Rajmic, 2017): the phases of a frame
        depend on those before it, and on 0 or 1 frames after it. The tolerance then counts from the loudest cell of
        the frame and the one before.
    seed : int, optional
        For random phases: the same seed gives the same phases to every item, on every library and device.

    Returns
    -------
    array, shape (..., length)

    Raises
    ------
    ParameterError
        If `S` has negative or infinite values, the window and the hop have no inverse, or a setting, a shape or the
        length does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = aa.stft(np.sin(np.arange(8000.0)), n_fft=512, hop_length=64, output="magnitude")
    >>> y = aa.pghi(S, hop_length=64, seed=0)
    >>> error = aa.stft(y, n_fft=512, hop_length=64, output="magnitude") - S
    >>> bool(np.linalg.norm(error) < 0.1 * np.linalg.norm(S))
    True
    """
    magnitudes, transform = stft_of(
        S, n_fft, hop_length=hop_length, win_length=win_length, window=window, center=center, pad_mode=pad_mode
    )
    wanted = None if length is None else whole("length", length, most=2**63 - 1)
    tolerance = real("tolerance", tolerance, least=1e-100)
    if tolerance >= 1:
        raise ParameterError(f"tolerance={tolerance:g}: must be less than 1, as in 1e-6")
    one_of("lookahead", lookahead, (None, 0, 1))
    plan = compiled(transform)

    def found(S: Array) -> Array:
        phases = estimated_phases(S, plan, tolerance=tolerance, lookahead=lookahead, seed=seed)
        return istft(S * phases, plan.framing, plan.window, wanted)

    return in_parts(found, magnitudes, axes=2)
