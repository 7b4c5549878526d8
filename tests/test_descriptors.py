"""Descriptors of waveforms and of spectra against the loops and librosa."""

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from . import naive_features, traced
from .naive import pad, power_to_db
from .tolerances import assert_same_levels, assert_same_spectrum

SR, N_FFT = 8000, 128
FREQ = np.arange(1 + N_FFT // 2) * SR / N_FFT
CONTRAST = {"fmin": 300.0, "n_bands": 3}

OF_SPECTRA = [
    (aa.spectral_centroid, {"sr": SR}, lambda S: naive_features.centroid(S, FREQ)),
    (aa.spectral_bandwidth, {"sr": SR}, lambda S: naive_features.bandwidth(S, FREQ, True, 2.0)),
    (aa.spectral_bandwidth, {"sr": SR, "p": 3}, lambda S: naive_features.bandwidth(S, FREQ, True, 3)),
    (aa.spectral_bandwidth, {"sr": SR, "norm": False}, lambda S: naive_features.bandwidth(S, FREQ, False, 2.0)),
    (aa.spectral_rolloff, {"sr": SR}, lambda S: naive_features.rolloff(S, FREQ, 0.85)),
    (aa.spectral_rolloff, {"sr": SR, "roll_percent": 0.1}, lambda S: naive_features.rolloff(S, FREQ, 0.1)),
    (aa.spectral_flatness, {}, lambda S: naive_features.flatness(S, 1e-10, 2.0)),
    (aa.spectral_flatness, {"amin": 0.1, "power": 1}, lambda S: naive_features.flatness(S, 0.1, 1.0)),
    (
        aa.spectral_contrast,
        {"sr": SR, "linear": True, "quantile": 0.2} | CONTRAST,
        lambda S: np.subtract(*naive_features.contrast(S, FREQ, 300.0, 3, 0.2)),
    ),
]
of_spectra = pytest.mark.parametrize(("function", "options", "oracle"), OF_SPECTRA)


def magnitudes(rng, shape, dtype):
    return np.abs(rng.standard_normal(shape)).astype(dtype)


@of_spectra
def test_descriptors_of_spectra_are_those_of_the_loops(function, options, oracle, library, dtype, rng):
    S = magnitudes(rng, (2, len(FREQ), 7), dtype)
    array = library.asarray(S)
    result = library.to_numpy(function(S=array, **options))
    assert result.dtype == dtype
    assert_same_spectrum(result, [oracle(item) for item in S.astype(np.float64)], dtype)
    np.testing.assert_array_equal(library.to_numpy(array), S)


@of_spectra
def test_a_signal_counts_by_its_magnitude_spectrogram(function, options, oracle, library, dtype, rng):
    y = rng.standard_normal((2, 1000)).astype(dtype)
    frames = {"n_fft": N_FFT, "hop_length": 50, "win_length": 100, "window": "hamming", "pad_mode": "reflect"}
    result = library.to_numpy(function(library.asarray(y), **options, **frames))
    S = aa.stft(y.astype(np.float64), output="magnitude", **frames)
    assert result.dtype == dtype
    assert_same_spectrum(result, [oracle(item) for item in S], dtype)


@pytest.mark.parametrize("quantile", [0.02, 0.3])
def test_levels_of_contrast_are_those_of_the_loops(quantile, library, dtype, rng):
    S = magnitudes(rng, (2, len(FREQ), 7), dtype)
    result = library.to_numpy(aa.spectral_contrast(S=library.asarray(S), sr=SR, quantile=quantile, **CONTRAST))
    expected = []
    for item in S.astype(np.float64):
        levels = [power_to_db(x, 1.0, 1e-10, 80.0) for x in naive_features.contrast(item, FREQ, 300.0, 3, quantile)]
        expected.append(levels[0] - levels[1])
    assert result.dtype == dtype
    assert_same_levels(result, expected, dtype)


THEIRS = [
    (aa.spectral_centroid, librosa.feature.spectral_centroid, {"sr": 22050}),
    (aa.spectral_bandwidth, librosa.feature.spectral_bandwidth, {"sr": 22050}),
    (aa.spectral_bandwidth, librosa.feature.spectral_bandwidth, {"sr": 22050, "p": 1.5, "norm": False}),
    (aa.spectral_rolloff, librosa.feature.spectral_rolloff, {"sr": 22050}),
    (aa.spectral_rolloff, librosa.feature.spectral_rolloff, {"sr": 22050, "roll_percent": 0.3}),
    (aa.spectral_flatness, librosa.feature.spectral_flatness, {}),
    (aa.spectral_flatness, librosa.feature.spectral_flatness, {"power": 1.0, "amin": 1e-3}),
    (aa.spectral_contrast, librosa.feature.spectral_contrast, {"sr": 22050, "linear": True}),
    (aa.spectral_contrast, librosa.feature.spectral_contrast, {"sr": 22050, "linear": True, "quantile": 0.4}),
]


@pytest.mark.parametrize(("ours", "theirs", "options"), THEIRS)
def test_descriptors_of_spectra_are_librosas(ours, theirs, options, dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    assert_same_spectrum(ours(y, **options), theirs(y=y.astype(np.float64), **options), dtype)
    S = magnitudes(rng, (1025, 20), dtype)
    assert_same_spectrum(ours(S=S, **options), theirs(S=S.astype(np.float64), **options), dtype)


def test_levels_of_contrast_are_librosas(dtype, rng):
    y = rng.standard_normal(20000).astype(dtype)
    expected = librosa.feature.spectral_contrast(y=y.astype(np.float64), sr=22050)
    assert_same_levels(aa.spectral_contrast(y, sr=22050), expected, dtype)


@pytest.mark.parametrize(("ours", "theirs", "options"), [row for row in THEIRS if "sr" in row[2]])
def test_frequencies_of_the_rows_can_be_given(ours, theirs, options, rng):
    S, freq = magnitudes(rng, (200, 9), "float64"), np.geomspace(30, 11000, 200)
    assert_same_spectrum(ours(S=S, freq=freq, **options), theirs(S=S, freq=freq, **options))


def test_odd_frames_say_so_beside_a_spectrogram(rng):
    y = rng.standard_normal(2000)
    S = aa.stft(y, n_fft=255, hop_length=512, output="magnitude")
    assert_same_spectrum(
        aa.spectral_centroid(S=S, sr=SR, n_fft=255), aa.spectral_centroid(y, sr=SR, n_fft=255, hop_length=512)
    )


FRAMINGS = [(16, 4, True), (17, 5, True), (16, 16, False), (2, 1, True), (31, 40, False)]


@pytest.mark.parametrize(("length", "hop", "center"), FRAMINGS)
def test_levels_and_crossings_are_those_of_the_loops(length, hop, center, library, dtype, rng):
    y = rng.standard_normal((2, 100)).astype(dtype)
    array, settings = library.asarray(y), {"frame_length": length, "hop_length": hop, "center": center}
    half = length // 2 if center else 0
    rows = y.astype(np.float64)
    for mode in ("constant", "reflect"):
        result = library.to_numpy(aa.rms(array, **settings, pad_mode=mode))
        assert result.dtype == dtype
        assert_same_spectrum(
            result, [naive_features.rms(pad(row, half, half, mode), length, hop) for row in rows], dtype
        )
    for threshold in (1e-10, 0.5):
        result = library.to_numpy(aa.zero_crossing_rate(array, **settings, threshold=threshold))
        expected = [
            naive_features.zero_crossing_rate(pad(row, half, half, "edge"), length, hop, threshold) for row in rows
        ]
        assert result.dtype == dtype
        assert_same_spectrum(result, expected, dtype)
    np.testing.assert_array_equal(library.to_numpy(array), y)


@pytest.mark.parametrize("options", [{}, {"frame_length": 400, "hop_length": 100}, {"center": False}], ids=str)
def test_levels_and_crossings_are_librosas(options, dtype, rng):
    y = rng.standard_normal((2, 10000)).astype(dtype)
    y[:, 3000:4000] = 0
    wide = y.astype(np.float64)
    assert_same_spectrum(aa.rms(y, **options), librosa.feature.rms(y=wide, dtype=np.float64, **options), dtype)
    assert_same_spectrum(
        aa.zero_crossing_rate(y, **options), librosa.feature.zero_crossing_rate(wide, **options), dtype
    )


@pytest.mark.parametrize(
    ("function", "options"),
    [(aa.rms, {}), (aa.zero_crossing_rate, {}), *((f, o) for f, o, _ in OF_SPECTRA)],
)
def test_each_row_is_on_its_own_and_silence_is_finite(function, options, library, dtype, rng):
    y = rng.standard_normal((2, 3, 4000)).astype(dtype)
    y[1, 1] = 0
    together = library.to_numpy(function(library.asarray(y), **options))
    alone = [[library.to_numpy(function(library.asarray(row), **options)) for row in item] for item in y]
    assert_same_spectrum(together, alone, dtype)
    assert np.isfinite(together).all()
    silent = np.full_like(together[1, 1], function is aa.spectral_flatness)
    assert_same_spectrum(together[1, 1], silent, dtype)


def test_the_seed_of_real_speech(audio):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac")
    for ours, theirs in [
        (aa.spectral_centroid, librosa.feature.spectral_centroid),
        (aa.spectral_bandwidth, librosa.feature.spectral_bandwidth),
        (aa.spectral_rolloff, librosa.feature.spectral_rolloff),
    ]:
        assert_same_spectrum(ours(y, sr=sr), theirs(y=y, sr=sr))
    assert_same_spectrum(aa.spectral_flatness(y), librosa.feature.spectral_flatness(y=y))
    theirs = librosa.feature.spectral_contrast(y=y, sr=sr, n_bands=4)
    assert_same_levels(aa.spectral_contrast(y, sr=sr, n_bands=4), theirs)


Y, S = np.ones(9000), np.ones((1025, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aa.spectral_centroid(sr=SR), "y and S: give one of the two"),
        (lambda: aa.spectral_centroid(Y, S=S, sr=SR), "y and S: give one of the two"),
        (lambda: aa.spectral_centroid(S=-S, sr=SR), "must be finite and not negative"),
        (lambda: aa.spectral_centroid(S=S[0], sr=SR), r"spectrogram has shape \(3,\)"),
        (lambda: aa.spectral_centroid(S=S, sr=0), "sr=0: must be greater than 0"),
        (lambda: aa.spectral_centroid(S=S, sr=SR, n_fft=512), "n_fft=512: must fit the 1025 rows"),
        (lambda: aa.spectral_centroid(S=S, sr=SR, hop_length=0), "hop_length=0: must be at least 1"),
        (lambda: aa.spectral_centroid(S=S, sr=SR, freq=[1.0]), r"freq of shape \(1,\): must be finite, with shape"),
        (lambda: aa.spectral_centroid(Y[:0], sr=SR), "signal has 0 samples"),
        (lambda: aa.spectral_bandwidth(Y, sr=SR, p=0), "p=0: must be greater than 0"),
        (lambda: aa.spectral_bandwidth(Y, sr=SR, norm=1), "norm=1: must be one of True, False"),
        (lambda: aa.spectral_rolloff(Y, sr=SR, roll_percent=1), "roll_percent=1: must be less than 1"),
        (lambda: aa.spectral_rolloff(Y, sr=SR, roll_percent=0), "roll_percent=0: must be greater than 0"),
        (lambda: aa.spectral_flatness(Y, amin=0), "amin=0: must be greater than 0"),
        (lambda: aa.spectral_flatness(Y, power=0), "power=0: must be greater than 0"),
        (lambda: aa.spectral_contrast(Y, sr=SR), "the last band starts at 6400 Hz, and must start below sr / 2 = 4000"),
        (lambda: aa.spectral_contrast(Y, sr=22050, n_bands=0), "n_bands=0: must be at least 1"),
        (lambda: aa.spectral_contrast(Y, sr=22050, fmin=0), "fmin=0: must be greater than 0"),
        (lambda: aa.spectral_contrast(Y, sr=22050, fmin=5.0), "the band from 0 to 5 Hz has too few rows: use a longer"),
        (lambda: aa.spectral_contrast(S=S, sr=22050, freq=np.zeros(1025)), "freq: must rise from row to row"),
        (lambda: aa.rms(Y, frame_length=1), "frame_length=1: must be at least 2"),
        (lambda: aa.rms(Y, pad_mode="empty"), "pad_mode='empty': must be one of"),
        (lambda: aa.rms(Y[:9], center=False), "signal has 9 samples: must have at least 2048"),
        (lambda: aa.rms(Y * np.nan), "signal has 9000 NaN or infinite samples"),
        (lambda: aa.zero_crossing_rate(Y, threshold=-1), "threshold=-1: must be at least 0"),
        (lambda: aa.zero_crossing_rate(Y, center=0), "center=0: must be one of True, False"),
    ],
)
def test_bad_parameters_are_named_with_their_rule(call, message):
    with pytest.raises(aa.ParameterError, match=message):
        call()


def test_settings_that_do_not_exist_are_refused_beside_a_spectrogram_too():
    with pytest.raises(TypeError, match="nfft"):
        aa.spectral_flatness(S=S, nfft=64)


@pytest.mark.parametrize(
    ("function", "options"),
    [(aa.rms, {}), (aa.zero_crossing_rate, {}), *((f, o) for f, o, _ in OF_SPECTRA)],
)
def test_a_namespace_that_records_sees_it_all(function, options, rng):
    y = rng.standard_normal((2, 4000))
    result = function(traced.Traced(y), **options)
    assert isinstance(result, traced.Traced)
    assert_same_spectrum(result.value, function(y, **options))
