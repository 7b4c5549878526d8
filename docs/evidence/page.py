"""The page of the evidence, from the numbers in docs/evidence.json and docs/experiments.json."""

import json
from pathlib import Path
from typing import Any

from docs.evidence import speed, text
from docs.evidence.exact import N_OCTAVES
from docs.experiments.page import ratio, squared

EXPERIMENTS = Path(__file__).parent.parent / "experiments.json"
Rows = list[dict[str, Any]]


def number(value: float) -> str:
    """Write an error with two digits."""
    if 0.001 <= value < 100:
        return f"{value:.2g}"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def table(head: str, lines: list[list[str]]) -> str:
    """Write a table."""
    ruled = f"| {head} |\n" + "|---" * (head.count("|") + 1) + "|\n"
    return ruled + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def largest(rows: Rows, pair: str, measure: str) -> float:
    """The largest error of rows."""
    return max(row[pair][measure] for row in rows)


def smallest(rows: Rows, pair: str, measure: str) -> float:
    """The smallest error of rows."""
    return min(row[pair][measure] for row in rows)


def of_spectrogram(data: dict[str, Any], *names: str) -> Rows:
    """The rows of some spectrograms."""
    return [row for row in data["spectrograms"] if row["spectrogram"] in names]


def pair_of(errors: dict[str, float]) -> str:
    """Write both errors."""
    return f"{number(errors['l2'])}, {number(errors['peak'])}"


def beside_librosa(data: dict[str, Any]) -> str:
    """The first figure: errors, and where those of librosa's CQT come from."""
    framed, notes = of_spectrogram(data, "STFT", "mel"), of_spectrogram(data, "CQT")
    cells = [
        [row["spectrogram"], row["signal"], *(pair_of(row[pair]) for pair in ("ours to librosa", "ours", "librosa"))]
        for row in data["spectrograms"]
    ]
    steps = {signal: found["librosa"] for signal, found in data["causes"].items()}
    return text.BESIDE.format(
        table=table("spectrogram | signal | ours to librosa | ours to exact | librosa to exact", cells),
        framed=number(largest(framed, "ours to librosa", "peak")),
        ours=number(largest(framed, "ours", "l2")),
        theirs=number(largest(framed, "librosa", "l2")),
        nearer=sum(row["librosa"]["l2"] < row["ours"]["l2"] for row in framed),
        of=len(framed),
        notes_least=number(smallest(notes, "ours to librosa", "l2")),
        notes_most=number(largest(notes, "ours to librosa", "l2")),
        notes_peak=number(largest(notes, "ours to librosa", "peak")),
        notes_ours=number(largest(notes, "ours", "peak")),
        wavelets=number(data["wavelets"]),
        causes=cause_table(steps, text.LIBROSA_STEPS),
        least=number(min(step["all of its kernels"] for step in steps.values())),
        rest=number(max(step["to its own kernels"] for step in steps.values())),
        rounding=f"{data['rounding']['librosa']:.1%}",
    )


def cause_table(steps: dict[str, dict[str, float]], names: dict[str, str]) -> str:
    """What is left when one cause after the other is taken away."""
    lines = [[signal, *(number(found[name]) for name in names)] for signal, found in steps.items()]
    return table("signal | " + " | ".join(names.values()), lines)


def bases(data: dict[str, Any]) -> str:
    """The arrays before and after training."""
    experiments = json.loads(EXPERIMENTS.read_text())
    lines = []
    for row, run in zip(experiments["experiments"], data["learned"]["arrays"], strict=True):
        arms = row["rates"][experiments["drawn"]]
        errors = [arms[arm]["errors"] for arm in ("fixed", "trainable")]
        lines.append([row["spectrogram"], number(run["change"]), *map(squared, errors), ratio(*errors)])
    return text.BASES.format(
        table=table("spectrogram | its array moved by | fixed | trainable | fixed / trainable", lines),
        rate=experiments["drawn"],
        epochs=experiments["epochs"],
        seed=experiments["seeds"][0],
    )


def learned_stft(data: dict[str, Any]) -> str:
    """The STFT before and after training."""
    tones, speech = data["learned"]["heard"]
    lines = [
        [row["signal"], pair_of(row["change"]), *(f"{level:.0f} dB" for level in row["median"])]
        for row in (tones, speech)
    ]
    return text.LEARNED_STFT.format(
        table=table("signal | change | median level before | median level after", lines),
        before=f"{tones['median'][0]:.0f}",
        after=f"{tones['median'][1]:.0f}",
        speech=f"{abs(speech['median'][1] - speech['median'][0]):.1f}",
    )


