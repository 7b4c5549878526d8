"""What training made of a Fourier basis, a mel bank and constant-Q kernels: `python -m docs.evidence.learned`.

It trains as `docs.experiments` does, from the first seed, at the rate of its pictures, and writes learned.json: arrays
as whole numbers, of which 10000 are the largest value.
"""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soundfile

from arrayaudio.ext.plot.learned import centre_frequencies
from arrayaudio.ext.plot.responses import kernels
from docs.evidence.measures import decibels, errors, short
from docs.evidence.signals import AUDIO, chromatic_scale, single
from docs.experiments.cases import CASES, DRAWN, EPOCHS, SEEDS, Case
from docs.experiments.pictures import change
from docs.experiments.tones import LOWEST, SR
from docs.experiments.training import Trained, trained

PATH = Path(__file__).parent / "learned.json"
STEPS = 10_000
ROWS = 6  # that are drawn; of kernels, no others are kept
STFT, MEL, CQT = CASES


def chosen(values: np.ndarray) -> list[int]:
    """The numbers of the rows that are drawn, spread evenly over all by frequency."""
    order = np.argsort(centre_frequencies(values, SR), kind="stable")
    return order[np.linspace(0, len(order) - 1, ROWS).round().astype(int)].tolist()


def packed(values: np.ndarray) -> dict[str, Any]:
    """Real numbers as whole ones."""
    unit = float(np.abs(values).max()) / STEPS
    return {"unit": float(f"{unit:.6e}"), "values": np.round(values / unit).astype(int).tolist()}


def unpacked(held: dict[str, Any]) -> np.ndarray:
    """Whole numbers as real ones, float32."""
    return (held["unit"] * np.array(held["values"])).astype(np.float32)


def kept(case: Case, run: Trained) -> dict[str, Any]:
    """What is kept of a run: how far it went, and what is drawn of its array."""
    row = {"spectrogram": case.name, "change": change(case, run.transform), "error": run.error}
    if case is not CQT:
        return row | {case.learned: packed(run.transform.params[case.learned])}
    rows = chosen(kernels(case.transform))
    values = kernels(run.transform)[rows]
    return row | {"rows": rows, "kernels": packed(np.stack([values.real, values.imag]))}


@functools.cache
def data() -> dict[str, dict[str, Any]]:
    """What is in the file, by the name of the spectrogram."""
    return {row["spectrogram"]: row for row in json.loads(PATH.read_text())}


@functools.cache
def after(case: Case) -> Any:
    """The STFT or the mel spectrogram after training."""
    return case.transform.with_params({case.learned: unpacked(data()[case.name][case.learned])})


def basis_rows() -> tuple[list[float], np.ndarray, np.ndarray]:
    """Some rows of the Fourier basis, complex, before and after: their frequencies in Hz, and both."""
    before, then = kernels(STFT.transform), kernels(after(STFT))
    rows = chosen(before)
    return centre_frequencies(before, SR)[rows].tolist(), before[rows], then[rows]


def kernel_rows() -> tuple[list[float], np.ndarray, np.ndarray]:
    """Some kernels of the CQT, complex, before and after: their frequencies in Hz, and both."""
    held = data()[CQT.name]
    real, imaginary = unpacked(held["kernels"])
    rows = held["rows"]
    return CQT.transform.frequencies[rows].tolist(), kernels(CQT.transform)[rows], real + 1j * imaginary


def bank_rows() -> tuple[list[int], np.ndarray, np.ndarray]:
    """Some bands of the mel bank, before and after: their numbers, and both."""
    before, then = MEL.transform.params["bank"], after(MEL).params["bank"]
    rows = np.linspace(0, len(before) - 1, ROWS).round().astype(int).tolist()
    return rows, before[rows], then[rows]


@functools.cache
def heard() -> dict[str, np.ndarray]:
    """What the STFT hears before and after: pure tones as in training, a semitone apart, and speech."""
    y, sr = soundfile.read(AUDIO / "speech.flac")
    speech = scipy.signal.resample_poly(y[: 2 * sr], SR, sr)
    tones = 2 * chromatic_scale(SR, LOWEST, 49, 0.04, 1)
    return {"pure tones": single(tones), "speech": single(speech[: len(tones)] / np.abs(speech).max())}


def compared(signal: str) -> dict[str, Any]:
    """How the STFT's magnitudes of a signal changed, and how dark what is dark remained."""
    before, then = (transform(heard()[signal]) for transform in (STFT.transform, after(STFT)))
    top = float(before.max())
    medians = [round(float(np.median(decibels(S, top))), 1) for S in (before, then)]
    return {"signal": signal, "change": errors(then, before), "median": medians}


def measured() -> dict[str, Any]:
    """Measure the figures of what was learned."""
    trained_rows = [{name: short(row[name]) for name in ("change", "error")} for row in data().values()]
    names = [{"spectrogram": name} for name in data()]
    return {
        "arrays": [name | row for name, row in zip(names, trained_rows, strict=True)],
        "heard": [compared(signal) for signal in heard()],
    }


def main() -> None:
    """Train and write."""
    rows = []
    for case in CASES:
        run = trained(case.transform, SEEDS[0], learn=True, learning_rate=DRAWN, epochs=EPOCHS)
        rows.append(kept(case, run))
    PATH.write_text(json.dumps(rows, separators=(",", ":")).replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    main()
