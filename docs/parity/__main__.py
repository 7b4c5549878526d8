"""Measure the parity of every preset and default, and write docs/parity.json and docs/parity.md."""

import importlib.metadata
import json
from pathlib import Path

from docs.parity.cases import measured
from docs.parity.page import rendered
from docs.parity.rows import DEFAULTS, PRESETS

HERE = Path(__file__).parent.parent
PACKAGES = ("numpy", "asrfront", "kaldi-native-fbank", "librosa", "nnAudio", "torch", "torchaudio", "transformers")


def main() -> None:
    """Measure and write."""
    data = {
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "presets": [measured(case) for case in PRESETS],
        "defaults": [measured(case) for case in DEFAULTS],
    }
    (HERE / "parity.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "parity.md").write_text(rendered(data))


if __name__ == "__main__":
    main()
