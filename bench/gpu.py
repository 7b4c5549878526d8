"""GPU benchmark: arrayaudio beside its peers, in one process, on the same input on the device.

    python -m bench.gpu             everything, in less than eight minutes
    python -m bench.gpu --smoke     a trial in small

All contenders of a workload work on three inputs in turn, which together are larger than the cache of the device, and
take turns themselves. What counts is the median of the turns' medians; how far these lie apart is the spread. Times of
the device come from CUDA graphs, or where a contender cannot be captured, from a plain loop; both stand in the results,
and so does the time from call to finished result (`bench/gpu_timing.py`). Fresh results lie in memory that the library
allots; with `out`, in memory that is given.

Rates count the bytes that must be read and written by anyone. The floor is the time which these take at the speed of a
copy measured in the same run or, if that is longer, which the operations take at the peak of the device in single
precision. Errors are relative L2 against float64 on the host, for the first items; of Griffin-Lim, the distance of the
magnitudes reached.

Contenders that are missing or fail are listed with the reason. Results go to bench/results as JSON, with the name of
the GPU, and to the folder that OUT names.
"""

import functools
import gc
import importlib.metadata
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from arrayaudio.versions import gpu as device_name
from bench import gpu_ways_back, gpu_workloads
from bench.gpu_contenders import torch_with_gpu
from bench.gpu_timing import (
    Call,
    Effort,
    copy_bandwidth,
    explained,
    is_contiguous,
    microseconds,
    on_host,
    one_stream,
)
from bench.gpu_workloads import CHECKED, Workload
from bench.running import RESULTS, stored

TURNS = 3
BUDGET, WORKLOAD_BUDGET = 430.0, 50.0  # seconds for everything, and for one workload
PEERS = ("torch", "torchaudio", "nnAudio", "flashmel", "auvux-dsp", "nvidia-mathdx")
FP32_CORES = {70: 64, 75: 64, 80: 64}  # of a multiprocessor, where they are not 128


def peak() -> float | None:
    """Operations in single precision that the device can do in a second, if it tells its clock."""
    device = cupy.cuda.Device()
    kilohertz, count = (device.attributes.get(name) for name in ("ClockRate", "MultiProcessorCount"))
    if not kilohertz:
        return None
    return 2 * FP32_CORES.get(int(device.compute_capability), 128) * count * kilohertz * 1e3


def given(inputs: list[Any], library: str) -> list[Any]:
    """The inputs as arrays of a library, in the same memory."""
    if library == "cupy":
        return inputs
    import torch

    return [torch.from_dlpack(x) for x in inputs]


def error(call: Call, inputs: list[Any], workload: Workload, exact: np.ndarray) -> tuple[float | None, bool]:
    """Relative L2 error of the first items, or None if the shape is another; and whether the result is contiguous."""
    result = call.fresh(given([x[:CHECKED] for x in inputs[:1]] if workload.of_part else inputs[:1], call.library)[0])
    shown = call.shown(result)
    shown = on_host(shown if workload.of_part else shown[:CHECKED])
    if shown.shape != exact.shape:
        return None, is_contiguous(result)
    return float(np.linalg.norm((shown - exact).ravel()) / np.linalg.norm(exact.ravel())), is_contiguous(result)


def turn(call: Call, rest: Call | None, inputs: list[Any], divided_by: int, effort: Effort) -> dict[str, Any]:
    """Times of one turn of a contender, less those of the call that takes no step."""
    arrays = given(inputs, call.library)
    times = microseconds(call.fresh, arrays, None, call.library, effort)
    if rest is not None:
        idle = microseconds(rest.fresh, arrays, None, rest.library, effort)
        both = [name for name in times if name in idle and name != "no_graph"]
        times |= {name: (times[name] - idle[name]) / divided_by for name in both}
    if call.into is not None:
        outputs = [cupy.empty_like(call.fresh(x)) for x in arrays]
        reused = microseconds(call.into, arrays, outputs, call.library, effort)
        times |= {f"reused_{name}": value for name, value in reused.items()}
    return times


