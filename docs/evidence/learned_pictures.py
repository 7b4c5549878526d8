"""Learned arrays as curves, and what the learned STFT hears, before and after training."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from arrayaudio.ext import plot
from arrayaudio.ext.plot.learned import milliseconds
from docs.evidence import learned
from docs.evidence.measures import decibels
from docs.evidence.pictures import Panel, Steps, grid
from docs.experiments.tones import SR

BEFORE, AFTER, CHANGE = "0.65", "#0072b2", "#e69f00"
DARKER = Steps(-80, -20, 10)
Row = tuple[str, np.ndarray, np.ndarray]  # its title, and its values before and after


def curves(x: np.ndarray, rows: Sequence[Row], *, across: str, along: str, times: int = 0, tight: bool = False) -> Any:
    """Draw each row twice in axes of its own, before training in grey and after it in blue.

    The change is drawn too, so many `times` as large. `tight` axes end where the rows are zero.
    """
    figure, axes = plot.new_figure(len(rows) // 2, 2, height=1.2, share_time=not tight)
    for ax, (title, before, after) in zip(axes.T.ravel(), rows, strict=True):
        ax.plot(x, before, color=BEFORE, linewidth=2.2, label="before training")
        ax.plot(x, after, color=AFTER, linewidth=0.9, label="after training")
        if times:
            ax.plot(x, times * (after - before), color=CHANGE, linewidth=0.9, label=f"change, {times} times as large")
        ax.set_title(title, loc="left")
        there = np.flatnonzero((before != 0) | (after != 0)) if tight else [0, -1]
        ax.set_xlim(x[there[0]], x[there[-1]])
        ax.grid(color="0.92")
    for ax in axes[:, 0]:
        ax.set_ylabel(along)
    for ax in axes[-1]:
        ax.set_xlabel(across)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
    return plot.lettered(figure, "screen")


def real_parts(hz: list[float], before: np.ndarray, after: np.ndarray, **options: Any) -> Any:
    """Draw the real parts of complex rows."""
    rows = [(f"{f:.0f} Hz, real part", b.real, a.real) for f, b, a in zip(hz, before, after, strict=True)]
    return curves(milliseconds(before.shape[1], SR), rows, across="time (ms)", along="value", **options)


def basis() -> Any:
    """Draw rows of the Fourier basis."""
    return real_parts(*learned.basis_rows(), times=10)


def kernels() -> Any:
    """Draw kernels of the CQT."""
    return real_parts(*learned.kernel_rows(), tight=True)


def bank() -> Any:
    """Draw bands of the mel bank."""
    rows, before, after = learned.bank_rows()
    hz = np.arange(before.shape[1]) * SR / 2 / (before.shape[1] - 1)
    named = [(f"band {row + 1} of 32", b, a) for row, b, a in zip(rows, before, after, strict=True)]
    return curves(hz, named, across="frequency (Hz)", along="weight")


def heard() -> Any:
    """Draw the STFT of signals before and after training, and the difference."""
    rows, pair = {}, (learned.STFT.transform, learned.after(learned.STFT))
    for signal, y in learned.heard().items():
        before, after = (np.float64(transform(y)) for transform in pair)
        top = float(before.max())
        rows[signal] = [
            Panel("before training", decibels(before, top)),
            Panel("after training", decibels(after, top)),
            Panel("difference", decibels(after - before, top), True),
        ]
    return grid(rows, pair[0], DARKER, width=9, height=2.0)
