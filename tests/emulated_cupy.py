"""A stand-in for CuPy where no GPU is: its arrays are NumPy's, and launches go to the emulator."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arrayaudio.kernels.gpu import fft, loader, spectrogram, windowed_frames

from . import emulator

SHARED_LIMIT = 99 * 1024  # of consumer devices


def launch(
    program: loader.Program, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], shared_bytes: int = 0
) -> None:
    """Run a kernel in all schedules with the arguments, and from the very text, that a GPU would get."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{program.name}.cu"
        source.write_text(program.text)
        emulator.launch_all_schedules(
            source, program.name, grid, block, arguments, shared_mem=shared_bytes, options=program.options
        )


def _poisoned(shape: Any, dtype: Any) -> np.ndarray:
    return np.full(shape, np.nan, dtype)


def _read_only(values: np.ndarray) -> np.ndarray:
    table = values.copy()
    table.setflags(write=False)
    return table


def install(monkeypatch: pytest.MonkeyPatch) -> list[loader.Program]:
    """Put the stand-in in CuPy's place, and return the list that launched programs are appended to."""
    launches: list[loader.Program] = []

    def recorded(program: loader.Program, *arguments: Any) -> None:
        launches.append(program)
        launch(program, *arguments)

    for module in (windowed_frames, spectrogram):
        monkeypatch.setattr(module, "launch", recorded)
    for name, function in {
        "empty": _poisoned,
        "ascontiguousarray": np.ascontiguousarray,
        "amax": np.amax,
        "maximum": np.maximum,
    }.items():
        monkeypatch.setattr(loader.cupy, name, function)
    for module in (fft, spectrogram):
        monkeypatch.setattr(module, "on_device", _read_only)
    monkeypatch.setattr(spectrogram, "current_device", lambda: -1)  # whose tables no device ever sees
    monkeypatch.setattr(spectrogram, "shared_limit", lambda device: SHARED_LIMIT)
    return launches
