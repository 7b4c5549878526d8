"""Running medians, and harmonic and percussive parts: the loops, SciPy's and librosa's numbers, and known mixtures."""

import inspect

import librosa
import numpy as np
import pytest
import scipy.ndimage

import arrayaudio as aa
from arrayaudio import medians
from arrayaudio.medians import median_filter

from . import naive_separation
from .tolerances import assert_same_spectrum, relative_error

COMPLEX = {"float32": "complex64", "float64": "complex128"}


def coefficients(rng, shape, dtype):
    X = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return X.astype(COMPLEX[dtype])


class TestMedians:
    @pytest.mark.parametrize("axis", [-1, -2])
    @pytest.mark.parametrize("size", [1, 2, 5, 8, 31, 60])
    def test_equal_the_loops(self, size, axis, library, dtype, rng):
        S = rng.standard_normal((2, 11, 18)).astype(dtype)
        array = library.asarray(S)
        result = library.to_numpy(median_filter(array, size, axis))
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, [naive_separation.median_filter(item, size, axis) for item in S])
        np.testing.assert_array_equal(library.to_numpy(array), S)

    @pytest.mark.parametrize("size", [3, 16, 31])
    @pytest.mark.parametrize("shape", [(3, 50, 150), (1, 300), (300, 1), (0, 4, 4), (2, 2, 33, 17)])
    def test_equal_those_of_scipy(self, size, shape, dtype, rng):
        S = np.round(rng.standard_normal(shape), 1).astype(dtype)  # with many equal values
        for axis in (-1, -2):
            sizes = [1] * len(shape)
            sizes[axis] = size
            expected = scipy.ndimage.median_filter(S, size=sizes, mode="reflect")
            for form in (median_filter, median_filter.reference):
                result = form(S, size, axis)
                np.testing.assert_array_equal(result, expected)
                assert result.flags.c_contiguous

    def test_do_not_depend_on_how_they_are_shared(self, monkeypatch, rng):
        S = rng.standard_normal((7, 301))
        whole = median_filter.reference(S, 9, -1)
        for block in (1, 50, 700):
            monkeypatch.setattr(medians, "BLOCK", block)
            np.testing.assert_array_equal(median_filter.reference(S, 9, -1), whole)
        for n in (1, 3):
            aa.set_num_threads(n)
            np.testing.assert_array_equal(median_filter(S, 9, -1), whole)
            np.testing.assert_array_equal(median_filter(S.T, 9, -2), whole.T)


SETTINGS = [
    {},
    {"kernel_size": 5},
    {"kernel_size": (4, 7), "power": 1.0},
    {"kernel_size": [3, 1], "margin": 2.0, "power": 3.5},
    {"kernel_size": 5, "margin": (1.0, 5.0)},
    {"kernel_size": 5, "power": np.inf},
    {"kernel_size": 5, "power": np.inf, "margin": [3.0, 1.5]},
]


def pairs(kernel_size=31, power=2.0, margin=1.0):
    sizes, margins = (v if isinstance(v, list | tuple) else (v, v) for v in (kernel_size, margin))
    return sizes, power, margins


