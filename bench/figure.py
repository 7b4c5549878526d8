"""Draw the results of the benchmarks, of the processor at hand or of one that is named.

    python -m bench.figure [PROCESSOR]

Reads cpu-PROCESSOR.json and scaling-PROCESSOR.json in bench/results, and writes PROCESSOR.png beside them.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker

from arrayaudio.versions import processor

HERE = Path(__file__).parent / "results"
OURS, OTHERS = "#0072b2", "#b0b0b0"


def draw_ratios(axes: Any, results: dict[str, Any]) -> None:
    """Times of all contenders beside ours, workload by workload."""
    place, ticks, labels = 0.0, [], []
    for name, contenders in results.items():
        ours = contenders["arrayaudio"]["median_ms"]
        for who, row in sorted(contenders.items(), key=lambda pair: pair[1]["median_ms"]):
            mine = who == "arrayaudio"
            ratio = row["median_ms"] / ours
            axes.barh(place, ratio, height=0.8, color=OURS if mine else OTHERS)
            text = f"{who}  {row['median_ms']:.3g} ms" + ("" if mine else f"  ({ratio:.2g} x)")
            text += "" if row["contiguous"] else ", strided view"
            axes.text(ratio * 1.03, place, text, va="center", fontsize=7)
            if mine:
                ticks.append(place)
                labels.append(name.replace(", ", "\n", 1))
            place += 1
        place += 0.8
    axes.set_yticks(ticks, labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    _, high = axes.get_xlim()
    axes.set_xlim(0.4, high * 4)
    axes.axvline(1, color=OURS, linewidth=0.8)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("time beside arrayaudio's (less is faster)")
    axes.spines[["top", "right"]].set_visible(False)


def draw_curves(axes: Any, name: str, curve: dict[str, Any]) -> None:
    """Time over size, for each number of threads."""
    for (threads, times), style in zip(curve["milliseconds_by_threads"].items(), ("--", "-"), strict=False):
        label = f"{threads} thread" + ("s" if threads != "1" else "")
        axes.plot(curve["values"], times, style, marker="o", markersize=3, color=OURS, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.set_xlabel(curve["unit"])
    axes.set_ylabel("ms")
    axes.set_title(name, fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    axes.grid(which="major", linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def main(name: str) -> None:
    """Draw both pages as one."""
    cpu, scaling = (json.loads((HERE / f"{kind}-{name}.json").read_text()) for kind in ("cpu", "scaling"))
    matplotlib.use("Agg")
    figure = plt.figure(figsize=(12, 11), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1))
    draw_ratios(left.subplots(), cpu["results"])
    panels = right.subplots(3, 1)
    for axes, (title, curve) in zip(panels, scaling["curves"].items(), strict=True):
        draw_curves(axes, title, curve)
    figure.suptitle(f"{cpu['machine']['processor']}, {cpu['date']}: float32, medians", fontsize=11)
    figure.savefig(HERE / f"{name}.png", dpi=110)
    print(f"written to {HERE / f'{name}.png'}")


if __name__ == "__main__":
    here = re.sub(r"[^a-z0-9]+", "-", processor().lower()).strip("-")
    main(sys.argv[1] if len(sys.argv) > 1 else here)
