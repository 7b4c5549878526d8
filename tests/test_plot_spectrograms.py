"""`transform.plot`: units, ranges of colour, options, libraries, and what it refuses."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.plot.frequency_axis import RowScale
from arrayaudio.ext.plot.values import Picture, with_one_range

from .pictures import FRAMES, MEL, SR, TRANSFORMS, tone

STFT = TRANSFORMS["complex"]


def drawn(axes):
    """The cells of axes, and the label of their colour bar."""
    (cells,) = axes.collections
    return cells, cells.colorbar.ax.get_ylabel()


def test_a_point_is_drawn_at_its_time_and_frequency():
    transform = aa.MelSpectrogram(**MEL)
    S = np.full((20, 30), 1e-6)
    S[13, 17] = 1.0
    axes = transform.plot(S)
    axes.figure.draw_without_rendering()
    cells, _ = drawn(axes)
    where = axes.transData.transform((17 * 64 / SR, transform.frequencies[13]))
    brightest = np.asarray(cells.get_array()).argmax()
    corners = cells.get_coordinates()[brightest // 30 :, brightest % 30 :][:2, :2].reshape(-1, 2)
    box = axes.transData.transform(corners)
    assert (box.min(axis=0) < where).all()
    assert (where < box.max(axis=0)).all()
    np.testing.assert_allclose(box.mean(axis=0), where, atol=1e-6 * axes.figure.dpi)


@pytest.mark.parametrize("name", ["mel", "log", "CQT", "gammatone", "NSGT", "complex"])
def test_all_rows_are_equally_high_in_the_picture(name):
    axes = TRANSFORMS[name].plot(TRANSFORMS[name](tone()))
    cells, _ = drawn(axes)
    heights = axes.transData.transform(cells.get_coordinates()[:, 0])[:, 1]
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0], rtol=1e-6)
    np.testing.assert_allclose(heights[[0, -1]], axes.transAxes.transform([(0, 0), (0, 1)])[:, 1], rtol=1e-9)


@pytest.mark.parametrize("frequencies", [(50.0,), (0.0, 10.0), (0.0, 100.0, 200.0, 400.0, 4000.0)])
def test_the_scale_of_rows_comes_back(frequencies, rng):
    scale = RowScale(frequencies)
    hz = rng.uniform(-100, 5000, 50)
    np.testing.assert_allclose(scale.hz(scale.rows(hz)), hz, atol=1e-9)
    np.testing.assert_array_equal(scale.rows(frequencies), np.arange(len(frequencies)))
    assert len(scale.edges) == len(frequencies) + 1


def test_other_curves_fit_into_the_axes():
    axes = STFT.plot(STFT(tone(hz=1000)))
    axes.plot([0.1, 0.2], [1000, 1000])
    cells, _ = drawn(axes)
    rows = cells.get_coordinates()[:, 0, 1]
    loudest = np.asarray(cells.get_array())[:, 10].argmax()
    assert rows[loudest] < 1000 < rows[loudest + 1]


@pytest.mark.parametrize(("power", "span"), [(2.0, 8.0), (1.0, 4.0)])
def test_logarithms_span_80_db_of_what_they_are_of(power, span):
    transform = aa.MelSpectrogram(**MEL, scale="log10", power=power)
    cells, unit = drawn(transform.plot(transform(tone())))
    assert unit == {2.0: "log10 power", 1.0: "log10 magnitude"}[power]
    assert cells.norm.vmax - cells.norm.vmin == pytest.approx(span)


def test_with_a_unit_values_are_drawn_as_they_are():
    S = aa.pcen(TRANSFORMS["mel"](tone()), sr=SR)
    cells, unit = drawn(TRANSFORMS["mel"].plot(S, unit="PCEN"))
    assert unit == "PCEN"
    np.testing.assert_array_equal(cells.get_array(), S)
    assert (cells.norm.vmin, cells.norm.vmax) == (S.min(), S.max())
    X = STFT(tone())
    cells, _ = drawn(STFT.plot(X, unit="magnitude"))
    np.testing.assert_array_equal(cells.get_array(), np.abs(X))


def test_colours_title_and_bar_can_be_chosen():
    S = TRANSFORMS["mel"](tone())
    axes = TRANSFORMS["mel"].plot(S, vmin=-50, vmax=0, cmap="viridis", title="100 % of $x$")
    cells, _ = drawn(axes)
    assert (cells.norm.vmin, cells.norm.vmax, cells.cmap.name) == (-50, 0, "viridis")
    assert axes.get_title(loc="left") == "100 % of $x$"
    axes.figure.draw_without_rendering()
    bare = TRANSFORMS["mel"].plot(S, colorbar=False)
    assert len(bare.figure.axes) == 1


@pytest.mark.parametrize("name", ["complex", "power", "mel", "mel in dB", "CQT"])
def test_what_is_not_finite_does_not_spoil_the_colours(name):
    S = np.array(TRANSFORMS[name](tone()))
    whole = drawn(TRANSFORMS[name].plot(S))[0]
    S[:, 3] = np.nan
    holed = drawn(TRANSFORMS[name].plot(S))[0]
    assert holed.norm.vmax == pytest.approx(whole.norm.vmax, abs=0.01)
    assert np.isfinite(holed.norm.vmin)


def test_arrays_of_every_library_are_drawn(library):
    S = TRANSFORMS["mel in dB"](tone())
    cells, _ = drawn(TRANSFORMS["mel in dB"].plot(library.asarray(S)))
    np.testing.assert_array_equal(cells.get_array(), S)


def test_what_is_on_the_tape_is_drawn():
    drawings = []

    def loss(y):
        S = TRANSFORMS["mel in dB"](y)
        drawings.append(TRANSFORMS["mel in dB"].plot(S))
        return S.sum()

    aa.grad(loss)(tone())
    np.testing.assert_array_equal(drawn(drawings[0])[0].get_array(), TRANSFORMS["mel in dB"](tone()))


def test_half_precision_is_drawn():
    S = TRANSFORMS["mel"](tone())
    cells, unit = drawn(TRANSFORMS["mel"].plot(S.astype(np.float16)))
    assert unit == "dB"
    assert np.isfinite(cells.get_array()).all()


def test_an_hour_is_drawn_from_few_of_its_columns():
    mel = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=64, n_mels=2)
    S = np.broadcast_to(np.linspace(0.5, 1, 90_000), (2, 90_000))
    axes = mel.plot(S, unit="power")
    cells, _ = drawn(axes)
    shown, edges = np.asarray(cells.get_array())[0], cells.get_coordinates()[0, :, 0]
    assert len(shown) <= 20_000
    np.testing.assert_allclose(shown, np.interp((edges[1:] + edges[:-1]) / 2, np.arange(90_000) * 64 / SR, S[0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: STFT.plot(np.zeros((128, 3))), r"S has shape \(128, 3\): must be \(129, n_frames\), what this STFT"),
        (lambda: STFT.plot(np.zeros(129)), r"S has shape \(129,\): must be \(129, n_frames\)"),
        (lambda: STFT.plot(np.zeros((129, 0))), r"S has shape \(129, 0\)"),
        (lambda: STFT.plot(np.ones((129, 3)), vmin=1, vmax=1), "vmin=1: must be less than vmax=1"),
        (lambda: STFT.plot(np.ones((129, 3)), size="poster"), "size='poster': must be one of 'screen', 'paper'"),
        (lambda: aa.STFT(n_fft=256).plot(np.ones((129, 3))), "sr=None: Hz and seconds need the sampling rate"),
        (lambda: plot.spectrogram(np.ones((129, 3)), "stft"), "transform='stft': must be a transform"),
    ],
)
def test_what_cannot_be_drawn_says_why(call, message):
    with pytest.raises(aa.ParameterError, match=message):
        call()


def test_ranges_are_shared_among_pictures_of_a_kind():
    loud = Picture("", np.zeros((1, 1)), "dB", -60.0, 20.0, span=80.0)
    quiet = Picture("", np.zeros((1, 1)), "dB", -100.0, -20.0, span=80.0)
    other = [Picture("", np.zeros((1, 1)), "value", low, high) for low, high in ((0.0, 1.0), (-1.0, 0.5))]
    limits = [(one.low, one.high) for one in with_one_range([loud, quiet, *other], [1, 1, 2, 2])]
    assert limits == [(-60.0, 20.0), (-60.0, 20.0), (-1.0, 1.0), (-1.0, 1.0)]


def test_figures_can_be_pickled():
    figure = TRANSFORMS["CQT"].plot(TRANSFORMS["CQT"](tone())).figure
    again = pickle.loads(pickle.dumps(figure))
    labels = [[text.get_text() for text in one.axes[0].get_yticklabels()] for one in (figure, again)]
    assert labels[0] == labels[1]


def test_no_setting_of_matplotlib_changes():
    code = """
