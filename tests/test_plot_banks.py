"""Filterbanks: curves are the weights or gains of the transforms' own rows, at their frequencies."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext import plot
from arrayaudio.ext.plot.responses import kernels, responses

from .pictures import FRAMES, SR, TRANSFORMS


def gain(transform, hz, row):
    """The magnitude of a row for a long sinusoid of amplitude 1, in its middle."""
    t = np.arange(4 * SR) / SR
    S = transform(np.cos(2 * np.pi * hz * t) + 0.0), transform(np.sin(2 * np.pi * hz * t))
    middle = S[0].shape[-1] // 2
    return abs(S[0][row, middle] + 1j * S[1][row, middle])


@pytest.mark.parametrize(
    ("transform", "bank"),
    [
        (TRANSFORMS["mel"], aa.filters.mel(sr=SR, n_fft=256, n_mels=20)),
        (TRANSFORMS["gammatone"], aa.filters.gammatone(sr=SR, n_fft=256, n_bins=40)),
        (TRANSFORMS["chroma"], aa.filters.chroma(sr=SR, n_fft=256)),
        (TRANSFORMS["LFCC"], aa.filters.linear(sr=SR, n_fft=256, n_filter=20)),
    ],
    ids=["mel", "gammatone", "chroma", "LFCC"],
)
def test_curves_of_banks_are_their_weights(transform, bank):
    axes = plot.filterbank(transform)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frequency (Hz)", "weight")
    assert len(axes.lines) == len(bank)
    hz = np.arange(129) * SR / 256
    for line, row in zip(axes.lines, bank, strict=True):
        there = np.isin(hz, line.get_xdata())
        np.testing.assert_allclose(line.get_ydata(), row[there])
        assert np.abs(row[~there]).max(initial=0) <= 1e-3 * row.max()
    assert axes.get_xlim() == (0, SR / 2)
    assert axes.get_ylim()[0] == 0


@pytest.mark.parametrize("name", ["CQT", "VQT", "complex", "log"])
@pytest.mark.parametrize("row", [3, 30])
@pytest.mark.parametrize("detuned", [0.99, 1.0, 1.015])
def test_gains_are_those_that_sinusoids_meet(name, row, detuned):
    transform = TRANSFORMS[name]
    hz, values, unit, _ = responses(transform)
    assert unit == "gain"
    k = int(np.argmin(np.abs(hz - detuned * transform.frequencies[row])))
    settings = {key: value for key, value in transform.to_dict().items() if key != "transform"}
    coefficients = type(transform)(**(settings | {"output": "complex"}))
    assert values[row, k] == pytest.approx(
        gain(coefficients, hz[k], row), rel=2e-3, abs=2e-3 * float(values[row].max())
    )


def test_rows_of_a_constant_q_transform_peak_at_their_frequencies_on_a_logarithmic_axis():
    transform = TRANSFORMS["CQT"]
    axes = plot.filterbank(transform)
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "gain"
    for line, hz in zip(axes.lines, transform.frequencies, strict=True):
        assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(hz, rel=0.01)
    low, high = axes.get_xlim()
    assert 0 < low < transform.frequencies[0]
    assert transform.frequencies[-1] < high <= SR / 2
    axes.figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["31.5", "63", "125", "250", "500", "1k", "2k", "4k"]


@pytest.mark.parametrize("name", ["NSGT", "hybrid CQT", "chroma of CQT"])
def test_the_other_transforms_with_filters_have_curves_where_their_rows_are(name):
    transform = TRANSFORMS[name]
    axes = plot.filterbank(transform)
    assert len(axes.lines) == len(transform.frequencies)
    if name != "chroma of CQT":
        peaks = [line.get_xdata()[np.argmax(line.get_ydata())] for line in axes.lines]
        np.testing.assert_allclose(peaks, transform.frequencies, rtol=0.01, atol=1)


def test_arrays_that_were_given_are_drawn_over_those_before():
    mel = aa.MelSpectrogram(**FRAMES, n_mels=5, trainable_mel=True)
    trained = mel.with_params({"bank": 2 * mel.params["bank"]})
    axes = plot.filterbank(trained, before=mel)
    assert len(axes.lines) == 10
    for before, after in zip(axes.lines[:5], axes.lines[5:], strict=True):
        np.testing.assert_allclose(after.get_ydata(), 2 * before.get_ydata(), rtol=1e-6)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["before", "after"]


def test_given_kernels_and_bases_are_drawn():
    cqt = aa.CQT(sr=SR, fmin=200.0, n_bins=12, trainable=True)
    doubled = cqt.with_params({"kernels": [2 * group for group in cqt.params["kernels"]]})
    np.testing.assert_allclose(responses(doubled).values, 2 * responses(cqt).values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(kernels(doubled), 2 * kernels(cqt), rtol=1e-5, atol=1e-9)
    stft = aa.STFT(sr=SR, n_fft=64, trainable=True)
    doubled = stft.with_params({"basis": 2 * stft.params["basis"]})
    np.testing.assert_allclose(responses(doubled).values, 2 * responses(stft).values, rtol=1e-5, atol=1e-5)


def test_given_arrays_come_to_the_host(library):
    mel = aa.MelSpectrogram(**FRAMES, n_mels=5, trainable_mel=True)
    trained = mel.with_params({"bank": library.asarray(mel.params["bank"])})
    assert len(plot.filterbank(trained).lines) == 5


def test_a_bank_as_an_image_has_frequencies_both_ways():
    transform = TRANSFORMS["mel"]
    axes = plot.filterbank(transform, style="image")
    (cells,) = axes.collections
    bank = aa.filters.mel(sr=SR, n_fft=256, n_mels=20)
    np.testing.assert_allclose(cells.get_array(), bank)
    corners = cells.get_coordinates()
    np.testing.assert_allclose((corners[0, 1:, 0] + corners[0, :-1, 0]) / 2, np.arange(129) * SR / 256, atol=1e-9)
    middles = (transform.frequencies[1:] + transform.frequencies[:-1]) / 2
    np.testing.assert_allclose(corners[1:-1, 0, 1], middles)
    assert axes.get_ylabel() == "row: frequency (Hz)"
    assert cells.colorbar.ax.get_ylabel() == "weight"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.filterbank(TRANSFORMS["CFP"]), "CFP: its rows are no filters"),
        (lambda: plot.filterbank(TRANSFORMS["mel"], style="bars"), "style='bars': must be one of 'curves', 'image'"),
        (lambda: plot.filterbank(TRANSFORMS["mel"], before=TRANSFORMS["mel"], style="image"), "has no room for before"),
        (lambda: plot.filterbank(aa.STFT(n_fft=64)), "sr=None"),
        (lambda: plot.filterbank("mel"), "str: its rows are no filters"),
    ],
)
def test_what_has_no_filters_says_so(call, message):
    with pytest.raises(aa.ParameterError, match=message):
        call()
