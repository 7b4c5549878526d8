"""Spectrograms as pictures, with axes in Hz and seconds."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, to_numpy
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.spectrum import amplitude_to_db, power_to_db
from arrayaudio.transforms.bands import Cepstral
from arrayaudio.transforms.base import FramedTransform
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT

# Where a listener looks for orientation on a scale that is not linear: octaves around 1 kHz.
LANDMARKS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000)
RANGE_DB, FLOOR_DB = 80.0, -100.0


def new_figure(n_panels: int, *, title: str | None = None) -> tuple[Any, list[Any]]:
    """Make a figure of `n_panels` axes above each other that share their time axis."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing", "plot", error) from error
    # A Figure of its own, so that no state of pyplot is touched.
    figure = Figure(figsize=(9, 1.2 + 2.6 * n_panels), layout="constrained", dpi=130)
    axes = list(np.atleast_1d(figure.subplots(n_panels, 1, sharex=True)))
    if title:
        figure.suptitle(title, fontsize=13, fontweight="bold", parse_math=False)
    axes[-1].set_xlabel("time (s)")
    return figure, axes


def draw(axes: Any, S: Array, transform: FramedTransform, n_samples: int) -> None:
    """Draw what `transform` made of a signal of `n_samples` samples into matplotlib axes, with a colour bar."""
    name, values, unit, colours = _picture(to_numpy(S), transform)
    times = transform.times(n_samples)
    step = transform.framing.hop_length / float(transform.sr or 1)
    time_edges = np.append(times, times[-1] + step) - step / 2
    rows = np.arange(values.shape[0] + 1) - 0.5
    mesh = axes.pcolormesh(time_edges, rows, values, rasterized=True, **colours)
    axes.set_xlim(max(0.0, time_edges[0]), time_edges[-1])
    axes.set_title(name, loc="left", fontsize=10)
    if isinstance(transform, Cepstral | Chroma):
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel("coefficient" if isinstance(transform, Cepstral) else "pitch class")
    else:
        _frequency_ticks(axes, transform.frequencies)
    beyond = {"dB": "min", "value": "both"}.get(unit, "neither")  # which values the colours do not reach
    axes.figure.colorbar(mesh, ax=axes, label=unit, pad=0.01, extend=beyond)


def _picture(S: np.ndarray, transform: Any) -> tuple[str, np.ndarray, str, dict[str, Any]]:
    """Return title, values, unit and colours of a spectrogram."""
    while S.ndim > 2:
        S = S[0]
    if isinstance(transform, Cepstral):
        # The first two, loudness and tilt, are far larger than the others and would hide them.
        limit = float(np.percentile(np.abs(S[min(2, len(S) - 1) :]), 99.5))
        limit = max(limit, 1e-3 * float(np.abs(S).max())) or 1.0  # rounding noise stays pale
        return f"{type(transform).__name__} ({len(S)})", S, "value", {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    if isinstance(transform, STFT):
        title = f"STFT ({transform.n_fft} samples, hop {transform.hop_length})"
        if transform.output == "phase":
            return title, S, "phase (rad)", {"cmap": "twilight", "vmin": -np.pi, "vmax": np.pi}
        levels = power_to_db(S, top_db=None) if transform.output == "power" else amplitude_to_db(S, top_db=None)
        return title, *_levels(levels)
    if isinstance(transform, Chroma):
        return f"chroma ({len(S)})", S, "energy", {"cmap": "magma", "vmin": 0.0, "vmax": float(S.max()) or 1.0}
    title = f"mel ({transform.n_mels} bands)"
    if transform.scale in ("log", "log10"):
        span = {"log": np.log(10), "log10": 1.0}[transform.scale] * RANGE_DB / 10
        return title, S, transform.scale, {"cmap": "magma", "vmin": S.max() - span, "vmax": S.max()}
    return title, *_levels(S if transform.scale == "db" else power_to_db(S ** (2 / transform.power), top_db=None))


def _levels(levels: np.ndarray) -> tuple[np.ndarray, str, dict[str, Any]]:
    top = max(float(levels.max()), FLOOR_DB + RANGE_DB)  # so that silence is dark
    return levels, "dB", {"cmap": "magma", "vmin": top - RANGE_DB, "vmax": top}


def _frequency_ticks(axes: Any, frequencies: np.ndarray) -> None:
    """Label rows with round frequencies: even steps on a linear scale, octaves on others."""
    from matplotlib.ticker import MaxNLocator

    steps = np.diff(frequencies)
    linear = len(frequencies) < 3 or np.allclose(steps, steps[0])
    round_steps = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(frequencies[0], frequencies[-1])
    octaves = [hz for hz in LANDMARKS if frequencies[0] <= hz <= frequencies[-1]]
    candidates = round_steps if linear or len(octaves) < 2 else octaves
    inside: list[float] = []
    places: list[float] = []
    for hz in candidates:
        place = float(np.interp(hz, frequencies, np.arange(len(frequencies))))
        apart = not places or place - places[-1] > len(frequencies) / 16
        if frequencies[0] <= hz <= frequencies[-1] and apart:
            inside.append(hz)
            places.append(place)
    axes.set_yticks(places, [f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}" for hz in inside])
    axes.set_ylabel("frequency (Hz)")


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure in the format that the path's suffix names, PNG if it has none."""
    with warnings.catch_warnings():
        # A title in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, format=Path(path).suffix[1:] or "png")
        except ValueError as error:
            raise ParameterError(f"{os.fspath(path)}: {error}") from error


def draw_overview(y: np.ndarray, sr: float, *, title: str | None = None) -> Any:
    """Return a figure that shows a mono signal as STFT, mel and MFCC panels, in frames of about 50 ms."""
    n_fft = 2 ** round(np.log2(0.05 * sr))
    framing: dict[str, Any] = {"sr": sr, "n_fft": n_fft, "hop_length": max(1, n_fft // 4)}
    n_mels = max(1, min(128, n_fft // 8))  # as many as stay wider than the bins
    transforms = (
        STFT(**framing),
        MelSpectrogram(**framing, n_mels=n_mels, scale="db"),
        MFCC(**framing, n_mels=n_mels, n_mfcc=min(20, n_mels)),
    )
    figure, axes = new_figure(len(transforms), title=title)
    for panel, transform in zip(axes, transforms, strict=True):
        draw(panel, transform(y), transform, y.shape[-1])
    return figure
