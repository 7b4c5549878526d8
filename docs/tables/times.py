"""Times that were measured, from the files in bench/results."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "bench" / "results"

Rows = Iterator[Sequence[object]]


def read(name: str) -> dict[str, Any]:
    """The contents of a file of results."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def in_ms(row: dict[str, Any]) -> str:
    """A median with three digits or more."""
    median = row["median_ms"]
    return f"{median:.3f}" if median < 1 else f"{median:.2f}" if median < 100 else f"{median:.0f}"


def spread(row: dict[str, Any]) -> str:
    """The least and the greatest of the medians of runs."""
    runs = row.get("runs_ms")
    return f"{min(runs):.3g} to {max(runs):.3g}" if runs else ""


def error(row: dict[str, Any]) -> str:
    """A relative error with one digit."""
    return "" if row.get("error") is None else f"{row['error']:.0e}"


def once(workload: str, who: str) -> str:
    """The name of a workload beside the first of its contenders."""
    return workload if who == "arrayaudio" else ""


def workloads(machine: str) -> Rows:
    """All contenders of all workloads."""
    yield ["workload", "who", "ms", "runs, ms", "beside ours", "error", "array"]
    for name, contenders in read(f"cpu-{machine}")["results"].items():
        for who, row in contenders.items():
            layout = "contiguous" if row["contiguous"] else "strided view"
            beside = f"{row['ratio_to_ours']:.2f} x"
            yield [once(name, who), who, in_ms(row), spread(row), beside, error(row), layout]


def griffin_lim(machine: str) -> Rows:
    """Griffin-Lim, and how near it came."""
    yield ["who", "ms", "beside ours", "spectral convergence"]
    for who, row in read(f"cpu-{machine}")["griffin_lim"].items():
        yield [who, in_ms(row), f"{row['ratio_to_ours']:.2f} x", f"{row['convergence']:.3f}"]


def startup(machine: str) -> Rows:
    """How long a fresh process takes."""
    yield ["", "seconds"]
    seconds = read(f"cpu-{machine}")["startup"]
    yield ["`import numpy`", f"{seconds['import_numpy_s']:.3f}"]
    yield ["`import arrayaudio`, after it", f"{seconds['import_arrayaudio_s']:.4f}"]
    yield ["the first mel spectrogram", f"{seconds['first_call_s']:.2f}"]
    yield ["the same with empty caches, which compiles", f"{seconds['first_call_with_empty_caches_s']:.1f}"]


def machines() -> Rows:
    """Where and when the files were made, and of which versions."""
    yield ["file", "date", "processor", "Python", "versions"]
    for path in sorted(RESULTS.glob("*.json")):
        data = read(path.stem)
        here = dict(data["machine"])
        processor, python = here.pop("processor"), here.pop("python")
        for name in ("arrayaudio", "cupy", "gpu", "matplotlib", "platform", "soundfile"):
            here.pop(name, None)
        versions = ", ".join(f"{name} {version}" for name, version in here.items())
        yield [f"[{path.stem}](../bench/results/{path.name})", data["date"], processor, python, versions]


def memory(machine: str) -> Rows:
    """What a call allocates at most."""
    yield ["", "signal", "result", "allocated at most"]
    for name, row in read(f"scaling-{machine}")["memory"].items():
        yield [name, *(f"{row[key]:.1f} MB" for key in ("input_mb", "result_mb", "peak_mb"))]


def steps(name: str) -> Rows:
    """Contenders of a benchmark that has medians alone."""
    yield ["workload", "who", "ms", "beside ours", "error"]
    for workload, contenders in read(name)["results"].items():
        for who, row in contenders.items():
            beside = f"{row['ratio_to_ours']:.2f} x"
            yield [once(workload, who), who, in_ms(row), beside, error(row)]


def jobs(machine: str) -> Rows:
    """Batch jobs, and their two parts by themselves."""
    yield ["recordings", "decoding alone, s", "computing alone, s", "job, s", "slower part / job", "hours in a minute"]
    for workload, row in read(f"batch-{machine}").items():
        if workload not in ("date", "machine"):
            seconds = (f"{row[key]:.1f}" for key in ("decoding_s", "computing_s", "job_s"))
            yield [workload, *seconds, f"{row['overlap']:.2f}", f"{row['hours_per_min']:.0f}"]


def faster() -> Rows:
    """Every contender that takes less time than arrayaudio."""
    yield ["workload", "who", "beside ours", "on"]
    for path in sorted(RESULTS.glob("*.json")):
        data = read(path.stem)
        for workload, contenders in data.get("results", {}).items():
            for who, row in contenders.items():
                if row["ratio_to_ours"] < 1:
                    yield [workload, who, f"{row['ratio_to_ours']:.2f} x", data["machine"]["processor"]]
