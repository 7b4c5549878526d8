"""A transform compiled: what happens between a waveform and its spectrogram, as one primitive."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, Constant, contiguous
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.frames import INDEX_MODES, Framing, lengthened, windowed_frames
from arrayaudio.inverse import synthesis
from arrayaudio.nonuniform import Interpolation, fourier_at, interpolation
from arrayaudio.primitive import primitive, pullback_of
from arrayaudio.project import dense, fourier, fourier_basis, half_weights, mix_rows
from arrayaudio.spectrum import Detector, Scaling, detected, scaled
from arrayaudio.unpadding import unpad


@dataclass(frozen=True)
class Plan:
    """Frame, window, FFT, detector, filterbank, logarithm: everything `spectrogram` does, in that order.

    The detector is "complex", "phase", or the power to which magnitudes are raised. A bank is a matrix
    (n_bands, n_rows). Rows are the 1 + n_fft // 2 of the FFT, or at other, ascending frequencies in cycles per sample.
    A basis (2, n_rows, n_fft) takes the place of window and FFT. Fast versions may run the whole plan in one pass.
    """

    framing: Framing
    window: Constant
    detector: Detector = "complex"
    bank: Constant | None = None
    scaling: Scaling | None = None
    frequencies: Constant | None = None
    basis: Constant | None = None

    @property
    def taped(self) -> bool:
        """Whether it holds arrays on the tape."""
        return any(part is not None and part.taped for part in (self.window, self.bank, self.basis))

    def fourier_basis(self) -> np.ndarray:
        """The basis that does what window and FFT do."""
        n_fft = self.framing.frame_length
        rows = np.arange(n_fft // 2 + 1) / n_fft if self.frequencies is None else self.frequencies.value
        return fourier_basis(self.window.value, rows)

    def interpolation(self, y: Array) -> Interpolation | None:
        """How the FFT of frames of `y` gives the rows at other frequencies; None if they are not found that way."""
        if self.frequencies is None:
            return None
        return interpolation(self.frequencies, self.framing.frame_length, y)


@primitive
def spectrogram(y: Array, plan: Plan) -> Array:
    """Run `plan` on real signals: (..., n_samples) -> (..., freq, n_frames), C-contiguous."""
    if plan.bank is not None and not plan.bank.fixed:
        # What comes before a bank that is learned may still be fast.
        S = spectrogram(y, dataclasses.replace(plan, bank=None, scaling=None))
        return contiguous(_levels(mix_rows(S, plan.bank), plan))
    if plan.basis is not None:
        S = dense(y, plan.framing, plan.basis)
    else:
        frames = windowed_frames(y, plan.framing, plan.window)
        S = fourier(frames) if plan.frequencies is None else fourier_at(frames, plan.frequencies)
    return contiguous(_seen(S, plan))


def _seen(S: Array, plan: Plan) -> Array:
    """What a plan makes of complex coefficients."""
    S = detected(S, plan.detector)
    return _levels(S if plan.bank is None else mix_rows(S, plan.bank), plan)


def _levels(S: Array, plan: Plan) -> Array:
    return S if plan.scaling is None else scaled(S, plan.scaling)


@pullback_of(spectrogram)
def _spectrogram_pullback(y: Array, plan: Plan) -> Any:
    """Back through what became of the coefficients, which are computed again, and through the STFT by its adjoint."""
    framing, window = plan.framing, plan.window
    if plan.basis is not None or plan.frequencies is not None or framing.pad_mode not in INDEX_MODES:
        return NotImplemented
    weights = half_weights(framing.frame_length, 0.5)

    def pull(g: Array) -> Array:
        if plan.detector != "complex":
            _, back = vjp(lambda X: _seen(X, plan), spectrogram(y, Plan(framing, window)))
            (g,) = back(g)
        frames = framing.frame_length * synthesis(g * weights.like(g), framing, window)
        padded = lengthened(frames, 0, y.shape[-1] + 2 * framing.padding)
        return unpad(padded, framing.padding, framing.pad_mode)

    return spectrogram(y, plan), pull
