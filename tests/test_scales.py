"""Frequency scales against the scalar formulas, librosa and Kaldi."""

import kaldi_native_fbank
import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.scales import MEL_SCALES

from . import naive

HZ = np.array([0.0, 1.0, 20.0, 27.5, 440.0, 999.999, 1000.0, 1000.001, 4186.0, 8000.0, 22050.0, 96000.0])
AUDIBLE = st.floats(min_value=1e-3, max_value=1e5)

# Each scale with its inverse and its scalar formula.
SCALES = {
    "slaney": (aa.hz_to_mel, aa.mel_to_hz, lambda f: naive.hz_to_mel(f, "slaney")),
    "htk": (
        lambda f: aa.hz_to_mel(f, mel_scale="htk"),
        lambda m: aa.mel_to_hz(m, mel_scale="htk"),
        lambda f: naive.hz_to_mel(f, "htk"),
    ),
    "kaldi": (
        lambda f: aa.hz_to_mel(f, mel_scale="kaldi"),
        lambda m: aa.mel_to_hz(m, mel_scale="kaldi"),
        lambda f: naive.hz_to_mel(f, "kaldi"),
    ),
    "bark": (aa.hz_to_bark, aa.bark_to_hz, naive.hz_to_bark),
    "erb": (aa.hz_to_erb, aa.erb_to_hz, naive.hz_to_erb_rate),
    "octaves": (aa.hz_to_octs, aa.octs_to_hz, naive.hz_to_octave),
}
scales = pytest.mark.parametrize("name", SCALES)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@scales
def test_scale_is_its_formula(name):
    forward, _, formula = SCALES[name]
    hz = HZ[1:]
    close(forward(hz), [formula(f) for f in hz])


@pytest.mark.parametrize("mel_scale", MEL_SCALES)
def test_mel_to_hz_is_its_formula(mel_scale):
    mels = np.array([0.0, 0.5, 14.999, 15.0, 15.001, 40.0, 2840.0 if mel_scale != "slaney" else 60.0])
    close(aa.mel_to_hz(mels, mel_scale=mel_scale), [naive.mel_to_hz(m, mel_scale) for m in mels])


@pytest.mark.parametrize("mel_scale", ["slaney", "htk"])
def test_mel_scale_agrees_with_librosa(mel_scale):
    htk = mel_scale == "htk"
    mels = librosa.hz_to_mel(HZ, htk=htk)
    close(aa.hz_to_mel(HZ, mel_scale=mel_scale), mels)
    close(aa.mel_to_hz(mels, mel_scale=mel_scale), librosa.mel_to_hz(mels, htk=htk))


@pytest.mark.parametrize("f", [20.0, 440.0, 1000.0, 8000.0])
def test_mel_scales_agree_with_kaldi_in_single_precision(f):
    banks, single = kaldi_native_fbank.MelBanks, np.finfo(np.float32).eps
    # Kaldi rounds f / 700 and 1 + f / 700 before it takes the logarithm, half an eps each.
    kaldi = banks.mel_scale(f)
    np.testing.assert_allclose(aa.hz_to_mel(f, mel_scale="kaldi"), kaldi, rtol=single / 2, atol=1127 * single)
    np.testing.assert_allclose(aa.hz_to_mel(f), banks.mel_scale_slaney(f), rtol=2 * single)


def test_octaves_agree_with_librosa():
    hz = HZ[1:]
    for tuning, bins_per_octave in ((0.0, 12), (0.25, 12), (-1.5, 36)):
        options = {"tuning": tuning, "bins_per_octave": bins_per_octave}
        octaves = aa.hz_to_octs(hz, **options)
        close(octaves, librosa.hz_to_octs(hz, **options))
        close(octaves, [naive.hz_to_octave(f, tuning, bins_per_octave) for f in hz])
        close(aa.octs_to_hz(octaves, **options), librosa.octs_to_hz(octaves, **options))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (aa.hz_to_mel(1000.0), 15.0),
        (aa.hz_to_mel(6400.0), 42.0),
        (aa.mel_to_hz(42.0), 6400.0),
        (aa.hz_to_bark(0.0), -0.53),
        (aa.hz_to_erb(0.0), 0.0),
        (aa.hz_to_octs(27.5), 0.0),
        (aa.octs_to_hz(4.0), 440.0),
    ],
)
def test_known_points(value, expected):
    close(value, expected)


@scales
@given(f=AUDIBLE)
def test_round_trip_returns_the_frequency(name, f):
    forward, back, _ = SCALES[name]
    close(back(forward(f)), f)


@scales
@given(low=AUDIBLE, ratio=st.floats(min_value=1 + 1e-6, max_value=100))
def test_scale_rises_with_frequency(name, low, ratio):
    forward, _, _ = SCALES[name]
    assert forward(low) < forward(low * ratio)


@scales
@pytest.mark.parametrize("direction", [0, 1])
def test_scalars_give_scalars_and_arrays_keep_their_shape(name, direction):
    convert = SCALES[name][direction]
    assert np.ndim(convert(10)) == 0
    assert isinstance(convert(10.0), float)
    batch = np.arange(1.0, 13.0).reshape(2, 3, 2)
    result = convert(batch)
    assert result.shape == batch.shape
    np.testing.assert_array_equal(result[1, 2], [convert(v) for v in batch[1, 2]])
    np.testing.assert_array_equal(convert(batch.tolist()), result)


