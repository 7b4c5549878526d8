"""What is drawn of a spectrogram: which values, in which unit, and between which limits of colour."""

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.spectrum import amplitude_to_db, power_to_db
from arrayaudio.transforms.bands import Banded, Cepstral
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import ConstantQ
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.stft import STFT

RANGE_DB, FLOOR_DB = 80.0, -100.0
# Maps whose steps look equal, also to the colour-blind: one from dark to light, one around zero, one that goes round.
UPWARD, AROUND_ZERO, ROUND = "magma", "RdBu_r", "twilight"


@dataclass(frozen=True)
class Picture:
    """Values (freq, time) in a unit, and the limits of their colours.

    `span` is the distance of the limits where that is fixed, and `beyond` says at which end values pass them: "min",
    "max", "both" or "neither".
    """

    title: str
    values: np.ndarray
    unit: str
    low: float
    high: float
    cmap: str = UPWARD
    span: float | None = None
    beyond: str = "neither"


def picture(S: np.ndarray, transform: Any, unit: str | None) -> Picture:
    """What to draw of the spectrogram S (freq, time) of a transform; with a unit, S as it is."""
    title = _title(len(S), transform)
    magnitudes = np.abs(S) if np.iscomplexobj(S) else S
    if unit is not None:
        return Picture(title, magnitudes, unit, *_extremes(magnitudes))
    if isinstance(transform, Cepstral):
        return _around_zero(title, S)
    if isinstance(transform, Chroma | ChromaCQT):
        return Picture(title, S, "energy", 0.0, _extremes(S)[1])
    if isinstance(transform, CFP):
        # Few notes stand out so far that they would leave the others in the dark.
        top = max(float(np.percentile(S, 99.5)), 1e-3 * float(S.max())) or 1.0
        return Picture(title, S, "magnitude" if transform.output == "spectrum" else "salience", 0.0, top, beyond="max")
    if isinstance(transform, Banded):
        return _bands(title, S, transform)
    output = getattr(transform, "output", None)
    if output == "phase":
        return Picture(title, S, "phase (rad)", -np.pi, np.pi, ROUND)
    if output in ("complex", "magnitude", "power"):
        levels = power_to_db(magnitudes, top_db=None) if output == "power" else amplitude_to_db(magnitudes, top_db=None)
        return _levels(title, levels)
    return Picture(title, magnitudes, "value", *_extremes(magnitudes))


def with_one_range(pictures: Sequence[Picture], kinds: Sequence[Hashable]) -> list[Picture]:
    """Pictures with the same limits where they are of one kind."""

    def limits(kind: Hashable) -> tuple[float, float]:
        alike = [one for one, its_kind in zip(pictures, kinds, strict=True) if its_kind == kind]
        high = max(one.high for one in alike)
        return min(one.low if one.span is None else high - one.span for one in alike), high

    found = {kind: limits(kind) for kind in set(kinds)}
    both = ((one, *found[kind]) for one, kind in zip(pictures, kinds, strict=True))
    return [dataclasses.replace(one, low=low, high=high) for one, low, high in both]


def _title(n_rows: int, transform: Any) -> str:
    name = type(transform).__name__
    if isinstance(transform, Chroma | ChromaCQT):
        return f"chroma ({n_rows})"
    if isinstance(transform, CFP):
        return f"CFP ({n_rows} bands{'' if transform.output == 'cfp' else f', {transform.output}'})"
    if isinstance(transform, Banded) and not isinstance(transform, Cepstral):
        return f"{'gammatone' if isinstance(transform, Gammatonegram) else 'mel'} ({n_rows} bands)"
    if isinstance(transform, ConstantQ):
        return f"{name} ({n_rows} bins, {transform.bins_per_octave} to the octave)"
    if isinstance(transform, STFT):
        scale = "" if transform.freq_scale == "fft" else f", {n_rows} {transform.freq_scale} bins"
        return f"{name} ({transform.n_fft} samples, hop {transform.hop_length}{scale})"
    return f"{name} ({n_rows})"


def _bands(title: str, S: np.ndarray, transform: Banded) -> Picture:
    """Bands, which may already be levels."""
    if transform.scale in ("log", "log10"):
        span = {"log": float(np.log(10)), "log10": 1.0}[transform.scale] * RANGE_DB / 10 * transform.power / 2
        of = {2.0: " power", 1.0: " magnitude"}.get(transform.power, "")
        _, top = _extremes(S)
        unit = {"log": "ln", "log10": "log10"}[transform.scale] + of
        return Picture(title, S, unit, top - span, top, span=span, beyond="min")
    return _levels(title, S if transform.scale == "db" else power_to_db(S ** (2 / transform.power), top_db=None))


def _levels(title: str, levels: np.ndarray) -> Picture:
    top = max(_extremes(levels)[1], FLOOR_DB + RANGE_DB)  # so that silence is dark
    return Picture(title, levels, "dB", top - RANGE_DB, top, span=RANGE_DB, beyond="min")


def _around_zero(title: str, S: np.ndarray) -> Picture:
    # The first two, loudness and tilt, are far larger than the others and would hide them.
    limit = float(np.percentile(np.abs(S[min(2, len(S) - 1) :]), 99.5))
    limit = max(limit, 1e-3 * float(np.abs(S).max())) or 1.0  # rounding noise stays pale
    return Picture(title, S, "value", -limit, limit, AROUND_ZERO, beyond="both")


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest of the finite values, which differ."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1.0
