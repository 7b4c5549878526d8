"""Measure the gradients of every transform and write docs/gradients.json and docs/gradients.md."""

import importlib.metadata
import json
import time
from pathlib import Path
from typing import Any

from docs.gradients.cases import FAMILIES, WITHOUT
from docs.gradients.measuring import measured, refused
from docs.gradients.page import rendered
from docs.gradients.searches import ITERATIONS, distance

HERE = Path(__file__).parent.parent


def collected() -> dict[str, Any]:
    """Measure everything."""
    return {
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "numba")},
        "families": {family: [measured(case) for case in cases] for family, cases in FAMILIES.items()},
        "searches": {str(n): distance(n) for n in ITERATIONS},
        "without": [refused(*case) for case in WITHOUT],
    }


def main() -> None:
    """Measure, write, and say how long it took."""
    start = time.perf_counter()
    data = collected()
    (HERE / "gradients.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "gradients.md").write_text(rendered(data))
    print(f"gradients.json and gradients.md written in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
