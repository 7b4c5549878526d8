"""Rows of the Fourier transforms, of bands, and of cepstra."""

import functools
import math
from typing import Any

import kaldi_native_fbank
import librosa
import numpy as np
import scipy.fft
import scipy.signal
from nnAudio.features.gammatone import Gammatonegram

import arrayaudio as aa
from docs.accuracy import oracles
from docs.accuracy.cases import SR, Case, rounded, signals
from docs.accuracy.oracles import HOP, N_FFT
from tests import naive, naive_adaptive, naive_features, naive_gammatone, naive_scales
from tests.nnaudio_peer import paired, run, theirs

FRAMES: dict[str, Any] = {"n_fft": N_FFT, "hop_length": HOP}
SAMPLED = [4, 20, 29]
LINEAR: dict[str, Any] = FRAMES | {"sr": SR, "freq_bins": 129, "fmin": 0.0, "fmax": 4000.0}
LOG: dict[str, Any] = FRAMES | {"sr": SR, "freq_bins": 129, "fmin": 50.0, "fmax": 4000.0}


def on_scale(scale: str, options: dict[str, Any]) -> Case:
    """A row for the STFT at other frequencies than the FFT's."""

    @functools.cache
    def peer() -> Any:
        return theirs("STFT", freq_scale=scale, pad_mode="constant", verbose=False, **options)

    def exact(y: np.ndarray) -> np.ndarray:
        hz = naive_scales.scale(scale, options["freq_bins"], options["fmin"], options["fmax"])
        return naive_scales.stft_at(y, hz / SR, N_FFT, HOP, oracles.window("hann"), True, "constant")

    return Case(
        transform=f'STFT(freq_scale="{scale}", n_fft=256, hop_length=64, freq_bins=129)',
        covers=("STFT",),
        definition="nnAudio 0.3.4, each row a Fourier sum at its frequency",
        ours=aa.STFT(freq_scale=scale, **options),
        exact=exact,
        peer="nnAudio STFT, float32",
        theirs=lambda y: paired(run(peer(), y.astype(np.float32)))[0],
    )


ADAPTIVE: dict[str, Any] = {"win_length": 101.3, "hop_length": 63.7, "n_fft": 128}


def adaptive(y: np.ndarray) -> np.ndarray:
    """STFT with lengths that are no whole numbers, by the loops."""
    return np.array(naive_adaptive.adaptive_stft(y, **ADAPTIVE)).T


FOURIER = [
    Case(
        transform="STFT(n_fft=256, hop_length=64)",
        covers=("STFT", "stft"),
        definition="librosa 0.11: centred frames, zeros around the signal",
        ours=lambda y: aa.stft(y, **FRAMES),
        exact=oracles.stft,
        peer="librosa.stft",
        theirs=lambda y: librosa.stft(y, **FRAMES),
    ),
    Case(
        transform="STFT(n_fft=2048, hop_length=512), three frames of a second at 22 050 Hz",
        covers=("STFT", "stft"),
        definition="librosa 0.11, its default frames",
        ours=lambda y: aa.stft(y)[:, SAMPLED],
        exact=lambda y: oracles.stft_frames(y, SAMPLED, 2048, 512),
        peer="librosa.stft",
        theirs=lambda y: librosa.stft(y)[:, SAMPLED],
        inputs=lambda: signals(22050, 22050),
    ),
    Case(
        transform='STFT(n_fft=251, hop_length=63, window="hamming", pad_mode="reflect"): prime frames',
        covers=("STFT", "stft"),
        definition="librosa 0.11",
        ours=lambda y: aa.stft(y, n_fft=251, hop_length=63, window="hamming", pad_mode="reflect"),
        exact=lambda y: oracles.stft(y, 251, 63, "hamming", True, "reflect"),
        peer="librosa.stft",
        theirs=lambda y: librosa.stft(y, n_fft=251, hop_length=63, window="hamming", pad_mode="reflect"),
    ),
    Case(
        transform='STFT(output="magnitude", n_fft=256, hop_length=64)',
        covers=("STFT",),
        definition="modulus of the STFT",
        ours=aa.STFT(output="magnitude", **FRAMES),
        exact=lambda y: np.abs(oracles.stft(y)),
        peer="abs(librosa.stft)",
        theirs=lambda y: np.abs(librosa.stft(y, **FRAMES)),
    ),
    Case(
        transform="spectrogram(n_fft=256, hop_length=64)",
        covers=("spectrogram",),
        definition="squared modulus of the STFT",
        ours=lambda y: aa.spectrogram(y, **FRAMES),
        exact=lambda y: np.abs(oracles.stft(y)) ** 2,
        peer="abs(librosa.stft) ** 2",
        theirs=lambda y: np.abs(librosa.stft(y, **FRAMES)) ** 2,
    ),
    on_scale("linear", LINEAR),
    on_scale("log", LOG),
    Case(
        transform="adaptive_stft(win_length=101.3, hop_length=63.7, n_fft=128)",
        covers=("adaptive_stft",),
        definition="Leiber and others 2023: a Hann window of real length at real places",
        ours=lambda y: aa.adaptive_stft(y, **ADAPTIVE),
        exact=lambda y: adaptive(y),
        peer="none in NumPy; at whole lengths it is the STFT",
        inputs=lambda: signals(400),
    ),
    Case(
        transform="adaptive_melspectrogram(n_mels=12), lengths as above",
        covers=("adaptive_melspectrogram",),
        definition="the same, power gathered by Slaney's mel bank",
        ours=lambda y: aa.adaptive_melspectrogram(y, sr=SR, n_mels=12, **ADAPTIVE),
        exact=lambda y: naive.mel_filters(SR, 128, 12, 0.0, SR / 2, "slaney", "slaney") @ np.abs(adaptive(y)) ** 2,
        peer="none in NumPy; at whole lengths it is the mel spectrogram",
        inputs=lambda: signals(400),
    ),
]


