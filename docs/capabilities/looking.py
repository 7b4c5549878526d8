"""What a primitive or a call can do, found by running it on NumPy's arrays or on CuPy's."""

import contextlib
import functools
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np

import arrayaudio as aa
from arrayaudio import primitive
from arrayaudio.arrays import to_numpy
from arrayaudio.autodiff.trees import mapped
from docs.gradients.measuring import Case, watched
from tests.primitive_cases import CASES, signal_for

LIMIT = 1e-4  # relative, for two ways to the same float32 numbers; what differs from them is another thing


@contextlib.contextmanager
def kernels() -> Iterator[set[str]]:
    """The primitives whose work is done by their fast versions."""
    taken: set[str] = set()
    found = primitive.fast_version

    def watching(name: str, library: str) -> Callable[..., Any] | None:
        fast = found(name, library)
        if fast is None:
            return None

        def run(*args: Any, **options: Any) -> Any:
            result = fast(*args, **options)
            if result is not NotImplemented:
                taken.add(name)
            return result

        return run

    with mock.patch.object(primitive, "fast_version", watching):
        yield taken


def references() -> Any:
    """A context in which references run alone."""
    return mock.patch.object(primitive, "fast_version", lambda *_: None)


def same(ours: Any, theirs: Any) -> bool:
    """Whether two results are of the same numbers."""
    if isinstance(ours, tuple | list):
        return all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    a, b = (np.nan_to_num(to_numpy(x)).astype(np.complex128) for x in (ours, theirs))
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= LIMIT * np.linalg.norm(b))


def single(x: Any, array: Callable[[Any], Any]) -> Any:
    """Arrays in single precision, in the library that `array` brings them to."""
    kinds = {"f": np.float32, "c": np.complex64}
    if isinstance(x, np.ndarray):
        return array(x.astype(kinds.get(x.dtype.kind, x.dtype)))
    return mapped(lambda each: single(each, array), x) if isinstance(x, tuple | list | dict) else x


def bound(call: Callable[..., Any], array: Callable[[Any], Any]) -> Callable[..., Any]:
    """A call, with the arrays among its settings in single precision too."""
    if not isinstance(call, functools.partial):
        return call
    return functools.partial(call.func, *single(call.args, array), **single(call.keywords, array))


def kernels_of(case: Case, array: Callable[[Any], Any]) -> list[str]:
    """The primitives of a row that fast versions do, with the numbers of the references."""
    call, x = next(iter(case.of.values()))
    with references():
        expected = bound(call, np.asarray)(single(x, np.asarray))
    with kernels() as taken:
        result = bound(call, array)(single(x, array))
    if not same(result, expected):
        raise AssertionError(f"{case.transform}: fast versions give other numbers")
    return sorted(taken)


def cases_done(name: str, array: Callable[[Any], Any]) -> int:
    """How many cases of a primitive its fast version does."""
    done = 0
    for arguments, _ in CASES[name]:
        y = signal_for(name, arguments, "float32", np.random.default_rng(0))
        with kernels() as taken:
            primitive.registered[name](array(y.copy()), *(single(a, array) for a in arguments))
        done += name in taken
    return done


def file_of(name: str, folder: str) -> bool:
    """Whether a folder of kernels has a file for a primitive."""
    return importlib.util.find_spec(f"arrayaudio.kernels.{folder}.{name}") is not None


def gradient(call: Callable[[Any], Any], x: Any) -> str:
    """How a gradient comes back through a call: "by hand" through the primitives named, "recorded", or not at all."""
    with watched() as taken:
        try:
            y, pullback = aa.vjp(call, x)
            pullback(mapped(np.ones_like, y))
        except (aa.DifferentiationError, TypeError):  # TypeError: memory on the tape cannot be written to
            return "no"
    return ", ".join(sorted(taken)) or "recorded"


def comes_back(made: Any, y: np.ndarray) -> bool:
    """Whether a transform has an inverse, which gives a signal of the length that is asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aa.ArrayAudioWarning)  # of rows that the hop leaves open
        try:
            return bool(made.inverse(made(y), length=y.size).shape == y.shape)
        except aa.ParameterError:
            return False


def refusal_of_streams(made: Any, y: np.ndarray) -> str | None:
    """What a transform says that takes no signal in blocks; None if it gives the numbers of the whole."""
    try:
        stream = made.stream()
    except aa.ParameterError as error:
        return str(error)
    parts = [stream.push(block) for block in np.array_split(y, 7)] + [stream.flush()]
    if isinstance(parts[0], tuple | list):
        joined: Any = [np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)]
    else:
        joined = np.concatenate(parts, axis=-1)
    if not same(joined, made(y)):
        raise AssertionError(f"{made}: its stream gives other numbers")
    return None
