"""The page of numerics, from docs/numerics.json."""

from typing import Any

INTRO = """# Hard signals

This page is written by `python -m docs.numerics` (`make pages`) from [numerics.json](numerics.json); a test measures it
again. [Accuracy](accuracy.md) compares transforms with oracles; this page asks what they make of signals that are hard
for floating point. Errors are relative (L2), against the references of the same transform in double precision, which
are array code without kernels. One second at 8000 Hz of

- noise, for comparison;
- silence: all must be exact;
- a square wave at full scale;
- noise that falls by 140 dB, of whose quiet half the error is, relative to that half;
- an offset of 1000 under noise of 0.1, of which single precision leaves three digits, as in the input;
- denormal numbers, a hundredth of the smallest normal one, where values below that count as that one;
- a tone 4 Hz below half the rate.

Three kinds of large numbers say more about the question than about the answer:

- phases of bins that hold nothing but rounding are rounding too;
- where rows hear next to nothing of a signal, as bands up to 2000 Hz of an offset or of a tone at 3996 Hz, what is left
  is the rounding of that signal, and logarithms and norms show it;
- squares of denormal numbers are zero, and so are magnitudes and powers that kernels compute from them, and what is
  divided by these; all of it is finite.

A test holds the errors to these limits, the first of them for phases alone:

| | {heads} |
|---|{rule}|
{limits}
"""

# The largest errors: phases of noise, then those of each signal, where None means that values are finite.
LIMITS: dict[str, dict[str, float | None]] = {
    "float32": {
        "phases": 1e-6,
        "noise": 5e-7,
        "silence": 1e-7,
        "square": 1e-6,
        "140 dB down": 5e-6,
        "offset": 1e-3,
        "denormal": None,
        "near Nyquist": 2e-2,
    },
    "float64": {
        "phases": 1e-14,
        "noise": 1e-14,
        "silence": 1e-15,
        "square": 1e-12,
        "140 dB down": 1e-14,
        "offset": 1e-11,
        "denormal": None,
        "near Nyquist": 1e-9,
    },
}


def introduction() -> str:
    """The text with the limits in it."""
    heads = list(LIMITS["float32"])
    lines = [
        f"| {dtype} | {' | '.join('finite' if limit is None else f'{limit:.0e}' for limit in limits.values())} |"
        for dtype, limits in LIMITS.items()
    ]
    return INTRO.format(heads=" | ".join(heads), rule="|".join(["---"] * len(heads)), limits="\n".join(lines))


def number(value: float | None) -> str:
    """An error as the page shows it."""
    return "not in chunks" if value is None else "exact" if value == 0 else f"{value:.0e}"


def table(rows: dict[str, dict[str, float]]) -> str:
    """Errors for one precision."""
    heads = list(next(iter(rows.values())))
    lines = [f"| transform | {' | '.join(heads)} |", f"|---{'|---' * len(heads)}|"]
    lines += [f"| `{call}` | {' | '.join(number(row[head]) for head in heads)} |" for call, row in rows.items()]
    return "\n".join(lines) + "\n"


def dependence(rows: dict[str, dict[str, Any]]) -> str:
    """What the bits of a result depend on."""
    lines = ["| transform | threads | batch mates | chunks |", "|---|---|---|---|"]
    for call, row in rows.items():
        same = ["same bits" if row[name] else "differ" for name in ("threads", "mates")]
        lines.append(f"| `{call}` | {' | '.join(same)} | {number(row['chunks'])} |")
    return "\n".join(lines) + "\n"


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    parts = [introduction()]
    parts += [f"## {dtype}\n\n{table(rows)}" for dtype, rows in data["errors"].items()]
    parts.append(
        "## What numbers depend on\n\nOne, two or three threads; alone or among other items of a batch; and, as an "
        f"error beside the whole, with `memory_budget=`, in chunks. Noise in float32.\n\n{dependence(data['depends'])}"
    )
    versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    return "\n".join([*parts, f"Measured with {versions}.\n"])
