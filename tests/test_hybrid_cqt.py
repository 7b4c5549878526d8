"""Hybrid and pseudo constant-Q transforms, chroma from constant-Q, and their bank."""

import json
import warnings

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from .naive_cqt_kin import pseudo_cqt
from .tolerances import assert_same_spectrum, relative_error


def quietly(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)


@pytest.mark.parametrize("hop", [20, 32, 100])
def test_pseudo_cqt_is_that_of_the_sums(hop, library, dtype, rng):
    y = rng.standard_normal((2, 300)).astype(dtype)
    pseudo = aa.PseudoCQT(sr=1000, fmin=100.0, n_bins=6, bins_per_octave=4, hop_length=hop)
    expected = [pseudo_cqt(item.astype(float), 1000, hop, pseudo.frequencies, pseudo.lengths) for item in y]
    assert_same_spectrum(library.to_numpy(pseudo(library.asarray(y))), np.stack(expected), dtype)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hop_length": 200},
        {"bins_per_octave": 24, "n_bins": 160},
        {"norm": 2},
        {"tuning": 0.3},
        {"window": "hamming"},
        {"filter_scale": 0.5},
    ],
    ids=str,
)
def test_pseudo_cqt_and_the_short_kernels_of_hybrid_cqt_are_librosas(options, rng):
    y = rng.standard_normal(20000)
    # librosa drops the smallest parts of its kernels, in single precision.
    theirs = quietly(librosa.pseudo_cqt, y, sr=22050, sparsity=0, dtype=np.complex64, **options)
    assert relative_error(aa.pseudo_cqt(y, sr=22050, **options), theirs) < 1e-4
    hybrid = aa.HybridCQT(sr=22050, **options)
    theirs = quietly(librosa.hybrid_cqt, y, sr=22050, sparsity=0, **options)
    assert 0 < hybrid.n_full < hybrid.n_bins
    assert relative_error(hybrid(y)[hybrid.n_full :], theirs[hybrid.n_full :]) < 1e-4


def test_the_long_kernels_of_hybrid_cqt_are_those_of_cqt(library, dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    hybrid = aa.HybridCQT(sr=22050, output="power")
    expected = np.abs(aa.cqt(y.astype(float), sr=22050)) ** 2
    ours = library.to_numpy(hybrid(library.asarray(y)))
    assert_same_spectrum(ours[: hybrid.n_full], expected[: hybrid.n_full], dtype)


def test_hybrid_cqt_may_be_all_long_or_all_short(rng):
    y = rng.standard_normal(5000)
    np.testing.assert_allclose(
        aa.hybrid_cqt(y, sr=22050, hop_length=32), np.abs(aa.cqt(y, sr=22050, hop_length=32)), atol=1e-12
    )
    settings = {"sr": 22050, "hop_length": 2048, "fmin": 2000.0, "n_bins": 24}
    np.testing.assert_array_equal(aa.hybrid_cqt(y, **settings), aa.pseudo_cqt(y, **settings))


@pytest.mark.parametrize("method", ["1992", "2010v2"])
def test_hybrid_cqt_takes_every_method(method, rng):
    y = rng.standard_normal(8000)
    exact, other = aa.hybrid_cqt(y, sr=22050), aa.hybrid_cqt(y, sr=22050, method=method)
    np.testing.assert_allclose(other, exact, atol=4e-4 * exact.max())


def test_hybrid_cqt_refuses_what_it_has_not():
    with pytest.raises(aa.ParameterError, match="output='complex': must be one of 'magnitude', 'power'"):
        aa.HybridCQT(sr=22050, output="complex")
    with pytest.raises(aa.ParameterError, match="center=False"):
        aa.HybridCQT(sr=22050, center=False)
    with pytest.raises(aa.ParameterError, match="only complex coefficients"):
        aa.HybridCQT(sr=22050).inverse(np.ones((84, 3)))


@pytest.mark.parametrize(
    "options",
    [
        {"n_input": 84},
        {"n_input": 252, "bins_per_octave": 36},
        {"n_input": 100, "bins_per_octave": 24, "n_chroma": 24, "fmin": 55.0},
        {"n_input": 72, "bins_per_octave": 24, "fmin": 100.0, "base_c": False},
        {"n_input": 72, "bins_per_octave": 24, "window": [0.25, 0.5, 0.25]},
        {"n_input": 72, "bins_per_octave": 36, "window": [0.25, 0.5, 0.25, 0.1]},
        {"n_input": 5, "bins_per_octave": 12, "n_chroma": 4},
    ],
    ids=str,
)
def test_the_bank_is_librosas(options):
    rest = {name: value for name, value in options.items() if name != "n_input"}
    expected = librosa.filters.cq_to_chroma(options["n_input"], dtype=np.float64, **rest)
    np.testing.assert_allclose(aa.filters.cq_to_chroma(**options), expected, atol=1e-15)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm": 2, "threshold": 0.1},
        {"norm": None, "threshold": None},
        {"bins_per_octave": 24, "n_chroma": 24, "n_octaves": 5},
        {"window": [0.25, 0.5, 0.25]},
        {"fmin": 55.0, "hop_length": 441},
    ],
    ids=str,
)
def test_chroma_cqt_gathers_cqt_magnitudes_as_librosa_does(options, library, dtype, rng):
    y = rng.standard_normal((2, 6000)).astype(dtype)
    shared = {name: options[name] for name in ("fmin", "hop_length", "bins_per_octave") if name in options}
    n_bins = options.get("n_octaves", 7) * options.get("bins_per_octave", 36)
    C = np.abs(aa.cqt(y.astype(float), sr=22050, n_bins=n_bins, **({"bins_per_octave": 36} | shared)))
    peers = {"threshold": 0.0} | options
    if "window" in options:  # at librosa's precision: SciPy casts uninitialised memory, and warns, where the two differ
        peers["window"] = np.float32(options["window"])
    expected = librosa.feature.chroma_cqt(C=C, sr=22050, **peers)
    ours = library.to_numpy(aa.chroma_cqt(library.asarray(y), sr=22050, **options))
    assert_same_spectrum(ours, expected, dtype)


