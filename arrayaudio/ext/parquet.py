"""What sums up the features of recordings: a row each, and all of them as one Parquet table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio.errors import MissingExtraError, ParameterError
from arrayaudio.ext.io import write_whole

ROWS_OF_GROUP = 1000


def require_parquet() -> tuple[Any, Any]:
    """Return pyarrow and its part for Parquet, or raise MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Parquet tables", "dask", error) from error
    return pyarrow, pyarrow.parquet


def save_row(path: Path, S: np.ndarray, transform: Any, n_samples: int, sr: float, source: dict[str, Any]) -> None:
    """Write mean and standard deviation over time of each row of a spectrogram, as a table of one row.

    Where there are channels, `mean` and `std` hold them one after the other. The entries of `source` are columns too.

    Raises
    ------
    ParameterError
        If the spectrogram is complex.
    """
    pa, pq = require_parquet()
    if np.iscomplexobj(S):
        raise ParameterError("features are complex, and a table of means is not; use output='magnitude' or 'power'")
    bands = S.reshape(-1, S.shape[-1])
    row = source | {
        "sr": sr,
        "n_samples": n_samples,
        "duration": n_samples / sr,
        "n_frames": S.shape[-1],
        "n_channels": int(np.prod(S.shape[:-2])),
        # Band by band, so that features longer than memory stay where they are.
        "mean": [float(band.mean(dtype=np.float64)) for band in bands],
        "std": [float(band.std(dtype=np.float64)) for band in bands],
        "frequencies": transform.frequencies.tolist(),
        "settings": json.dumps(transform.to_dict()),
    }
    table = pa.Table.from_pylist([row])
    write_whole(path, lambda file: pq.write_table(table, file))


def join_rows(paths: Sequence[Path], path: Path) -> None:
    """Write the rows in files of their own as one table, in that order."""
    pa, pq = require_parquet()

    def row(place: Path) -> Any:
        return pq.ParquetFile(pa.BufferReader(place.read_bytes())).read()  # pyarrow itself opens only names in UTF-8

    def write(file: Any) -> None:
        with pq.ParquetWriter(file, row(paths[0]).schema) as writer:
            for first in range(0, len(paths), ROWS_OF_GROUP):
                writer.write_table(pa.concat_tables(map(row, paths[first : first + ROWS_OF_GROUP])))

    write_whole(path, write)
