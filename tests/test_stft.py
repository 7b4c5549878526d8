import dataclasses

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.arrays import dtype_name
from arrayaudio.frames import PAD_MODES
from arrayaudio.plan import spectrogram
from arrayaudio.transforms.base import compiled

from . import naive, traced
from .tolerances import SPECTRUM, assert_same_spectrum, relative_error

SETTINGS = [
    {"n_fft": 32},
    {"n_fft": 31, "hop_length": 7},
    {"n_fft": 37, "hop_length": 5, "center": False},  # prime
    {"n_fft": 32, "win_length": 20, "hop_length": 6, "window": "hamming"},
    {"n_fft": 30, "win_length": 7, "hop_length": 50, "window": ("kaiser", 8.0)},  # hop beyond the frame
    {"n_fft": 24, "hop_length": 11, "pad_mode": "reflect"},
    {"n_fft": 24, "pad_mode": "edge", "window": "boxcar"},
    {"n_fft": 2, "hop_length": 1},
    {"n_fft": 1, "hop_length": 3},
]
DETECTORS = {"complex": lambda X: X, "magnitude": np.abs, "power": lambda X: np.abs(X) ** 2}


def oracle(y, transform):
    """The transform by loops, for each item of a batch."""
    window = np.zeros(transform.n_fft)
    left = (transform.n_fft - transform.win_length) // 2
    window[left : left + transform.win_length] = scipy.signal.get_window(transform.window, transform.win_length)
    rows = y.reshape(-1, y.shape[-1])
    each = [
        naive.stft(r, transform.n_fft, transform.hop_length, window, transform.center, transform.pad_mode) for r in rows
    ]
    return np.stack(each).reshape(*y.shape[:-1], *each[0].shape)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
