"""The command line: extract features from recordings, draw them, and say what runs here."""

import contextlib
import functools
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

import arrayaudio
from arrayaudio.arrays import asarray
from arrayaudio.cli_transforms import TRANSFORMS, build, check, described, transform_options
from arrayaudio.errors import ArrayAudioError, ArrayAudioWarning, MissingExtraError
from arrayaudio.ext import io, plot
from arrayaudio.ext.explore import explore
from arrayaudio.ext.parquet import join_rows
from arrayaudio.jobs.budget import n_bytes
from arrayaudio.jobs.extract import Task
from arrayaudio.jobs.local import in_threads
from arrayaudio.jobs.manifest import Row
from arrayaudio.jobs.outputs import FORMATS, TABLE, require_format
from arrayaudio.jobs.runner import run_job
from arrayaudio.jobs.settings import Settings
from arrayaudio.jobs.stopping import stop_by_signal
from arrayaudio.jobs.targets import tasks
from arrayaudio.primitive import fast_version, problems
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
@click.option("--format", "kind", type=click.Choice(FORMATS), default="npz", show_default=True)
@click.option("--plot", "pictures", is_flag=True, help="Draw a picture beside each feature file.")
@click.option("--workers", type=click.IntRange(min=1), help="Recordings in work at a time.  [default: by cores]")
@click.option(
    "--memory-budget",
    help="Bytes for recordings in work, as 500MB or 2GB; of each worker.  [default: half of the memory]",
)
@click.option("--scheduler", help="Address of a Dask scheduler whose workers do it, or 'local' for processes here.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds after which the decoder of a recording is given up.",
)
def extract(
    inputs: tuple[Path, ...],
    out: Path,
    name: str,
    sr: float | None,
    mono: bool,
    device: str,
    kind: str,
    pictures: bool,
    workers: int | None,
    memory_budget: str | None,
    scheduler: str | None,
    timeout: float,
    **given: Any,
) -> None:
    """Write the features of recordings (files, or folders searched for audio) as one file each.

    With --format zarr, they go into one store with a group each, and with --format parquet, mean and standard deviation
    over time into one table with a row each.

    A second run goes on where the first one ended: what became of each file is in OUT/manifest.jsonl.

    Exit code 0: all well; 3: some files failed, with the reason on stderr; 2: wrong usage; 130, 143: stopped by Ctrl-C
    or SIGTERM.
    """
    options = {key: value for key, value in given.items() if value is not None}
    make, defaults = TRANSFORMS[name]
    settings = Settings(make, defaults | options, sr=sr, mono=mono, device=device)
    ended: Counter[str] = Counter()
    complaints: list[str] = []
    doubts: list[str] = []
    written: list[Path] = []
    with stop_by_signal() as stop:
        try:
            todo = tasks(inputs, out, kind)
            # What is wrong for every file is wrong usage; what depends on a file's own rate shows when it is read.
            check(name, sr=sr, **options)
            if scheduler is None:
                asarray(np.zeros(1, np.float32), device=device)
            io.require_soundfile()
            require_format(kind)
            if pictures and kind in ("zarr", "parquet"):
                raise click.UsageError(f"--plot draws beside files, and --format {kind} writes one for all: use npz")
            if pictures:
                plot.new_figure(1)
            execute = functools.partial(
                in_threads if scheduler is None else _on(scheduler),
                settings=settings,
                out=out,
                pictures=pictures,
                workers=workers,
                memory_budget=None if memory_budget is None else n_bytes(memory_budget),
                timeout=timeout,
                stopped=stop,
            )
            for task, row in _shown(run_job(todo, settings, execute, out=out, pictures=pictures), len(todo)):
                ended[row.status] += 1
                if row.status == "failed":
                    complaints.append(f"failed: {io.printable(task.source)}: {row.reason}")
                elif row.reason:
                    doubts.append(f"note: {io.printable(task.source)}: {row.reason}")
                if row.status != "failed":
                    written.append(task.target)
            if kind == "parquet" and written:
                join_rows(sorted(written), out / TABLE)
        except ArrayAudioError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            complaints.append(f"stopped: {error}; when that is mended, the same command goes on")
    if stop.signal is not None and sum(ended.values()) < len(todo):
        complaints.append(f"stopped by {stop.signal.name}; the same command goes on")
    for line in doubts + complaints:
        click.echo(line, err=True)
    earlier = f", {ended['skipped']} of them by an earlier run" if ended["skipped"] else ""
    click.echo(f"{ended['done'] + ended['skipped']} of {len(todo)} files written to {io.printable(out)}{earlier}")
    if complaints:
        sys.exit(SOME_FAILED if stop.signal is None else 128 + stop.signal)


