"""Measure and draw everything, and write docs/evidence.json and docs/evidence.md; `docs.evidence.learned` trains."""

import importlib.metadata
import json
import time
from pathlib import Path
from typing import Any

from PIL import Image

from docs.evidence import forms, learned, learned_pictures, pictures, spectrograms, speed
from docs.evidence.page import rendered
from docs.pictures import write

HERE = Path(__file__).parent.parent
PACKAGES = ("numpy", "scipy", "librosa", "nnAudio", "torch")
DPI = 100


def measured() -> dict[str, Any]:
    """Measure everything."""
    return {
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "spectrograms": spectrograms.measured(),
        "learned": learned.measured(),
        **forms.measured(),
    }


def write_curves(figure: Any, name: str) -> None:
    """Write a picture of curves, whose colours are few."""
    write(figure, name, dpi=DPI)
    path = HERE / "pictures" / f"{name}.png"
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


def draw(data: dict[str, Any]) -> None:
    """Draw everything."""
    for case in spectrograms.CASES:
        write(pictures.beside_librosa(case), case.picture, maps=pictures.MAPS, dpi=DPI)
    write(pictures.forms("librosa"), "evidence_forms", maps=pictures.MAPS, dpi=DPI)
    write(pictures.forms("nnAudio"), "evidence_nnaudio", maps=pictures.MAPS, dpi=DPI)
    write_curves(pictures.octaves(data["octaves"], data["heard exactly"]), "evidence_octaves")
    write_curves(speed.draw(next(iter(speed.runs().values()))), "evidence_speed")
    write_curves(learned_pictures.basis(), "evidence_basis")
    write_curves(learned_pictures.bank(), "evidence_bank")
    write_curves(learned_pictures.kernels(), "evidence_kernels")
    write(learned_pictures.heard(), "evidence_learned_stft", maps=pictures.MAPS, dpi=DPI)


def main() -> None:
    """Measure, draw, write, and say how long it took."""
    start = time.perf_counter()
    data = measured()
    draw(data)
    (HERE / "evidence.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "evidence.md").write_text(rendered(data))
    print(f"evidence.json, evidence.md and pictures written in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
