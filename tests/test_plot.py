"""Pictures have axes in Hz and seconds that tell the truth, for every output and the oddest signals."""

import io
import itertools
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import arrayaudio as aa
from arrayaudio.ext.plot import draw, draw_overview, new_figure

SR = 8000
FRAMES = {"sr": SR, "n_fft": 256, "hop_length": 64}
MEL = FRAMES | {"n_mels": 20}
TRANSFORMS = {
    "complex": aa.STFT(**FRAMES),
    "magnitude": aa.STFT(**FRAMES, output="magnitude"),
    "power": aa.STFT(**FRAMES, output="power"),
    "phase": aa.STFT(**FRAMES, output="phase"),
    "mel": aa.MelSpectrogram(**MEL),
    "mel of magnitude": aa.MelSpectrogram(**MEL, power=1.0),
    "mel in dB": aa.MelSpectrogram(**MEL, scale="db"),
    "ln mel": aa.MelSpectrogram(**MEL, scale="log"),
    "log10 mel": aa.MelSpectrogram(**MEL, scale="log10"),
    "MFCC": aa.MFCC(**MEL, n_mfcc=13),
    "LFCC": aa.LFCC(**FRAMES, n_filter=20, n_lfcc=13),
    "chroma": aa.Chroma(**FRAMES),
    "linear": aa.STFT(**FRAMES, freq_scale="linear", fmin=200, fmax=3000, freq_bins=100),
    "log": aa.STFT(**FRAMES, freq_scale="log", fmin=100, freq_bins=100, output="power"),
    "gammatone": aa.Gammatonegram(**FRAMES, n_bins=40, power=1.0),
    "gammatone in dB": aa.Gammatonegram(**FRAMES, n_bins=40, scale="db"),
    "CQT": aa.CQT(sr=SR, hop_length=64),
    "CQT magnitude": aa.CQT(sr=SR, hop_length=64, fmin=110, n_bins=40, output="magnitude"),
    "CQT phase": aa.CQT(sr=SR, hop_length=64, output="phase"),
    "VQT": aa.VQT(sr=SR, hop_length=64, n_bins=120, bins_per_octave=24, fmin=120, output="power"),
    "CFP": aa.CFP(sr=SR, hop_length=64, n_fft=2048),
    "CFP spectrum": aa.CFP(sr=SR, hop_length=64, n_fft=2048, output="spectrum"),
    "CFP periodicity": aa.CFP(sr=SR, hop_length=64, n_fft=2048, output="periodicity"),
}
NUMBERED = ("MFCC", "LFCC", "chroma")
IN_NOTES = {name: transform for name, transform in TRANSFORMS.items() if name[:3] in ("CQT", "VQT", "CFP")}
IN_HZ = {name: transform for name, transform in TRANSFORMS.items() if name not in (*NUMBERED, *IN_NOTES)}
LEVELS = {
    name: transform
    for name, transform in TRANSFORMS.items()
    if name not in (*NUMBERED, "phase", "CQT phase") and name[:3] != "CFP"
}


def tone(n_samples=4000, hz=1000.0):
    return np.sin(2 * np.pi * hz * np.arange(n_samples) / SR)


SIGNALS = {"tone": tone(), "silence": np.zeros(4000), "one frame": tone(50), "one sample": np.ones(1)}


def picture(y, transform):
    """Draw a signal; return the axes, the cells and the colour bar's axes."""
    _, (axes,) = new_figure(1, title="title")
    draw(axes, transform(y), transform, y.shape[-1])
    (cells,) = axes.collections
    return axes, cells, cells.colorbar.ax


def png(figure, **options):
    file = io.BytesIO()
    figure.savefig(file, format="png", **options)
    return file.getvalue()


def pixels(figure, **options):
    return matplotlib.image.imread(io.BytesIO(png(figure, **options)))


def edges(cells):
    """Edges of the cells in time and in rows."""
    corners = cells.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def hertz(label):
    text = label.get_text().split()[-1]
    return 1000 * float(text[:-1]) if text.endswith("k") else float(text)


