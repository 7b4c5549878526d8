"""nnAudio's constant-Q classes: its definition against loops, its numbers, and how far its own are from the definition."""

import math
import re
import warnings

import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio.compat import nnaudio

from . import naive_nnaudio
from .nnaudio_peer import PEER, paired, run, theirs
from .tolerances import SPECTRUM, assert_near_peak, assert_same_spectrum, relative_error

SMALL = {"sr": 4000, "hop_length": 64, "fmin": 130.0, "n_bins": 20, "bins_per_octave": 6}
ORACLE = [
    {},
    {"norm": 2, "window": "hamming", "hop_length": 77},
    {"norm": None, "filter_scale": 0.6},
    {"norm": math.inf, "pad_mode": "constant", "fmin": 55.0},
    {"window": ("gaussian", 50.0), "bins_per_octave": 12},
    {"window": ("kaiser", 5.0), "center": False},
    {"center": False, "fmin": 33.3, "n_bins": 3, "hop_length": 160},
]
EXACT = ["CQT", "CQT1992v2", "CQT1992"]
OCTAVES = ["CQT2010", "CQT2010v2", "VQT"]


def complex_of(name, y, normalization_type="librosa", **options):
    return paired(getattr(nnaudio, name)(**options)(y, "Complex", normalization_type))


def complex_of_theirs(name, y, normalization_type="librosa", **options):
    quiet = {} if name == "CQT1992" else {"verbose": False}
    layer = theirs(name, **quiet, **options)
    return paired(run(layer, y, output_format="Complex", normalization_type=normalization_type))


class TestEqualsTheOracle:
    @pytest.mark.parametrize("options", ORACLE, ids=str)
    @pytest.mark.parametrize("name", ["CQT1992v2", "CQT1992"])
    def test_at_any_setting(self, name, options, library, dtype, rng):
        y = rng.standard_normal(1300).astype(dtype)
        expected = naive_nnaudio.cqt(y.astype(np.float64), **SMALL | options)
        layer = getattr(nnaudio, name)(**SMALL | options)
        found = library.to_numpy(layer(library.asarray(y), output_format="Complex"))
        assert found.dtype == dtype
        assert_same_spectrum(paired(found)[0], expected, dtype)
        assert_same_spectrum(library.to_numpy(layer(library.asarray(y)))[0], np.abs(expected), dtype)
        pairs = library.to_numpy(layer(library.asarray(y), output_format="Phase"))[0]
        assert relative_error(np.abs(expected) * paired(pairs), expected) <= SPECTRUM[dtype]

    @pytest.mark.parametrize("normalization", ["librosa", "convolutional", "wrap"])
    @pytest.mark.parametrize("norm", [1, 2, None])
    def test_in_all_normalizations(self, normalization, norm, rng):
        y = rng.standard_normal(1300)
        expected = naive_nnaudio.cqt(y, **SMALL, norm=norm, normalization=normalization)
        for name in EXACT:
            assert_same_spectrum(complex_of(name, y, normalization, **SMALL, norm=norm)[0], expected)

    @pytest.mark.parametrize("gamma", [0, 3, 25.0])
    @pytest.mark.parametrize("hop_length", [64, 100, 63])
    def test_by_octaves_within_their_error(self, hop_length, gamma, library, dtype, rng):
        y = rng.standard_normal(1300).astype(dtype)
        settings = SMALL | {"hop_length": hop_length}
        plain = naive_nnaudio.cqt(y.astype(np.float64), **settings)
        wide = naive_nnaudio.cqt(y.astype(np.float64), **settings, gamma=gamma)
        for name, expected, more in (("CQT2010", plain, {}), ("CQT2010v2", plain, {}), ("VQT", wide, {"gamma": gamma})):
            layer = getattr(nnaudio, name)(**settings, **more, output_format="Complex")
            found = paired(library.to_numpy(layer(library.asarray(y))))[0]
            assert relative_error(found, expected) <= 1e-4

    def test_of_signals_shorter_than_half_a_kernel(self, rng):
        y = rng.standard_normal(50)
        expected = naive_nnaudio.cqt(y, **SMALL)
        for name in EXACT:
            assert_same_spectrum(complex_of(name, y, **SMALL)[0], expected)
        assert relative_error(complex_of("CQT2010v2", y, **SMALL)[0], expected) <= 1e-4
        with pytest.raises(RuntimeError, match="Padding size"):
            complex_of_theirs("CQT1992v2", np.float32(y), **SMALL)