def test_chroma_cqt_of_the_hybrid_gathers_its_magnitudes(rng):
    y = rng.standard_normal(6000)
    S = aa.hybrid_cqt(y, sr=22050, n_bins=252, bins_per_octave=36)
    expected = librosa.feature.chroma_cqt(C=S, sr=22050, norm=None)
    np.testing.assert_allclose(aa.chroma_cqt(y, sr=22050, cqt_mode="hybrid", norm=None), expected, atol=1e-12)


def test_chroma_cqt_hears_notes_and_silence():
    t = np.arange(22050) / 22050
    for note, row in (("C4", 0), ("E5", 4), ("A2", 9)):
        chroma = aa.chroma_cqt(np.sin(2 * np.pi * aa.note_to_hz(note) * t), sr=22050)
        assert set(chroma[:, 5:-5].argmax(axis=0)) == {row}
    assert not aa.chroma_cqt(np.zeros(5000), sr=22050).any()


def test_chroma_cqt_has_axes_and_travels():
    chroma = aa.ChromaCQT(sr=22050, window=[0.5, 0.5], norm=None)
    assert chroma.frequencies.tolist() == list(range(12))
    assert chroma.times(22050).shape == (44,)
    assert aa.ChromaCQT.from_dict(json.loads(chroma.to_json())) == chroma


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aa.ChromaCQT(sr=22050, n_chroma=13), "bins_per_octave=36: must be a multiple of n_chroma=13"),
        (lambda: aa.ChromaCQT(sr=22050, cqt_mode="half"), "cqt_mode='half': must be one of"),
        (lambda: aa.ChromaCQT(sr=8000), "n_bins=252: bin"),
        (lambda: aa.ChromaCQT(sr=22050, window=[]), "window of shape"),
        (lambda: aa.ChromaCQT(sr=22050, window=[np.nan]), "window of shape"),
        (lambda: aa.ChromaCQT(sr=22050, threshold="no"), "threshold='no': must be a real number"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(aa.ParameterError, match=message):
        make()
