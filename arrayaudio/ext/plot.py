"""Spectrograms as pictures, with axes in Hz and seconds."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, to_numpy
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.ext.io import write_whole
from arrayaudio.notes import hz_to_note, midi_to_hz, midi_to_note, note_to_hz
from arrayaudio.spectrum import amplitude_to_db, power_to_db
from arrayaudio.transforms.bands import Banded, Cepstral
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import CQT, ConstantQ
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT

# Where a listener looks for orientation on a scale that is not linear: octaves around 1 kHz.
LANDMARKS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000)
RANGE_DB, FLOOR_DB = 80.0, -100.0
MOST_COLUMNS = 20_000


def new_figure(n_panels: int, *, title: str | None = None, height: float = 2.6) -> tuple[Any, list[Any]]:
    """Make a figure of `n_panels` axes above each other, each `height` inches high, with one time axis."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing", "plot", error) from error
    # A Figure of its own, so that no state of pyplot is touched.
    figure = Figure(figsize=(9, 1.2 + height * n_panels), layout="constrained", dpi=130)
    axes = list(np.atleast_1d(figure.subplots(n_panels, 1, sharex=True)))
    if title:
        figure.suptitle(title, fontsize=13, fontweight="bold", parse_math=False)
    axes[-1].set_xlabel("time (s)")
    return figure, axes


