"""Draw the results of the GPU benchmark, of the GPU at hand or of one that is named.

    python -m bench.gpu_figure [GPU]

Reads gpu-GPU.json in bench/results, and writes gpu-GPU.png beside it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

from arrayaudio.versions import gpu
from bench.running import RESULTS, named

OURS, OTHERS, FLOOR = "#0072b2", "#b0b0b0", "#d55e00"


def microseconds(us: float) -> str:
    """A time with three digits, in the unit that suits it."""
    return f"{us:.3g} µs" if us < 1000 else f"{us / 1000:.3g} ms" if us < 1e6 else f"{us / 1e6:.3g} s"


def draw(axes: Any, name: str, result: dict[str, Any]) -> None:
    """Times of a workload's contenders, the fastest first, beside the least time that is possible."""
    axes.set_title(name, fontsize=9, loc="left", fontweight="bold")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_yticks([])
    rows = result.get("contenders", {})
    measured = sorted((who for who in rows if "us" in rows[who]), key=lambda who: rows[who]["us"])
    if not measured:
        axes.set_xticks([])
        axes.text(0, 0.5, result.get("failed", "nobody was measured"), fontsize=7, transform=axes.transAxes)
        return
    for place, who in enumerate(measured):
        row = rows[who]
        axes.barh(place, row["us"], height=0.8, color=OURS if who == "arrayaudio" else OTHERS)
        text = f"{who}  {microseconds(row['us'])}"
        if who != "arrayaudio" and row["ratio_to_ours"]:
            text += f"  ({row['ratio_to_ours']:.2g} x)"
        text += "" if row["contiguous"] else ", strided view"
        text += "" if row["by"] == "graph" else ", calls one by one"
        axes.text(row["us"] * 1.03, place, text, va="center", fontsize=7)
    floor = result["floor_us"]
    axes.axvline(floor, color=FLOOR, linewidth=1.2)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(min(floor, rows[measured[0]]["us"]) / 2, rows[measured[-1]]["us"] * 30)
    axes.xaxis.set_major_formatter(lambda us, _: microseconds(us))
    axes.tick_params(labelsize=7)
    axes.minorticks_off()
    if missing := [who for who in rows if "us" not in rows[who]]:
        axes.set_xlabel("not measured: " + ", ".join(missing), fontsize=7, loc="left", color="#606060", labelpad=1)


def figure_of(data: dict[str, Any]) -> Any:
    """The whole page: workloads in two columns, each as high as it has contenders."""
    names = list(data["results"])
    contenders = {name: data["results"][name].get("contenders", {}).values() for name in names}
    heights = {name: 3.4 + sum("us" in row for row in contenders[name]) for name in names}
    half = next(n for n in range(len(names) + 1) if 2 * sum(heights[x] for x in names[:n]) >= sum(heights.values()))
    columns = [names[:half], names[half:]]
    tallest = max(sum(heights[name] for name in column) for column in columns)
    figure = plt.figure(figsize=(13, 1.2 + 0.22 * tallest), layout="constrained")
    for part, column in zip(figure.subfigures(1, 2), columns, strict=True):
        if column:
            panels = part.subplots(len(column), 1, squeeze=False, height_ratios=[heights[name] for name in column])
            for axes, name in zip(panels[:, 0], column, strict=True):
                draw(axes, name, data["results"][name])
    copies = max(data["copy_bytes_per_second"]) / 1e9
    figure.suptitle(
        f"{data['machine']['gpu']}, {data['date']}: time on the device, float32, medians; less is faster, logarithmic\n"
        "Orange: the least time possible, by the bytes that must move, "
        f"at the {copies:.0f} GB/s of a copy, and the peak of arithmetic. (2 x): twice arrayaudio's time.\n"
        "Strided view: the result is not contiguous (freq, time). "
        "Calls one by one: not captured in a CUDA graph, so gaps between kernels count.",
        fontsize=9,
    )
    return figure


def main(name: str, folder: Path = RESULTS) -> None:
    """Draw a file of results."""
    matplotlib.use("Agg")
    path = folder / f"gpu-{name}.png"
    figure_of(json.loads(path.with_suffix(".json").read_text())).savefig(path, dpi=110)
    print(f"written to {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else named(gpu()))
