"""The transforms that the command line knows: their options, and how both become a transform."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click
import numpy as np

from arrayaudio.errors import ParameterError
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma import Chroma
from arrayaudio.transforms.cqt import CQT, METHODS, VQT
from arrayaudio.transforms.framed import Framed
from arrayaudio.transforms.gammatone import Gammatonegram
from arrayaudio.transforms.lfcc import LFCC
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT

F = TypeVar("F", bound=Callable[..., Any])

TRANSFORMS: dict[str, tuple[type[Framed], dict[str, Any]]] = {
    "stft": (STFT, {"output": "magnitude"}),
    "mel": (MelSpectrogram, {}),
    "logmel": (MelSpectrogram, {"scale": "db"}),
    "gammatone": (Gammatonegram, {}),
    "cqt": (CQT, {"output": "magnitude"}),
    "vqt": (VQT, {"output": "magnitude"}),
    "chroma": (Chroma, {}),
    "mfcc": (MFCC, {}),
    "lfcc": (LFCC, {}),
    "cfp": (CFP, {}),
}
OUTPUTS = ("complex", "magnitude", "power", "phase", "cfp", "spectrum", "frequency", "periodicity")
# Two rates of recordings, to find out what is wrong at any.
RATES = (8000.0, 48000.0)

OPTIONS = (
    click.option("--n-fft", type=int, help="Samples in a frame.  [default: 2048; cfp: 8192]"),
    click.option("--hop-length", type=int, help="Samples between frames.  [default: 512]"),
    click.option("--win-length", type=int, help="Samples in the window.  [default: n-fft; cfp: n-fft / 4]"),
    click.option("--window", help="Window by its SciPy name.  [default: hann; cfp: blackmanharris]"),
    click.option("--pad-mode", help="Padding at the ends.  [default: constant]"),
    click.option("--center/--no-center", default=None, help="Pad so that frames are centred.  [default: center]"),
    click.option(
        "--output",
        type=click.Choice(OUTPUTS),
        help="What stft, cqt and vqt (the first four) and cfp (the others) write.  [default: magnitude; cfp]",
    ),
    click.option(
        "--fmin",
        type=float,
        help="Lowest frequency in Hz.  [default: 0; stft, log: sr / n-fft; gammatone: 20; cqt, vqt: 32.7; cfp: 80]",
    ),
    click.option("--fmax", type=float, help="Highest frequency in Hz.  [default: half the rate; cfp: 1000]"),
    click.option("--freq-scale", type=click.Choice(["fft", "linear", "log"]), help="Rows of stft.  [default: fft]"),
    click.option("--freq-bins", type=int, help="Rows of stft, linear or log.  [default: n-fft / 2 + 1]"),
    click.option("--n-mels", type=int, help="Mel bands.  [default: 128]"),
    click.option("--mel-scale", type=click.Choice(["slaney", "htk", "kaldi"]), help="Mel scale.  [default: slaney]"),
    click.option("--n-bins", type=int, help="Rows of cqt, vqt and gammatone.  [default: 84; gammatone: 64]"),
    click.option("--bins-per-octave", type=int, help="Rows in an octave of cqt, vqt, cfp.  [default: 12; cfp: 48]"),
    click.option("--gamma", type=float, help="Bandwidth in Hz that vqt adds to that of cqt.  [default: as the ear's]"),
    click.option("--method", type=click.Choice(METHODS), help="How cqt and vqt are computed.  [default: auto]"),
    click.option("--n-chroma", type=int, help="Pitch classes.  [default: 12]"),
    click.option("--n-mfcc", type=int, help="Coefficients of mfcc.  [default: 20]"),
    click.option("--n-lfcc", type=int, help="Coefficients of lfcc.  [default: 40]"),
    click.option("--n-filter", type=int, help="Bands of lfcc.  [default: 128]"),
)


def transform_options(command: F) -> F:
    """Give a command the options of all transforms."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


# Equal settings give one transform, which keeps what it has made ready.
@functools.lru_cache(maxsize=16)
def build(name: str, **options: Any) -> Framed:
    """Make the transform `name` with the options that were given and the command's own defaults."""
    make, defaults = TRANSFORMS[name]
    return make(**(defaults | options))


def check(name: str, *, sr: float | None, **options: Any) -> None:
    """Raise an error for what is wrong with every recording; what depends on their rate shows when they are read."""
    foreign = options.keys() - {field.name for field in dataclasses.fields(TRANSFORMS[name][0])}
    if foreign:
        flags = ", ".join(f"--{option.replace('_', '-')}" for option in sorted(foreign))
        raise click.UsageError(f"--transform {name} has no {flags}")
    problems = [_problem(name, sr=rate, **options) for rate in (RATES if sr is None else (sr,))]
    first = problems[0]
    # Errors that depend on the rate say so, and hence differ.
    if first and all(str(problem) == str(first) for problem in problems):
        raise first


def _problem(name: str, **options: Any) -> ParameterError | None:
    try:
        build(name, **options)
    except ParameterError as error:
        return error
    return None


def described(S: np.ndarray, settings: dict[str, Any]) -> tuple[Framed, int]:
    """Return the transform and the number of samples that a feature file's settings describe."""
    options = dict(settings)
    makes = {make.__name__: make for make, _ in TRANSFORMS.values()}
    n_samples, make = options.pop("n_samples", None), makes.get(str(options.get("transform")))
    if make is None:
        raise ParameterError(f"its settings must name a transform among {', '.join(makes)}")
    transform = make.from_dict(options)
    expected = len(transform.frequencies), transform.n_frames(n_samples)
    if S.shape[-2:] != expected:
        raise ParameterError(f"its features have shape {S.shape}, its settings say (..., {expected[0]}, {expected[1]})")
    return transform, n_samples
