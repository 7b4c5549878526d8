"""Frames, samples and seconds against their definitions and librosa."""

import math

import librosa
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import arrayaudio as aa

FRAMES = np.array([0, 1, 2, 15, 100, 12345])
SAMPLES = np.array([0, 1, 511, 512, 513, 1500, 22050, 10**6])
TIMES = np.array([0.0, 0.01, 0.5, 1.0, 3.14159, 3600.25])
RATES = [8000, 22050, 44100, 48000, 22050.5]


@pytest.mark.parametrize("n_fft", [None, 400, 401, 2048])
@pytest.mark.parametrize("hop_length", [1, 160, 512])
def test_frames_and_samples_convert_as_defined(hop_length, n_fft):
    options = {"hop_length": hop_length, "n_fft": n_fft}
    offset = 0 if n_fft is None else n_fft // 2
    starts = aa.frames_to_samples(FRAMES, **options)
    assert starts.tolist() == [f * hop_length + offset for f in FRAMES.tolist()]
    np.testing.assert_array_equal(starts, librosa.frames_to_samples(FRAMES, **options))
    frames = aa.samples_to_frames(SAMPLES, **options)
    assert frames.tolist() == [math.floor((s - offset) / hop_length) for s in SAMPLES.tolist()]
    np.testing.assert_array_equal(frames, librosa.samples_to_frames(SAMPLES, **options))


@pytest.mark.parametrize("sr", RATES)
def test_samples_and_seconds_convert_as_in_librosa(sr):
    np.testing.assert_allclose(aa.samples_to_time(SAMPLES, sr=sr), [s / sr for s in SAMPLES.tolist()], rtol=1e-15)
    np.testing.assert_array_equal(aa.samples_to_time(SAMPLES, sr=sr), librosa.samples_to_time(SAMPLES, sr=sr))
    samples = aa.time_to_samples(TIMES, sr=sr)
    assert samples.tolist() == [math.floor(t * sr) for t in TIMES.tolist()]
    np.testing.assert_array_equal(samples, librosa.time_to_samples(TIMES, sr=sr))


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("n_fft", [None, 2048])
def test_frames_and_seconds_convert_as_in_librosa(n_fft, sr):
    options = {"sr": sr, "hop_length": 160, "n_fft": n_fft}
    np.testing.assert_allclose(
        aa.frames_to_time(FRAMES, **options), librosa.frames_to_time(FRAMES, **options), rtol=1e-15
    )
    np.testing.assert_array_equal(aa.time_to_frames(TIMES, **options), librosa.time_to_frames(TIMES, **options))


def test_the_default_hop_is_librosas():
    assert aa.frames_to_samples(3) == librosa.frames_to_samples(3) == 1536
    assert aa.samples_to_frames(1536) == 3


def test_positions_before_the_start_round_down():
    assert aa.samples_to_frames(-1) == -1
    assert aa.samples_to_frames(0, n_fft=2048) == -2
    assert aa.time_to_samples(-0.3, sr=5) == -2


@given(
    frame=st.integers(min_value=0, max_value=10**8),
    hop_length=st.integers(min_value=1, max_value=4096),
    n_fft=st.none() | st.integers(min_value=1, max_value=8192),
)
def test_frames_survive_samples(frame, hop_length, n_fft):
    options = {"hop_length": hop_length, "n_fft": n_fft}
    assert aa.samples_to_frames(aa.frames_to_samples(frame, **options), **options) == frame


@given(sample=st.integers(min_value=0, max_value=10**9), sr=st.sampled_from(RATES))
@example(sample=15, sr=22050)
def test_samples_survive_seconds(sample, sr):
    assert aa.time_to_samples(aa.samples_to_time(sample, sr=sr), sr=sr) == sample


@given(frame=st.integers(min_value=0, max_value=10**6), sr=st.sampled_from(RATES))
@example(frame=15, sr=22050)
def test_frames_survive_seconds(frame, sr):
    assert aa.time_to_frames(aa.frames_to_time(frame, sr=sr), sr=sr) == frame


CONVERSIONS = {
    "frames_to_samples": (aa.frames_to_samples, np.int64),
    "samples_to_frames": (aa.samples_to_frames, np.int64),
    "samples_to_time": (lambda x: aa.samples_to_time(x, sr=100), np.float64),
    "time_to_samples": (lambda x: aa.time_to_samples(x, sr=100), np.int64),
    "frames_to_time": (lambda x: aa.frames_to_time(x, sr=100), np.float64),
    "time_to_frames": (lambda x: aa.time_to_frames(x, sr=100), np.int64),
}
conversions = pytest.mark.parametrize("name", CONVERSIONS)


@conversions
def test_scalars_give_scalars_and_arrays_keep_their_shape(name):
    convert, dtype = CONVERSIONS[name]
    assert isinstance(convert(700), dtype)
    batch = np.arange(6).reshape(2, 3) * 1000
    result = convert(batch)
    assert result.shape == (2, 3)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result[1], [convert(v) for v in batch[1]])
    np.testing.assert_array_equal(convert(batch.tolist()), result)


@conversions
def test_conversions_return_numpy_or_cupy_arrays(name, library):
    convert, dtype = CONVERSIONS[name]
    values = np.array([0.0, 700.0, 4000.0])
    result = convert(library.asarray(values))
    assert library.owns(result) if library.name == "cupy" else isinstance(result, np.ndarray)
    assert result.dtype == dtype
    np.testing.assert_array_equal(aa.to_numpy(result), convert(values))


@pytest.mark.parametrize(
    "convert", [aa.samples_to_time, aa.time_to_samples, aa.frames_to_time, aa.time_to_frames], ids=lambda f: f.__name__
)
@pytest.mark.parametrize(
    ("sr", "rule"),
    [(0, "greater than 0"), (-8000, "greater than 0"), (np.nan, "finite"), (np.inf, "finite"), (None, "a real number")],
)
def test_the_rate_must_be_positive(convert, sr, rule):
    with pytest.raises(aa.ParameterError, match=rf"sr={sr}: must be {rule}"):
        convert(1, sr=sr)


@pytest.mark.parametrize("convert", [aa.frames_to_samples, aa.samples_to_frames])
@pytest.mark.parametrize("name", ["hop_length", "n_fft"])
@pytest.mark.parametrize(("value", "rule"), [(0, "at least 1"), (-5, "at least 1"), (1.5, "a whole number")])
def test_hop_and_frame_length_must_be_positive_whole_numbers(convert, name, value, rule):
    with pytest.raises(aa.ParameterError, match=rf"{name}={value}: must be {rule}"):
        convert(1, **{name: value})