def released() -> None:
    """Give memory back that the pools of CuPy and torch keep."""
    gc.collect()
    cupy.get_default_memory_pool().free_all_blocks()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def guarded(step: Callable[[], Any], row: dict[str, Any]) -> Any:
    """Do a step, or write into the row why it failed."""
    try:
        return step()
    except Exception as problem:  # of any library, of which none must stop the others
        row["failed"] = explained(problem)
        return None
    finally:
        released()


def compare(workload: Workload, turns: int, effort: Effort, deadline: float) -> dict[str, dict[str, Any]]:
    """Let contenders take turns, until the deadline; rows by contender."""
    deadline = min(deadline, time.monotonic() + WORKLOAD_BUDGET)
    inputs = workload.inputs()
    exact = workload.exact(on_host(inputs[0][:CHECKED]))
    rows: dict[str, dict[str, Any]] = {who: {"turns": []} for who in workload.contenders}
    calls: dict[str, tuple[Call, Call | None]] = {}

    def enter(who: str) -> None:
        call = workload.contenders[who]()
        rest = workload.at_rest[who]() if workload.at_rest else None
        rows[who]["error"], rows[who]["contiguous"] = error(call, inputs, workload, exact)
        calls[who] = call, rest

    def take_turn(who: str) -> None:
        rows[who]["turns"].append(turn(*calls[who], inputs, workload.divided_by, effort))

    for number in range(turns):
        for who, row in rows.items():
            if "failed" in row:
                continue
            if time.monotonic() > deadline and (number or who != "arrayaudio"):
                if not row["turns"]:
                    row["failed"] = "not measured: the time was up"
                continue
            if number == 0:
                guarded(functools.partial(enter, who), row)
            if who in calls and "failed" not in row:
                guarded(functools.partial(take_turn, who), row)
    return {who: row | summary(row.pop("turns")) for who, row in rows.items()}


