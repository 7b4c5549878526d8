"""Benchmark of training steps: forward, backward and update of a basis, beside nnAudio and torch, in one process.

    python -m bench.training

Signals are 16 clips of 10 s of white noise at 22 050 Hz, float32; the loss is the mean of the spectrogram times fixed
noise; the update is plain gradient descent. Contenders take turns; each turn is a pause, one step that is not counted
and three that are, and the median of all turns counts. Errors are relative L2 of the gradient against torch in
float64. Results go to bench/results as JSON, with the processor's name.
"""

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import torch
from nnAudio import features

import arrayaudio as aa
from arrayaudio.ext.torch import Module
from bench.running import in_turns, quiet, write

SR, N_FFT, HOP, N_MELS, RATE = 22050, 2048, 512, 128, 1e-3
ROUNDS, REPEATS, PAUSE = 3, 3, 0.5

Step = Callable[[], np.ndarray]
"""One training step from the initial array; returns the gradient."""


def ours(layer: Any, y: np.ndarray, weights: np.ndarray) -> Step:
    """A step of arrayaudio."""
    params = layer.params
    (name,) = params
    step = aa.value_and_grad(lambda p: (layer.with_params(p)(y) * weights).mean())

    def call() -> np.ndarray:
        _, gradient = step(params)
        _ = params[name] - np.float32(RATE) * gradient[name]
        return gradient[name]

    return call


def torchs(forward: Callable[[Any], Any], array: Any, y: Any, weights: Any) -> Step:
    """A step of torch, with respect to one array."""

    def call() -> np.ndarray:
        array.grad = None
        (forward(y) * weights).mean().backward()
        with torch.no_grad():
            _ = array - RATE * array.grad
        return array.grad.numpy()

    return call


def bridged(layer: Any, y: np.ndarray, weights: np.ndarray) -> Step:
    """A step of arrayaudio as a torch module."""
    module = Module(layer)
    (array,) = module.parameters()
    return torchs(module, array, torch.from_numpy(y), torch.from_numpy(weights))


def fourier(y: np.ndarray, weights: np.ndarray) -> tuple[dict[str, Step], np.ndarray]:
    """Learn the windowed Fourier basis of a magnitude STFT."""

    def kernels(dtype: Any) -> tuple[Callable[[Any], Any], Any]:
        n, k = torch.arange(N_FFT, dtype=torch.float64), torch.arange(N_FFT // 2 + 1, dtype=torch.float64)
        turns = -2 * np.pi * torch.outer(k, n) / N_FFT
        basis = torch.stack([turns.cos(), turns.sin()]) * torch.hann_window(N_FFT, dtype=torch.float64)
        basis = basis.to(dtype).requires_grad_()

        def forward(x: Any) -> Any:
            padded = torch.nn.functional.pad(x[:, None], (N_FFT // 2, N_FFT // 2))
            re, im = (torch.nn.functional.conv1d(padded, part[:, None], stride=HOP) for part in basis)
            return torch.sqrt(re**2 + im**2)

        return forward, basis

    exact_forward, exact_basis = kernels(torch.float64)
    exact = torchs(exact_forward, exact_basis, torch.from_numpy(y).double(), torch.from_numpy(weights).double())()
    forward, basis = kernels(torch.float32)
    layer = quiet(
        features.STFT, n_fft=N_FFT, hop_length=HOP, pad_mode="constant", trainable=True, output_format="Magnitude"
    )

    def nnaudio() -> np.ndarray:
        layer.zero_grad()
        (layer(torch.from_numpy(y)) * torch.from_numpy(weights)).mean().backward()
        with torch.no_grad():
            updated = [p - RATE * p.grad for p in (layer.wcos, layer.wsin)]
        assert len(updated) == 2
        return np.stack([layer.wcos.grad.numpy()[:, 0], -layer.wsin.grad.numpy()[:, 0]])

    own = aa.STFT(n_fft=N_FFT, hop_length=HOP, trainable=True, output="magnitude")
    contenders: dict[str, Step] = {
        "arrayaudio": ours(own, y, weights),
        "arrayaudio in torch": bridged(own, y, weights),
        "nnAudio": nnaudio,
        "torch conv1d": torchs(forward, basis, torch.from_numpy(y), torch.from_numpy(weights)),
    }
    return contenders, exact


def mel(y: np.ndarray, weights: np.ndarray) -> tuple[dict[str, Step], np.ndarray]:
    """Learn the bank of a mel spectrogram."""
    start = librosa.filters.mel(sr=SR, n_fft=N_FFT, n_mels=N_MELS, dtype=np.float64)

    def of_stft(dtype: Any) -> tuple[Callable[[Any], Any], Any]:
        bank, window = torch.from_numpy(start).to(dtype).requires_grad_(), torch.hann_window(N_FFT, dtype=dtype)

        def forward(x: Any) -> Any:
            X = torch.stft(x, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
            return bank @ (X.real**2 + X.imag**2)

        return forward, bank

    exact_forward, exact_bank = of_stft(torch.float64)
    exact = torchs(exact_forward, exact_bank, torch.from_numpy(y).double(), torch.from_numpy(weights).double())()
    forward, bank = of_stft(torch.float32)
    layer = quiet(
        features.MelSpectrogram,
        sr=SR,
        n_fft=N_FFT,
        hop_length=HOP,
        n_mels=N_MELS,
        pad_mode="constant",
        trainable_mel=True,
    )
    own = aa.MelSpectrogram(sr=SR, n_mels=N_MELS, trainable_mel=True)
    contenders = {
        "arrayaudio": ours(own, y, weights),
        "arrayaudio in torch": bridged(own, y, weights),
        "nnAudio": torchs(layer, layer.mel_basis, torch.from_numpy(y), torch.from_numpy(weights)),
        "torch.stft and matmul": torchs(forward, bank, torch.from_numpy(y), torch.from_numpy(weights)),
    }
    return contenders, exact


def compare(name: str, contenders: dict[str, Step], exact: np.ndarray) -> dict[str, dict[str, Any]]:
    """Time contenders in turns and print one line for each."""
    rows = {}
    for who, call in contenders.items():
        gradient = call()
        rows[who] = {"error": float(np.linalg.norm(gradient - exact) / np.linalg.norm(exact))}
    print(f"\n{name}")
    for who, times in in_turns(contenders, ROUNDS, REPEATS, PAUSE).items():
        rows[who] |= times
        print(
            f"  {who:<24}{times['median_ms']:9.1f} ms  {times['ratio_to_ours']:6.2f} x   "
            f"error of the gradient {rows[who]['error']:7.1e}"
        )
    return rows


def main() -> None:
    """Run both workloads, with as many threads for all, and write the results."""
    aa.set_num_threads(torch.get_num_threads())
    rng = np.random.default_rng(0)
    y = rng.standard_normal((16, 10 * SR)).astype(np.float32)
    n_frames = 1 + y.shape[-1] // HOP
    results = {}
    for name, make, n_rows in (("Fourier basis", fourier, N_FFT // 2 + 1), ("mel bank", mel, N_MELS)):
        weights = rng.standard_normal((16, n_rows, n_frames)).astype(np.float32)
        results[f"training step of a {name}, 16 clips of 10 s"] = compare(name, *make(y, weights))
    write("training", {"results": results}, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
