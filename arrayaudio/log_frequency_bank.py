"""Matrices that read spectra and periods on a logarithmic axis of frequency."""

import numpy as np


def log_frequencies(fmin: float, fmax: float, bins_per_octave: int) -> np.ndarray:
    """Return all fmin 2^(i / bins_per_octave), i = -1, 0, 1, ..., below `fmax`: the centres, with one more at each end.

    There may be too few for a single centre.
    """
    count = int(np.ceil(np.log2(fmax / fmin) * bins_per_octave)) + 1
    hz = fmin * 2.0 ** (np.arange(-1, count) / bins_per_octave)
    return hz[hz < fmax]


def interpolation(places: np.ndarray, n_points: int) -> np.ndarray:
    """Triangles over the points 0, 1, ..., from each place to its neighbours, and at least to the next points.

    Where the places lie closer than the points this interpolates, so that no row is empty. `places`, in points, rise or
    fall, and have one more at each end: (len(places) - 2, n_points).
    """
    point = np.arange(n_points)
    before, centre, after = (places[i : len(places) - 2 + i, None] for i in range(3))
    reach_down = np.maximum(centre - np.minimum(before, after), 1.0)
    reach_up = np.maximum(np.maximum(before, after) - centre, 1.0)
    return np.maximum(np.minimum(1 - (centre - point) / reach_down, 1 - (point - centre) / reach_up), 0.0)


def _open_triangles(hz: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Triangles over points in Hz, from each frequency to its neighbours; 0 also where a point meets the centre."""
    before, centre, after = (hz[i : len(hz) - 2 + i, None] for i in range(3))
    weights = np.minimum((points - before) / (centre - before), (after - points) / (after - centre))
    return np.where(points == centre, 0.0, np.maximum(weights, 0.0))


def published_frequency_matrix(hz: np.ndarray, n_fft: int, sr: float) -> np.ndarray:
    """Build the matrix for spectra as the program of Su and Yang does, slips included: see `CFP`."""
    bins = np.arange(1 + n_fft // 2)
    last = max(n_fft // 2 - 1, 1)
    first, end = (np.round(edges * n_fft / sr)[:, None] for edges in (hz[:-2], hz[2:]))
    weights = np.where((bins >= first) & (bins <= end), _open_triangles(hz, bins * (sr / 2 / last)), 0.0)
    weights = np.where(first == end, bins == first, weights)
    weights[0] = 0.0
    return weights


def published_period_matrix(hz: np.ndarray, n_fft: int, sr: float) -> np.ndarray:
    """Build the matrix for periods as the program of Su and Yang does, slips included: see `CFP`."""
    with np.errstate(divide="ignore"):
        points = 1 / (np.arange(1 + n_fft // 2) / sr)
    weights = _open_triangles(hz, points)
    weights[0] = 0.0
    return weights
