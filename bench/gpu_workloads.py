"""What the GPU benchmark times, and the exact results, found in float64 on the host by other means."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import cupy
import numpy as np

from bench.gpu_contenders import FLOOR, KINDS, Frames, ours
from bench.gpu_timing import Call

CHECKED = 2  # items whose results are compared with exact ones


class Workload(NamedTuple):
    """Contenders by name, each a function that makes a call or raises; and what they have to do.

    `inputs` makes inputs for CuPy, the same every time. `exact` gives the result for the first items of the first of
    them. `n_bytes` must be read and written, and `n_operations` computed, by anyone.
    """

    name: str
    inputs: Callable[[], list[Any]]
    contenders: dict[str, Callable[[], Call]]
    exact: Callable[[np.ndarray], np.ndarray]
    n_bytes: int
    n_operations: int
    divided_by: int = 1
    """Steps that a call takes, where the time of one counts."""
    at_rest: dict[str, Callable[[], Call]] | None = None
    """Calls of the same contenders that take no step, whose time is taken off."""
    of_part: bool = False
    """Whether results are compared for a batch of the first items alone, as they depend on all items."""


class Clips(NamedTuple):
    """A batch of white noise."""

    count: int
    n_samples: int

    def noise(self) -> list[Any]:
        """Three inputs: noise, and the same shifted against its frames, which saves time."""
        y = np.random.default_rng(0).standard_normal((self.count, self.n_samples), dtype=np.float32)
        first = cupy.asarray(y)
        return [first] + [cupy.roll(first, shift, axis=-1) for shift in (1013, 2027)]

    def n_frames(self, f: Frames) -> int:
        """Frames of the whole batch."""
        return self.count * (1 + self.n_samples // f.hop_length)


def exact_stft(y: np.ndarray, f: Frames) -> np.ndarray:
    """Centred STFT: (batch, n_samples) -> (batch, freq, time)."""
    padded = np.pad(y.astype(np.float64), [(0, 0), (f.n_fft // 2, f.n_fft // 2)], mode=f.pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(padded, f.n_fft, axis=-1)[:, :: f.hop_length]
    return np.fft.rfft(frames * f.window()).swapaxes(-1, -2)


def exact_spectrum(y: np.ndarray, f: Frames, kind: str) -> np.ndarray:
    """A spectrum of any kind."""
    X = exact_stft(y, f)
    if kind in ("complex", "magnitude"):
        return X if kind == "complex" else np.abs(X)
    S = np.abs(X) ** 2
    if kind == "power":
        return S
    S = f.bank() @ S
    return S if kind == "mel" else {"db": 10, "log10": 1}[kind] * np.log10(np.maximum(S, FLOOR))


def fft_operations(f: Frames) -> int:
    """Operations of a real FFT and its window, as they are usually counted."""
    return int(2.5 * f.n_fft * np.log2(f.n_fft)) + f.n_fft


def spectra(name: str, clips: Clips, f: Frames, kind: str) -> Workload:
    """A spectrum of one kind, by all who offer it."""
    makers = {"arrayaudio": ours} | KINDS[kind]
    n_frames = clips.n_frames(f)
    rows = f.n_mels if kind in ("mel", "db", "log10") else f.bins * (2 if kind == "complex" else 1)
    operations = fft_operations(f) + (0 if kind == "complex" else 3 * f.bins) + (4 * f.bins if rows == f.n_mels else 0)
    return Workload(
        name,
        clips.noise,
        {who: functools.partial(make, f, kind) for who, make in makers.items()},
        lambda y: exact_spectrum(y, f, kind),
        4 * (clips.count * clips.n_samples + n_frames * rows),
        n_frames * operations,
    )


class Sizes(NamedTuple):
    """How large everything is; small for a trial of the benchmark itself."""

    g1: Clips = Clips(64, 10 * 22050)
    whisper: Clips = Clips(32, 30 * 16000)
    nnaudio: Clips = Clips(1770, 80000)
    clip: Clips = Clips(1, 22050)
    frames: Frames = Frames()
    iterations: int = 32


SMALL = Sizes(Clips(3, 700), Clips(2, 600), Clips(3, 500), Clips(1, 500), Frames(22050, 128, 64, 8), 2)


def of_clips(sizes: Sizes) -> Iterator[Workload]:
    """Spectra of the batch that everything is measured on."""
    f = sizes.frames
    shape = f"{sizes.g1.count} clips of {sizes.g1.n_samples / f.sr:.3g} s"
    for kind, title in (
        ("complex", "complex STFT"),
        ("magnitude", "STFT magnitude"),
        ("power", "STFT power"),
        ("mel", "mel spectrogram"),
        ("db", "mel spectrogram in dB"),
    ):
        yield spectra(f"{title}, {shape}", sizes.g1, f, kind)


def elsewhere(sizes: Sizes) -> Iterator[Workload]:
    """Whisper's log-mel, nnAudio's own benchmark, and one short clip."""
    whisper, many, f = sizes.whisper, sizes.nnaudio, sizes.frames
    shape = f"{whisper.count} clips of {whisper.n_samples / 16000:.3g} s"
    yield spectra(f"Whisper log-mel, {shape}", whisper, Frames(16000, 400, 160, 80, "reflect"), "log10")
    yield spectra(f"mel spectrogram in dB, one clip of {sizes.clip.n_samples / f.sr:.2g} s", sizes.clip, f, "db")
    shape = f"{many.count} clips of {many.n_samples} samples"
    yield spectra(f"STFT magnitude, {shape}", many, f._replace(sr=44100), "magnitude")
    yield spectra(f"mel spectrogram, {shape}", many, f._replace(sr=44100), "mel")
