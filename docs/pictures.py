"""Draw the pictures that the pages show: `python -m docs.pictures`, or `make pages`."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from PIL import Image

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.io import load

HERE = Path(__file__).parent


def clip(name: str, seconds: float, start: float = 0.0) -> tuple[np.ndarray, int]:
    """Return a part of a recording, and its sampling rate."""
    y, sr = load(HERE / "audio" / f"{name}.flac")
    return y[int(start * sr) : int((start + seconds) * sr)], int(sr)


def write(picture: Any, name: str, maps: tuple[str, ...] = (), dpi: int = 180) -> None:
    """Write a picture for the pages; with the names of all its maps, in their colours and greys, to make it small."""
    path = HERE / "pictures" / f"{name}.png"
    picture.figure.savefig(path, dpi=min(dpi, picture.figure.dpi))
    if maps:
        image = Image.open(path).convert("RGB")
        image.quantize(palette=colours(maps), dither=Image.Dither.NONE).save(path, optimize=True)


def colours(maps: tuple[str, ...]) -> Image.Image:
    """Return a picture whose palette holds maps, and greys for letters."""
    parts = [colormaps[name](np.linspace(0, 1, 224 // len(maps))) for name in maps]
    rgb = np.concatenate([*parts, colormaps["gray"](np.linspace(0, 1, 32))])[:, :3]
    held = Image.new("P", (1, 1))
    held.putpalette((255 * rgb).round().astype(np.uint8).tobytes())
    return held


def learned() -> tuple[aa.STFT, aa.STFT]:
    """Return an STFT with noise in its basis, and what it learns from the magnitudes of one without."""
    stft = aa.STFT(sr=8000, n_fft=64, output="magnitude", trainable=True)
    rng = np.random.default_rng(0)
    y = rng.standard_normal((4, 4000)).astype(np.float32)
    target = stft(y)
    noise = 0.1 * rng.standard_normal((2, 33, 64)).astype(np.float32)
    params = {"basis": stft.params["basis"] + noise}
    before = stft.with_params(params)
    step = aa.value_and_grad(lambda params: np.mean((stft.with_params(params)(y) - target) ** 2))
    adam = aa.optim.Adam(1e-2)
    state = adam.init(params)
    for _ in range(200):
        _, gradient = step(params)
        params, state = adam.update(gradient, state, params)
    return before, stft.with_params(params)


def main() -> None:
    """Draw the overview of the README, and what the page of plots shows."""
    y, sr = clip("speech", 4.0)
    write(plot.overview(y, sr, title="speech.flac"), "overview", maps=("magma", "RdBu_r"), dpi=90)

    y, sr = clip("speech", 3.0)
    mel = aa.MelSpectrogram(sr=sr, n_fft=512, hop_length=128, n_mels=64, scale="db")
    S = mel(y)
    write(mel.plot(S), "plot_mel")

    guitar, rate = clip("guitar", 4.0)
    cqt = aa.CQT(sr=rate, bins_per_octave=24, n_bins=144, fmin=65.4)
    write(cqt.plot(cqt(guitar), size="paper"), "plot_paper")

    figure, axes = plot.new_figure(2, size="paper", height=1.3)
    plot.waveform(y, axes[0, 0], sr=sr)
    mel.plot(S, axes[1, 0], title="")
    axes[0, 0].set_xlabel("")
    write(plot.lettered(figure, "paper"), "plot_stacked")

    transforms = {
        "STFT": aa.STFT(sr=rate),
        "constant-Q": cqt,
        "gammatone": aa.Gammatonegram(sr=rate, power=1.0),
        "chroma": aa.ChromaCQT(sr=rate),
    }
    write(plot.compare({name: (t, t(guitar)) for name, t in transforms.items()}), "plot_grid", maps=("magma",))

    noise = np.random.default_rng(0).standard_normal(len(y)).astype(np.float32)
    levels = {"clean": y, "20 dB": y + 0.1 * y.std() * noise, "0 dB": y + y.std() * noise}
    noisy = plot.compare({name: (mel, mel(x)) for name, x in levels.items()}, size="paper")
    write(noisy, "plot_noise", maps=("magma",))

    bank = aa.MelSpectrogram(sr=16000, n_fft=2048, n_mels=32)
    write(plot.filterbank(bank, size="paper"), "plot_bank")
    before, after = learned()
    write(plot.bases(after, before=before, size="paper"), "plot_bases")
    write(plot.bases(after, before=before, size="paper", style="image"), "plot_bases_image")


if __name__ == "__main__":
    main()
