"""Bases before and after training: rows are those of the transforms, in the order of their frequency."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.plot.learned import centre_frequencies
from arrayaudio.ext.plot.responses import kernels

from .pictures import SR, TRANSFORMS

STFT = aa.STFT(sr=SR, n_fft=64, trainable=True)
# A basis whose rows have traded places: the lowest is the last.
REVERSED = STFT.with_params({"basis": STFT.params["basis"][:, ::-1]})


def test_kernels_of_an_stft_are_its_windowed_sinusoids():
    n = np.arange(64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 64)
    for k, kernel in enumerate(kernels(STFT)):
        np.testing.assert_allclose(kernel, window * np.exp(-2j * np.pi * k * n / 64), atol=1e-12)


def test_centres_are_the_frequencies_of_the_rows():
    np.testing.assert_allclose(centre_frequencies(kernels(STFT), SR), STFT.frequencies)
    cqt = TRANSFORMS["CQT"]
    np.testing.assert_allclose(centre_frequencies(kernels(cqt), SR), cqt.frequencies, rtol=0.01)


def test_curves_are_rows_from_the_lowest_to_the_highest_in_milliseconds():
    figure = plot.bases(REVERSED, rows=[0, 8, 32])
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "3000", "4000"]
    assert axes.get_xlabel() == "time (ms)"
    assert axes.get_xlim() == (-32 / SR * 1e3, 31 / SR * 1e3)
    real = [line for line in axes.lines if line.get_color() == "#0072b2"]
    for level, (line, row) in enumerate(zip(real, (32, 8, 0), strict=True)):
        kernel = kernels(REVERSED)[row]
        np.testing.assert_allclose(line.get_ydata() - level, 0.45 * kernel.real / np.abs(kernel).max(), atol=1e-6)
        np.testing.assert_allclose(line.get_xdata(), (np.arange(64) - 32) / SR * 1e3)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["real", "imaginary"]


def test_a_row_stands_beside_what_it_became_in_one_scale():
    halved = STFT.with_params({"basis": 0.5 * STFT.params["basis"]})
    figure = plot.bases(halved, before=STFT, rows=4)
    left, right = figure.axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("before", "after")
    for before, after in zip(left.lines, right.lines, strict=True):
        middle = round(float(np.mean(before.get_ydata())))
        np.testing.assert_allclose(after.get_ydata() - middle, 0.5 * (before.get_ydata() - middle), atol=1e-6)
    assert np.abs(left.lines[1].get_ydata()).max() == pytest.approx(0.45, rel=1e-6)


def test_labels_say_where_a_row_has_gone():
    figure = plot.bases(REVERSED, before=STFT, rows=[0, 8])
    labels = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert labels == [["0", "1000"], ["4000", "3000"]]


def test_images_hold_all_rows_by_frequency_between_equal_colours():
    figure = plot.bases(REVERSED, before=STFT, style="image")
    images = [axes.images[0] for axes in figure.axes if axes.images]
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.images]
    assert titles == ["before, real", "after, real", "before, imag.", "after, imag."]
    expected = kernels(STFT)
    for image, part in zip(images, (expected.real, expected.real, expected.imag, expected.imag), strict=True):
        np.testing.assert_allclose(image.get_array(), part, atol=1e-6)
        assert image.get_clim() == images[0].get_clim()
    low, high = images[0].get_clim()
    assert low == -high
    np.testing.assert_allclose(images[0].get_extent(), [-32.5 / SR * 1e3, 31.5 / SR * 1e3, -0.5, 32.5])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert label.get_text() == (f"{STFT.frequencies[round(place)]:.0f}" if 0 <= place <= 32 else "")


def test_constant_q_kernels_are_centred():
    cqt = aa.CQT(sr=SR, fmin=100.0, n_bins=24)
    for kernel, length in zip(kernels(cqt), cqt.lengths, strict=True):
        there = np.flatnonzero(kernel)
        assert abs(np.mean(there) - kernels(cqt).shape[1] // 2) <= 1
        assert abs(np.ptp(there) - length) <= 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.bases(TRANSFORMS["CFP"]), "CFP has no kernels of its own"),
        (lambda: plot.bases(TRANSFORMS["NSGT"]), "NSGT has no kernels of its own"),
        (lambda: plot.bases(STFT, before=aa.STFT(sr=SR, n_fft=32)), r"shapes \(17, 32\) and \(33, 64\): must have the"),
        (lambda: plot.bases(STFT, rows=0), "rows=0: must be at least 1"),
        (lambda: plot.bases(STFT, rows=17), "at most 16"),
        (lambda: plot.bases(STFT, rows=[33]), "rows=33: must be at least 0 and at most 32"),
        (lambda: plot.bases(STFT, rows=[]), r"rows=\[\]: must be at least 1"),
        (lambda: plot.bases(STFT, style="bars"), "style='bars'"),
        (lambda: plot.bases(aa.STFT(n_fft=64)), "sr=None"),
    ],
)
def test_what_cannot_be_drawn_says_why(call, message):
    with pytest.raises(aa.ParameterError, match=message):
        call()
