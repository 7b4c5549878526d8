"""Pages in which tables stand between marks: `<!-- table NAME -->` and `<!-- end -->`."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from docs.tables import defaults, times

DOCS = Path(__file__).parent.parent
PAGES = [DOCS / "benchmarks.md", DOCS / "shapes_scales_units.md"]
MARKED = re.compile(r"(<!-- table (.+?) -->\n)(?:\|.*\n|\n)*(<!-- end -->)")

Row = Sequence[object]
TABLES: dict[str, Callable[[], Iterable[Row]]] = {
    "defaults of frames": lambda: defaults.table(defaults.FRAMES),
    "defaults of constant-Q": lambda: defaults.table(defaults.CONSTANT_Q),
    "shared defaults": defaults.shared,
    "results": defaults.results,
    "defaults of libraries": defaults.libraries,
    "mel scales": defaults.mel_scales,
    "faster": times.faster,
    "workloads": lambda: times.workloads("amd-epyc-2-cores"),
    "workloads, Intel": lambda: times.workloads("intel-r-xeon-r-processor-2-cores"),
    "Griffin-Lim": lambda: times.griffin_lim("amd-epyc-2-cores"),
    "start-up": lambda: times.startup("amd-epyc-2-cores"),
    "machines": times.machines,
    "memory": lambda: times.memory("amd-epyc-2-cores"),
    "training": lambda: times.steps("training-amd-epyc-2-cores"),
    "jobs": lambda: times.jobs("amd-epyc-2-cores"),
    "torch layers": lambda: times.steps("torch-layers-amd-epyc-2-cores"),
}


def markdown(rows: Iterable[Row]) -> str:
    """A table in Markdown, whose first row is its head."""
    head, *body = [[str(cell) for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def rendered(text: str) -> str:
    """A page with its tables as code and data say them."""
    return MARKED.sub(lambda found: f"{found[1]}\n{markdown(TABLES[found[2]]())}\n{found[3]}", text)
