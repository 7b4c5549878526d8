"""A report for bug reports: complete, honest about the GPU, and on standard output."""

import importlib.metadata
import platform
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio import versions as module
from arrayaudio.cuda import cuda_problem
from arrayaudio.versions import versions

PACKAGES = ["arrayaudio", "numpy", "scipy", "numba", "cupy", "soundfile", "matplotlib"]


def fake_cupy(count):
    """A stand-in for CuPy that counts as many devices, or raises."""

    def get_device_count():
        if isinstance(count, Exception):
            raise count
        return count

    def properties(number):
        return {"name": f"Pretend GPU {number}".encode()}

    runtime = SimpleNamespace(getDeviceCount=get_device_count, getDeviceProperties=properties)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, Device=lambda: SimpleNamespace(id=1)))


def test_everything_that_matters_is_listed_in_order():
    found = versions()
    assert list(found) == ["python", *PACKAGES, "platform", "processor", "gpu"]
    assert all(isinstance(value, str) and value.strip() == value and value for value in found.values())
    assert "\n" not in "".join(found.values())


def test_versions_are_those_that_run():
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["arrayaudio"] == aa.__version__
    assert found["processor"].endswith(" cores")


def test_a_package_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package"))
    assert versions()["no-such-package"] == "not installed"
    assert versions()["numpy"] == np.__version__


@pytest.mark.parametrize("wheel", ["cupy", "cupy-cuda12x", "cupy-cuda13x"])
def test_cupy_is_found_under_the_name_of_each_wheel(monkeypatch, wheel):
    def version(name):
        if name != wheel:
            raise importlib.metadata.PackageNotFoundError(name)
        return "14.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert versions()["cupy"] == "14.0"
    assert versions()["numba"] == "not installed"


@pytest.mark.parametrize(
    ("cupy", "line"),
    [
        (fake_cupy(2), "Pretend GPU 1"),
        (fake_cupy(0), "none: no CUDA device is visible"),
        (fake_cupy(RuntimeError("driver too old")), "none: CUDA does not answer (driver too old)"),
    ],
    ids=["two", "none", "no driver"],
)
def test_the_gpu_is_named_or_the_reason_why_there_is_none(monkeypatch, cupy, line):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert versions()["gpu"] == line


def test_without_cupy_the_gpu_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert versions()["gpu"].startswith("none: CuPy cannot be imported (")


def test_the_gpu_line_agrees_with_what_arrays_can_use():
    problem = cuda_problem()
    assert versions()["gpu"].startswith("none: ") == (problem is not None)
    assert (problem or "") in versions()["gpu"]


def test_a_gpu_is_named(gpu):
    assert versions()["gpu"]
    assert not versions()["gpu"].startswith("none")


def test_show_versions_writes_to_standard_output(capsys):
    assert aa.show_versions() is None
    shown = capsys.readouterr()
    assert shown.out == "".join(f"{key:<11} {value}\n" for key, value in versions().items())
    assert shown.err == ""