def summary(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of all turns, and of what counts, the spread too."""
    if not turns:
        return {}
    found: dict[str, Any] = {}
    for name in turns[0]:
        values = [row[name] for row in turns if name in row]
        found[name] = values[0] if isinstance(values[0], str) else statistics.median(values)
    counts = "graph_us" if all("graph_us" in row for row in turns) else "loop_us"
    values = [row[counts] for row in turns]
    us = statistics.median(values)
    return found | {"us": us, "by": counts.removesuffix("_us"), "spread": (max(values) - min(values)) / us}


def rated(rows: dict[str, dict[str, Any]], workload: Workload, bandwidth: float, operations: float | None) -> dict:
    """Rows with rates and ratios, and the floor of a workload in microseconds."""
    memory = 1e6 * workload.n_bytes / bandwidth
    floor = max(memory, 1e6 * workload.n_operations / operations if operations else 0)
    ours = rows["arrayaudio"].get("us")
    for row in rows.values():
        if us := row.get("us"):
            row |= {"gb_s": 1e-3 * workload.n_bytes / us, "of_copy": memory / us, "of_floor": floor / us}
            row["ratio_to_ours"] = us / ours if ours else None
    return {"bytes": workload.n_bytes, "operations": workload.n_operations, "floor_us": floor, "memory_us": memory} | {
        "contenders": rows
    }


def show(name: str, result: dict[str, Any]) -> None:
    """Print a workload as a table."""
    kind = "memory" if result["floor_us"] == result["memory_us"] else "operations"
    print(f"\n{name}: {result['bytes'] / 1e6:.1f} MB must move; floor {result['floor_us']:.1f} us, by {kind}")
    print(
        f"  {'':<22}{'us':>10}{'spread':>8}{'beside':>8}{'GB/s':>7}{'copy':>6}{'floor':>6}{'with out':>10}{'loop':>10}"
        f"{'end to end':>12}   error"
    )
    for who, row in result["contenders"].items():
        if "us" not in row:
            print(f"  {who:<22} {row.get('failed', 'not measured')}")
            continue
        reused = row.get("reused_graph_us", row.get("reused_loop_us"))
        print(
            f"  {who:<22}{row['us']:10.1f}{row['spread']:8.1%}"
            + (f"{row['ratio_to_ours']:6.2f} x" if row["ratio_to_ours"] else f"{'':8}")
            + f"{row['gb_s']:7.0f}{row['of_copy']:6.0%}{row['of_floor']:6.0%}"
            + (f"{reused:10.1f}" if reused else f"{'-':>10}")
            + f"{row['loop_us']:10.1f}{row['end_to_end_us']:12.1f}   "
            + (f"{row['error']:7.1e}" if row["error"] is not None else "another shape")
            + ("" if row["contiguous"] else ", strided view")
            + (f"; no graph ({row['no_graph']})" if "no_graph" in row else "")
            + (f"; stopped ({row['failed']})" if "failed" in row else "")
        )


def conclude(results: dict[str, Any]) -> None:
    """Print our time beside the best of the others, workload by workload."""
    print("\narrayaudio beside the fastest other")
    for name, result in results.items():
        times = {who: row["us"] for who, row in result.get("contenders", {}).items() if "us" in row}
        others = [who for who in times if who != "arrayaudio"]
        if "arrayaudio" in times and others:
            best, ours = min(others, key=times.__getitem__), times["arrayaudio"]
            print(f"  {name:<56}{ours:10.1f} us   {best} {times[best]:.1f} us, {times[best] / ours:.2f} x")


def version(package: str) -> str:
    """The version of a package, or that it is not here."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def main(arguments: list[str]) -> None:
    """Run all workloads and write the results after each."""
    began, small = time.monotonic(), "--smoke" in arguments
    sizes = gpu_workloads.SMALL if small else gpu_workloads.Sizes()
    effort, turns = (Effort(1, 1, 0, 0, 0), 1) if small else (Effort(), TURNS)
    others = {peer: version(peer) for peer in PEERS}
    print(f"{device_name()}: white noise, float32; " + ", ".join(f"{peer} {found}" for peer, found in others.items()))
    guarded(torch_with_gpu, torch_here := {})
    if torch_here:
        print(f"torch and all that needs it do not take part: {torch_here['failed']}")
    folders = [Path(os.environ["OUT"])] if "OUT" in os.environ else []
    folders += [] if small else [RESULTS]
    results: dict[str, Any] = {}
    with one_stream():
        n_bytes = 2**20 if small else 2**30
        bandwidths, operations = [copy_bandwidth(n_bytes, effort)], peak()
        print(
            f"copies move {bandwidths[0] / 1e9:.0f} GB/s; " + (f"{operations / 1e12:.1f} TFLOP/s" if operations else "")
        )
        for make in (gpu_workloads.of_clips, gpu_ways_back.workloads, gpu_workloads.elsewhere):
            for workload in make(sizes):
                row: dict[str, Any] = {}
                deadline = began + BUDGET
                if time.monotonic() > deadline:
                    row["failed"] = "not measured: the time was up"
                else:
                    rows = guarded(lambda: compare(workload, turns, effort, deadline), row)  # noqa: B023
                if "failed" in row:
                    print(f"\n{workload.name}: {row['failed']}")
                    results[workload.name] = row
                else:
                    results[workload.name] = rated(rows, workload, bandwidths[0], operations)
                    show(workload.name, results[workload.name])
                record = {"copy_bytes_per_second": bandwidths, "peak_operations": operations, "results": results}
                paths = [stored("gpu", record, others, "gpu", folder) for folder in folders]
        bandwidths.append(copy_bandwidth(n_bytes, effort))
    conclude(results)
    print(f"\ncopies move {bandwidths[1] / 1e9:.0f} GB/s; {time.monotonic() - began:.0f} s in all")
    for path in paths:
        print(f"written to {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
