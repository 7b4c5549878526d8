"""The one table of tolerances: as tight as the number format allows, and never widened to make a test pass."""

import numpy as np

# Relative L2 error of spectra and waveforms; largest error of coefficients, as a part of the largest; and largest error
# of levels (after a logarithm), in units of the level.
SPECTRUM = {"float32": 1e-6, "float64": 1e-12}
PEAK = {"float32": 1e-6, "float64": 1e-12}
LEVELS = {"float32": 1e-5, "float64": 1e-12}
# Relative L2 error of products by tensor cores: each factor is within 2^-11 in TF32, and within 2^-18 as the sum of two
# bfloat16, whose small parts are not multiplied with each other.
PRODUCTS = {"tf32": 2.0**-10, "bf16x3": 2.0**-17} | {None: SPECTRUM["float32"]}


def dtype_of(x) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(str(x.dtype), str(x.dtype))


def relative_error(actual, expected) -> float:
    """||actual - expected|| / ||expected||, in double precision; the norm alone where the expected one is zero."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{actual.shape} is not {expected.shape}"
    norm = np.linalg.norm(expected.ravel())
    return float(np.linalg.norm((actual.astype(np.complex128) - expected).ravel()) / (norm or 1.0))


def assert_same_spectrum(actual, expected, dtype=None) -> None:
    """Spectra, features before a logarithm, and waveforms."""
    assert relative_error(actual, expected) <= SPECTRUM[dtype or dtype_of(actual)]


def assert_same_levels(actual, expected, dtype=None) -> None:
    """Features after a logarithm: the largest error, relative to the largest level."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{actual.shape} is not {expected.shape}"
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    assert float(np.abs(actual - expected).max(initial=0)) <= LEVELS[dtype or dtype_of(actual)] * scale


def peak_error(actual, expected) -> float:
    """The largest error as a part of the largest expected value; the error itself where the expected one is zero."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{actual.shape} is not {expected.shape}"
    largest = float(np.abs(expected).max(initial=0))
    return float(np.abs(actual.astype(np.complex128) - expected).max(initial=0)) / (largest or 1.0)


def assert_near_peak(actual, expected, dtype=None) -> None:
    """Coefficients of signals of any kind, each of them: those far under the largest count as little as they weigh."""
    assert peak_error(actual, expected) <= PEAK[dtype or dtype_of(actual)]
