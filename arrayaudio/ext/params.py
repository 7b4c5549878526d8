"""Transforms in files: their settings as JSON and their arrays, in the safetensors format, which runs no code."""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.arrays import plain, to_numpy
from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.ext.io import printable, write_whole
from arrayaudio.transforms.base import Transform

__all__ = ["load_transform"]

# The key of the settings in the metadata, and the most characters that they may have.
KEY, LONGEST = "arrayaudio", 2**24
# The key of the version of the format in the metadata, and the version that is written and read here.
VERSION_KEY, VERSION = "arrayaudio.format", "1"


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError("transforms in files", "io", error) from error
    return safetensors


def save(transform: Transform, path: str | os.PathLike[str]) -> None:
    """Write a transform with the arrays that it was given: see `Transform.save`."""
    tensors = {}
    for name, value in transform._held.items():
        for place, array in enumerate(value) if isinstance(value, list) else [("", value)]:
            if plain(array) is not array:
                raise ParameterError(f"{name} is on the tape: save the transform outside of what is differentiated")
            tensors[f"{name}.{place}".rstrip(".")] = np.ascontiguousarray(to_numpy(array))
    content = _safetensors().numpy.save(tensors, metadata={KEY: transform.to_json(), VERSION_KEY: VERSION})
    write_whole(Path(path), lambda file: file.write(content))


def load_transform(path: str | os.PathLike[str]) -> Any:
    """Read a transform of any kind, with its arrays, from a file that `save` of a transform wrote.

    Parameters
    ----------
    path : path
        The file may come from anyone: nothing in it is executed.

    Returns
    -------
    Transform
        Equal to the one that was saved.

    Raises
    ------
    ParameterError
        If this is no such file, or its settings or arrays fit no transform.
    BackendError
        If the transform moves signals to a GPU, was given arrays there, and none is usable.
    MissingExtraError
        If safetensors is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import arrayaudio as aa
    >>> mel = aa.MelSpectrogram(sr=16000, n_mels=40, trainable_mel=True)
    >>> learned = mel.with_params({"bank": 2 * mel.params["bank"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     learned.save(pathlib.Path(folder) / "mel.safetensors")
    ...     again = aa.load_transform(pathlib.Path(folder) / "mel.safetensors")
    >>> again == learned
    True
    """
    text, tensors = _read(path)
    try:
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise ValueError("its settings are no JSON object")
        return _kind(settings.get("transform")).from_dict(settings).with_params(_gathered(tensors))
    except (ValueError, TypeError, RecursionError) as error:
        raise ParameterError(f"{printable(path)}: holds no transform ({error})") from error


def _read(path: str | os.PathLike[str]) -> tuple[str, dict[str, np.ndarray]]:
    safetensors = _safetensors()
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(KEY)
            version = (file.metadata() or {}).get(VERSION_KEY, VERSION)  # which the first files did not have
            if version != VERSION:
                raise ValueError(f"format {version[:20]!r} is none of this version, which reads {VERSION!r}")
            if text is None:
                raise ValueError("its metadata has no settings")
            if len(text) > LONGEST:
                raise ValueError(f"its settings have {len(text)} characters")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            for name, tensor in tensors.items():
                if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
                    raise ValueError(f"array {name[:40]!r} has NaN or infinite values")
            return text, tensors
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, MemoryError) as error:
        raise ParameterError(f"{printable(path)}: is not a file of a transform ({error})") from error


def _kind(name: Any) -> Any:
    """The public transform of that name."""
    package = importlib.import_module("arrayaudio")
    for module, names in package._PUBLIC.items():
        if module.startswith("transforms.") and name in names:
            return getattr(package, name)
    raise ParameterError(f"transform={name!r}: is none of this version")


def _gathered(tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays by name, those named "name.0", "name.1", ... as a list."""
    found: dict[str, Any] = {name: tensor for name, tensor in tensors.items() if "." not in name}
    numbered = [name.partition(".")[0] for name in tensors if "." in name]
    for name in sorted(set(numbered)):
        places = [f"{name}.{k}" for k in range(numbered.count(name))]
        missing = [place for place in places if place not in tensors]
        if missing or name in found:
            raise ParameterError(f"array {(missing or [name])[0]!r}: must be there once, counted from 0")
        found[name] = [tensors[place] for place in places]
    return found