@pytest.mark.parametrize("y", [SIGNALS[name] for name in ("tone", "silence", "one sample")])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_output_is_drawn_without_warnings(transform, y):
    axes, cells, _ = picture(y, transform)
    assert cells.get_array().shape == transform(y).shape
    assert np.isfinite(cells.get_array()).all()
    assert cells.norm.vmin < cells.norm.vmax
    assert pixels(axes.figure, dpi=50).std() > 0.05


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
    assert axes.get_ylabel() == "note, frequency (Hz)"
    assert labels == [f"C{round(np.log2(hz / octaves[0]))}  {hz:.0f}" for hz in there]
    assert len(labels) >= 3
    np.testing.assert_allclose(np.interp(axes.get_yticks(), np.arange(len(frequencies)), frequencies), there, rtol=1e-4)


@pytest.mark.parametrize("fmin", [32.71, 32.7, 65.4])
def test_a_rounded_lowest_note_is_labelled(fmin):
    axes, _, _ = picture(tone(), aa.CQT(sr=SR, fmin=fmin, n_bins=25))
    assert axes.get_yticklabels()[0].get_text() == {32.71: "C1  33", 32.7: "C1  33", 65.4: "C2  65"}[fmin]
    assert abs(axes.get_yticks()[0]) < 0.01


def test_less_than_two_octaves_of_notes_are_labelled_in_hz():
    axes, _, _ = picture(tone(), aa.CQT(sr=SR, fmin=440, n_bins=10))
    assert axes.get_ylabel() == "frequency (Hz)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["450", "500", "550", "600", "650", "700"]


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: draw_overview(np.ones(4000), 8000),
        lambda: draw_overview(np.ones(4000), 44100),
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


def test_pitch_classes_have_names():
    axes, cells, bar = picture(tone(hz=440), TRANSFORMS["chroma"])
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
    assert list(axes.get_yticks()) == list(range(12))
    assert (axes.get_ylabel(), bar.get_ylabel()) == ("pitch class", "energy")
    assert (cells.norm.vmin, cells.norm.vmax) == (0, 1)
    assert names[np.asarray(cells.get_array())[:, 30].argmax()] == "A"
    from_a, _, _ = picture(tone(hz=440), aa.Chroma(**FRAMES, base_c=False))
    assert [label.get_text() for label in from_a.get_yticklabels()] == names[9:] + names[:9]


def test_other_pitch_classes_are_numbered():
    axes, cells, _ = picture(tone(), aa.Chroma(**FRAMES, n_chroma=24))
    axes.figure.draw_without_rendering()
    assert axes.get_ylabel() == "pitch class"
    assert cells.get_array().shape[0] == 24
    assert all(float(tick).is_integer() for tick in axes.get_yticks())


@pytest.mark.parametrize(
    ("name", "unit"), [("CFP", "salience"), ("CFP spectrum", "magnitude"), ("CFP periodicity", "salience")]
)
def test_cfp_is_drawn_from_zero_with_a_tone_in_its_place(name, unit):
    transform = TRANSFORMS[name]
    y = sum(tone(hz=200 * k) for k in range(1, 6))
    _, cells, bar = picture(y, transform)
    values = np.asarray(cells.get_array())
    np.testing.assert_array_equal(values, transform(y))
    assert bar.get_ylabel() == unit
    assert cells.norm.vmin == 0
    assert 0 < cells.norm.vmax <= values.max()
    assert (values > cells.norm.vmax).mean() <= 0.0051
    assert np.abs(transform.frequencies[values[:, 30].argmax()] / 200 - [1, 2, 3, 4, 5]).min() < 0.03


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
    np.testing.assert_allclose(rows, np.arange(len(transform.frequencies) + 1) - 0.5)
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
    np.testing.assert_allclose(np.interp(rows, np.arange(len(transform.frequencies)), transform.frequencies), shown)