PEERS = [
    {},
    {"hop_length": 441, "norm": 2, "fmin": 55.0, "n_bins": 60},
    {"norm": None, "pad_mode": "constant", "bins_per_octave": 24, "filter_scale": 0.7},
    {"norm": math.inf, "window": "hamming", "center": False, "fmin": 65.4},
    {"norm": False, "window": ("gaussian", 60), "fmin": 110, "n_bins": 60},
    {"norm": True, "fmax": 1000, "n_bins": None},
]


class TestHasNnaudiosNumbers:
    @pytest.mark.parametrize("normalization", ["librosa", "convolutional", "wrap"])
    @pytest.mark.parametrize("options", PEERS, ids=str)
    def test_in_the_time_domain(self, options, normalization, rng):
        y = rng.standard_normal((2, 22050)).astype(np.float32)
        exact = complex_of("CQT", y.astype(np.float64), normalization, **options)
        assert_same_spectrum(complex_of("CQT1992v2", y, normalization, **options), exact, "float32")
        other = theirs("CQT1992v2", verbose=False, **options)
        mine = nnaudio.CQT1992v2(**options)
        peer = paired(run(other, y, output_format="Complex", normalization_type=normalization))
        assert relative_error(peer, exact) <= PEER
        magnitudes = run(other, y, normalization_type=normalization)
        assert relative_error(magnitudes, mine(y, normalization_type=normalization)) <= PEER
        assert mine.kernel_width == other.kernel_width
        np.testing.assert_allclose(mine.frequencies, other.frequencies, rtol=1e-12)

    def test_in_phase(self, rng):
        y, options = rng.standard_normal((1, 22050)).astype(np.float32), {"output_format": "Phase"}
        exact = complex_of("CQT", y.astype(np.float64))
        for angle in (nnaudio.CQT(**options)(y), run(theirs("CQT", verbose=False, **options), y)):
            assert relative_error(np.abs(exact) * paired(angle), exact) <= PEER

    def test_in_the_frequency_domain_but_for_what_nnaudio_leaves_out(self, rng):
        """Its kernels keep half of their spectrum, and its STFT has a rounded basis: 6e-5, ours 1e-6."""
        y, options = rng.standard_normal((2, 22050)).astype(np.float32), {"n_bins": 60}
        for more in ({}, {"center": False}, {"norm": 2, "hop_length": 500}):
            exact = complex_of("CQT1992v2", y.astype(np.float64), fmin=220, **options | more)
            assert_same_spectrum(complex_of("CQT1992", y, **options | more), exact, "float32")
            assert 1e-5 < relative_error(complex_of_theirs("CQT1992", y, **options | more), exact) < 2e-4

    def test_counts_bins_up_to_fmax_as_nnaudio(self):
        for fmax in (33.0, 65.4, 1000.0, 9999.0):
            mine, other = nnaudio.CQT(fmax=fmax), theirs("CQT", fmax=fmax, verbose=False)
            np.testing.assert_allclose(mine.frequencies, other.frequencies, rtol=1e-12)


def measured(name, y, **options):
    """Relative errors of ours and of nnAudio's against the exact sums in float64, over all frames but the outer ten."""
    exact = complex_of("CQT1992v2", y.astype(np.float64), **options)[..., 10:-10]
    ours, peer = (of(name, y, **options)[..., 10:-10] for of in (complex_of, complex_of_theirs))
    return relative_error(ours, exact), relative_error(peer, exact), np.linalg.norm(peer) / np.linalg.norm(exact)


