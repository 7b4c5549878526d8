"""The page of the experiments, from the numbers in docs/experiments.json."""

from typing import Any

import numpy as np

from docs.experiments.cases import CASES
from docs.experiments.tones import HIGHEST, LOWEST, N_SAMPLES, SR
from docs.experiments.training import BATCH, N_TEST, N_TRAIN

ARMS = ("fixed", "trainable")

INTRO = """# Learned bases: three experiments

Does a spectrogram hear better when its basis may be learned? nnAudio became known by three experiments in which it
does (Cheuk, Anderson, Agres and Herremans, "nnAudio: an on-the-fly GPU audio to spectrogram conversion toolbox using
1D convolutional neural networks", IEEE Access 8, 2020): one linear layer reads the frequency of a pure tone from an
STFT of 64 points, a mel spectrogram or a CQT. Its notebooks report, from one seed and partly with settings that differ
between the two, that a fixed basis has 5 to 6.5, 99 to 191 and 2 200 to 2 400 times the squared error of a trainable
one. Here are such experiments with arrayaudio alone, on signals of our own, with the same seeds, tones, rates and steps
for both. The code is in `docs/experiments/`; `python -m docs.experiments` (`make experiments`) trains all in minutes
on two cores, writes [experiments.json](experiments.json), this page from it, and the pictures.

## What is trained

- **Tones**: {n_train} to learn from and {n_test} others to test, {n_samples} samples each at {sr} Hz, amplitude 1,
  float32; frequencies uniform from {lowest} to {highest} Hz, phases random. The place of a tone is 0 at the lowest
  frequency and 1 at the highest.
- **Model**: place = sigmoid(w . S + b), S being all values of the spectrogram, divided by the root of their mean square
  before training. Spectrograms are magnitudes of frames 64 samples apart: an STFT with `n_fft=64`; 32 mel bands of the
  magnitudes of an STFT with `n_fft=256`; a CQT of 49 bins from {lowest} Hz.
- **Fixed** learns w and b. **Trainable** learns these and the array of the transform: the STFT's basis, the mel bank
  (its STFT stays), the CQT's kernels.
- **Training**: Adam on the squared error of batches of {batch}, {epochs} epochs, the rate falling linearly to 0. One
  rate for all that is learned. Seeds {seeds}: each has tones, first weights and an order of batches, and both learn
  from the same.

Measured with numpy {numpy}.
"""

ERRORS = """
## Errors

Mean squared error of the place, times 1e-6, on tones that were not learned from: the mean of {n} seeds, the least and
the greatest. The ratio is fixed / trainable, seed by seed: its geometric mean, the least and the greatest.
An error of 83 000 is what a model has that always answers the middle.
"""

BEST = """
## Each at its best

One rate for both is even-handed only if it suits both. So here each has the rate at which its training loss ended
lowest; the test tones have no say. Errors are root mean squares in Hz, the mean of {n} seeds, the least and the
greatest; the ratio is that of squared errors as above. Every second line is of {longer} times as many epochs.

| spectrogram | epochs | fixed | trainable | fixed / trainable |
|---|---|---|---|---|
"""

FINDINGS = """
## What this shows

- At the same rate and with the same steps, the trainable spectrogram has the lower mean error in {won} of {of} rows.
  How much lower is a matter of the rate before all. The mel bank gains the most, {gain} times at {slow}: Adam's steps
  are about as large as the rate, and the bank's weights are at most {weight:.2f}, so that it is soon another. At {fast}
  it is torn apart, and the model does no better than a constant.
- Each at its best, the learned STFT has the least error of all, {stft} times less than the fixed one after long
  training, from every seed. The learned mel bank gains {mel} times.
- The learned CQT is no better, and worse after long training. Its kernels have {kernels} numbers and learn the
  {n_train} tones by heart: the error on these ends {by_heart:.0f} times below that on others.
- Most of a large ratio is a fixed basis that has not been trained to the end: the mel bank's {gain} becomes {mel} when
  each has its rate and both have time. A rate of {fast} is the greatest that was tried.
- Three seeds say how far results scatter, not more, and a pure tone is an easy thing to hear.
"""

PICTURES = """
## Before and after

Each array, and the spectrogram of a tone that rises from {lowest} to {highest} Hz in a second, before
training and after {epochs} epochs at {drawn} from seed {seed}. What training adds looks like noise to the eye; it is
spread over all times or frequencies, for no part of the loss asks the basis to stay smooth or narrow.
"""

CAPTIONS = {
    "basis": """The basis has moved by {change:.1%} of its norm. The tone stands out as before, and its surroundings,
which the window kept dark, now hold what was learned, mostly below -35 dB.""",
    "bank": """The bank has moved by {change:.1f} times its norm. Bands are bands no longer: weights below 0 have come,
and most rows now weigh low against high frequencies.""",
    "kernels": """The kernels have moved by {change:.0%} of their norm. They are kept in groups of similar length, and
the shorter ones have grown into the margins of their groups: these are the steps at their sides.""",
}


