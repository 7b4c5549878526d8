"""The frequency axis of a spectrogram: a scale in Hz on which all rows are equally high, and what is written there."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.notes import hz_to_note, midi_to_hz, midi_to_note
from arrayaudio.transforms.bands import Cepstral
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import ConstantQ

# Where a listener looks for orientation on a scale that is not linear: octaves around 1 kHz.
LANDMARKS = (16.0, 31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0, 32000.0, 64000.0)
OCTAVES = tuple(midi_to_hz(np.arange(0, 133, 12)).tolist())
NOTES = {hz: f"{hz_to_note(hz)}  {hz:.0f}" for hz in OCTAVES}
# Pitch classes above C, from all to few that lie apart: C, D, E, G and A, or C, E and G.
PITCHES = (range(12), (0, 2, 4, 7, 9), (0, 4, 7))


@dataclass(frozen=True)
class RowScale:
    """Rows as a function of their frequency in Hz and back: lines from row to row, which go on beyond the ends."""

    frequencies: tuple[float, ...]

    def rows(self, hz: Any) -> np.ndarray:
        """The row, as a real number, of frequencies."""
        return _lines(hz, np.array(self.frequencies), np.arange(len(self.frequencies)))

    def hz(self, rows: Any) -> np.ndarray:
        """The frequency of rows, which are real numbers."""
        return _lines(rows, np.arange(len(self.frequencies)), np.array(self.frequencies))

    @property
    def edges(self) -> np.ndarray:
        """The frequencies half a row from each row, one more than there are rows."""
        return self.hz(np.arange(len(self.frequencies) + 1) - 0.5)


def _lines(x: Any, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate linearly, and go on with the slopes of the ends; a single place has the slope 1."""
    x = np.asarray(x, dtype=np.float64)
    if len(places) == 1:
        return x - places[0] + values[0]
    first, last = ((values[k + 1] - values[k]) / (places[k + 1] - places[k]) for k in (0, len(places) - 2))
    inside = np.interp(x, places, values)
    return inside + np.minimum(x - places[0], 0) * first + np.maximum(x - places[-1], 0) * last


def label_rows(axes: Any, transform: Any) -> np.ndarray:
    """Set scale, limits and labels of the y axis of matplotlib axes; return the edges of the rows."""
    frequencies = np.asarray(transform.frequencies, dtype=np.float64)
    scale = RowScale(tuple(frequencies.tolist()))
    even = is_even(frequencies)
    if not even:
        axes.set_yscale("function", functions=(scale.rows, scale.hz))
    axes.set_ylim(scale.edges[0], scale.edges[-1])
    from arrayaudio.ext.plot import ticks  # which needs matplotlib

    if isinstance(transform, Chroma | ChromaCQT) and transform.n_chroma == 12:
        first = 0 if isinstance(transform, ChromaCQT) or transform.base_c else 9
        names: dict[float, str] = {k: midi_to_note(60 + first + k)[:-1] for k in range(12)}
        ticks.write(axes.yaxis, [tuple(k for k in names if (k + first) % 12 in kept) for kept in PITCHES], names)
        axes.set_ylabel("pitch class")
    elif isinstance(transform, Cepstral | Chroma | ChromaCQT):
        ticks.write_whole_numbers(axes.yaxis)
        axes.set_ylabel("coefficient" if isinstance(transform, Cepstral) else "pitch class")
    elif isinstance(transform, ConstantQ | CFP) and np.sum(_inside(OCTAVES, frequencies)) > 1:
        ticks.write(axes.yaxis, [OCTAVES], NOTES)
        axes.set_ylabel("note (Hz)")
    else:
        ticks.write(axes.yaxis, [] if even else [LANDMARKS], {})
        axes.set_ylabel("frequency (Hz)")
    return scale.edges


def is_even(frequencies: np.ndarray) -> bool:
    """Whether frequencies lie at equal distances."""
    steps = np.diff(frequencies)
    return len(steps) == 0 or bool(np.allclose(steps, steps[0]))


def _inside(landmarks: tuple[float, ...], frequencies: np.ndarray) -> np.ndarray:
    """Which landmarks lie among frequencies, which may be rounded."""
    places = np.array(landmarks)
    return (frequencies[0] * 0.999 <= places) & (places <= frequencies[-1] * 1.001)
