"""Reassigned spectrograms: the loops, librosa's numbers, and tones, clicks and sweeps whose places are known."""

import inspect

import librosa
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.arrays import namespace

from . import naive_reassignment
from .tolerances import assert_same_spectrum

SR = 8000

SETTINGS = [
    {"n_fft": 32, "hop_length": 10},
    {"n_fft": 31, "hop_length": 7, "exact": True},
    {"n_fft": 24, "hop_length": 5, "center": False, "window": "hamming", "exact": True},
    {"n_fft": 25, "hop_length": 6, "center": False, "ref_power": 0.0},
    {"n_fft": 32, "win_length": 20, "ref_power": 2.0, "pad_mode": "reflect"},
    {"n_fft": 24, "hop_length": 30, "pad_mode": "mean", "ref_power": 0.1},
]


def assert_same_places(results, expected, dtype):
    """Three arrays with the same numbers, and NaN in the same bins."""
    for actual, wanted in zip(results, expected, strict=True):
        assert actual.dtype == dtype
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(wanted))
        assert_same_spectrum(np.nan_to_num(actual), np.nan_to_num(wanted), dtype)


def by_librosa(y, **options):
    """librosa's function, on each channel in float64."""
    channels = y.astype(np.float64).reshape(-1, y.shape[-1])
    results = zip(*[librosa.reassigned_spectrogram(channel, **options) for channel in channels], strict=True)
    return [np.stack(part).reshape(*y.shape[:-1], *part[0].shape) for part in results]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_equals_the_loops(options, library, dtype, rng):
    y = rng.standard_normal((2, 120)).astype(dtype)
    transform = aa.STFT(**{k: v for k, v in options.items() if k not in ("exact", "ref_power")})
    arguments = (SR, transform.n_fft, transform.hop_length, transform.frame_window.value, transform.center)
    strictness = (options.get("ref_power", 1e-6), options.get("exact", False))
    expected = [naive_reassignment.reassigned(row, *arguments, transform.pad_mode, *strictness) for row in y]
    array = library.asarray(y)
    results = aa.reassigned_spectrogram(array, sr=SR, clip=False, **options)
    assert_same_places(map(library.to_numpy, results), map(np.stack, zip(*expected, strict=True)), dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@pytest.mark.filterwarnings("ignore:'where' used without 'out':UserWarning")  # of librosa with NumPy 2.4
class TestLibrosa:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"n_fft": 501, "hop_length": 120, "center": False, "ref_power": 0.0},
            {"n_fft": 512, "win_length": 400, "window": "hamming", "ref_power": 30.0, "fill_nan": True},
            {"n_fft": 256, "pad_mode": "reflect", "clip": False},
            {"n_fft": 256, "reassign_times": False, "ref_power": 30.0},
            {"n_fft": 256, "reassign_frequencies": False, "fill_nan": True, "ref_power": 30.0},
        ],
        ids=str,
    )
    def test_gives_the_same_numbers(self, options, library, dtype, rng):
        y = rng.standard_normal((2, 6000)).astype(dtype)
        results = aa.reassigned_spectrogram(library.asarray(y), sr=22050, **options)
        assert_same_places(map(library.to_numpy, results), by_librosa(y, sr=22050, **options), dtype)

    def test_also_from_a_known_stft_and_with_a_relative_threshold(self, library, rng):
        y = rng.standard_normal((2, 6000))
        S = aa.stft(y, n_fft=512)
        known = {"S": library.asarray(S), "n_fft": 512, "ref_power": peak_share}
        results = aa.reassigned_spectrogram(library.asarray(y), sr=SR, **known)
        expected = by_librosa(y, sr=SR, n_fft=512, ref_power=lambda power: 0.01 * power.max())
        assert_same_places(map(library.to_numpy, results), expected, "float64")

    def test_has_the_same_defaults(self):
        expected = inspect.signature(librosa.reassigned_spectrogram).parameters
        for name, parameter in list(inspect.signature(aa.reassigned_spectrogram).parameters.items())[2:]:
            if name != "exact":
                assert parameter.default == expected[name].default


