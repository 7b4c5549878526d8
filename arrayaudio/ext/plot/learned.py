"""Kernels that meet frames of the signal, before and after they were trained."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from arrayaudio.checks import one_of, whole
from arrayaudio.errors import ParameterError
from arrayaudio.ext.plot.figures import SIZES, lettered, new_figure
from arrayaudio.ext.plot.responses import kernels
from arrayaudio.ext.plot.values import AROUND_ZERO
from arrayaudio.transforms.base import Transform

STYLES = ("curves", "image")
REAL, IMAGINARY = "#0072b2", "#e69f00"  # the blue and the orange of Okabe and Ito, which all eyes tell apart
MOST_CURVES = 16


def bases(
    transform: Transform,
    *,
    before: Transform | None = None,
    rows: int | Sequence[int] = 6,
    style: Literal["curves", "image"] = "curves",
    title: str | None = None,
    size: Literal["screen", "paper"] = "screen",
) -> Any:
    """Draw the kernels that a transform multiplies frames with: a Fourier basis, or constant-Q kernels.

    Parameters
    ----------
    transform : Transform
        With the arrays that it was given by `with_params`, if any.
    before : Transform, optional
        The same before training, drawn to the left.
    rows : int, or sequence of int
        For curves: how many rows, spread evenly over those sorted by frequency; or the numbers of the rows.
    style : "curves" or "image"
        Real and imaginary parts of some rows as curves, above each other by frequency, each scaled to its largest value
        on both sides; or of all rows as images, each sorted by the frequency at which it answers most.
    title : str, optional
        Above all.
    size : "screen" or "paper"

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ParameterError
        If the transform has no kernels of its own, or shapes differ, or there are no such rows.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext import plot
    >>> stft = aa.STFT(sr=8000, n_fft=64, trainable=True)
    >>> learned = stft.with_params({"basis": 0.9 * stft.params["basis"]})
    >>> figure = plot.bases(learned, before=stft)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['before', 'after']
    """
    one_of("style", style, STYLES)
    one_of("size", size, tuple(SIZES))
    found = (
        [("", kernels(transform))] if before is None else [("before", kernels(before)), ("after", kernels(transform))]
    )
    if len({made.shape for _, made in found}) > 1:
        shapes = " and ".join(str(made.shape) for _, made in found)
        raise ParameterError(f"kernels have shapes {shapes}: must have the same before and after")
    sr = float(transform._known_sr())  # type: ignore[attr-defined]
    centres = [centre_frequencies(made, sr) for _, made in found]
    if style == "image":
        figure = _images(found, centres, sr, title, size)
    else:
        figure = _curves(found, centres, _chosen(rows, centres[0]), sr, title, size)
    return lettered(figure, size)


def centre_frequencies(kernels: np.ndarray, sr: float) -> np.ndarray:
    """The frequency in Hz between 0 and sr / 2 at which each kernel answers most."""
    n_fft = 4 * kernels.shape[1]
    spectra = (np.abs(np.fft.fft(np.conj(kernel), n_fft)[: 1 + n_fft // 2]) for kernel in kernels)
    return np.array([np.argmax(spectrum) for spectrum in spectra]) * (sr / n_fft)


def _chosen(rows: int | Sequence[int], centres: np.ndarray) -> list[int]:
    """Numbers of the rows to draw, from the lowest frequency to the highest."""
    order = np.argsort(centres, kind="stable")
    if isinstance(rows, Sequence):
        chosen = {whole("rows", row, least=0, most=len(order) - 1) for row in rows}
        if not 1 <= len(chosen) <= MOST_CURVES:
            raise ParameterError(f"rows={rows!r}: must be at least 1 and at most {MOST_CURVES} different rows")
        return [int(row) for row in order if row in chosen]
    count = min(whole("rows", rows, most=MOST_CURVES), len(order))
    return order[np.linspace(0, len(order) - 1, count).round().astype(int)].tolist()


def _curves(found: Any, centres: list[np.ndarray], chosen: list[int], sr: float, title: str | None, size: str) -> Any:
    height = {"screen": 0.55, "paper": 0.3}[size] * len(chosen) + 0.4
    figure, grid = new_figure(1, len(found), title=title, size=size, height=height)
    ms = milliseconds(found[0][1].shape[1], sr)
    scale = [max(np.abs(made[row]).max() for _, made in found) or 1.0 for row in chosen]
    for axes, (name, made), centre in zip(grid[0], found, centres, strict=True):
        for k, row in enumerate(chosen):
            kernel = 0.45 * made[row] / scale[k] + k * (1 + 1j)
            axes.plot(ms, kernel.imag, color=IMAGINARY, linewidth=0.8, label="imaginary" if k == 0 else None)
            axes.plot(ms, kernel.real, color=REAL, linewidth=0.8, label="real" if k == 0 else None)
        axes.set_yticks(range(len(chosen)), [f"{centre[row]:.0f}" for row in chosen])
        axes.set(xlim=(ms[0], ms[-1]), ylim=(-0.6, len(chosen) - 0.4), xlabel="time (ms)")
        axes.set_title(name, loc="left")
    grid[0, 0].set_ylabel("frequency of the row (Hz)")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside upper right", ncols=2, frameon=False, fontsize=SIZES[size].letters
    )
    return figure


def _images(found: Any, centres: list[np.ndarray], sr: float, title: str | None, size: str) -> Any:
    from arrayaudio.ext.plot import ticks

    figure, grid = new_figure(2, len(found), title=title, size=size)
    ms = milliseconds(found[0][1].shape[1], sr)
    step, n_rows = ms[1] - ms[0] if len(ms) > 1 else 1.0, len(centres[0])
    limit = max(float(np.percentile(np.abs([made.real, made.imag]), 99.9)) for _, made in found) or 1.0
    for column, ((name, made), centre) in enumerate(zip(found, centres, strict=True)):
        order = np.argsort(centre, kind="stable")
        for axes, part, values in zip(grid[:, column], ("real", "imag."), (made.real, made.imag), strict=True):
            mesh = axes.imshow(
                values[order],
                aspect="auto",
                origin="lower",
                interpolation="nearest",
                cmap=AROUND_ZERO,
                vmin=-limit,
                vmax=limit,
                extent=(ms[0] - step / 2, ms[-1] + step / 2, -0.5, n_rows - 0.5),
            )
            axes.set_title(f"{name}, {part}" if name else part, loc="left")
            ticks.write_names(axes.yaxis, [f"{hz:.0f}" for hz in centre[order]])
        grid[-1, column].set_xlabel("time (ms)")
    for axes in grid[:, 0]:
        axes.set_ylabel("frequency of the row (Hz)")
    figure.colorbar(mesh, ax=grid.ravel().tolist(), label="value", extend="both", pad=0.02)
    return figure


def milliseconds(width: int, sr: float) -> np.ndarray:
    """Times of the samples of a kernel, whose middle is 0."""
    return (np.arange(width) - width // 2) * (1e3 / sr)
