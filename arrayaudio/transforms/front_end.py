"""Front ends of models: a transform with steps before and after it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, contiguous
from arrayaudio.checks import mapping, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.streaming.analysis import Analysis
from arrayaudio.streaming.base import Channels
from arrayaudio.transforms.base import Transform, settings
from arrayaudio.transforms.framed import FramedTransform
from arrayaudio.transforms.lfcc import LFCC
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.ragged import Ragged, filled, require_alike
from arrayaudio.transforms.step import Step
from arrayaudio.transforms.steps import STEPS
from arrayaudio.transforms.stft import STFT

__all__ = ["FrontEnd"]

CORES: dict[str, type[FramedTransform]] = {kind.__name__: kind for kind in (STFT, MelSpectrogram, MFCC, LFCC)}


@settings
class FrontEnd(Transform):
    """A transform with steps before it, on the signal, and after it, on the features: what a model takes.

    `aa.presets.get` makes those of well-known models.

    Parameters
    ----------
    core : STFT, MelSpectrogram, MFCC or LFCC
        The transform.
    before, after : sequence of steps
        From `arrayaudio.transforms.steps`, in the order in which they are taken.
    device : str, optional
        As for `STFT`; that of the core does not count.

    Returns
    -------
    array, shape (..., freq, time), or (..., n_patches, freq, time)

    Raises
    ------
    ParameterError
        If a part is of another kind, or a signal is too short for a step.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> whisper = aa.presets.get("whisper")
    >>> whisper(np.ones(16000, dtype=np.float32)).shape
    (80, 100)
    >>> whisper.after
    (WithoutLast(), Limit(span=8.0), Affine(shift=4.0, scale=0.25))
    """

    core: FramedTransform
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.core) not in CORES.values():
            raise ParameterError(f"core={self.core!r}: must be one of {', '.join(CORES)}")
        for name in ("before", "after"):
            steps = getattr(self, name)
            if not isinstance(steps, list | tuple) or not all(type(step) in STEPS.values() for step in steps):
                raise ParameterError(f"{name}={steps!r}: must be steps, such as steps.Affine(scale=0.5)")
            self._replace(**{name: tuple(steps)})

    @property
    def sr(self) -> float | None:
        """Sampling rate in Hz."""
        return self.core.sr

    @property
    def hop_length(self) -> int | None:
        """Samples between the frames of the core."""
        return self.core.hop_length

    @property
    def min_length(self) -> int:
        """The shortest signal that can be transformed, in samples."""
        framing, n_frames = self.core.framing, 1
        for step in reversed(self.after):
            n_frames = step.needs(n_frames)
        held = framing.frame_length - 2 * framing.padding + (n_frames - 1) * framing.hop_length
        n_samples = max(framing.min_length, held)
        for step in reversed(self.before):
            n_samples = step.shortest(n_samples, self.core)
        return n_samples

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        return self.core._arrays

    @property
    def _shapes(self) -> dict[str, Any]:
        return self.core._shapes

    @property
    def _learned(self) -> tuple[str, ...]:
        return self.core._learned

    def _apply(self, y: Array) -> Array:
        return self._finished(self.core._with(self._given)._apply(self._prepared(y)))

    def _prepared(self, y: Array) -> Array:
        for step in self.before:
            y = step(y, self.core)
        return y

    def _finished(self, S: Array) -> Array:
        for step in self.after:
            S = step(S, self.core)
        return contiguous(S)

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz, or number of each cepstral coefficient."""
        found = self.core.frequencies
        for step in self.after:
            found = step.rows(found, self.core)
        return found

    def times(self, n_samples: int) -> np.ndarray:
        """Time of the middle of each frame in seconds: (time,), or (n_patches, time)."""
        start = sum(step.start(self.core) for step in self.before)
        return self._columns(self.core.times(self._n_prepared(n_samples)) - start / self.core._known_sr())

    def n_frames(self, n_samples: int) -> int:
        """The number of frames that a signal of `n_samples` samples gives, those of all patches together."""
        nothing = np.broadcast_to(np.int8(0), (self.core.n_frames(self._n_prepared(n_samples)),))
        return self._columns(nothing).size

    def _n_prepared(self, n_samples: int) -> int:
        """Samples after the steps before."""
        n = whole("n_samples", n_samples, most=2**63 - 1)
        for step in self.before:
            n = step.length(n, self.core)
        return n

    def _columns(self, found: np.ndarray) -> np.ndarray:
        """What is left of a value for each frame after the steps after."""
        for step in self.after:
            found = step.columns(found)
        return found

    def stream(self, channels: Channels = None) -> Analysis:
        """Return this front end for a signal that comes block by block: see `MelSpectrogram.stream`.

        Raises
        ------
        ParameterError
            If a step needs more than a sample or a frame at a time.
        """
        wide = [type(step).__name__ for step in self.before + self.after if not step.separate]
        if wide:
            raise ParameterError(
                f"{', '.join(wide)}: need more than a frame of the signal, which a stream does not have; stream the "
                "core, and do the rest when all is there"
            )
        steps = self.core._with(self._given)._by_frames()
        if steps.span is not None:
            raise ParameterError(f"top_db={steps.span!r}: needs the whole signal; use top_db=None")
        return Analysis(
            self.core.framing,
            self._checked,
            lambda y: self._finished(steps.finish(steps.run(self._prepared(y)))),
            channels,
        )

    def ragged(self, clips: Sequence[ArrayLike], *, fill: float = 0.0) -> Ragged:
        """Transform clips of different lengths, each by itself, into one padded array: see `MelSpectrogram.ragged`.

        Raises
        ------
        ParameterError
            If there is no clip, clips do not fit together or are too short, or they give different numbers of patches.
        """
        if not isinstance(clips, list | tuple) or not clips:
            raise ParameterError(f"clips of type {type(clips).__name__}: must be a list or tuple of one signal or more")
        signals = [self._checked(clip) for clip in clips]
        require_alike(signals)
        return filled([self(signal) for signal in signals], real("fill", fill))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can hold."""
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(Transform)}
        steps = {
            name: [{"step": type(step).__name__} | dataclasses.asdict(step) for step in getattr(self, name)]
            for name in ("before", "after")
        }
        return {"transform": type(self).__name__, "core": self.core.to_dict()} | steps | shared

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Build the front end that `to_dict` described; ParameterError if it describes something else."""
        options = mapping("settings", settings)
        if "core" in options:
            core = options["core"]
            kind = CORES.get(str(core.get("transform"))) if isinstance(core, dict) else None
            if kind is None:
                raise ParameterError(f"core={core!r}: must be the settings of one of {', '.join(CORES)}")
            options["core"] = kind.from_dict(core)
        for name in ("before", "after"):
            if name in options:
                if not isinstance(options[name], list | tuple):
                    raise ParameterError(f"{name}={options[name]!r:.80}: must be a list of the settings of steps")
                options[name] = tuple(map(_step, options[name]))
        return super().from_dict(options)


def _step(described: Any) -> Step:
    options = mapping("step", described)
    kind = STEPS.get(str(options.pop("step", None)))
    if kind is None:
        raise ParameterError(f"{described!r}: must be the settings of one of the steps {', '.join(STEPS)}")
    unknown = sorted(options.keys() - {field.name for field in dataclasses.fields(kind)})
    if unknown:
        raise ParameterError(f"{kind.__name__} has no settings named {', '.join(unknown)}")
    return kind(**options)