class TestParts:
    @pytest.mark.parametrize("options", SETTINGS, ids=str)
    @pytest.mark.parametrize("is_complex", [False, True])
    def test_equal_the_loops(self, options, is_complex, library, dtype, rng):
        S = coefficients(rng, (2, 9, 14), dtype)
        S = S if is_complex else np.abs(S)
        array = library.asarray(S)
        parts = aa.hpss(array, **options)
        for part, expected in zip(
            parts, zip(*[naive_separation.hpss(X, *pairs(**options)) for X in S], strict=True), strict=True
        ):
            result = library.to_numpy(part)
            assert result.dtype == S.dtype
            assert result.flags.c_contiguous
            assert_same_spectrum(result, np.stack(expected), dtype)
        np.testing.assert_array_equal(library.to_numpy(array), S)

    @pytest.mark.parametrize("options", SETTINGS, ids=str)
    @pytest.mark.parametrize("mask", [False, True])
    def test_equal_those_of_librosa(self, options, mask, library, dtype, rng):
        S = np.abs(coefficients(rng, (2, 120, 90), dtype))
        parts = aa.hpss(library.asarray(S), mask=mask, **options)
        for part, theirs in zip(parts, librosa.decompose.hpss(S, mask=mask, **options), strict=True):
            assert_same_spectrum(library.to_numpy(part), theirs, dtype)

    def test_of_complex_spectra_equal_those_of_librosa(self, dtype, rng):
        X = coefficients(rng, (3, 120, 90), dtype)
        for part, theirs in zip(aa.hpss(X), librosa.decompose.hpss(X), strict=True):
            assert_same_spectrum(part, theirs, dtype)

    @pytest.mark.parametrize("power", [0.5, 2, 100.0])
    def test_add_up_to_the_whole(self, power, library, dtype, rng):
        S = coefficients(rng, (40, 50), dtype)
        S[10:30, 10:45] = 0
        tones, clicks = aa.hpss(library.asarray(S), power=power, kernel_size=7)
        assert_same_spectrum(library.to_numpy(tones + clicks), S, dtype)

    def test_leave_a_residual_under_margins(self, rng):
        S = np.abs(coefficients(rng, (40, 50), "float64"))
        tones, clicks = aa.hpss(S, margin=3.0)
        assert ((S - tones - clicks) >= -1e-12).all()
        assert (S - tones - clicks).sum() > 0.3 * S.sum()

    def test_of_items_do_not_depend_on_each_other(self, library, dtype, rng):
        S = np.abs(coefficients(rng, (2, 3, 20, 35), dtype)) * np.array([1e-3, 1, 1e3], dtype)[:, None, None]
        together = [library.to_numpy(part) for part in aa.hpss(library.asarray(S))]
        for place in np.ndindex(2, 3):
            for part, alone in zip(together, aa.hpss(library.asarray(S[place])), strict=True):
                np.testing.assert_array_equal(part[place], library.to_numpy(alone))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 2), (2, 2)])
    def test_of_small_spectra(self, shape, library, rng):
        # Not with SciPy: 1.17 reads beyond the array where the kernel is 8 times as long as an axis of 2.
        S = rng.random(shape)
        for part, expected in zip(aa.hpss(library.asarray(S)), naive_separation.hpss(S, *pairs()), strict=True):
            assert_same_spectrum(library.to_numpy(part), expected)

    @pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 5), (2, 5, 0)])
    def test_of_nothing_are_nothing(self, shape, library):
        for part in aa.hpss(library.asarray(np.ones(shape))):
            assert library.to_numpy(part).shape == shape


class TestSilence:
    @pytest.mark.parametrize(("margin", "value"), [(1.0, 0.5), ((1.0, 2.0), 0.0)])
    def test_belongs_half_to_each_or_to_neither(self, margin, value, library, dtype):
        S = np.zeros((9, 12), dtype)
        for array in (library.asarray(S), library.asarray(S.astype(COMPLEX[dtype]))):
            for mask in aa.hpss(array, margin=margin, mask=True):
                np.testing.assert_array_equal(library.to_numpy(mask), np.full((9, 12), value, dtype))
            for part in aa.hpss(array, margin=margin):
                np.testing.assert_array_equal(library.to_numpy(part), S)

    @pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-38, 1e-20, 1e20, 3e38])
    @pytest.mark.parametrize("power", [2.0, 50.0, np.inf])
    def test_and_any_scale_stay_finite(self, scale, power, library, dtype, rng):
        S = (scale * rng.random((20, 30))).astype(dtype)
        for margin in (1.0, 100.0):
            for mask in aa.hpss(library.asarray(S), power=power, margin=margin, kernel_size=3, mask=True):
                result = library.to_numpy(mask)
                assert (result >= 0).all()
                assert (result <= 1).all()

    def test_stays_silent_as_a_waveform(self, library, dtype):
        for function in (aa.harmonic, aa.percussive):
            result = library.to_numpy(function(library.asarray(np.zeros(3000, dtype)), n_fft=256))
            np.testing.assert_array_equal(result, np.zeros(3000, dtype))


def mixture(rng, shape=(), n=16000):
    tone = np.sin(2 * np.pi * 1000 * np.arange(n) / 16000)
    clicks = np.zeros((*shape, n))
    clicks[..., 2000::4000] = 20
    return tone, clicks, tone + clicks + 1e-3 * rng.standard_normal((*shape, n))


