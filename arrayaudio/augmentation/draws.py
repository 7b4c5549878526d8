"""Random draws for the items of a batch.

They are made on the CPU, for each item by a generator of its own: the same seed gives an item the same draws on every
library and device, and whatever stands behind it in the batch.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from arrayaudio.checks import real, seed_of
from arrayaudio.errors import ParameterError

Range = float | tuple[float, float]


def generators_of(seed: int | None, batch: Sequence[int]) -> list[np.random.Generator]:
    """A generator for each item of a batch, which does not depend on how many there are."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed_of(seed)).spawn(math.prod(batch))]


def from_range(name: str, value: Any, generators: list[np.random.Generator], **rule: float) -> list[float]:
    """A number for each item: the one that is given, or one drawn evenly from a range."""
    if not isinstance(value, tuple | list):
        return [real(name, value, **rule)] * len(generators)
    if len(value) != 2:
        raise ParameterError(f"{name}={value!r}: must be a number, or a range (low, high)")
    low, high = (real(name, end, **rule) for end in value)
    if low > high:
        raise ParameterError(f"{name}={value!r}: must be a range (low, high) with low <= high")
    return [float(generator.uniform(low, high)) for generator in generators]
