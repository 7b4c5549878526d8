"""A transform compiled: what happens between a waveform and its spectrogram, as one primitive."""

from dataclasses import dataclass

from arrayaudio.arrays import Array, Constant, contiguous
from arrayaudio.frames import Framing, windowed_frames
from arrayaudio.nonuniform import Interpolation, fourier_at, interpolation
from arrayaudio.primitive import primitive
from arrayaudio.project import fourier, mix_rows
from arrayaudio.spectrum import Detector, Scaling, detected, scaled


@dataclass(frozen=True)
class Plan:
    """Frame, window, FFT, detector, filterbank, logarithm: everything `spectrogram` does, in that order.

    The detector is "complex", "phase", or the power to which magnitudes are raised. A bank is a matrix
    (n_bands, n_rows). Rows are the 1 + n_fft // 2 of the FFT, or at other, ascending frequencies in cycles per sample.
    Fast versions may run the whole plan in one pass.
    """

    framing: Framing
    window: Constant
    detector: Detector = "complex"
    bank: Constant | None = None
    scaling: Scaling | None = None
    frequencies: Constant | None = None

    def interpolation(self, y: Array) -> Interpolation | None:
        """How the FFT of frames of `y` gives the rows at other frequencies; None if they are not found that way."""
        if self.frequencies is None:
            return None
        return interpolation(self.frequencies, self.framing.frame_length, y)


@primitive
def spectrogram(y: Array, plan: Plan) -> Array:
    """Run `plan` on real signals: (..., n_samples) -> (..., freq, n_frames), C-contiguous."""
    frames = windowed_frames(y, plan.framing, plan.window)
    S = fourier(frames) if plan.frequencies is None else fourier_at(frames, plan.frequencies)
    S = detected(S, plan.detector)
    if plan.bank is not None:
        S = mix_rows(S, plan.bank)
    if plan.scaling is not None:
        S = scaled(S, plan.scaling)
    return contiguous(S)
