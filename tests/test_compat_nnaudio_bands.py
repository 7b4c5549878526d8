"""nnAudio's mel spectrogram, MFCC, gammatonegram and CFP: its numbers, and what it has wrong."""

import inspect
import math
import re

import numpy as np
import pytest
import scipy.fft
import scipy.signal

import arrayaudio as aa
from arrayaudio.compat import nnaudio

from . import naive_cfp
from .nnaudio_peer import PEER, run, theirs
from .tolerances import SPECTRUM, assert_same_levels, assert_same_spectrum, relative_error


@pytest.fixture
def y(rng):
    """Noise, and the same so soft that it lies between the bands of a common floor."""
    return (rng.standard_normal((2, 16000)) * np.array([[1.0], [1e-3]])).astype(np.float32)


def assert_nnaudios_numbers(name, options, y):
    """Item by item: theirs is ours in float64 up to the errors of theirs, and ours in float32 is no worse."""
    mine, peer = getattr(nnaudio, name)(**options), run(theirs(name, verbose=False, **options), y)
    exact, single = mine(y.astype(np.float64)), mine(y)
    assert single.shape == peer.shape
    assert single.dtype == np.float32
    for k in range(len(y)):
        assert_same_spectrum(single[k], exact[k], "float32")
        assert relative_error(peer[k], exact[k]) <= PEER


SPECTRA = [
    {},
    {"n_fft": 1024, "win_length": 800, "hop_length": None, "window": "hamming"},
    {"sr": 16000, "n_fft": 512, "hop_length": 160, "fmin": 60, "fmax": 7600, "pad_mode": "constant"},
    {"n_fft": 512, "power": 1.0, "center": False, "window": ("tukey", 0.3)},
    {"n_fft": 512, "power": 1.7, "iSTFT": True},
]


@pytest.mark.parametrize("options", SPECTRA, ids=str)
def test_mel_spectrograms_and_gammatonegrams_have_nnaudios_numbers(options, y):
    assert_nnaudios_numbers("MelSpectrogram", options | {"n_mels": 32}, y)
    assert_nnaudios_numbers("Gammatonegram", options, y)


@pytest.mark.parametrize("norm", [1, None, math.inf])
@pytest.mark.parametrize("htk", [False, True])
def test_mel_scales_and_norms_are_nnaudios(htk, norm, y):
    assert_nnaudios_numbers("MelSpectrogram", {"n_mels": 60, "htk": htk, "norm": norm}, y)


@pytest.mark.parametrize("options", [{"n_bins": 128}, {"n_bins": 20, "fmin": 100.0, "fmax": 5000.0}], ids=str)
def test_bands_of_the_ear_are_nnaudios(options, y):
    assert_nnaudios_numbers("Gammatonegram", options, y)


CEPSTRA = [
    {},
    {"n_mfcc": 13, "n_mels": 40, "htk": True},
    {"top_db": None, "amin": 1e-3},
    {"top_db": 12.5, "ref": 7.0, "n_fft": 512},
    {"ref": -1e-3, "power": 1.0, "sr": 16000},
]


@pytest.mark.parametrize("options", CEPSTRA, ids=str)
def test_cepstra_have_nnaudios_numbers(options, y):
    mine, peer = nnaudio.MFCC(**options), run(theirs("MFCC", verbose=False, **options), y)
    exact, single = mine(y.astype(np.float64)), mine(y)
    assert single.dtype == np.float32
    for k in range(2):
        assert_same_levels(single[k], exact[k], "float32")
        assert relative_error(peer[k], exact[k]) <= PEER


def test_the_norm_of_the_cosine_transform_counts(y):
    # nnAudio takes the argument and computes "ortho".
    np.testing.assert_array_equal(*(run(theirs("MFCC", verbose=False, norm=norm), y) for norm in ("ortho", None)))
    levels = aa.power_to_db(nnaudio.MelSpectrogram()(y.astype(np.float64)))
    for norm in ("ortho", None):
        expected = scipy.fft.dct(levels, axis=-2, norm=norm)[:, :20]
        assert_same_spectrum(nnaudio.MFCC(norm=norm)(y.astype(np.float64)), expected)


def test_cepstra_of_an_item_do_not_depend_on_the_others(y):
    both = nnaudio.MFCC(top_db=10.0)(y)
    for k in range(2):
        np.testing.assert_array_equal(nnaudio.MFCC(top_db=10.0)(y[k : k + 1])[0], both[k])


