"""Spectrograms beside each other, and how far they are apart."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import BoundaryNorm

from arrayaudio.ext import plot
from arrayaudio.ext.plot.values import UPWARD
from docs.evidence import spectrograms
from docs.evidence.exact import N_OCTAVES
from docs.evidence.forms import FORMS, Form, exactly, result
from docs.evidence.measures import decibels
from docs.evidence.signals import signals

RANGE_DB = 80
DIFFERENCE = "viridis"
MAPS = (UPWARD, DIFFERENCE)


# Colours of Okabe and Ito. Ours, by "2010" and "2010v2", lie on each other: one of both is drawn.
CURVES = (
    ('arrayaudio "2010v2"', "#0072b2", "o-", "arrayaudio", '"2010v2"'),
    ("librosa cqt", "#e69f00", "s-", "librosa", "cqt"),
    ("arrayaudio CQT2010v2", "#56b4e9", "v-", "arrayaudio", "CQT2010v2"),
    ("nnAudio CQT2010", "#cc79a7", "D-", "nnAudio", "CQT2010"),
    ("nnAudio CQT2010v2", "#009e73", "^-", "nnAudio", "CQT2010v2"),
)


class Panel(NamedTuple):
    """A title, levels in dB, and whether they are those of a difference."""

    title: str
    levels: np.ndarray
    is_difference: bool = False


class Steps(NamedTuple):
    """The colours of differences in dB: from, to, and how many to a colour."""

    lowest: int
    highest: int
    step: int


ROUNDING = Steps(-180, -120, 10)  # float32 ends at 6e-8, -144 dB
WIDE = Steps(-160, -20, 20)


def panels(
    named: Mapping[str, np.ndarray], less: Mapping[str, tuple[np.ndarray, np.ndarray]], top: float
) -> list[Panel]:
    """Spectrograms, and differences of two, as levels: 0 dB is `top`."""
    shown = [Panel(title, decibels(S, top)) for title, S in named.items()]
    differences = {title: np.float64(one) - other for title, (one, other) in less.items()}
    return shown + [Panel(title, decibels(difference, top), True) for title, difference in differences.items()]


def grid(rows: Mapping[str, list[Panel]], transform: Any, steps: Steps, *, width: float, height: float) -> Any:
    """Draw a row of panels for each signal, with one colour bar for all levels and another for all differences."""
    columns = next(iter(rows.values()))
    figure, axes = plot.new_figure(len(rows), len(columns), height=height)
    figure.set_size_inches(width, height * len(rows) + 1.2)
    figure.get_layout_engine().set(wspace=0.02, hspace=0.03)
    for line, (signal, row) in zip(axes, rows.items(), strict=True):
        for ax, panel in zip(line, row, strict=True):
            drawn(ax, panel, transform, steps)
            ax.label_outer()
        line[0].set_ylabel(f"{signal}\n{line[0].get_ylabel()}")
    for ax, panel in zip(axes[0], columns, strict=True):
        ax.set_title(panel.title, loc="left")
    figure.align_ylabels(axes[:, 0])
    for is_difference, label, extend in ((False, "level", "min"), (True, "difference", "both")):
        own = axes[:, [panel.is_difference is is_difference for panel in columns]]
        ticks = np.arange(steps.lowest, steps.highest + 1, 2 * steps.step) if is_difference else (-80, -40, 0)
        figure.colorbar(
            own[0, 0].collections[0],
            ax=own.ravel().tolist(),
            location="bottom",
            label=f"{label} (dB, loudest level = 0)",
            extend=extend,
            ticks=ticks,
            aspect=16 * own.shape[1],
            pad=0.01,
            shrink=0.9,
        )
    return plot.lettered(figure, "screen")


def drawn(ax: Any, panel: Panel, transform: Any, steps: Steps) -> None:
    """Draw one spectrogram, or one difference in colours of its own."""
    options: dict[str, Any] = {"unit": "dB", "colorbar": False, "title": ""}
    if not panel.is_difference:
        plot.spectrogram(panel.levels, transform, ax, cmap=UPWARD, vmin=-RANGE_DB, vmax=0, **options)
        return
    plot.spectrogram(panel.levels, transform, ax, cmap=DIFFERENCE, **options)
    lowest, highest, step = steps
    ax.collections[0].set_norm(BoundaryNorm(np.arange(lowest, highest + 1, step), 256, extend="both"))


def beside_librosa(case: spectrograms.Case) -> Any:
    """Draw our spectrograms, librosa's and their difference; for the CQT, ours less exact sums too."""
    is_exact = case.name != "CQT"
    rows = {}
    for signal in signals():
        ours, theirs, wanted = spectrograms.results(case, signal)
        less = {"difference": (ours, theirs)}
        if not is_exact:
            less["arrayaudio less exact sums"] = (ours, wanted)
        rows[signal] = panels({"arrayaudio": ours, "librosa": theirs}, less, float(theirs.max()))
    steps, width = (ROUNDING, 9) if is_exact else (WIDE, 11)
    return grid(rows, case.transform, steps, width=width, height=1.5)


def drawn_forms(definition: str) -> list[Form]:
    """The forms of a definition that are drawn: all but "auto", and of our classes one, as they are our forms."""
    ours = {"librosa": ('"1992"', '"1992v2"', '"2010"', '"2010v2"'), "nnAudio": ("CQT2010v2",)}[definition]
    return [form for form in FORMS if form.definition == definition and (form.who != "arrayaudio" or form.name in ours)]


def forms(definition: str) -> Any:
    """Draw exact magnitudes, and by how much forms differ from these."""
    chosen = drawn_forms(definition)
    rows = {}
    for signal in signals():
        wanted = np.abs(exactly(signal, definition))
        less = {f"{form.who}\n{form.name}": (np.abs(result(form, signal)), wanted) for form in chosen}
        rows[signal] = panels({"exact sums": wanted}, less, float(wanted.max()))
    return grid(rows, spectrograms.CASES[2].transform, WIDE, width=12, height=1.4)


def octaves(rows: Sequence[dict[str, Any]], exactly_heard: dict[str, list[float]]) -> Any:
    """Draw the errors of forms by octave, and what they hear of a sweep above all bins."""
    figure, axes = plot.new_figure(1, 2, height=2.6, share_time=False)
    places, left, right = np.arange(N_OCTAVES), *axes[0]
    for label, colour, marker, who, name in CURVES:
        row = next(row for row in rows if (row["who"], row["form"]) == (who, name))
        left.semilogy(places, row["errors"], marker, color=colour, label=label)
        right.plot(places, row["heard"], marker, color=colour)
    right.plot(places, exactly_heard["nnAudio"], ":", color="0.3", label="exact sums, nnAudio's kernels")
    right.plot(places, exactly_heard["librosa"], "--", color="0.3", label="exact sums, librosa's kernels")
    left.set_title("error in each octave, logarithmic sweep", loc="left")
    left.set_ylabel("relative L2 error")
    left.set_ylim(1e-7, 1e-1)
    right.set_title("what is heard of a sweep from 5 to 10.8 kHz", loc="left")
    right.set_ylabel("loudest value (dB)")
    for ax in (left, right):
        ax.set_xticks(places, [f"C{k + 1}\n{N_OCTAVES - 1 - k}" for k in places])
        ax.set_xlabel("lowest note of the octave; halvings (librosa, nnAudio)")
        ax.grid(color="0.9")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return plot.lettered(figure, "screen")
