"""Benchmark of spectrogram layers in torch, arrayaudio's beside nnAudio's: one import apart, in one process.

    python -m bench.torch_layers

Layers get 16 clips of 10 s of white noise at 22 050 Hz, float32, without gradients; then models of nnAudio's kind
(spectrogram, logarithm, two convolutions, linear, sigmoid) take steps of training, with a fixed and a learned
spectrogram. All have as many threads. Contenders take turns; each turn is a pause, one call that is not counted and
three that are, and the median of all turns counts. Errors are relative L2 against arrayaudio in float64. Results go to
bench/results as JSON, with the processor's name.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import arrayaudio as aa
from arrayaudio.compat.nnaudio import torch as ours
from bench.running import in_turns, quiet, write

SR = 22050
ROUNDS, REPEATS, PAUSE = 3, 3, 0.5
LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "magnitude STFT": ("STFT", {"sr": SR, "output_format": "Magnitude"}),
    "mel spectrogram": ("MelSpectrogram", {"sr": SR}),
    "CQT": ("CQT1992v2", {"sr": SR}),
}


class Model(nn.Module):
    """A model that computes its spectrogram on the fly."""

    def __init__(self, layers: Any, trainable: bool) -> None:
        super().__init__()
        self.spectrogram = quiet(layers.STFT, output_format="Magnitude", sr=SR, trainable=trainable)
        self.along_frequency = nn.Conv2d(1, 8, kernel_size=(128, 1), stride=(8, 1))
        self.along_time = nn.Conv2d(8, 8, kernel_size=(1, 3), stride=(1, 2))
        self.linear = nn.Linear(8 * (1 + (1025 - 128) // 8), 88, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities of 88 notes."""
        z = torch.log(self.spectrogram(x) + 1e-10)
        z = torch.relu(self.along_frequency(z.unsqueeze(1)))
        z = torch.relu(self.along_time(z)).mean(-1)
        return torch.sigmoid(self.linear(torch.flatten(z, 1)))


def step(layers: Any, trainable: bool, x: torch.Tensor) -> Callable[[], Any]:
    """A step of training of a model."""
    torch.manual_seed(0)
    model = Model(layers, trainable)
    adam, notes = torch.optim.Adam(model.parameters()), torch.zeros(len(x), 88)

    def call() -> None:
        adam.zero_grad()
        nn.functional.binary_cross_entropy(model(x), notes).backward()
        adam.step()

    return call


def shown(name: str, contenders: dict[str, Callable[[], Any]], rows: dict[str, Any]) -> dict[str, Any]:
    """Time contenders in turns, print one line for each and add to what is known of them."""
    print(f"\n{name}")
    for who, times in in_turns(contenders, ROUNDS, REPEATS, PAUSE).items():
        rows[who] |= times
        error = f"error {rows[who]['error']:7.1e}" if "error" in rows[who] else ""
        print(f"  {who:<12}{times['median_ms']:9.1f} ms  {times['ratio_to_ours']:6.2f} x   {error}")
    return rows


def main() -> None:
    """Run all workloads and write the results."""
    from nnAudio import features

    aa.set_num_threads(torch.get_num_threads())
    y = np.random.default_rng(0).standard_normal((16, 10 * SR)).astype(np.float32)
    x, homes, results = torch.from_numpy(y), {"arrayaudio": ours, "nnAudio": features}, {}
    for name, (kind, options) in LAYERS.items():
        layers = {who: quiet(getattr(home, kind), **options) for who, home in homes.items()}
        with torch.no_grad():
            exact = layers["arrayaudio"](x.double())
            rows = {who: {"error": float((layer(x) - exact).norm() / exact.norm())} for who, layer in layers.items()}
            calls = {who: functools.partial(layer, x) for who, layer in layers.items()}
            results[f"{name}, 16 clips of 10 s"] = shown(name, calls, rows)
    for trainable in (False, True):
        name = f"step of a model with a {'learned' if trainable else 'fixed'} STFT, 16 clips of 10 s"
        steps = {who: step(home, trainable, x) for who, home in homes.items()}
        results[name] = shown(name, steps, {who: {} for who in steps})
    write("torch-layers", {"results": results}, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