class TestWaveforms:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"n_fft": 512, "hop_length": 100, "margin": (1.0, 3.0)},
            {"n_fft": 501, "kernel_size": (9, 17), "power": 1.0},
            {"n_fft": 512, "win_length": 400, "pad_mode": "reflect"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("name", ["harmonic", "percussive"])
    def test_equal_those_of_librosa(self, name, options, library, dtype, rng):
        *_, y = mixture(rng, (2,), 9000)
        theirs = getattr(librosa.effects, name)(y, **options)
        result = library.to_numpy(getattr(aa, name)(library.asarray(y.astype(dtype)), **options))
        assert result.dtype == dtype
        assert_same_spectrum(result, theirs, dtype)

    def test_separate_a_tone_from_clicks(self, rng):
        tone, clicks, y = mixture(rng)
        inside = slice(500, -500)  # the tone begins and ends with clicks of its own
        assert relative_error(aa.harmonic(y, n_fft=512)[inside], tone[inside]) < 0.1
        assert relative_error(aa.percussive(y, n_fft=512)[inside], clicks[inside]) < 0.1

    def test_add_up_to_the_signal(self, library, dtype, rng):
        y = rng.standard_normal((2, 5000)).astype(dtype)
        array = library.asarray(y)
        total = aa.harmonic(array, n_fft=400, hop_length=90) + aa.percussive(array, n_fft=400, hop_length=90)
        assert_same_spectrum(library.to_numpy(total), y, dtype)

    def test_use_the_window(self, rng):
        # librosa 0.11 takes one too, but does not pass it on.
        y = rng.standard_normal(5000)
        settings = {"n_fft": 256, "window": "hamming"}
        expected = librosa.istft(librosa.decompose.hpss(librosa.stft(y, **settings))[0], length=5000, **settings)
        assert_same_spectrum(aa.harmonic(y, **settings), expected)

    @pytest.mark.filterwarnings("ignore:n_fft=128 is too large:UserWarning")  # of librosa
    @pytest.mark.parametrize("n", [1, 100, 127])
    def test_of_signals_shorter_than_a_frame(self, n, library, rng):
        y = rng.standard_normal(n)
        for name in ("harmonic", "percussive"):
            result = library.to_numpy(getattr(aa, name)(library.asarray(y), n_fft=128))
            assert_same_spectrum(result, getattr(librosa.effects, name)(y, n_fft=128))

    def test_end_in_zeros_where_the_frames_do_not_reach(self, library, dtype, rng):
        y = rng.standard_normal(1000).astype(dtype)
        settings = {"n_fft": 256, "hop_length": 100, "center": False, "window": "hamming"}
        result = library.to_numpy(aa.harmonic(library.asarray(y), **settings))
        assert result.shape == (1000,)
        assert np.abs(result[900:956]).max() > 0
        np.testing.assert_array_equal(result[956:], np.zeros(44, dtype))


def test_defaults_are_those_of_librosa():
    for ours, theirs in (
        (aa.hpss, librosa.decompose.hpss),
        (aa.harmonic, librosa.effects.harmonic),
        (aa.percussive, librosa.effects.percussive),
    ):
        expected = inspect.signature(theirs).parameters
        for name, parameter in list(inspect.signature(ours).parameters.items())[1:]:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                assert parameter.default == expected[name].default


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 0}, "kernel_size=0: must be at least 1"),
        ({"kernel_size": 31.5}, "kernel_size=31.5: must be a whole number"),
        ({"kernel_size": True}, "kernel_size=True: must be a whole number"),
        ({"kernel_size": (31, -1)}, "kernel_size=-1: must be at least 1"),
        ({"kernel_size": (31, 31, 31)}, r"kernel_size=\(31, 31, 31\): must be one number, or a pair"),
        ({"kernel_size": 2**24}, "kernel_size=16777216: must be at least 1 and at most 16384"),
        ({"margin": 0.5}, "margin=0.5: must be at least 1"),
        ({"margin": (1.0, np.nan)}, "margin=nan: must be finite"),
        ({"margin": ()}, r"margin=\(\): must be one number, or a pair"),
        ({"power": 0}, "power=0: must be greater than 0"),
        ({"power": -np.inf}, "power=-inf: must be finite"),
        ({"power": np.ones(2)}, "power=.*: must be a real number"),
        ({"mask": 1}, "mask=1: must be one of True, False"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.hpss(np.ones((4, 4)), **options)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_values_are_refused(bad, host_library):
    S = np.ones((4, 4))
    S[1, 2] = bad
    with pytest.raises(aa.ParameterError, match="must be finite and not negative"):
        aa.hpss(host_library.asarray(S))
    if bad != -1.0:
        with pytest.raises(aa.ParameterError, match="must be finite and not negative"):
            aa.hpss(host_library.asarray(S + 0j))


def test_bad_arrays_are_refused():
    with pytest.raises(aa.ParameterError, match=r"shape \(4,\): must have shape \(..., freq, time\)"):
        aa.hpss(np.ones(4))
    with pytest.raises(aa.DTypeError, match="spectrogram has dtype int64"):
        aa.hpss(np.ones((4, 4), dtype=np.int64))
    with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
        aa.harmonic(np.ones(0))
    with pytest.raises(aa.ParameterError, match="NaN or infinite samples"):
        aa.percussive(np.full(3000, np.nan))
    with pytest.raises(aa.ParameterError, match="have no inverse"):
        aa.harmonic(np.ones(3000), n_fft=64, hop_length=65)
    with pytest.raises(aa.ParameterError, match="margin=0: must be at least 1"):
        aa.percussive(np.ones(3000), margin=0)
