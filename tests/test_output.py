"""Results in memory that the caller gives."""

import numpy as np
import pytest

import arrayaudio as aa

TRANSFORMS = [
    aa.STFT(n_fft=64),
    aa.STFT(n_fft=62, output="magnitude"),
    aa.STFT(n_fft=64, sr=8000, freq_scale="log", fmin=100, freq_bins=30),
    aa.STFT(n_fft=64, trainable=True, output="power"),
    aa.MelSpectrogram(sr=8000, n_fft=128, n_mels=10, scale="db"),
    aa.MFCC(sr=8000, n_fft=128, n_mels=10, n_mfcc=5),
    aa.Chroma(sr=8000, n_fft=256),
    aa.CQT(sr=8000, fmin=500, n_bins=24),
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("shape", [(3000,), (2, 3, 3000)])
def test_results_are_written_where_asked(transform, shape, dtype, rng):
    y = rng.standard_normal(shape).astype(dtype)
    expected = transform(y)
    out = np.full_like(expected, np.nan)
    assert transform(y, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_other_libraries_write_too(library, rng):
    y = library.asarray(rng.standard_normal(3000))
    for transform in (TRANSFORMS[1], TRANSFORMS[5]):
        expected = library.to_numpy(transform(y))
        zeros = np.zeros_like(expected)
        out = zeros if library.name.startswith("numpy") else library.asarray(zeros)  # not into read-only memory
        np.testing.assert_array_equal(library.to_numpy(transform(y, out=out)), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda S: S[:, :-1].copy(), r"out has shape \(33, 187\) and dtype float64: must be \(33, 188\) and float64"),
        (lambda S: S.astype(np.float32), "must be .* and float64"),
        (lambda S: np.asfortranarray(S), "out: must be C-contiguous"),
        (lambda S: np.broadcast_to(S, S.shape), "out: must not be read-only"),
    ],
)
@pytest.mark.parametrize("kind", [aa.STFT, aa.Chroma])
def test_what_does_not_fit_is_refused(kind, change, message):
    transform = kind(n_fft=64, hop_length=16, **({"output": "power"} if kind is aa.STFT else {"sr": 8000}))
    S = transform(np.ones(3000))
    message = message.replace("33", str(len(S)))
    with pytest.raises(aa.ParameterError, match=message):
        transform(np.ones(3000), out=change(S))


def test_the_signal_is_never_overwritten():
    y = np.ones(33 * 200)
    out = y[: 33 * 188].reshape(33, 188)
    with pytest.raises(aa.ParameterError, match="out: must not overlap the signal"):
        aa.STFT(n_fft=64, hop_length=16, output="power")(y[:3000], out=out)


def test_a_signal_on_a_gpu_is_never_overwritten_and_its_neighbours_are(gpu):
    stft, memory = aa.STFT(n_fft=64, hop_length=16, output="power"), gpu.asarray(np.ones(3000 + 33 * 188))
    y, out = memory[:3000], memory[3000:].reshape(33, 188)
    with pytest.raises(aa.ParameterError, match="out: must not overlap the signal"):
        stft(y, out=memory[2999:-1].reshape(33, 188))
    assert stft(y, out=out) is out
    np.testing.assert_array_equal(gpu.to_numpy(y), 1)
    np.testing.assert_array_equal(gpu.to_numpy(out), gpu.to_numpy(stft(y)))


def test_arrays_on_the_tape_are_not_written():
    stft, out = aa.STFT(n_fft=64, output="power"), np.zeros((33, 188))
    with pytest.raises(aa.DifferentiationError, match="out: arrays on the tape are never written to"):
        aa.grad(lambda y: stft(y, out=out).sum())(np.ones(3000))
