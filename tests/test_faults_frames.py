"""Lengths of signals and frames, and what goes the way back, in every transform."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.compat import nnaudio

from .every import FRAMES, NOTES, SETTINGS, SR, TRANSFORMS, changed
from .tolerances import assert_same_levels, assert_same_spectrum

# Those cut into frames; HybridCQT has several widths of them, NSGT none, and FrontEnd passes on what it is made of.
FRAMED = {name: t for name, t in TRANSFORMS.items() if hasattr(t, "center")}
ONE_WIDTH = [name for name in FRAMED if name not in ("HybridCQT", "PseudoCQT")]


@pytest.mark.parametrize("name", ONE_WIDTH)
def test_too_short_for_a_frame(name):
    transform = changed(FRAMED[name], center=False)
    least = transform.min_length
    assert transform(np.ones(least)).shape[-1] == 1
    for n in (1, least - 1):
        with pytest.raises(aa.ParameterError, match=f"signal has {n} samples: must have at least {least} for frames"):
            transform(np.ones(n))


@pytest.mark.parametrize("function", [aa.rms, aa.zero_crossing_rate])
def test_too_short_for_a_frame_of_a_descriptor(function):
    with pytest.raises(aa.ParameterError, match="signal has 63 samples: must have at least 64 for frames"):
        function(np.ones(63), frame_length=64, center=False)


@pytest.mark.parametrize("name", [name for name in FRAMED if FRAMED[name].center])
def test_too_short_to_reflect(name):
    transform, y = changed(FRAMED[name], pad_mode="reflect"), np.ones(20)
    with pytest.raises(aa.ParameterError, match=r"must have at least \d+ .*reflect.*pad_mode='constant' takes"):
        transform(y)
    assert transform(np.ones(transform.min_length)).shape[-1] > 0
    for mode in ("constant", "edge", "symmetric", "wrap"):
        assert changed(transform, pad_mode=mode)(y).shape[-1] == 1 + 20 // transform.hop_length


@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(TRANSFORMS)),
    n=st.integers(1, 1100) | st.builds(lambda k, d: max(1, 64 * k + d), st.integers(1, 8), st.sampled_from([-1, 0, 1])),
    batch=st.sampled_from([(), (1,), (2, 2)]),
)
def test_as_many_frames_as_are_said(name, n, batch):
    transform = TRANSFORMS[name]
    if n < transform.min_length:
        with pytest.raises(aa.ParameterError, match=f"signal has {n} samples|signal gives 1 frame"):
            transform(np.ones((*batch, n)))
        return
    S = transform(np.ones((*batch, n)))
    assert S.shape[-1] == transform.n_frames(n)
    assert S.shape[:-2] == batch
    assert np.isfinite(S).all()
    if getattr(transform, "sr", None):
        assert len(transform.times(n)) == S.shape[-1]


def power(y, n_fft, hop):
    """Powers of centred frames, by NumPy alone; the window is SciPy's."""
    padded = np.pad(y, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop] * scipy.signal.get_window("hann", n_fft)
    return np.abs(np.fft.rfft(frames)).T ** 2


def db(S):
    levels = 10 * np.log10(np.maximum(S, 1e-10))
    return np.maximum(levels, levels.max() - 80)


def cepstra(S):
    return scipy.fft.dct(db(S), axis=0, norm="ortho")[:13]


# What each transform makes of powers; the banks are compared with loops elsewhere, at odd lengths too.
MADE = {
    "MelSpectrogram": lambda P, n: aa.filters.mel(sr=SR, n_fft=n, n_mels=20) @ P,
    "MFCC": lambda P, n: cepstra(aa.filters.mel(sr=SR, n_fft=n, n_mels=20) @ P),
    "LFCC": lambda P, n: cepstra(aa.filters.linear(sr=SR, n_fft=n, n_filter=20) @ P),
    "Gammatonegram": lambda P, n: aa.filters.gammatone(sr=SR, n_fft=n, n_bins=20) @ P,
    "Chroma": lambda P, n: (lambda C: C / C.max(axis=0))(aa.filters.chroma(sr=SR, n_fft=n) @ P),
    "STFT power": lambda P, n: P,
    "STFT magnitude": lambda P, n: np.sqrt(P),
}


