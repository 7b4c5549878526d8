"""The formats of outputs: where the features of a recording lie, and how they are written."""

from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.ext import io
from arrayaudio.ext.parquet import require_parquet, save_row
from arrayaudio.ext.zarr import GROUP, require_zarr, save_group
from arrayaudio.transforms.framed import Framed

FORMATS = ("npz", "npy", "zarr", "parquet")
STORE, ROWS, TABLE = "features.zarr", "rows", "features.parquet"


def require_format(kind: str) -> None:
    """Raise MissingExtraError if what writes a format is missing."""
    if kind == "zarr":
        require_zarr()
    elif kind == "parquet":
        require_parquet()


def target(out: Path, place: Path, kind: str, *, keep_suffix: bool) -> Path:
    """Return the file that is written last for the recording at a place: where it is, all is."""
    if kind == "zarr":  # groups keep the suffix, since folders are groups too
        return out / STORE / place / GROUP
    folder = out / ROWS if kind == "parquet" else out
    return folder / (f"{place}.{kind}" if keep_suffix else place.with_suffix(f".{kind}"))


def save(path: Path, S: np.ndarray, transform: Framed, n_samples: int, *, out: Path, source: dict[str, Any]) -> None:
    """Write features to the target of a recording below `out`."""
    sr = float(transform.sr or 0)
    if path.name == GROUP:
        save_group(path.parent, S, transform, n_samples, sr, store=out / STORE, source=source)
    elif path.suffix == ".parquet":
        save_row(path, S, transform, n_samples, sr, source)
    else:
        io.save_features(path, S, transform, n_samples, sr)