def mel_power(y: np.ndarray, scale: str, norm: str | None, n_mels: int = 24) -> np.ndarray:
    """Mel spectrogram by the loops."""
    bank = naive.mel_filters(SR, N_FFT, n_mels, 0.0, SR / 2, scale, norm)
    return bank @ np.abs(oracles.stft(y)) ** 2


def levels(S: np.ndarray) -> np.ndarray:
    """Decibels, at most 80 below the loudest."""
    return naive.power_to_db(S, 1.0, 1e-10, 80.0)


MEL: dict[str, Any] = FRAMES | {"sr": SR, "n_mels": 24}
KALDI: dict[str, Any] = MEL | {"mel_scale": "kaldi", "norm": None, "fmin": 20.0, "center": False}


def kaldi_bands(y: np.ndarray) -> np.ndarray:
    """Kaldi's mel spectrogram, without what it does to the signal before."""
    options = kaldi_native_fbank.FbankOptions()
    frames, bands = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.frame_length_ms, frames.frame_shift_ms = SR, 1000 * N_FFT / SR, 1000 * HOP / SR
    frames.dither, frames.preemph_coeff, frames.remove_dc_offset = 0, 0, False
    frames.window_type, frames.snip_edges = "hanning", True
    bands.num_bins, bands.low_freq, bands.high_freq = 24, 20.0, SR / 2
    options.use_energy, options.use_log_fbank, options.use_power = False, False, True
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(SR, y.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(t) for t in range(fbank.num_frames_ready)], axis=1)


def kaldi_exact(y: np.ndarray) -> np.ndarray:
    """Kaldi's mel spectrogram by the loops; its window is symmetric."""
    symmetric = [0.5 - 0.5 * math.cos(2 * math.pi * n / (N_FFT - 1)) for n in range(N_FFT)]
    X = naive.stft(y, N_FFT, HOP, symmetric, False, "constant")
    return naive.mel_filters(SR, N_FFT, 24, 20.0, SR / 2, "kaldi", None) @ np.abs(X) ** 2


def linear_levels(y: np.ndarray) -> np.ndarray:
    """Levels of linear bands, by the loops."""
    return levels(naive_features.linear_filters(SR, N_FFT, 24, 0.0, SR / 2) @ np.abs(oracles.stft(y)) ** 2)


def linear_cepstra_of_peers(y: np.ndarray) -> np.ndarray:
    """Cepstra put together from librosa's and SciPy's parts."""
    bank = naive_features.linear_filters(SR, N_FFT, 24, 0.0, SR / 2)
    S = librosa.power_to_db(bank @ np.abs(librosa.stft(y, **FRAMES)) ** 2)
    return scipy.fft.dct(S, axis=0, norm="ortho")[:13]


EAR: dict[str, Any] = FRAMES | {"sr": SR, "n_bins": 16, "fmin": 50.0}


@functools.cache
def ear_of_nnaudio() -> Any:
    """The layer of nnAudio, which takes a while to build."""
    return Gammatonegram(pad_mode="constant", fmax=4000.0, verbose=False, **EAR)


def bands_of_scipy(y: np.ndarray) -> np.ndarray:
    """Each band through SciPy's filter of order eight."""
    rows = []
    for hz in naive_gammatone.centres(8, 50.0, SR / 2):
        b, a = scipy.signal.gammatone(hz, "iir", fs=SR)
        rows.append(scipy.signal.lfilter(b, a, y))
    return np.array(rows)


def powers() -> dict[str, np.ndarray]:
    """Spectra to take levels of, and back."""
    return rounded({"noise": np.random.default_rng(1).standard_normal((65, 40)) ** 2})


def decibels() -> dict[str, np.ndarray]:
    """Levels between -80 and 0 dB."""
    return rounded({"noise": -80 * np.random.default_rng(1).random((65, 40))})