@pytest.mark.parametrize("n_fft", [67, 127, 211, 255])
@pytest.mark.parametrize("name", MADE)
@pytest.mark.filterwarnings("ignore::arrayaudio.errors.ArrayAudioWarning")  # bands narrower than bins
def test_odd_and_prime_frames(name, n_fft, dtype, rng):
    kind, _, output = name.partition(" ")
    transform = getattr(aa, kind)(**SETTINGS[kind] | {"n_fft": n_fft} | ({"output": output} if output else {}))
    y = rng.standard_normal(2000).astype(dtype)
    expected = MADE[name](power(y.astype(float), n_fft, 64), n_fft)
    (assert_same_levels if kind in ("MFCC", "LFCC") else assert_same_spectrum)(transform(y), expected, dtype)


NO_WAY = {"n_fft": 64, "hop_length": 64, "window": "hann"}
BACK = {
    "STFT.inverse": lambda S, y: aa.STFT(**NO_WAY).inverse(S),
    "STFT.inverse_stream": lambda S, y: aa.STFT(**NO_WAY).inverse_stream(),
    "istft": lambda S, y: aa.istft(S, **NO_WAY),
    "griffinlim": lambda S, y: aa.griffinlim(S, **NO_WAY),
    "pghi": lambda S, y: aa.pghi(S, **NO_WAY),
    "mel_to_audio": lambda S, y: aa.mel_to_audio(S, sr=SR, **NO_WAY),
    "time_stretch": lambda S, y: aa.time_stretch(y, rate=2, **NO_WAY),
    "random_stretch": lambda S, y: aa.random_stretch(y, **NO_WAY),
    "harmonic": lambda S, y: aa.harmonic(y, **NO_WAY),
    "percussive": lambda S, y: aa.percussive(y, **NO_WAY),
    "nnAudio's iSTFT": lambda S, y: nnaudio.iSTFT(n_fft=64, hop_length=64)(np.ones((1, 33, 9, 2)), onesided=True),
    "nnAudio's Griffin_Lim": lambda S, y: nnaudio.Griffin_Lim(n_fft=64, hop_length=64)(S[None]),
}


@pytest.mark.parametrize("name", BACK)
def test_windows_without_a_way_back(name):
    message = r"have no inverse: the sum of squared windows falls to 0 at sample 0 of each hop; use a shorter hop"
    with pytest.raises(aa.ParameterError, match=message):
        BACK[name](np.ones((33, 9)), np.ones(1000))


INVERSES = {
    "STFT": aa.STFT(**FRAMES),
    "STFT log": TRANSFORMS["STFT log"],
    "CQT": aa.CQT(**NOTES | {"hop_length": 32}),
    "CQT 1992v2": aa.CQT(**NOTES | {"hop_length": 32}, method="1992v2"),
    "VQT": aa.VQT(**NOTES | {"hop_length": 32}, gamma=10.0),
    "NSGT": TRANSFORMS["NSGT"],
}
WRONG = {
    "rows": (lambda S: S[:-1], 2000),
    "no rows": (lambda S: S[:0], 2000),
    "no frames": (lambda S: S[:, :0], 2000),
    "one axis": (lambda S: S[0], 2000),
    "a number": (lambda S: S[0, 0], 2000),
    "too long": (lambda S: S, 10**6),
    "nothing": (lambda S: S, 0),
    "negative": (lambda S: S, -5),
    "fraction": (lambda S: S, 1999.5),
    "NaN": (lambda S: S, float("nan")),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", INVERSES)
def test_shapes_and_lengths_of_the_way_back(name, wrong, rng):
    transform = INVERSES[name]
    S = transform(rng.standard_normal(2000))
    assert transform.inverse(S, length=2000).shape == (2000,)
    change, length = WRONG[wrong]
    with pytest.raises(aa.ParameterError, match=r"must |gives"):
        transform.inverse(change(S), length=length)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_without_a_way_back_say_why(name, rng):
    transform = TRANSFORMS[name]
    S = transform(rng.standard_normal(2000))
    if transform in INVERSES.values() or np.iscomplexobj(S):
        return
    with pytest.raises(aa.ParameterError, match=r"has no inverse|only complex coefficients determine"):
        transform.inverse(S)
