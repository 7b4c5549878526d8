"""The page of capabilities, from docs/capabilities.json."""

from typing import Any

INTRO = """# What is there

This page is written by `python -m docs.capabilities` (`make pages`), which runs every row and writes down what happened
([data](capabilities.json)); a test looks again. Kernels count where they did the work and gave the numbers of the
reference; on the GPU's side they were launched on CuPy's arrays, on a device or on the tests' stand-in for one.

## Primitives

A primitive has a reference, plain array code for every library, and kernels that may decline what they do not cover:
*3 of 4* of the cases that the tests have. Its gradient comes back by hand, by a formula of its own, or is recorded step
by step. *Tiled* is NumPy and SciPy in tiles that fit the cache, for where Numba is missing.

| primitive | module | reference | CPU kernel | GPU kernel | gradient to the signal |
|---|---|---|---|---|---|
{primitives}
## Transforms, functions and ways back

Kernels are named by the primitives they do. What no kernel does is array code: on a GPU, CuPy's own kernels. A gradient
goes back by hand where primitives are named, and step by step for the rest. Without gradients: {without}.
"""


def amount(done: int, cases: int, kind: str) -> str:
    """How much of a primitive a kernel does."""
    return "no" if not done else kind if done == cases else f"{kind}, {done} of {cases}"


def primitive_line(name: str, row: dict[str, Any]) -> str:
    """A primitive as a line of the table."""
    cpu = amount(row["cpu"], row["cases"], "Numba, tiled" if row["tiled"] else "Numba")
    gradient = "by hand" if name in row["gradient"].split(", ") else row["gradient"]
    gpu = amount(row["gpu"], row["cases"], "CUDA")
    return f"| `{name}` | `{row['module'].removeprefix('arrayaudio.')}` | yes | {cpu} | {gpu} | {gradient} |\n"


def named(names: list[str]) -> str:
    """Names as code, or the word for none."""
    return ", ".join(f"`{name}`" for name in names) or "array code"


def back(gradient: str) -> str:
    """How a gradient comes back."""
    return gradient if gradient in ("no", "recorded") else named(gradient.split(", "))


def call_line(call: str, row: dict[str, Any]) -> str:
    """A call as a line of its table."""
    learned = ", ".join(f"`{name}`" for name, how in row["parameters"].items() if how != "no") or "none"
    cells = [f"`{call}`", "yes", named(row["cpu"]), named(row["gpu"]), back(row["gradient"]), learned]
    if "inverse" in row:
        cells += ["yes" if row["inverse"] else "no", "yes" if row["no_stream"] is None else "no"]
    return f"| {' | '.join(cells)} |\n"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A group of calls."""
    heads = ["call", "reference", "CPU kernels", "GPU kernels", "gradient to its input", "to parameters"]
    heads += ["inverse", "streaming"] if "inverse" in next(iter(rows.values())) else []
    lines = [call_line(call, row) for call, row in rows.items()]
    refused = {row["no_stream"]: call for call, row in rows.items() if row.get("no_stream")}
    said = "".join(f"- `{call}`: {message}\n" for message, call in refused.items())
    why = f"\nWhat takes no blocks says why, as here:\n\n{said}" if said else ""
    return f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n{''.join(lines)}{why}"


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    primitives = "".join(primitive_line(name, row) for name, row in data["primitives"].items())
    intro = INTRO.format(primitives=primitives, without=", ".join(f"`{name}`" for name in data["without"]))
    return "\n".join([intro, *(f"### {group}\n\n{table(rows)}" for group, rows in data["calls"].items())])
