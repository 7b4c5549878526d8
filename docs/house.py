"""Draw the house: the layers that the import contracts of pyproject.toml keep.

Writes docs/pictures/house.png, which says in its description which layers it shows.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "arrayaudio"
# The floors, each from its first layer down to the next floor's.
FLOORS = {
    "__main__": ("doors", "#f6d8ae"),
    "functional": ("what a user holds", "#bfd7ea"),
    "plan_inverse": ("stages, in the order a signal meets them from below", "#cbe3c1"),
    "optim": ("ground", "#dcd3e8"),
}
TOWER = {
    "kernels/cpu": "Numba",
    "kernels/gpu": "CUDA C",
    "kernels/tiled": "NumPy and SciPy\nin tiles",
}
WIDTH, GAP = 100.0, 0.6


def layers() -> list[list[str]]:
    """The names in each layer, from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rows = contracts[0]["layers"]
    return [[name.strip().removeprefix("arrayaudio.") for name in row.split("|")] for row in rows]


def floors() -> list[tuple[str, str, list[list[str]]]]:
    """Title, colour and layers of each floor, from the top."""
    found: list[tuple[str, str, list[list[str]]]] = []
    for names in layers():
        if names[0] in FLOORS:
            found.append((*FLOORS[names[0]], []))
        found[-1][2].append(names)
    return found


def box(axes: Any, x: float, y: float, width: float, height: float, colour: str, text: str) -> None:
    """A room and its name."""
    axes.add_patch(plt.Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", linewidth=1.5))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=7.5)


def row(axes: Any, names: list[str], y: float, colour: str) -> None:
    """The rooms of a layer side by side, wide enough for their names."""
    shares = [len(name) + 3 for name in names]
    free = WIDTH - GAP * (len(names) - 1)
    x = 0.0
    for name, share in zip(names, shares, strict=True):
        width = free * share / sum(shares)
        folder = "/" if (PACKAGE / name).is_dir() else ""
        box(axes, x, y, width, 0.86, colour, f"{name}{folder}")
        x += width + GAP


def draw() -> Any:
    """Draw all of it."""
    figure, axes = plt.subplots(figsize=(11, 7.5))
    y = 0.0
    for title, colour, rows in floors():
        axes.text(0, y - 0.12, title, fontsize=9, fontweight="bold", va="center")
        y -= 0.35
        for names in rows:
            row(axes, names, y - 0.86, colour)
            y -= 0.92
        y -= 0.3
    bottom, left = y + 0.3, WIDTH + 4
    height = -bottom / 2 / len(TOWER)
    for number, (name, language) in enumerate(TOWER.items()):
        top = bottom / 4 - number * height
        box(axes, left, top - height + 0.1, 14, height - 0.1, "#f2c6c6", f"{name}/\n{language}")
    axes.text(left, bottom / 4 + 0.45, "kernels,\nfound by name", fontsize=9, fontweight="bold", va="center")
    axes.annotate("", (-2.5, bottom), (-2.5, 0), arrowprops={"arrowstyle": "-|>", "color": "#555555"})
    axes.text(-4, bottom / 2, "imports point down", rotation=90, va="center", ha="center", fontsize=8)
    axes.set_xlim(-6, left + 15)
    axes.set_ylim(bottom - 0.2, 0.3)
    axes.axis("off")
    return figure


if __name__ == "__main__":
    described = {"Description": json.dumps(layers())}
    draw().savefig(ROOT / "docs" / "pictures" / "house.png", dpi=110, bbox_inches="tight", metadata=described)
