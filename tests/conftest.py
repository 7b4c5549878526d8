"""Fixtures: the array libraries that every transform must run on, and signals."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import array_api_strict
import hypothesis
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.arrays import cuda_problem

from .recordings import encoded, tone

# First calls compile, and machines are shared: no example has a deadline. CI tries the same examples each time;
# elsewhere each run tries others.
hypothesis.settings.register_profile("arrayaudio", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("arrayaudio")

AUDIO = Path(__file__).parent.parent / "docs" / "audio"


@dataclass(frozen=True)
class Library:
    """An array library under test: how to bring NumPy data in and results out."""

    name: str

    def asarray(self, x: Any) -> Any:
        x = np.asarray(x)
        if self.name == "numpy":
            return x.copy()
        if self.name == "numpy-readonly":
            frozen = x.copy()
            frozen.setflags(write=False)
            return frozen
        if self.name == "array-api-strict":
            return array_api_strict.asarray(x)
        return aa.asarray(x, device="cuda")

    def owns(self, x: Any) -> bool:
        kind = type(self.asarray(np.zeros(1)))
        return isinstance(x, kind)

    def to_numpy(self, x: Any) -> np.ndarray:
        assert self.owns(x), f"{type(x)} does not belong to {self.name}"
        return aa.to_numpy(x)


LIBRARIES = ["numpy", "numpy-readonly", "array-api-strict"] + ([] if cuda_problem() else ["cupy"])


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    return Library(request.param)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260501)


@pytest.fixture(scope="session")
def audio() -> Path:
    """The folder of the recordings that ship with the project."""
    return AUDIO


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A recording of half a second."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "clip.wav").write_bytes(encoded(tone()))
    return tmp_path / "in" / "clip.wav"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where a command may write."""
    return tmp_path / "out"
