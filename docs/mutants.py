"""The page of mutants, from what mutmut and cosmic-ray left: `make mutants` runs them, and then this.

mutmut changes functions, cosmic-ray tables too. A survivor that `WHY` does not explain is an error.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
TABLES = "mutants/tables.sqlite"
ENDED = ("killed", "timeout", "segfault")

INTRO = """# Mutants

Would the tests notice if the code were wrong? This page is written by `make mutants`, from
[mutants.json](mutants.json). [mutmut](https://mutmut.readthedocs.io) changes functions of the stages and of the tape
in all the small ways it knows: another operator, number or text, an argument less, a condition that always holds.
[cosmic-ray](https://cosmic-ray.readthedocs.io) changes operators and numbers in the two files of derivatives, which are
mostly tables that mutmut leaves alone. Each change is tried alone, against the tests of these files and no others.

{table}

## What no test notices, and why that is right

"""

# Patterns of the function and of the changed line, and why no test sees the change.
WHY = [
    ("", r"zip\(.*(strict=(None|False)|, )\)[]: ]", "Both have one length: the line says so for those who read it."),
    ("", r"reshape\(.*\(- ?2,|= - ?2", "NumPy takes any negative length for the one that is left open."),
    ("", r"on_device_of(_leaves)?\(None\)|zeros_like\(None\)", "NumPy's arrays live in one place."),
    ("slopes", r"seed: int = 1", "`check_grads` names the seed."),
    ("slopes", r"2 / _size|rounding = 21", "The sizes of directions, and the room for rounding, are a choice."),
    ("_size", r"2\.0", "Zeros have no size, and any serves."),
    (
        "_random",
        r"drawn (- 1j|\+ 2j|\+ 1j /)|normal\(None\)|dtype=None|size, \)",
        "Any direction serves, and arguments are in double precision.",
    ),
    ("_inner", r"_counts\(a\) or|or True", "Both are of one kind, and the real part of a real number is the number."),
    ("^conj$", r"or True", "A real number is its own conjugate; to ask first saves a copy."),
    ("reversed_sum", r"cumulative_sum", "NumPy has had it since 2.1; the tests with NumPy 2.0 see this."),
    ("^_cut$", r"missing (= length \+|>= 0|> -1)", "Zeros are added, and cut off again."),
    ("^frame$", r"parts \+ 1|max\(1,|hop_length \+ y|or True", "Zeros are added, and cut off again."),
    ("^(overlap_add|lengthened)$", r"hop_length \+|max\(1,|before \+|\+ before", "Zeros are added, and cut off again."),
    ("^squared_windows$", r"n_parts \+ 1", "Zeros are added, and cut off again."),
    ("^pad$", r"Framing\(", "How a signal is padded depends on neither the frames nor their distance."),
    ("_edge_values|fourier", r", \)", "The last axis is the one that these functions take by themselves."),
    ("_averaged", r"_summed", "The gradient of a sum does not depend on the sum."),
    ("_left", r"\[\.\.\., -1\]", "There is one column."),
    (
        "_explicit",
        r"XX|widest = \[\], -1",
        "Letters that occur once count; dots and commas, and what replaces them, occur more often.",
    ),
    ("weighed", r">=", "No sum of squares meets the limit but by chance."),
    (
        "_warn_of_empty_bands",
        r"stacklevel|^\)*$",
        "The test of where warnings point sees this, and mutmut cannot run it.",
    ),
]


def run(*words: str) -> str:
    """Return what a command printed."""
    return subprocess.run([BIN / words[0], *words[1:]], capture_output=True, text=True, check=True).stdout


def changed(diff: str) -> tuple[str, str]:
    """Return the lines that a diff takes and gives, in one line each."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    was, became = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return was, became


def of_functions() -> list[dict[str, Any]]:
    """Return what mutmut tried: where, with which end, and the lines of survivors."""
    tried = []
    for line in run("mutmut", "results", "--all", "true").splitlines():
        name, status = line.strip().split(": ")
        module, _, function = name.rpartition(".")
        where = re.sub(r"^x_?|__mutmut_\d+$", "", function).replace("ǁ", ".").strip(".")
        found = {"file": module.replace(".", "/") + ".py", "where": where, "killed": status in ENDED}
        if not found["killed"]:
            found["was"], found["became"] = changed(run("mutmut", "show", name))
        tried.append(found)
    return tried


def of_tables() -> list[dict[str, Any]]:
    """Return what cosmic-ray tried, as `of_functions`."""
    tried = []
    for line in run("cosmic-ray", "dump", TABLES).splitlines():
        item, result = json.loads(line)
        if result["worker_outcome"] == "skipped":
            continue
        (change,) = item["mutations"]
        file, where = f"{change['module_path']}, by cosmic-ray", change["definition_name"] or "RULES"
        found = {"file": file, "where": where, "killed": result["test_outcome"] != "survived"}
        if not found["killed"]:
            found["was"], found["became"] = changed(result["diff"])
        tried.append(found)
    return tried


def reason(survivor: dict[str, Any]) -> str:
    """Return why no test can notice a change, or should."""
    for where, pattern, why in WHY:
        if re.search(where, survivor["where"]) and re.search(pattern, survivor["became"]):
            return why
    raise SystemExit(f"nobody noticed, or explained: {survivor}")


def rendered(data: dict[str, Any]) -> str:
    """Return the page."""
    rows = ["| | changes | noticed | |", "|---|--:|--:|--:|"]
    for file, (noticed, made) in data["score"].items():
        rows.append(f"| {file} | {made} | {noticed} | {100 * noticed / made:.1f} % |")
    parts = [INTRO.format(table="\n".join(rows))]
    for why in dict.fromkeys(survivor["why"] for survivor in data["survivors"]):
        parts.append(f"**{why}**\n\n```diff\n")
        parts += [
            f"@@ {survivor['file']} {survivor['where']}\n-{survivor['was']}\n+{survivor['became']}\n"
            for survivor in data["survivors"]
            if survivor["why"] == why
        ]
        parts.append("```\n\n")
    return "".join(parts).rstrip() + "\n"


def main() -> None:
    """Read and write."""
    tried = [*of_functions(), *of_tables()]
    made, noticed = Counter(t["file"] for t in tried), Counter(t["file"] for t in tried if t["killed"])
    survivors = [{k: v for k, v in t.items() if k != "killed"} | {"why": reason(t)} for t in tried if not t["killed"]]
    data = {"score": {file: [noticed[file], n] for file, n in made.items()}, "survivors": survivors}
    (HERE / "mutants.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "mutants.md").write_text(rendered(data))


if __name__ == "__main__":
    main()
