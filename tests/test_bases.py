"""The cosine basis of the cepstrum against the loops, SciPy and librosa."""

import librosa
import numpy as np
import pytest
import scipy.fft

from arrayaudio.bases import DCT_NORMS, DCT_TYPES, cepstral

from . import naive
from .tolerances import assert_same_spectrum

kinds = pytest.mark.parametrize("kind", DCT_TYPES)
norms = pytest.mark.parametrize("norm", DCT_NORMS)


@kinds
@norms
@pytest.mark.parametrize("lifter", [0.0, 22.0, 4.5])
@pytest.mark.parametrize(("n_out", "n_in"), [(1, 2), (5, 5), (13, 20)])
def test_the_basis_gives_the_cepstrum_of_the_loops(kind, norm, lifter, n_out, n_in, rng):
    log_mel = rng.standard_normal((n_in, 3))
    basis = cepstral(n_out, n_in, kind, norm, lifter).value
    assert basis.shape == (n_out, n_in)
    assert_same_spectrum(basis @ log_mel, naive.mfcc(log_mel, n_out, kind, norm == "ortho", lifter))


@kinds
@norms
def test_without_a_lifter_it_is_scipys_transform(kind, norm, rng):
    x = rng.standard_normal((40, 7))
    expected = scipy.fft.dct(x, type=kind, norm=norm, axis=0)
    assert_same_spectrum(cepstral(13, 40, kind, norm, 0.0).value @ x, expected[:13])


@kinds
@norms
@pytest.mark.parametrize("lifter", [0, 22])
def test_it_gives_librosas_mfcc(kind, norm, lifter, rng):
    S = rng.standard_normal((26, 5))
    expected = librosa.feature.mfcc(S=S, n_mfcc=13, dct_type=kind, norm=norm, lifter=lifter)
    assert_same_spectrum(cepstral(13, 26, kind, norm, float(lifter)).value @ S, expected)


@kinds
def test_orthonormal_bases_keep_lengths(kind):
    basis = cepstral(16, 16, kind, "ortho", 0.0).value
    np.testing.assert_allclose(basis @ basis.T, np.eye(16), rtol=0, atol=1e-14)


def test_the_lifter_weighs_the_rows_from_one():
    plain, liftered = (cepstral(12, 20, 2, "ortho", lifter).value for lifter in (0.0, 22.0))
    gains = 1 + 11 * np.sin(np.pi * np.arange(1, 13) / 22)
    np.testing.assert_allclose(liftered, plain * gains[:, None], rtol=1e-14, atol=0)


def test_bases_are_built_once_and_cannot_be_changed():
    basis = cepstral(13, 40, 2, "ortho", 0.0)
    assert cepstral(13, 40, 2, "ortho", 0.0) is basis
    with pytest.raises(ValueError, match="read-only"):
        basis.value[0, 0] = 1.0
