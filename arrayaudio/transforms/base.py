"""What all transforms share: settings that are checked once, hash and compare by value, and calling."""

import dataclasses
import functools
import importlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, dataclass_transform

import numpy as np

from arrayaudio.arrays import Array, ArrayLike, asarray, check_device, device, dtype_name, on_device_of
from arrayaudio.checks import mapping, one_of, whole
from arrayaudio.errors import ParameterError
from arrayaudio.parts import in_parts
from arrayaudio.pcm import in_floats
from arrayaudio.plan import Plan, spectrogram, written
from arrayaudio.signals import as_signal, require_finite
from arrayaudio.transforms.defaults import defaults_of
from arrayaudio.transforms.output import require_output
from arrayaudio.transforms.params import Learnable, bare, moved

T = TypeVar("T", bound="Transform")

# What draws stands above the transforms, and is looked up by its name.
PICTURES = "arrayaudio.ext.plot"
ALIASES = {"sample_rate": "sr", "f_min": "fmin", "f_max": "fmax", "output_format": "output"}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def settings(cls: type[T]) -> type[T]:
    """Make `cls` a frozen dataclass with keyword-only settings that may also be spelled by their aliases.

    `compat` names a library whose defaults stand in for settings that are not given.
    """
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
        compat = options.pop("compat", None)
        if compat is not None:
            options = defaults_of(made.__name__, compat, options) | options
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
    plan, given = _compiled(bare(transform)), transform._given
    return dataclasses.replace(plan, precision=transform._precision, **given) if given else plan