BANDS = [
    Case(
        transform="MelSpectrogram(n_fft=256, hop_length=64, n_mels=24)",
        covers=("MelSpectrogram", "melspectrogram"),
        definition='librosa 0.11: Slaney\'s mel scale, norm="slaney"',
        ours=lambda y: aa.melspectrogram(y, **MEL),
        exact=lambda y: mel_power(y, "slaney", "slaney"),
        peer="librosa.feature.melspectrogram (filters in float32)",
        theirs=lambda y: librosa.feature.melspectrogram(y=y, **MEL),
    ),
    Case(
        transform='MelSpectrogram(mel_scale="htk", norm=None)',
        covers=("MelSpectrogram",),
        definition="librosa 0.11: the HTK book's mel scale",
        ours=aa.MelSpectrogram(mel_scale="htk", norm=None, **MEL),
        exact=lambda y: mel_power(y, "htk", None),
        peer="librosa.feature.melspectrogram (filters in float32)",
        theirs=lambda y: librosa.feature.melspectrogram(y=y, htk=True, norm=None, **MEL),
    ),
    Case(
        transform='MelSpectrogram(mel_scale="kaldi", norm=None, fmin=20, center=False)',
        covers=("MelSpectrogram",),
        definition="Kaldi: triangles on the mel axis",
        ours=aa.MelSpectrogram(window=np.hanning(N_FFT), **KALDI),
        exact=kaldi_exact,
        peer="kaldi-native-fbank, float32",
        theirs=kaldi_bands,
    ),
    Case(
        transform='MelSpectrogram(scale="db")',
        covers=("MelSpectrogram",),
        definition="librosa 0.11: 10 log10, at most 80 dB below the loudest",
        ours=aa.MelSpectrogram(scale="db", **MEL),
        exact=lambda y: levels(mel_power(y, "slaney", "slaney")),
        peer="librosa.power_to_db of its mel spectrogram",
        theirs=lambda y: librosa.power_to_db(librosa.feature.melspectrogram(y=y, **MEL)),
        unit="dB",
    ),
    Case(
        transform="MFCC(n_mfcc=13, n_mels=24)",
        covers=("MFCC", "mfcc"),
        definition="librosa 0.11: orthonormal cosine transform of the levels",
        ours=lambda y: aa.mfcc(y, n_mfcc=13, **MEL),
        exact=lambda y: naive.mfcc(levels(mel_power(y, "slaney", "slaney")), 13, 2, True, 0),
        peer="librosa.feature.mfcc",
        theirs=lambda y: librosa.feature.mfcc(y=y, n_mfcc=13, **MEL),
        unit="dB",
    ),
    Case(
        transform="LFCC(n_lfcc=13, n_filter=24)",
        covers=("LFCC", "lfcc"),
        definition="torchaudio: triangles on the linear axis",
        ours=lambda y: aa.lfcc(y, sr=SR, n_lfcc=13, n_filter=24, **FRAMES),
        exact=lambda y: naive.mfcc(linear_levels(y), 13, 2, True, 0),
        peer="librosa.stft and power_to_db, scipy.fft.dct",
        theirs=linear_cepstra_of_peers,
        unit="dB",
    ),
    Case(
        transform="Gammatonegram(n_bins=16, n_fft=256)",
        covers=("Gammatonegram", "gammatonegram"),
        definition="Slaney 1993 and Ellis 2009, as nnAudio 0.3.4",
        ours=lambda y: aa.gammatonegram(y, **EAR),
        exact=lambda y: naive_gammatone.weights(SR, N_FFT, 16, 50.0, SR / 2) @ np.abs(oracles.stft(y)) ** 2,
        peer="nnAudio Gammatonegram, float32",
        theirs=lambda y: run(ear_of_nnaudio(), y.astype(np.float32))[0],
    ),
    Case(
        transform="gammatone_filterbank(n_bands=8)",
        covers=("gammatone_filterbank",),
        definition="Slaney 1993: four biquads, unit gain at the centres",
        ours=lambda y: aa.gammatone_filterbank(y, sr=SR, n_bands=8),
        exact=lambda y: naive_gammatone.filterbank(y, SR, 8, 50.0, SR / 2),
        peer="scipy.signal.gammatone and lfilter (one polynomial)",
        theirs=bands_of_scipy,
    ),
    Case(
        transform="power_to_db",
        covers=("power_to_db",),
        definition="librosa 0.11",
        ours=aa.power_to_db,
        exact=levels,
        peer="librosa.power_to_db",
        theirs=librosa.power_to_db,
        inputs=powers,
        unit="dB",
    ),
    Case(
        transform="amplitude_to_db",
        covers=("amplitude_to_db",),
        definition="librosa 0.11",
        ours=aa.amplitude_to_db,
        exact=lambda S: naive.amplitude_to_db(S, 1.0, 1e-5, 80.0),
        peer="librosa.amplitude_to_db",
        theirs=librosa.amplitude_to_db,
        inputs=powers,
        unit="dB",
    ),
    Case(
        transform="db_to_power, db_to_amplitude",
        covers=("db_to_power", "db_to_amplitude"),
        definition="librosa 0.11",
        ours=lambda D: (aa.db_to_power(D), aa.db_to_amplitude(D)),
        exact=lambda D: (naive.db_to_power(D, 1.0), naive.db_to_amplitude(D, 1.0)),
        peer="librosa.db_to_power, db_to_amplitude",
        theirs=lambda D: (librosa.db_to_power(D), librosa.db_to_amplitude(D)),
        inputs=decibels,
    ),
]
