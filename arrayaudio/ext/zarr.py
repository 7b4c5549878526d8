"""Features of many recordings in one Zarr store, a group each."""

import functools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.errors import MissingExtraError
from arrayaudio.ext.io import part_of, write_whole
from arrayaudio.versions import versions

# The file that makes a folder a group of Zarr v3, and holds its attributes.
GROUP = "zarr.json"
VALUES_OF_CHUNK = 2**20


def require_zarr() -> Any:
    """Return the package, or raise MissingExtraError."""
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("features in a Zarr store", "dask", error) from error
    return zarr


def save_group(
    folder: Path, S: np.ndarray, transform: Any, n_samples: int, sr: float, *, store: Path, source: dict[str, Any]
) -> None:
    """Write a spectrogram with its axes as the group in a folder below that of the store, whole or not at all.

    The arrays `features`, `frequencies` (Hz) and `times` (s) have named dimensions, so that xarray reads the last two
    as coordinates. The attributes are `settings`, `source`, as it is given, and `versions` of what computed it.
    """
    zarr = require_zarr()
    axes = ("frequencies", "times")
    arrays = {
        "features": (S, ("channels", *axes)[-S.ndim :]),
        "frequencies": (transform.frequencies, axes[:1]),
        "times": (transform.times(n_samples), axes[1:]),
    }
    attributes = {
        "settings": {"sr": sr, "n_samples": n_samples} | transform.to_dict(),
        "source": source,
        "versions": _versions(),
    }
    for parent in folder.parents:
        if not (parent / GROUP).exists():
            write_whole(parent / GROUP, lambda file: file.write(_group({})))
        if parent == store:
            break
    part = part_of(folder)
    try:
        for name, (values, dimensions) in arrays.items():
            columns = max(1, VALUES_OF_CHUNK // max(1, values[..., 0].size))
            chunks = (*values.shape[:-1], min(values.shape[-1], columns))
            array = zarr.create_array(
                zarr.storage.LocalStore(part / name),
                shape=values.shape,
                chunks=chunks,
                dtype=values.dtype,
                dimension_names=dimensions,
            )
            array[...] = values
        write_whole(part / GROUP, lambda file: file.write(_group(attributes)))
        for path in filter(Path.is_file, part.rglob("*")):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _group(attributes: dict[str, Any]) -> bytes:
    return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}).encode()


_versions = functools.cache(versions)
