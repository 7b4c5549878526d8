"""Measure the accuracy of every transform and write docs/accuracy.json and docs/accuracy.md."""

import importlib.metadata
import json
import time
from pathlib import Path
from typing import Any

from docs.accuracy import features, fourier, inverses, nnaudio, pitch, searches
from docs.accuracy.cases import measured, measured_quiet
from docs.accuracy.page import rendered

HERE = Path(__file__).parent.parent
PACKAGES = ("numpy", "scipy", "numba", "librosa", "kaldi-native-fbank", "torch", "nnAudio")

FAMILIES = {
    "Fourier transforms": fourier.FOURIER,
    "Bands and cepstra": fourier.BANDS,
    "Pitch": pitch.PITCH,
    "Descriptors, parts and filters": features.FEATURES,
    "Inverses": inverses.INVERSES,
    "nnAudio's classes": nnaudio.NNAUDIO,
}
# Rows whose other inputs are free of quiet bins.
QUIET = (features.loud_contrast, features.harmonic, features.percussive, features.faster)


def collected() -> dict[str, Any]:
    """Measure everything."""
    return {
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "families": {family: [measured(case) for case in cases] for family, cases in FAMILIES.items()},
        "quiet": [*map(measured_quiet, QUIET), measured_quiet(pitch.largest_is_one, 8000)],
        "decimation": pitch.decimation(),
        "causes": pitch.causes(),
        "round_trips": searches.round_trips(),
        "stopping": searches.stopping(),
        "searches": searches.searches(),
    }


def main() -> None:
    """Measure, write, and say how long it took."""
    start = time.perf_counter()
    data = collected()
    (HERE / "accuracy.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "accuracy.md").write_text(rendered(data))
    print(f"accuracy.json and accuracy.md written in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
