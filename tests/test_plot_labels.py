"""Rows and columns of pictures are labelled with what they are: Hz, notes, pitch classes, coefficients, seconds."""

import itertools

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext.plot import overview

from .pictures import FRAMES, IN_HZ, IN_NOTES, LEVELS, SR, TRANSFORMS, picture, tone

pytestmark = pytest.mark.slow


def edges(cells):
    """Edges of the cells in time and in rows."""
    corners = cells.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def hertz(label):
    text = label.get_text().split()[-1]
    return 1000 * float(text[:-1]) if text.endswith("k") else float(text)


@pytest.mark.parametrize("transform", IN_HZ.values(), ids=IN_HZ)
def test_axes_are_labelled_in_hz_and_seconds(transform):
    axes, _, _ = picture(tone(), transform)
    assert axes.get_xlabel() == "time (s)"
    assert axes.get_ylabel() == "frequency (Hz)"


@pytest.mark.parametrize("transform", IN_NOTES.values(), ids=IN_NOTES)
def test_rows_of_pitches_are_labelled_with_the_c_of_each_octave(transform):
    axes, _, _ = picture(tone(), transform)
    frequencies = transform.frequencies
    octaves = 440 * 2 ** (np.arange(-57, 100, 12) / 12)
    there = octaves[(octaves > 0.9999 * frequencies[0]) & (octaves < 1.0001 * frequencies[-1])]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert axes.get_ylabel() == "note (Hz)"
    assert labels == [f"C{round(np.log2(hz / octaves[0]))}  {hz:.0f}" for hz in there]
    assert len(labels) >= 3
    np.testing.assert_allclose(axes.get_yticks(), there, rtol=1e-12)


@pytest.mark.parametrize("fmin", [32.71, 32.7, 65.4])
def test_a_rounded_lowest_note_is_labelled(fmin):
    axes, _, _ = picture(tone(), aa.CQT(sr=SR, fmin=fmin, n_bins=25))
    assert axes.get_yticklabels()[0].get_text() == {32.71: "C1  33", 32.7: "C1  33", 65.4: "C2  65"}[fmin]
    assert axes.get_yticks()[0] == pytest.approx(fmin, rel=1e-3)


def test_less_than_two_octaves_of_notes_are_labelled_in_hz():
    axes, _, _ = picture(tone(), aa.CQT(sr=SR, fmin=440, n_bins=10))
    assert axes.get_ylabel() == "frequency (Hz)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["450", "500", "550", "600", "650", "700", "750"]


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: overview(np.ones(4000), 8000),
        lambda: overview(np.ones(4000), 44100),
        lambda: picture(tone(), TRANSFORMS["chroma"])[0].figure,
        lambda: picture(np.ones(4000), aa.CQT(sr=192000, n_bins=138))[0].figure,
    ],
    ids=["overview", "overview of a wide band", "chroma", "12 octaves"],
)
def test_labels_do_not_touch(drawn):
    figure = drawn()
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_yticklabels() if label.get_text()]
        boxes.sort(key=lambda box: box.y0)
        assert len(boxes) > 1
        assert all(lower.y1 < upper.y0 for lower, upper in itertools.pairwise(boxes))


@pytest.mark.parametrize("name", ["chroma", "chroma of CQT"])
def test_pitch_classes_have_names(name):
    axes, cells, bar = picture(tone(hz=440), TRANSFORMS[name])
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
    assert list(axes.get_yticks()) == list(range(12))
    assert (axes.get_ylabel(), bar.get_ylabel()) == ("pitch class", "energy")
    assert (cells.norm.vmin, cells.norm.vmax) == (0, 1)
    assert names[np.asarray(cells.get_array())[:, 30].argmax()] == "A"
    from_a, _, _ = picture(tone(hz=440), aa.Chroma(**FRAMES, base_c=False))
    assert [label.get_text() for label in from_a.get_yticklabels()] == names[9:] + names[:9]


@pytest.mark.parametrize(
    ("height", "names"),
    [
        (2.2, ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]),
        (1.5, ["C", "D", "E", "G", "A"]),
        (1.2, ["C", "E", "G"]),
    ],
)
def test_where_there_is_little_room_fewer_pitch_classes_are_named(height, names):
    axes = TRANSFORMS["chroma"].plot(TRANSFORMS["chroma"](tone()), size="paper")
    axes.figure.set_figheight(height)
    axes.figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()] == names


