"""A spectrogram in bytes: 256 steps between two limits, and the axes that go with them."""

import base64
import zlib
from typing import Any

import numpy as np

from arrayaudio.ext.explore.views import View
from arrayaudio.ext.plot.values import AROUND_ZERO, Picture, picture
from arrayaudio.notes import midi_to_note
from arrayaudio.spectrum import power_to_db
from arrayaudio.transforms.bands import Banded, Cepstral
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import ConstantQ
from arrayaudio.transforms.framed import Framed

RANGE_DB = 100.0  # in steps of 0.4 dB
FLOOR_DB = -160.0  # far below what 24 bits hold, also in bands with small weights
LAST = 255


def described(view: View, y: np.ndarray) -> dict[str, Any]:
    """Return what the page needs of a view of the signal `y`, as JSON can hold it.

    Cell (k, t), with k counted from the lowest row, is the byte b = `cells`[k * `columns` + t], once these have been
    decoded by `decoded` or by cells.js. It stands for the value `low` + b (`high` - `low`) / 255; 0 stands for all
    values below, and 255 for all above, where `beyond` says that there are some. Column t is centred at
    `start` + (t + 1/2) `step` seconds.
    """
    transform: Any = view.transform
    S = transform(y)
    shown = values(S, transform)
    step = transform.hop_length / transform.sr
    return {
        "family": view.family,
        "settings": view.settings,
        "code": repr(transform),
        "rows": S.shape[0],
        "columns": S.shape[1],
        "start": float(transform.times(len(y))[0]) - step / 2,
        "step": step,
        "low": shown.low,
        "high": shown.high,
        "unit": shown.unit,
        "beyond": shown.beyond,
        "signed": shown.cmap == AROUND_ZERO,
        "axis": axis(transform),
        "frequencies": np.round(transform.frequencies, 3).tolist(),
        "names": [midi_to_note(60 + k)[:-1] for k in range(12)] if axis(transform) == "pitch class" else None,
        "cells": encoded(quantised(shown)),
    }


def values(S: np.ndarray, transform: Framed) -> Picture:
    """What is drawn of a spectrogram: levels where it has magnitudes or powers, and otherwise what plots show."""
    if isinstance(transform, Chroma | ChromaCQT | Cepstral | CFP):
        return picture(S, transform, None)
    power = S if isinstance(transform, Banded) and transform.power == 2 else S.astype(np.float64) ** 2
    levels = power_to_db(power, amin=10 ** (FLOOR_DB / 10), top_db=None)
    top = max(float(levels.max()), FLOOR_DB + RANGE_DB)  # so that silence is dark
    return Picture("", levels, "dB", top - RANGE_DB, top, beyond="min")


def quantised(shown: Picture) -> np.ndarray:
    """Values as the nearest of 256 steps from the low to the high limit."""
    steps = (shown.values.astype(np.float64) - shown.low) * (LAST / (shown.high - shown.low))
    return np.clip(np.rint(steps), 0, LAST).astype(np.uint8)


def axis(transform: Framed) -> str:
    """What the rows are."""
    if isinstance(transform, Chroma | ChromaCQT):
        return "pitch class"
    if isinstance(transform, Cepstral):
        return "coefficient"
    return "note" if isinstance(transform, ConstantQ | CFP) else "frequency"


def encoded(cells: np.ndarray) -> str:
    """Bytes (rows, columns) as text: differences along time, which deflate packs more tightly, in base64."""
    differences = np.diff(cells, axis=1, prepend=np.uint8(0))
    return base64.b64encode(zlib.compress(differences.tobytes(), 9)).decode()


def decoded(text: str, rows: int, columns: int) -> np.ndarray:
    """What `encoded` was given.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayaudio.ext.explore.cells import decoded, encoded
    >>> decoded(encoded(np.array([[3, 1, 255]], dtype=np.uint8)), 1, 3)
    array([[  3,   1, 255]], dtype=uint8)
    """
    differences = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(rows, columns)
    return np.cumsum(differences, axis=1, dtype=np.uint8)
