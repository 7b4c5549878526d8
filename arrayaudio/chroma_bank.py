"""Chroma banks: matrices (n_chroma, n_bins) that gather the bins of a spectrum by pitch class."""

import numpy as np

from arrayaudio.arrays import ArrayLike, to_numpy
from arrayaudio.checks import one_of, real, whole
from arrayaudio.errors import DTypeError, ParameterError
from arrayaudio.norms import checked_norm, normalised
from arrayaudio.scales import C1, as_values, hz_to_octs


def chroma(
    *,
    sr: float,
    n_fft: int,
    n_chroma: int = 12,
    tuning: float = 0.0,
    ctroct: float = 5.0,
    octwidth: float | None = 2.0,
    norm: float | None = 2.0,
    base_c: bool = True,
) -> np.ndarray:
    """Build a bank of Gaussian bumps around the pitch classes of all octaves (Ellis, 2007), as librosa's.

    Bin k lies at q = n_chroma log2(f / 27.5 Hz) and is w = max(1, q[k + 1] - q[k]) wide. Pitch class c gets
    exp(-2 (d / w)^2) of it, where d is the distance from q to the nearest c in any octave.

    Parameters
    ----------
    sr : float
        Sampling rate in Hz.
    n_fft : int
        Length of the FFT whose bins are gathered, at least 2.
    n_chroma : int
        Pitch classes in an octave.
    tuning : float
        Deviation from A = 440 Hz, in parts of a pitch class.
    ctroct, octwidth : float
        Octave, counted from A0 = 27.5 Hz, at which a Gaussian weight is centred, and its half width in octaves;
        octwidth=None weighs all octaves alike.
    norm : float or None
        Norm of each bin's weights, before that of its octave: 2, 1, inf, any other positive number, or None for none.
    base_c : bool
        Whether the first row is C; otherwise it is A.

    Returns
    -------
    array, shape (n_chroma, 1 + n_fft // 2)

    Raises
    ------
    ParameterError
        If a parameter breaks one of the rules above.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> bank = aa.filters.chroma(sr=16000, n_fft=4000)
    >>> int(bank[:, 110].argmax())  # 440 Hz is A, the ninth semitone above C
    9
    """
    n, n_fft, rate = whole("n_chroma", n_chroma), whole("n_fft", n_fft, least=2), real("sr", sr, above=0)
    centre, exponent = real("ctroct", ctroct), checked_norm(norm)
    width = None if octwidth is None else real("octwidth", octwidth, above=0)
    one_of("base_c", base_c, (True, False))
    pitches = n * hz_to_octs(np.arange(1, n_fft) * rate / n_fft, tuning=tuning, bins_per_octave=n)
    # The bin of 0 Hz has no pitch, and is put one and a half octaves under the next.
    pitches = np.concatenate([pitches[:1] - 1.5 * n, pitches])
    widths = np.append(np.maximum(np.diff(pitches), 1.0), 1.0)
    # For odd n, the turn of the octave lies at the whole number next to n / 2, to the even one from the middle.
    half = round(n / 2)
    distances = (pitches - np.arange(n)[:, None] + half) % n - half
    weights = normalised(np.exp(-2 * (distances / widths) ** 2), exponent)
    if width is not None:
        weights = weights * np.exp(-0.5 * ((pitches / n - centre) / width) ** 2)
    if base_c:
        weights = np.roll(weights, -3 * (n // 12), axis=0)
    return np.ascontiguousarray(weights[:, : 1 + n_fft // 2])


def cq_to_chroma(
    *,
    n_input: int,
    bins_per_octave: int = 12,
    n_chroma: int = 12,
    fmin: float | None = None,
    window: ArrayLike | None = None,
    base_c: bool = True,
) -> np.ndarray:
    """Build a bank that gathers the bins of a constant-Q transform by pitch class, as librosa's.

    Each class takes the bins_per_octave / n_chroma bins around it, of every octave.

    Parameters
    ----------
    n_input : int
        Bins of the transform.
    bins_per_octave : int
        Of these, in an octave; a multiple of n_chroma.
    n_chroma : int
        Pitch classes in an octave.
    fmin : float, optional
        Frequency of the lowest bin in Hz; C1, 32.7 Hz, by default.
    window : array, optional
        Weights with which each class's bins are smoothed along frequency.
    base_c : bool
        Whether the first row is C; otherwise it is A.

    Returns
    -------
    array, shape (n_chroma, n_input)

    Raises
    ------
    ParameterError
        If a parameter breaks one of the rules above.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.filters.cq_to_chroma(n_input=24, n_chroma=12)[9].nonzero()[0]
    array([ 9, 21])
    """
    n_input, n, per_octave = (
        whole("n_input", n_input),
        whole("n_chroma", n_chroma),
        whole("bins_per_octave", bins_per_octave),
    )
    lowest = C1 if fmin is None else real("fmin", fmin, above=0)
    one_of("base_c", base_c, (True, False))
    if per_octave % n:
        raise ParameterError(f"bins_per_octave={per_octave}: must be a multiple of n_chroma={n}")
    merged = per_octave // n
    pitch = 69 + 12 * np.log2(lowest / 440)
    first = round((pitch % 12 - (0 if base_c else 9)) * n / 12)
    classes = ((np.arange(n_input) + merged // 2) // merged + first) % n
    weights = (classes == np.arange(n)[:, None]).astype(np.float64)
    if window is None:
        return weights
    taper = smoothing(window)
    skip = (taper.size - 1) // 2
    return np.stack([np.convolve(row, taper)[skip : skip + n_input] for row in weights])


def smoothing(window: ArrayLike) -> np.ndarray:
    """Return the weights bins are smoothed with, one-dimensional, finite and not empty, or raise ParameterError."""
    try:
        weights = to_numpy(as_values(window))
    except DTypeError as error:
        raise ParameterError(f"window={error}") from error
    if weights.ndim != 1 or weights.size == 0 or not np.isfinite(weights).all():
        raise ParameterError(f"window of shape {weights.shape}: must be one-dimensional, finite and not empty")
    return weights
