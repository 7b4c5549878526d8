"""Clips of different lengths in one batch: each as if it were alone."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.transforms import ragged

from .tolerances import assert_same_spectrum

SR = 8000
LENGTHS = (3000, 200, 9000, 801, 4100, 200)
TRANSFORMS = {
    "STFT": aa.STFT(n_fft=256),
    "STFT reflect": aa.STFT(n_fft=255, hop_length=100, pad_mode="reflect"),
    "STFT with gaps": aa.STFT(n_fft=64, hop_length=150, center=False),
    "mel in dB": aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=100, n_mels=20, scale="db", top_db=20.0),
    "MFCC": aa.MFCC(sr=SR, n_fft=256, hop_length=64, n_mels=20, n_mfcc=6, top_db=20.0),
    "chroma": aa.Chroma(sr=SR, n_fft=256, pad_mode="mean"),
    "CQT": aa.CQT(sr=SR, n_bins=24, fmin=300, hop_length=64),
    "learned": aa.STFT(n_fft=64).with_params({"basis": np.random.default_rng(0).standard_normal((2, 33, 64))}),
}


# What products of matrices compute, whose last bit depends on their shape.
ROUNDED = ("chroma", "learned")


def clips(rng, dtype="float64", channels=(), loudness=(1.0,) * 6):
    return [
        (scale * rng.standard_normal((*channels, n))).astype(dtype) for n, scale in zip(LENGTHS, loudness, strict=True)
    ]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_clip_gives_what_it_gives_alone(name, library, dtype, rng):
    transform, signals = TRANSFORMS[name], [library.asarray(clip) for clip in clips(rng, dtype, (2,))]
    values, lengths, mask = transform.ragged(signals, fill=7.0)
    found, inside = library.to_numpy(values), library.to_numpy(mask)
    assert lengths.tolist() == [transform.n_frames(n) for n in LENGTHS]
    assert found.shape[-1] == max(lengths)
    np.testing.assert_array_equal(inside, np.arange(max(lengths)) < lengths[:, None])
    for row, signal, n in zip(found, signals, lengths, strict=True):
        alone = library.to_numpy(transform(signal))
        if library.name.startswith("numpy") and name not in ROUNDED:
            np.testing.assert_array_equal(row[..., :n], alone)
        else:
            assert_same_spectrum(row[..., :n], alone, dtype)
        assert (row[..., n:] == 7.0).all()


def test_mates_do_not_matter(rng):
    transform, signals = TRANSFORMS["mel in dB"], clips(rng, "float32", loudness=(1, 1e-4, 1e6, 1, 1e-3, 1))
    loud = transform.ragged(signals).values
    signals[2] = signals[2] * 0
    np.testing.assert_array_equal(transform.ragged(signals).values[[0, 1, 3, 4, 5]], loud[[0, 1, 3, 4, 5]])
    unchecked = aa.STFT(n_fft=64, check_finite=False)
    spoiled = [*signals[:2], np.full_like(signals[2], np.nan), *signals[3:]]
    values = unchecked.ragged(spoiled).values
    assert np.isfinite(values[[0, 1, 3, 4, 5]]).all()
    assert np.isnan(values[2]).all()


@pytest.mark.parametrize("together", [1, 5000, 10**6])
def test_any_number_of_clips_goes_together(together, rng, monkeypatch):
    signals, transform = clips(rng), TRANSFORMS["STFT"]
    expected = transform.ragged(signals)
    monkeypatch.setattr(ragged, "TOGETHER", together)
    np.testing.assert_array_equal(transform.ragged(signals).values, expected.values)


def test_nothing_is_computed_for_what_is_missing(rng):
    """One long clip among many short ones makes no long frames of these."""
    seen = []
    transform = aa.STFT(n_fft=64, hop_length=16)
    steps = transform._by_frames()
    signals = [rng.standard_normal(n) for n in [20000, *[100] * 50]]
    ragged.ragged(signals, transform.framing, steps._replace(run=lambda y: seen.append(y.size) or steps.run(y)), 0.0)
    assert sum(seen) <= 20000 + 50 * 100 + 51 * (64 + 16)


@pytest.mark.parametrize("name", ["mel in dB", "MFCC", "CQT", "STFT reflect"])
def test_gradients_are_those_of_single_clips(name, rng):
    transform, signals = TRANSFORMS[name], clips(rng)

    def loss(some):
        values = transform.ragged(some).values
        return (values.real**2 + values.imag**2).sum() if "STFT" in name or name == "CQT" else (values**2).sum()

    def alone(signal):
        S = transform(signal)
        return (S.real**2 + S.imag**2).sum() if "STFT" in name or name == "CQT" else (S**2).sum()

    for found, signal in zip(aa.grad(loss)(signals), signals, strict=True):
        assert_same_spectrum(found, aa.grad(alone)(signal))


class TestErrors:
    def test_what_is_no_batch(self):
        for given in ([], (), np.ones((2, 300)), None):
            with pytest.raises(aa.ParameterError, match=f"clips of type {type(given).__name__}: must be a list"):
                aa.STFT(n_fft=64).ragged(given)

    def test_clips_that_do_not_fit_together(self):
        transform = aa.STFT(n_fft=64)
        with pytest.raises(aa.ParameterError, match=r"clip 1 has shape \(2, 300\) and dtype float64: all clips must"):
            transform.ragged([np.ones(300), np.ones((2, 300))])
        with pytest.raises(aa.ParameterError, match=r"clip 2 has shape \(9,\) and dtype float32: .* float64 samples"):
            transform.ragged([np.ones(300), np.ones(9), np.ones(9, np.float32)])

    def test_clips_that_are_no_signals(self):
        with pytest.raises(aa.ParameterError, match="signal has 30 samples: must have at least 64"):
            aa.STFT(n_fft=64, center=False).ragged([np.ones(300), np.ones(30)])
        with pytest.raises(aa.ParameterError, match="1 NaN"):
            aa.STFT(n_fft=64).ragged([np.ones(300), np.array([0, np.nan])])
        with pytest.raises(aa.ParameterError, match="hybrid transform"):
            aa.HybridCQT(sr=SR, fmin=300, n_bins=24).ragged([np.ones(3000)])
