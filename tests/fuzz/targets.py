"""What is fuzzed: each target takes bytes, and raises what should not be."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from click.testing import CliRunner

import arrayaudio as aa
from arrayaudio.cli import command
from arrayaudio.ext import io
from arrayaudio.jobs.manifest import Row, parsed
from arrayaudio.transforms.base import Transform

KINDS = [
    getattr(aa, name) for module, names in aa._PUBLIC.items() if module.startswith("transforms.") for name in names
]
SIZES = ("n_fft", "win_length", "n_bins", "n_mels", "n_filter", "freq_bins", "n_chroma", "n_octaves", "bins_per_octave")


def quick(made: Transform) -> bool:
    """Whether a transform takes no more than seconds: its sizes, and periods of its lowest note, are not huge."""
    rate, lowest = getattr(made, "sr", None) or 0, getattr(made, "fmin", None) or 50.0
    return all((getattr(made, size, None) or 0) <= 4096 for size in SIZES) and rate <= 2000 * lowest


def in_file(data: bytes, suffix: str, read: Callable[[str], object]) -> None:
    """Read bytes as a file, which may be refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"x{suffix}")  # noqa: PTH118 - fast
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
        with contextlib.suppress(aa.ParameterError):
            read(path)


def settings(data: bytes) -> None:
    """Settings as JSON: refused, or those of a transform that says the same again and transforms."""
    text = data.decode("utf-8", "surrogateescape")
    for kind in KINDS:
        try:
            made = kind.from_json(text)
        except aa.ParameterError:
            continue
        assert kind.from_json(made.to_json()) == made
        if quick(made):
            with contextlib.suppress(aa.ParameterError):
                made(np.ones(5000, np.float32))


def params(data: bytes) -> None:
    """Files of transforms."""
    in_file(data, ".safetensors", aa.load_transform)


def features(data: bytes) -> None:
    """Feature files."""
    in_file(data, ".npz", io.load_features)


def manifest(data: bytes) -> None:
    """Lines of the record of a job, which somebody else may have written to."""
    row = parsed(data)
    assert row is None or (isinstance(row, Row) and parsed(f"{row.to_json()}\n".encode()) == row)


def arguments(data: bytes) -> None:
    """The command with any words: it leaves with one of its codes, and raises nothing. No job is run."""
    words = [word.decode("utf-8", "surrogateescape").replace("/", "_") for word in data.split(b"\0")]
    if words[0] == "bench":  # which would take its time
        return
    runner = CliRunner()
    no_job = mock.patch("arrayaudio.cli.run_job", lambda *_, **__: iter(()))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), no_job:
        Path("in").mkdir()
        Path("in/x.wav").touch()
        result = runner.invoke(command, ["in" if os.path.exists(word) else word for word in words])  # noqa: PTH110
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1, 2, 3), result.output


TARGETS = {target.__name__: target for target in (settings, params, features, manifest, arguments)}