def geometric(values: Any) -> float:
    """The geometric mean, which is right for ratios."""
    return float(np.exp(np.mean(np.log(values))))


def spread(values: Any, middle: float) -> str:
    """Write a mean, with the least and the greatest value."""
    return f"{number(middle)} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Write a number with two digits, or all before the point."""
    if value < 1:
        return f"{value:.2g}"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}".replace(",", " ")


def squared(errors: list[float]) -> str:
    """Write squared errors in millionths."""
    return spread(1e6 * np.array(errors), 1e6 * np.mean(errors))


def hertz(errors: list[float]) -> str:
    """Write squared errors as root mean squares in Hz."""
    hz = (HIGHEST - LOWEST) * np.sqrt(errors)
    return spread(hz, np.mean(hz))


def ratio(fixed: list[float], trainable: list[float]) -> str:
    """Write the ratios of errors, seed by seed."""
    ratios = np.array(fixed) / np.array(trainable)
    return spread(ratios, geometric(ratios))


def gain(fixed: list[float], trainable: list[float]) -> str:
    """Write the geometric mean of the ratios alone."""
    return number(geometric(np.divide(fixed, trainable)))


def best(row: dict[str, Any], arm: str) -> str:
    """Return the rate at which training ended with the least error, on the tones that were learned from."""
    return min(row["rates"], key=lambda rate: np.mean(row["rates"][rate][arm]["last"]))


def at_best(row: dict[str, Any], *, longer: bool = False) -> tuple[list[float], list[float]]:
    """Return the test errors of the fixed and of the trainable spectrogram, each at its best rate."""
    arms = row["longer"] if longer else {arm: row["rates"][best(row, arm)][arm] for arm in ARMS}
    return arms["fixed"]["errors"], arms["trainable"]["errors"]


def line(*cells: str) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |\n"


def rate_table(row: dict[str, Any]) -> str:
    """The errors of a spectrogram at each rate."""
    text = f"\n**{row['spectrogram']}**\n\n| rate | fixed | trainable | fixed / trainable |\n|---|---|---|---|\n"
    for rate, arms in row["rates"].items():
        errors = [arms[arm]["errors"] for arm in ARMS]
        text += line(rate, *map(squared, errors), ratio(*errors))
    return text


def findings(rows: list[dict[str, Any]]) -> str:
    """What the tables show, in words with their numbers."""
    stft, mel, cqt = rows
    pairs = [[np.mean(arms[arm]["errors"]) for arm in ARMS] for row in rows for arms in row["rates"].values()]
    slow, fast = min(mel["rates"], key=float), max(mel["rates"], key=float)
    learned = cqt["longer"]["trainable"]
    return FINDINGS.format(
        won=sum(trainable < fixed for fixed, trainable in pairs),
        of=len(pairs),
        slow=slow,
        fast=fast,
        gain=gain(*(mel["rates"][slow][arm]["errors"] for arm in ARMS)),
        stft=gain(*at_best(stft, longer=True)),
        mel=gain(*at_best(mel, longer=True)),
        weight=np.max(CASES[1].transform.params["bank"]),
        kernels=number(sum(group.size for group in CASES[2].transform.params["kernels"])),
        by_heart=geometric(np.divide(learned["errors"], learned["last"])),
        n_train=number(N_TRAIN),
    )


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    rows, n = data["experiments"], len(data["seeds"])
    text = INTRO.format(
        n_train=number(N_TRAIN),
        n_test=number(N_TEST),
        n_samples=number(N_SAMPLES),
        sr=number(SR),
        batch=BATCH,
        lowest=number(LOWEST),
        highest=number(HIGHEST),
        seeds=", ".join(map(str, data["seeds"])),
        epochs=data["epochs"],
        numpy=data["numpy"],
    )
    text += ERRORS.format(n=n) + "".join(map(rate_table, rows))
    text += BEST.format(n=n, longer=data["longer"])
    for row in rows:
        rates = [f", at {best(row, arm)}" for arm in ARMS]
        for epochs, errors in ((1, at_best(row)), (data["longer"], at_best(row, longer=True))):
            cells = [hertz(found) + rate for found, rate in zip(errors, rates, strict=True)]
            text += line(row["spectrogram"], str(epochs * data["epochs"]), *cells, ratio(*errors))
    text += findings(rows)
    text += PICTURES.format(
        lowest=number(LOWEST),
        highest=number(HIGHEST),
        epochs=data["epochs"],
        drawn=data["drawn"],
        seed=data["seeds"][0],
    )
    for row in rows:
        text += f"\n{CAPTIONS[row['learned']].format(change=row['change'])}\n"
        text += f"\n![{row['spectrogram']}, before and after training](pictures/{row['picture']})\n"
    return text