def peak_share(power, axis, keepdims):
    return 0.01 * namespace(power).max(power, axis=axis, keepdims=keepdims)


class TestPlaces:
    def strong(self, y, share, **options):
        freqs, times, mags = aa.reassigned_spectrogram(y, sr=SR, **options)
        chosen = mags > share * mags.max()
        return freqs[chosen], times[chosen]

    @pytest.mark.parametrize(
        ("options", "usual", "exact"),
        [
            ({"n_fft": 2048}, 1e-4, 1e-4),
            ({"n_fft": 256, "win_length": 160}, 0.1, 1e-4),
            ({"n_fft": 64, "window": "blackman"}, 3.0, 0.5),
        ],
        ids=str,
    )
    def test_of_a_tone_is_its_frequency(self, options, usual, exact):
        y = np.cos(2 * np.pi * 2010.3 * np.arange(8000) / SR + 0.3)
        for limit, choice in ((usual, False), (exact, True)):
            freqs, _ = self.strong(y, 0.05, center=False, exact=choice, **options)
            assert len(freqs) >= 48
            assert np.abs(freqs - 2010.3).max() < limit

    @pytest.mark.parametrize("n_fft", [64, 255, 256])
    @pytest.mark.parametrize("center", [True, False])
    def test_of_a_click_is_its_sample(self, n_fft, center):
        y = np.zeros(2000)
        y[1003] = 1
        for exact in (True, False):
            late = 0 if exact or n_fft % 2 else 0.5  # samples
            _, times = self.strong(y, 0, n_fft=n_fft, center=center, exact=exact)
            np.testing.assert_allclose(times * SR, 1003 + late, rtol=0, atol=1e-9)

    def test_of_a_sweep_lie_on_its_line(self):
        seconds = np.arange(8000) / SR
        y = np.sin(2 * np.pi * (800 * seconds + 2000 * seconds**2))  # 4000 Hz per second
        inside = y * (np.abs(seconds - 0.35) < 0.25)
        for bias, exact in ((-0.25, False), (0.0, True)):  # Hz: half a sample of the sweep
            freqs, times = self.strong(inside, 0.5, n_fft=512, exact=exact)
            middle = np.abs(times - 0.35) < 0.15
            error = (freqs - 800 - 4000 * times)[middle]
            assert len(error) > 30
            assert abs(np.median(error) - bias) < 0.01
            assert np.abs(error - bias).max() < 0.05


def test_bins_that_are_not_moved(library, dtype, rng):
    y = np.concatenate([np.zeros(2000), rng.standard_normal(1000)]).astype(dtype)
    settings = {"n_fft": 256, "hop_length": 64}
    array = library.asarray(y)
    freqs, times, mags = map(library.to_numpy, aa.reassigned_spectrogram(array, sr=SR, **settings))
    np.testing.assert_array_equal(np.isnan(freqs), mags < 1e-3)
    np.testing.assert_array_equal(np.isnan(times), mags < 1e-3)
    filled, instants, _ = map(library.to_numpy, aa.reassigned_spectrogram(array, sr=SR, fill_nan=True, **settings))
    stft = aa.STFT(sr=SR, **settings)
    assert_same_spectrum(filled[:, :29], np.broadcast_to(stft.frequencies[:, None], (129, 29)), dtype)
    assert_same_spectrum(instants[:, :29], np.broadcast_to(stft.times(3000)[:29], (129, 29)), dtype)
    np.testing.assert_array_equal(filled[mags >= 1e-3], freqs[mags >= 1e-3])


def test_limits(library, dtype, rng):
    y = library.asarray(rng.standard_normal(3000).astype(dtype))
    raw = aa.reassigned_spectrogram(y, sr=SR, n_fft=256, clip=False)
    limited = aa.reassigned_spectrogram(y, sr=SR, n_fft=256)
    for before, after, most in zip(raw, limited, (SR / 2, 3000 / SR, np.inf), strict=True):
        low = library.to_numpy(before)
        np.testing.assert_array_equal(library.to_numpy(after), np.clip(low, 0, np.float64(most).astype(dtype)))
    assert library.to_numpy(raw[0]).min() < 0
    assert library.to_numpy(raw[1]).max() > 3000 / SR


