"""One test over every primitive and every fast version, and how a fast version is found, declines and fails."""

import importlib
import inspect

import numpy as np
import pytest

from arrayaudio import primitive

from .primitive_cases import CASES, EACH, signal_for
from .tolerances import assert_same_levels, assert_same_spectrum


def test_every_primitive_has_its_cases():
    assert set(primitive.registered) == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("folder", [folder for folders in primitive.FOLDERS.values() for folder in folders])
def test_fast_versions_have_the_signature_of_the_reference(name, folder):
    if importlib.util.find_spec(f"{folder}.{name}") is None:
        return
    fast = getattr(importlib.import_module(f"{folder}.{name}"), name)
    assert list(inspect.signature(fast).parameters) == list(inspect.signature(primitive.registered[name]).parameters)


@pytest.mark.parametrize(("name", "arguments", "linear"), EACH)
def test_every_primitive_gives_the_numbers_of_its_reference_and_leaves_its_input(
    name, arguments, linear, library, dtype, rng
):
    call = primitive.registered[name]
    y = signal_for(name, arguments, dtype, rng)
    same = assert_same_levels if name == "spectrogram" and arguments[0].scaling else assert_same_spectrum
    written = name == "written" and library.name.startswith("numpy")  # read-only memory is not to be written
    given = y.copy() if written else library.asarray(y)
    precision = {"f": dtype, "c": np.result_type(dtype, np.complex64)}
    theirs = [
        library.asarray(a.astype(precision.get(a.dtype.kind, a.dtype))) if isinstance(a, np.ndarray) else a
        for a in arguments
    ]
    result = library.to_numpy(call(given, *theirs))
    exact = call.reference(y.astype(np.result_type(y, np.float64)), *arguments)
    same(result, exact, dtype)
    np.testing.assert_array_equal(library.to_numpy(given), result if name == "written" else y)
    if linear:
        doubled = library.to_numpy(call(library.asarray(2 * y), *theirs))
        same(doubled, 2 * exact, dtype)


@pytest.fixture
def fresh():
    primitive.fast_version.cache_clear()
    primitive._first_of.cache_clear()
    yield
    primitive.fast_version.cache_clear()
    primitive._first_of.cache_clear()
    primitive.problems.clear()


def double(x):
    return 2 * x


@pytest.mark.usefixtures("fresh")
class TestSearch:
    def test_finds_the_cpu_version_of_spectrogram(self):
        assert primitive.fast_version("spectrogram", "numpy") is not None
        assert primitive.problems == {}

    def test_without_a_fast_version_the_reference_runs(self):
        assert primitive.fast_version("double", "numpy") is None
        assert primitive.primitive(double)(np.ones(2)).tolist() == [2, 2]
        del primitive.registered["double"]

    def test_other_libraries_have_none(self):
        assert primitive.fast_version("spectrogram", "array_api_strict") is None

    def test_a_version_that_declines_hands_over_to_the_reference(self, monkeypatch):
        asked = []

        def declining(name, library):
            return lambda *_: asked.append((name, library)) or NotImplemented

        monkeypatch.setattr(primitive, "fast_version", declining)
        assert primitive.primitive(double)(np.ones(2)).tolist() == [2, 2]
        assert asked == [("double", "numpy")]
        del primitive.registered["double"]

    def test_a_broken_accelerator_is_remembered_and_survived(self, monkeypatch):
        def broken(module):
            raise ImportError(f"no accelerator for {module}")

        monkeypatch.setattr(primitive.importlib, "import_module", broken)
        assert primitive.fast_version("spectrogram", "numpy") is None
        assert primitive.problems == {
            f"arrayaudio.kernels.{folder}.spectrogram": f"ImportError: no accelerator for arrayaudio.kernels.{folder}"
            ".spectrogram"
            for folder in ("cpu", "tiled")
        }
