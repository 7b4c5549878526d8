"""Who takes part in the GPU benchmark: functions that make a call, or raise if the library or its GPU is not here.

All return (freq, time) for each item of a batch, with librosa's numbers. Windows and filters are made before the clock
runs. TensorFloat-32 is off, so that all compute in single precision.
"""

import contextlib
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import cupy
import numpy as np

import arrayaudio as aa
from bench.gpu_timing import Call

FLOOR = 1e-10  # below which levels are cut


class Frames(NamedTuple):
    """The spectrogram that all compute."""

    sr: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    pad_mode: str = "constant"

    @property
    def bins(self) -> int:
        """The number of frequencies."""
        return 1 + self.n_fft // 2

    def window(self) -> np.ndarray:
        """Hann's."""
        return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.n_fft) / self.n_fft)

    def bank(self) -> np.ndarray:
        """The mel filters, in double precision."""
        return aa.filters.mel(sr=self.sr, n_fft=self.n_fft, n_mels=self.n_mels)


def torch_with_gpu() -> Any:
    """The torch library, in single precision throughout."""
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError(f"torch {torch.__version__} finds no GPU")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch


def without_gradients(layer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A call of torch that remembers nothing."""
    torch = torch_with_gpu()

    def call(x: Any) -> Any:
        with torch.no_grad():
            return layer(x)

    return call


def transform(f: Frames, kind: str) -> Any:
    """The transform of arrayaudio."""
    frames: dict[str, Any] = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode}
    if kind in ("complex", "magnitude", "power"):
        return aa.STFT(**frames, output=kind)
    scale = {"mel": None, "db": "db", "log10": "log10"}[kind]
    return aa.MelSpectrogram(**frames, sr=f.sr, n_mels=f.n_mels, scale=scale, amin=FLOOR, top_db=None)


def ours(f: Frames, kind: str) -> Call:
    """The transform of arrayaudio, on CuPy arrays."""
    layer = transform(f, kind)
    return Call(layer, lambda y, out: layer(y, out=out))


def seen(xp: Any, X: Any, kind: str, bank: Any) -> Any:
    """What torch or CuPy makes of a complex STFT, in as few steps as they offer."""
    if kind == "complex":
        return X
    if kind == "magnitude":
        return abs(X)
    S = X.real**2 + X.imag**2
    if kind == "power":
        return S
    S = bank @ S
    return S if kind == "mel" else {"db": 10, "log10": 1}[kind] * xp.log10(S.clip(FLOOR))


def torch_forward(f: Frames, kind: str) -> Callable[[Any], Any]:
    """`torch.stft` and what follows."""
    torch = torch_with_gpu()
    window, bank = (torch.from_numpy(x).float().cuda() for x in (f.window(), f.bank()))

    def forward(y: Any) -> Any:
        X = torch.stft(y, f.n_fft, f.hop_length, window=window, pad_mode=f.pad_mode, return_complex=True)
        return seen(torch, X, kind, bank)

    return forward


def torch_stft(f: Frames, kind: str) -> Call:
    """The STFT of torch, as one writes it."""
    return Call(without_gradients(torch_forward(f, kind)), library="torch")


def torch_compiled(f: Frames, kind: str) -> Call:
    """The same, through torch.compile."""
    compiled = torch_with_gpu().compile(torch_forward(f, kind))
    return Call(without_gradients(compiled), library="torch")


def torchaudio_layer(f: Frames, kind: str) -> Any:
    """The transform of torchaudio."""
    torch_with_gpu()
    from torchaudio import transforms

    frames: dict[str, Any] = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode}
    if kind in ("complex", "magnitude", "power"):
        return transforms.Spectrogram(**frames, power={"complex": None, "magnitude": 1.0, "power": 2.0}[kind]).cuda()
    mels: dict[str, Any] = {"sample_rate": f.sr, "n_mels": f.n_mels, "norm": "slaney", "mel_scale": "slaney"}
    mel = transforms.MelSpectrogram(**frames, **mels).cuda()
    if kind == "mel":
        return mel
    torch = torch_with_gpu()
    factor = {"db": 10, "log10": 1}[kind]
    return lambda y: factor * torch.log10(mel(y).clamp(FLOOR))


def torchaudio(f: Frames, kind: str) -> Call:
    """The transform of torchaudio, as it is."""
    return Call(without_gradients(torchaudio_layer(f, kind)), library="torch")


def torchaudio_compiled(f: Frames, kind: str) -> Call:
    """The transform of torchaudio, through torch.compile."""
    return Call(without_gradients(torch_with_gpu().compile(torchaudio_layer(f, kind))), library="torch")


def nnaudio_layer(name: str, **options: Any) -> Any:
    """A layer of nnAudio, which prints."""
    torch_with_gpu()
    from nnAudio import features

    with contextlib.redirect_stdout(io.StringIO()):
        return getattr(features, name)(**options).cuda()


def nnaudio(f: Frames, kind: str) -> Call:
    """nnAudio, whose STFT is a convolution with a dense basis."""
    frames: dict[str, Any] = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode}
    if kind == "magnitude":
        layer = nnaudio_layer("STFT", **frames, verbose=False, output_format="Magnitude")
    else:
        assert kind == "mel"
        layer = nnaudio_layer("MelSpectrogram", **frames, sr=f.sr, n_mels=f.n_mels, verbose=False)
    return Call(without_gradients(layer), library="torch")


def flashmel(f: Frames, kind: str) -> Call:
    """flashmel, a fused kernel of cuFFTDx."""
    torch = torch_with_gpu()
    import flashmel

    layer = flashmel.MelSpectrogram(
        sample_rate=f.sr,
        n_fft=f.n_fft,
        hop_length=f.hop_length,
        n_mels=f.n_mels,
        pad_mode=f.pad_mode,
        norm="slaney",
        mel_scale="slaney",
    ).cuda()
    factor = {"mel": 0, "db": 10, "log10": 1}[kind]
    return Call(
        without_gradients(lambda y: factor * torch.log10(layer(y).clamp(FLOOR)) if factor else layer(y)),
        library="torch",
    )


def auvux_with_gpu() -> Any:
    """The auvux-dsp library, if it was built for CUDA."""
    torch_with_gpu()
    import auvux.dsp

    if "cuda" not in auvux.dsp.backends():
        raise RuntimeError(f"this build of auvux-dsp has the backends {auvux.dsp.backends()} alone")
    return auvux.dsp


def auvux(f: Frames, kind: str) -> Call:
    """auvux-dsp, in its kernels for CUDA."""
    dsp = auvux_with_gpu()
    options: dict[str, Any] = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode, "backend": "cuda"}
    if kind in ("complex", "magnitude", "power"):
        return Call(lambda y: dsp.stft(y, sr=f.sr, **options, output=kind), library="torch")
    output = {"mel": "power", "db": "db"}[kind]
    return Call(lambda y: dsp.mel_spectrogram(y, sr=f.sr, n_mels=f.n_mels, **options, output=output), library="torch")


def cupyx_stft(f: Frames, kind: str) -> Call:
    """The STFT of `cupyx.scipy.signal`, which divides by the sum of the window."""
    from cupyx.scipy import signal

    assert (kind, f.pad_mode) == ("complex", "constant")
    window, gain = cupy.asarray(f.window().astype(np.float32)), np.float32(f.window().sum())
    options: dict[str, Any] = {"nperseg": f.n_fft, "noverlap": f.n_fft - f.hop_length, "padded": False}
    return Call(lambda y: signal.stft(y, f.sr, window, **options)[2], shown=lambda X: X * gain)


def cupy_fft(f: Frames, kind: str) -> Call:
    """A few lines of CuPy: strided frames, window, cuFFT."""
    window, bank = (cupy.asarray(x.astype(np.float32)) for x in (f.window(), f.bank()))

    def call(y: Any) -> Any:
        padded = cupy.pad(y, [(0, 0)] * (y.ndim - 1) + [(f.n_fft // 2,) * 2], mode=f.pad_mode)
        frames = cupy.lib.stride_tricks.sliding_window_view(padded, f.n_fft, axis=-1)[..., :: f.hop_length, :]
        return seen(cupy, cupy.fft.rfft(frames * window).swapaxes(-1, -2), kind, bank)

    return Call(call)


KINDS: dict[str, dict[str, Callable[[Frames, str], Call]]] = {
    "complex": {"torch.stft": torch_stft, "auvux-dsp": auvux, "cupyx": cupyx_stft, "lines of CuPy": cupy_fft},
    "magnitude": {
        "torch.stft": torch_stft,
        "torch.stft, compiled": torch_compiled,
        "torchaudio": torchaudio,
        "nnAudio": nnaudio,
        "auvux-dsp": auvux,
        "lines of CuPy": cupy_fft,
    },
    "power": {"torch.stft": torch_stft, "torchaudio": torchaudio, "auvux-dsp": auvux, "lines of CuPy": cupy_fft},
    "mel": {
        "torch.stft": torch_stft,
        "torchaudio": torchaudio,
        "torchaudio, compiled": torchaudio_compiled,
        "nnAudio": nnaudio,
        "flashmel": flashmel,
        "auvux-dsp": auvux,
        "lines of CuPy": cupy_fft,
    },
    "db": {
        "torch.stft": torch_stft,
        "torchaudio": torchaudio,
        "torchaudio, compiled": torchaudio_compiled,
        "flashmel": flashmel,
        "auvux-dsp": auvux,
        "lines of CuPy": cupy_fft,
    },
    "log10": {
        "torch.stft": torch_stft,
        "torchaudio": torchaudio,
        "torchaudio, compiled": torchaudio_compiled,
        "flashmel": flashmel,
        "lines of CuPy": cupy_fft,
    },
}
"""Whom to ask for what, beside arrayaudio."""
