"""The page on GPU kernels, from the numbers in docs/gpu.json."""

from typing import Any

from docs.machine_code.counts import BATCH, COPY, HERTZ, ISSUES, MULTIPROCESSORS, SECONDS, SHARED_BYTES, Case, floors

TEXT = """# What the GPU kernels need

This page is written by `python -m docs.machine_code` (`make pages`) from [gpu.json](gpu.json); a test compares them,
and counts a row again. **Nothing on it was measured on a GPU.** `make bench-gpu` does that where there is one.

## How a kernel is verified without a GPU

1. **The source runs on the CPU.** `tests/emulator/` compiles the unchanged `.cu` file with g++ against a header that
   supplies threads, barriers and shared memory, and runs it thread by thread. Shared memory and results hold NaN at
   first, arrays end at inaccessible pages, and three orders of threads must agree bit for bit. Tests take out each
   barrier in turn, and the disagreement must show.
2. **The launch code runs too.** `pytest --stand-in` puts a stand-in for CuPy in its place, whose arrays are NumPy's
   and as strict as CuPy's; a launch goes to the emulator with the arguments that a GPU would get. So every transform
   walks the way through the code for GPUs, and its results are compared with those of the reference in float64.
3. **The real compiler compiles it**, for sm_80, sm_90 and sm_120, and tests hold the registers of a thread to a table:
   none may spill.
4. **The machine code runs on the CPU**, for this page: `docs/machine_code/` has nvdisasm take apart what NVRTC made
   for sm_90, and an interpreter runs a block of threads instruction by instruction, with the real arguments of a
   launch. It computes the right numbers: the last column is the relative error of its frames against float64.

What this cannot show is time: how well latencies are hidden, what the caches do, how often clocks fall. A floor says
only that a kernel is no faster than that.

## A frame of the kernels around FFTs

The results are those of `spectrogram` (complex, power, or mel bands), of `synthesis` (inverse), and of an iteration of
Griffin-Lim. Counted are instructions that a warp of 32 threads issues, for each frame of a block that lies within a
signal, float32: arithmetic in float32 (additions, products and sums of products, comparisons), accesses to shared
memory and to global memory, and all others: addresses, branches, moves, conversions. A *pass* is a clock in which the
32 banks of shared memory give one word each, {least} bytes at most. A *sector* is 32 bytes of global memory that a warp
asks for; most of those read are windows, factors and banks, which stay in the cache. The lines of the source that they
come from are listed by `python -m docs.machine_code.lines 2048 inverse`.

{frames}

## The least time that they take

For {batch} clips of {seconds} s on an H100, in microseconds: {sms} multiprocessors at {ghz} GHz, each of which issues
{issues} instructions in a clock and moves {least} bytes through shared memory and its cache; and {copy} TB/s, which is
what copies in its memory reach, for the bytes of signals and results, each once.

{times}

{verdict}

Compiled by NVRTC {nvrtc}.
"""


COLUMNS = {
    "issued": "issued",
    "float": "float32",
    "shared": "shared",
    "global": "global",
    "other": "others",
    "shared wavefronts": "passes",
    "read sectors": "sectors read",
    "written sectors": "written",
    "operations": "operations",
}


def result_of(case: Case) -> str:
    """What a case makes, in words."""
    return f"{case.n_mels} mels" if case.kind == "mel" else case.kind


def frames(rows: list[dict[str, Any]]) -> str:
    """The table of counts."""
    lines = [f"| n_fft | hop | result | {' | '.join(COLUMNS.values())} | error |", "|---" * (len(COLUMNS) + 4) + "|"]
    for row in rows:
        case, counts = Case(*row["case"]), row["counts"]
        cells = [f"{counts[name]:.0f}" for name in COLUMNS]
        lines.append(
            f"| {case.n_fft} | {case.hop} | {result_of(case)} | " + " | ".join(cells) + f" | {row['error']:.0e} |"
        )
    return "\n".join(lines)


def times(rows: list[dict[str, Any]]) -> str:
    """The table of floors."""
    lines = ["| n_fft | hop | result | frames | issue | shared memory | memory | what binds |", "|---" * 8 + "|"]
    for row in rows:
        case = Case(*row["case"])
        found = floors(case, row["counts"])
        cells = " | ".join(f"{value:.0f}" for value in found.values())
        binds = max(found, key=found.__getitem__)
        lines.append(f"| {case.n_fft} | {case.hop} | {result_of(case)} | {BATCH * case.n_frames} | {cells} | {binds} |")
    return "\n".join(lines)


def verdict(rows: list[dict[str, Any]]) -> str:
    """What stands out, in words."""
    binding = [
        max(found, key=found.__getitem__) for found in (floors(Case(*row["case"]), row["counts"]) for row in rows)
    ]
    parts = ", ".join(f"{name} in {binding.count(name)}" for name in dict.fromkeys(binding))
    others = [row["counts"]["other"] / row["counts"]["issued"] for row in rows]
    return (
        f"What binds: {parts} of {len(rows)} rows. Of the instructions that are issued, {min(others):.0%} to\n"
        f"{max(others):.0%} are neither arithmetic in float32 nor access to memory."
    )


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    rows = data["rows"]
    return TEXT.format(
        least=SHARED_BYTES,
        batch=BATCH,
        seconds=SECONDS,
        sms=MULTIPROCESSORS,
        ghz=HERTZ / 1e9,
        issues=ISSUES,
        copy=COPY / 1e12,
        frames=frames(rows),
        times=times(rows),
        verdict=verdict(rows),
        nvrtc=data["nvrtc"],
    )
