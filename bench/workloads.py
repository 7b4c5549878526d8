"""What the CPU benchmark times: workloads, their contenders, and the exact result, found in float64 by other means."""

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import asrfront.whisper
import auvux.dsp
import fastchroma
import librosa
import numpy as np
import scipy.fft
import scipy.signal
import torch
from nnAudio import features

import arrayaudio as aa
from bench.running import quiet

SR, N_FFT, HOP, N_MELS = 22050, 2048, 512, 128


class Workload(NamedTuple):
    """Calls that take the same input, by who makes them, and what they ought to return."""

    name: str
    contenders: dict[str, Callable[[], Any]]
    exact: np.ndarray


def exact_stft(y: np.ndarray, n_fft: int = N_FFT, hop: int = HOP, mode: str = "constant") -> np.ndarray:
    """Centred STFT in double precision: (batch, n_samples) -> (batch, freq, time)."""
    padded = np.pad(y.astype(np.float64), [(0, 0), (n_fft // 2, n_fft // 2)], mode=mode)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[:, ::hop]
    return np.fft.rfft(frames * scipy.signal.get_window("hann", n_fft)).swapaxes(-1, -2)


def exact_cqt(y: np.ndarray) -> np.ndarray:
    """Sums over librosa's wavelets, times the root of their lengths: (n_samples,) -> (84, time)."""
    frequencies = librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1"))
    kernels, lengths = librosa.filters.wavelet(freqs=frequencies, sr=SR, dtype=np.complex128)
    width = kernels.shape[1]
    padded = np.pad(y.astype(np.float64), width // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::HOP]
    return np.sqrt(lengths)[:, None] * (kernels.conj() @ frames.T)


def whisper_levels(S: np.ndarray) -> np.ndarray:
    """Log-mel levels as Whisper takes them, from log10 of mel powers, at most 8 under the loudest."""
    S = S[..., :-1]
    S = np.maximum(S, S.max(axis=(-2, -1), keepdims=True) - 8)
    S += 4
    S /= 4
    return S


def untracked(layer: Callable[[Any], Any], y: np.ndarray) -> Callable[[], np.ndarray]:
    """A call of torch without gradients."""
    signals = torch.from_numpy(y)

    def call() -> np.ndarray:
        with torch.no_grad():
            return np.asarray(layer(signals).numpy())

    return call


def torch_stft(y: Any) -> Any:
    """The STFT of torch."""
    return torch.stft(y, N_FFT, HOP, window=torch.hann_window(N_FFT), pad_mode="constant", return_complex=True)


def whisper() -> Workload:
    """Log-mel spectrograms for Whisper."""
    y = (0.1 * np.random.default_rng(1).standard_normal((16, 480_000))).astype(np.float32)
    mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, pad_mode="reflect", scale="log10")
    options: dict[str, Any] = {"sr": 16000, "n_fft": 400, "n_mels": 80}
    bank = librosa.filters.mel(**options, dtype=np.float64)

    def by_librosa() -> np.ndarray:
        S = librosa.feature.melspectrogram(y=y, **options, hop_length=160, pad_mode="reflect")
        return whisper_levels(np.log10(np.maximum(S, 1e-10)))

    power = np.abs(exact_stft(y, 400, 160, "reflect")) ** 2
    return Workload(
        "Whisper log-mel, 16 clips of 30 s",
        {
            "arrayaudio": lambda: whisper_levels(mel(y)),
            "librosa": by_librosa,
            "asrfront": lambda: asrfront.whisper.log_mel_batch(y),
        },
        whisper_levels(np.log10(np.maximum(bank @ power, 1e-10))),
    )


def griffin_lim() -> Workload:
    """The fast Griffin-Lim algorithm, 32 iterations; what ought to be reached are the magnitudes."""
    y = np.random.default_rng(0).standard_normal((16, 10 * SR)).astype(np.float32)
    S = aa.stft(y, output="magnitude")
    window = torch.hann_window(N_FFT)

    def loop(forward: Callable[[Any], Any], inverse: Callable[[Any], Any], magnitudes: Any, start: Any) -> Any:
        """The algorithm of librosa and torchaudio, written with the STFT of a library."""
        momentum, last, phases = 0.99 / 1.99, 0.0, start
        for _ in range(32):
            rebuilt = forward(inverse(magnitudes * phases))
            phases = rebuilt - momentum * last
            phases /= abs(phases) + 1e-16
            last = rebuilt
        return inverse(magnitudes * phases)

    turns = np.exp(2j * np.pi * np.random.default_rng(0).random(S.shape)).astype(np.complex64)
    theirs: dict[str, Any] = {"sr": SR, "hop_length": HOP}
    length = (S.shape[-1] - 1) * HOP

    def by_auvux() -> np.ndarray:
        return np.asarray(
            loop(
                lambda y: auvux.dsp.stft(y, **theirs),
                lambda X: auvux.dsp.istft(X, **theirs, length=length),
                S,
                turns,
            )
        )

    def by_torch() -> np.ndarray:
        with torch.no_grad():
            found = loop(
                torch_stft,
                lambda X: torch.istft(X, N_FFT, HOP, window=window, length=length),
                torch.from_numpy(S),
                torch.from_numpy(turns),
            )
        return np.asarray(found.numpy())

    return Workload(
        "Griffin-Lim, 32 iterations, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.griffinlim(S, n_iter=32, seed=0),
            "librosa": lambda: librosa.griffinlim(S, n_iter=32, random_state=0),
            "loop over auvux-dsp": by_auvux,
            "loop over torch": by_torch,
        },
        S,
    )


def workloads() -> Iterator[Workload]:
    """All workloads, one after the other, as each holds its input and its exact result."""
    y = np.random.default_rng(0).standard_normal((16, 10 * SR)).astype(np.float32)
    X = exact_stft(y)
    bank = librosa.filters.mel(sr=SR, n_fft=N_FFT, n_mels=N_MELS, dtype=np.float64)
    frames = np.ascontiguousarray(
        np.lib.stride_tricks.sliding_window_view(np.pad(y, [(0, 0), (N_FFT // 2,) * 2]), N_FFT, axis=-1)[:, ::HOP]
    )
    theirs: dict[str, Any] = {"sr": SR, "hop_length": HOP}
    of_frames: dict[str, Any] = {"n_fft": N_FFT, "hop_length": HOP, "pad_mode": "constant"}
    short_time = scipy.signal.ShortTimeFFT(scipy.signal.get_window("hann", N_FFT).astype(np.float32), HOP, SR)
    single_bank = torch.from_numpy(bank).float()
    yield Workload(
        "STFT magnitude, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.stft(y, output="magnitude"),
            "librosa": lambda: np.abs(librosa.stft(y)),
            "auvux-dsp": lambda: auvux.dsp.stft(y, **theirs, output="magnitude"),
            "torch": untracked(lambda x: torch_stft(x).abs(), y),
            "nnAudio": untracked(quiet(features.STFT, **of_frames, output_format="Magnitude"), y),
            "SciPy ShortTimeFFT": lambda: np.abs(short_time.stft(y, p0=0, p1=X.shape[-1])),
            "bare FFT of ready frames": lambda: scipy.fft.rfft(frames, workers=len(os.sched_getaffinity(0))),
        },
        np.abs(X),
    )
    yield Workload(
        "complex STFT, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.stft(y),
            "librosa": lambda: librosa.stft(y),
            "auvux-dsp": lambda: auvux.dsp.stft(y, **theirs),
            "torch": untracked(torch_stft, y),
        },
        X,
    )
    yield Workload(
        "mel spectrogram, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.melspectrogram(y, sr=SR),
            "librosa": lambda: librosa.feature.melspectrogram(y=y, sr=SR),
            "auvux-dsp": lambda: auvux.dsp.mel_spectrogram(y, **theirs),
            "torch": untracked(lambda x: single_bank @ torch_stft(x).abs() ** 2, y),
            "nnAudio": untracked(quiet(features.MelSpectrogram, **of_frames, sr=SR, n_mels=N_MELS), y),
        },
        bank @ np.abs(X) ** 2,
    )
    yield whisper()
    spectra = aa.stft(y)
    yield Workload(
        "inverse STFT, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.istft(spectra, length=y.shape[-1]),
            "librosa": lambda: librosa.istft(spectra, length=y.shape[-1]),
            "auvux-dsp": lambda: auvux.dsp.istft(spectra, **theirs, length=y.shape[-1]),
            "torch": untracked(
                lambda S: torch.istft(S, N_FFT, HOP, window=torch.hann_window(N_FFT), length=y.shape[-1]), spectra
            ),
        },
        y.astype(np.float64),
    )
    yield Workload(
        "CQT magnitude, 84 bins, 16 clips of 10 s",
        {
            "arrayaudio": lambda: aa.cqt(y, sr=SR, output="magnitude"),
            "librosa": lambda: np.abs(librosa.cqt(y, sr=SR)),
            "auvux-dsp": lambda: auvux.dsp.cqt(y, **theirs),
            "nnAudio": untracked(quiet(features.CQT, **theirs, pad_mode="constant", output_format="Magnitude"), y),
            "fastchroma": lambda: np.stack([fastchroma.cqt_magnitude(item) for item in y]),
        },
        np.abs(np.stack([exact_cqt(item) for item in y])),
    )
    yield Workload(
        "hpss, one clip of 10 s",
        {
            "arrayaudio": lambda: aa.hpss(spectra[0])[0],
            "librosa": lambda: librosa.decompose.hpss(spectra[0])[0],
        },
        librosa.decompose.hpss(X[0])[0],
    )
    clip = y[0, :SR]
    power = bank @ np.abs(exact_stft(clip[None])[0]) ** 2
    yield Workload(
        "mel spectrogram in dB, one clip of 1 s",
        {
            "arrayaudio": lambda: aa.melspectrogram(clip, sr=SR, scale="db"),
            "librosa": lambda: librosa.power_to_db(librosa.feature.melspectrogram(y=clip, sr=SR), top_db=None),
        },
        10 * np.log10(np.maximum(power, 1e-10)),
    )
