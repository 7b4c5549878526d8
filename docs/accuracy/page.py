"""The accuracy page, from the numbers in docs/accuracy.json."""

from typing import Any

INTRO = """# Accuracy

This page is written by `python -m docs.accuracy` (`make pages`) from [accuracy.json](accuracy.json); a test compares
them, measures some rows again, and holds every error against the limits of `tests/tolerances.py`.

**Exact** values are those of the oracles in `tests/naive*.py`: sums from the formulas, in float64, which share no code
with the package. **Errors** are the largest absolute difference over all values, divided by the largest absolute exact
value; those of levels are in dB, and not divided. Each is the largest over white noise, a logarithmic sweep and an
impulse: 0.3 s at 8 kHz, a second at 22 050 Hz for constant-Q transforms with default bins, less for the slowest
oracles; rows that start from spectra or cepstra take those of signals, or random ones. All samples are numbers that
float32 holds. float64 ends at 1e-16, float32 at 6e-8. **Peers** get the same samples and compute in float64 unless
their column says otherwise; their own error shows which of two results that differ is nearer to the truth.

Measured with {versions}.
"""

COLUMNS = (
    "transform",
    "definition",
    "float32 to exact",
    "float64 to exact",
    "peer",
    "float32 to peer",
    "float64 to peer",
    "peer to exact",
)

NOTES = {
    "Bands and cepstra": "librosa rounds its filters to float32. SciPy multiplies the four sections of a gammatone out "
    "to one polynomial of order eight, which loses digits at low frequencies. Levels of the sweep's quiet bands decide "
    "their rows.",
    "Pitch": "For CFP, roots of what should be zero lift the rounding of float64 by three digits. What makes "
    "librosa.cqt's errors, for noise: it multiplies spectra without a conjugate, so that its kernels run backwards, "
    "which counts as they have one sample more on the left, {backwards}; it drops the smallest parts of kernels, "
    "{sparsity}; it halves the rate, {halving}. Of sums over kernels that run backwards it is {rest} away where "
    "nothing is dropped or halved.",
    "Descriptors, parts and filters": "The phase vocoder of librosa adds up whole turns, hence its error; in float32 "
    "it is 7e-4. Rows with a sign † leave out the sweep, which is in the next table.",
    "nnAudio's classes": "nnAudio's octaves lag by half a sample of their rate: [Moving from nnAudio](nnaudio.md).",
}

QUIET = """## Where float32 has fewer digits

The sweep is a tone at any moment: in the bins beside it there is nothing but what the window leaks, as far down as
120 dB. A float32 FFT rounds all bins of a frame to some 1e-7 of its loudest, and what then takes ratios of quiet bins
shows that rounding. librosa takes the FFT of float32 samples in float64; so do the descriptors and `time_stretch` here.
If such bins matter elsewhere, pass float64.

| transform, of the sweep alone | float32 | float64 | peer | peer, float32 given | peer, float64 given |
|---|---|---|---|---|---|
"""

DECIMATION = """## What halving the rate costs

`CQT(method="2010")` and `"2010v2"` halve the rate octave by octave, as librosa does. Errors against exact sums, with
the default bins (84 from C1) at 22 050 Hz: ours, both methods / librosa.cqt. A hop of 441 is odd, so nothing is halved.
Hamming's window does not begin at zero; what its jumps leak from far above is lost with the upper half of the spectrum.

| window | hop | noise | sweep | tone, 440 Hz | impulse |
|---|---|---|---|---|---|
"""

TRIPS = """## There and back

Signal to noise of waveforms from their coefficients, in dB. For constant-Q transforms that is determined for signals
between the lowest and the highest bin, away from the ends, and with a hop of at most half the shortest kernel.

| transform and its inverse | float32 | float64 | peer | peer's |
|---|---|---|---|---|
"""

STOPPING = """
Coefficients that no signal has are another matter. For white noise in the place of the coefficients of 12 bins the
waveform of least squares fits to rounding, but conjugate gradients come near to it slowly: the residual is
{0}.
"""

SEARCHES = """## Searches

Two seconds of speech from its magnitudes: ||S' - S|| / ||S||, S' being what the result has (for bands, their powers).
The mean of three seeds. Waveforms are judged by librosa's STFT, and by exact constant-Q sums. `pghi` has no iterations.

| transform | float32 | float64 | peer | peer's |
|---|---|---|---|---|
"""


def number(value: float) -> str:
    """Write an error with one digit."""
    if value == 0 or value >= 0.001:
        return f"{value:.1g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def line(*cells: str) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |\n"


def code(transform: str) -> str:
    """The call as code, and what is said after it as text."""
    end = transform.rfind(")") + 1 or len(transform)
    return f"`{transform[:end]}`{transform[end:]}"


def cell(row: dict[str, Any], column: str) -> str:
    """One error, in its unit."""
    if column not in row["errors"]:
        return "no peer"
    return number(row["errors"][column]) + (" dB" if row["unit"] == "dB" else "")


def table(rows: list[dict[str, Any]], quiet: set[str]) -> str:
    """The table of a family."""
    text = line(*COLUMNS) + "|" + "---|" * len(COLUMNS) + "\n"
    for row in rows:
        title = code(row["transform"]) + (" †" if row["transform"] in quiet else "")
        errors = [cell(row, column) for column in ("float32", "float64", "float32 to peer", "float64 to peer", "peer")]
        text += line(title, row["definition"], *errors[:2], row["peer"], *errors[2:])
    return text


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    text = INTRO.format(versions=", ".join(f"{name} {version}" for name, version in data["versions"].items()))
    quiet = {row["transform"] for row in data["quiet"]}
    causes = {name: number(part) for name, part in data["causes"].items()}
    for family, rows in data["families"].items():
        text += f"\n## {family}\n\n{table(rows, quiet)}"
        if family in NOTES:
            text += "\n" + NOTES[family].format(**causes) + "\n"
        if family == "Descriptors, parts and filters":
            text += "\n" + QUIET
            for row in data["quiet"]:
                ours, theirs = ("float32", "float64"), ("peer float32", "peer float64")
                cells = [[cell(row, column) for column in columns] for columns in (ours, theirs)]
                text += line(code(row["transform"]), *cells[0], row["peer"], *cells[1])
        if family == "Pitch":
            text += "\n" + DECIMATION
            for row in data["decimation"]:
                cells = [
                    f"{number(max(row['errors']['2010'][name], row['errors']['2010v2'][name]))} / "
                    f"{number(row['errors']['librosa'][name])}"
                    for name in ("noise", "sweep", "tone", "impulse")
                ]
                text += line(row["window"], str(row["hop_length"]), *cells)
    text += "\n" + TRIPS
    for row in data["round_trips"]:
        found = row["snr"]
        cells = [str(round(found[who])) if who in found else "no peer" for who in ("float32", "float64", "peer")]
        text += line(row["transform"], cells[0], cells[1], row["peer"], cells[2])
    steps = [f"{residual:.2g} after {n}" for n, residual in data["stopping"].items()]
    text += STOPPING.format(", ".join(steps) + " iterations") + "\n" + SEARCHES
    for row in data["searches"]:
        cells = [f"{row['convergence'][who]:.2g}" for who in ("float32", "float64", "peer")]
        text += line(row["transform"], cells[0], cells[1], row["peer"], cells[2])
    return text