@pytest.mark.parametrize(("name", "value"), [("htk", True), ("norm", None), ("norm", math.inf)])
def test_arguments_that_mean_nothing_to_gammatone_bands_say_so(name, value, y):
    with pytest.warns(aa.ArrayAudioWarning, match=f"{name}={value}: has no effect on gammatone bands"):
        layer = nnaudio.Gammatonegram(**{name: value})
    np.testing.assert_array_equal(layer(y), nnaudio.Gammatonegram()(y))
    assert relative_error(run(theirs("Gammatonegram", verbose=False, **{name: value}), y), layer(y)) <= PEER


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nnaudio.MelSpectrogram(norm=2), "norm=2: must be 1, None or infinity"),
        (lambda: nnaudio.MelSpectrogram(fmax=12000), "fmax=12000: must be at most sr / 2"),
        (lambda: nnaudio.MFCC(n_mfcc=41, n_mels=40), "n_mfcc=41: must be at most n_mels=40"),
        (lambda: nnaudio.MFCC(n_mfcc=0), "n_mfcc=0"),
        (lambda: nnaudio.MFCC(norm="slaney"), "norm='slaney': must be one of 'ortho', None"),
        (lambda: nnaudio.MFCC(amin=0), "amin=0"),
        (lambda: nnaudio.MFCC(top_db=-1), "top_db=-1"),
        (lambda: nnaudio.MFCC(ref="max"), "ref='max'"),
        (lambda: nnaudio.Gammatonegram(n_bins=0), "n_bins=0"),
        (lambda: nnaudio.CFP(tc=0), "tc=0: must be greater than 0"),
        (lambda: nnaudio.CFP(fr=0), "fr=0: must be greater than 0"),
        (lambda: nnaudio.CFP(window_size=8001), "win_length=8001: must be at most n_fft=8000"),
        (lambda: nnaudio.CFP(g=[0.3]), "at least 2 exponents"),
    ],
)
def test_settings_that_mean_nothing_are_errors(make, message):
    with pytest.raises(aa.ParameterError, match=re.escape(message)):
        make()


def test_unknown_arguments_are_errors():
    for name in ("MelSpectrogram", "MFCC", "Gammatonegram"):
        with pytest.raises(TypeError, match="n_bands"):
            getattr(nnaudio, name)(n_bands=3)


CFPS = [
    {},
    {"hop_length": 500, "g": [0.3, 0.5, 0.9, 0.8], "NumPerOct": 24},
    {"fr": 4, "fs": 8000, "window_size": 1025, "fc": 60, "tc": 1 / 800, "g": (0.24, 0.6)},
]


@pytest.fixture
def old_scipy(monkeypatch):
    """nnAudio asks for its window by a name that SciPy has moved."""
    monkeypatch.setattr(scipy.signal, "blackmanharris", scipy.signal.windows.blackmanharris, raising=False)


class TestCfp:
    def test_is_built_where_nnaudios_is_not(self):
        for name in ("CFP", "Combined_Frequency_Periodicity"):
            with pytest.raises(AttributeError, match="blackmanharris"):
                theirs(name)
            getattr(nnaudio, name)()

    @pytest.mark.parametrize("options", CFPS, ids=str)
    def test_has_nnaudios_numbers_and_all_frames(self, options, old_scipy, y):
        peers = run(theirs("Combined_Frequency_Periodicity", **options), y)
        mine = nnaudio.Combined_Frequency_Periodicity(**options)
        parts, exact = mine(y), mine(y.astype(np.float64))
        n_frames = 1 + y.shape[1] // options.get("hop_length", 320)
        for ours, best, peer in zip(parts, exact, peers, strict=True):
            assert ours.shape == (2, peer.shape[1], n_frames)
            assert ours.dtype == np.float32
            assert relative_error(ours, best) <= SPECTRUM["float32"]
            # nnAudio drops the first and the last frame here, and not in its class CFP.
            assert relative_error(peer, best[..., 1:-1]) <= PEER
        np.testing.assert_array_equal(nnaudio.CFP(**options)(y), parts[0])
        assert relative_error(run(theirs("CFP", **options), y), exact[0]) <= PEER

    def test_equals_the_oracle(self, library, dtype, rng):
        y = rng.standard_normal((2, 70)).astype(dtype)
        options = {"fs": 1000, "fr": 13.5, "window_size": 31, "hop_length": 25, "fc": 50, "tc": 1 / 300, "NumPerOct": 7}
        window = np.zeros(74)
        window[21:52] = scipy.signal.windows.blackmanharris(31)
        settings = (74, 25, window, 50, 300, 7, (0.24, 0.6, 1), True)
        expected = [naive_cfp.cfp(row, 1000, *settings) for row in y.astype(np.float64)]
        found = nnaudio.Combined_Frequency_Periodicity(**options)(library.asarray(y))
        for k, part in enumerate(found):
            # Roots lift the rounding of samples to float32.
            tolerance = 1e-4 if dtype == "float32" else 1e-10
            assert relative_error(library.to_numpy(part), np.stack([e[k] for e in expected])) <= tolerance

    def test_takes_one_signal_too(self, rng):
        assert nnaudio.CFP()(rng.standard_normal(16000)).shape == (1, 174, 51)

    def test_exponents_may_be_a_list_as_in_nnaudio(self):
        assert inspect.signature(nnaudio.CFP).parameters["g"].default == (0.24, 0.6, 1)
        assert nnaudio.CFP(g=[0.24, 0.6, 1]).transform == nnaudio.CFP().transform