def draw(axes: Any, S: Array, transform: Framed, n_samples: int) -> None:
    """Draw what `transform` made of a signal of `n_samples` samples into matplotlib axes, with a colour bar."""
    # More columns than this are no more to see, and take memory that an hour of audio does not find.
    each = -(-S.shape[-1] // MOST_COLUMNS)
    title, values, unit, colours = _picture(to_numpy(S[..., ::each]), transform)
    times = transform.times(n_samples)[::each]
    step = each * transform.framing.hop_length / float(transform.sr or 1)
    time_edges = np.append(times, times[-1] + step) - step / 2
    rows = np.arange(values.shape[0] + 1) - 0.5
    mesh = axes.pcolormesh(time_edges, rows, values, rasterized=True, **colours)
    axes.set_xlim(max(0.0, time_edges[0]), time_edges[-1])
    axes.set_title(title, loc="left", fontsize=10)
    _label_rows(axes, transform)
    # Which values the colours do not reach.
    beyond = {"dB": "min", "value": "both", "salience": "max", "magnitude": "max"}.get(unit, "neither")
    axes.figure.colorbar(mesh, ax=axes, label=unit, pad=0.01, extend=beyond)


def _picture(S: np.ndarray, transform: Any) -> tuple[str, np.ndarray, str, dict[str, Any]]:
    """Return title, values, unit and colours of a spectrogram."""
    while S.ndim > 2:
        S = S[0]
    name = type(transform).__name__
    if isinstance(transform, Cepstral):
        # The first two, loudness and tilt, are far larger than the others and would hide them.
        limit = float(np.percentile(np.abs(S[min(2, len(S) - 1) :]), 99.5))
        limit = max(limit, 1e-3 * float(np.abs(S).max())) or 1.0  # rounding noise stays pale
        return f"{name} ({len(S)})", S, "value", {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    if isinstance(transform, Chroma | ChromaCQT):
        return f"chroma ({len(S)})", S, "energy", _from_zero(float(S.max()))
    if isinstance(transform, CFP):
        # Few notes stand out so far that they would leave the others in the dark.
        top = max(float(np.percentile(S, 99.5)), 1e-3 * float(S.max()))
        title = f"CFP ({len(S)} bands{'' if transform.output == 'cfp' else f', {transform.output}'})"
        return title, S, "magnitude" if transform.output == "spectrum" else "salience", _from_zero(top)
    if isinstance(transform, Banded):
        return _bands(S, transform)
    if isinstance(transform, ConstantQ):
        title = f"{name} ({len(S)} bins, {transform.bins_per_octave} to the octave)"
    elif isinstance(transform, STFT):
        scale = "" if transform.freq_scale == "fft" else f", {len(S)} {transform.freq_scale} bins"
        title = f"{name} ({transform.n_fft} samples, hop {transform.hop_length}{scale})"
    else:
        raise ParameterError(f"{name}: there is no picture of it; draw its coefficients with matplotlib's pcolormesh")
    if transform.output == "phase":
        return title, S, "phase (rad)", {"cmap": "twilight", "vmin": -np.pi, "vmax": np.pi}
    levels = power_to_db(S, top_db=None) if transform.output == "power" else amplitude_to_db(S, top_db=None)
    return title, *_levels(levels)


def _bands(S: np.ndarray, transform: Banded) -> tuple[str, np.ndarray, str, dict[str, Any]]:
    """Return title, values, unit and colours of bands, which may already be levels."""
    title = f"{'gammatone' if isinstance(transform, Gammatonegram) else 'mel'} ({len(S)} bands)"
    if transform.scale in ("log", "log10"):
        span = {"log": np.log(10), "log10": 1.0}[transform.scale] * RANGE_DB / 10
        return title, S, transform.scale, {"cmap": "magma", "vmin": S.max() - span, "vmax": S.max()}
    return title, *_levels(S if transform.scale == "db" else power_to_db(S ** (2 / transform.power), top_db=None))


def _from_zero(top: float) -> dict[str, Any]:
    return {"cmap": "magma", "vmin": 0.0, "vmax": top or 1.0}


def _levels(levels: np.ndarray) -> tuple[np.ndarray, str, dict[str, Any]]:
    top = max(float(levels.max()), FLOOR_DB + RANGE_DB)  # so that silence is dark
    return levels, "dB", {"cmap": "magma", "vmin": top - RANGE_DB, "vmax": top}


def _label_rows(axes: Any, transform: Any) -> None:
    """Label rows with what they stand for: coefficients, pitch classes, notes or frequencies."""
    if isinstance(transform, Chroma | ChromaCQT) and transform.n_chroma == 12:
        first = 60 if isinstance(transform, ChromaCQT) or transform.base_c else 69
        axes.set_yticks(range(12), [midi_to_note(first + k)[:-1] for k in range(12)], fontsize=8)
        axes.set_ylabel("pitch class")
    elif isinstance(transform, Cepstral | Chroma | ChromaCQT):
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel("coefficient" if isinstance(transform, Cepstral) else "pitch class")
    elif isinstance(transform, ConstantQ | CFP) and len(notes := _octaves(transform.frequencies)) > 1:
        _tick(axes, transform.frequencies, {hz: f"{hz_to_note(hz)}  {hz:.0f}" for hz in notes})
        axes.set_ylabel("note, frequency (Hz)")
    else:
        labels = {
            hz: f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}" for hz in _round_frequencies(transform.frequencies)
        }
        _tick(axes, transform.frequencies, labels)
        axes.set_ylabel("frequency (Hz)")


def _octaves(frequencies: np.ndarray) -> list[float]:
    """The C of each octave among some frequencies, which may be rounded."""
    octaves = midi_to_hz(np.arange(0, 133, 12))
    return [hz for hz in octaves.tolist() if frequencies[0] * 0.999 <= hz <= frequencies[-1] * 1.001]


def _round_frequencies(frequencies: np.ndarray) -> list[float]:
    """Round frequencies among some: even steps on a linear scale, octaves on others."""
    from matplotlib.ticker import MaxNLocator

    lowest, highest = frequencies[0], frequencies[-1]
    steps = np.diff(frequencies)
    linear = len(frequencies) < 3 or np.allclose(steps, steps[0])
    octaves = [float(hz) for hz in LANDMARKS if lowest <= hz <= highest]
    if len(octaves) > 1 and not linear:
        return octaves
    return [hz for hz in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(lowest, highest) if lowest <= hz <= highest]


def _tick(axes: Any, frequencies: np.ndarray, labels: dict[float, str]) -> None:
    """Write labels at their frequencies, as many as there is room for."""
    shown: dict[float, str] = {}
    for hz, label in labels.items():
        place = float(np.interp(hz, frequencies, np.arange(len(frequencies))))
        if not shown or place - max(shown) > len(frequencies) / 12:
            shown[place] = label
    axes.set_yticks(list(shown), list(shown.values()))


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure in the format that the path's suffix names, PNG if it has none."""
    with warnings.catch_warnings():
        # A title in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        try:
            write_whole(Path(path), lambda file: figure.savefig(file, format=Path(path).suffix[1:] or "png"))
        except ValueError as error:
            raise ParameterError(f"{os.fspath(path)}: {error}") from error


def draw_one(path: Path, S: np.ndarray, transform: Framed, n_samples: int, title: str) -> None:
    """Write a picture of what `transform` made of a signal of `n_samples` samples, or of its first channel."""
    if S.ndim > 2:
        title = f"{title}, channel 1 of {len(S)}"
    figure, (axes,) = new_figure(1, title=title)
    draw(axes, S, transform, n_samples)
    save(figure, path)


def draw_overview(y: np.ndarray, sr: float, *, title: str | None = None) -> Any:
    """Return a figure with a mono signal as STFT, mel, gammatone, CQT and MFCC panels, in frames of about 50 ms."""
    n_fft = 2 ** max(1, round(np.log2(0.05 * sr)))
    hop_length = max(1, n_fft // 4)
    framing: dict[str, Any] = {"sr": sr, "n_fft": n_fft, "hop_length": hop_length}
    n_mels = max(1, min(128, n_fft // 8))  # as many as stay wider than the bins
    lowest = min(float(note_to_hz("C1")), sr / 16)
    n_bins = min(84, int(np.ceil(12 * np.log2(sr / 2 / lowest) - 1e-6)))  # from C1 to B7, or as many as the rate has
    transforms = (
        STFT(**framing),
        MelSpectrogram(**framing, n_mels=n_mels, scale="db"),
        # Of magnitudes, since the skirts of these bands would raise power too far from a loud bass.
        Gammatonegram(**framing, fmin=min(50.0, sr / 16), power=1.0),
        CQT(sr=sr, hop_length=hop_length, fmin=lowest, n_bins=n_bins),
        MFCC(**framing, n_mels=n_mels, n_mfcc=min(20, n_mels)),
    )
    figure, axes = new_figure(len(transforms), title=title, height=2.0)
    for panel, transform in zip(axes, transforms, strict=True):
        draw(panel, transform(y), transform, y.shape[-1])
    return figure
