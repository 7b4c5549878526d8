"""What training did to a spectrogram: the learned array and a sweep, before and after."""

from typing import Any

import numpy as np

import arrayaudio as aa
from docs.experiments.cases import Case
from docs.experiments.tones import HIGHEST, LOWEST, SR

SWEEP = 8192  # samples
RANGE_DB = 60


def sweep() -> np.ndarray:
    """A tone that rises from the lowest to the highest frequency of the experiments."""
    t = np.arange(SWEEP) / SR
    return np.sin(2 * np.pi * (LOWEST * t + (HIGHEST - LOWEST) * t**2 / (2 * t[-1]))).astype(np.float32)


def change(case: Case, learned: Any) -> float:
    """Return how far training moved the array, relative to its norm."""
    before, after = (matrix(transform.params[case.learned]) for transform in (case.transform, learned))
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def matrix(array: Any) -> np.ndarray:
    """Return an array of one or of several groups as one matrix, rows centred and 0 beyond their ends."""
    groups = array if isinstance(array, list) else [np.asarray(array).reshape(-1, array.shape[-1])]
    width = max(group.shape[-1] for group in groups)
    padded = []
    for group in groups:
        left = (width - group.shape[-1]) // 2
        padded.append(np.pad(group, ((0, 0), (left, width - group.shape[-1] - left))))
    return np.concatenate(padded)


def shown(case: Case, transform: Any) -> np.ndarray:
    """Return the matrix to be looked at: the mel bank, or the real parts of basis or kernels."""
    array = transform.params[case.learned]
    if case.learned == "basis":
        return array[0]
    return matrix(array)[::2] if case.learned == "kernels" else array


def drawn(case: Case, learned: Any) -> Any:
    """Draw the array and the spectrogram of a sweep, before training on the left and after it on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.4), layout="constrained", dpi=110)
    grid = figure.subplots(2, 2, sharex="row", sharey="row")
    figure.suptitle(f"{case.name}: before and after training", fontsize=13, fontweight="bold")
    arrays = [shown(case, transform) for transform in (case.transform, learned)]
    # Rows differ in size by orders of magnitude: each in units of its own largest value before training.
    unit = np.max(np.abs(arrays[0]), axis=1, keepdims=True)
    unit[unit == 0] = 1
    levels = [aa.amplitude_to_db(transform(sweep()), top_db=None) for transform in (case.transform, learned)]
    top = max(float(level.max()) for level in levels)
    for column, when in enumerate(("before", "after")):
        axes, below = grid[:, column]
        image = axes.pcolormesh(
            *edges(case, arrays[column].shape), arrays[column] / unit, cmap="PuOr", vmin=-1, vmax=1, rasterized=True
        )
        axes.set_title(f"{NAMES[case.learned]}, {when}", loc="left", fontsize=10)
        axes.set_xlabel("frequency (Hz)" if case.learned == "bank" else "time (ms)")
        hop = case.transform.hop_length / SR
        n_rows, n_frames = levels[column].shape
        mesh = below.pcolormesh(
            (np.arange(n_frames + 1) - 0.5) * hop,
            np.arange(n_rows + 1) - 0.5,
            levels[column] - top,
            cmap="magma",
            vmin=-RANGE_DB,
            vmax=0,
            rasterized=True,
        )
        below.set_xlim(0, SWEEP / SR)
        below.set_title(f"spectrogram of a rising tone, {when}", loc="left", fontsize=10)
        below.set_xlabel("time (s)")
    for axes in grid[:, 0]:
        axes.set_ylabel("row")
    figure.colorbar(image, ax=list(grid[0]), label="units of the row's\npeak before training", pad=0.01, extend="both")
    figure.colorbar(mesh, ax=list(grid[1]), label="|value| in dB, loudest 0", pad=0.01, extend="min")
    return figure


NAMES = {"basis": "basis, real parts", "bank": "mel bank", "kernels": "kernels, real parts"}


def edges(case: Case, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of the cells of an array's picture, in ms or Hz and in rows."""
    n_rows, width = shape
    across = np.arange(width + 1) - 0.5
    across = across * SR / (2 * (width - 1)) if case.learned == "bank" else (across - width // 2) * 1000 / SR
    return across, np.arange(n_rows + 1) - 0.5
