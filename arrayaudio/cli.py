"""The command line: extract features from recordings, draw them, and say what runs here."""

import dataclasses
import os
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

import arrayaudio
from arrayaudio.arrays import asarray, to_numpy
from arrayaudio.errors import ArrayAudioError, ArrayAudioWarning, AudioDecodeError, MissingExtraError, ParameterError
from arrayaudio.ext import io, plot
from arrayaudio.primitive import fast_version, problems
from arrayaudio.transforms.base import FramedTransform
from arrayaudio.transforms.mel import MelSpectrogram
from arrayaudio.transforms.mfcc import MFCC
from arrayaudio.transforms.stft import STFT
from arrayaudio.versions import versions

SOME_FAILED = 3

TRANSFORMS: dict[str, tuple[type[FramedTransform], dict[str, Any]]] = {
    "stft": (STFT, {"output": "magnitude"}),
    "mel": (MelSpectrogram, {}),
    "logmel": (MelSpectrogram, {"scale": "db"}),
    "mfcc": (MFCC, {}),
}
OUTPUTS = ("complex", "magnitude", "power", "phase")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(arrayaudio.__version__, prog_name="arrayaudio")
@click.pass_context
def command(context: click.Context) -> None:
    """Spectrograms of recordings, on the CPU or on an NVIDIA GPU."""
    # Warnings are for people here: no file names and source lines, and each but once.
    context.with_resource(warnings.catch_warnings())
    warnings.simplefilter("once", ArrayAudioWarning)
    warnings.showwarning = lambda message, *_args, **_options: click.echo(f"note: {message}", err=True)


def _build(name: str, **options: Any) -> FramedTransform:
    make, defaults = TRANSFORMS[name]
    foreign = options.keys() - {field.name for field in dataclasses.fields(make)}
    if foreign:
        flags = ", ".join(f"--{option.replace('_', '-')}" for option in sorted(foreign))
        raise click.UsageError(f"--transform {name} has no {flags}")
    return make(**(defaults | options))


def _targets(inputs: tuple[Path, ...], out: Path, suffix: str) -> list[tuple[Path, Path]]:
    """Pair each recording with its feature file; the path below a given folder is kept."""
    found: dict[str, tuple[Path, Path]] = {}
    for given in inputs:
        for file in io.find_audio(given):
            place = file.relative_to(given) if given.is_dir() else Path(file.name)
            # One file given twice is one file, but a link to it is another.
            found.setdefault(os.path.abspath(file), (file, place))  # noqa: PTH100
    if not found:
        raise click.UsageError(f"no audio files below {', '.join(map(str, inputs))}")
    stems = Counter(place.with_suffix("") for _, place in found.values())
    # Recordings that differ in their suffix alone keep it, so that none overwrites another.
    targets = [
        (file, out / (place.with_suffix(suffix) if stems[place.with_suffix("")] == 1 else f"{place}{suffix}"))
        for file, place in found.values()
    ]
    target, times = Counter(target for _, target in targets).most_common(1)[0]
    if times > 1:
        raise click.UsageError(f"{times} inputs would all be written to {target}: extract them to folders of their own")
    return targets


