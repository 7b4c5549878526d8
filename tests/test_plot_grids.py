"""Grids of spectrograms: one time axis, one range of colours for one transform, labels outside."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.ext import plot

from .pictures import TRANSFORMS, tone

MEL, STFT, MFCC, CQT = (TRANSFORMS[name] for name in ("mel", "complex", "MFCC", "CQT"))
Y = tone()


def panels(figure):
    return [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]


def test_panels_of_one_transform_share_their_colours_and_a_bar():
    figure = plot.compare({"loud": (MEL, MEL(Y)), "quiet": (MEL, MEL(0.01 * Y))})
    loud, quiet = panels(figure)
    limits = [axes.collections[0].get_clim() for axes in (loud, quiet)]
    assert limits[0] == limits[1]
    assert limits[0][1] == pytest.approx(float(aa.power_to_db(MEL(Y), top_db=None).max()))
    assert limits[0][1] - limits[0][0] == pytest.approx(80)
    assert [axes.get_ylabel() for axes in figure.axes if axes not in (loud, quiet)] == ["dB"]


def test_panels_of_several_transforms_have_bars_of_their_own():
    figure = plot.compare([(MEL, MEL(Y)), (MFCC, MFCC(Y)), (STFT, STFT(Y))], columns=3)
    shown = panels(figure)
    bars = [axes.get_ylabel() for axes in figure.axes if axes not in shown]
    assert sorted(bars) == ["dB", "dB", "value"]
    assert [axes.collections[0].get_clim() for axes in shown] == [
        transform.plot(transform(Y)).collections[0].get_clim() for transform in (MEL, MFCC, STFT)
    ]
    assert [axes.get_title(loc="left") for axes in shown] == [
        "mel (20 bands)",
        "MFCC (13)",
        "STFT (256 samples, hop 64)",
    ]


def test_different_transforms_share_the_colours_of_a_unit_on_request():
    figure = plot.compare([(MEL, MEL(Y)), (STFT, STFT(Y)), (MFCC, MFCC(Y))], share="unit", columns=3)
    first, second, _ = (axes.collections[0].get_clim() for axes in panels(figure))
    assert first == second
    both = plot.compare([(MEL, MEL(Y)), (STFT, STFT(Y))], share="unit")
    assert [axes.get_ylabel() for axes in both.figure.axes if axes not in panels(both)] == ["dB"]


def test_the_time_axis_is_that_of_the_longest():
    long = tone(8000)
    figure = plot.compare([(MEL, MEL(Y)), (STFT, STFT(long)), (CQT, CQT(Y))], columns=1)
    assert len({axes.get_xlim() for axes in panels(figure)}) == 1
    start, end = panels(figure)[0].get_xlim()
    assert start == 0
    assert end == pytest.approx(STFT.times(8000)[-1] + 32 / 8000)
    panels(figure)[0].set_xlim(0.1, 0.2)
    assert panels(figure)[2].get_xlim() == (0.1, 0.2)


@pytest.mark.parametrize(("n_panels", "columns", "rows"), [(1, None, 1), (3, None, 2), (5, 3, 2), (4, 4, 1)])
def test_times_are_written_below_every_column_and_rows_left_of_the_first(n_panels, columns, rows):
    figure = plot.compare([(MEL, MEL(Y))] * n_panels, columns=columns)
    shown = panels(figure)
    assert len(shown) == n_panels
    n_columns = -(-n_panels // rows)
    for k, axes in enumerate(shown):
        lowest = k + n_columns >= n_panels
        assert axes.get_xlabel() == ("time (s)" if lowest else "")
        assert axes.xaxis.get_tick_params()["labelbottom"] == lowest
        assert axes.get_ylabel() == ("" if k % n_columns else "frequency (Hz)")


def test_rows_of_another_kind_are_labelled():
    figure = plot.compare([(MEL, MEL(Y)), (CQT, CQT(Y))])
    assert [axes.get_ylabel() for axes in panels(figure)] == ["frequency (Hz)", "note (Hz)"]


def test_paper_has_one_column_unless_asked():
    assert plot.compare([(MEL, MEL(Y))] * 2, size="paper").axes[0].get_gridspec().get_geometry() == (2, 1)
    assert plot.compare([(MEL, MEL(Y))] * 2).axes[0].get_gridspec().get_geometry() == (1, 2)


def test_the_items_of_a_batch_are_drawn(library):
    S = MEL(np.stack([Y, 0.1 * Y, 0 * Y]))
    figure = plot.compare([(MEL, library.asarray(one)) for one in S], title="batch", unit="power")
    assert figure.get_suptitle() == "batch"
    for axes, one in zip(panels(figure), S, strict=True):
        np.testing.assert_array_equal(axes.collections[0].get_array(), one)
        assert axes.collections[0].get_clim() == (S.min(), S.max())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "0 panels: must be at least 1"),
        ([(MEL, MEL(Y))] * 65, "65 panels: must be at least 1 and at most 64"),
        ([MEL(Y)], r"a panel of type ndarray: must be a tuple \(transform, S\)"),
        ([(MEL, STFT(Y))], r"S has shape \(129, 63\): must be \(20, n_frames\)"),
    ],
)
def test_what_is_no_panel_says_so(given, message):
    with pytest.raises(aa.ParameterError, match=message):
        plot.compare(given)
