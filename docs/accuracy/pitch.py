"""Rows of the constant-Q transforms, of chroma, and of combined frequency and periodicity."""

import functools
import math
from typing import Any

import librosa
import numpy as np

import arrayaudio as aa
from docs.accuracy import oracles
from docs.accuracy.cases import SR, Case, Inputs, distance, quietly, short, signals
from docs.accuracy.fourier import FRAMES
from docs.accuracy.oracles import N_FFT
from tests import naive_cfp, naive_cqt_kin, naive_features

RATE = 22050
CQT = "librosa 0.11: exact sums over its wavelets"
OCTAVES = "the same, by halving the rate octave by octave (Schoerkhuber and Klapuri 2010)"


def second() -> Inputs:
    """A second at the rate that the settings of constant-Q transforms are made for."""
    return signals(RATE, RATE)


def constant_q(method: str, definition: str, **options: Any) -> Case:
    """A row for a method of CQT, with its default bins."""
    shown = "".join(f", {name}={value!r}" for name, value in options.items())
    return Case(
        transform=f'CQT(sr=22050, method="{method}"{shown})',
        covers=("CQT", "cqt"),
        definition=definition,
        ours=lambda y: aa.cqt(y, sr=RATE, method=method, **options),
        exact=lambda y: oracles.constant_q(y, sr=RATE, **options),
        peer="librosa.cqt",
        theirs=lambda y: librosa.cqt(y, sr=RATE, **options),
        inputs=second,
    )


def variable_q(method: str, gamma: float | None, definition: str) -> Case:
    """A row for a method of VQT, with its default bins."""
    return Case(
        transform=f'VQT(sr=22050, gamma={gamma}, method="{method}")',
        covers=("VQT", "vqt"),
        definition=definition,
        ours=lambda y: aa.vqt(y, sr=RATE, gamma=gamma, method=method),
        exact=lambda y: oracles.constant_q(y, sr=RATE, gamma=gamma),
        peer="librosa.vqt",
        theirs=lambda y: librosa.vqt(y, sr=RATE, gamma=gamma),
        inputs=second,
    )


NOTES: dict[str, Any] = {"sr": SR, "fmin": 4 * oracles.C1, "bins_per_octave": 36, "hop_length": 256}
LOW: dict[str, Any] = {"sr": 4000, "fmin": 220.0, "n_bins": 24, "hop_length": 128}


def short_signals() -> Inputs:
    """0.3 s at 4 kHz."""
    return signals(1200, 4000)


