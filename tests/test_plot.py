"""Pictures have axes in Hz and seconds that tell the truth, for every output and the oddest signals."""

import io
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
}
IN_HZ = {name: transform for name, transform in TRANSFORMS.items() if name not in ("MFCC", "LFCC", "chroma")}
LEVELS = {name: transform for name, transform in IN_HZ.items() if name != "phase"}


def tone(n_samples=4000, hz=1000.0):
    return np.sin(2 * np.pi * hz * np.arange(n_samples) / SR)


SIGNALS = {"tone": tone(), "silence": np.zeros(4000), "one frame": tone(50), "one sample": np.ones(1)}


def picture(y, transform):
    """Draw a signal; return the axes, the cells and the colour bar's axes."""
    _, (axes,) = new_figure(1, title="title")
    draw(axes, transform(y), transform, y.shape[-1])
    (cells,) = axes.collections
    return axes, cells, cells.colorbar.ax


def png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def pixels(figure):
    return matplotlib.image.imread(io.BytesIO(png(figure)))


def edges(cells):
    """Edges of the cells in time and in rows."""
    corners = cells.get_coordinates()
    return corners[0, :, 0], corners[:, 0, 1]


def hertz(label):
    text = label.get_text()
    return 1000 * float(text[:-1]) if text.endswith("k") else float(text)


@pytest.mark.parametrize("y", SIGNALS.values(), ids=SIGNALS)
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_output_is_drawn_without_warnings(transform, y):
    axes, cells, _ = picture(y, transform)
    assert cells.get_array().shape == transform(y).shape
    assert np.isfinite(cells.get_array()).all()
    assert cells.norm.vmin < cells.norm.vmax
    assert pixels(axes.figure).std() > 0.05


@pytest.mark.parametrize("transform", IN_HZ.values(), ids=IN_HZ)
def test_axes_are_labelled_in_hz_and_seconds(transform):
    axes, _, _ = picture(tone(), transform)
    assert axes.get_xlabel() == "time (s)"
    assert axes.get_ylabel() == "frequency (Hz)"


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


@pytest.mark.parametrize(("name", "to_db"), [("mel", aa.power_to_db), ("mel of magnitude", aa.amplitude_to_db)])
def test_mel_bands_are_drawn_as_levels_of_what_they_hold(name, to_db):
    levels = np.asarray(picture(tone(), TRANSFORMS[name])[1].get_array())
    expected = to_db(TRANSFORMS[name](tone()), top_db=None)
    np.testing.assert_allclose(levels[expected > -80], expected[expected > -80], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rounding_noise_of_silent_cepstra_stays_pale(dtype):
    _, cells, _ = picture(np.zeros(4000, dtype), TRANSFORMS["MFCC"])
    assert np.abs(cells.get_array()[1:]).max() < 0.01 * cells.norm.vmax


def test_phases_lie_between_minus_pi_and_pi():
    _, cells, bar = picture(tone(), TRANSFORMS["phase"])
    assert bar.get_ylabel() == "phase (rad)"
    assert (cells.norm.vmin, cells.norm.vmax) == (-np.pi, np.pi)
    np.testing.assert_allclose(cells.get_array(), TRANSFORMS["phase"](tone()))


@pytest.mark.parametrize("name", ["complex", "mel", "MFCC"])
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
    ("name", "title", "rows"), [("LFCC", "LFCC (13)", "coefficient"), ("chroma", "chroma (12)", "pitch class")]
)
def test_rows_without_hertz_are_numbered(name, title, rows):
    axes, _, _ = picture(tone(), TRANSFORMS[name])
    assert axes.get_title(loc="left") == title
    assert axes.get_ylabel() == rows


@pytest.mark.parametrize("sr", [1000, 4000, 8000, 22050, 48000, 192000])
def test_an_overview_shows_stft_mel_and_mfcc_over_the_same_time(sr):
    y = np.sin(np.arange(sr // 2))
    figure = draw_overview(y, sr, title="clip.wav")
    panels = [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]
    assert [axes.get_title(loc="left").split()[0] for axes in panels] == ["STFT", "mel", "MFCC"]
    assert [axes.get_ylabel() for axes in panels] == ["frequency (Hz)", "frequency (Hz)", "coefficient"]
    assert [axes.get_xlabel() for axes in panels] == ["", "", "time (s)"]
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
    stft_panel = slice(60, 380)
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
