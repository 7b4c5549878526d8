"""A row of the accuracy table, and how it is measured."""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal

SR, N_SAMPLES = 8000, 2400
SINGLE = {"f": np.float32, "c": np.complex64}
DOUBLE = {"f": np.float64, "c": np.complex128}

Inputs = dict[str, np.ndarray]


@functools.cache
def signals(n_samples: int = N_SAMPLES, sr: int = SR) -> Inputs:
    """Noise, a sweep over the audible part and an impulse, whose samples are float32 numbers."""
    t = np.arange(n_samples) / sr
    return rounded(
        {
            "noise": np.random.default_rng(0).standard_normal(n_samples),
            "sweep": scipy.signal.chirp(t, 60, t[-1], 0.48 * sr, method="logarithmic"),
            "impulse": np.eye(1, n_samples, 2 * n_samples // 3)[0],
        }
    )


def loud() -> Inputs:
    """The signals whose frames are either loud in every band or silent."""
    return {name: y for name, y in signals().items() if name != "sweep"}


def rounded(inputs: Inputs) -> Inputs:
    """The inputs as float64 or complex128, with values that float32 holds exactly."""
    return {name: x.astype(SINGLE[x.dtype.kind]).astype(DOUBLE[x.dtype.kind]) for name, x in inputs.items()}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: a transform, its exact values, and a peer; each takes one input."""

    transform: str
    covers: tuple[str, ...]
    definition: str
    ours: Callable[[np.ndarray], Any]
    exact: Callable[[np.ndarray], Any]
    peer: str = "none"
    theirs: Callable[[np.ndarray], Any] | None = None
    inputs: Callable[[], Inputs] = signals
    unit: str = "peak"
    """"peak": errors are parts of the largest exact value. "dB": they are what they are."""


def quietly(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a peer without its warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return call(*args, **options)


def arrays(result: Any) -> list[np.ndarray]:
    """The arrays of a result, one or several, in double precision."""
    parts = result if isinstance(result, tuple | list) else [result]
    return [np.asarray(part).astype(DOUBLE[np.asarray(part).dtype.kind]) for part in parts]


def distance(actual: Any, other: Any, exact: Any, unit: str) -> float:
    """The largest difference between two results; as a part of the largest exact value unless these are levels."""
    largest = 0.0
    for a, b, e in zip(arrays(actual), arrays(other), arrays(exact), strict=True):
        if not a.shape == b.shape == e.shape:
            raise ValueError(f"shapes {a.shape}, {b.shape} and {e.shape} differ")
        scale = 1.0 if unit == "dB" else float(np.abs(e).max()) or 1.0
        difference = float(np.abs(a - b).max()) / scale
        if not np.isfinite(difference):
            raise ValueError("a result is not finite")
        largest = max(largest, difference)
    return largest


def measured(case: Case) -> dict[str, Any]:
    """Measure one row: for each column the largest error over the inputs, and where it is that of float32."""
    errors: dict[str, float] = {}
    largest = 0.0
    for x in case.inputs().values():
        exact = case.exact(x)
        single = case.ours(x.astype(SINGLE[x.dtype.kind]))
        for part in single if isinstance(single, tuple | list) else [single]:
            if part.dtype not in (np.float32, np.complex64):
                raise ValueError(f"{case.transform}: float32 became {part.dtype}")
        double = case.ours(x)
        pairs = {"float32": (single, exact), "float64": (double, exact)}
        if case.theirs is not None:
            theirs = quietly(case.theirs, x)
            pairs |= {"float32 to peer": (single, theirs), "float64 to peer": (double, theirs)}
            pairs |= {"peer": (theirs, exact)}
        for name, (one, other) in pairs.items():
            errors[name] = max(errors.get(name, 0.0), distance(one, other, exact, case.unit))
        largest = max([largest, *(float(np.abs(part).max()) for part in arrays(exact))])
    return {
        "transform": case.transform,
        "covers": list(case.covers),
        "definition": case.definition,
        "peer": case.peer,
        "unit": case.unit,
        "largest": short(largest),
        "errors": {name: short(error) for name, error in errors.items()},
    }


def measured_quiet(case: Case, n_samples: int = N_SAMPLES) -> dict[str, Any]:
    """Measure a row on the sweep alone, beside the peer in both dtypes."""
    y = signals(n_samples)["sweep"]
    exact = case.exact(y)
    errors = {}
    for dtype in (np.float32, np.float64):
        name = np.dtype(dtype).name
        errors[name] = short(distance(case.ours(y.astype(dtype)), exact, exact, case.unit))
        if case.theirs is not None:
            theirs = quietly(case.theirs, y.astype(dtype))
            errors[f"peer {name}"] = short(distance(theirs, exact, exact, case.unit))
    return {"transform": case.transform, "unit": case.unit, "peer": case.peer, "errors": errors}


def short(number: float) -> float:
    """The number with three digits."""
    return float(f"{number:.2e}")
