"""What comes before and after a transform in the front ends of models: one small step each, held as data."""

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.checks import one_of, real, whole
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.filterbanks import NORMS, mel
from arrayaudio.frames import pad
from arrayaudio.project import mix_rows
from arrayaudio.scales import MEL_SCALES, mel_frequencies
from arrayaudio.spectrum import Scaling, limit_range, scaled
from arrayaudio.transforms.step import Step

BASES = ("e", "10")


@dataclass(frozen=True)
class Affine(Step):
    """(x + shift) * scale, with one number or one for each row of features."""

    shift: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        for name in ("shift", "scale"):
            value = getattr(self, name)
            rows = isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1
            self._set(**{name: tuple(real(name, v) for v in value) if rows else real(name, value)})

    def __call__(self, x: Array, transform: Any) -> Array:
        shift, scale = (self._fitting(name, x) for name in ("shift", "scale"))
        return x * scale if self.shift == 0 else (x + shift) * scale

    def _fitting(self, name: str, x: Array) -> Any:
        value = getattr(self, name)
        if isinstance(value, float):
            return value
        if x.ndim < 2 or x.shape[-2] != len(value):
            raise ParameterError(f"{name} has {len(value)} values: must be as many as rows of shape {tuple(x.shape)}")
        return Constant(np.array(value)[:, None]).like(x)


@dataclass(frozen=True)
class Preemphasis(Step):
    """y[t] - coef y[t - 1] along the signal, before which there is silence."""

    separate: ClassVar[bool] = False
    coef: float = 0.97

    def __post_init__(self) -> None:
        self._set(coef=real("coef", self.coef))

    def __call__(self, x: Array, transform: Any) -> Array:
        return namespace(x).concat([x[..., :1], x[..., 1:] - self.coef * x[..., :-1]], axis=-1)


