"""Measure all and write docs/numerics.json and docs/numerics.md."""

import importlib.metadata
import json
import warnings
from pathlib import Path
from typing import Any

from docs.gradients.cases import TRANSFORMS
from docs.numerics.measuring import depends, errors
from docs.numerics.page import rendered
from docs.numerics.signals import signals

HERE = Path(__file__).parent.parent
DTYPES = ("float32", "float64")


def collected() -> dict[str, Any]:
    """Measure everything."""
    rows = {case.transform: case.of["signal"][0] for case in TRANSFORMS}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {
            "versions": {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "numba")},
            "errors": {
                dtype: {call: errors(made, signals(dtype), dtype) for call, made in rows.items()} for dtype in DTYPES
            },
            "depends": {call: depends(made, signals("float32")["noise"]) for call, made in rows.items()},
        }


def main() -> None:
    """Measure and write."""
    data = collected()
    (HERE / "numerics.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "numerics.md").write_text(rendered(data))


if __name__ == "__main__":
    main()
