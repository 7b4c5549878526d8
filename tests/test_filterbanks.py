"""Mel filters against the loops, librosa and Kaldi."""

import warnings

import kaldi_native_fbank
import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa

from . import naive
from .tolerances import SPECTRUM, assert_same_spectrum

BANKS = [
    {"sr": 8000, "n_fft": 128, "n_mels": 10},
    {"sr": 16000, "n_fft": 400, "n_mels": 23, "fmin": 20.0, "fmax": 7600.0},
    {"sr": 22050, "n_fft": 301, "n_mels": 12, "fmin": 300.0},
    {"sr": 11025.5, "n_fft": 256, "n_mels": 1, "fmin": 50.0, "fmax": 5000.0},
]
norms = pytest.mark.parametrize("norm", ["slaney", None])


@pytest.mark.parametrize("bank", BANKS, ids=str)
@pytest.mark.parametrize("mel_scale", ["slaney", "htk", "kaldi"])
@norms
def test_filters_are_the_triangles_of_the_loops(bank, mel_scale, norm):
    weights = aa.filters.mel(**bank, mel_scale=mel_scale, norm=norm)
    edges = {"fmin": 0.0, "fmax": bank["sr"] / 2} | bank
    assert weights.shape == (bank["n_mels"], 1 + bank["n_fft"] // 2)
    assert weights.dtype == np.float64
    assert_same_spectrum(weights, naive.mel_filters(**edges, scale=mel_scale, norm=norm))


@pytest.mark.parametrize("bank", [*BANKS, {"sr": 22050, "n_fft": 2048, "n_mels": 128}], ids=str)
@pytest.mark.parametrize("mel_scale", ["slaney", "htk"])
@norms
def test_filters_are_librosas(bank, mel_scale, norm):
    expected = librosa.filters.mel(**bank, htk=mel_scale == "htk", norm=norm, dtype=np.float64)
    assert_same_spectrum(aa.filters.mel(**bank, mel_scale=mel_scale, norm=norm), expected)


def test_filters_have_librosas_defaults():
    expected = librosa.filters.mel(sr=22050, n_fft=2048, dtype=np.float64)
    assert_same_spectrum(aa.filters.mel(sr=22050, n_fft=2048), expected)


KALDI = [(16000, 512, 23, 20.0, 8000.0), (16000, 512, 80, 20.0, 7600.0), (8000, 256, 15, 0.0, 4000.0)]


def kaldi_options(sr, window_length, n_mels, fmin, fmax):
    options = kaldi_native_fbank.FbankOptions()
    frames, bands = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.frame_length_ms, frames.frame_shift_ms = sr, 1000 * window_length / sr, 10
    frames.dither, frames.preemph_coeff, frames.remove_dc_offset = 0, 0, False
    frames.window_type, frames.snip_edges, frames.round_to_power_of_two = "hanning", True, True
    bands.num_bins, bands.low_freq, bands.high_freq = n_mels, fmin, fmax
    options.use_energy, options.use_log_fbank, options.use_power = False, False, True
    return options


def kaldi_rounding(n_mels, fmin, fmax):
    """How far Kaldi's weights can be off: it rounds mels to float32 and divides their differences by the spacing."""
    low, high = aa.hz_to_mel([fmin, fmax], mel_scale="kaldi")
    return 2 * np.spacing(np.float32(high)) * (n_mels + 1) / (high - low)


def kaldi_filters(sr, n_fft, n_mels, fmin, fmax):
    return aa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, mel_scale="kaldi", norm=None)


@pytest.mark.parametrize("bank", KALDI, ids=str)
def test_filters_are_kaldis(bank):
    options = kaldi_options(*bank)
    expected = kaldi_native_fbank.MelBanks(options.mel_opts, options.frame_opts).get_matrix()
    weights = kaldi_filters(*bank)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=kaldi_rounding(*bank[2:]))
    np.testing.assert_array_equal(weights == 0, expected == 0)


