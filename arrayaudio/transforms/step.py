"""What all steps around a transform share."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arrayaudio.arrays import Array


@dataclass(frozen=True)
class Step:
    """Base of all steps: called on a signal (..., n_samples) or features (..., freq, time) and the transform.

    What it does to the axes follows from what it does to frequencies (freq,), to times (time,) in seconds, and to the
    number of samples.
    """

    separate: ClassVar[bool] = True
    """Whether samples, or frames, are changed each by itself."""

    def __call__(self, x: Array, transform: Any) -> Array:
        """Return the changed signal or features."""
        raise NotImplementedError

    def rows(self, frequencies: np.ndarray, transform: Any) -> np.ndarray:
        """Return the frequencies of the rows after the step."""
        return frequencies

    def columns(self, times: np.ndarray) -> np.ndarray:
        """Return the times of the columns after the step."""
        return times

    def length(self, n_samples: int, transform: Any) -> int:
        """Return the number of samples after the step."""
        return n_samples

    def start(self, transform: Any) -> int:
        """Return how many samples the step puts before a signal."""
        return 0

    def shortest(self, n_samples: int, transform: Any) -> int:
        """Return how many samples the step needs to give `n_samples`."""
        return n_samples

    def needs(self, n_frames: int) -> int:
        """Return how many frames the step needs to give `n_frames`."""
        return n_frames

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)
