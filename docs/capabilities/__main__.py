"""Look at everything and write docs/capabilities.json and docs/capabilities.md."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from arrayaudio import primitive
from arrayaudio.transforms.base import Transform
from docs.capabilities.looking import cases_done, comes_back, file_of, gradient, kernels_of, refusal_of_streams
from docs.capabilities.page import rendered
from docs.capabilities.rows import GROUPS
from docs.gradients.cases import WITHOUT
from docs.gradients.measuring import Case
from tests.primitive_cases import CASES, signal_for

HERE = Path(__file__).parent.parent


def of_primitive(name: str, on_gpu: dict[str, Any]) -> dict[str, Any]:
    """The row of a primitive."""
    first, _ = CASES[name][0]
    call, y = primitive.registered[name], signal_for(name, first, "float64", np.random.default_rng(0))
    return {
        "module": call.__module__,
        "cases": len(CASES[name]),
        "cpu": cases_done(name, np.asarray),
        "tiled": file_of(name, "tiled"),
        "gpu": on_gpu["primitives"][name],
        "gradient": gradient(lambda x: call(x, *first), y),
    }


def of_call(case: Case, on_gpu: dict[str, Any]) -> dict[str, Any]:
    """The row of a call."""
    (_, (call, x)), *others = case.of.items()
    row: dict[str, Any] = {
        "cpu": kernels_of(case, np.asarray),
        "gpu": on_gpu["calls"][case.transform],
        "gradient": gradient(call, x),
        "parameters": {name: gradient(function, array) for name, (function, array) in others},
    }
    if isinstance(call, Transform):
        row |= {"inverse": comes_back(call, x), "no_stream": refusal_of_streams(call, x)}
    return row


def collected() -> dict[str, Any]:
    """Look at everything."""
    command = [sys.executable, "-m", "docs.capabilities.on_gpu"]
    on_gpu = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=HERE.parent).stdout)
    return {
        "primitives": {name: of_primitive(name, on_gpu) for name in sorted(CASES)},
        "calls": {group: {case.transform: of_call(case, on_gpu) for case in cases} for group, cases in GROUPS.items()},
        "without": [name for name, *_ in WITHOUT],
    }


def main() -> None:
    """Look and write."""
    data = collected()
    (HERE / "capabilities.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "capabilities.md").write_text(rendered(data))


if __name__ == "__main__":
    main()
