"""Waveforms from magnitudes alone: the fast Griffin-Lim algorithm."""

import collections
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, namespace, on_device_of
from arrayaudio.checks import real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, overlap_add, windowed_frames
from arrayaudio.inverse import istft, squared_windows, weighed
from arrayaudio.parts import in_parts
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.primitive import primitive
from arrayaudio.project import fourier, inverse_fourier
from arrayaudio.reconstruction.phase_gradient import estimated_phases, stft_of
from arrayaudio.signals import as_complex, as_real
from arrayaudio.transforms.base import compiled
from arrayaudio.windows import Window

__all__ = ["griffinlim"]


def unit(X: Array) -> Array:
    """X / |X|; the phase of 0, and of what has too few digits to have one, is 0."""
    xp = namespace(X)
    size = xp.abs(X)
    known = size >= float(xp.finfo(size.dtype).smallest_normal)
    return xp.where(known, X, xp.ones_like(X)) / xp.where(known, size, xp.ones_like(size))


def initial_phases(init: Any, seed: int | None, S: Array) -> Array:
    """Complex numbers of magnitude 1 that can be multiplied with `S`."""
    xp = namespace(S)
    form = "complex64" if dtype_name(S) == "float32" else "complex128"
    if init is None:
        return cast(xp.ones_like(S), form)
    if isinstance(init, str):
        if init != "random":
            raise ParameterError(
                f"init={init!r}: must be 'random', 'pghi' (of an STFT), None, or an array of phases or coefficients"
            )
        turns = np.random.default_rng(seed).random(S.shape[-2:])
        return xp.asarray(np.exp(2j * np.pi * turns), dtype=getattr(xp, form))
    start = asarray(init)
    if start.shape not in (S.shape, S.shape[-2:]):
        raise ParameterError(f"init has shape {start.shape}: must be {S.shape}, or {S.shape[-2:]} for all items")
    namespace(S, start)
    if dtype_name(start).startswith("complex"):
        return cast(unit(as_complex(start, "init")), form)
    return cast(xp.exp(1j * as_complex(as_real(start, "init"))), form)


def of_each_item(init: Any, S: Array) -> list[Array]:
    """The initial phases in a list, if they are given for each item of `S` on its own."""
    given = [] if init is None or isinstance(init, str) else [asarray(init)]
    return [phases for phases in given if phases.shape == S.shape]


@primitive
def rephased(
    y: Array, previous: Array, S: Array, framing: Framing, window: Constant, momentum: float, gain: Array
) -> Array:
    """Give magnitudes `S` the phases of the STFT of y + momentum (y - previous), and go back: (..., n_samples).

    Inverse FFTs are windowed, added up and multiplied by `gain`, the inverse sum of the squared windows at each sample.
    """
    ahead = y + momentum * (y - previous)
    X = fourier(windowed_frames(ahead, framing, window))
    frames = inverse_fourier(S * unit(X), framing.frame_length)
    added = overlap_add(frames * window.like(S), framing.hop_length)
    return added[..., framing.padding : framing.padding + y.shape[-1]] * gain


def iterates(S: Array, phases: Array, plan: Plan, length: int | None, momentum: float) -> Iterator[Array]:
    """Yield the waveforms after 0, 1, 2, ... iterations.

    The algorithm lets t_n be the STFT of the n-th waveform y_n, and takes its next phases from t_n + a (t_n - t_{n-1}).
    The STFT is linear, so that is the STFT of y_n + a (y_n - y_{n-1}), and no spectrum must be kept.
    """
    framing, window, n_frames = plan.framing, plan.window, S.shape[-1]
    y = previous = istft(S * phases, framing, window, length)
    length = y.shape[-1]
    if framing.n_frames(length) != n_frames:
        raise ParameterError(
            f"length={length}: gives {framing.n_frames(length)} frames, and the spectrogram has {n_frames}; leave it "
            "out and cut the result"
        )
    squares = squared_windows(S, framing, window)
    gain = weighed(namespace(S).ones_like(squares), squares, framing, window, length)
    while True:
        yield y
        previous, y = y, rephased(y, previous, S, framing, window, momentum, gain)


def spectral_convergence(y: Array, S: Array, plan: Plan) -> Array:
    """||  |STFT(y)| - S  || / ||S|| of each item (Sturmel and Daudet, 2011), 0 for silence: shape (...)."""
    xp = namespace(S)
    error = spectrogram(y, Plan(plan.framing, plan.window, 1.0)) - S
    distance, norm = (xp.sqrt(xp.sum(D * D, axis=(-2, -1))) for D in (error, S))
    return distance / xp.where(norm > 0, norm, xp.ones_like(norm))


