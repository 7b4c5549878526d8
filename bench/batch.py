"""How a batch job spends its time: decoding alone, computing alone, and the job, in which they overlap.

    python -m bench.batch

Alone means on one core: a decoder process that is asked for one file after the other, or a thread that transforms and
writes signals it has. `overlap` is the time of the slower of the two divided by that of the job, which uses all cores:
near 1 on two of them if the job overlaps them well. Results go to bench/results as JSON.
"""

import functools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import arrayaudio as aa
from arrayaudio.ext import io
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task
from arrayaudio.jobs.local import in_threads, usable_cores
from arrayaudio.jobs.runner import run_job
from arrayaudio.jobs.settings import Settings
from bench.running import write

ROUNDS = 3
MEL = Settings(aa.MelSpectrogram, {"scale": "db"})
WORKLOADS = {
    "log-mel of 100 songs of 3 min, FLAC at 44.1 kHz": (100, 180, 44100, "flac", MEL),
    "log-mel of 50 talks of 5 min, MP3 at 22.05 kHz": (50, 300, 22050, "mp3", MEL),
    "CQT of 200 clips of 30 s, FLAC at 22.05 kHz": (200, 30, 22050, "flac", Settings(aa.CQT, {"output": "magnitude"})),
    "log-mel of 10000 clips of 3 s, WAV at 16 kHz": (10000, 3, 16000, "wav", MEL),
}


def corpus(folder: Path, count: int, seconds: int, sr: int, suffix: str) -> list[Task]:
    """Recordings of tones in noise, one as the other, and where their features go."""
    t = np.arange(seconds * sr) / sr
    y = 0.3 * np.sin(2 * np.pi * (200 + 50 * t) * t) + 0.05 * np.random.default_rng(0).standard_normal(t.size)
    folder.mkdir()
    soundfile.write(folder / f"first.{suffix}", y, sr)
    content = (folder / f"first.{suffix}").read_bytes()
    (folder / f"first.{suffix}").unlink()
    for number in range(count):
        (folder / f"{number:04}.{suffix}").write_bytes(content)
    return [Task(path, folder.parent / "out" / f"{path.stem}.npz") for path in sorted(folder.iterdir())]


def decoding(tasks: list[Task]) -> None:
    """One decoder, one file after the other."""
    with Decoder() as decoder:
        for task in tasks:
            _, _, loaded = decoder.begin(task.source)
            if loaded is None:
                decoder.load(task.source)


def computing(tasks: list[Task], settings: Settings, folder: Path) -> None:
    """One thread that has the samples, which are the same for all files."""
    y, rate = io.load(tasks[0].source)
    transform = settings.transform(rate)
    for task in tasks:
        io.save_features(folder / task.target.name, transform(y), transform, y.size, rate)


def job(tasks: list[Task], settings: Settings, folder: Path) -> None:
    """All of it, as the command does it."""
    moved = [Task(task.source, folder / task.target.name) for task in tasks]
    rows = list(run_job(moved, settings, functools.partial(in_threads, settings=settings, out=folder), out=folder))
    assert [row.status for _, row in rows] == ["done"] * len(tasks)


def seconds(call: Callable[..., None], *args: Any, n_threads: int, within: Path) -> float:
    """The time of a call with so many threads in the kernels, into a fresh folder if it writes.

    Folders stay where they are until the end: for some seconds, file systems make files slowly where many were removed.
    """
    aa.set_num_threads(n_threads)
    folder = Path(tempfile.mkdtemp(dir=within))
    start = time.perf_counter()
    call(*args, *([] if call is decoding else [folder]))
    return time.perf_counter() - start


def measured(count: int, length: int, sr: int, suffix: str, settings: Settings) -> dict[str, float]:
    """Medians over rounds, in which the three take turns."""
    cores = usable_cores()
    times: dict[str, list[float]] = {"decoding_s": [], "computing_s": [], "job_s": []}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tasks = corpus(place / "in", count, length, sr, suffix)
        seconds(job, tasks[:4], settings, n_threads=cores, within=place)  # compiles
        for _ in range(ROUNDS):
            times["decoding_s"].append(seconds(decoding, tasks, n_threads=1, within=place))
            times["computing_s"].append(seconds(computing, tasks, settings, n_threads=1, within=place))
            times["job_s"].append(seconds(job, tasks, settings, n_threads=cores, within=place))
    found = {name: statistics.median(values) for name, values in times.items()}
    together = found["job_s"]
    found["overlap"] = max(found["decoding_s"], found["computing_s"]) / together
    return found | {"files_per_s": count / together, "hours_per_min": count * length / 60 / together}


def main() -> None:
    """Run all and write the results."""
    results = {}
    for name, workload in WORKLOADS.items():
        results[name] = measured(*workload)
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in results[name].items()), flush=True)
    write("batch", results, {})


if __name__ == "__main__":
    main()