@pytest.mark.parametrize("transform", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("hz", [500, 1000, 2000])
def test_a_tone_is_loudest_where_its_frequency_stands(transform, hz):
    axes, cells, _ = picture(tone(hz=hz), transform)
    loudest = np.asarray(cells.get_array())[:, 30].argmax()
    frequencies = transform.frequencies
    assert abs(loudest - np.interp(hz, frequencies, np.arange(len(frequencies)))) <= 0.5
    ticks = dict(zip(map(hertz, axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert hz not in ticks or abs(loudest - ticks[hz]) <= 0.5


@pytest.mark.parametrize(
    ("name", "unit", "span"),
    [
        ("complex", "dB", 80),
        ("magnitude", "dB", 80),
        ("power", "dB", 80),
        ("mel", "dB", 80),
        ("mel of magnitude", "dB", 80),
        ("mel in dB", "dB", 80),
        ("ln mel", "log", 8 * np.log(10)),
        ("log10 mel", "log10", 8),
        ("linear", "dB", 80),
        ("log", "dB", 80),
        ("gammatone", "dB", 80),
        ("gammatone in dB", "dB", 80),
        ("CQT", "dB", 80),
        ("CQT magnitude", "dB", 80),
        ("VQT", "dB", 80),
    ],
)
def test_levels_reach_80_db_under_the_loudest(name, unit, span):
    _, cells, bar = picture(tone(), TRANSFORMS[name])
    assert bar.get_ylabel() == unit
    assert cells.norm.vmax == cells.get_array().max()
    assert cells.norm.vmax - cells.norm.vmin == pytest.approx(span)


def test_the_same_levels_are_drawn_from_every_output_of_the_stft():
    drawn = [np.asarray(picture(tone(), TRANSFORMS[name])[1].get_array()) for name in ("complex", "magnitude", "power")]
    expected = aa.amplitude_to_db(TRANSFORMS["magnitude"](tone()), top_db=None)
    for levels in drawn:
        np.testing.assert_allclose(levels, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "to_db"),
    [("mel", aa.power_to_db), ("mel of magnitude", aa.amplitude_to_db), ("gammatone", aa.amplitude_to_db)],
)
def test_bands_are_drawn_as_levels_of_what_they_hold(name, to_db):
    levels = np.asarray(picture(tone(), TRANSFORMS[name])[1].get_array())
    expected = to_db(TRANSFORMS[name](tone()), top_db=None)
    np.testing.assert_allclose(levels[expected > -80], expected[expected > -80], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rounding_noise_of_silent_cepstra_stays_pale(dtype):
    _, cells, _ = picture(np.zeros(4000, dtype), TRANSFORMS["MFCC"])
    assert np.abs(cells.get_array()[1:]).max() < 0.01 * cells.norm.vmax


@pytest.mark.parametrize("name", ["phase", "CQT phase"])
def test_phases_lie_between_minus_pi_and_pi(name):
    _, cells, bar = picture(tone(), TRANSFORMS[name])
    assert bar.get_ylabel() == "phase (rad)"
    assert (cells.norm.vmin, cells.norm.vmax) == (-np.pi, np.pi)
    np.testing.assert_allclose(cells.get_array(), TRANSFORMS[name](tone()))


@pytest.mark.parametrize("name", ["complex", "mel", "MFCC", "CQT", "CFP"])
def test_the_first_of_several_channels_is_drawn(name):
    transform = TRANSFORMS[name]
    _, first, _ = picture(tone(), transform)
    _, cells, _ = picture(np.stack([tone(), tone(hz=3000)]), transform)
    np.testing.assert_allclose(cells.get_array(), first.get_array(), atol=1e-6)


def test_axes_of_the_caller_are_drawn_into():
    axes = Figure().subplots()
    draw(axes, TRANSFORMS["mel"](tone()), TRANSFORMS["mel"], 4000)
    assert len(axes.collections) == 1
    assert axes.get_title(loc="left") == "mel (20 bands)"


@pytest.mark.parametrize("n_mfcc", [1, 2, 3])
def test_few_coefficients_are_drawn(n_mfcc):
    axes, cells, _ = picture(tone(), aa.MFCC(**MEL, n_mfcc=n_mfcc))
    assert cells.get_array().shape[0] == n_mfcc
    assert axes.get_title(loc="left") == f"MFCC ({n_mfcc})"
    assert png(axes.figure)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("complex", "STFT (256 samples, hop 64)"),
        ("linear", "STFT (256 samples, hop 64, 100 linear bins)"),
        ("log", "STFT (256 samples, hop 64, 100 log bins)"),
        ("mel in dB", "mel (20 bands)"),
        ("LFCC", "LFCC (13)"),
        ("chroma", "chroma (12)"),
        ("gammatone", "gammatone (40 bands)"),
        ("CQT", "CQT (84 bins, 12 to the octave)"),
        ("VQT", "VQT (120 bins, 24 to the octave)"),
        ("CFP", "CFP (174 bands)"),
        ("CFP spectrum", "CFP (174 bands, spectrum)"),
    ],
)
def test_titles_say_what_is_drawn(name, title):
    axes, _, _ = picture(tone(), TRANSFORMS[name])
    assert axes.get_title(loc="left") == title


@pytest.mark.parametrize("sr", [300, 1000, 4000, 8000, 22050, 48000, 192000])
def test_an_overview_shows_five_transforms_over_the_same_time(sr):
    y = np.sin(np.arange(sr // 2))
    figure = draw_overview(y, sr, title="clip.wav")
    panels = [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]
    assert [axes.get_title(loc="left").split()[0] for axes in panels] == [
        "STFT",
        "mel",
        "gammatone",
        "CQT",
        "MFCC",
    ]
    note = "note, frequency (Hz)"
    assert [axes.get_ylabel() for axes in panels] == 3 * ["frequency (Hz)"] + [note, "coefficient"]
    assert [axes.get_xlabel() for axes in panels] == 4 * [""] + ["time (s)"]
    assert len({axes.get_xlim() for axes in panels}) == 1
    assert panels[0].get_xlim()[1] == pytest.approx(0.5, abs=0.04)
    assert figure.get_suptitle() == "clip.wav"


@pytest.mark.parametrize("y", SIGNALS.values(), ids=SIGNALS)
def test_an_overview_of_any_signal_is_a_png_of_a_readable_size(y):
    data = png(draw_overview(y, SR, title="title"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[place : place + 4]) for place in (16, 20))
    assert 800 <= width <= 2000
    assert 800 <= height <= 2000


def test_a_louder_recording_makes_the_same_picture():
    quiet, loud = (pixels(draw_overview(gain * tone(), SR))[:, :1000] for gain in (0.25, 0.5))
    stft_panel = slice(60, 290)
    np.testing.assert_allclose(quiet[stft_panel], loud[stft_panel], atol=0.02)


@pytest.mark.parametrize("title", ["$_$", "50% {x} \\alpha", "a_b^c", None])
def test_titles_are_no_markup(title):
    figure, _ = new_figure(1, title=title)
    assert png(figure)


def test_drawing_leaves_pyplot_alone(tmp_path):
    code = f"""
import sys
import numpy as np
from arrayaudio.ext.plot import draw_overview
draw_overview(np.ones(4000), 8000).savefig({str(tmp_path / "picture.png")!r})
sys.stdout.write(str([name for name in sys.modules if name in ("matplotlib.figure", "matplotlib.pyplot")]))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("['matplotlib.figure']", "")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.parametrize("call", [lambda: new_figure(1), lambda: draw_overview(tone(), SR)], ids=["figure", "overview"])
def test_without_matplotlib_the_command_that_brings_it_is_named(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(aa.MissingExtraError, match=r"pip install 'arrayaudio\[plot\]'"):
        call()