import matplotlib, numpy as np, arrayaudio as aa
from arrayaudio.ext import plot
def settings():
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}  # which loads pyplot
before = settings()
mel = aa.MelSpectrogram(sr=8000, n_mels=20, n_fft=256)
stft = aa.STFT(sr=8000, n_fft=64)
y = np.ones(4000)
for size in ("screen", "paper"):
    for figure in (mel.plot(mel(y), size=size).figure, plot.filterbank(mel, size=size).figure,
                   plot.compare([(mel, mel(y))], size=size), plot.bases(stft, size=size)):
        figure.draw_without_rendering()
assert settings() == before
import sys
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    "call",
    [
        lambda: STFT.plot(STFT(tone())),
        lambda: plot.waveform(tone(), sr=SR),
        lambda: plot.filterbank(STFT),
        lambda: plot.bases(STFT),
        lambda: plot.compare([(STFT, STFT(tone()))]),
    ],
    ids=["spectrogram", "waveform", "filterbank", "bases", "compare"],
)
def test_without_matplotlib_every_picture_names_the_command(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(aa.MissingExtraError, match=r"pip install 'arrayaudio\[plot\]'"):
        call()


def test_one_row_is_drawn():
    mel = aa.MelSpectrogram(**FRAMES, n_mels=1)
    axes = mel.plot(mel(tone()))
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    assert low < mel.frequencies[0] < high