@settings
class Transform(Learnable):
    """Base of all transforms: frozen settings, called on a signal (..., n_samples).

    `device="cuda"` moves signals there first; without it the signal decides. `check_finite=False` skips the search
    for NaN and infinite samples, which then spoil the frames they are in. `pcm=True` takes integers for PCM, as
    `pcm_to_float` does; without it they are refused.
    """

    reads_stored: ClassVar[bool] = False
    """Whether signals go to `spectrogram` first, which may read them as they are stored."""

    device: str | None = None
    check_finite: bool = True
    pcm: bool = False
    if TYPE_CHECKING:
        compat: str | None = None  # an argument, but no setting: see `settings`

    def __post_init__(self) -> None:
        check_device(self.device)
        one_of("check_finite", self.check_finite, (True, False))
        one_of("pcm", self.pcm, (True, False))

    def __call__(self, y: ArrayLike, *, out: Array | None = None, memory_budget: int | None = None) -> Array:
        """Transform a signal (..., n_samples) into (..., freq, time).

        With `out`, the result is written there: an array of the result's shape and dtype, contiguous, and where the
        signal is. Large results are faster in memory that is used again. In place of float32 it may have float16,
        where numbers above 65504 become infinite. With `memory_budget`, signals are processed in chunks that take
        about as many bytes at most, beside the signal and the result; both may be memory-mapped.

        float16 is computed in float32, and so is int16 with `pcm`. On a GPU, spectra and bands read it as it is.
        """
        if memory_budget is not None:
            return self._in_chunks(y, whole("memory_budget", memory_budget, most=2**63 - 1), out)
        signal = self._taken(y)
        if out is None:
            return in_parts(self._apply, signal, recorded=self._recorded)
        with on_device_of(signal):
            return self._fill(out, signal)

    def _checked(self, y: ArrayLike) -> Array:
        """Return a signal in floating point, where this transform wants it, or raise."""
        given = asarray(y, device=self.device)
        signal = as_signal(in_floats(given) if self.pcm else given)
        if self.check_finite:
            require_finite(signal)
        return signal

    def _taken(self, y: ArrayLike) -> Array:
        """Return a signal as it is stored, if a GPU reads it so, and `_checked` else."""
        signal = asarray(y, device=self.device)
        stored = ("float16", "int16") if self.pcm else ("float16",)
        as_it_is = self.reads_stored and not self._given and self._precision is None
        if as_it_is and dtype_name(signal) in stored and device(signal) != "cpu" and signal.ndim and signal.shape[-1]:
            return signal
        return self._checked(signal)

    def _apply(self, y: Array) -> Array:
        return spectrogram(y, compiled(self))

    def _fill(self, out: Array, y: Array) -> Array:
        if type(self)._apply is Transform._apply:
            plan = compiled(self)
            require_output(out, y, plan.shape(y.shape), plan.dtype(dtype_name(y)))

            def write(y: Array, out: Array) -> tuple[()]:
                written(out, y, plan)
                return ()

            in_parts(write, y, out, recorded=self._recorded)
            return out
        result = in_parts(self._apply, y, recorded=self._recorded)
        require_output(out, y, result.shape, dtype_name(result))
        with np.errstate(over="ignore"):
            out[...] = result
        return out

    def _in_chunks(self, y: ArrayLike, budget: int, out: Array | None) -> Array:  # noqa: ARG002
        raise ParameterError(f"memory_budget={budget}: {type(self).__name__} takes the whole signal at once")

    def _plan(self) -> Plan:
        raise NotImplementedError

    def inverse(self, S: ArrayLike, *, length: int | None = None) -> Array:  # noqa: ARG002
        """Reconstruct a waveform of `length` samples, where that is possible; here it is not."""
        raise ParameterError(
            f"{type(self).__name__} has no inverse: it keeps neither the phase nor the fine structure of the spectrum"
        )

    def stream(self, channels: Any = None) -> Any:  # noqa: ARG002
        """Return this transform for a signal that comes block by block, where that is possible; here it is not."""
        raise ParameterError(f"{type(self).__name__} takes the whole signal at once, and cannot be streamed")

    def plot(
        self,
        S: ArrayLike,
        ax: Any = None,
        *,
        unit: str | None = None,
        vmin: float | None = None,
        vmax: float | None = None,
        cmap: str | None = None,
        colorbar: bool = True,
        title: str | None = None,
        size: Literal["screen", "paper"] = "screen",
    ) -> Any:
        """Draw what this transform returned of one signal, (freq, n_frames), into matplotlib axes or a new figure.

        The axes are those of the transform, in Hz, notes or coefficients, and seconds; the colour bar has the unit that
        the settings say, dB for magnitudes and powers. See `arrayaudio.ext.plot.spectrogram`, which this is.

        Parameters
        ----------
        S : array, shape (freq, n_frames)
        ax : matplotlib.axes.Axes, optional
        unit, vmin, vmax, cmap, colorbar, title, size
            As for `arrayaudio.ext.plot.spectrogram`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ParameterError
            If S is none of this transform, or holds several items.
        MissingExtraError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> import arrayaudio as aa
        >>> cqt = aa.CQT(sr=16000)
        >>> ax = cqt.plot(cqt(np.sin(np.arange(16000.0))), size="paper")
        >>> ax.get_ylabel()
        'note (Hz)'
        """
        options = {"unit": unit, "vmin": vmin, "vmax": vmax, "cmap": cmap, "colorbar": colorbar, "title": title}
        return importlib.import_module(PICTURES).spectrogram(S, self, ax, size=size, **options)

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
        options = mapping("settings", settings)
        name = options.pop("transform", None)
        if str(name) != cls.__name__:
            raise ParameterError(f"transform={name!r}: these settings are not those of {cls.__name__}")
        unknown = sorted(options.keys() - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise ParameterError(f"{cls.__name__} has no settings named {', '.join(unknown)}")
        required = {f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING}
        if missing := sorted(required - options.keys()):
            raise ParameterError(f"{cls.__name__} needs {', '.join(missing)} too")
        return cls(**options)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build the transform that `to_json` described; ParameterError if the text describes something else."""
        try:
            settings = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ParameterError(f"settings are not JSON ({error})") from error
        return cls.from_dict(settings)

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
