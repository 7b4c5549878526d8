"""Where nnAudio's constant-Q classes are not what they say: how far theirs and ours are from the exact sums."""

import warnings

import numpy as np
import pytest
import torch

from arrayaudio.compat import nnaudio

from .nnaudio_peer import complex_of, complex_of_theirs, paired, run, theirs
from .tolerances import relative_error

MIDDLE = {"sr": 8000, "hop_length": 128, "fmin": 110.0, "n_bins": 36}
OCTAVES = ["CQT2010", "CQT2010v2", "VQT"]


def measured(name, y, **options):
    """Relative errors of ours and of nnAudio's against the exact sums in float64, over all frames but the outer ten."""
    exact = complex_of("CQT1992v2", y.astype(np.float64), **options)[..., 10:-10]
    ours, peer = (of(name, y, **options)[..., 10:-10] for of in (complex_of, complex_of_theirs))
    return relative_error(ours, exact), relative_error(peer, exact), np.linalg.norm(peer) / np.linalg.norm(exact)


class TestIsRightWhereNnaudioIsNot:
    def test_low_octaves_do_not_lag(self, rng):
        """Ours is 1.6e-5 off, theirs 0.13: its low-pass filter of 256 taps delays each octave by half a sample."""
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        for name in ("CQT2010v2", "VQT"):
            ours, peer, loudness = measured(name, y, **MIDDLE)
            assert ours < 4e-5 < 0.1 < peer < 0.2
            assert abs(loudness - 1) < 1e-3

    def test_magnitudes_are_near_nnaudios_all_the_same(self, rng):
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = np.abs(complex_of("CQT1992v2", y.astype(np.float64), **MIDDLE))[..., 10:-10]
        for name in OCTAVES:
            ours = getattr(nnaudio, name)(**MIDDLE)(y)[..., 10:-10]
            peer = run(theirs(name, verbose=False, **MIDDLE), y)[..., 10:-10]
            assert relative_error(ours, exact) < 4e-5 < 2e-3 < relative_error(peer, exact) < 5e-3

    def test_edges_are_padded_before_the_rate_is_halved(self, rng):
        """Theirs is 0.13 off at the edges in magnitude, where zeros go into its filters; ours is 1.6e-5 off."""
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = np.abs(complex_of("CQT1992v2", y.astype(np.float64), **MIDDLE))[..., :3]
        ours = nnaudio.CQT2010v2(**MIDDLE)(y)[..., :3]
        peer = run(theirs("CQT2010v2", verbose=False, **MIDDLE), y)[..., :3]
        assert relative_error(ours, exact) < 4e-5 < 0.01 < relative_error(peer, exact)

    @pytest.mark.parametrize(("name", "loudness"), [("CQT2010", 0.5), ("CQT2010v2", 2.0)])
    def test_early_downsampling_changes_no_levels(self, name, loudness, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE | {"n_bins": 12}
        ours, _, theirs_to_exact = measured(name, y, **options)
        assert ours < 4e-5
        assert abs(theirs_to_exact - loudness) < 0.01
        late = complex_of(name, y, **options, earlydownsample=False)
        np.testing.assert_array_equal(late, complex_of(name, y, **options))

    def test_early_downsampling_reads_the_right_octave_of_the_vqt(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE | {"n_bins": 12}
        ours, peer, _ = measured("VQT", y, **options)
        assert ours < 4e-5 < 1 < peer

    def test_coefficients_are_no_conjugates(self, rng):
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = complex_of("CQT1992v2", y.astype(np.float64), **MIDDLE)
        peer = complex_of_theirs("CQT2010", y, **MIDDLE)
        assert relative_error(peer[..., 10:-10], exact[..., 10:-10]) > 1
        assert relative_error(peer.conj()[..., 10:-10], exact[..., 10:-10]) < 0.2
        assert relative_error(complex_of("CQT2010", y, **MIDDLE), exact) < 4e-5

    def test_phases_are_those_of_the_coefficients(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE
        exact = complex_of("CQT1992v2", y.astype(np.float64), **options)
        peer = paired(run(theirs("CQT1992", output_format="Phase", **options), y))
        assert relative_error(np.abs(exact) * peer.conj(), exact) < 1e-3  # nnAudio's Phase is the conjugate's
        ours = paired(nnaudio.CQT1992(output_format="Phase", **options)(y))
        assert relative_error(np.abs(exact) * ours, exact) <= 1e-6

    def test_convolutional_coefficients_have_one_scale(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE
        exact = complex_of("CQT1992v2", y.astype(np.float64), "convolutional", **options)
        for name, width in (("CQT1992", 2048), ("CQT2010", 512)):
            peer = complex_of_theirs(name, y, "convolutional", **options)
            assert abs(np.linalg.norm(peer) / np.linalg.norm(exact) - width) < 0.05 * width
            assert relative_error(complex_of(name, y, "convolutional", **options), exact) < 4e-5

    @pytest.mark.parametrize("hop_length", [160, 441, 500])
    def test_any_hop_is_fine(self, hop_length, rng):
        y = rng.standard_normal((1, 22050)).astype(np.float32)
        exact = complex_of("CQT1992v2", y.astype(np.float64), hop_length=hop_length)
        for name in OCTAVES:
            found = complex_of(name, y, hop_length=hop_length)
            assert found.shape == (1, 84, 1 + 22050 // hop_length)
            assert relative_error(found, exact) < 4e-5
        with pytest.raises(RuntimeError, match="must match"):
            complex_of_theirs("CQT2010v2", y, hop_length=hop_length)

    def test_the_window_and_fmax_count(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE
        for name in OCTAVES:
            exact = complex_of("CQT1992v2", y.astype(np.float64), window="blackman", **options)
            assert relative_error(complex_of(name, y, window="blackman", **options), exact) < 4e-5
            plain, windowed = (complex_of_theirs(name, y, window=w, **options) for w in ("hann", "blackman"))
            np.testing.assert_array_equal(plain, windowed)
            assert len(getattr(nnaudio, name)(fmax=500.0, **options).frequencies) == 27
            assert len(theirs(name, fmax=500.0, verbose=False, **options).frequencies) == 36

    @pytest.mark.parametrize("basis_norm", [1, 2, None])
    def test_the_norm_of_kernels_counts(self, basis_norm, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), MIDDLE
        exact = complex_of("CQT1992v2", y.astype(np.float64), norm=basis_norm, **options)
        for name in OCTAVES:
            ours = complex_of(name, y, basis_norm=basis_norm, **options)
            assert relative_error(ours, exact) < 1e-4
            np.testing.assert_array_equal(complex_of(name, y, basis_norm=basis_norm, norm=False, **options), ours)

    def test_gamma_goes_on_to_zero(self, rng):
        y, options = rng.standard_normal((1, 4000)), MIDDLE
        at_zero = complex_of("VQT", y, gamma=0, **options)
        np.testing.assert_array_equal(at_zero, complex_of("CQT2010v2", y, **options))
        assert relative_error(complex_of("VQT", y, gamma=1e-9, **options), at_zero) < 1e-6

    def test_the_defaults_of_cqt1992_work(self, rng):
        y = rng.standard_normal((1, 22050)).astype(np.float32)
        with pytest.raises(ValueError, match="exceeded the Nyquist"):
            theirs("CQT1992")
        layer = nnaudio.CQT1992()
        assert layer(y).shape == (1, 68, 44)
        assert layer.frequencies[-1] <= 11025 < layer.frequencies[-1] * 2 ** (1 / 12)
        assert len(nnaudio.CQT1992(sr=44100, fmin=110).frequencies) == 84
        assert len(nnaudio.CQT1992(sr=8000, fmin=500).frequencies) == 37  # 4000 Hz is three octaves up

    def test_other_windows_with_parameters_work(self, rng):
        with warnings.catch_warnings(), pytest.raises(TypeError):
            warnings.simplefilter("ignore")
            theirs("CQT1992v2", window=("kaiser", 5.0))
        y = rng.standard_normal((1, 8000))
        np.testing.assert_array_equal(
            complex_of("CQT", y, window=5.0, **MIDDLE),
            complex_of("CQT", y, window=("kaiser", 5.0), **MIDDLE),
        )


def test_the_octaves_of_nnaudio_are_compared_at_its_own_padding():
    # It pads with zeros, and warns, where reflection does not fit; the comparisons above must not run into that.
    layer = theirs("CQT2010v2", verbose=False, **MIDDLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        layer(torch.zeros(1, 8000))
