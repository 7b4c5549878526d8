"""Samples of unusual values, and bands of unusual places, in every transform."""

import dataclasses
import time
import warnings

import numpy as np
import pytest

import arrayaudio as aa

from .every import ANGLES, FRAMES, FROM_LOUDEST, LEVELLED, NOTES, SETTINGS, SR, TRANSFORMS, changed
from .every_call import OF_SIGNALS
from .tolerances import LEVELS, PEAK, peak_error

every_transform = pytest.mark.parametrize("name", TRANSFORMS)
COMPLEX = [name for name, transform in TRANSFORMS.items() if np.iscomplexobj(transform(np.ones(1000)))]


def assert_close(name, found, expected):
    if name not in ANGLES:  # which quiet bins have in no precision
        assert peak_error(found, expected) <= (LEVELS if name in LEVELLED else PEAK)["float32"]


# Loudness


@every_transform
@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8"])
def test_full_scale_does_not_wrap(name, dtype):
    limits = np.iinfo(dtype)
    for pattern in ([limits.min], [limits.min, limits.max], [limits.max]):
        pcm = np.tile(np.array(pattern, dtype), 2000)
        full = 2.0 ** (limits.bits - 1)
        exact = (pcm.astype(np.float64) - (full if dtype == "uint8" else 0)) / full
        assert np.abs(exact).max() <= 1
        found = changed(TRANSFORMS[name], pcm=True)(pcm)
        expected = TRANSFORMS[name](exact if dtype == "int32" else exact.astype(np.float32))
        np.testing.assert_array_equal(found, expected)


@every_transform
@pytest.mark.parametrize("gain", [1.0, 32768.0, 1e-15, 1e15])
def test_any_loudness(name, gain, rng):
    y = (gain * rng.standard_normal(4000)).astype(np.float32)
    found = TRANSFORMS[name](y)
    assert np.isfinite(found).all()
    assert_close(name, found, TRANSFORMS[name](y.astype(np.float64)))


@pytest.mark.parametrize("name", COMPLEX)
def test_coefficients_are_linear(name, dtype, rng):
    y = rng.standard_normal(4000).astype(dtype)
    np.testing.assert_array_equal(TRANSFORMS[name](32768 * y), 32768 * TRANSFORMS[name](y))


@every_transform
def test_a_large_offset(name, rng):
    """Coefficients are as near as those of a tone as loud; what is made of them is finite."""
    y = (rng.standard_normal(4000) + 1e6).astype(np.float32)
    found = TRANSFORMS[name](y)
    assert np.isfinite(found).all()
    if name in COMPLEX:
        tone = 1e6 * np.sin(2 * np.pi * 440 * np.arange(4000) / SR)
        loudest = np.abs(TRANSFORMS[name](tone)).max()
        assert np.abs(found - TRANSFORMS[name](y.astype(np.float64))).max() <= PEAK["float32"] * loudest


# What is not finite