@pytest.mark.parametrize("ref_power", [1e-6, 0.0])
def test_silence_has_no_place(ref_power, library, dtype):
    y = library.asarray(np.zeros((2, 3000), dtype))
    freqs, times, mags = map(library.to_numpy, aa.reassigned_spectrogram(y, sr=SR, ref_power=ref_power))
    assert np.isnan(freqs).all()
    assert np.isnan(times).all()
    assert not mags.any()
    filled = aa.reassigned_spectrogram(y, sr=SR, ref_power=ref_power, fill_nan=True)
    assert all(np.isfinite(library.to_numpy(values)).all() for values in filled)


@pytest.mark.parametrize("scale", [1e-37, 1e-20, 1e20, 1e35])
def test_places_do_not_depend_on_the_scale(scale, library, dtype, rng):
    y = rng.standard_normal(2000)
    options = {"sr": SR, "n_fft": 128, "ref_power": 0.0}
    expected = aa.reassigned_spectrogram((scale * y).astype(dtype).astype(np.float64) / scale, **options)
    results = aa.reassigned_spectrogram(library.asarray((scale * y).astype(dtype)), **options)
    for actual, wanted in zip(results[:2], expected[:2], strict=True):
        assert_same_spectrum(library.to_numpy(actual), wanted, dtype)


def test_channels_do_not_depend_on_each_other(library, dtype, rng):
    y = (rng.standard_normal((2, 3, 2000)) * np.array([[1.0], [1e-4], [1e3]])).astype(dtype)
    options = {"sr": SR, "n_fft": 128, "ref_power": peak_share}
    together = [library.to_numpy(x) for x in aa.reassigned_spectrogram(library.asarray(y), **options)]
    for place in np.ndindex(2, 3):
        alone = [library.to_numpy(x) for x in aa.reassigned_spectrogram(library.asarray(y[place]), **options)]
        assert_same_places([x[place] for x in together], alone, dtype)
    assert all(x.flags.c_contiguous for x in aa.reassigned_spectrogram(y, reassign_times=False, **options))
    assert [x.shape for x in aa.reassigned_spectrogram(np.ones((0, 2000)), sr=SR)] == [(0, 1025, 4)] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sr": 0}, "sr=0: must be greater than 0"),
        ({"sr": None}, "sr=None: must be a real number"),
        ({"n_fft": 0}, "n_fft=0: must be at least 1"),
        ({"hop_length": 0}, "hop_length=0: must be at least 1"),
        ({"ref_power": -1.0}, "ref_power=-1.0: must be at least 0"),
        ({"ref_power": np.nan}, "ref_power=nan: must be finite"),
        ({"fill_nan": 1}, "fill_nan=1: must be one of True, False"),
        ({"exact": "yes"}, "exact='yes': must be one of True, False"),
        ({"reassign_times": False, "reassign_frequencies": False}, "at least one of the two must be True"),
        ({"n_fft": 256, "S": np.ones((129, 9))}, r"S has shape \(129, 9\): must have shape \(129, 47\)"),
        ({"n_fft": 256, "S": np.full((129, 47), np.nan)}, "must be finite"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.reassigned_spectrogram(np.ones(3000), **({"sr": SR} | options))


def test_samples_that_are_not_finite_are_refused(host_library):
    with pytest.raises(aa.ParameterError, match="1 NaN or infinite samples, the first at index 7"):
        aa.reassigned_spectrogram(host_library.asarray(np.where(np.arange(3000) == 7, np.nan, 1.0)), sr=SR)


def test_bad_signals_are_refused(library):
    with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
        aa.reassigned_spectrogram(library.asarray(np.ones(0)), sr=SR)
    with pytest.raises(aa.ParameterError, match="signal has 100 samples: must have at least 2048"):
        aa.reassigned_spectrogram(library.asarray(np.ones(100)), sr=SR, center=False)
    with pytest.raises(aa.DTypeError, match="pcm_to_float"):
        aa.reassigned_spectrogram(np.ones(3000, dtype=np.int16), sr=SR)