@pytest.mark.parametrize("window_length", [400, 512])
def test_power_spectra_times_the_filters_are_kaldis_features(window_length, rng):
    sr, n_fft, n_mels, fmin, fmax = bank = KALDI[0]
    y = rng.standard_normal(8000).astype(np.float32)
    fbank = kaldi_native_fbank.OnlineFbank(kaldi_options(sr, window_length, n_mels, fmin, fmax))
    fbank.accept_waveform(sr, y.tolist())
    fbank.input_finished()
    expected = np.array([fbank.get_frame(t) for t in range(fbank.num_frames_ready)])

    frames = np.lib.stride_tricks.sliding_window_view(y.astype(np.float64), window_length)[:: sr // 100]
    power = np.abs(np.fft.rfft(frames * np.hanning(window_length), n_fft)) ** 2
    weights = kaldi_filters(*bank)
    rounding = power @ (weights > 0).T * kaldi_rounding(n_mels, fmin, fmax)
    error = np.abs(power @ weights.T - expected)
    assert expected.shape == (1 + (8000 - window_length) // 160, n_mels)
    assert (error <= rounding + SPECTRUM["float32"] * expected).all()


def test_the_default_upper_edge_is_half_the_rate():
    for sr in (16000, 11025.5):
        np.testing.assert_array_equal(
            aa.filters.mel(sr=sr, n_fft=512, n_mels=20), aa.filters.mel(sr=sr, n_fft=512, n_mels=20, fmax=sr / 2)
        )


@pytest.mark.parametrize("sr", [16000, 4111])  # at 4111 Hz, rounding puts the Nyquist bin inside the last band
def test_kaldi_leaves_out_the_nyquist_bin_and_no_other(sr):
    even, odd = (
        aa.filters.mel(sr=sr, n_fft=n_fft, n_mels=10, mel_scale="kaldi", norm=None).any(axis=0) for n_fft in (512, 511)
    )
    assert not even[-1]
    assert even[1:-1].all()
    assert odd[1:].all()


@settings(max_examples=50)
@given(
    n_mels=st.integers(min_value=1, max_value=40),
    fmin=st.floats(min_value=0, max_value=3000),
    width=st.floats(min_value=100, max_value=5000),
    mel_scale=st.sampled_from(["slaney", "htk", "kaldi"]),
)
def test_triangles_without_norm_add_up_to_one_between_the_outer_centres(n_mels, fmin, width, mel_scale):
    fmax = fmin + width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aa.ArrayAudioWarning)
        weights = aa.filters.mel(
            sr=16000, n_fft=1024, n_mels=n_mels, fmin=fmin, fmax=fmax, mel_scale=mel_scale, norm=None
        )
    edges = aa.mel_frequencies(n_mels + 2, fmin=fmin, fmax=fmax, mel_scale=mel_scale)
    bins = aa.fft_frequencies(sr=16000, n_fft=1024)
    assert (weights >= 0).all()
    inner = (bins >= edges[1]) & (bins <= edges[-2]) & (bins < 8000)
    np.testing.assert_allclose(weights[:, inner].sum(axis=0), 1.0, rtol=0, atol=1e-11)
    assert not weights[:, (bins < edges[0]) | (bins > edges[-1])].any()


@pytest.mark.parametrize("mel_scale", ["slaney", "htk", "kaldi"])
def test_slaneys_norm_divides_by_half_the_width(mel_scale):
    options = {"sr": 16000, "n_fft": 2048, "n_mels": 20, "mel_scale": mel_scale}
    edges = aa.mel_frequencies(22, fmax=8000.0, mel_scale=mel_scale)
    expected = aa.filters.mel(**options, norm=None) / ((edges[2:] - edges[:-2]) / 2)[:, None]
    assert_same_spectrum(aa.filters.mel(**options, norm="slaney"), expected)


@pytest.mark.parametrize("mel_scale", ["slaney", "htk", "kaldi"])
def test_empty_bands_are_named_in_one_warning(mel_scale):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = aa.filters.mel(sr=16000, n_fft=128, n_mels=60, mel_scale=mel_scale)
    empty = np.flatnonzero(~weights.any(axis=1)).tolist()
    assert len(empty) > 1
    assert [w.category for w in caught] == [aa.ArrayAudioWarning]
    message = str(caught[0].message)
    assert f"mel bands {empty} of 60" in message
    assert "n_fft=128 at sr=16000 Hz" in message
    assert "use fewer bands or a longer n_fft" in message
    assert caught[0].filename == __file__


GOOD = {"sr": 16000, "n_fft": 400, "n_mels": 20}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sr": 0}, "sr=0: must be greater than 0"),
        ({"sr": -16000}, "sr=-16000: must be greater than 0"),
        ({"sr": np.nan}, "sr=nan: must be finite"),
        ({"sr": np.inf}, "sr=inf: must be finite"),
        ({"sr": None}, "sr=None: must be a real number"),
        ({"n_fft": 0}, "n_fft=0: must be at least 1"),
        ({"n_fft": 400.0}, "n_fft=400.0: must be a whole number"),
        ({"n_mels": 0}, "n_mels=0: must be at least 1"),
        ({"n_mels": -3}, "n_mels=-3: must be at least 1"),
        ({"n_mels": 2.5}, "n_mels=2.5: must be a whole number"),
        ({"n_mels": True}, "n_mels=True: must be a whole number"),
        ({"n_mels": 2**40}, "must be at least 1 and at most 16777216"),
        ({"fmin": -1.0}, "fmin=-1.0: must be at least 0"),
        ({"fmin": np.nan}, "fmin=nan: must be finite"),
        ({"fmin": 8000.0}, "fmin=8000.0: must be below fmax = 8000 Hz"),
        ({"fmin": 4000.0, "fmax": 3000.0}, "fmin=4000.0: must be below fmax = 3000 Hz"),
        ({"fmin": 3000.0, "fmax": 3000.0}, "fmin=3000.0: must be below fmax = 3000 Hz"),
        ({"fmax": 8000.1}, r"fmax=8000.1: must be at most sr / 2 = 8000 Hz"),
        ({"fmax": 0.0}, "fmax=0.0: must be greater than 0"),
        ({"fmax": np.nan}, "fmax=nan: must be finite"),
        ({"mel_scale": "bark"}, "mel_scale='bark': must be one of 'slaney', 'htk', 'kaldi'"),
        ({"mel_scale": None}, "mel_scale=None: must be one of"),
        ({"norm": "ortho"}, "norm='ortho': must be one of 'slaney', None"),
        ({"norm": 1}, "norm=1: must be one of 'slaney', None"),
    ],
    ids=str,
)
def test_bad_parameters_are_named_with_their_rule(change, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.filters.mel(**GOOD | change)
