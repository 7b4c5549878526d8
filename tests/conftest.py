"""Fixtures: the array libraries that every transform must run on, the GPU or its stand-in, and signals."""

import functools
import importlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import array_api_strict
import hypothesis
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.cuda import cuda_problem

from .recordings import encoded, tone
from .troubled import troubled  # noqa: F401 - a fixture

# First calls compile, and machines are shared: no example has a deadline. CI tries the same examples each time;
# elsewhere each run tries others.
hypothesis.settings.register_profile("arrayaudio", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("arrayaudio")

HOSTS = ["numpy", "numpy-readonly", "array-api-strict"]
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


@dataclass(frozen=True)
class Gpu(Library):
    """CuPy's arrays on a device or its stand-in, and the programs that were launched on it, in turn.

    After changes to a source or to the loader, `unload` lets programs be compiled and loaded again.
    """

    launches: list[Any]
    monkeypatch: pytest.MonkeyPatch
    unload: Callable[[], None]

    def limit_shared_memory(self, n_bytes: int) -> None:
        """Let a block have so much shared memory, as on other devices; skip the test where the device has less."""
        from arrayaudio.kernels.gpu import loader

        device = loader.cupy.cuda.Device
        if hasattr(device, "shared_bytes"):  # the stand-in
            self.monkeypatch.setattr(device, "shared_bytes", n_bytes)
        elif n_bytes > device().attributes["MaxSharedMemoryPerBlockOptin"]:
            pytest.skip(f"the device has less than {n_bytes} bytes of shared memory for a block")
        for module in _kernel_modules():
            if hasattr(module, "shared_limit"):
                self.monkeypatch.setattr(module, "shared_limit", lambda device: n_bytes)
        self.unload()


def _kernel_modules() -> list[ModuleType]:
    folder = Path(aa.__file__).parent / "kernels" / "gpu"
    names = (path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    return [importlib.import_module(f"arrayaudio.kernels.gpu.{name}") for name in names]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stand-in", action="store_true", help="run the tests of GPU code on a stand-in for CuPy")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--stand-in"):
        from . import stand_in

        stand_in.install()
        cubins = tempfile.TemporaryDirectory()
        os.environ["ARRAYAUDIO_CACHE"] = cubins.name  # what the stand-in compiles is nothing for a device
        config.add_cleanup(cubins.cleanup)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "library" in metafunc.fixturenames:
        cupy = [] if cuda_problem() else ["cupy"]
        stand_in = metafunc.config.getoption("--stand-in")
        names = cupy if stand_in else [*HOSTS, *cupy]
        metafunc.parametrize("library", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep with the stand-in what uses it, and without a device what needs none."""

    def runs(item: pytest.Item) -> bool:
        fixtures = getattr(item, "fixturenames", ())
        if "device" in fixtures:
            return not config.getoption("--stand-in") and not cuda_problem()
        if config.getoption("--stand-in"):
            return "gpu" in fixtures or "library" in fixtures
        return "stand_in" not in fixtures and ("gpu" not in fixtures or not cuda_problem())

    config.hook.pytest_deselected(items=[item for item in items if not runs(item)])
    items[:] = filter(runs, items)


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Library:
    return Library(request.param)


@pytest.fixture(params=HOSTS)
def host_library(request: pytest.FixtureRequest) -> Library:
    """A library in whose memory values are searched, which would have to wait for a GPU."""
    return Library(request.param)


@pytest.fixture
def gpu(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """A GPU, or its stand-in with all orders of execution."""
    from arrayaudio.kernels.gpu import loader

    launches: list[Any] = []
    load = functools.cache(loader._kernel.__wrapped__)

    def recorded(program: Any, device: int) -> Any:
        launches.append(program)
        return load(program, device)

    monkeypatch.setattr(loader, "_kernel", recorded)
    if pytestconfig.getoption("--stand-in"):
        from . import emulator
        from .stand_in import kernels

        monkeypatch.setattr(kernels, "schedules", emulator.SCHEDULES)
    return Gpu("cupy", launches, monkeypatch, load.cache_clear)


@pytest.fixture
def device() -> None:
    """Says that a test needs a real GPU."""


@pytest.fixture
def stand_in(gpu: Gpu) -> Gpu:
    """The stand-in alone, for tests that want the errors of the emulator."""
    return gpu


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
