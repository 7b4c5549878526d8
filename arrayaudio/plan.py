"""A transform compiled: what happens between a waveform and its spectrogram, as one primitive."""

from dataclasses import dataclass
from typing import Literal

from arrayaudio.arrays import Array, Constant, contiguous
from arrayaudio.frames import Framing, windowed_frames
from arrayaudio.primitive import primitive
from arrayaudio.project import fourier, mix_rows
from arrayaudio.spectrum import Scaling, magnitude, phase, scaled

Detector = float | Literal["complex", "phase"]


@dataclass(frozen=True)
class Plan:
    """Frame, window, FFT, detector, filterbank, logarithm: everything `spectrogram` does, in that order.

    The detector is "complex", "phase", or the power to which magnitudes are raised. A bank is a matrix
    (n_bands, 1 + n_fft // 2). Fast versions may run the whole plan in one pass.
    """

    framing: Framing
    window: Constant
    detector: Detector = "complex"
    bank: Constant | None = None
    scaling: Scaling | None = None


@primitive
def spectrogram(y: Array, plan: Plan) -> Array:
    """Run `plan` on real signals: (..., n_samples) -> (..., freq, n_frames), C-contiguous."""
    S = fourier(windowed_frames(y, plan.framing, plan.window))
    if plan.detector == "phase":
        S = phase(S)
    elif plan.detector != "complex":
        S = magnitude(S, plan.detector)
    if plan.bank is not None:
        S = mix_rows(S, plan.bank)
    if plan.scaling is not None:
        S = scaled(S, plan.scaling)
    return contiguous(S)