@pytest.mark.parametrize("output", DETECTORS)
def test_equals_the_oracle(library, dtype, options, output, rng):
    y = rng.standard_normal((2, 2, 130)).astype(dtype)
    transform = aa.STFT(**options, output=output)
    result = transform(library.asarray(y))
    expected = DETECTORS[output](oracle(y.astype(np.float64), transform))
    assert dtype_name(result) == (
        dtype if output != "complex" else {"float32": "complex64", "float64": "complex128"}[dtype]
    )
    assert result.shape == (2, 2, 1 + transform.n_fft // 2, transform.n_frames(130))
    assert_same_spectrum(library.to_numpy(result), expected, dtype)
    if library.name.startswith("numpy"):
        assert result.flags.c_contiguous


@pytest.mark.parametrize("mode", PAD_MODES)
def test_every_padding_equals_the_oracle(mode, rng):
    y = rng.standard_normal(70)
    transform = aa.STFT(n_fft=16, hop_length=5, pad_mode=mode)
    assert_same_spectrum(transform(y), oracle(y, transform))


def test_phase_is_the_angle_counted_from_the_start_of_the_frame(library, dtype, rng):
    y = rng.standard_normal(400).astype(dtype)
    phase = library.to_numpy(aa.stft(library.asarray(y), n_fft=64, output="phase"))
    X = oracle(y.astype(np.float64), aa.STFT(n_fft=64))
    assert phase.dtype == dtype
    assert np.abs(phase).max() <= np.pi * (1 + 1e-6)
    assert relative_error(np.abs(X) * np.exp(1j * phase), X) <= SPECTRUM[dtype]


@pytest.mark.parametrize("options", SETTINGS[:7], ids=str)
def test_equals_librosa(options, dtype, rng):
    y = rng.standard_normal(3000).astype(dtype)
    options = {"n_fft": 2048, "hop_length": None, "pad_mode": "constant"} | options
    assert_same_spectrum(aa.stft(y, **options), librosa.stft(y.astype(np.float64), **options), dtype)


def test_equals_scipys_short_time_fft(rng):
    y = rng.standard_normal(4000)
    window = scipy.signal.get_window("hann", 256)
    theirs = scipy.signal.ShortTimeFFT(window, 64, fs=1.0, phase_shift=None).stft(y, p0=2, p1=61)
    assert_same_spectrum(aa.stft(y, n_fft=256, hop_length=64, center=False)[:, : theirs.shape[1]], theirs)


@pytest.mark.parametrize(
    "window",
    ["hann", ("gaussian", 9), np.hanning(40), np.hanning, lambda n: np.ones(n, int)],
    ids=["name", "name and number", "array", "function", "lambda"],
)
def test_windows_may_be_names_arrays_and_functions(window, rng):
    y = rng.standard_normal(200)
    transform = aa.STFT(n_fft=64, win_length=40, window=window)
    values = aa.get_window(window, 40)
    expected = naive.stft(y, 64, 10, np.pad(values, 12), True, "constant")
    assert_same_spectrum(transform(y), expected)
    assert transform == aa.STFT(n_fft=64, win_length=40, window=window)
    assert hash(transform) == hash(aa.STFT(n_fft=64, win_length=40, window=window))


class TestAxes:
    def test_a_tone_peaks_at_its_frequency_and_a_click_at_its_time(self):
        stft = aa.STFT(n_fft=256, hop_length=64, sr=8000, output="magnitude")
        tone = np.sin(2 * np.pi * 2000 * np.arange(8000) / 8000)
        assert stft.frequencies[stft(tone)[:, 60].argmax()] == 2000
        click = np.zeros(8000)
        click[4032] = 1
        assert stft.times(8000)[stft(click)[3].argmax()] == 4032 / 8000

    def test_times_are_those_of_the_middle_of_the_frames(self):
        assert aa.STFT(n_fft=8, hop_length=2, sr=2).times(10).tolist() == [0, 1, 2, 3, 4, 5]
        assert aa.STFT(n_fft=8, hop_length=2, sr=2, center=False).times(10).tolist() == [2, 3]

    def test_without_a_sampling_rate_they_refuse(self):
        with pytest.raises(aa.ParameterError, match="sr=None"):
            _ = aa.STFT().frequencies
        with pytest.raises(aa.ParameterError, match="sr=None"):
            aa.STFT().times(10000)


class TestSettings:
    def test_defaults_are_librosas(self):
        stft = aa.STFT()
        assert (stft.n_fft, stft.hop_length, stft.win_length, stft.window) == (2048, 512, 2048, "hann")
        assert (stft.center, stft.pad_mode, stft.output) == (True, "constant", "complex")
        assert aa.STFT(n_fft=1024, win_length=400).hop_length == 100

    def test_frozen_equal_and_hashed_by_value(self):
        a, b = aa.STFT(n_fft=512), aa.STFT(n_fft=512, hop_length=128)
        assert a == b
        assert len({a, b, aa.STFT(n_fft=512, hop_length=64)}) == 2
        with pytest.raises(dataclasses.FrozenInstanceError):
            a.n_fft = 1024

    @pytest.mark.parametrize("options", SETTINGS, ids=str)
    def test_survive_dict_json_pickle_and_copies(self, options):
        import copy
        import pickle

        transform = aa.STFT(**options, sr=8000)
        transform(np.ones(200))
        assert aa.STFT.from_dict(transform.to_dict()) == transform
        assert aa.STFT.from_json(transform.to_json()) == transform
        assert pickle.loads(pickle.dumps(transform)) == transform
        assert copy.deepcopy(transform) == transform

    def test_settings_of_something_else_are_refused(self):
        with pytest.raises(aa.ParameterError, match=r"'MFCC'.*not those of STFT"):
            aa.STFT.from_dict(aa.MFCC(sr=8000).to_dict())
        with pytest.raises(aa.ParameterError, match="no settings named nonsense"):
            aa.STFT.from_dict({"transform": "STFT", "nonsense": 1})

    def test_aliases_name_the_same_setting_and_exclude_each_other(self):
        assert aa.STFT(output_format="power", sample_rate=8000) == aa.STFT(output="power", sr=8000)
        assert aa.melspectrogram(np.ones(3000), sample_rate=8000, f_max=3000, n_mels=20).shape == (20, 6)
        with pytest.raises(aa.ParameterError, match=r"sample_rate=1 and sr=2.*give one"):
            aa.STFT(sample_rate=1, sr=2)

    def test_unknown_settings_are_named(self):
        with pytest.raises(TypeError, match="nfft"):
            aa.STFT(nfft=512)

    def test_repr_shows_what_differs_from_the_defaults(self):
        assert (
            repr(aa.STFT(n_fft=64, window=np.ones(64)))
            == "STFT(hop_length=16, n_fft=64, win_length=64, window=<64 values>)"
        )

    def test_to_moves_the_signal(self, library, rng):
        y = library.asarray(rng.standard_normal(3000))
        result = aa.STFT().to("cpu")(y)
        assert isinstance(result, np.ndarray)


class TestInverse:
    @pytest.mark.parametrize("options", [*SETTINGS[:2], *SETTINGS[5:8], {}, {"n_fft": 33, "hop_length": 16}], ids=str)
    @pytest.mark.parametrize("n", [1000, 1001, 1023])
    def test_istft_of_stft_is_the_signal(self, library, dtype, options, n, rng):
        y = rng.standard_normal((2, n)).astype(dtype)
        transform = aa.STFT(**options)
        back = transform.inverse(transform(library.asarray(y)), length=n)
        assert dtype_name(back) == dtype
        assert relative_error(library.to_numpy(back), y) <= {"float32": 1e-6, "float64": 1e-13}[dtype]

    @pytest.mark.parametrize("n", [16000, 113600])
    def test_istft_is_exact_at_the_default_settings(self, dtype, n, rng):
        y = rng.standard_normal(n).astype(dtype)
        back = aa.istft(aa.stft(y), length=n)
        assert relative_error(back, y) <= {"float32": 1e-6, "float64": 1e-13}[dtype]

    def test_without_centring_all_but_what_no_window_reaches(self, rng):
        y = rng.standard_normal(1000)
        transform = aa.STFT(n_fft=100, hop_length=25, center=False)
        back = transform.inverse(transform(y))
        assert back.shape == (1000,)
        assert back[0] == 0  # a periodic Hann window is zero there
        np.testing.assert_allclose(back[1:], y[1:], atol=1e-11)

    @pytest.mark.parametrize("options", SETTINGS[:3] + SETTINGS[5:8], ids=str)
    def test_equals_the_oracle_on_spectra_that_belong_to_no_signal(self, library, dtype, options, rng):
        transform = aa.STFT(**options)
        shape = (1 + transform.n_fft // 2, 9)
        S = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.result_type(dtype, np.complex64))
        window = aa.get_window(transform.window, transform.n_fft)
        length = 8 * transform.hop_length
        hop = transform.hop_length
        expected = naive.istft(S.astype(np.complex128), transform.n_fft, hop, window, transform.center, length)
        assert_same_spectrum(library.to_numpy(transform.inverse(library.asarray(S), length=length)), expected, dtype)

    def test_equals_librosa(self, rng):
        S = librosa.stft(rng.standard_normal(20000))
        assert_same_spectrum(aa.istft(S, length=20000), librosa.istft(S, length=20000))
        assert_same_spectrum(aa.istft(S), librosa.istft(S))

    def test_real_spectra_are_spectra(self):
        assert aa.istft(np.ones((33, 5), np.float32)).dtype == np.float32

    @pytest.mark.parametrize(
        "options", [{"n_fft": 64, "hop_length": 64}, {"n_fft": 64, "hop_length": 80, "window": "boxcar"}]
    )
    def test_windows_without_an_inverse_are_refused_with_their_smallest_sum(self, options):
        transform = aa.STFT(**options)
        with pytest.raises(aa.ParameterError, match=r"no inverse.*falls to 0 at sample \d+"):
            transform.inverse(np.ones((33, 4), complex))

    @pytest.mark.parametrize(("shape", "length"), [((32, 4), None), ((33,), None), ((33, 0), None), ((2, 34, 4), 10)])
    def test_spectra_of_another_shape_are_refused(self, shape, length):
        with pytest.raises(aa.ParameterError, match=r"must be \(\.\.\., 33, n_frames\)"):
            aa.STFT(n_fft=64).inverse(np.ones(shape, complex), length=length)

    def test_a_length_beyond_the_frames_is_refused(self):
        X = aa.stft(np.ones(100), n_fft=64)
        assert aa.istft(X, n_fft=64, length=128).shape == (128,)
        with pytest.raises(aa.ParameterError, match="length=129: must be at least 1 and at most 128"):
            aa.istft(X, n_fft=64, length=129)
        with pytest.raises(aa.ParameterError, match="length=0"):
            aa.istft(X, n_fft=64, length=0)

    def test_spectra_without_phase_are_refused(self):
        with pytest.raises(aa.ParameterError, match=r"output='power'.*use output='complex'"):
            aa.STFT(output="power").inverse(np.ones((1025, 3)))

    def test_the_number_of_rows_gives_an_even_n_fft(self):
        with pytest.raises(aa.ParameterError, match="at least two rows"):
            aa.istft(np.ones(5, complex))
        with pytest.raises(aa.DTypeError, match="int64"):
            aa.istft(np.ones((5, 5), int))


@settings(max_examples=60)
@given(
    st.integers(1, 48),
    st.integers(1, 24),
    st.integers(30, 200),
    st.booleans(),
    st.sampled_from(PAD_MODES),
    st.integers(0, 2**32 - 1),
)
def test_linear_and_invertible_whatever_the_frames(n_fft, hop, n, center, mode, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n + n_fft))
    transform = aa.STFT(n_fft=n_fft, hop_length=hop, center=center, window="hamming", pad_mode=mode)
    if mode not in ("maximum", "median", "minimum"):
        assert relative_error(transform(2 * x - 3 * y), 2 * transform(x) - 3 * transform(y)) < 1e-12
    if hop <= n_fft:
        length = min(len(x), (transform.n_frames(len(x)) - 1) * hop + n_fft - (n_fft // 2 if center else 0))
        assert relative_error(transform.inverse(transform(x), length=length), x[:length]) < 1e-12


@given(st.integers(2, 64), st.integers(0, 2**32 - 1))
def test_parseval_holds_for_each_frame(n_fft, seed):
    y = np.random.default_rng(seed).standard_normal(n_fft)
    power = aa.spectrogram(y, n_fft=n_fft, window="boxcar", center=False)[:, 0]
    doubled = 2 * power
    doubled[0] = power[0]
    if n_fft % 2 == 0:
        doubled[-1] = power[-1]
    assert abs(doubled.sum() / n_fft - (y**2).sum()) <= 1e-11 * (y**2).sum()


def test_stage_code_runs_on_a_namespace_that_records(rng):
    y = rng.standard_normal(500)
    transform = aa.STFT(n_fft=64, output="power")
    traced.calls.clear()
    result = transform(traced.Traced(y))
    assert isinstance(result, traced.Traced)
    assert "rfft" in traced.calls
    np.testing.assert_array_equal(result.value, spectrogram.reference(y, compiled(transform)))
    mfcc = aa.MFCC(sr=8000, n_fft=256, n_mels=20)
    np.testing.assert_allclose(mfcc(traced.Traced(y)).value, mfcc(y), atol=1e-10)
    X = aa.stft(y, n_fft=64)
    assert_same_spectrum(aa.STFT(n_fft=64).inverse(traced.Traced(X)).value, aa.istft(X))


def test_results_do_not_depend_on_batch_mates(rng, dtype):
    y = rng.standard_normal((7, 5000)).astype(dtype)
    for transform in (aa.STFT(), aa.STFT(output="power"), aa.MelSpectrogram(sr=16000, scale="db"), aa.MFCC(sr=16000)):
        together = transform(y)
        for item, alone in zip(together, y, strict=True):
            np.testing.assert_array_equal(item, transform(alone))
