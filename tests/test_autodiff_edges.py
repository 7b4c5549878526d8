"""Gradients of transforms and features are finite at silence, at full scale and where both meet."""

import numpy as np
import pytest

import arrayaudio as aa

SR, N = 8000, 1200
FEATURES = {
    "stft magnitude": lambda y: aa.stft(y, n_fft=128, output="magnitude"),
    "stft phase": lambda y: aa.stft(y, n_fft=128, output="phase"),
    "mel dB": lambda y: aa.melspectrogram(y, sr=SR, n_fft=128, n_mels=10, scale="db"),
    "mfcc": lambda y: aa.mfcc(y, sr=SR, n_fft=128, n_mels=10, n_mfcc=5),
    "lfcc": lambda y: aa.lfcc(y, sr=SR, n_fft=128, n_filter=10, n_lfcc=5),
    "gammatonegram": lambda y: aa.gammatonegram(y, sr=SR, n_fft=128),
    "cqt magnitude": lambda y: aa.cqt(y, sr=SR, fmin=500, n_bins=24, output="magnitude"),
    "nsgt": lambda y: abs(aa.NSGT(sr=SR, fmin=500)(y)),
    "cfp": lambda y: aa.cfp(y, sr=SR, n_fft=256),
    "chroma": lambda y: aa.chroma_stft(y, sr=SR, n_fft=256),
    "rms": lambda y: aa.rms(y, frame_length=128, hop_length=64),
    "pcen": lambda y: aa.pcen(aa.melspectrogram(y, sr=SR, n_fft=128, n_mels=10), sr=SR),
    "centroid": lambda y: aa.spectral_centroid(y, sr=SR, n_fft=128),
    "bandwidth": lambda y: aa.spectral_bandwidth(y, sr=SR, n_fft=128),
    "flatness": lambda y: aa.spectral_flatness(y, n_fft=128),
    "contrast": lambda y: aa.spectral_contrast(y, sr=SR, n_fft=256, n_bands=3, fmin=500),
    "rolloff": lambda y: aa.spectral_rolloff(y, sr=SR, n_fft=128),
    "griffinlim": lambda y: aa.griffinlim(aa.stft(y, n_fft=64, output="magnitude"), n_iter=2, seed=0),
    "hpss": lambda y: aa.hpss(aa.stft(y, n_fft=64, output="magnitude"))[0],
    "time_stretch": lambda y: aa.time_stretch(y, rate=1.2, n_fft=64),
    "amplitude_to_db": lambda y: aa.amplitude_to_db(y[None, :]),
}
tone = np.sin(2 * np.pi * 440 * np.arange(N) / SR)
EDGES = {
    "silence": np.zeros(N),
    "an impulse": np.eye(1, N, 500)[0],
    "a start out of silence": np.where(np.arange(N) < N // 2, 0.0, tone),
    "clipping": np.clip(10 * tone, -1.0, 1.0),
    "all at full scale": np.ones(N),
    "next to nothing": 1e-30 * tone,
}


@pytest.mark.parametrize("signal", EDGES)
@pytest.mark.parametrize("feature", FEATURES)
def test_gradients_are_finite_at_the_edges(feature, signal, dtype):
    def loss(y):
        return np.mean(FEATURES[feature](y) ** 2)

    y = EDGES[signal].astype(dtype)
    gradient = aa.grad(loss)(y)
    assert gradient.dtype == dtype
    assert np.all(np.isfinite(gradient))