def _on(scheduler: str) -> Callable[..., Iterator[tuple[Task, Row]]]:
    """What does tasks on the workers of a scheduler; it is slow to load."""
    from arrayaudio.jobs.cluster import on_cluster

    return functools.partial(on_cluster, scheduler=scheduler)


def _shown(rows: Iterator[tuple[Task, Row]], total: int) -> Iterator[tuple[Task, Row]]:
    """Show on a terminal how far a job is and how fast it goes."""
    start, hours = time.monotonic(), 0.0
    with tqdm(total=total, unit="file", disable=None) as bar:
        for task, row in rows:
            if row.status == "done":
                hours += (row.duration or 0.0) / 3600
            minutes = (time.monotonic() - start) / 60
            bar.set_postfix_str(f"{hours / minutes:.1f} h/min", refresh=False)
            bar.update()
            yield task, row


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Leave with the reason where one file cannot be read or shown."""
    try:
        yield
    except MissingExtraError as error:
        raise click.UsageError(str(error)) from error
    except (ArrayAudioError, OSError) as error:
        click.echo(f"failed: {error}", err=True)
        sys.exit(SOME_FAILED)


@command.command(name="plot")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Picture to write.")
def draw_file(file: Path, out: Path) -> None:
    """Draw a recording as panels (STFT, mel, gammatone, CQT, MFCC), or a feature file (.npz) as the panel it holds."""
    title = io.printable(file.name)
    with _told():
        if file.suffix == ".npz":
            S, settings = io.load_features(file)
            plot.draw_one(out, S, described(S, settings)[0], title)
        else:
            y, sr = io.load(file)
            plot.save(plot.overview(y, sr, title=title), out)
    click.echo(f"picture written to {io.printable(out)}")


@command.command(name="explore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Page to write.")
@click.option("--sr", type=float, help="Resample to this rate in Hz.  [default: as recorded]")
@click.option("--start", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Seconds to leave out.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Seconds to take.  [default: all]")
def explore_file(file: Path, out: Path, sr: float | None, start: float, seconds: float | None) -> None:
    """Write a page of HTML on which a recording is heard, and seen in many transforms and settings.

    The page is one file that needs no network: open it in a browser. It holds at most 1 500 000 samples, 34 s at
    44.1 kHz; --start and --seconds choose a part of a longer recording.

    Exit code 0: all well; 3: the file could not be read or is too long, with the reason on stderr; 2: wrong usage.
    """
    with _told():
        explore(file, sr, out=out, start=start, seconds=seconds)
    click.echo(f"page written to {io.printable(out)}")


@command.command()
@click.option("--transform", "name", type=click.Choice(list(TRANSFORMS)), default="logmel", show_default=True)
@click.option("--sr", type=float, default=22050.0, show_default=True, help="Sampling rate in Hz.")
@transform_options
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of each clip.")
@click.option(
    "--batch-size",
    "batch_sizes",
    type=int,
    multiple=True,
    default=(1, 8, 64),
    show_default=True,
    help="Clips in a call.",
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Threads on the CPU.  [default: one a core]")
@click.option(
    "--device",
    "devices",
    type=click.Choice(["cpu", "cuda"]),
    multiple=True,
    help="Where to measure.  [default: on the CPU, and on the GPU if there is one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(
    name: str,
    sr: float,
    seconds: float,
    batch_sizes: tuple[int, ...],
    dtype: Any,
    threads: int | None,
    devices: tuple[Any, ...],
    as_json: bool,
    **given: Any,
) -> None:
    """Measure a transform on this machine, on the CPU and on the GPU, and say whether the GPU pays.

    --batch-size and --device may be given several times.
    """
    options = {key: value for key, value in given.items() if value is not None}
    try:
        check(name, sr=sr, **options)
        if threads is not None:
            arrayaudio.set_num_threads(threads)
        found = arrayaudio.benchmark(
            build(name, sr=sr, **options),
            seconds=seconds,
            batch_sizes=batch_sizes,
            dtype=dtype,
            devices=devices or None,
        )
    except ArrayAudioError as error:
        raise click.UsageError(str(error)) from error
    click.echo(json.dumps(found.to_dict(), indent=1) if as_json else str(found))


@command.command()
def info() -> None:
    """Say which versions, which processor and which GPU are here, and whether the fast paths load."""
    for key, value in versions().items():
        click.echo(f"{key:<11} {value}")
    fast_version("spectrogram", "numpy")
    click.echo(f"{'fast paths':<11} {'; '.join(problems.values()) or 'CPU kernels ready'}")
