"""Places and labels on an axis, as many as there is room for when it is drawn; this file needs matplotlib."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import Formatter, Locator, MaxNLocator, NullLocator

# Heights of a letter from one label of a y axis to the next, at least.
SPACING = 1.3


class LandmarkLocator(Locator):
    """Places that mean something, and round numbers where fewer than two of them are in view.

    Of several choices the first is taken that has room. If none has, places are left out.
    """

    def __init__(self, choices: Sequence[tuple[float, ...]]) -> None:
        self.choices = choices

    def __call__(self) -> Any:
        """Places in view."""
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Places between two limits."""
        low, high = min(vmin, vmax), max(vmin, vmax)
        room = max(2, self._room())
        found: list[float] = []
        for choice in self.choices:
            found = [place for place in choice if low <= place <= high]
            if self._spread(found, low, high, room) == found:
                break
        if len(found) < 2:
            numbers = MaxNLocator(min(7, room), steps=[1, 2, 5, 10]).tick_values(low, high)
            found = [place for place in np.asarray(numbers).tolist() if low <= place <= high]
        return self._spread(found, low, high, room)

    def _room(self) -> int:
        """How many labels fit: matplotlib counts one for two letters' height, rounded down, or for three in width."""
        axis: Any = self.axis
        space = axis.get_tick_space()
        return space if axis.axis_name == "x" else int((space + 0.5) * 2 / SPACING)

    def _spread(self, places: list[float], low: float, high: float, room: int) -> list[float]:
        """Leave out what is too near to the one above."""
        to_scale = self.axis.get_transform().transform  # type: ignore[union-attr]
        start, end, *scaled = to_scale(np.array([low, high, *places])).tolist()
        kept: list[float] = []
        last = np.inf
        for place, where in sorted(zip(places, scaled, strict=True), reverse=True):
            if last - where >= (end - start) / room:
                kept.append(place)
                last = where
        return kept[::-1]


class LandmarkFormatter(Formatter):
    """Names of places, and numbers where they have none."""

    def __init__(self, names: Mapping[float, str]) -> None:
        self.names = names

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        """What is written at a place."""
        return self.names.get(x) or hertz(x)


def write(axis: Any, choices: Sequence[tuple[float, ...]], labels: Mapping[float, str]) -> None:
    """Label an axis at the first of some choices of places that has room; where there is no label, with the number."""
    axis.set_major_locator(LandmarkLocator(choices))
    axis.set_major_formatter(LandmarkFormatter(labels))
    axis.set_minor_locator(NullLocator())


def write_whole_numbers(axis: Any) -> None:
    """Label an axis with whole numbers."""
    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def hertz(frequency: float) -> str:
    """A frequency in Hz, with k for thousands."""
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"


def write_names(axis: Any, names: Sequence[str]) -> None:
    """Label an axis of numbers from 0 on with their names."""
    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(NumberedFormatter(names))


class NumberedFormatter(Formatter):
    """Names by their numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        """The name of a number."""
        return self.names[round(x)] if 0 <= round(x) < len(self.names) else ""
