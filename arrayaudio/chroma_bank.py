"""The chroma bank: a matrix (n_chroma, n_bins) that gathers the bins of a spectrum by pitch class."""

import numpy as np

from arrayaudio.checks import one_of, real, whole
from arrayaudio.norms import checked_norm, normalised
from arrayaudio.scales import hz_to_octs


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
