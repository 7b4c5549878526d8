"""nnAudio's own workload: a corpus of 1770 clips of 80 000 samples, as magnitudes, mel bands and constant-Q notes.

    python -m bench.corpus          on the processor
    python -m bench.corpus --gpu    on the GPU

The corpus is white noise, float32, at 44 100 Hz, in memory; it stands for the piano recordings of the MAPS database, of
which nnAudio's authors took as many clips of that length (Cheuk, Anderson, Agres and Herremans, 2020). All contenders
take it in batches of 59, keep all results, and have as many threads (librosa's FFT has one). What it takes to make a
transform ready, kernels and first batch included but not imports, is told apart, and so are transfers: to the GPU and
back. Contenders take turns, and the median of three counts. Results go to bench/results as JSON, with the name of the
processor or GPU.
"""

import gc
import importlib.metadata
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
import torch

import arrayaudio as aa
from bench.running import quiet, stored

CLIPS, LENGTH, BATCH, SR, ROUNDS = 1770, 80_000, 59, 44_100, 3
NOTES = {"sr": SR, "hop_length": 512, "n_bins": 84}


@dataclass(frozen=True)
class Library:
    """Where the arrays of contenders live: how they get there and back, and how to wait until work is done."""

    bring: Callable[[np.ndarray], Any]
    back: Callable[[Any], np.ndarray]
    wait: Callable[[], Any]


def libraries(on_gpu: bool) -> dict[str, Library]:
    """The array libraries of a place, by name."""
    if not on_gpu:
        here = Library(lambda y: y, lambda x: x, lambda: None)
        return {"numpy": here, "torch": Library(torch.from_numpy, lambda x: x.numpy(), lambda: None)}
    import cupy

    def wait() -> None:
        cupy.cuda.Device().synchronize()

    theirs = Library(lambda y: torch.from_numpy(y).cuda(), lambda x: x.cpu().numpy(), torch.cuda.synchronize)
    return {"cupy": Library(cupy.asarray, lambda x: x.get(), wait), "torch": theirs}


def layer(kind: str, **options: Any) -> Callable[[], Any]:
    """How a layer of nnAudio is made."""
    from nnAudio import features

    def make() -> Any:
        made = quiet(getattr(features, kind), **options)
        return made.cuda() if torch.cuda.is_available() else made

    return make


def contenders(on_gpu: bool) -> dict[str, dict[str, tuple[str, Callable[[], Any]]]]:
    """For each workload, who does it: on arrays of which library, and what makes the transform ready."""
    ours = "cupy" if on_gpu else "numpy"
    frames = {"n_fft": 2048, "hop_length": 512}
    mel = {"sr": SR, "n_mels": 128} | frames
    found: dict[str, dict[str, tuple[str, Callable[[], Any]]]] = {
        "magnitude STFT": {
            "arrayaudio": (ours, lambda: aa.STFT(output="magnitude", **frames)),
            "nnAudio": ("torch", layer("STFT", sr=SR, output_format="Magnitude", **frames, pad_mode="constant")),
            "librosa": ("numpy", lambda: lambda y: np.abs(librosa.stft(y, **frames))),
        },
        "mel spectrogram": {
            "arrayaudio": (ours, lambda: aa.MelSpectrogram(**mel)),
            "nnAudio": ("torch", layer("MelSpectrogram", **mel, pad_mode="constant")),
            "librosa": ("numpy", lambda: lambda y: librosa.feature.melspectrogram(y=y, **mel)),
        },
        "CQT magnitude": {
            "arrayaudio": (ours, lambda: aa.CQT(**NOTES, output="magnitude")),
            "nnAudio CQT1992v2": ("torch", layer("CQT1992v2", **NOTES)),
            "nnAudio CQT2010v2": ("torch", layer("CQT2010v2", **NOTES)),
            "librosa": ("numpy", lambda: lambda y: np.abs(librosa.cqt(y, **NOTES))),
        },
    }
    return {
        name: {who: row for who, row in rows.items() if not (on_gpu and row[0] == "numpy")}
        for name, rows in found.items()
    }


def timed(call: Callable[[], Any], wait: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call until all is done, and its result."""
    wait()
    start = time.perf_counter()
    result = call()
    wait()
    return time.perf_counter() - start, result


def set_up(make: Callable[[], Any], library: Library, batch: np.ndarray) -> tuple[float, Any]:
    """Seconds until the first batch is done by a new transform, and that transform."""
    there, made = library.bring(batch), []

    def first() -> Any:
        made.append(make())
        return made[0](there)

    taken, _ = timed(first, library.wait)
    return taken, made[0]


def turn(transform: Any, library: Library, batches: list[np.ndarray]) -> dict[str, float]:
    """Seconds of one pass over the corpus: there, the transform, and back."""
    to, there = timed(lambda: [library.bring(batch) for batch in batches], library.wait)
    compute, results = timed(lambda: [transform(batch) for batch in there], library.wait)
    back, _ = timed(lambda: [library.back(result) for result in results], library.wait)
    return {"to_s": to, "compute_s": compute, "back_s": back}


@torch.no_grad()
def compared(rows: dict[str, tuple[str, Callable[[], Any]]], batches: list[np.ndarray], places: Any) -> dict[str, Any]:
    """Medians of all contenders for one workload."""
    results: dict[str, dict[str, Any]] = {}
    made, turns = {}, {who: [] for who in rows}  # type: ignore[var-annotated]
    for who, (library, make) in rows.items():
        taken, made[who] = set_up(make, places[library], batches[0])
        results[who] = {"set_up_s": taken}
    for _ in range(ROUNDS):
        for who, (library, _) in rows.items():
            gc.collect()
            turns[who].append(turn(made[who], places[library], batches))
    for who, times in turns.items():
        results[who] |= {name: statistics.median(each[name] for each in times) for name in times[0]}
        results[who]["ratio_to_ours"] = results[who]["compute_s"] / results["arrayaudio"]["compute_s"]
    return results


def main(arguments: list[str]) -> None:
    """Run all and write the results."""
    on_gpu = "--gpu" in arguments
    if not on_gpu:
        aa.set_num_threads(torch.get_num_threads())
    y = np.random.default_rng(0).standard_normal((CLIPS, LENGTH), np.float32)
    batches = np.split(y, CLIPS // BATCH)
    places, results = libraries(on_gpu), {}
    for name, rows in contenders(on_gpu).items():
        print(name)
        results[name] = compared(rows, batches, places)
        for who, row in results[name].items():
            print(f"  {who:<20}" + "  ".join(f"{key} {value:7.2f}" for key, value in row.items()), flush=True)
    peers = {peer: importlib.metadata.version(peer) for peer in ("torch", "nnAudio", "librosa")}
    described = {"clips": CLIPS, "samples": LENGTH, "sr": SR, "batch": BATCH, "results": results}
    print(f"\nwritten to {stored('corpus', described, peers, 'gpu' if on_gpu else 'processor')}")


if __name__ == "__main__":
    main(sys.argv[1:])
