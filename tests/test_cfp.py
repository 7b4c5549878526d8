"""Combined frequency and periodicity against the loops, and against nnAudio on the frames that it returns."""

import json
import warnings

import numpy as np
import pytest
import scipy.signal
import torch
from nnAudio.features import cfp as nnaudio

import arrayaudio as aa
from arrayaudio.transforms import cfp as module

from . import naive_cfp
from .tolerances import assert_same_spectrum, relative_error

SMALL = {"sr": 1000, "n_fft": 64, "win_length": 32, "hop_length": 25, "fmin": 40.0, "fmax": 300.0, "bins_per_octave": 7}
ODD = {"sr": 1000, "n_fft": 75, "win_length": 31, "hop_length": 31, "fmin": 50.0, "fmax": 450.0, "bins_per_octave": 3}
NAMES = ("cfp", "spectrum", "frequency", "periodicity")


def expected_parts(y, transform):
    window = np.zeros(transform.n_fft)
    start = (transform.n_fft - transform.win_length) // 2
    window[start : start + transform.win_length] = aa.get_window(transform.window, transform.win_length)
    settings = (
        transform.fmin,
        transform.fmax,
        transform.bins_per_octave,
        transform.g,
        transform.variant == "published",
    )
    found = [naive_cfp.cfp(row, transform.sr, transform.n_fft, transform.hop_length, window, *settings) for row in y]
    return [np.stack(part) for part in zip(*found, strict=True)]


@pytest.mark.parametrize("variant", ["exact", "published"])
@pytest.mark.parametrize("options", [SMALL, ODD], ids=["even", "odd"])
@pytest.mark.parametrize("g", [(0.24, 0.6, 1.0), (0.5, 0.7), (0.0, 1.0, 0.5, 0.8), (0.3, 0.0, 1.0, 0.9, 0.6)], ids=str)
def test_all_parts_equal_the_oracle(g, options, variant, library, dtype, rng):
    y = (rng.standard_normal((2, 70)) * np.array([[1.0], [30.0]])).astype(dtype)
    transform = aa.CFP(**options, g=g, variant=variant)
    expected = expected_parts(y.astype(np.float64), transform)
    array = library.asarray(y)
    parts = transform.parts(array)
    assert parts._fields == NAMES
    for name, exact in zip(NAMES, expected, strict=True):
        result = library.to_numpy(getattr(parts, name))
        assert result.dtype == dtype
        assert result.shape[-2:] == (len(transform.frequencies), transform.n_frames(70))
        assert_same_spectrum(result, exact, dtype)
        alone = library.to_numpy(aa.CFP(**options, g=g, variant=variant, output=name)(array))
        np.testing.assert_array_equal(alone, result)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@pytest.mark.parametrize("variant", ["exact", "published"])
def test_matrices_are_those_of_the_loops(variant):
    transform = aa.CFP(sr=16000, n_fft=1000, fmin=100.0, fmax=2500.0, bins_per_octave=36, variant=variant)
    found = module._matrices(transform)
    expected = naive_cfp.matrices(16000, 1000, 100.0, 2500.0, 36, variant == "published")
    for ours, theirs in zip((found.bins.value, found.periods.value), expected, strict=True):
        assert not theirs[:, ours.shape[1] :].any()
        assert_same_spectrum(ours, theirs[:, : ours.shape[1]])
    np.testing.assert_allclose(transform.frequencies, naive_cfp.centres(100.0, 2500.0, 36), rtol=1e-12)


def test_no_band_of_the_exact_variant_is_empty():
    found = module._matrices(aa.CFP(sr=16000, fmax=4000.0))
    assert (found.bins.value.sum(axis=1) >= 1 - 1e-9).all()
    assert (found.periods.value.sum(axis=1) >= 1 - 1e-9).all()


PEERS = [
    {},
    {"g": [0.24, 0.6]},
    {"g": [0.5, 0.6, 0.9, 0.3]},
    {"fr": 4, "window_size": 1023, "hop_length": 200, "fc": 100, "tc": 1 / 1500, "NumPerOct": 24},
    {"fs": 22050, "fr": 5, "window_size": 1024, "tc": 1 / 4000},
]


