"""nnAudio's five constant-Q classes, which differ in their arguments and ways more than in their numbers."""

import math

from arrayaudio.checks import real, whole
from arrayaudio.compat.nnaudio.constant_q import ConstantQLayer
from arrayaudio.windows import Window

__all__ = ["CQT", "CQT1992", "CQT2010", "CQT1992v2", "CQT2010v2"]


class CQT1992v2(ConstantQLayer):
    """Constant-Q transform with nnAudio's arguments; exact, each kernel in the way that is cheaper.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    hop_length : int
        Samples from one frame to the next.
    fmin : float
        Frequency of the lowest bin in Hz.
    fmax : float, optional
        If given, there are as many bins as lie below it, and n_bins counts for nothing.
    n_bins, bins_per_octave : int
        Number of bins, and of those in an octave.
    filter_scale : float
        Kernels are so much longer.
    norm : float or None
        Exponent of the norm by which kernels are divided; None, 0 and False divide them by their length instead.
    window : str, tuple or number
        As for `arrayaudio.CQT`; but ("gaussian", a) has fallen by a dB at the ends of each kernel, and a number is the
        shape of a Kaiser window.
    center : bool
        False keeps the frames that lie inside the signal, as wide as the power of two that holds the longest kernel.
    pad_mode : str
        As for `arrayaudio.CQT`; "reflect" goes to and fro where the signal is short.
    trainable : bool
        Whether `params` holds the kernels of all bins, to be learned: see `with_params`.
    output_format : "Magnitude", "Complex" or "Phase"
        What a call returns if it asks for nothing else.
    verbose
        Without effect.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> layer = Spectrogram.CQT1992v2()
    >>> layer(np.ones((2, 22050), dtype=np.float32)).shape
    (2, 84, 44)
    >>> layer(np.ones(22050), output_format="Complex", normalization_type="wrap").shape
    (1, 84, 44, 2)
    """

    def __init__(
        self,
        sr: float = 22050,
        hop_length: int = 512,
        fmin: float = 32.70,
        fmax: float | None = None,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        filter_scale: float = 1,
        norm: float | None = 1,
        window: Window = "hann",
        center: bool = True,
        pad_mode: str = "reflect",
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
            norm=norm,
            window=window,
            center=center,
            pad_mode=pad_mode,
            output_format=output_format,
            trainable={"trainable": trainable},
        )


class CQT(CQT1992v2):
    """Another name of `CQT1992v2`."""


class CQT1992(ConstantQLayer):
    """Constant-Q transform by kernels in the frequency domain (Brown and Puckette, 1992); exact.

    Parameters
    ----------
    n_bins : int, optional
        84, or as many as lie up to sr / 2, by default.
    trainable_CQT : bool
        Whether `params` holds the kernels of all bins, to be learned: see `with_params`.
    trainable_STFT : bool
        Must be False: there is no Fourier basis behind the kernels here.
    sr, hop_length, fmin, fmax, bins_per_octave, filter_scale, norm, window, center, pad_mode, output_format
        As for `CQT1992v2`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.CQT1992()(np.ones(22050)).shape
    (1, 68, 44)
    """

    def __init__(
        self,
        sr: float = 22050,
        hop_length: int = 512,
        fmin: float = 220,
        fmax: float | None = None,
        n_bins: int | None = None,
        trainable_STFT: bool = False,
        trainable_CQT: bool = False,
        bins_per_octave: int = 12,
        filter_scale: float = 1,
        output_format: str = "Magnitude",
        norm: float | None = 1,
        window: Window = "hann",
        center: bool = True,
        pad_mode: str = "reflect",
    ) -> None:
        if n_bins is None:
            octaves = math.log2(real("sr", sr, above=0) / 2 / real("fmin", fmin, above=0))
            n_bins = max(1, min(84, math.floor(whole("bins_per_octave", bins_per_octave) * octaves) + 1))
        super().__init__(
            sr=sr,
            hop_length=hop_length,
            fmin=fmin,
            fmax=fmax,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            center=center,
            pad_mode=pad_mode,
            output_format=output_format,
            trainable={"trainable_STFT": trainable_STFT, "trainable_CQT": trainable_CQT},
            method="1992",
        )


class CQT2010(ConstantQLayer):
    """Constant-Q transform by octaves, kernels in the frequency domain (Schoerkhuber and Klapuri, 2010).

    Within 4e-4 of the largest coefficient for the Hann window: see `arrayaudio.CQT`.

    Parameters
    ----------
    basis_norm : float or None
        The `norm` of `CQT1992v2`.
    norm, earlydownsample, verbose
        Without effect: coefficients are always normalised, and thinned where that changes nothing.
    trainable_CQT : bool
        Whether `params` holds the kernels of all bins, to be learned: see `with_params`.
    trainable_STFT : bool
        Must be False: there is no Fourier basis behind the kernels here.
    sr, hop_length, fmin, fmax, n_bins, bins_per_octave, window, pad_mode, filter_scale, output_format
        As for `CQT1992v2`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.CQT2010()(np.ones(22050)).shape
    (1, 84, 44)
    """

    def __init__(
        self,
        sr: float = 22050,
        hop_length: int = 512,
        fmin: float = 32.70,
        fmax: float | None = None,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        norm: bool = True,  # noqa: ARG002
        basis_norm: float | None = 1,
        window: Window = "hann",
        pad_mode: str = "reflect",
        trainable_STFT: bool = False,
        filter_scale: float = 1,
        trainable_CQT: bool = False,
        output_format: str = "Magnitude",
        earlydownsample: bool = True,  # noqa: ARG002
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
            window=window,
            pad_mode=pad_mode,
            output_format=output_format,
            trainable={"trainable_STFT": trainable_STFT, "trainable_CQT": trainable_CQT},
            method="2010",
        )


class CQT2010v2(ConstantQLayer):
    """Constant-Q transform by octaves, kernels in the time domain (Schoerkhuber and Klapuri, 2010).

    Within 4e-4 of the largest coefficient for the Hann window: see `arrayaudio.CQT`.

    Parameters
    ----------
    basis_norm : float or None
        The `norm` of `CQT1992v2`.
    norm, earlydownsample, verbose
        Without effect: coefficients are always normalised, and thinned where that changes nothing.
    trainable : bool
        Whether `params` holds the kernels of all bins, to be learned: see `with_params`.
    sr, hop_length, fmin, fmax, n_bins, filter_scale, bins_per_octave, window, pad_mode, output_format
        As for `CQT1992v2`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.compat import nnaudio as Spectrogram
    >>> Spectrogram.CQT2010v2(hop_length=500)(np.ones(22050)).shape
    (1, 84, 45)
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
            window=window,
            pad_mode=pad_mode,
            output_format=output_format,
            trainable={"trainable": trainable},
            method="2010v2",
        )
