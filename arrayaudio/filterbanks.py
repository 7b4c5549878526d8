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
    weights = _triangles(bins, edges)
    if mel_scale == "kaldi" and n_fft % 2 == 0:
        weights[:, -1] = 0.0
    if norm == "slaney":
        weights *= 2 / (edges_hz[2:] - edges_hz[:-2])[:, None]
    _warn_of_empty_bands("mel", weights, n_fft, sr)
    return weights


def linear(*, sr: float, n_fft: int, n_filter: int = 128, fmin: float = 0.0, fmax: float | None = None) -> np.ndarray:
    """Build a bank of triangular filters of height 1, equally spaced in Hz, as torchaudio's `linear_fbanks`.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the FFT whose bins are gathered.
    n_filter : int
        Number of bands.
    fmin, fmax : float
        Lower edge of the first and upper edge of the last band, in Hz; fmax=None means sr / 2.

    Returns
    -------
    array, shape (n_filter, 1 + n_fft // 2)

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
    >>> aa.filters.linear(sr=8000, n_fft=4, n_filter=1)
    array([[0., 1., 0.]])
    """
    n_filter, n_fft = whole("n_filter", n_filter), whole("n_fft", n_fft)
    low, high = frequency_range(fmin, fmax, real("sr", sr, above=0))
    weights = _triangles(fft_frequencies(sr=sr, n_fft=n_fft), np.linspace(low, high, n_filter + 2))
    _warn_of_empty_bands("linear", weights, n_fft, sr)
    return weights


def _triangles(bins: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Triangles that rise from one edge to the next and fall to the one after it: (len(edges) - 2, len(bins))."""
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre)), 0.0)


def _warn_of_empty_bands(kind: str, weights: np.ndarray, n_fft: int, sr: float) -> None:
    empty = np.flatnonzero(~weights.any(axis=1))
    if empty.size:
        more = f" and {empty.size - 20} more" if empty.size > 20 else ""
        warnings.warn(
            f"{kind} bands {empty[:20].tolist()}{more} of {len(weights)} fall between the bins of n_fft={n_fft} at "
            f"sr={sr:g} Hz and stay zero: use fewer bands or a longer n_fft",
            ArrayAudioWarning,
            stacklevel=3,
        )