def pseudo(y: np.ndarray, first: int = 0) -> np.ndarray:
    """The bins from `first` on by magnitudes of an STFT."""
    hz, lengths = oracles.bins(24, 220.0, 4000)
    if first == 24:
        return np.zeros((0, 1 + len(y) // 128))
    return naive_cqt_kin.pseudo_cqt(list(y), 4000, 128, hz[first:], lengths[first:])


def hybrid(y: np.ndarray) -> np.ndarray:
    """Long kernels by sums, short ones by magnitudes of an STFT."""
    _, lengths = oracles.bins(24, 220.0, 4000)
    n_full = sum(2 ** math.ceil(math.log2(length)) >= 2 * 128 for length in lengths)
    return np.concatenate([np.abs(oracles.constant_q(y, **LOW))[:n_full], pseudo(y, n_full)])


def by_largest(S: np.ndarray) -> np.ndarray:
    """Each frame divided by its largest value."""
    return np.stack([column / naive_features.norm_of(column, math.inf) for column in S.T], axis=1)


def chroma_of_sums(y: np.ndarray) -> np.ndarray:
    """Constant-Q magnitudes gathered: three bins to a semitone, the one in tune is the middle one."""
    C = np.abs(oracles.constant_q(y, **NOTES, n_bins=144))
    S = np.zeros((12, C.shape[1]))
    for k in range(144):
        S[(k + 1) // 3 % 12] += C[k]
    return S


def chroma_of_powers(y: np.ndarray) -> np.ndarray:
    """Power spectra gathered by librosa's bank."""
    bank = naive_features.chroma_filters(SR, N_FFT, 12, 0.0, 5.0, 2.0, 2.0, True)
    return by_largest(bank @ np.abs(oracles.stft(y)) ** 2)


def chroma(norm: float | None, definition: str) -> Case:
    """A row for ChromaCQT."""
    return Case(
        transform=f"ChromaCQT(n_octaves=4, hop_length=256, norm={norm})",
        covers=("ChromaCQT", "chroma_cqt"),
        definition=definition,
        ours=lambda y: aa.chroma_cqt(y, n_octaves=4, norm=norm, **NOTES),
        exact=lambda y: by_largest(chroma_of_sums(y)) if norm else chroma_of_sums(y),
        peer="librosa.feature.chroma_cqt",
        theirs=lambda y: librosa.feature.chroma_cqt(y=y, tuning=0.0, n_octaves=4, norm=norm, **NOTES),
        inputs=longer if norm is None else lambda: {"noise": longer()["noise"]},
    )


def longer() -> Inputs:
    """A second at 8 kHz."""
    return signals(8000, SR)


largest_is_one = chroma(math.inf, "the same, each frame divided by its largest value")


CFP: dict[str, Any] = {
    "sr": 1000,
    "n_fft": 128,
    "win_length": 64,
    "hop_length": 50,
    "fmin": 40.0,
    "fmax": 300.0,
    "bins_per_octave": 12,
}
PARTS = ("cfp", "spectrum", "frequency", "periodicity")


@functools.cache
def _kept_cfp(y: bytes) -> list[np.ndarray]:
    window = np.zeros(128)
    window[32:96] = oracles.window("blackmanharris", 64)
    return naive_cfp.cfp(np.frombuffer(y), 1000, 128, 50, window, 40.0, 300.0, 12, (0.24, 0.6, 1.0))


def combined(part: str) -> Case:
    """A row for one of the outputs of CFP."""
    return Case(
        transform=f'CFP(output="{part}", n_fft=128)',
        covers=("CFP", "cfp"),
        definition="Su and Yang 2015, with triangles that leave no band empty",
        ours=lambda y: aa.cfp(y, output=part, **CFP),
        exact=lambda y: _kept_cfp(y.tobytes())[PARTS.index(part)],
        peer="none with these bands; for the published ones see nnAudio below",
        inputs=lambda: signals(300, 1000),
    )


PITCH = [
    constant_q("auto", CQT),
    constant_q("auto", CQT, hop_length=100),
    constant_q("1992", CQT + ", by spectra (Brown and Puckette 1992)"),
    constant_q("1992v2", CQT + ", on frames"),
    constant_q("2010", OCTAVES),
    constant_q("2010v2", OCTAVES),
    variable_q("auto", None, "librosa 0.11, bandwidths of the ear: exact sums over its wavelets"),
    variable_q("auto", 20.0, "librosa 0.11: exact sums over its wavelets"),
    variable_q("2010v2", None, OCTAVES),
    Case(
        transform="HybridCQT(n_bins=24, hop_length=128)",
        covers=("HybridCQT", "hybrid_cqt"),
        definition="librosa 0.11: sums for long kernels, an STFT for short ones",
        ours=lambda y: aa.hybrid_cqt(y, **LOW),
        exact=hybrid,
        peer="librosa.hybrid_cqt",
        theirs=lambda y: librosa.hybrid_cqt(y, **LOW),
        inputs=short_signals,
    ),
    Case(
        transform="PseudoCQT(n_bins=24, hop_length=128)",
        covers=("PseudoCQT", "pseudo_cqt"),
        definition="librosa 0.11: STFT magnitudes times those of the kernels' spectra",
        ours=lambda y: aa.pseudo_cqt(y, **LOW),
        exact=pseudo,
        peer="librosa.pseudo_cqt",
        theirs=lambda y: librosa.pseudo_cqt(y, **LOW),
        inputs=short_signals,
    ),
    Case(
        transform="Chroma(n_fft=256, hop_length=64)",
        covers=("Chroma", "chroma_stft"),
        definition="librosa 0.11, without an estimate of the tuning",
        ours=lambda y: aa.chroma_stft(y, sr=SR, **FRAMES),
        exact=chroma_of_powers,
        peer="librosa.feature.chroma_stft (filters in float32)",
        theirs=lambda y: librosa.feature.chroma_stft(y=y, sr=SR, tuning=0.0, **FRAMES),
    ),
    chroma(None, "librosa 0.11, without an estimate of the tuning, over exact sums"),
    largest_is_one,
    *map(combined, PARTS),
]

HOPS = (64, 256, 441, 512, 1000)
WINDOWS = ("hann", "hamming")


def decimation() -> list[dict[str, Any]]:
    """What halving the rate costs, for several signals, hops and windows, beside librosa."""
    inputs = second()
    inputs = inputs | {"tone": np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)}
    rows = []
    for window in WINDOWS:
        for hop in HOPS:
            options: dict[str, Any] = {"sr": RATE, "hop_length": hop, "window": window}
            calls = {
                "2010": functools.partial(aa.cqt, method="2010", **options),
                "2010v2": functools.partial(aa.cqt, method="2010v2", **options),
                "librosa": functools.partial(librosa.cqt, **options),
            }
            errors: dict[str, dict[str, float]] = {who: {} for who in calls}
            for name in ("noise", "sweep", "tone", "impulse"):
                y = inputs[name]
                exact = oracles.constant_q(y, **options)
                for who, call in calls.items():
                    errors[who][name] = short(distance(quietly(call, y), exact, exact, "peak"))
            rows.append({"window": window, "hop_length": hop, "errors": errors})
    return rows


def causes() -> dict[str, float]:
    """What makes librosa.cqt's errors, from noise with a hop of 441, where it halves nothing; and with one of 512."""
    y = second()["noise"]
    options: dict[str, Any] = {"sr": RATE, "hop_length": 441}
    exact, backwards = (oracles.constant_q(y, backwards=way, **options) for way in (False, True))
    whole, sparse = quietly(librosa.cqt, y, sparsity=0, **options), quietly(librosa.cqt, y, **options)
    halved, beside = librosa.cqt(y, sr=RATE, sparsity=0), oracles.constant_q(y, sr=RATE, backwards=True)
    pairs = {
        "backwards": (backwards, exact),
        "sparsity": (sparse, whole),
        "halving": (halved, beside),
        "rest": (whole, backwards),
    }
    return {name: short(distance(one, other, other, "peak")) for name, (one, other) in pairs.items()}
