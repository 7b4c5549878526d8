"""Times of nnAudio's corpus, from the files that `bench.corpus` writes, as a table and as bars."""

import json
from typing import Any

from arrayaudio.ext import plot
from bench.running import RESULTS, named

OURS, OTHERS = "#0072b2", "#b0b0b0"
HEADS = ("set-up (s)", "to the device (s)", "spectrograms (s)", "and back (s)", "beside ours")


def runs() -> dict[str, dict[str, Any]]:
    """What was measured, by the name of the processor or GPU."""
    found = {}
    for path in sorted(RESULTS.glob("corpus-*.json")):
        run = json.loads(path.read_text())
        gpu, processor = (run["machine"][name] for name in ("gpu", "processor"))
        found[gpu if path.stem == f"corpus-{named(gpu)}" else processor] = run
    return found


def table(run: dict[str, Any]) -> str:
    """The times of one machine."""
    lines = [f"| workload | who | {' | '.join(HEADS)} |", f"|---|---|{'---|' * len(HEADS)}"]
    for name, rows in run["results"].items():
        for who, row in rows.items():
            times = [f"{row['set_up_s']:.2f}", *(moved(row[key]) for key in ("to_s", "compute_s", "back_s"))]
            lines.append(f"| {name} | {who} | {' | '.join(times)} | {row['ratio_to_ours']:.1f} x |")
    return "\n".join(lines) + "\n"


def moved(seconds: float) -> str:
    """Seconds, or that nothing was to be done."""
    return "-" if seconds < 0.001 else f"{seconds:.2f}"


def draw(run: dict[str, Any]) -> Any:
    """Draw how many clips in a second each contender does, workload by workload."""
    figure, axes = plot.new_figure(1, len(run["results"]), height=2.2, share_time=False)
    for ax, (name, rows) in zip(axes.ravel(), run["results"].items(), strict=True):
        for place, (who, row) in enumerate(rows.items()):
            clips = run["clips"] / row["compute_s"]
            ax.barh(place, clips, color=OURS if who == "arrayaudio" else OTHERS)
            ax.annotate(f" {clips:,.0f}", (clips, place), va="center", annotation_clip=False)
        ax.set_yticks(range(len(rows)), rows)
        ax.invert_yaxis()
        ax.set_xlim(0, 1.5 * run["clips"] / min(row["compute_s"] for row in rows.values()))
        ax.set_title(name, loc="left")
        ax.set_xlabel("clips in a second")
        ax.spines[["top", "right"]].set_visible(False)
    return plot.lettered(figure, "screen")
