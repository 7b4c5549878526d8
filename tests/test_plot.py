"""Pictures show what transforms hold, for every output and the oddest signals."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import arrayaudio as aa
from arrayaudio.ext.plot import new_figure, overview

from .pictures import MEL, SIGNALS, SR, TRANSFORMS, picture, pixels, png, tone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("y", [SIGNALS[name] for name in ("tone", "silence", "one sample")])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_output_is_drawn_without_warnings(transform, y):
    axes, cells, _ = picture(y, transform)
    assert cells.get_array().shape == transform(y).shape
    assert np.isfinite(cells.get_array()).all()
    assert cells.norm.vmin < cells.norm.vmax
    assert pixels(axes.figure, dpi=50).std() > 0.05


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


@pytest.mark.parametrize(
    ("name", "unit", "span"),
    [
        ("complex", "dB", 80),
        ("magnitude", "dB", 80),
        ("power", "dB", 80),
        ("mel", "dB", 80),
        ("mel of magnitude", "dB", 80),
        ("mel in dB", "dB", 80),
        ("ln mel", "ln power", 8 * np.log(10)),
        ("log10 mel", "log10 power", 8),
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
def test_several_spectrograms_are_refused_with_the_way_to_draw_them(name):
    transform = TRANSFORMS[name]
    S = transform(np.stack([tone(), tone(hz=3000)]))
    with pytest.raises(
        aa.ParameterError, match=r"holds several spectrograms; draw one, as S\[0\], or all, as .*compare"
    ):
        transform.plot(S)
    one = np.asarray(transform.plot(S[:1]).collections[0].get_array())
    np.testing.assert_array_equal(one, transform.plot(S[0]).collections[0].get_array())


def test_axes_of_the_caller_are_drawn_into():
    axes = Figure().subplots()
    assert TRANSFORMS["mel"].plot(TRANSFORMS["mel"](tone()), axes) is axes
    assert len(axes.collections) == 1
    assert axes.get_title(loc="left") == "mel (20 bands)"
    assert len(axes.figure.axes) == 2


@pytest.mark.parametrize("n_mfcc", [1, 2, 3])
def test_few_coefficients_are_drawn(n_mfcc):
    axes, cells, _ = picture(tone(), aa.MFCC(**MEL, n_mfcc=n_mfcc))
    assert cells.get_array().shape[0] == n_mfcc
    assert axes.get_title(loc="left") == f"MFCC ({n_mfcc})"
    assert png(axes.figure)


@pytest.mark.parametrize("sr", [300, 1000, 4000, 8000, 22050, 48000, 192000])
def test_an_overview_shows_five_transforms_over_the_same_time(sr):
    y = np.sin(np.arange(sr // 2))
    figure = overview(y, sr, title="clip.wav")
    panels = [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]
    assert [axes.get_title(loc="left").split()[0] for axes in panels] == [
        "STFT",
        "mel",
        "gammatone",
        "CQT",
        "MFCC",
    ]
    note = "note (Hz)"
    assert [axes.get_ylabel() for axes in panels] == 3 * ["frequency (Hz)"] + [note, "coefficient"]
    assert [axes.get_xlabel() for axes in panels] == 4 * [""] + ["time (s)"]
    assert len({axes.get_xlim() for axes in panels}) == 1
    assert panels[0].get_xlim()[1] == pytest.approx(0.5, abs=0.04)
    assert figure.get_suptitle() == "clip.wav"


@pytest.mark.parametrize("y", SIGNALS.values(), ids=SIGNALS)
def test_an_overview_of_any_signal_is_a_png_of_a_readable_size(y):
    data = png(overview(y, SR, title="title"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[place : place + 4]) for place in (16, 20))
    assert 800 <= width <= 2000
    assert 800 <= height <= 2000


def test_a_louder_recording_makes_the_same_picture():
    quiet, loud = (pixels(overview(gain * tone(), SR))[:, :1000] for gain in (0.25, 0.5))
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
from arrayaudio.ext.plot import overview
overview(np.ones(4000), 8000).savefig({str(tmp_path / "picture.png")!r})
sys.stdout.write(str([name for name in sys.modules if name in ("matplotlib.figure", "matplotlib.pyplot")]))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("['matplotlib.figure']", "")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.parametrize("call", [lambda: new_figure(1), lambda: overview(tone(), SR)], ids=["figure", "overview"])
def test_without_matplotlib_the_command_that_brings_it_is_named(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(aa.MissingExtraError, match=r"pip install 'arrayaudio\[plot\]'"):
        call()
