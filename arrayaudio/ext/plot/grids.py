"""Several spectrograms beside each other, with one time axis and, where values are alike, one range of colours."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from arrayaudio.arrays import ArrayLike
from arrayaudio.checks import one_of, whole
from arrayaudio.errors import ParameterError
from arrayaudio.ext.plot.figures import SIZES, lettered, new_figure
from arrayaudio.ext.plot.spectrograms import bar, draw, pictured
from arrayaudio.ext.plot.values import with_one_range
from arrayaudio.transforms.base import Transform

MOST_PANELS = 64
Panel = tuple[Transform, ArrayLike]


def compare(
    panels: Mapping[str, Panel] | Sequence[Panel],
    *,
    columns: int | None = None,
    share: Literal["transform", "unit"] = "transform",
    unit: str | None = None,
    title: str | None = None,
    size: Literal["screen", "paper"] = "screen",
) -> Any:
    """Draw spectrograms in a grid: several transforms of one signal, several signals, or the items of a batch.

    All have the same time axis. Those of one transform have the same colours for the same values. Those of different
    transforms have ranges of their own, since 0 dB of a STFT is another loudness than 0 dB of a mel band. Where all
    share one range, there is one colour bar.

    Parameters
    ----------
    panels : dict of title: (transform, S), or list of (transform, S)
        As for `spectrogram`; with a list, or an empty title, titles say what is drawn.
    columns : int, optional
        Panels in a row; by default 2 on a screen, and 1 on paper.
    share : "transform" or "unit"
        "unit" gives those of different transforms the same colours too, where their units agree.
    unit : str, optional
        As for `spectrogram`, for all panels.
    title : str, optional
        Above all.
    size : "screen" or "paper"

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ParameterError
        If there is no panel, or more than 64, or one is not what `spectrogram` takes.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext import plot
    >>> y = np.sin(np.arange(16000.0))
    >>> mel, cqt = aa.MelSpectrogram(sr=16000, n_mels=64), aa.CQT(sr=16000)
    >>> figure = plot.compare({"mel": (mel, mel(y)), "CQT": (cqt, cqt(y))})
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['mel', 'CQT']
    """
    one_of("size", size, tuple(SIZES))
    named = [*panels.items()] if isinstance(panels, Mapping) else [(None, panel) for panel in panels]
    if not 1 <= len(named) <= MOST_PANELS:
        raise ParameterError(f"{len(named)} panels: must be at least 1 and at most {MOST_PANELS}")
    for _, panel in named:
        if not isinstance(panel, tuple) or len(panel) != 2:
            raise ParameterError(f"a panel of type {type(panel).__name__}: must be a tuple (transform, S)")
    one_of("share", share, ("transform", "unit"))
    shown = [pictured(S, transform, unit, name or None) for name, (transform, S) in named]
    kinds = [one.unit if share == "unit" else panel[0] for one, (_, panel) in zip(shown, named, strict=True)]
    shown = with_one_range(shown, kinds)
    n_columns = min(len(named), (2 if size == "screen" else 1) if columns is None else whole("columns", columns))
    n_rows = -(-len(named) // n_columns)
    figure, grid = new_figure(n_rows, n_columns, title=title, size=size, height={"paper": 1.2}.get(size, 2.2))
    figure.get_layout_engine().set(wspace=0.05)  # labels nearer to their panel than to a bar
    one_bar = len(set(kinds)) == 1
    places = grid.ravel().tolist()
    start, end = np.inf, -np.inf
    for axes, one, (_, (transform, S)) in zip(places, shown, named, strict=False):
        mesh = draw(axes, one, transform, np.shape(S)[-1])
        start, end = min(start, axes.get_xlim()[0]), max(end, axes.get_xlim()[1])
        if not one_bar:
            bar(figure, mesh, axes, one)
    if one_bar:
        bar(figure, mesh, places[: len(named)], shown[0])
    places[0].set_xlim(start, end)
    _label_outside(grid, len(named))
    if n_columns == 1:
        figure.align_ylabels()
    return lettered(figure, size)


def _label_outside(grid: np.ndarray, n_panels: int) -> None:
    """Write the time below each column, and what rows are where it is not that of the panel to the left."""
    n_columns = grid.shape[1]
    labels = [axes.get_ylabel() for axes in grid.ravel()]
    for k, axes in enumerate(grid.ravel().tolist()):
        if k >= n_panels:
            axes.remove()
        elif k + n_columns >= n_panels:
            axes.set_xlabel("time (s)")
            axes.tick_params(labelbottom=True)
        if k % n_columns and k < n_panels and labels[k] == labels[k - 1]:
            axes.set_ylabel("")
