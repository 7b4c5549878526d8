"""What all transforms share: settings that are checked once, hash and compare by value, and calling."""

import dataclasses
import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar, dataclass_transform

import numpy as np

from arrayaudio.arrays import (
    Array,
    ArrayLike,
    Constant,
    as_signal,
    asarray,
    check_device,
    dtype_name,
    on_device_of,
    require_finite,
)
from arrayaudio.checks import one_of, real, whole
from arrayaudio.errors import ParameterError
from arrayaudio.frames import PAD_MODES, Framing
from arrayaudio.plan import Plan, spectrogram, written
from arrayaudio.streaming.analysis import Analysis
from arrayaudio.streaming.base import Channels
from arrayaudio.transforms.by_frames import ByFrames
from arrayaudio.transforms.output import require_output
from arrayaudio.transforms.params import Learnable, bare, moved
from arrayaudio.windows import Window, centred_window, freeze_window

T = TypeVar("T", bound="Transform")

ALIASES = {"sample_rate": "sr", "f_min": "fmin", "f_max": "fmax", "output_format": "output"}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def settings(cls: type[T]) -> type[T]:
    """Make `cls` a frozen dataclass with keyword-only settings that may also be spelled by their aliases."""
    made = dataclass(frozen=True, kw_only=True, repr=False)(cls)
    checked_init = made.__init__
    names = {f.name for f in dataclasses.fields(made)}

    @functools.wraps(checked_init)
    def init(self: Any, **options: Any) -> None:
        for alias, name in ALIASES.items():
            if alias in options and name in names:
                if name in options:
                    both = f"{alias}={options[alias]!r} and {name}={options[name]!r}"
                    raise ParameterError(f"{both}: mean the same; give one of the two")
                options[name] = options.pop(alias)
        checked_init(self, **options)

    same_settings = made.__eq__

    def equal(self: Any, other: object) -> Any:
        same = same_settings(self, other)
        return same if same is NotImplemented else same and self._given == other._given  # type: ignore[attr-defined]

    made.__init__ = init  # type: ignore[method-assign]
    made.__eq__ = equal  # type: ignore[method-assign]
    return made


@functools.lru_cache(maxsize=64)
def _compiled(transform: "Transform") -> Plan:
    return transform._plan()


def compiled(transform: "Transform") -> Plan:
    """The plan of a transform, built once for all that have the same settings, with its own arrays if it has any."""
    plan = _compiled(bare(transform))
    return dataclasses.replace(plan, **transform._given) if transform._given else plan