@pytest.mark.parametrize("name", [*OF_SIGNALS, *(f"transform {name}" for name in TRANSFORMS)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted_and_located(name, bad):
    call = TRANSFORMS[name.removeprefix("transform ")] if name.startswith("transform") else OF_SIGNALS[name]
    y = np.zeros((2, 2000), np.float32)
    y[1, 70:73] = bad
    with pytest.raises(aa.ParameterError, match=r"3 NaN or infinite samples, the first at index 70 of channel \(1,\)"):
        call(y)


# NSGT takes the whole signal as one frame; forms that halve the rate reach further than their kernels.
BY_FRAMES = [name for name in TRANSFORMS if name != "NSGT" and name not in FROM_LOUDEST]
# Some frames of CFP are zero whatever a sample is.
REACH = {"CFP": 2, "CQT 1992": 1, "CQT 2010": 8, "CQT 2010v2": 8}


# Constant-Q kernels that meet spectra of long segments, which are the frames there; on a GPU, nearly all do.
SEGMENT = 160
LONG_SEGMENTS = ("CQT low",), ("CQT", "CQT low", "VQT", "HybridCQT", "ChromaCQT")


def spoiled(name, transform, bad, place=lambda y: y, back=lambda S: S, margin=0):
    y = np.random.default_rng(1).standard_normal(40_000).astype(np.float32)
    bent, broken = y.copy(), y.copy()
    bent[20_001] += 1e4
    broken[20_001] = bad
    S, other, found = (back(transform(place(x))) for x in (y, bent, broken))
    reached = np.flatnonzero((S != other).any(axis=0))
    touched = np.flatnonzero(~np.isfinite(found).all(axis=0))
    assert touched.size
    assert touched.min() >= reached.min() - margin
    assert touched.max() <= reached.max() + margin
    assert touched.size < S.shape[1] / 2
    rest = np.setdiff1d(np.arange(S.shape[1]), np.r_[touched, reached])
    np.testing.assert_array_equal(found[:, rest], S[:, rest])


@pytest.mark.parametrize("name", BY_FRAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unchecked_it_spoils_the_frames_it_is_in_and_no_other(name, bad):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        margin = SEGMENT if name in LONG_SEGMENTS[0] else REACH.get(name, 0)
        spoiled(name, changed(TRANSFORMS[name], check_finite=False), bad, margin=margin)


@pytest.mark.parametrize("name", FROM_LOUDEST)
def test_levels_that_count_from_the_loudest_are_spoiled_for_their_item_and_no_other(name):
    y = np.random.default_rng(1).standard_normal((2, 6000)).astype(np.float32)
    transform = changed(TRANSFORMS[name], check_finite=False)
    expected = transform(y)
    y[1, 3001] = np.nan
    found = transform(y)
    np.testing.assert_array_equal(found[0], expected[0])
    assert np.isnan(found[1]).any()


@pytest.mark.parametrize("name", BY_FRAMES)
def test_on_a_gpu_it_spoils_the_frames_it_is_in_and_no_other(name, gpu):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        margin = SEGMENT if name in LONG_SEGMENTS[1] else REACH.get(name, 0)
        spoiled(name, TRANSFORMS[name], np.nan, gpu.asarray, gpu.to_numpy, margin)


# Silence, and next to it

FLOORS = {
    "mel dB": -100.0,
    "mel log": np.log(1e-10),
    "Kaldi": np.log(float(np.finfo(np.float32).eps)),
    "FrontEnd": -1.5,
}


@every_transform
def test_silence_is_the_exact_floor(name, dtype):
    transform = TRANSFORMS[name]
    S = transform(np.zeros((2, 2000), dtype))
    if name in ("MFCC", "LFCC"):  # the cosine transform of 20 times -100 dB
        np.testing.assert_allclose(S[:, 0], -100 * np.sqrt(20), rtol=LEVELS[dtype])
        np.testing.assert_allclose(S[:, 1:], 0, atol=1e3 * LEVELS[dtype])
    else:
        assert set(S.ravel()) == {S.dtype.type(FLOORS.get(name, 0.0))}


@every_transform
@pytest.mark.parametrize("signal", ["silence", "an impulse", "a start"])
def test_gradients_at_silence_are_finite(name, signal, dtype):
    y = np.zeros(2000, dtype)
    y[1000 : {"silence": 1000, "an impulse": 1001, "a start": 2000}[signal]] = 1
    S, pullback = aa.vjp(TRANSFORMS[name], y)
    (gradient,) = pullback(np.ones_like(S))
    assert gradient.dtype == dtype
    assert np.isfinite(gradient).all()


@every_transform
def test_denormals_are_finite_and_not_much_slower(name, rng):
    transform = TRANSFORMS[name]
    noise = rng.standard_normal(50_000).astype(np.float32)
    seconds = []
    for y in (noise, (1e-41 * noise).astype(np.float32)):
        assert np.isfinite(transform(y)).all()
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            transform(y)
            taken.append(time.perf_counter() - start)
        seconds.append(min(taken))
    # Angles of denormals are found without vectors. A millisecond is left to the machine.
    assert seconds[1] < (200 if name in ANGLES else 20) * seconds[0] + 1e-3


# Signals whose values are known


def test_a_constant():
    y = np.full(2048, -0.5)
    flat = {"window": "boxcar", "center": False, "n_fft": 256, "hop_length": 64}
    powers = np.zeros((129, 29))
    powers[0] = 128.0**2
    np.testing.assert_allclose(aa.spectrogram(y, **flat), powers, atol=1e-18)
    mel = aa.melspectrogram(y, sr=SR, n_mels=20, **flat)
    np.testing.assert_allclose(mel, np.outer(aa.filters.mel(sr=SR, n_fft=256, n_mels=20)[:, 0], powers[0]), atol=1e-18)
    np.testing.assert_array_equal(aa.rms(y, frame_length=256, center=False), 0.5)
    np.testing.assert_array_equal(aa.zero_crossing_rate(y), 0)
    assert aa.resample(y, orig_sr=SR, target_sr=6000)[500:-500] == pytest.approx(-0.5, abs=1e-6)


def test_an_impulse():
    y = np.eye(1, 256, 100)[0]
    flat = {"window": "boxcar", "center": False, "n_fft": 256, "hop_length": 64}
    np.testing.assert_allclose(aa.stft(y, **flat)[:, 0], np.exp(-2j * np.pi * np.arange(129) * 100 / 256), atol=1e-12)
    bands = aa.melspectrogram(y, sr=SR, n_mels=20, **flat)[:, 0]
    np.testing.assert_allclose(bands, aa.filters.mel(sr=SR, n_fft=256, n_mels=20).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(aa.spectral_flatness(y, **flat), 1)
    np.testing.assert_allclose(aa.spectral_centroid(y, sr=SR, **flat), 2000)
    # Its coefficient in each bin is the middle of the kernel, which is the window's 1 over the kernel's sum.
    y = np.eye(1, 4000, 2048)[0]
    cqt = aa.CQT(**NOTES)
    windows = [np.hanning(int(np.floor(n / 2) - np.floor(-n / 2)) + 1)[:-1].sum() for n in cqt.lengths]
    np.testing.assert_allclose(np.abs(cqt(y)[:, 2048 // 64]), np.sqrt(cqt.lengths) / windows, rtol=1e-3)


def test_a_square_wave():
    y = np.tile([1.0, -1.0], 1024)
    flat = {"window": "boxcar", "center": False, "n_fft": 256, "hop_length": 64}
    powers = np.zeros((129, 29))
    powers[-1] = 256.0**2
    np.testing.assert_allclose(aa.spectrogram(y, **flat), powers, atol=1e-18)
    np.testing.assert_allclose(aa.spectral_centroid(y, sr=SR, **flat), 4000)
    np.testing.assert_array_equal(aa.zero_crossing_rate(y, frame_length=256, hop_length=64, center=False), 255 / 256)
    np.testing.assert_array_equal(aa.rms(y, frame_length=256, center=False), 1)


# Bands

RANGED = [name for name in SETTINGS if {"fmin", "fmax"} <= {f.name for f in dataclasses.fields(getattr(aa, name))}]
NOTED = ["CQT", "VQT", "HybridCQT", "PseudoCQT"]


def ranged(name, **limits):
    return getattr(aa, name)(**SETTINGS[name] | ({"freq_scale": "log"} if name == "STFT" else {}) | limits)


@pytest.mark.parametrize("name", RANGED)
def test_ranges_of_frequencies(name):
    assert ranged(name, fmin=100.0, fmax=SR / 2)
    for fmin, fmax, message in (
        (2000.0, 1000.0, r"fmin=2000\.0: must be below fmax = 1000 Hz"),
        (1000.0, 1000.0, r"fmin=1000\.0: must be below fmax = 1000 Hz"),
        (100.0, 4001.0, r"fmax=4001\.0: must be at most sr / 2 = 4000 Hz"),
        (5000.0, None, r"fmin=5000\.0: must be below fmax = 4000 Hz"),
        (-1.0, None, r"fmin=-1\.0: must be (at least|greater than) 0"),
        (float("nan"), None, "fmin=nan: must be finite"),
    ):
        with pytest.raises(aa.ParameterError, match=message):
            ranged(name, fmin=fmin, fmax=fmax)


@pytest.mark.parametrize("name", NOTED)
def test_notes_beyond_the_rate(name):
    settings = SETTINGS[name]
    for fmin in (0.0, -1.0):
        with pytest.raises(aa.ParameterError, match=f"fmin={fmin}: must be greater than 0"):
            getattr(aa, name)(**settings | {"fmin": fmin})
    with pytest.raises(
        aa.ParameterError, match=r"n_bins=500: bin 45 .* is above sr / 2 = 4000 Hz; use at most 45 bins"
    ):
        getattr(aa, name)(**settings | {"n_bins": 500})
    assert getattr(aa, name)(**settings | {"n_bins": 45})
    with pytest.raises(aa.ParameterError, match=r"bin 0 at 5000 Hz is above sr / 2 = 4000 Hz; use a lower fmin"):
        getattr(aa, name)(**settings | {"fmin": 5000.0})


def test_other_limits_of_bands():
    with pytest.raises(aa.ParameterError, match=r"bin 1 at .* is above sr / 2 = 4000 Hz; use at most 1 bins"):
        aa.ChromaCQT(sr=SR, fmin=4000.0, n_octaves=2)
    with pytest.raises(aa.ParameterError, match=r"fmin=0.0: must be at least 62.5 Hz"):
        aa.CFP(sr=SR, fmin=0.0, **FRAMES)
    for kind, count, bands in ((aa.MFCC, "n_mfcc", "n_mels"), (aa.LFCC, "n_lfcc", "n_filter")):
        with pytest.raises(aa.ParameterError, match=f"{count}=21: must be at most {bands}=20"):
            kind(sr=SR, **{count: 21, bands: 20})


@pytest.mark.parametrize(
    "make",
    [
        lambda: aa.MelSpectrogram(sr=SR, n_mels=300, scale="db", **FRAMES),
        lambda: aa.MFCC(sr=SR, n_mels=300, **FRAMES),
        lambda: aa.LFCC(sr=SR, n_filter=300, **FRAMES),
    ],
)
def test_empty_bands_are_named_once(make, rng):
    y = rng.standard_normal(2000).astype(np.float32)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        S = make()(y)
        make()(y)
    assert [type(warning.message) for warning in heard] == [aa.ArrayAudioWarning]
    assert "bands [0, " in str(heard[0].message)
    assert "fall between the bins" in str(heard[0].message)
    assert np.isfinite(S).all()


# Rates

RATES = dict.fromkeys(SETTINGS, ("sr",)) | {"resample": ("orig_sr", "target_sr")}


@pytest.mark.parametrize("sr", [0, -1, -44100.0, float("nan"), float("inf"), "fast", None, True, 10**400])
@pytest.mark.parametrize("name", SETTINGS)
def test_impossible_rates(name, sr):
    if sr is None and name == "STFT":
        return
    with pytest.raises(aa.ParameterError, match="sr="):
        getattr(aa, name)(**SETTINGS[name] | {"sr": sr})


@pytest.mark.parametrize("name", SETTINGS)
def test_fractional_rates(name, rng):
    sr = 8000 / 1.001
    transform = getattr(aa, name)(**SETTINGS[name] | {"sr": sr})
    y = rng.standard_normal(6000)
    assert len(transform.times(6000)) == transform(y).shape[-1]
    assert transform.sr == sr
