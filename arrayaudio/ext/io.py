"""Audio files in, feature files out."""

import contextlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from arrayaudio.errors import AudioDecodeError, MissingExtraError, ParameterError
from arrayaudio.resampling import resample

SHORT = 2**24  # bytes of features that may be twice in memory
SUFFIXES = frozenset({".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav"})


def load(path: str | os.PathLike[str], *, sr: float | None = None, mono: bool = True) -> tuple[np.ndarray, float]:
    """Read an audio file as float32 samples in [-1, 1].

    Parameters
    ----------
    path : path
        A file in any format that libsndfile reads: WAV, FLAC, Ogg, MP3, AIFF and more.
    sr : float, optional
        Sampling rate in Hz to resample to; the file's own by default.
    mono : bool
        Average the channels.

    Returns
    -------
    y : array, shape (n_samples,) or (n_channels, n_samples)
    sr : float
        Sampling rate of `y` in Hz.

    Raises
    ------
    AudioDecodeError
        If the file cannot be read as audio, or holds no samples.
    MissingExtraError
        If soundfile is not installed.

    Examples
    --------
    >>> from arrayaudio.ext.io import load
    >>> y, sr = load("docs/audio/speech.flac")
    >>> y.shape, sr
    ((113600,), 16000.0)
    """
    with _reading(path) as sound:
        samples = sound.read(dtype="float32", always_2d=True)
        rate = sound.samplerate
    if len(samples) == 0:
        raise AudioDecodeError(f"{printable(path)}: holds no samples")
    y = np.ascontiguousarray(samples.mean(axis=1) if mono else samples.T)
    if sr is not None:
        y = resample(y, orig_sr=rate, target_sr=sr)
    return y, float(rate if sr is None else sr)


def read_blocks(
    path: str | os.PathLike[str], block_length: int, *, mono: bool = True
) -> tuple[float, int | None, Iterator[np.ndarray]]:
    """Open an audio file to be read block by block.

    Returns
    -------
    sr : float
        Sampling rate in Hz.
    n_channels : int or None
        None for the average of the channels.
    blocks : iterator of arrays, shape (block_length,) or (n_channels, block_length)
        float32 samples in [-1, 1]; the last block may be shorter.

    Raises
    ------
    AudioDecodeError
        If the file cannot be read as audio, now or when a block is asked for, or holds no samples.
    MissingExtraError
        If soundfile is not installed.
    """
    with _reading(path) as sound:
        rate, n_channels, n_samples = float(sound.samplerate), int(sound.channels), len(sound)
    if n_samples == 0:
        raise AudioDecodeError(f"{printable(path)}: holds no samples")

    def blocks() -> Iterator[np.ndarray]:
        with _reading(path) as sound:
            while len(samples := sound.read(block_length, dtype="float32", always_2d=True)):
                yield np.ascontiguousarray(samples.mean(axis=1) if mono else samples.T)

    return rate, None if mono else n_channels, blocks()


def header(path: str | os.PathLike[str]) -> tuple[float, int, int, str | None]:
    """Return sampling rate, number of channels and number of samples of an audio file, and a remark if it was cut."""
    with _reading(path) as sound:
        # libsndfile counts the samples that are there, and says in its log what the header claims.
        sizes = [(int(a), int(b)) for a, b in re.findall(r"(\d+) \(should be (\d+)\)", sound.extra_info)]
        cut = [f"ends early: has {b} of the {a} bytes that it claims" for a, b in sizes if a > b]
        return float(sound.samplerate), int(sound.channels), len(sound), cut[0] if cut else None


def require_soundfile() -> Any:
    """Return soundfile, or raise MissingExtraError."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: libsndfile itself is missing
        raise MissingExtraError("reading audio files", "io", error) from error
    return soundfile


@contextlib.contextmanager
def _reading(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open an audio file, and say in one kind of error what is wrong with it."""
    soundfile = require_soundfile()
    try:
        # libsndfile itself opens only names in UTF-8.
        with Path(path).open("rb") as file, soundfile.SoundFile(file) as sound:
            yield sound
    except (soundfile.SoundFileError, OSError, TypeError, MemoryError) as error:
        # TypeError: data without a header; MemoryError: a header that claims more samples than there can be.
        reason = getattr(error, "error_string", error)  # without libsndfile's way of naming an open file
        raise AudioDecodeError(f"{printable(path)}: cannot be read as audio: {reason}") from error


def printable(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be written anywhere, with what is not UTF-8 in it replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def find_audio(path: Path) -> list[Path]:
    """Return the audio files below a folder, sorted, or the file itself; links that lead nowhere are among them."""
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and not p.is_dir())


def part_of(path: Path) -> Path:
    """Where something is written before it takes its place at once: beside it, under a name that nobody else uses."""
    return path.with_name(f".{os.getpid()}-{int.from_bytes(os.urandom(8))}.part")


def write_whole(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file that is either whole or not there, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        with part.open("wb") as file:
            write(file)
            # Otherwise a power failure may leave the name without the bytes.
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def save_features(path: Path, S: np.ndarray, transform: Any, n_samples: int, sr: float) -> None:
    """Write a spectrogram with its axes and settings.

    A path that ends in .npz holds `features`, `frequencies` (Hz), `times` (s) and `settings` (JSON); one that ends in
    .npy holds the features alone, and the rest goes into a file beside it whose name has .json added.
    """
    settings = {"sr": sr, "n_samples": n_samples} | transform.to_dict()
    frequencies, times = transform.frequencies, transform.times(n_samples)
    if path.suffix == ".npz":
        arrays = {"features": S, "frequencies": frequencies, "times": times, "settings": np.array(json.dumps(settings))}

        def write(file: IO[bytes]) -> None:
            # An archive seeks and writes a hundred times, and threads wait for each other each time.
            if S.nbytes > SHORT:
                np.savez(file, **arrays)
                return
            archive = io.BytesIO()
            np.savez(archive, **arrays)
            file.write(archive.getbuffer())

        write_whole(path, write)
    elif path.suffix == ".npy":
        described = {"settings": settings, "frequencies": frequencies.tolist(), "times": times.tolist()}
        write_whole(path.with_name(f"{path.name}.json"), lambda file: file.write(json.dumps(described).encode()))
        write_whole(path, lambda file: np.save(file, S))
    else:
        raise ParameterError(f"{path}: must end in .npz or .npy")


def load_features(path: str | os.PathLike[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """Read the features and the settings that `save_features` wrote to an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            features, text = (_read_array(archive, name) for name in ("features", "settings"))
        settings = json.loads(str(text))
        if not isinstance(settings, dict):
            raise ValueError("its settings are no JSON object")
    except Exception as error:  # archives that nobody of ours wrote fail in many ways
        raise ParameterError(f"{printable(path)}: is not a feature file of arrayaudio ({error})") from error
    return features, settings


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    if archive.getinfo(f"{name}.npy").compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")  # and may hold any amount
    with archive.open(f"{name}.npy") as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
