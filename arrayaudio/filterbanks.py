"""Filterbanks: matrices (n_bands, n_bins) that gather the bins of a spectrum into bands."""

import warnings

import numpy as np

from arrayaudio.checks import frequency_range, one_of, real, whole
from arrayaudio.errors import ArrayAudioWarning
from arrayaudio.scales import MEL_SCALES, fft_frequencies, hz_to_mel, mel_frequencies

NORMS = ("slaney", None)


def mel(
    *,
    sr: float,
    n_fft: int,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    norm: str | None = "slaney",
) -> np.ndarray:
    """Build a bank of triangular mel filters.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the FFT whose bins are gathered.
    n_mels : int
        Number of bands.
    fmin, fmax : float
        Lower edge of the first and upper edge of the last band, in Hz; fmax=None means sr / 2.
    mel_scale : "slaney", "htk" or "kaldi"
        Where the bands lie: see `hz_to_mel`. The triangles are straight in Hz for "slaney" and "htk", as in librosa,
        and straight in mel for "kaldi", which also leaves the Nyquist bin out (Kaldi, feat/mel-computations.cc).
    norm : "slaney" or None
        "slaney" divides each triangle by half its width in Hz, so that all have the same area.

    Returns
    -------
    array, shape (n_mels, 1 + n_fft // 2)

    Raises
    ------
    ParameterError
        If the range is empty or goes beyond sr / 2.

    Warns
    -----
    ArrayAudioWarning
        Once, naming the bands that are narrower than the bins and hence always zero.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.filters.mel(sr=16000, n_fft=400, n_mels=40).shape
    (40, 201)
    """
    n_mels, n_fft = whole("n_mels", n_mels), whole("n_fft", n_fft)
    low, high = frequency_range(fmin, fmax, real("sr", sr, above=0))
    one_of("mel_scale", mel_scale, MEL_SCALES), one_of("norm", norm, NORMS)
    edges_hz = mel_frequencies(n_mels + 2, fmin=low, fmax=high, mel_scale=mel_scale)
    bins, edges = fft_frequencies(sr=sr, n_fft=n_fft), edges_hz
    if mel_scale == "kaldi":
        bins, edges = (hz_to_mel(f, mel_scale=mel_scale) for f in (bins, edges_hz))
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre))
    weights = np.maximum(triangles, 0.0)
    if mel_scale == "kaldi" and n_fft % 2 == 0:
        weights[:, -1] = 0.0
    if norm == "slaney":
        weights *= 2 / (edges_hz[2:] - edges_hz[:-2])[:, None]
    empty = np.flatnonzero(~weights.any(axis=1))
    if empty.size:
        more = f" and {empty.size - 20} more" if empty.size > 20 else ""
        warnings.warn(
            f"mel bands {empty[:20].tolist()}{more} of {n_mels} fall between the bins of n_fft={n_fft} at sr={sr:g} Hz "
            "and stay zero: use fewer bands or a longer n_fft",
            ArrayAudioWarning,
            stacklevel=2,
        )
    return weights
