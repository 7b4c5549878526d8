"""A row of the gradient table, and how it is measured."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import arrayaudio as aa
from arrayaudio.autodiff.check import slopes
from arrayaudio.primitive import adjoints


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: a call, and for each array whose gradient it has, a function of that array alone and where it is."""

    transform: str
    covers: str
    of: dict[str, tuple[Callable[[Any], Any], Any]]


@contextlib.contextmanager
def watched() -> Iterator[set[str]]:
    """The primitives that go back by hand, among those that run."""
    taken: set[str] = set()

    def watching(name: str, adjoint: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            made = adjoint(*args, **options)
            if made is not NotImplemented:
                taken.add(name)
            return made

        return run

    with mock.patch.dict(adjoints, {name: watching(name, adjoint) for name, adjoint in adjoints.items()}):
        yield taken


def error(function: Callable[[Any], Any], x: Any) -> float | None:
    """Largest difference between slopes, relative to the largest slope; None where all slopes are 0."""
    found = list(slopes(function, x))
    largest = max(abs(differences) for _, differences, _ in found)
    off = max(abs(ours - differences) for ours, differences, _ in found)
    return None if off == largest == 0 else float(f"{off / largest:.1e}")


def measured(case: Case) -> dict[str, Any]:
    """Measure a row: the error for each array, and which primitives went back by hand."""
    errors: dict[str, float | None] = {}
    by_hand: dict[str, list[str]] = {}
    for name, (function, x) in case.of.items():
        with watched() as taken:
            errors[name] = error(function, x)
        by_hand[name] = sorted(taken)
    return {"transform": case.transform, "covers": case.covers, "errors": errors, "by_hand": by_hand}


def refused(name: str, x: Any, reason: str) -> dict[str, Any]:
    """Describe a function without gradients, which must say so."""
    try:
        aa.vjp(getattr(aa, name), x)
    except aa.DifferentiationError as error:
        return {"covers": name, "reason": reason, "error": str(error)}
    raise AssertionError(f"{name} has a gradient after all: give it a row")
