"""The gradient page, from the numbers in docs/gradients.json."""

from typing import Any

INTRO = """# Gradients

This page is written by `python -m docs.gradients` (`make pages`) from [gradients.json](gradients.json); a test compares
them, and measures some rows again.

**Errors** are those of the slopes that the tape gives, against central differences in float64: the largest difference
along three random directions, with random gradients of the result, divided by the largest slope. Differences of steps
of 1e-6 end at some 1e-9 by rounding. *Steps*: the result changes in steps, so its gradient is 0, and
so are the differences. Arrays beside the signal are those that `with_params` takes, or settings given as arrays.

**The way back** is recorded step by step, but for the primitives that are named: these go back by hand, with a
formula of their own, which keeps less in memory. Where they run, what comes before and after them is still recorded.
[Learnable bases](learning.md) shows how gradients are used.

Measured with {versions}.
"""


SEARCHES = """## Inverses by least squares

`CQT.inverse`, `VQT.inverse`, and `STFT.inverse` on other scales search by conjugate gradients. With a tolerance, as by
default, their gradient is that of the solution: one more search, for the adjoint, which keeps nothing of the first.
Differences of the result are no measure for it where the search is slow, as for random coefficients or beside the band
of the bins, since they amplify the rounding of their input. Within the band, a step d of the waveform must change a
loss <g, waveform> by <g, d>. For `CQT` with 36 bins from 100 Hz and a hop of 16, what the gradient says is off by
{}, relative to |g| |d|. With `tolerance=None` the
gradient goes back through each of the iterations, as in the rows above.
"""


def error(value: float | None) -> str:
    """An error as the page shows it."""
    return "steps" if value is None else f"{value:.0e}"


def table(rows: list[dict[str, Any]]) -> str:
    """A family of rows."""
    lines = ["| call | signal or spectrum | other arrays | by hand |", "|---|---|---|---|"]
    for row in rows:
        (_, main), *others = row["errors"].items()
        arrays = ", ".join(f"`{name}` {error(value)}" for name, value in others) or "none"
        names = sorted({name for names in row["by_hand"].values() for name in names})
        by_hand = ", ".join(f"`{name}`" for name in names) or "nothing"
        lines.append(f"| `{row['transform']}` | {error(main)} | {arrays} | {by_hand} |")
    return "\n".join(lines) + "\n"


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    parts = [INTRO.format(versions=versions)]
    parts += [f"## {family}\n\n{table(rows)}" for family, rows in data["families"].items()]
    steps = ", ".join(f"{error(value)} after {n}" for n, value in data["searches"].items()) + " iterations"
    parts.append(SEARCHES.format(steps))
    lines = [f'- `{row["covers"]}`: {row["reason"]}; it says "{row["error"]}".' for row in data["without"]]
    return "\n".join([*parts, "## Without gradients\n", *lines]) + "\n"
