"""The command line: extract features from recordings, draw them, and say what runs here."""

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
from arrayaudio.cli_transforms import TRANSFORMS, build, check, described, transform_options
from arrayaudio.errors import ArrayAudioError, ArrayAudioWarning, AudioDecodeError, MissingExtraError
from arrayaudio.ext import io, plot
from arrayaudio.primitive import fast_version, problems
from arrayaudio.transforms.framed import Framed
from arrayaudio.versions import versions

SOME_FAILED = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(arrayaudio.__version__, prog_name="arrayaudio")
@click.pass_context
def command(context: click.Context) -> None:
    """Spectrograms of recordings, on the CPU or on an NVIDIA GPU."""
    # Warnings are for people here: no file names and source lines, and each but once.
    context.with_resource(warnings.catch_warnings())
    warnings.simplefilter("once", ArrayAudioWarning)
    warnings.showwarning = lambda message, *_args, **_options: click.echo(f"note: {message}", err=True)


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
@transform_options
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
        check(name, sr=sr, **options)
        asarray(np.zeros(1, np.float32), device=device)
        if pictures:
            plot.new_figure(1)
    except ArrayAudioError as error:
        raise click.UsageError(str(error)) from error
    failures = []
    for source, target in tqdm(targets, unit="file", disable=None):
        try:
            y, rate = io.load(source, sr=sr, mono=mono)
            transform = build(name, sr=rate, **options)
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


def _draw_one(path: Path, S: np.ndarray, transform: Framed, n_samples: int, title: str) -> None:
    if S.ndim > 2:
        title = f"{title}, channel 1 of {len(S)}"
    figure, (axes,) = plot.new_figure(1, title=title)
    plot.draw(axes, S, transform, n_samples)
    plot.save(figure, path)


@command.command(name="plot")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Picture to write.")
def draw_file(file: Path, out: Path) -> None:
    """Draw a recording as panels (STFT, mel, gammatone, CQT, MFCC), or a feature file (.npz) as the panel it holds."""
    title = io.printable(file.name)
    try:
        if file.suffix == ".npz":
            S, settings = io.load_features(file)
            _draw_one(out, S, *described(S, settings), title)
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
