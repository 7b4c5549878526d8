"""A transform compiled: what happens between a waveform and its spectrogram, as one primitive."""

from dataclasses import dataclass

import numpy as np

from arrayaudio.arrays import Array, Constant, contiguous
from arrayaudio.frames import Framing, windowed_frames
from arrayaudio.nonuniform import Interpolation, fourier_at, interpolation
from arrayaudio.primitive import primitive
from arrayaudio.project import dense, fourier, fourier_basis, mix_rows
from arrayaudio.spectrum import Detector, Scaling, detected, scaled


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
    if plan.basis is not None:
        S = dense(y, plan.framing, plan.basis)
    else:
        frames = windowed_frames(y, plan.framing, plan.window)
        S = fourier(frames) if plan.frequencies is None else fourier_at(frames, plan.frequencies)
    S = detected(S, plan.detector)
    if plan.bank is not None:
        S = mix_rows(S, plan.bank)
    if plan.scaling is not None:
        S = scaled(S, plan.scaling)
    return contiguous(S)
