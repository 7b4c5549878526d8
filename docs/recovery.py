"""Find a spoken sentence again from its log-mel spectrogram, by descent: `python -m docs.recovery`.

Writes docs/sounds/recovered.flac, docs/pictures/recovery.png and docs/recovery.json.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import arrayaudio as aa
from arrayaudio.ext.io import load
from arrayaudio.ext.plot import lettered, new_figure, save

HERE = Path(__file__).parent
SECONDS, STEPS, RATES = 4, 100, (3e-4, 1e-4, 3e-5, 1e-5)
SR = 16000
FRAMES: dict[str, Any] = {"n_fft": 1024, "hop_length": 256}
LOGMEL = aa.MelSpectrogram(sr=SR, **FRAMES, n_mels=80, scale="db", amin=1e-6, top_db=None)


def sentence() -> np.ndarray:
    """The beginning of the recording."""
    y, sr = load(HERE / "audio" / "speech.flac")
    assert sr == SR
    return np.asarray(y.reshape(-1)[: SECONDS * SR], dtype=np.float32)


def started(target: np.ndarray) -> np.ndarray:
    """The waveform that bands and Griffin-Lim give, where descent begins."""
    powers = aa.db_to_power(target)
    return np.asarray(aa.mel_to_audio(powers, sr=SR, **FRAMES, n_iter=32, length=SECONDS * SR, seed=0))


def descended(y: np.ndarray, target: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Follow the gradient of the squared distance in dB, so many steps at each rate."""
    step = aa.value_and_grad(lambda y: np.mean((LOGMEL(y) - target) ** 2))
    for rate in RATES:
        adam = aa.optim.Adam(rate)
        state = adam.init(y)
        for _ in range(steps):
            _, gradient = step(y)
            y, state = adam.update(gradient, state, y)
    return y


def distances(y: np.ndarray, original: np.ndarray) -> dict[str, float]:
    """How far a waveform is from the original: in log-mel bands, and in the magnitudes of the STFT."""
    found, right = (aa.spectrogram(x, **FRAMES, output="magnitude") for x in (y, original))
    return {
        "log-mel, dB": float(np.sqrt(np.mean((LOGMEL(y) - LOGMEL(original)) ** 2))),
        "magnitudes": float(np.linalg.norm(found - right) / np.linalg.norm(right)),
    }


def main() -> None:
    """Search, measure, write, draw."""
    original = sentence()
    target = LOGMEL(original)
    began = time.perf_counter()
    waveforms = {"mel_to_audio": (start := started(target)), "descent": descended(start, target)}
    data = {name: distances(y, original) for name, y in waveforms.items()}
    (HERE / "recovery.json").write_text(json.dumps(data, indent=1) + "\n")
    soundfile.write(HERE / "sounds" / "recovered.flac", waveforms["descent"], SR)
    figure, grid = new_figure(3, title="A sentence from its log-mel spectrogram", height=2.0)
    panels = grid[:, 0]
    LOGMEL.plot(target, panels[0], title="the original")
    panels[0].set_xlabel("")
    for axes, (name, y) in zip(panels[1:], waveforms.items(), strict=True):
        axes.set_title(f"{name}: {data[name]['log-mel, dB']:.2f} dB away", loc="left", fontsize=10)
        image = axes.imshow(
            LOGMEL(y) - target, origin="lower", aspect="auto", extent=(0, SECONDS, 0, 80), cmap="RdBu", vmin=-5, vmax=5
        )
        axes.set_ylabel("mel band")
        figure.colorbar(image, ax=axes, label="difference (dB)", extend="both", pad=0.02)
    panels[-1].set_xlabel("time (s)")
    save(lettered(figure, "screen"), HERE / "pictures" / "recovery.png")
    print(f"written in {time.perf_counter() - began:.0f} s: {json.dumps(data)}")


if __name__ == "__main__":
    main()