def watched(
    waveforms: Iterator[Array],
    S: Array,
    plan: Plan,
    tolerance: float | None,
    callback: Callable[[int, Any], Any] | None,
) -> Array:
    """Return the last waveform, or for each item the one at which it settled, and report on the way."""
    xp = namespace(S)
    result = next(waveforms)
    last = spectral_convergence(result, S, plan)
    settled = last < 0  # none
    for iteration, y in enumerate(waveforms, 1):
        result = xp.where(settled[..., None], result, y)
        now = spectral_convergence(result, S, plan)
        if callback is not None:
            callback(iteration, now)
        if tolerance is not None:
            settled = settled | (xp.abs(last - now) <= tolerance * last)
            if bool(xp.all(settled)):
                break
        last = now
    return result


def griffinlim(
    S: ArrayLike,
    *,
    n_iter: int = 32,
    hop_length: int | None = None,
    win_length: int | None = None,
    n_fft: int | None = None,
    window: Window = "hann",
    center: bool = True,
    length: int | None = None,
    pad_mode: str = "constant",
    momentum: float = 0.99,
    init: ArrayLike | None = "random",
    seed: int | None = None,
    tolerance: float | None = None,
    callback: Callable[[int, Any], Any] | None = None,
) -> Array:
    """Find a waveform whose STFT has the magnitudes `S`, by the fast Griffin-Lim algorithm.

    Each iteration takes the STFT of the waveform, replaces its magnitudes by `S`, and goes back (Griffin and Lim,
    1984); momentum speeds this up (Perraudin, Balazs and Sondergaard, 2013).

    Parameters
    ----------
    S : array, shape (..., 1 + n_fft // 2, n_frames)
        Magnitudes, not powers.
    n_iter : int
        Iterations at most; each takes one analysis and one synthesis.
    hop_length, win_length, window, center, pad_mode
        As given to `stft`. With the paddings "maximum", "minimum" and "median", which are not linear, momentum acts
        on the waveform alone.
    n_fft : int, optional
        As given to `stft`; 2 (rows - 1) by default, so odd ones must be given.
    length : int, optional
        Samples to return, as for `istft`; must give as many frames as `S` has.
    momentum : float
        How far to go on in the direction of the last change; 0 is the original algorithm, above 1 it may diverge.
    init : "random", "pghi", None or array
        Initial phases: random ones, those of `pghi`, zeros, or those of an array in radians or of complex
        coefficients, of the shape of `S` or of one item.
    seed : int, optional
        For random phases: the same seed gives the same phases to every item, on every library and device.
    tolerance : float, optional
        An item is left as it is once its spectral convergence, the relative error of its magnitudes, has changed by
        less than this part of its value; when all are, the iterations end.
    callback : callable, optional
        Called as `callback(iteration, spectral_convergence)` after each iteration, counted from 1; an array with one
        number for each item. This and `tolerance` cost one more analysis each iteration.

    Returns
    -------
    array, shape (..., length)

    Raises
    ------
    ParameterError
        If `S` has negative or infinite values, the window and the hop have no inverse, or a shape or the length does
        not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> S = aa.stft(np.sin(np.arange(8000.0)), n_fft=512, output="magnitude")
    >>> y = aa.griffinlim(S, seed=0)
    >>> error = aa.stft(y, n_fft=512, output="magnitude") - S
    >>> bool(np.linalg.norm(error) < 0.1 * np.linalg.norm(S))
    True
    """
    magnitudes, transform = stft_of(
        S, n_fft, hop_length=hop_length, win_length=win_length, window=window, center=center, pad_mode=pad_mode
    )
    n_iter, momentum = whole("n_iter", n_iter, least=0), real("momentum", momentum, least=0)
    wanted = None if length is None else whole("length", length, most=2**63 - 1)
    tolerance = None if tolerance is None else real("tolerance", tolerance, least=0)
    plan = compiled(transform)

    def found(S: Array, init: Any = init) -> Array:
        estimated = isinstance(init, str) and init == "pghi"
        phases = estimated_phases(S, plan, seed=seed) if estimated else initial_phases(init, seed, S)
        waveforms = itertools.islice(iterates(S, phases, plan, wanted, momentum), n_iter + 1)
        if tolerance is not None or callback is not None:
            return watched(waveforms, S, plan, tolerance, callback)
        return collections.deque(waveforms, maxlen=1).pop()

    if callback is not None:  # which hears of all items at once
        with on_device_of(magnitudes):
            return found(magnitudes)
    return in_parts(found, magnitudes, *of_each_item(init, magnitudes), axes=2)
