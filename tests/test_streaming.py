"""Streams: whatever the blocks, the results of the whole signal."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.streaming.analysis import MODES

from .tolerances import assert_near_peak, assert_same_spectrum

SR = 8000
LOCAL = {
    "STFT": aa.STFT(n_fft=128, hop_length=50),
    "STFT reflect": aa.STFT(n_fft=128, pad_mode="reflect", output="magnitude"),
    "STFT symmetric": aa.STFT(n_fft=127, pad_mode="symmetric", output="phase"),
    "STFT edge": aa.STFT(n_fft=64, pad_mode="edge", output="power"),
    "STFT with gaps": aa.STFT(n_fft=64, hop_length=200, center=False),
    "STFT on a log scale": aa.STFT(n_fft=128, sr=SR, freq_scale="log", freq_bins=20, fmin=100),
    "mel": aa.MelSpectrogram(sr=SR, n_fft=128, hop_length=64, n_mels=10),
    "log-mel": aa.MelSpectrogram(sr=SR, n_fft=128, hop_length=64, n_mels=10, scale="db", top_db=None),
    "MFCC": aa.MFCC(sr=SR, n_fft=128, hop_length=40, n_mels=12, n_mfcc=5, top_db=None),
    "LFCC": aa.LFCC(sr=SR, n_fft=128, hop_length=40, n_filter=12, n_lfcc=5, top_db=None),
    "gammatone": aa.Gammatonegram(sr=SR, n_fft=128, hop_length=30, n_bins=8),
    "chroma": aa.Chroma(sr=SR, n_fft=512, hop_length=100),
    "CFP": aa.CFP(sr=SR, n_fft=256, hop_length=100, fmin=100, fmax=1000),
    "CQT": aa.CQT(sr=SR, hop_length=50, n_bins=24, fmin=300),
    "CQT 1992": aa.CQT(sr=SR, hop_length=64, n_bins=12, fmin=500, method="1992", output="magnitude"),
    "VQT": aa.VQT(sr=SR, hop_length=64, n_bins=24, fmin=200, center=False),
    "ChromaCQT": aa.ChromaCQT(sr=SR, hop_length=64, fmin=300, n_octaves=2),
}
# Kernels in spectra of long segments, whose beginnings are those of the blocks.
ROUNDED = ("CQT", "CQT 1992", "VQT", "ChromaCQT", "STFT on a log scale", "CFP")


def in_blocks(stream, y, rng, longest=400, finish=True):
    """Push a signal in blocks of random sizes, the last one of which is ended; some have no frames."""
    parts, start = [], 0
    while start < y.shape[-1]:
        size = min(int(rng.integers(1, longest)), y.shape[-1] - start)
        parts.append(stream.push(y[..., start : start + size]))
        start += size
    return [*parts, stream.flush()] if finish else parts


def joined(library, parts):
    return np.concatenate([library.to_numpy(part) for part in parts], axis=-1)


@pytest.mark.parametrize("name", LOCAL)
def test_blocks_give_the_frames_of_the_whole(name, library, dtype, rng):
    transform, y = LOCAL[name], rng.standard_normal((2, 3, 2501)).astype(dtype)
    parts = in_blocks(transform.stream(channels=(2, 3)), library.asarray(y), rng)
    found, expected = joined(library, parts), library.to_numpy(transform(library.asarray(y)))
    assert found.dtype == expected.dtype
    assert sum(part.shape[-1] > 0 for part in parts[:-1]) > 2
    if library.name.startswith("numpy") and name not in ROUNDED:
        np.testing.assert_array_equal(found, expected)
    elif name == "STFT symmetric":  # angles turn at pi
        assert_same_spectrum(np.exp(1j * found.astype(float)), np.exp(1j * expected.astype(float)), dtype)
    else:
        assert_near_peak(found, expected, dtype)


@settings(max_examples=100)
@given(
    n=st.integers(1, 400),
    n_fft=st.sampled_from([16, 64, 50]),
    hop=st.integers(1, 150),
    centred=st.booleans(),
    mode=st.sampled_from(MODES),
    longest=st.sampled_from([2, 30, 500]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_blocks_and_frames(n, n_fft, hop, centred, mode, longest, seed):
    rng = np.random.default_rng(seed)
    transform = aa.STFT(n_fft=n_fft, hop_length=hop, center=centred, pad_mode=mode)
    y = rng.standard_normal(n)
    stream = transform.stream()
    if n < transform.min_length:
        with pytest.raises(aa.ParameterError, match=f"signal has {n} samples: must have at least"):
            in_blocks(stream, y, rng, longest)
        return
    found = np.concatenate(in_blocks(stream, y, rng, longest), axis=-1)
    np.testing.assert_array_equal(found, transform(y))


def test_frames_come_as_soon_as_their_samples(rng):
    transform = aa.STFT(n_fft=64, hop_length=16)
    stream = transform.stream()
    assert stream.latency == 32
    for count in range(1, 200):
        frames = stream.push(rng.standard_normal(1))
        assert frames.shape == (33, int(count >= stream.latency and (count - stream.latency) % 16 == 0))


def test_no_more_is_held_than_frames_and_blocks_need(rng):
    stream = aa.STFT(n_fft=64, hop_length=16, pad_mode="reflect").stream(channels=2)
    for _ in range(50):
        stream.push(rng.standard_normal((2, 1000)))
        assert sum(array.size for array in stream.state.values() if isinstance(array, np.ndarray)) <= 2 * (64 + 33)


@pytest.mark.parametrize(
    "make",
    [
        lambda: aa.STFT(n_fft=64, pad_mode="reflect").stream(channels=2),
        lambda: aa.CQT(sr=SR, hop_length=50, n_bins=24, fmin=300).stream(channels=2),
        lambda: aa.resample_stream(orig_sr=3, target_sr=2, channels=2),
    ],
    ids=["STFT", "CQT", "resampling"],
)
def test_streams_go_on_from_a_saved_state(make, library, rng):
    y, whole, first = library.asarray(rng.standard_normal((2, 3000))), make(), make()
    expected = [whole.push(y[:, :1111]), whole.push(y[:, 1111:]), whole.flush()]
    before = first.push(y[:, :1111])
    state = pickle.loads(pickle.dumps(first.state))
    first.push(y[:, 5:900])  # which the copy does not see
    second = make().restore(state)
    found = [before, second.push(y[:, 1111:]), second.flush()]
    np.testing.assert_array_equal(joined(library, found), joined(library, expected))


def test_a_stream_begins_anew(rng):
    stream = aa.STFT(n_fft=64).stream()
    y = rng.standard_normal(500)
    once = np.concatenate(in_blocks(stream, y, rng), axis=-1)
    with pytest.raises(aa.ParameterError, match="the stream has ended: begin a new signal with reset"):
        stream.push(y)
    with pytest.raises(aa.ParameterError, match="the stream has ended"):
        stream.flush()
    again = np.concatenate(in_blocks(stream.reset(), y, rng), axis=-1)
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(
    "transform",
    [
        aa.STFT(n_fft=128),
        aa.STFT(n_fft=127, hop_length=40, window="hamming"),
        aa.STFT(n_fft=64, hop_length=60, window="boxcar"),
        aa.STFT(n_fft=64, hop_length=20, center=False, window="hamming"),
    ],
    ids=["quarter", "odd", "hardly overlapping", "not centred"],
)
class TestSynthesis:
    def test_blocks_give_the_waveform_of_the_whole(self, transform, library, dtype, rng):
        S = library.asarray(library.to_numpy(transform(library.asarray(rng.standard_normal((2, 2000)).astype(dtype)))))
        found = joined(library, in_blocks(transform.inverse_stream(channels=2), S, rng, longest=9))
        assert_same_spectrum(found, library.to_numpy(transform.inverse(S)), dtype)

    def test_any_length_that_frames_cover(self, transform, rng):
        S = transform(rng.standard_normal(1500))
        padding = 0 if not transform.center else transform.n_fft // 2
        covered = (S.shape[-1] - 1) * transform.hop_length + transform.n_fft - padding
        for length in (covered - padding, covered):
            stream = transform.inverse_stream()
            parts = in_blocks(stream, S, rng, longest=9, finish=False)
            found = np.concatenate([*parts, stream.flush(length=length)])
            assert_same_spectrum(found, transform.inverse(S, length=length))
        stream = transform.inverse_stream()
        stream.push(S)
        with pytest.raises(aa.ParameterError, match=f"length={covered + 1}: must be from .* to {covered} after"):
            stream.flush(length=covered + 1)

    def test_goes_on_from_a_saved_state(self, transform, rng):
        S = transform(rng.standard_normal(1500))
        first = transform.inverse_stream()
        before = first.push(S[:, :7])
        second = transform.inverse_stream().restore(pickle.loads(pickle.dumps(first.state)))
        found = np.concatenate([before, second.push(S[:, 7:]), second.flush()])
        assert_same_spectrum(found, transform.inverse(S))


@pytest.mark.parametrize(
    ("old", "new"), [(44100, 16000), (16000, 44100), (22050, 22050), (48000, 16000), (16000, 16000.37), (8000, 500)]
)
def test_resampling_in_blocks(old, new, library, dtype, rng):
    y = library.asarray(rng.standard_normal((2, 5000)).astype(dtype))
    stream, most, parts = aa.resample_stream(orig_sr=old, target_sr=new, channels=2, half_width=20), 0, []
    for first in range(0, 5000, 250):
        parts.append(stream.push(y[:, first : first + 250]))
        most = max(most, stream.state["samples"].shape[-1])
    found = joined(library, [*parts, stream.flush()])
    assert_same_spectrum(found, library.to_numpy(aa.resample(y, orig_sr=old, target_sr=new, half_width=20)), dtype)
    assert most <= 2 * stream.latency + max(250, 441)


@pytest.mark.parametrize("options", [{}, {"max_size": 3, "initial": 0.1}, {"gain": "array", "b": 0.3}], ids=str)
def test_gain_control_in_blocks(options, library, dtype, rng):
    S = rng.random((2, 20, 300)).astype(dtype)
    options = options | ({"gain": library.asarray(rng.random((20, 1)).astype(dtype))} if "gain" in options else {})
    given, stream, parts = library.asarray(S), aa.pcen_stream(sr=SR, channels=2, **options), []
    for first in range(0, 300, 77):
        parts.append(stream.push(given[..., first : min(first + 77, 300)]))
        stream = aa.pcen_stream(sr=SR, channels=2, **options).restore(pickle.loads(pickle.dumps(stream.state)))
    assert stream.flush() is None
    assert_same_spectrum(joined(library, parts), library.to_numpy(aa.pcen(given, sr=SR, **options)), dtype)


class TestErrors:
    def test_gain_control(self):
        with pytest.raises(aa.ParameterError, match="sr=0: must be greater than 0"):
            aa.pcen_stream(sr=0)
        with pytest.raises(aa.ParameterError, match="power=-1: must be at least 0"):
            aa.pcen_stream(sr=SR, power=-1)
        stream = aa.pcen_stream(sr=SR, gain=np.ones((20, 1)))
        stream.push(np.ones((20, 3)))
        with pytest.raises(aa.ParameterError, match=r"gain has shape \(20, 1\): must be a number or have shape"):
            stream.push(np.ones((21, 3)))
        other = aa.pcen_stream(sr=SR)
        other.push(np.ones((20, 3)))
        with pytest.raises(aa.ParameterError, match="block has 21 bands: the blocks before it have 20"):
            other.push(np.ones((21, 3)))

    def test_results_that_depend_on_the_whole_signal(self):
        for transform, message in (
            (aa.MFCC(sr=SR), "top_db=80.0: counts from the loudest value of the whole signal"),
            (aa.MelSpectrogram(sr=SR, scale="db"), "use top_db=None"),
            (aa.STFT(pad_mode="mean"), "pad_mode='mean': needs the whole signal"),
            (aa.STFT(pad_mode="wrap"), "pad_mode='wrap': needs the whole signal"),
            (aa.CQT(sr=SR, fmin=100, n_bins=24, method="2010"), "method='2010': halves the rate"),
            (aa.HybridCQT(sr=SR, fmin=100, n_bins=24), "has frames of several widths"),
        ):
            with pytest.raises(aa.ParameterError, match=message):
                transform.stream()

    def test_what_has_no_stream_back(self):
        for transform in (aa.STFT(output="power"), aa.STFT(sr=SR, freq_scale="log", fmin=100, freq_bins=20)):
            with pytest.raises(aa.ParameterError, match="a stream goes back from complex coefficients"):
                transform.inverse_stream()
        with pytest.raises(aa.ParameterError, match="have no inverse"):
            aa.STFT(n_fft=64, hop_length=64).inverse_stream()

    def test_blocks_that_do_not_fit(self):
        stream = aa.STFT(n_fft=64).stream(channels=2)
        with pytest.raises(aa.ParameterError, match=r"block has shape \(10,\): must be \(2, n_samples\)"):
            stream.push(np.ones(10))
        stream.push(np.ones((2, 10)))
        with pytest.raises(aa.ParameterError, match="block has dtype float32: the blocks before it have float64"):
            stream.push(np.ones((2, 10), np.float32))
        with pytest.raises(aa.ParameterError, match="1 NaN or infinite"):
            stream.push(np.array([[0, np.nan], [0, 0]]))
        back = aa.STFT(n_fft=64).inverse_stream()
        with pytest.raises(aa.ParameterError, match=r"must be \(\.\.\., 33, n_frames\)"):
            back.push(np.ones((32, 3), complex))
        with pytest.raises(aa.ParameterError, match="has no frames"):
            back.flush()
        with pytest.raises(aa.ParameterError, match="channels=0: must be at least 1"):
            aa.STFT().stream(channels=0)

    def test_signals_without_samples(self):
        with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
            aa.STFT().stream().flush()
        with pytest.raises(aa.ParameterError, match="has no samples"):
            aa.resample_stream(orig_sr=2, target_sr=1).flush()

    def test_states_of_other_streams(self):
        state = aa.resample_stream(orig_sr=2, target_sr=1).state
        with pytest.raises(aa.ParameterError, match="must have the entries"):
            aa.STFT().stream().restore(state)
        one = aa.STFT(n_fft=64).stream(channels=1)
        one.push(np.ones((1, 10)))
        with pytest.raises(aa.ParameterError, match=r"channels must be \(2,\)"):
            aa.STFT(n_fft=64).stream(channels=2).restore(one.state)