@settings
class Transform(Learnable):
    """Base of all transforms: frozen settings, called on a signal (..., n_samples).

    `device="cuda"` moves signals there first; without it the signal decides. `check_finite=False` skips the search
    for NaN and infinite samples, which then spoil the frames they are in.
    """

    device: str | None = None
    check_finite: bool = True

    def __post_init__(self) -> None:
        check_device(self.device)
        one_of("check_finite", self.check_finite, (True, False))

    def __call__(self, y: ArrayLike, *, out: Array | None = None) -> Array:
        """Transform a signal (..., n_samples) into (..., freq, time).

        With `out`, the result is written there: an array of the result's shape and dtype, contiguous, and where the
        signal is. Large results are faster in memory that is used again.
        """
        signal = self._checked(y)
        with on_device_of(signal):
            return self._apply(signal) if out is None else self._fill(out, signal)

    def _checked(self, y: ArrayLike) -> Array:
        """Return a signal where this transform wants it, or raise."""
        signal = as_signal(asarray(y, device=self.device))
        if self.check_finite:
            require_finite(signal)
        return signal

    def _apply(self, y: Array) -> Array:
        return spectrogram(y, compiled(self))

    def _fill(self, out: Array, y: Array) -> Array:
        if type(self)._apply is Transform._apply:
            plan = compiled(self)
            require_output(out, y, plan.shape(y.shape), plan.dtype(dtype_name(y)))
            return written(out, y, plan)
        result = self._apply(y)
        require_output(out, y, result.shape, dtype_name(result))
        out[...] = result
        return out

    def _plan(self) -> Plan:
        raise NotImplementedError

    def inverse(self, S: ArrayLike, *, length: int | None = None) -> Array:  # noqa: ARG002
        """Reconstruct a waveform of `length` samples, where that is possible; here it is not."""
        raise ParameterError(
            f"{type(self).__name__} has no inverse: it keeps neither the phase nor the fine structure of the spectrum"
        )

    def _replace(self, **values: Any) -> None:
        """Put the checked form of a setting in its place; for `__post_init__` alone."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to(self, device: str | None) -> Self:
        """Return a copy that first moves its input to `device`: "cpu", "cuda", "cuda:N", or None to let it be."""
        return dataclasses.replace(self, device=device)._with(moved(self._given, device))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can hold."""
        values = {name: "inf" if value == math.inf else value for name, value in dataclasses.asdict(self).items()}
        return {"transform": type(self).__name__} | values

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Build the transform that `to_dict` described; ParameterError if it describes something else."""
        options = dict(settings)
        name = options.pop("transform", None)
        if name != cls.__name__:
            raise ParameterError(f"transform={name!r}: these settings are not those of {cls.__name__}")
        unknown = sorted(options.keys() - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise ParameterError(f"{cls.__name__} has no settings named {', '.join(unknown)}")
        return cls(**options)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build the transform that `to_json` described."""
        return cls.from_dict(json.loads(text))

    def __repr__(self) -> str:
        shown = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "window" and value and isinstance(value[0], float):
                value = f"<{len(value)} values>"
            elif value != field.default:
                value = repr(value)
            else:
                continue
            shown.append(f"{field.name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"


@settings
class Framed(Transform):
    """Base of the transforms whose columns are frames of the signal, `hop_length` samples apart."""

    sr: float | None
    hop_length: int | None = None
    center: bool = True
    pad_mode: str = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("center", self.center, (True, False))
        one_of("pad_mode", self.pad_mode, PAD_MODES)
        if self.sr is not None:
            self._replace(sr=real("sr", self.sr, above=0))

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        raise NotImplementedError

    @property
    def min_length(self) -> int:
        """The shortest signal that can be transformed, in samples."""
        return self.framing.min_length

    def stream(self, channels: Channels = None) -> Analysis:
        """Return this transform for a signal that comes block by block: see `Analysis`.

        Parameters
        ----------
        channels : None, int or tuple
            Shape of the blocks before their last axis: (n,), (channels, n) or (*channels, n).

        Raises
        ------
        ParameterError
            If results depend on the whole signal.
        """
        steps = self._by_frames()
        if steps.span is not None:
            raise ParameterError(
                f"top_db={steps.span!r}: counts from the loudest value of the whole signal, which a stream does not "
                "know; use top_db=None"
            )
        return Analysis(self.framing, self._checked, lambda y: steps.finish(steps.run(y)), channels)

    def _by_frames(self) -> ByFrames:
        """The transform as steps that act on each frame by itself, or ParameterError if there are none."""
        return ByFrames(self._uncentred()._apply)

    def _uncentred(self, **changes: Any) -> Self:
        """A copy with the frames that lie inside the signal."""
        return dataclasses.replace(self, center=False, **changes)._with(self._given)

    def n_frames(self, n_samples: int) -> int:
        """The number of frames that a signal of `n_samples` samples gives."""
        return self.framing.n_frames(whole("n_samples", n_samples, most=2**63 - 1))

    def _known_sr(self) -> float:
        if self.sr is None:
            raise ParameterError("sr=None: Hz and seconds need the sampling rate; build the transform with sr=...")
        return self.sr

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency of each row in Hz."""
        raise NotImplementedError

    def times(self, n_samples: int) -> np.ndarray:
        """Time of the middle of each frame in seconds, for a signal of `n_samples` samples."""
        framing = self.framing
        middle = 0.0 if self.center else framing.frame_length / 2
        return (np.arange(self.n_frames(n_samples)) * framing.hop_length + middle) / self._known_sr()


@settings
class FramedTransform(Framed):
    """Base of the transforms whose frames are windowed, and have `n_fft` samples."""

    n_fft: int = 2048
    win_length: int | None = None
    window: Window = "hann"

    def __post_init__(self) -> None:
        super().__post_init__()
        n_fft = whole("n_fft", self.n_fft)
        win_length = n_fft if self.win_length is None else whole("win_length", self.win_length)
        if win_length > n_fft:
            raise ParameterError(f"win_length={win_length}: must be at most n_fft={n_fft}")
        hop = max(1, win_length // 4) if self.hop_length is None else whole("hop_length", self.hop_length)
        window = freeze_window(self.window, win_length)
        self._replace(n_fft=n_fft, win_length=win_length, hop_length=hop, window=window)

    @property
    def framing(self) -> Framing:
        """How signals are cut into frames."""
        assert self.hop_length is not None
        return Framing(self.n_fft, self.hop_length, self.n_fft // 2 if self.center else 0, self.pad_mode)

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        plan = compiled(self)
        found = {"window": lambda: plan.window.value, "basis": plan.fourier_basis}
        return found if plan.bank is None else found | {"bank": lambda: plan.bank.value}

    @property
    def _shapes(self) -> dict[str, Any]:
        found = {"window": (self.n_fft,), "basis": (2, self._n_rows, self.n_fft)}
        return found if self._n_bands is None else found | {"bank": (self._n_bands, self._n_rows)}

    @property
    def _n_rows(self) -> int:
        """The number of rows before the bands."""
        return 1 + self.n_fft // 2

    @property
    def _n_bands(self) -> int | None:
        """The number of bands, if the spectrum is gathered into any."""
        return None

    @property
    def frame_window(self) -> Constant:
        """The window in the middle of a frame of `n_fft` samples."""
        assert self.win_length is not None
        return Constant(centred_window(self.window, self.win_length, self.n_fft))
