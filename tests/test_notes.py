"""Pitches and note names against the MIDI tuning formula and librosa."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayaudio as aa

from . import naive

HZ = np.array([8.1757989156, 27.5, 32.7, 261.6255653, 440.0, 441.3, 4186.009, 12543.85])


def test_hz_to_midi_is_its_formula():
    midi = aa.hz_to_midi(HZ)
    np.testing.assert_allclose(midi, [naive.hz_to_midi(f) for f in HZ], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(midi, librosa.hz_to_midi(HZ), rtol=1e-12, atol=1e-12)


def test_midi_to_hz_agrees_with_librosa():
    midi = np.linspace(-12, 140, 77)
    np.testing.assert_allclose(aa.midi_to_hz(midi), librosa.midi_to_hz(midi), rtol=1e-12)
    assert aa.midi_to_hz(69) == 440.0
    assert aa.midi_to_hz(81) == 880.0


@given(f=st.floats(min_value=1e-2, max_value=1e5))
def test_hz_survive_midi(f):
    np.testing.assert_allclose(aa.midi_to_hz(aa.hz_to_midi(f)), f, rtol=1e-12)


@pytest.mark.parametrize("convert", [aa.hz_to_midi, aa.midi_to_hz])
def test_scalars_give_scalars_and_arrays_keep_their_shape(convert):
    assert isinstance(convert(60), float)
    batch = np.arange(20.0, 32.0).reshape(2, 6)
    assert convert(batch).shape == (2, 6)
    assert convert(batch.astype(np.float32)).dtype == np.float64
    np.testing.assert_array_equal(convert(batch)[1], [convert(v) for v in batch[1]])


@pytest.mark.parametrize("convert", [aa.hz_to_midi, aa.midi_to_hz])
def test_conversions_return_numpy_or_cupy_arrays(convert, library):
    values = np.array([60.0, 69.0, 81.5])
    result = convert(library.asarray(values))
    assert library.owns(result) if library.name == "cupy" else isinstance(result, np.ndarray)
    np.testing.assert_allclose(aa.to_numpy(result), convert(values), rtol=1e-12)


@pytest.mark.parametrize("octave", [-1, 0, 4, 9])
@pytest.mark.parametrize("sign", ["", "#", "♯", "b", "♭", "!", "##", "♭b", "#b"])
@pytest.mark.parametrize("letter", "CDEFGABcdefgab")
def test_note_to_midi_agrees_with_librosa(letter, sign, octave):
    note = f"{letter}{sign}{octave}"
    assert aa.note_to_midi(note) == librosa.note_to_midi(note)


@pytest.mark.parametrize("note", ["C4+25", "A4-50", "Bb-1+7", "C♯-2-12", "E", "Gb", "A+2"])
def test_cents_and_missing_octaves_agree_with_librosa(note):
    np.testing.assert_allclose(aa.note_to_midi(note), librosa.note_to_midi(note, round_midi=False), rtol=1e-12)


def test_many_notes_give_a_float64_array():
    midi = aa.note_to_midi(["C4", "A4", "B3+50"])
    np.testing.assert_array_equal(midi, [60.0, 69.0, 59.5])
    assert midi.dtype == np.float64
    assert isinstance(aa.note_to_midi("C4"), float)
    np.testing.assert_allclose(aa.note_to_hz(["A3", "A4"]), [220.0, 440.0], rtol=1e-12)
    assert isinstance(aa.note_to_hz("A3"), float)


@pytest.mark.parametrize("cents", [False, True])
def test_note_names_agree_with_librosa(cents):
    midi = [0.0, 11.0, 12.0, 59.75, 60.25, 61.0, 69.4, 127.0]
    names = aa.midi_to_note(midi, cents=cents)
    assert names == [str(librosa.midi_to_note(number, cents=cents)) for number in midi]
    assert names == [aa.midi_to_note(number, cents=cents) for number in midi]
    assert aa.hz_to_note(aa.midi_to_hz(midi), cents=cents) == names


@pytest.mark.parametrize(("f", "name"), [(440.0, "A4"), (261.6, "C4"), (277.2, "C♯4"), (16.35, "C0"), (8.18, "C-1")])
def test_hz_to_note_names_the_nearest_note(f, name):
    assert aa.hz_to_note(f) == name
    assert aa.hz_to_note([f, f]) == [name, name]
    assert aa.hz_to_note(f) == str(librosa.hz_to_note(f))


def test_octaves_go_down_below_midi_zero():
    assert aa.midi_to_note([0, -1, -12, -13]) == ["C-1", "B-2", "C-2", "B-3"]


def test_note_lists_keep_the_nesting_of_arrays():
    assert aa.midi_to_note(np.array([[60, 61], [62, 63]])) == [["C4", "C♯4"], ["D4", "D♯4"]]


@given(midi=st.integers(min_value=-24, max_value=150))
def test_midi_survives_note_names(midi):
    assert aa.note_to_midi(aa.midi_to_note(midi)) == midi


@given(hundredths=st.integers(min_value=-2400, max_value=15000))
def test_cents_survive_note_names(hundredths):
    number = hundredths / 100
    assert aa.note_to_midi(aa.midi_to_note(number, cents=True)) == pytest.approx(number, abs=1e-9)


@pytest.mark.parametrize("note", ["", "H4", "4A", "A4+", "A4.5", "A4 ", "A4+2+3"])
def test_what_is_no_note_name_is_refused(note):
    with pytest.raises(aa.ParameterError) as caught:
        aa.note_to_midi(note)
    assert f"note={note!r}: must look like" in str(caught.value)
    with pytest.raises(aa.ParameterError, match="must look like"):
        aa.note_to_hz(["A4", note])


@pytest.mark.parametrize("midi", [np.nan, np.inf])
def test_what_is_no_pitch_has_no_name(midi):
    with pytest.raises(aa.ParameterError, match=rf"midi={midi}: must be finite"):
        aa.midi_to_note(midi)