@dataclass(frozen=True)
class Reflect(Step):
    """Mirror images of (frame - hop) / 2 samples on both sides, so that there is one frame for each hop.

    With `whole`, zeros behind these make up for the samples that are missing to a multiple of the hop.
    """

    separate: ClassVar[bool] = False
    whole: bool = False

    def __post_init__(self) -> None:
        one_of("whole", self.whole, (True, False))

    def __call__(self, x: Array, transform: Any) -> Array:
        padding, n = self.start(transform), x.shape[-1]
        if n <= padding:
            raise ParameterError(f"signal has {n} samples: must have at least {padding + 1} to be mirrored")
        xp, padded = namespace(x), pad(x, padding, "reflect")
        missing = self.length(n, transform) - padded.shape[-1]
        return xp.concat([padded, xp.zeros((*x.shape[:-1], missing), dtype=x.dtype)], axis=-1) if missing else padded

    def length(self, n_samples: int, transform: Any) -> int:
        missing = -n_samples % transform.hop_length if self.whole else 0
        return n_samples + 2 * self.start(transform) + missing

    def start(self, transform: Any) -> int:
        return max(0, (transform.n_fft - transform.hop_length) // 2)

    def shortest(self, n_samples: int, transform: Any) -> int:
        padding = self.start(transform)
        needed = n_samples - 2 * padding
        if self.whole:
            needed = (needed - 1) // transform.hop_length * transform.hop_length + 1
        return max(needed, padding + 1)


@dataclass(frozen=True)
class Root(Step):
    """sqrt(S + offset): magnitudes of powers, with a gradient at silence."""

    offset: float = 0.0

    def __post_init__(self) -> None:
        self._set(offset=real("offset", self.offset, least=0))

    def __call__(self, x: Array, transform: Any) -> Array:
        return namespace(x).sqrt(x + self.offset)


@dataclass(frozen=True)
class Bands(Step):
    """Mel bands of the rows of an FFT: see `filters.mel`."""

    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    mel_scale: str = "slaney"
    norm: str | None = "slaney"

    def __post_init__(self) -> None:
        one_of("mel_scale", self.mel_scale, MEL_SCALES)
        one_of("norm", self.norm, NORMS)
        self._set(n_mels=whole("n_mels", self.n_mels), fmin=real("fmin", self.fmin, least=0))

    def __call__(self, x: Array, transform: Any) -> Array:
        return mix_rows(x, _bank(self, transform.sr, transform.n_fft))

    def rows(self, frequencies: np.ndarray, transform: Any) -> np.ndarray:
        fmax = transform.sr / 2 if self.fmax is None else self.fmax
        return mel_frequencies(self.n_mels + 2, fmin=self.fmin, fmax=fmax, mel_scale=self.mel_scale)[1:-1]


@functools.lru_cache(maxsize=16)
def _bank(bands: Bands, sr: float, n_fft: int) -> Constant:
    return Constant(mel(sr=sr, n_fft=n_fft, **dataclasses.asdict(bands)))


@dataclass(frozen=True)
class PerWindow(Step):
    """Powers divided by the energy of the window, as torchaudio's `normalized=True` divides magnitudes by its root."""

    def __call__(self, x: Array, transform: Any) -> Array:
        return x * float(1 / np.sum(transform.frame_window.value**2))


@dataclass(frozen=True)
class Log(Step):
    """log(max(S, floor)), or, without a floor, log(S + offset)."""

    offset: float = 0.0
    floor: float | None = None
    base: str = "e"

    def __post_init__(self) -> None:
        one_of("base", self.base, BASES)
        self._set(offset=real("offset", self.offset, least=0))
        if (self.floor is None) == (self.offset == 0):
            raise ParameterError(f"floor={self.floor!r}, offset={self.offset!r}: give one of the two, above 0")
        if self.floor is not None:
            self._set(floor=real("floor", self.floor, above=0))

    def __call__(self, x: Array, transform: Any) -> Array:
        if self.floor is not None:
            return scaled(x, Scaling(1.0, self.floor, "e" if self.base == "e" else "10"))
        xp = namespace(x)
        return (xp.log if self.base == "e" else xp.log10)(x + self.offset)


@dataclass(frozen=True)
class WithoutLast(Step):
    """All frames but the last."""

    separate: ClassVar[bool] = False

    def __call__(self, x: Array, transform: Any) -> Array:
        if x.shape[-1] < 2:
            raise ParameterError("signal gives 1 frame: must give at least 2, as the last one is left out")
        return x[..., :-1]

    def columns(self, times: np.ndarray) -> np.ndarray:
        return times[:-1]

    def needs(self, n_frames: int) -> int:
        return n_frames + 1


@dataclass(frozen=True)
class Limit(Step):
    """Levels more than `span` under the loudest of their item are raised to that level."""

    separate: ClassVar[bool] = False
    span: float = 8.0

    def __post_init__(self) -> None:
        self._set(span=real("span", self.span, least=0))

    def __call__(self, x: Array, transform: Any) -> Array:
        return limit_range(x, self.span)


@dataclass(frozen=True)
class PerFeature(Step):
    """(S - mean) / (deviation + eps) of each row over its n frames, the deviation counting n - 1 of them."""

    separate: ClassVar[bool] = False
    eps: float = 1e-5

    def __post_init__(self) -> None:
        self._set(eps=real("eps", self.eps, above=0))

    def __call__(self, x: Array, transform: Any) -> Array:
        xp, n = namespace(x), x.shape[-1]
        if n < 2:
            raise ParameterError("signal gives 1 frame: must give at least 2, which have a deviation")
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.sum(centred * centred, axis=-1, keepdims=True) / (n - 1)
        return centred / (xp.sqrt(variance) + self.eps)

    def needs(self, n_frames: int) -> int:
        return max(2, n_frames)


@dataclass(frozen=True)
class Stack(Step):
    """Every `every`-th frame with those around it, `size` in all, on top of each other, the earliest first.

    The first frame is repeated before the beginning, the last one behind the end (FunASR's low frame rate).
    """

    separate: ClassVar[bool] = False
    size: int = 7
    every: int = 6

    def __post_init__(self) -> None:
        self._set(size=whole("size", self.size), every=whole("every", self.every))

    def __call__(self, x: Array, transform: Any) -> Array:
        xp, index = namespace(x), self._index(x.shape[-1])
        return xp.concat([xp.take(x, xp.asarray(places), axis=-1) for places in index], axis=-2)

    def _index(self, n: int) -> np.ndarray:
        """Which frames are stacked: (size, n_stacks)."""
        first = np.arange(0, n, self.every) - (self.size - 1) // 2
        return np.clip(first + np.arange(self.size)[:, None], 0, n - 1)

    def rows(self, frequencies: np.ndarray, transform: Any) -> np.ndarray:
        return np.tile(frequencies, self.size)

    def columns(self, times: np.ndarray) -> np.ndarray:
        return times[:: self.every]

    def needs(self, n_frames: int) -> int:
        return (n_frames - 1) * self.every + 1


@dataclass(frozen=True)
class Patches(Step):
    """Patches of `size` frames, one after the other, (..., n_patches, freq, size), without those that fill none."""

    separate: ClassVar[bool] = False
    size: int = 96

    def __post_init__(self) -> None:
        self._set(size=whole("size", self.size))

    def __call__(self, x: Array, transform: Any) -> Array:
        xp, count = namespace(x), x.shape[-1] // self.size
        if count == 0:
            raise ParameterError(f"signal gives {x.shape[-1]} frames: must give at least {self.size}, those of a patch")
        cut = xp.reshape(x[..., : count * self.size], (*x.shape[:-1], count, self.size))
        return xp.moveaxis(cut, -2, -3)

    def columns(self, times: np.ndarray) -> np.ndarray:
        return times[: len(times) // self.size * self.size].reshape(-1, self.size)

    def needs(self, n_frames: int) -> int:
        return -(-n_frames // self.size) * self.size


STEPS = {
    step.__name__: step
    for step in (
        Affine,
        Bands,
        Limit,
        Log,
        Patches,
        PerFeature,
        PerWindow,
        Preemphasis,
        Reflect,
        Root,
        Stack,
        WithoutLast,
    )
}