@command.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to."
)
@click.option("--transform", "name", type=click.Choice(list(TRANSFORMS)), default="logmel", show_default=True)
@click.option("--sr", type=float, help="Resample to this rate in Hz.  [default: as recorded]")
@click.option("--n-fft", type=int, help="Samples in a frame.  [default: 2048]")
@click.option("--hop-length", type=int, help="Samples between frames.  [default: 512]")
@click.option("--win-length", type=int, help="Samples in the window.  [default: n-fft]")
@click.option("--window", help="Window by its SciPy name.  [default: hann]")
@click.option("--pad-mode", help="Padding at the ends.  [default: constant]")
@click.option("--center/--no-center", default=None, help="Pad so that frames are centred.  [default: center]")
@click.option("--output", type=click.Choice(OUTPUTS), help="What stft writes.  [default: magnitude]")
@click.option("--n-mels", type=int, help="Mel bands.  [default: 128]")
@click.option("--fmin", type=float, help="Lowest frequency in Hz.  [default: 0]")
@click.option("--fmax", type=float, help="Highest frequency in Hz.  [default: half the rate]")
@click.option("--mel-scale", type=click.Choice(["slaney", "htk", "kaldi"]), help="Mel scale.  [default: slaney]")
@click.option("--n-mfcc", type=int, help="Cepstral coefficients.  [default: 20]")
@click.option("--mono/--no-mono", default=True, show_default=True, help="Average the channels.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--format", "suffix", type=click.Choice(["npz", "npy"]), default="npz", show_default=True)
@click.option("--plot", "pictures", is_flag=True, help="Draw a picture beside each feature file.")
def extract(
    inputs: tuple[Path, ...],
    out: Path,
    name: str,
    sr: float | None,
    mono: bool,
    device: str,
    suffix: str,
    pictures: bool,
    **given: Any,
) -> None:
    """Write the features of recordings (files, or folders searched for audio) as one file each.

    Exit code 0: all well; 3: some files failed, with the reason on stderr; 2: wrong usage.
    """
    options = {key: value for key, value in given.items() if value is not None}
    targets = _targets(inputs, out, f".{suffix}")
    try:  # what is wrong for every file is wrong usage; what depends on a file's own rate shows when it is read
        _build(name, sr=1e9 if sr is None else sr, **options)
        asarray(np.zeros(1, np.float32), device=device)
        if pictures:
            plot.new_figure(1)
    except ArrayAudioError as error:
        raise click.UsageError(str(error)) from error
    failures = []
    for source, target in tqdm(targets, unit="file", disable=None):
        try:
            y, rate = io.load(source, sr=sr, mono=mono)
            transform = _build(name, sr=rate, **options)
            S = to_numpy(transform(asarray(y, device=device)))
            io.save_features(target, S, transform, y.shape[-1], rate)
            if pictures:
                _draw_one(target.with_suffix(".png"), S, transform, y.shape[-1], io.printable(source.name))
        except AudioDecodeError as error:
            failures.append(str(error))
        except MissingExtraError as error:
            raise click.UsageError(str(error)) from error
        except (ArrayAudioError, OSError, MemoryError) as error:
            failures.append(f"{io.printable(source)}: {error}")
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    click.echo(f"{len(targets) - len(failures)} of {len(targets)} files written to {io.printable(out)}")
    if failures:
        sys.exit(SOME_FAILED)


def _draw_one(path: Path, S: np.ndarray, transform: FramedTransform, n_samples: int, title: str) -> None:
    if S.ndim > 2:
        title = f"{title}, channel 1 of {len(S)}"
    figure, (axes,) = plot.new_figure(1, title=title)
    plot.draw(axes, S, transform, n_samples)
    plot.save(figure, path)


def _described(S: np.ndarray, settings: dict[str, Any]) -> tuple[FramedTransform, int]:
    """Return the transform and the number of samples that a feature file's settings describe."""
    makes = {make.__name__: make for make, _ in TRANSFORMS.values()}
    n_samples, make = settings.pop("n_samples", None), makes.get(settings.get("transform", ""))
    if make is None:
        raise ParameterError(f"its settings must name a transform among {', '.join(makes)}")
    transform = make.from_dict(settings)
    expected = len(transform.frequencies), transform.n_frames(n_samples)
    if S.shape[-2:] != expected:
        raise ParameterError(f"its features have shape {S.shape}, its settings say (..., {expected[0]}, {expected[1]})")
    return transform, n_samples


@command.command(name="plot")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Picture to write.")
def draw_file(file: Path, out: Path) -> None:
    """Draw a recording as STFT, mel and MFCC panels, or a feature file (.npz) as the panel it holds."""
    title = io.printable(file.name)
    try:
        if file.suffix == ".npz":
            S, settings = io.load_features(file)
            _draw_one(out, S, *_described(S, settings), title)
        else:
            y, sr = io.load(file)
            plot.save(plot.draw_overview(y, sr, title=title), out)
    except MissingExtraError as error:
        raise click.UsageError(str(error)) from error
    except (ArrayAudioError, OSError) as error:
        click.echo(f"failed: {error}", err=True)
        sys.exit(SOME_FAILED)
    click.echo(f"picture written to {io.printable(out)}")


@command.command()
def info() -> None:
    """Say which versions, which processor and which GPU are here, and whether the fast paths load."""
    for key, value in versions().items():
        click.echo(f"{key:<11} {value}")
    fast_version("spectrogram", "numpy")
    click.echo(f"{'fast paths':<11} {'; '.join(problems.values()) or 'CPU kernels ready'}")
