"""nnAudio's constant-Q kernels, whose lengths are whole numbers, and what its CQT and VQT classes share."""

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, on_device_of
from arrayaudio.checks import one_of, real, whole
from arrayaudio.compat.nnaudio.layer import Layer, as_pairs, checked_format, named, variant
from arrayaudio.constant_q.bank import Bank
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import pad
from arrayaudio.reconstruction.griffin_lim import unit
from arrayaudio.signals import require_finite
from arrayaudio.transforms.base import settings
from arrayaudio.transforms.cqt import NORMALIZATIONS, ConstantQ, scales
from arrayaudio.windows import get_window


@dataclass(frozen=True)
class Gaussian:
    """nnAudio's ("gaussian", attenuation): a Gaussian that has fallen by so many dB at its ends, at any length."""

    attenuation: float

    def __call__(self, length: int) -> np.ndarray:
        """Return the window of `length` samples, with a standard deviation of whole samples."""
        std = math.ceil(length / 2 / math.sqrt(2 * math.log(10) * self.attenuation / 20))
        return get_window(("gaussian", std), length)


@settings
class WholeLengthQ(ConstantQ):
    """Variable-Q transform as nnAudio defines it: a kernel has ceil(Q sr / (f + gamma / alpha)) samples.

    Here alpha = 2^(1 / bins_per_octave) - 1 and Q = filter_scale / alpha.
    """

    gamma: float = 0.0

    def __post_init__(self) -> None:
        self._replace(gamma=real("gamma", self.gamma, least=0))
        super().__post_init__()
        if isinstance(self.window, tuple) and self.window[0] == "gaussian":
            real("attenuation of the gaussian window", self.window[1], above=0)

    @property
    def lengths(self) -> np.ndarray:
        """Length of the kernel of each row in samples."""
        alpha = 2 ** (1 / self.bins_per_octave) - 1
        return np.ceil(self.filter_scale / alpha * self.sr / (self.frequencies + self.gamma / alpha))

    @functools.cached_property
    def bank(self) -> Bank:
        """The kernels, and how they meet the frames."""
        bank = super().bank
        wavelets = bank.wavelets
        if self.norm is None:  # what is not divided by its norm is divided by its length
            factors = np.array(wavelets.factors) / self.lengths
            wavelets = dataclasses.replace(wavelets, factors=tuple(factors.tolist()))
        if isinstance(self.window, tuple) and self.window[0] == "gaussian":
            wavelets = dataclasses.replace(wavelets, window=Gaussian(self.window[1]))
        return dataclasses.replace(bank, wavelets=wavelets)


class ConstantQLayer(Layer):
    """What nnAudio's CQT and VQT classes share."""

    transform: WholeLengthQ

    def __init__(
        self,
        *,
        fmin: float,
        fmax: float | None,
        n_bins: int | None,
        bins_per_octave: int,
        norm: Any,
        window: Any,
        output_format: str,
        trainable: dict[str, Any],
        **rest: Any,
    ) -> None:
        transform = WholeLengthQ(
            fmin=fmin,
            n_bins=whole("n_bins", n_bins) if fmax is None else bins_below(fmax, fmin, bins_per_octave),
            bins_per_octave=bins_per_octave,
            norm=1.0 if norm is True else norm or None,
            window=named(window),
            normalization="convolutional",
            **rest,
        )
        super().__init__(transform, **trainable)
        self.output_format = checked_format(output_format)

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        return self.transform.frequencies

    @property
    def kernel_width(self) -> int:
        """Samples of a frame: the power of two that holds the longest kernel, which decides where frames begin."""
        width = self.transform.framing.frame_length
        return int(max(width, 2 ** math.ceil(math.log2(self.transform.lengths[0]))))

    def forward(self, x: ArrayLike, output_format: str | None = None, normalization_type: str = "librosa") -> Array:
        """Transform signals (batch, n_samples) into (batch, n_bins, time), or (batch, n_bins, time, 2).

        The latter holds real and imaginary parts for "Complex", and for "Phase" cosine and sine of the phase, counted
        from the middle of the frame. Coefficients are multiplied by the square root of the length of their kernel
        ("librosa"), by 1 ("convolutional") or by 2 ("wrap").
        """
        wanted = checked_format(output_format or self.output_format)
        one_of("normalization_type", normalization_type, NORMALIZATIONS)
        detector = "magnitude" if wanted == "Magnitude" else "complex"
        y = self._signals(x)
        with on_device_of(y):
            inside, transform = self._placed(y)
            # Kernels that are learned are those of "convolutional", whatever the normalisation of a call.
            own = "convolutional" if transform._given else normalization_type
            C = variant(transform, output=detector, normalization=own)(inside)
            if own != normalization_type:
                C = C * Constant(scales(normalization_type, transform.lengths)[:, None]).like(C)
            if wanted == "Magnitude":
                return C
            return as_pairs(unit(C) if wanted == "Phase" else C)

    def _placed(self, y: Array) -> tuple[Array, WholeLengthQ]:
        """The samples that arrayaudio's frames, no wider than the longest kernel, take from those of nnAudio's."""
        framing, n_samples = self.transform.framing, y.shape[-1]
        if not self.transform.center:
            if n_samples < self.kernel_width:
                raise ParameterError(
                    f"signal has {n_samples} samples: must have at least {self.kernel_width}, the width of a frame; "
                    "center=True takes shorter ones"
                )
            margin = (self.kernel_width - framing.frame_length) // 2
            return y[:, margin : n_samples - margin], self.transform
        if n_samples < framing.min_length:
            require_finite(y)
            return pad(y, framing.padding, framing.pad_mode), variant(self.transform, center=False)
        return y, self.transform


def bins_below(fmax: float, fmin: float, bins_per_octave: int) -> int:
    """How many bins from `fmin` on are below `fmax`."""
    octaves = math.log2(real("fmax", fmax, above=real("fmin", fmin, above=0)) / fmin)
    return math.ceil(whole("bins_per_octave", bins_per_octave) * octaves)
