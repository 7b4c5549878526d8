"""Pitches as MIDI numbers and note names."""

import re
from typing import Any

import numpy as np

from arrayaudio.arrays import Array
from arrayaudio.checks import one_of, real
from arrayaudio.errors import ParameterError
from arrayaudio.scales import as_values

__all__ = ["hz_to_midi", "hz_to_note", "midi_to_hz", "midi_to_note", "note_to_hz", "note_to_midi"]


def hz_to_midi(frequencies: Any) -> Array:
    """Convert Hz to MIDI numbers, A4 = 440 Hz being 69.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.hz_to_midi(440.0))
    69.0
    """
    return 12 * np.log2(as_values(frequencies) / 440) + 69


def midi_to_hz(notes: Any) -> Array:
    """Convert MIDI numbers to Hz.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.midi_to_hz(69))
    440.0
    """
    return 440 * 2 ** ((as_values(notes) - 69) / 12)


_PITCH_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARP_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_NOTE = re.compile(r"(?P<letter>[A-Ga-g])(?P<signs>[#♯b♭!]*)(?P<octave>[+-]?\d+)?(?P<cents>[+-]\d+)?")


def note_to_midi(note: Any) -> Any:
    """Convert note names such as "A4", "C♯3", "Bb2" or "A4+25" (cents) to MIDI numbers; octave 0 if none is given.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.note_to_midi(["C4", "A4"])
    array([60., 69.])
    """
    if isinstance(note, list | tuple | np.ndarray):
        return np.array([note_to_midi(name) for name in note], dtype=np.float64)
    match = _NOTE.fullmatch(note) if isinstance(note, str) else None
    if match is None:
        raise ParameterError(f"note={note!r}: must look like 'A4', 'C♯3', 'Bb2' or 'A4+25'")
    signs = sum(1 if sign in "#♯" else -1 for sign in match["signs"])
    octave, cents = int(match["octave"] or 0), int(match["cents"] or 0)
    return float(12 * (octave + 1) + _PITCH_CLASS[match["letter"].upper()] + signs + cents / 100)


def midi_to_note(midi: Any, *, cents: bool = False) -> Any:
    """Convert MIDI numbers to the names of the nearest notes, a list for arrays; `cents` appends the rest.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.midi_to_note([60, 61.25], cents=True)
    ['C4+0', 'C♯4+25']
    """
    one_of("cents", cents, (True, False))
    if isinstance(midi, list | tuple) or getattr(midi, "ndim", 0) > 0:
        return [midi_to_note(number, cents=cents) for number in midi]
    number = real("midi", midi)
    nearest = round(number)
    name = f"{_SHARP_NAMES[nearest % 12]}{nearest // 12 - 1}"
    return f"{name}{round(100 * (number - nearest)):+d}" if cents else name


def note_to_hz(note: Any) -> Any:
    """Convert note names to Hz.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> float(aa.note_to_hz("A3"))
    220.0
    """
    return midi_to_hz(note_to_midi(note))


def hz_to_note(frequencies: Any, *, cents: bool = False) -> Any:
    """Convert Hz to the names of the nearest notes.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.hz_to_note([32.7, 440.0])
    ['C1', 'A4']
    """
    return midi_to_note(hz_to_midi(frequencies), cents=cents)
