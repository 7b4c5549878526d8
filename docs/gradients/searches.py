"""How near the gradient of a least-squares inverse comes to what it must be."""

import numpy as np
import scipy.signal

import arrayaudio as aa

ITERATIONS = (10, 30, 100)
SR, N = 4000, 3000
SETTINGS = {"sr": SR, "fmin": 100.0, "n_bins": 36, "hop_length": 16}


def distance(n_iter: int) -> float:
    """Relative difference of <gradient, A d> and <g, d>, for signals y, d and g within the band of the bins.

    The inverse brings the coefficients A (y + d) back to y + d, so a loss <g, inverse(C)> must grow by <g, d>.
    """
    band = scipy.signal.butter(8, [150, 500], "bandpass", fs=SR, output="sos")
    y, d, g = scipy.signal.sosfiltfilt(band, np.random.default_rng(3).standard_normal((3, N)))
    cqt = aa.CQT(**SETTINGS)
    gradient = aa.grad(lambda C: np.sum(g * cqt.inverse(C, length=N, n_iter=n_iter, tolerance=1e-12)))(cqt(y))
    growth = np.vdot(gradient, cqt(d)).real
    return float(f"{abs(growth - g @ d) / (np.linalg.norm(g) * np.linalg.norm(d)):.1e}")
