"""The filters of a transform over frequency."""

from typing import Any, Literal

import numpy as np

from arrayaudio.checks import one_of
from arrayaudio.errors import ParameterError
from arrayaudio.ext.plot.figures import lettered, new_axes
from arrayaudio.ext.plot.frequency_axis import LANDMARKS, label_rows
from arrayaudio.ext.plot.responses import Responses, responses
from arrayaudio.ext.plot.values import UPWARD
from arrayaudio.transforms.base import Transform

STYLES = ("curves", "image")
# Of the largest value of a curve, what is not drawn.
NEGLIGIBLE = 1e-3


def filterbank(
    transform: Transform,
    ax: Any = None,
    *,
    before: Transform | None = None,
    style: Literal["curves", "image"] = "curves",
    title: str | None = None,
    size: Literal["screen", "paper"] = "screen",
) -> Any:
    """Draw what each row of a transform answers to each frequency.

    Of mel, gammatone and chroma banks these are the weights with which they gather a spectrum; of a STFT and constant-Q
    transforms the gain of their kernels, which for constant-Q transforms is drawn over a logarithmic axis.

    Parameters
    ----------
    transform : Transform
        With the arrays that it was given by `with_params`, if any.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure is made.
    before : Transform, optional
        The same before training, in grey behind the curves.
    style : "curves" or "image"
        A curve for each row, from dark to light with its number; or a row each in an image, for large banks.
    title : str, optional
    size : "screen" or "paper"
        Of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If the transform has no filters, such as CFP, or `before` is given for an image.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext import plot
    >>> ax = plot.filterbank(aa.MelSpectrogram(sr=16000, n_fft=512, n_mels=20))
    >>> len(ax.lines), ax.get_ylabel()
    (20, 'weight')
    """
    if one_of("style", style, STYLES) == "image" and before is not None:
        raise ParameterError("style='image': has no room for before=...; draw two images, or use style='curves'")
    bank = responses(transform)
    behind = None if before is None else responses(before)
    axes = new_axes(size) if ax is None else ax
    if style == "image":
        _image(axes, bank, transform)
    else:
        if behind is not None:
            _curves(axes, behind, "0.75", "before", width=2.5)
        _curves(axes, bank, None, "after" if before is not None else None)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(bank.unit)
        if behind is not None:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderaxespad=0.2)
    _label_frequencies(axes, bank)
    if title:
        axes.set_title(title, loc="left", parse_math=False)
    if ax is None:
        lettered(axes.figure, size)
    return axes


def _curves(axes: Any, bank: Responses, color: str | None, label: str | None, width: float = 0.9) -> None:
    """Draw each row where it is not negligible, from zero to zero where the row goes there."""
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0, 0.9, len(bank.values)))
    for k, row in enumerate(bank.values):
        there = np.flatnonzero(np.abs(row) > NEGLIGIBLE * np.abs(row).max())
        if not len(there):
            continue
        some = slice(max(0, there[0] - 1), there[-1] + 2)
        axes.plot(
            *(bank.hz[some], row[some]),
            color=color or colours[k],
            linewidth=width,
            label=label if k == len(bank.values) // 2 else None,
        )


def _image(axes: Any, bank: Responses, transform: Any) -> None:
    edges = (bank.hz[1:] + bank.hz[:-1]) / 2
    edges = np.concatenate([[2 * bank.hz[0] - edges[0]], edges, [2 * bank.hz[-1] - edges[-1]]])
    rows = label_rows(axes, transform)
    mesh = axes.pcolormesh(edges, rows, bank.values, cmap=UPWARD, rasterized=True)
    axes.set_ylabel(f"row: {axes.get_ylabel()}")
    axes.figure.colorbar(mesh, ax=axes, label=bank.unit, pad=0.02)


def _label_frequencies(axes: Any, bank: Responses) -> None:
    from arrayaudio.ext.plot import ticks

    low, high = float(bank.hz[0]), float(bank.hz[-1])
    if bank.logarithmic:
        heard = bank.hz[np.flatnonzero((bank.values > NEGLIGIBLE * bank.values.max()).any(axis=0) & (bank.hz > 0))]
        low, high = float(heard[0]), float(heard[-1])
        axes.set_xscale("log")
    ticks.write(axes.xaxis, [LANDMARKS] if bank.logarithmic else [], {})
    axes.set_xlim(low, high)
    axes.set_xlabel("frequency (Hz)")
