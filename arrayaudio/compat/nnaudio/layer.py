"""What all of nnAudio's classes share: being called, signals with one channel, and pairs for complex numbers."""

import copy
import functools
from dataclasses import fields, replace
from typing import Any, Self, TypeVar

from arrayaudio.arrays import Array, ArrayLike, asarray, check_device, namespace
from arrayaudio.checks import one_of, real
from arrayaudio.errors import ParameterError
from arrayaudio.signals import as_real, as_signal
from arrayaudio.transforms.base import Transform
from arrayaudio.transforms.params import bare
from arrayaudio.windows import Window

T = TypeVar("T", bound=Transform)

# What nnAudio's flags are called here.
LEARNED = {
    "trainable": "trainable",
    "trainable_CQT": "trainable",
    "trainable_STFT": "trainable_stft",
    "trainable_bins": "trainable_bins",
    "trainable_mel": "trainable_mel",
}
OUTPUT_FORMATS = {"Magnitude": "magnitude", "Complex": "complex", "Phase": "phase"}


class Layer:
    """A callable with the methods of a torch module that make sense for arrays; the array decides where work happens.

    `transform` is the transform of arrayaudio behind it.
    """

    def __init__(self, transform: Transform, **trainable: Any) -> None:
        flags: dict[str, Any] = {}
        for name, value in trainable.items():
            if one_of(name, value, (True, False)):
                if LEARNED.get(name) not in {field.name for field in fields(transform)}:
                    raise ParameterError(f"{name}=True: {type(self).__name__} has nothing to learn by that name here")
                flags[LEARNED[name]] = True
        self.transform = replace(transform, **flags) if flags else transform
        self._device: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The arrays that the layer learns, by name, as those of its transform."""
        return self.transform.params

    def with_params(self, params: dict[str, Any]) -> Self:
        """Return a copy of the layer that computes with other arrays: see `with_params` of its transform."""
        changed = copy.copy(self)
        changed.transform = self.transform.with_params(params)
        return changed

    def forward(self, *args: Any, **options: Any) -> Any:
        """Do the work; calling the layer is the same."""
        raise NotImplementedError

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return `forward` of the same arguments."""
        return self.forward(*args, **options)

    def to(self, device: Any) -> Self:
        """Move all input to `device` from now on: "cpu", "cuda", "cuda:N", or None to let it be; return the layer."""
        place = None if device is None else str(device)
        check_device(place)
        self._device = place
        return self

    def cuda(self, device: int | None = None) -> Self:
        """Move all input to the GPU from now on."""
        return self.to("cuda" if device is None else f"cuda:{device}")

    def cpu(self) -> Self:
        """Move all input to host memory from now on."""
        return self.to("cpu")

    def eval(self) -> Self:
        """Return the layer, which is always ready."""
        return self

    def _signals(self, x: ArrayLike) -> Array:
        """Bring in (n_samples,), (batch, n_samples) or (batch, 1, n_samples), and return (batch, n_samples)."""
        y = as_signal(asarray(x, device=self._device))
        if y.ndim == 1:
            return y[None, :]
        if y.ndim == 3 and y.shape[1] == 1:
            return y[:, 0, :]
        if y.ndim != 2:
            raise ParameterError(
                f"signal has shape {y.shape}: must be (n_samples,), (batch, n_samples) or (batch, 1, n_samples)"
            )
        return y

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.transform!r})"


@functools.lru_cache(maxsize=64)
def _variant(transform: T, **changes: Any) -> T:
    return replace(transform, **changes)


def variant(transform: T, **changes: Any) -> T:
    """The transform with other settings, made once, and with its own arrays if it has any."""
    made = _variant(bare(transform), **changes)
    return made._with(transform._given) if transform._given else made


def checked_format(output_format: Any) -> str:
    """Return one of nnAudio's output formats, or raise ParameterError."""
    return str(one_of("output_format", output_format, OUTPUT_FORMATS))


def named(window: Any) -> Window:
    """SciPy takes a number for the shape of a Kaiser window."""
    return ("kaiser", real("window", window)) if isinstance(window, int | float) else window


def as_pairs(X: Array) -> Array:
    """Complex (...) -> real (..., 2)."""
    xp = namespace(X)
    return xp.stack([xp.real(X), xp.imag(X)], axis=-1)


def from_pairs(pairs: Array, name: str = "spectrum") -> Array:
    """Real (batch, freq, time, 2) -> complex (batch, freq, time), or raise."""
    values = as_real(pairs, name)
    if values.ndim != 4 or values.shape[-1] != 2:
        raise ParameterError(
            f"{name} has shape {values.shape}: must be (batch, freq, time, 2), with real and imaginary parts; for "
            "magnitudes there is Griffin_Lim"
        )
    return values[..., 0] + 1j * values[..., 1]