def form_table(rows: Rows) -> str:
    """Errors of forms on every signal."""
    signals = list(rows[0]["errors"])
    lines = [
        [
            row["who"],
            f"`{row['form']}`",
            *(number(row["errors"][signal]["l2"]) for signal in signals),
            number(max(errors["peak"] for errors in row["errors"].values())),
            number(row["with phases"]),
        ]
        for row in rows
    ]
    return table(f"whose | form | {' | '.join(signals)} | largest | with phases", lines)


def octave_table(data: dict[str, Any]) -> str:
    """Errors by octave, from the lowest to the highest."""
    lines = [[row["who"], f"`{row['form']}`", *map(number, row["errors"])] for row in data["octaves"]]
    return table("whose | form | " + " | ".join(f"C{k + 1}" for k in range(N_OCTAVES)), lines)


def folded_table(data: dict[str, Any]) -> str:
    """What exact sums hear of a sweep above all bins, and what others hear besides."""
    rows = {"exact sums, all that they hear": data["heard exactly"]["librosa"]} | data["folded"]
    lines = [[who, *(f"{level:.0f}" for level in levels)] for who, levels in rows.items()]
    return table("whose | " + " | ".join(f"C{k + 1}" for k in range(N_OCTAVES)), lines)


def halved_octaves(data: dict[str, Any]) -> list[tuple[str, int, list[float]]]:
    """In how many octaves the rate is halved, and what is heard there: ours halves it in the highest too."""
    return [(who, N_OCTAVES - (who != "arrayaudio"), levels) for who, levels in data["folded"].items()]


def early_table(rows: Rows) -> str:
    """Two octaves, with rates divided first and not."""
    told = {None: "", True: ", as it is", False: ", `earlydownsample=False`"}
    lines = []
    for row in rows:
        option = row["earlydownsample"] if row["earlydownsample"] is not None or row["divided"] is None else True
        by = str(row["divided"]) if row["divided"] else "-"
        lines.append([row["who"], f"`{row['form']}`{told[option]}", by, f"{row['loudness']:.3g}", number(row["l2"])])
    return table("whose | form | rate divided first by | loudness, 1 is exact | error", lines)


def forms(data: dict[str, Any]) -> str:
    """The forms of the CQT, and what halving does to them."""
    rows, causes = data["forms"], data["causes"]

    def most(who: str, *names: str, key: str = "l2") -> str:
        found = [row for row in rows if row["who"] == who and row["form"] in names]
        return number(max(errors[key] for row in found for errors in row["errors"].values()))

    quoted = [row["form"] for row in rows if row["who"] == "arrayaudio" and "2010" not in row["form"]]
    halving = [row["form"] for row in rows if row["who"] == "arrayaudio" and "2010" in row["form"]]
    steps = {signal: found["nnAudio"] for signal, found in causes.items()}
    early = {(row["form"], row["earlydownsample"]): row for row in data["early"] if row["who"] == "nnAudio"}
    loud, quiet = early["CQT2010v2", None], early["CQT2010", None]
    return text.FORMS.format(
        librosa_table=form_table([row for row in rows if row["definition"] == "librosa"]),
        nnaudio_table=form_table([row for row in rows if row["definition"] == "nnAudio"]),
        octaves=octave_table(data),
        early=early_table(data["early"]),
        causes=cause_table(steps, text.NNAUDIO_STEPS),
        exact=most("arrayaudio", *quoted),
        ours=most("arrayaudio", *halving),
        librosa=most("librosa", "cqt"),
        nnaudio=most("nnAudio", "CQT2010", "CQT2010v2"),
        frames=most("nnAudio", "CQT1992v2"),
        spectra=most("nnAudio", "CQT1992"),
        rest=number(max(step["to its own kernels"] for step in steps.values())),
        rounding=f"{data['rounding']['nnAudio']:.1%}",
        folded=folded_table(data),
        **{f"folded_{who}": f"{max(levels[:halved]):.0f}" for who, halved, levels in halved_octaves(data)},
        ripple=number(data["filter"]["ripple"]),
        through=f"{data['filter']['folded']:.0f}",
        factor=loud["divided"],
        loud=f"{loud['loudness']:.3g}",
        quiet=f"{quiet['loudness']:.3g}",
    )


def times() -> str:
    """Section 2, from the results of the benchmark."""
    runs = speed.runs()
    parts = [text.SPEED.format(**next(iter(runs.values())))]
    for machine, run in runs.items():
        parts.append(f"{machine}:\n\n{speed.table(run)}\n")
    picture = "![Clips in a second, by arrayaudio, nnAudio and librosa](pictures/evidence_speed.png)\n\n"
    return "".join([*parts, picture])


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    parts = beside_librosa(data), times(), bases(data), learned_stft(data), forms(data)
    return text.INTRO.format(versions=versions) + "".join(parts)
