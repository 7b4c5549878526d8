"""nnAudio's constant-Q classes: its definition against loops, and the numbers of the classes that keep to it."""

import math
import re

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.compat import nnaudio

from . import naive_nnaudio
from .nnaudio_peer import PEER, complex_of, complex_of_theirs, paired, run, theirs
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
    @pytest.mark.parametrize("options", PEERS, ids=str)
    def test_in_the_time_domain(self, options, rng):
        y = rng.standard_normal((2, 20000)).astype(np.float32)
        mine, other = nnaudio.CQT1992v2(**options), theirs("CQT1992v2", verbose=False, **options)
        for normalization in ("librosa", "convolutional", "wrap"):
            exact = complex_of("CQT", y.astype(np.float64), normalization, **options)
            assert_same_spectrum(paired(mine(y, "Complex", normalization)), exact, "float32")
            peer = paired(run(other, y, output_format="Complex", normalization_type=normalization))
            assert relative_error(peer, exact) <= PEER
            magnitudes = run(other, y, normalization_type=normalization)
            assert relative_error(magnitudes, mine(y, None, normalization)) <= PEER
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
            "normalization_type='unit': must be one of 'librosa'",
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