class TestIsRightWhereNnaudioIsNot:
    OPTIONS = {"sr": 8000, "hop_length": 128, "fmin": 110.0, "n_bins": 36}

    def test_low_octaves_do_not_lag(self, rng):
        """Ours is 1.6e-5 off, theirs 0.13: its low-pass filter of 256 taps delays each octave by half a sample."""
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        for name in ("CQT2010v2", "VQT"):
            ours, peer, loudness = measured(name, y, **self.OPTIONS)
            assert ours < 4e-5 < 0.1 < peer < 0.2
            assert abs(loudness - 1) < 1e-3

    def test_magnitudes_are_near_nnaudios_all_the_same(self, rng):
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = np.abs(complex_of("CQT1992v2", y.astype(np.float64), **self.OPTIONS))[..., 10:-10]
        for name in OCTAVES:
            ours = getattr(nnaudio, name)(**self.OPTIONS)(y)[..., 10:-10]
            peer = run(theirs(name, verbose=False, **self.OPTIONS), y)[..., 10:-10]
            assert relative_error(ours, exact) < 4e-5 < 2e-3 < relative_error(peer, exact) < 5e-3

    def test_edges_are_padded_before_the_rate_is_halved(self, rng):
        """Theirs is 0.13 off at the edges in magnitude, where zeros go into its filters; ours is 1.6e-5 off."""
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = np.abs(complex_of("CQT1992v2", y.astype(np.float64), **self.OPTIONS))[..., :3]
        ours = nnaudio.CQT2010v2(**self.OPTIONS)(y)[..., :3]
        peer = run(theirs("CQT2010v2", verbose=False, **self.OPTIONS), y)[..., :3]
        assert relative_error(ours, exact) < 4e-5 < 0.01 < relative_error(peer, exact)

    @pytest.mark.parametrize(("name", "loudness"), [("CQT2010", 0.5), ("CQT2010v2", 2.0)])
    def test_early_downsampling_changes_no_levels(self, name, loudness, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS | {"n_bins": 12}
        ours, _, theirs_to_exact = measured(name, y, **options)
        assert ours < 4e-5
        assert abs(theirs_to_exact - loudness) < 0.01
        late = complex_of(name, y, **options, earlydownsample=False)
        np.testing.assert_array_equal(late, complex_of(name, y, **options))

    def test_early_downsampling_reads_the_right_octave_of_the_vqt(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS | {"n_bins": 12}
        ours, peer, _ = measured("VQT", y, **options)
        assert ours < 4e-5 < 1 < peer

    def test_coefficients_are_no_conjugates(self, rng):
        y = rng.standard_normal((1, 8000)).astype(np.float32)
        exact = complex_of("CQT1992v2", y.astype(np.float64), **self.OPTIONS)
        peer = complex_of_theirs("CQT2010", y, **self.OPTIONS)
        assert relative_error(peer[..., 10:-10], exact[..., 10:-10]) > 1
        assert relative_error(peer.conj()[..., 10:-10], exact[..., 10:-10]) < 0.2
        assert relative_error(complex_of("CQT2010", y, **self.OPTIONS), exact) < 4e-5

    def test_phases_are_those_of_the_coefficients(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS
        exact = complex_of("CQT1992v2", y.astype(np.float64), **options)
        peer = paired(run(theirs("CQT1992", output_format="Phase", **options), y))
        assert relative_error(np.abs(exact) * peer.conj(), exact) < 1e-3  # nnAudio's Phase is the conjugate's
        ours = paired(nnaudio.CQT1992(output_format="Phase", **options)(y))
        assert relative_error(np.abs(exact) * ours, exact) <= 1e-6

    def test_convolutional_coefficients_have_one_scale(self, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS
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
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS
        for name in OCTAVES:
            exact = complex_of("CQT1992v2", y.astype(np.float64), window="blackman", **options)
            assert relative_error(complex_of(name, y, window="blackman", **options), exact) < 4e-5
            plain, windowed = (complex_of_theirs(name, y, window=w, **options) for w in ("hann", "blackman"))
            np.testing.assert_array_equal(plain, windowed)
            assert len(getattr(nnaudio, name)(fmax=500.0, **options).frequencies) == 27
            assert len(theirs(name, fmax=500.0, verbose=False, **options).frequencies) == 36

    @pytest.mark.parametrize("basis_norm", [1, 2, None])
    def test_the_norm_of_kernels_counts(self, basis_norm, rng):
        y, options = rng.standard_normal((1, 8000)).astype(np.float32), self.OPTIONS
        exact = complex_of("CQT1992v2", y.astype(np.float64), norm=basis_norm, **options)
        for name in OCTAVES:
            ours = complex_of(name, y, basis_norm=basis_norm, **options)
            assert relative_error(ours, exact) < 1e-4
            np.testing.assert_array_equal(complex_of(name, y, basis_norm=basis_norm, norm=False, **options), ours)

    def test_gamma_goes_on_to_zero(self, rng):
        y, options = rng.standard_normal((1, 4000)), self.OPTIONS
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
            complex_of("CQT", y, window=5.0, **self.OPTIONS),
            complex_of("CQT", y, window=("kaiser", 5.0), **self.OPTIONS),
        )


def test_silence_has_the_phase_zero():
    for name in (*EXACT, *OCTAVES):
        pairs = getattr(nnaudio, name)(**SMALL, output_format="Phase")(np.zeros(800, np.float32))
        np.testing.assert_array_equal(paired(pairs), 1)


def test_a_sinusoid_has_its_amplitude_when_wrapped():
    y = 0.7 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    for name in (*EXACT, *OCTAVES):
        C = getattr(nnaudio, name)(fmin=110, n_bins=48)(y, normalization_type="wrap")
        assert abs(C[0, 24, 20] - 0.7) < 1e-3


def test_frames_that_are_not_centred_begin_where_nnaudios_do(rng):
    y, options = rng.standard_normal((1, 6000)).astype(np.float32), {"sr": 8000, "fmin": 110.0, "n_bins": 36}
    for n in (2048, 2049, 2559, 2560, 6000):
        exact = complex_of("CQT", y[:, :n].astype(np.float64), center=False, **options)
        assert exact.shape[-1] == 1 + (n - 2048) // 512
        assert_near_peak(complex_of("CQT", y[:, :n], center=False, **options), exact, "float32")
        assert relative_error(complex_of_theirs("CQT", y[:, :n], center=False, **options), exact) <= PEER
    with pytest.raises(aa.ParameterError, match="signal has 2047 samples: must have at least 2048"):
        complex_of("CQT", y[:, :2047], center=False, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_bins": 120}, "n_bins=120: bin 101 at"),
        ({"n_bins": None}, "n_bins=None: must be a whole number"),
        ({"fmax": 30.0}, "fmax=30.0: must be greater than 32.7"),
        ({"fmax": 20000.0}, "above sr / 2"),
        ({"fmin": 0}, "fmin=0: must be greater than 0"),
        ({"fmin": 0, "fmax": 100}, "fmin=0: must be greater than 0"),
        ({"hop_length": 0}, "hop_length=0"),
        ({"bins_per_octave": 0}, "bins_per_octave=0"),
        ({"bins_per_octave": 0, "fmax": 100}, "bins_per_octave=0"),
        ({"filter_scale": 0}, "filter_scale=0"),
        ({"norm": -1}, "norm=-1"),
        ({"window": ("gaussian", -6)}, "attenuation of the gaussian window=-6: must be greater than 0"),
        ({"window": np.ones(5)}, "window: must be a name"),
        ({"window": "round"}, "window='round'"),
        ({"pad_mode": "bounce"}, "pad_mode='bounce'"),
        ({"sr": 0}, "sr=0"),
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_errors(options, message):
    with pytest.raises(aa.ParameterError, match=re.escape(message)):
        nnaudio.CQT(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nnaudio.CQT()(np.ones(9000), normalization_type="unit"),
            "normalization='unit': must be one of 'librosa'",
        ),
        (lambda: nnaudio.VQT(gamma=-1), "gamma=-1"),
        (lambda: nnaudio.CQT1992(fmin=12000), "n_bins=1: bin 0 at 12000 Hz is above"),
        (lambda: nnaudio.CQT1992(bins_per_octave=0), "bins_per_octave=0"),
        (lambda: nnaudio.CQT2010(basis_norm=-2), "norm=-2"),
    ],
)
def test_other_mistakes_are_errors_too(make, message):
    with pytest.raises(aa.ParameterError, match=re.escape(message)):
        make()


def test_layers_do_not_change_when_they_are_called(rng):
    layer = nnaudio.CQT2010v2(**SMALL)
    before = dict(vars(layer))
    layer(rng.standard_normal(1500), output_format="Phase", normalization_type="wrap")
    assert vars(layer) == before


def test_the_octaves_of_nnaudio_are_compared_at_its_own_padding():
    # It pads with zeros, and warns, where reflection does not fit; the comparisons above must not run into that.
    options = TestIsRightWhereNnaudioIsNot.OPTIONS
    layer = theirs("CQT2010v2", verbose=False, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        layer(torch.zeros(1, 8000))
