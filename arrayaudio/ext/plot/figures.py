"""Figures in two sizes, made without pyplot, and files of them."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.checks import one_of
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.ext.io import write_whole


@dataclass(frozen=True)
class Size:
    """Inches of a figure: its width, and the height of a panel and of what surrounds all; points of its letters."""

    width: float
    panel: float
    rest: float
    title: float
    letters: float
    dpi: int


# A column of a two-column page is 3.3 inches wide, and its small print has 7 points.
SIZES = {
    "screen": Size(9.0, 2.6, 1.2, title=10, letters=9, dpi=130),
    "paper": Size(3.3, 1.6, 0.5, title=8, letters=7, dpi=300),
}


def new_figure(
    n_rows: int,
    n_columns: int = 1,
    *,
    title: str | None = None,
    size: str = "screen",
    height: float | None = None,
    share_time: bool = True,
) -> tuple[Any, np.ndarray]:
    """Make a figure with a grid of axes (n_rows, n_columns), each `height` inches high, on request with one time axis.

    Raises
    ------
    ParameterError
        If there is no such size.
    MissingExtraError
        If matplotlib is not installed.
    """
    inches = SIZES[one_of("size", size, tuple(SIZES))]
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing", "plot", error) from error
    # A Figure of its own, so that no state of pyplot is touched.
    tall = inches.rest + (inches.panel if height is None else height) * n_rows
    figure = Figure(figsize=(inches.width, tall), layout="constrained", dpi=inches.dpi)
    axes = figure.subplots(n_rows, n_columns, sharex=share_time, squeeze=False)
    if title:
        figure.suptitle(title, fontsize=1.3 * inches.title, fontweight="bold", parse_math=False)
    return figure, axes


def new_axes(size: str, *, panels: float = 1.0) -> Any:
    """Make a figure with one pair of axes, as high as so many panels, and return these."""
    figure, axes = new_figure(1, size=size)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + (panels - 1) * SIZES[size].panel)
    return axes[0, 0]


def lettered(figure: Any, size: str) -> Any:
    """Give everything that is written in a figure of our own its size; return the figure."""
    inches = SIZES[size]
    for axes in figure.axes:
        axes.tick_params(labelsize=inches.letters)
        for text in (axes.xaxis.label, axes.yaxis.label, axes.yaxis.get_offset_text(), axes.xaxis.get_offset_text()):
            text.set_size(inches.letters)
        axes._left_title.set_size(inches.title)
        if (legend := axes.get_legend()) is not None:
            for text in legend.get_texts():
                text.set_size(inches.letters)
    return figure


def save(picture: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure, or that of axes, in the format that the path's suffix names, PNG if it has none.

    The file is whole or not there.

    Raises
    ------
    ParameterError
        If matplotlib does not know the format.
    """
    figure = picture.figure
    with warnings.catch_warnings():
        # A title in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        try:
            write_whole(Path(path), lambda file: figure.savefig(file, format=Path(path).suffix[1:] or "png"))
        except ValueError as error:
            raise ParameterError(f"{os.fspath(path)}: {error}") from error
