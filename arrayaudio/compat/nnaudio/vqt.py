"""nnAudio's variable-Q transform."""

from arrayaudio.compat.nnaudio.constant_q import ConstantQLayer
from arrayaudio.windows import Window

__all__ = ["VQT"]


class VQT(ConstantQLayer):
    """Variable-Q transform by octaves, with nnAudio's arguments.

    Within 4e-4 of the largest coefficient for the Hann window: see `arrayaudio.CQT`.

    Parameters
    ----------
    gamma : float
        Bandwidth in Hz that all kernels have in addition; 0 gives the constant-Q transform.
    basis_norm : float or None
        The `norm` of `CQT1992v2`.
    norm, earlydownsample, verbose
        Without effect: coefficients are always normalised, and thinned where that changes nothing.
    trainable : bool
        Whether `params` holds these arrays, to be learned: see `with_params`.
    sr, hop_length, fmin, fmax, n_bins, filter_scale, bins_per_octave, window, pad_mode, output_format
        As for `CQT1992v2`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.VQT(gamma=10)(np.ones(22050)).shape
    (1, 84, 44)
    """

    def __init__(
        self,
        sr: float = 22050,
        hop_length: int = 512,
        fmin: float = 32.70,
        fmax: float | None = None,
        n_bins: int = 84,
        filter_scale: float = 1,
        bins_per_octave: int = 12,
        norm: bool = True,  # noqa: ARG002
        basis_norm: float | None = 1,
        gamma: float = 0,
        window: Window = "hann",
        pad_mode: str = "reflect",
        earlydownsample: bool = True,  # noqa: ARG002
        trainable: bool = False,
        output_format: str = "Magnitude",
        verbose: bool = True,  # noqa: ARG002
    ) -> None:
        super().__init__(
            sr=sr,
            hop_length=hop_length,
            fmin=fmin,
            fmax=fmax,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            filter_scale=filter_scale,
            norm=basis_norm,
            gamma=gamma,
            window=window,
            pad_mode=pad_mode,
            output_format=output_format,
            trainable={"trainable": trainable},
            method="2010v2",
        )
