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

BEFORE, AFTER = "0.65", "#0072b2"
DARKER = Steps(-80, -20, 10)


def curves(
    x: np.ndarray, pairs: Sequence[tuple[str, np.ndarray, np.ndarray]], *, across: str, along: str
) -> Any:
    """Draw each row twice in axes of its own, before training in grey and after it in blue."""
    figure, axes = plot.new_figure(len(pairs) // 2, 2, height=1.1)
    for ax, (title, before, after) in zip(axes.T.ravel(), pairs, strict=True):
        ax.plot(x, before, color=BEFORE, linewidth=2.2, label="before training")
        ax.plot(x, after, color=AFTER, linewidth=0.9, label="after training")
        ax.set_title(title, loc="left")
        ax.set_xlim(x[0], x[-1])
        ax.grid(color="0.92")
    for ax in axes[:, 0]:
        ax.set_ylabel(along)
    for ax in axes[-1]:
        ax.set_xlabel(across)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return plot.lettered(figure, "screen")


def complex_rows(hz: list[float], before: np.ndarray, after: np.ndarray) -> Any:
    """Draw the real parts of complex rows, where they or their originals are not zero."""
    pairs = [(f"{f:.0f} Hz, real part", b.real, a.real) for f, b, a in zip(hz, before, after, strict=True)]
    return curves(milliseconds(before.shape[1], SR), pairs, across="time (ms)", along="value")


def basis() -> Any:
    """Draw rows of the Fourier basis."""
    return complex_rows(*learned.basis_rows())


def kernels() -> Any:
    """Draw kernels of the CQT."""
    return complex_rows(*learned.kernel_rows())


def bank() -> Any:
    """Draw bands of the mel bank."""
    rows, before, after = learned.bank_rows()
    hz = np.arange(before.shape[1]) * SR / 2 / (before.shape[1] - 1)
    pairs = [(f"band {row + 1} of 32", b, a) for row, b, a in zip(rows, before, after, strict=True)]
    return curves(hz, pairs, across="frequency (Hz)", along="weight")


def heard() -> Any:
    """Draw the STFT of signals before and after training, and the difference."""
    rows = {}
    for signal, y in learned.heard().items():
        before, after = (np.float64(transform(y)) for transform in (learned.STFT.transform, learned.after(learned.STFT)))
        top = float(before.max())
        rows[signal] = [
            Panel("before training", decibels(before, top)),
            Panel("after training", decibels(after, top)),
            Panel("difference", decibels(after - before, top), True),
        ]
    return grid(rows, learned.STFT.transform, DARKER, width=9, height=2.0)
