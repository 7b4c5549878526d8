"""Waveforms: no peak is lost, channels stand above each other, times are seconds."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.plot.waveforms import COLUMNS, envelope

from .pictures import SR, tone


def test_a_short_signal_is_drawn_sample_by_sample():
    y = tone(500)
    axes = plot.waveform(y, sr=SR)
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), np.arange(500) / SR)
    np.testing.assert_array_equal(line.get_ydata(), y)
    assert axes.get_xlim() == (0, 500 / SR)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "amplitude")
    assert axes.get_ylim()[1] == pytest.approx(1.1 * np.abs(y).max())


@pytest.mark.parametrize("n_samples", [8001, 100_000, 123_457])
def test_each_piece_of_an_envelope_has_the_extremes_of_its_samples(n_samples, rng):
    y = rng.standard_normal(n_samples)
    times, low, high = envelope(y, SR)
    assert len(times) == 2 * COLUMNS
    first, last = np.round(times[::2] * SR).astype(int), np.round(times[1::2] * SR).astype(int)
    assert first[0] == 0
    assert last[-1] == n_samples - 1
    np.testing.assert_array_equal(first[1:], last[:-1] + 1)
    for k, (a, b) in enumerate(zip(first, last, strict=True)):
        assert low[2 * k] == low[2 * k + 1] == min(y[a : b + 1])
        assert high[2 * k] == high[2 * k + 1] == max(y[a : b + 1])


def test_one_sample_that_sticks_out_is_drawn_where_it_is():
    y = np.zeros(1_000_000, np.float32)
    y[654_321] = 0.7
    axes = plot.waveform(y, sr=SR)
    (area,) = axes.collections
    corners = area.get_paths()[0].vertices
    highest = corners[corners[:, 1] > 0.69]
    assert len(highest)
    assert np.abs(highest[:, 0] - 654_321 / SR).max() < 1_000_000 / COLUMNS / SR
    assert axes.get_ylim()[1] == pytest.approx(0.77)


def test_silence_is_a_line():
    axes = plot.waveform(np.zeros(20_000), sr=SR)
    axes.figure.draw_without_rendering()
    (area,) = axes.collections
    assert area.get_linewidth()[0] >= 0.5
    assert axes.get_ylim() == (-1.1, 1.1)


def test_channels_stand_above_each_other_in_one_scale():
    y = np.stack([tone(500), 0.1 * tone(500), np.zeros(500)])
    axes = plot.waveform(y, sr=SR, label="tones")
    peak = np.abs(y).max()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2", "3"]
    for line, channel, middle in zip(axes.lines, y, axes.get_yticks(), strict=True):
        np.testing.assert_allclose(line.get_ydata() - middle, channel, atol=1e-12)
    assert (np.diff(axes.get_yticks()) < -2 * peak).all()
    assert axes.get_ylabel() == f"channel, each ±{peak:.2g}"
    assert axes.lines[0].get_label() == "tones"


def test_axes_colour_and_title_of_the_caller_are_used():
    axes = Figure().subplots()
    assert plot.waveform(tone(), axes, sr=SR, color="k", title="$") is axes
    assert axes.lines[0].get_color() == "k"
    assert axes.get_title(loc="left") == "$"
    axes.figure.draw_without_rendering()


def test_signals_of_every_library_are_drawn(library):
    axes = plot.waveform(library.asarray(tone(500)), sr=SR)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), tone(500))


@pytest.mark.parametrize(
    ("y", "sr", "error", "message"),
    [
        (np.zeros((2, 2, 9)), SR, aa.ParameterError, r"signal has shape \(2, 2, 9\): must be"),
        (np.zeros((33, 9)), SR, aa.ParameterError, "at most 32 channels"),
        (np.zeros(0), SR, aa.ParameterError, "signal has 0 samples"),
        (np.zeros(9), 0, aa.ParameterError, "sr=0: must be greater than 0"),
        (np.zeros(9, np.int16), SR, aa.DTypeError, "int16"),
    ],
)
def test_what_is_no_signal_says_why(y, sr, error, message):
    with pytest.raises(error, match=message):
        plot.waveform(y, sr=sr)