@scales
@pytest.mark.parametrize("direction", [0, 1])
def test_conversions_compute_in_float64(name, direction):
    convert = SCALES[name][direction]
    for dtype in (np.float32, np.int16):
        result = convert(np.array([3, 10, 14], dtype=dtype))
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, convert(np.array([3.0, 10.0, 14.0])))


@scales
@pytest.mark.parametrize("direction", [0, 1])
def test_conversions_return_numpy_or_cupy_arrays_and_leave_their_input_alone(name, direction, library):
    convert = SCALES[name][direction]
    values = np.array([3.0, 10.0, 14.0])
    x = library.asarray(values)
    result = convert(x)
    if library.name == "cupy":
        assert library.owns(result)
    else:
        assert isinstance(result, np.ndarray)
    close(aa.to_numpy(result), convert(values))
    np.testing.assert_array_equal(library.to_numpy(x), values)


@pytest.mark.parametrize("mel_scale", MEL_SCALES)
@pytest.mark.parametrize(("n_mels", "fmin", "fmax"), [(1, 50.0, 8000.0), (2, 0.0, 4000.0), (130, 20.0, 11025.0)])
def test_mel_frequencies_are_equally_spaced_in_mel(n_mels, fmin, fmax, mel_scale):
    frequencies = aa.mel_frequencies(n_mels, fmin=fmin, fmax=fmax, mel_scale=mel_scale)
    low, high = naive.hz_to_mel(fmin, mel_scale), naive.hz_to_mel(fmax, mel_scale)
    steps = max(n_mels - 1, 1)
    close(frequencies, [naive.mel_to_hz(low + (high - low) * i / steps, mel_scale) for i in range(n_mels)])
    if mel_scale != "kaldi":
        outside = librosa.mel_frequencies(n_mels, fmin=fmin, fmax=fmax, htk=mel_scale == "htk")
        close(frequencies, outside)


def test_mel_frequencies_have_librosas_defaults():
    close(aa.mel_frequencies(), librosa.mel_frequencies())


@pytest.mark.parametrize("sr", [8000, 22050, 44100.5])
@pytest.mark.parametrize("n_fft", [1, 2, 255, 2048])
def test_fft_frequencies_are_multiples_of_the_bin_width(sr, n_fft):
    frequencies = aa.fft_frequencies(sr=sr, n_fft=n_fft)
    assert frequencies.dtype == np.float64
    close(frequencies, [k * sr / n_fft for k in range(1 + n_fft // 2)])
    close(frequencies, librosa.fft_frequencies(sr=sr, n_fft=n_fft))


@pytest.mark.parametrize("tuning", [0.0, 0.3, -0.5])
def test_cqt_frequencies_are_spaced_in_octaves(tuning):
    frequencies = aa.cqt_frequencies(84, fmin=32.7, bins_per_octave=24, tuning=tuning)
    close(frequencies, [32.7 * 2 ** ((k + tuning) / 24) for k in range(84)])
    close(frequencies, librosa.cqt_frequencies(84, fmin=32.7, bins_per_octave=24, tuning=tuning))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aa.hz_to_mel(1.0, mel_scale="bark"), r"mel_scale='bark': must be one of 'slaney', 'htk', 'kaldi'"),
        (lambda: aa.mel_to_hz(1.0, mel_scale=None), r"mel_scale=None: must be one of 'slaney', 'htk', 'kaldi'"),
        (lambda: aa.fft_frequencies(sr=0, n_fft=4), r"sr=0: must be greater than 0"),
        (lambda: aa.fft_frequencies(sr=-1.5, n_fft=4), r"sr=-1.5: must be greater than 0"),
        (lambda: aa.fft_frequencies(sr=np.nan, n_fft=4), r"sr=nan: must be finite"),
        (lambda: aa.fft_frequencies(sr=np.inf, n_fft=4), r"sr=inf: must be finite"),
        (lambda: aa.fft_frequencies(sr=8000, n_fft=0), r"n_fft=0: must be at least 1"),
        (lambda: aa.fft_frequencies(sr=8000, n_fft=4.0), r"n_fft=4.0: must be a whole number"),
        (lambda: aa.mel_frequencies(0), r"n_mels=0: must be at least 1"),
        (lambda: aa.mel_frequencies(4, fmin=-1.0), r"fmin=-1.0: must be at least 0"),
        (lambda: aa.mel_frequencies(4, fmax=np.nan), r"fmax=nan: must be finite"),
        (lambda: aa.mel_frequencies(4, mel_scale="mel"), r"mel_scale='mel': must be one of"),
        (lambda: aa.cqt_frequencies(0, fmin=55.0), r"n_bins=0: must be at least 1"),
        (lambda: aa.cqt_frequencies(3, fmin=0.0), r"fmin=0.0: must be greater than 0"),
        (lambda: aa.cqt_frequencies(3, fmin=55.0, bins_per_octave=0), r"bins_per_octave=0: must be at least 1"),
        (lambda: aa.cqt_frequencies(3, fmin=55.0, tuning=np.nan), r"tuning=nan: must be finite"),
    ],
)
def test_bad_parameters_are_named_with_their_rule(call, message):
    with pytest.raises(aa.ParameterError, match=message):
        call()