def peer_of(kind, options, monkeypatch):
    # nnAudio asks for the window by a name that SciPy has moved, and divides by the period of 0.
    monkeypatch.setattr(scipy.signal, "blackmanharris", scipy.signal.windows.blackmanharris, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(nnaudio, kind)(**options)


def run_peer(peer, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer(torch.tensor(y))


def ours_like(options):
    o = {"fs": 16000, "fr": 2, "hop_length": 320, "window_size": 2049, "fc": 80, "tc": 1 / 1000, "NumPerOct": 48}
    o = o | {"g": [0.24, 0.6, 1]} | options
    return aa.CFP(
        sr=o["fs"],
        n_fft=int(o["fs"] / o["fr"]),
        win_length=o["window_size"],
        hop_length=o["hop_length"],
        window=scipy.signal.windows.blackmanharris(o["window_size"]),
        fmin=o["fc"],
        fmax=1 / o["tc"],
        bins_per_octave=o["NumPerOct"],
        g=o["g"],
        variant="published",
    )


@pytest.mark.parametrize("options", PEERS, ids=str)
def test_published_is_nnaudio_on_the_frames_that_it_returns(options, monkeypatch, rng):
    y = rng.standard_normal((2, 16000)).astype(np.float32)
    theirs = run_peer(peer_of("Combined_Frequency_Periodicity", options, monkeypatch), y)
    product = run_peer(peer_of("CFP", options, monkeypatch), y)
    ours = ours_like(options).parts(y)
    for mine, other in zip(ours, theirs, strict=True):
        assert relative_error(mine[..., 1:-1], other.numpy()) <= 1e-5
    assert relative_error(ours.cfp, product.numpy()) <= 1e-5


@pytest.mark.parametrize("options", PEERS[:3], ids=str)
def test_published_is_nnaudio_in_double_precision_also_for_tones(options, monkeypatch):
    # In single precision, roots lift nnAudio's rounding of what lies between the partials to a thousandth.
    t = np.arange(16000) / 16000
    y = sum(np.sin(2 * np.pi * 200 * k * t) / k for k in range(1, 6))[None]
    peer = peer_of("Combined_Frequency_Periodicity", options, monkeypatch).double()
    peer.h = torch.tensor(scipy.signal.windows.blackmanharris(2049))
    with np.errstate(divide="ignore"):
        matrices = peer.create_logfreq_matrix(peer.f, peer.q, 2, 80, 1 / 1000, 48, 16000)
    peer.freq2logfreq_matrix, peer.quef2logfreq_matrix = map(torch.tensor, matrices)
    for mine, other in zip(ours_like(options).parts(y), run_peer(peer, y), strict=True):
        assert relative_error(mine[..., 1:-1], other.numpy()) <= 1e-9


def test_both_variants_find_the_same_fundamental():
    t = np.arange(16000) / 16000
    for hz in (110.0, 233.0, 415.0):
        y = sum(np.sin(2 * np.pi * hz * k * t) for k in range(1, 8))
        for variant in ("exact", "published"):
            transform = aa.CFP(sr=16000, variant=variant)
            found = transform.frequencies[transform(y)[:, 5:-5].mean(axis=1).argmax()]
            assert abs(np.log2(found / hz)) <= 1 / 48


def test_one_exponent_makes_a_spectrum_alone(rng):
    y = rng.standard_normal(70)
    transform = aa.CFP(**SMALL, g=(0.5,), output="frequency")
    assert_same_spectrum(transform(y)[None], expected_parts(y[None], transform)[2])
    with pytest.raises(aa.ParameterError, match=r"g=\(0.5,\): must have at least 2 exponents for all parts"):
        transform.parts(y)


def test_blocks_of_frames_leave_no_trace(monkeypatch, dtype, rng):
    y = rng.standard_normal((3, 2000)).astype(dtype)
    transform = aa.CFP(**SMALL)
    at_once = transform(y)
    monkeypatch.setattr(module, "BLOCK", 3 * 64 * 7)
    assert_same_spectrum(transform(y), at_once)


def test_each_signal_is_on_its_own(library, dtype, rng):
    y = rng.standard_normal((2, 3, 500)).astype(dtype)
    y[1, 2] = 0
    transform = aa.CFP(**SMALL)
    together = library.to_numpy(transform(library.asarray(y)))
    assert together.shape == (2, 3, len(transform.frequencies), transform.n_frames(500))
    assert not together[1, 2].any()
    assert_same_spectrum(together[0, 1], library.to_numpy(transform(library.asarray(y[0, 1]))), dtype)
    assert transform(np.ones((0, 500), dtype)).shape[0] == 0


def test_signals_shorter_than_a_frame_have_frames_too():
    transform = aa.CFP(sr=16000)
    assert transform(np.ones(1)).shape == (174, 1)
    assert np.isfinite(transform(np.ones(1))).all()


def test_results_are_contiguous_and_axes_fit():
    transform = aa.CFP(sr=16000, f_min=100, f_max=2000, bins_per_octave=12, center=True)
    result = transform(np.ones(16000, dtype=np.float32))
    assert result.flags.c_contiguous
    assert result.shape == (len(transform.frequencies), len(transform.times(16000)))
    np.testing.assert_allclose(transform.times(16000)[:2], [0, 512 / 16000])
    np.testing.assert_allclose(transform.frequencies[:13:12], [100, 200])
    assert transform.frequencies[-1] * 2 ** (1 / 12) < 2000
    np.testing.assert_array_equal(
        aa.cfp(np.ones(16000, dtype=np.float32), sr=16000, fmin=100, fmax=2000, bins_per_octave=12), result
    )


def test_settings_travel():
    transform = aa.CFP(sr=16000, g=[0.3, 0.5], output="periodicity")
    assert transform.win_length == 2048
    assert transform.g == (0.3, 0.5)
    assert aa.CFP.from_dict(json.loads(transform.to_json())) == transform
    assert hash(aa.CFP.from_json(transform.to_json())) == hash(transform)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": None}, "sr=None"),
        ({"n_fft": 0}, "n_fft=0: must be at least 1"),
        ({"n_fft": 256}, "fmin=80.0: must be at least 125 Hz, whose period is half of n_fft=256"),
        ({"fmin": 0}, "fmin=0: must be at least 3.90625 Hz"),
        ({"fmin": 2000}, "fmin=2000: must be below fmax = 1000 Hz"),
        ({"fmax": 9000}, "fmax=9000: must be at most sr / 2 = 8000 Hz"),
        ({"fmax": 80.5}, "fmax=80.5: must be more than a band above fmin=80 Hz, with 48 to the octave"),
        ({"bins_per_octave": 0}, "bins_per_octave=0: must be at least 1"),
        ({"g": ()}, r"g=\(\): must have at least 1 exponent"),
        ({"g": 0.24}, "g=0.24: must be a sequence of exponents"),
        ({"g": "abc"}, "g='abc': must be a sequence of exponents"),
        ({"g": (0.24, -1)}, r"g\[1\]=-1: must be at least 0"),
        ({"g": (0.24,)}, r"g=\(0.24,\): must have at least 2 exponents for output='cfp'"),
        ({"output": "Z"}, "output='Z': must be one of 'cfp', 'spectrum', 'frequency', 'periodicity'"),
        ({"variant": "nnaudio"}, "variant='nnaudio': must be one of 'exact', 'published'"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.CFP(**({"sr": 16000} | options))


def test_bad_signals_are_refused():
    with pytest.raises(aa.ParameterError, match="signal has 1 NaN or infinite samples"):
        aa.CFP(sr=16000).parts([0.0, np.nan])
    with pytest.raises(aa.DTypeError, match="signal has dtype int16"):
        aa.CFP(sr=16000)(np.ones(100, dtype=np.int16))
