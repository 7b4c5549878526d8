"""A transform compiled: what happens between a waveform and its spectrogram, as one primitive."""

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, contiguous, device, namespace
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.conditioning import Conditioning, conditioned
from arrayaudio.constants import Constant
from arrayaudio.dense import dense
from arrayaudio.frames import INDEX_MODES, Framing, framed, pad, windowed_frames
from arrayaudio.inverse import synthesis
from arrayaudio.nonuniform import Interpolation, fourier_at, interpolation
from arrayaudio.pcm import in_floats
from arrayaudio.primitive import primitive, pullback_of
from arrayaudio.project import fourier, fourier_basis, half_weights, mix_rows
from arrayaudio.spectrum import Detector, Scaling, along, detected, modulus, scaled
from arrayaudio.unpadding import unpad


@dataclass(frozen=True)
class Plan:
    """Frame, window, FFT, detector, filterbank, logarithm: everything `spectrogram` does, in that order.

    The detector is "complex", "phase", or the power to which magnitudes are raised. A bank is a matrix
    (n_bands, n_rows). Rows are the 1 + n_fft // 2 of the FFT, or at other, ascending frequencies in cycles per sample.
    A basis (2, n_rows, n_fft) takes the place of window and FFT; its products with frames may be made in less
    precision, on a GPU. Conditioning comes before the window. Fast versions may run the whole plan in one pass.
    """

    framing: Framing
    window: Constant
    detector: Detector = "complex"
    bank: Constant | None = None
    scaling: Scaling | None = None
    frequencies: Constant | None = None
    basis: Constant | None = None
    precision: str | None = None
    conditioning: Conditioning | None = None

    @property
    def n_fft(self) -> int:
        """The length of the FFT."""
        return self.framing.frame_length if self.conditioning is None else self.conditioning.n_fft

    @property
    def taped(self) -> bool:
        """Whether it holds arrays on the tape."""
        return any(part is not None and part.taped for part in (self.window, self.bank, self.basis))

    def shape(self, signals: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the result for signals of a shape (..., n_samples)."""
        n_rows = 1 + self.n_fft // 2
        if self.frequencies is not None:
            n_rows = self.frequencies.value.shape[0]
        if self.basis is not None:
            n_rows = self.basis.value.shape[1]
        if self.bank is not None:
            n_rows = self.bank.value.shape[0]
        return (*signals[:-1], n_rows, self.framing.n_frames(signals[-1]))

    def dtype(self, signals: Any) -> np.dtype[Any]:
        """The dtype of the result for signals of a dtype; what is stored in less than single precision has that."""
        signals = np.float64 if np.dtype(signals).itemsize > 4 else np.float32
        return np.result_type(signals, np.complex64 if self.detector == "complex" else signals)

    def fourier_basis(self) -> np.ndarray:
        """The basis that does what conditioning, window and FFT do."""
        n_fft = self.n_fft
        rows = np.arange(n_fft // 2 + 1) / n_fft if self.frequencies is None else self.frequencies.value
        basis = fourier_basis(self.window.value, rows)
        return basis if self.conditioning is None else basis @ self.conditioning.matrix(self.framing.frame_length)

    def interpolation(self, y: Array) -> Interpolation | None:
        """How the FFT of frames of `y` gives the rows at other frequencies; None if they are not found that way."""
        if self.frequencies is None:
            return None
        return interpolation(self.frequencies, self.framing.frame_length, y)


@primitive
def spectrogram(y: Array, plan: Plan) -> Array:
    """Run `plan` on real signals: (..., n_samples) -> (..., freq, n_frames), C-contiguous.

    Fast versions may read signals as they are stored, in half precision or 16 bits of PCM.
    """
    y = in_floats(y)
    if plan.bank is not None and not plan.bank.fixed:
        # What comes before a bank that is learned may still be fast.
        S = spectrogram(y, dataclasses.replace(plan, bank=None, scaling=None))
        return contiguous(_levels(mix_rows(S, plan.bank), plan))
    if plan.basis is not None:
        S = dense(y, plan.framing, plan.basis, plan.precision)
    elif plan.conditioning is not None:
        frames = conditioned(framed(y, plan.framing), plan.conditioning) * plan.window.like(y)
        S = fourier(frames, plan.n_fft)
    else:
        frames = windowed_frames(y, plan.framing, plan.window)
        S = fourier(frames) if plan.frequencies is None else fourier_at(frames, plan.frequencies)
    return contiguous(_seen(S, plan))


@primitive
def written(out: Array, y: Array, plan: Plan) -> Array:
    """Write `spectrogram(y, plan)` to `out`, C-contiguous and perhaps in half precision, and return it."""
    with np.errstate(over="ignore"):
        out[...] = spectrogram(y, plan)
    return out


def _seen(S: Array, plan: Plan) -> Array:
    """What a plan makes of complex coefficients."""
    S = detected(S, plan.detector)
    return _levels(S if plan.bank is None else mix_rows(S, plan.bank), plan)


def _levels(S: Array, plan: Plan) -> Array:
    return S if plan.scaling is None else scaled(S, plan.scaling)


@primitive
def gabor_multiplier(y: Array, G: Array, framing: Framing, window: Constant, directions: bool) -> Array:
    """Multiply the STFT X of signals by real `G`, or its directions X / |X|, and go back: (..., n_covered).

    Inverse FFTs are windowed and added up; frames are not padded. The direction of 0 is 0.
    """
    X = spectrogram(y, Plan(framing, window))
    return synthesis(along(G, X, modulus(X)) if directions else G * X, framing, window)


# Coefficients that the way back holds at a time: few on a CPU, whose cache they fit, and many to keep a GPU busy.
AT_A_TIME = {"cpu": 2**17}
AT_A_TIME_ELSEWHERE = 2**24


@pullback_of(spectrogram)
def _spectrogram_pullback(y: Array, plan: Plan) -> Any:
    """Back through levels, then, part by part, through what became of the coefficients, and the STFT by its adjoint.

    Coefficients are computed again, so no more of them are ever held than a part has.
    """
    framing = plan.framing
    special = (plan.basis, plan.frequencies, plan.conditioning)
    if any(part is not None for part in special) or framing.pad_mode not in INDEX_MODES:
        return NotImplemented
    columns = AT_A_TIME.get(device(y), AT_A_TIME_ELSEWHERE) // (1 + framing.frame_length // 2)
    # Items have the same parts in any batch, so that they do not depend on each other to the last bit.
    n_frames = max(1, columns)
    n_items = max(1, columns // framing.n_frames(y.shape[-1]))

    def pull(g: Array) -> Array:
        xp, count = namespace(y), math.prod(y.shape[:-1])
        g = xp.reshape(g, (count, *g.shape[-2:]))
        items = xp.reshape(y, (count, y.shape[-1]))
        found = xp.zeros_like(items)
        for k in range(0, count, n_items):
            here = slice(k, min(k + n_items, count))
            found[here, :] = _by_frames(g[here, ...], items[here, :], plan, n_frames)
        return xp.reshape(found, y.shape)

    return spectrogram(y, plan), pull


def _before_levels(g: Array, y: Array, plan: Plan) -> Array:
    """Gradient of what a plan takes the logarithm of."""
    if plan.scaling is None:
        return g
    _, back = vjp(lambda S: _levels(S, plan), spectrogram(y, dataclasses.replace(plan, scaling=None)))
    return back(g)[0]


def _by_frames(g: Array, y: Array, plan: Plan, n_frames: int) -> Array:
    """Gradient of signals (n_items, n_samples), so many frames at a time."""
    framing, window, flat = plan.framing, plan.window, dataclasses.replace(plan, scaling=None)
    length, hop = framing.frame_length, framing.hop_length
    bare, weights = Framing(length, hop), _adjoint_weights(length, 1.0)
    padded, g = pad(y, framing.padding, framing.pad_mode), _before_levels(g, y, plan)
    total = namespace(y).zeros_like(padded)
    for first in range(0, g.shape[-1], n_frames):
        part = g[..., first : min(first + n_frames, g.shape[-1])]
        here = slice(first * hop, (first + part.shape[-1] - 1) * hop + length)
        if plan.detector in (1.0, 2.0):
            factors = _of_magnitudes(part, plan, plan.detector)
            total[:, here] += gabor_multiplier(padded[:, here], factors, bare, window, plan.detector == 1.0)
            continue
        if plan.detector != "complex":
            _, back = vjp(lambda X: _seen(X, flat), spectrogram(padded[:, here], Plan(bare, window)))
            (part,) = back(part)
        total[:, here] += synthesis(part * weights.like(part), bare, window)
    return unpad(total, framing.padding, framing.pad_mode)


def _of_magnitudes(g: Array, plan: Plan, exponent: float) -> Array:
    """Gradient of |X| as multiples of X / |X|, or of |X|^2 as multiples of X, with the weights of `synthesis`."""
    xp, n_fft = namespace(g), plan.framing.frame_length
    if plan.bank is None:
        return g * _adjoint_weights(n_fft, exponent).like(g)
    if plan.bank.fixed:
        return xp.matmul(plan.bank.derived(_adjoint_bank, n_fft, exponent).like(g), g)
    return xp.matmul(xp.matrix_transpose(plan.bank.like(g)), g) * _adjoint_weights(n_fft, exponent).like(g)


@functools.lru_cache(maxsize=32)
def _adjoint_weights(n_fft: int, factor: float) -> Constant:
    """What makes the inverse FFT, which takes bins between 0 Hz and half the rate for two, the adjoint of the FFT."""
    return Constant(factor * n_fft * half_weights(n_fft, 0.5).value)


def _adjoint_bank(bank: np.ndarray, n_fft: int, factor: float) -> Constant:
    """The adjoint of a bank, with these weights."""
    return Constant(_adjoint_weights(n_fft, factor).value * bank.T)