def test_other_pitch_classes_are_numbered():
    axes, cells, _ = picture(tone(), aa.Chroma(**FRAMES, n_chroma=24))
    axes.figure.draw_without_rendering()
    assert axes.get_ylabel() == "pitch class"
    assert cells.get_array().shape[0] == 24
    assert all(float(tick).is_integer() for tick in axes.get_yticks())


def test_cepstra_are_labelled_by_coefficient():
    axes, cells, bar = picture(tone(), TRANSFORMS["MFCC"])
    axes.figure.draw_without_rendering()
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("time (s)", "coefficient", "value")
    assert all(float(tick).is_integer() for tick in axes.get_yticks())
    assert cells.norm.vmin == -cells.norm.vmax


@pytest.mark.parametrize("n_samples", [4000, 4001, 65, 50])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("kind", [aa.STFT, aa.MFCC])
def test_cells_surround_their_times_by_half_a_hop(kind, center, n_samples):
    y = tone(n_samples + 256)
    transform = kind(**FRAMES | ({"n_mels": 20} if kind is aa.MFCC else {}), center=center)
    axes, cells, _ = picture(y, transform)
    across, rows = edges(cells)
    times = transform.times(len(y))
    np.testing.assert_allclose(across[:-1], times - 32 / SR, atol=1e-12)
    np.testing.assert_allclose(across[1:], times + 32 / SR, atol=1e-12)
    np.testing.assert_allclose((rows[1:] + rows[:-1]) / 2, transform.frequencies, atol=1e-9)
    np.testing.assert_allclose(axes.get_xlim(), (max(0, across[0]), across[-1]), atol=1e-12)
    np.testing.assert_allclose(axes.get_ylim(), rows[[0, -1]])


@pytest.mark.parametrize(
    "transform",
    [
        *IN_HZ.values(),
        aa.STFT(sr=192000, n_fft=400),
        aa.STFT(sr=100, n_fft=64),
        aa.STFT(sr=SR, n_fft=2),
        aa.STFT(sr=SR, n_fft=5),
        aa.MelSpectrogram(sr=48000, mel_scale="htk"),
        aa.MelSpectrogram(sr=44100, mel_scale="kaldi", fmin=20, n_mels=64),
        aa.MelSpectrogram(sr=16000, fmin=2100, fmax=3900, n_mels=30),
        aa.MelSpectrogram(sr=16000, fmin=1100, fmax=1900, n_mels=20),
        aa.MelSpectrogram(sr=16000, fmax=900, n_mels=20),
    ],
    ids=repr,
)
def test_at_least_two_rows_are_labelled_with_their_frequency(transform):
    axes, _, _ = picture(np.ones(4000), transform)
    rows = axes.get_yticks()
    shown = [hertz(label) for label in axes.get_yticklabels()]
    assert len(shown) >= 2
    assert (np.diff(rows) > 0).all()
    np.testing.assert_allclose(rows, shown)


@pytest.mark.parametrize("transform", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("hz", [500, 1000, 2000])
def test_a_tone_is_loudest_where_its_frequency_stands(transform, hz):
    _, cells, _ = picture(tone(hz=hz), transform)
    loudest = np.asarray(cells.get_array())[:, 30].argmax()
    _, rows = edges(cells)
    assert rows[loudest] <= min(hz, transform.frequencies[-1]) <= rows[loudest + 1]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("complex", "STFT (256 samples, hop 64)"),
        ("linear", "STFT (256 samples, hop 64, 100 linear bins)"),
        ("log", "STFT (256 samples, hop 64, 100 log bins)"),
        ("mel in dB", "mel (20 bands)"),
        ("LFCC", "LFCC (13)"),
        ("chroma", "chroma (12)"),
        ("chroma of CQT", "chroma (12)"),
        ("gammatone", "gammatone (40 bands)"),
        ("hybrid CQT", "HybridCQT (84 bins, 12 to the octave)"),
        ("CQT", "CQT (84 bins, 12 to the octave)"),
        ("VQT", "VQT (120 bins, 24 to the octave)"),
        ("CFP", "CFP (174 bands)"),
        ("CFP spectrum", "CFP (174 bands, spectrum)"),
    ],
)
def test_titles_say_what_is_drawn(name, title):
    axes, _, _ = picture(tone(), TRANSFORMS[name])
    assert axes.get_title(loc="left") == title
