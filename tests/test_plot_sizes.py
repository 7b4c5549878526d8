"""Every picture can be read at both sizes: letters, widths, and nothing that overlaps or is cut off."""

import itertools

import matplotlib.colors
import numpy as np
import pytest
from matplotlib import colormaps

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.plot import learned, values

from .pictures import IN_NOTES, SR, TRANSFORMS, tone

pytestmark = pytest.mark.slow

STFT = aa.STFT(sr=SR, n_fft=64)
LEARNED = STFT.with_params({"basis": np.stack([np.eye(33, 64), np.roll(np.eye(33, 64), 3, axis=1)])})
Y = tone()
PICTURES = {
    **{name: lambda size, t=t: t.plot(t(Y), size=size) for name, t in TRANSFORMS.items()},
    "waveform": lambda size: plot.waveform(Y, sr=SR, size=size, title="a tone"),
    "channels": lambda size: plot.waveform(np.stack([Y, 1e-3 * Y, Y]), sr=SR, size=size),
    "mel bank": lambda size: plot.filterbank(TRANSFORMS["mel"], size=size, title="mel"),
    "bank before and after": lambda size: plot.filterbank(LEARNED, before=STFT, size=size),
    "bank of a CQT": lambda size: plot.filterbank(TRANSFORMS["CQT"], size=size),
    "bank as image": lambda size: plot.filterbank(TRANSFORMS["gammatone"], style="image", size=size),
    "bases": lambda size: plot.bases(LEARNED, before=STFT, size=size, title="learned"),
    "bases as images": lambda size: plot.bases(LEARNED, before=STFT, style="image", size=size),
    "one basis": lambda size: plot.bases(TRANSFORMS["CQT"], size=size),
    "grid of one unit": lambda size: plot.compare([(STFT, STFT(g * Y)) for g in (1, 0.1, 0.01)], size=size),
    "grid": lambda size: plot.compare(
        {n: (t, t(Y)) for n, t in TRANSFORMS.items() if n in ("mel", "CQT", "MFCC")}, size=size
    ),
    "overview": lambda size: plot.overview(Y, SR, title="a tone", size=size),
}


def texts(axes):
    """What is written in axes and can be seen, beside their ticks."""
    found = [axes.xaxis.label, axes.yaxis.label, axes._left_title]
    if (legend := axes.get_legend()) is not None:
        found += legend.get_texts()
    return [text for text in found if text.get_text() and text.get_visible()]


def ticks(axis):
    low, high = sorted(axis.get_view_interval())
    shown = [tick for tick in axis.get_major_ticks() if tick.label1.get_visible() or tick.label2.get_visible()]
    near = 1e-9 * (high - low)
    labels = [
        (t.label2 if t.label2.get_visible() else t.label1) for t in shown if low - near <= t.get_loc() <= high + near
    ]
    return [label for label in labels if label.get_text()]


def apart(one, other):
    return one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0


@pytest.mark.parametrize("size", ["screen", "paper"])
@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_letters_are_large_enough_apart_and_whole(make, size):
    figure = make(size).figure
    figure.draw_without_rendering()
    assert figure.get_figwidth() == {"screen": 9.0, "paper": 3.3}[size]
    written = []
    for axes in figure.axes:
        written += texts(axes) + ticks(axes.xaxis) + ticks(axes.yaxis)
    if figure._suptitle is not None:
        written.append(figure._suptitle)
    assert len(written) >= 6
    assert all(text.get_size() >= 7 for text in written)
    boxes = [(text.get_text(), text.get_window_extent()) for text in written]
    whole = figure.bbox
    for text, box in boxes:
        inside = box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= whole.x1 + 0.5 and box.y1 <= whole.y1 + 0.5
        assert inside, f"{text!r} is cut off"
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert apart(first, second), f"{one!r} and {other!r} overlap"


@pytest.mark.parametrize("size", ["screen", "paper"])
@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_most_of_a_figure_is_picture(make, size):
    figure = make(size).figure
    figure.draw_without_rendering()
    area = sum(axes.get_position().width * axes.get_position().height for axes in figure.axes if axes.get_visible())
    assert area > 0.35


@pytest.mark.parametrize("name", IN_NOTES)
def test_notes_are_named_on_paper_too(name):
    axes = TRANSFORMS[name].plot(TRANSFORMS[name](Y), size="paper")
    axes.figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) >= 2
    assert all(label.startswith("C") for label in labels)


def lightness(name):
    """CIE L* of the colours of a map."""
    srgb = colormaps[name](np.linspace(0, 1, 256))[:, :3]
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, luminance * 24389 / 27)


def test_maps_tell_values_by_their_lightness_alone():
    upward = np.diff(lightness(values.UPWARD))
    assert (upward > 0).all()
    assert upward.max() < 2 * upward.mean()
    around = lightness(values.AROUND_ZERO)
    assert (np.diff(around[:120]) > 0).all()
    assert (np.diff(around[136:]) < 0).all()
    going_round = lightness(values.ROUND)
    assert abs(going_round[0] - going_round[-1]) < 1


# What the cones of people without one kind of them see: Machado, Oliveira and Fernandes (2009), severity 1.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("matrix", BLIND.values(), ids=BLIND)
def test_real_and_imaginary_curves_differ_to_every_eye(matrix):
    first, second = (np.array(matrix) @ matplotlib.colors.to_rgb(c) for c in (learned.REAL, learned.IMAGINARY))
    assert np.linalg.norm(first - second) > 0.35
