"""Arrays of a transform's own, in the place of those that its settings define: what is given, and what is learned."""

import copy
import importlib
import os
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from arrayaudio.arrays import asarray, dtype_name
from arrayaudio.autodiff.trees import leaves, mapped
from arrayaudio.constants import constant
from arrayaudio.errors import ParameterError

T = TypeVar("T", bound="Learnable")

# What reads and writes files stands above the transforms, and is looked up by its name.
FILES = "arrayaudio.ext.params"


class Learnable:
    """Base of what has arrays that can be replaced."""

    device: str | None

    _given: ClassVar[dict[str, Any] | None] = None
    """Arrays in the place of those that the settings define, by their name in the plan."""

    @property
    def _arrays(self) -> dict[str, Callable[[], Any]]:
        """The arrays that define this transform, as far as they can be replaced, each as a function that makes it."""
        return {}

    @property
    def _shapes(self) -> dict[str, Any]:
        """The shapes of these arrays, known without making them: a tuple, or a list of tuples."""
        return {}

    @property
    def _learned(self) -> tuple[str, ...]:
        """Names of the arrays that are to be learned."""
        return ()

    @property
    def _precision(self) -> str | None:
        """That of products of a basis with frames, if it is not that of the signal."""
        return None

    @property
    def params(self) -> dict[str, Any]:
        """The arrays that this transform learns, by name; float32 NumPy at first, then those of `with_params`."""
        held = self._held
        made = {name: self._arrays[name]() for name in self._learned if name not in held}
        return mapped(lambda array: array.astype(np.float32), made) | held

    @property
    def _recorded(self) -> bool:
        """Whether arrays that were given are on the tape."""
        return any(held.taped for held in leaves(self._given or {}))

    @property
    def _held(self) -> dict[str, Any]:
        """The arrays that were given, as they came."""
        return mapped(lambda held: held.original, self._given or {})

    def with_params(self, params: dict[str, Any]) -> Self:
        """Return a copy that computes with other arrays: any of those that define it, to be learned or not.

        Parameters
        ----------
        params : dict
            Arrays by name, with the shapes that `params` has: "window", (n_fft,); "basis", the real and imaginary
            parts of windowed sinusoids, (2, n_rows, n_fft), in the place of window and FFT; "bank", the weights of
            bands, (n_bands, n_rows); "kernels" of a constant-Q transform, a list of (2 n_bins, width) for groups of
            bins, real parts and imaginary parts of conjugate kernels in turn.

        Raises
        ------
        ParameterError
            If a name is unknown, a shape does not fit, or numbers are not floating point.

        Examples
        --------
        >>> import numpy as np
        >>> import arrayaudio as aa
        >>> mel = aa.MelSpectrogram(sr=16000, n_mels=40, trainable_mel=True)
        >>> mel.params["bank"].shape
        (40, 1025)
        >>> twice = mel.with_params({"bank": 2 * mel.params["bank"]})
        >>> y = np.ones(16000, dtype=np.float32)
        >>> bool(np.allclose(twice(y), 2 * mel(y)))
        True
        """
        return self._with((self._given or {}) | checked(self, params))

    def _with(self, given: dict[str, Any] | None) -> Self:
        changed = copy.copy(self)
        object.__setattr__(changed, "_given", given or None)
        return changed

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the settings, and the arrays that were given, to a file in the safetensors format.

        The file is whole or not there. Arrays of `params` that were not given follow from the settings, and are not
        written.

        Raises
        ------
        ParameterError
            If an array is on the tape.
        MissingExtraError
            If safetensors is not installed.
        """
        importlib.import_module(FILES).save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a transform of this kind from a file that `save` wrote; `aa.load_transform` reads those of any kind."""
        found = importlib.import_module(FILES).load_transform(path)
        if not isinstance(found, cls):
            raise ParameterError(f"{path}: holds a transform of the kind {type(found).__name__}, not {cls.__name__}")
        return found


def bare(transform: T) -> T:
    """The transform without arrays of its own: what caches may hold, so that no array lives longer than its owner."""
    return transform._with(None) if transform._given else transform


def checked(transform: "Learnable", params: Any) -> dict[str, Any]:
    """Return arrays by name as constants in the place of a transform's own, or raise ParameterError."""
    if not isinstance(params, dict):
        raise ParameterError(f"params of type {type(params).__name__}: must be a dict of arrays by name")
    known, given = transform._shapes, {}
    for name, value in params.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ParameterError(f"{type(transform).__name__} has no array {name!r}: those it has are {names}")
        arrays = [asarray(array) for array in leaves(value)]
        shapes, several = [tuple(array.shape) for array in arrays], isinstance(known[name], list)
        if shapes != (known[name] if several else [known[name]]):
            shown = shapes[0] if len(shapes) == 1 and not several else shapes
            raise ParameterError(f"{name} has shape {shown}: must be {known[name]} for these settings")
        for array in arrays:
            if not dtype_name(array).startswith(("float", "bfloat")):
                raise ParameterError(f"{name} has dtype {dtype_name(array)}: must be floating point")
        made = [constant(array) for array in arrays]
        given[name] = made if several else made[0]
    return moved(given, transform.device)


def moved(given: Any, device: str | None) -> Any:
    """Bring arrays to a device, but for those that hand out copies to every device."""
    return mapped(lambda held: held if held.fixed else constant(asarray(held.value, device=device)), given)
