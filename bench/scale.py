"""What an hour of audio costs on one core, and a file, step by step: the rates that docs/scale.md reckons with.

    python -m bench.scale

The recordings of docs/audio, end to end for ten minutes: speech at 16 kHz, and guitar and piano at 44.1 kHz in stereo.
Seconds are those of the processor in this process, best of five. Results go to bench/results as JSON.
"""

import functools
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from distributed import Client, LocalCluster

import arrayaudio as aa
from arrayaudio.ext.io import load, save_features, write_whole
from arrayaudio.ext.zarr import save_group
from arrayaudio.jobs.decoding import Decoder
from arrayaudio.jobs.extract import Task, extract_one
from arrayaudio.jobs.manifest import parsed
from arrayaudio.jobs.settings import Settings
from bench.running import write

AUDIO = Path(__file__).parent.parent / "docs" / "audio"
SECONDS, ROUNDS, PER_HOUR = 600, 5, 6
ENCODINGS: dict[str, dict[str, Any]] = {
    "WAV": {"format": "WAV", "subtype": "PCM_16"},
    "FLAC": {"format": "FLAC", "subtype": "PCM_16"},
    "MP3": {"format": "MP3"},
}
FEATURES = {
    "log-mel, 80 bands, hop 160": aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, scale="log"),
    "MFCC, 13, hop 160": aa.MFCC(sr=16000, n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, top_db=None),
    "STFT power, 201 rows, hop 160": aa.STFT(sr=16000, n_fft=400, hop_length=160, output="power"),
    "gammatonegram, 64 bands, hop 160": aa.Gammatonegram(sr=16000, n_fft=400, hop_length=160),
    "CQT magnitude, 84 bins, hop 512": aa.CQT(sr=16000, n_bins=84, output="magnitude"),
}


def material() -> dict[str, tuple[np.ndarray, int]]:
    """Ten minutes of speech, (n,), and of music, (n, 2)."""
    speech, _ = load(AUDIO / "speech.flac")
    music = [load(AUDIO / f"{name}.flac", mono=False)[0].T for name in ("guitar", "piano")]
    return {
        "speech, 16 kHz": (np.resize(speech, SECONDS * 16000), 16000),
        "music, 44.1 kHz stereo": (np.resize(np.concatenate(music), (SECONDS * 44100, 2)), 44100),
    }


def cost(call: Callable[[], Any]) -> float:
    """Seconds of the processor for an hour of audio, of which `call` takes ten minutes."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return PER_HOUR * min(times)


def decoded(content: bytes) -> Any:
    """Samples of a file in memory."""
    return soundfile.read(io.BytesIO(content), dtype="float32")


def decoding() -> dict[str, dict[str, float]]:
    """Megabytes and seconds for an hour in each encoding."""
    found = {}
    for kind, (y, sr) in material().items():
        for name, options in ENCODINGS.items():
            file = io.BytesIO()
            soundfile.write(file, y, sr, **options)
            content = file.getvalue()

            read = functools.partial(decoded, content)
            found[f"{kind}, {name}"] = {"megabytes": PER_HOUR * len(content) / 1e6, "seconds": cost(read)}
    return found


def features() -> dict[str, dict[str, float]]:
    """Megabytes in float32 and seconds for an hour of each transform, and of writing it."""
    speech, sr = material()["speech, 16 kHz"]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, transform) in enumerate(FEATURES.items()):
            S, place = transform(speech), Path(folder)
            described = S, transform, speech.size, sr
            npz = functools.partial(save_features, place / f"{number}.npz", *described)
            zarr = functools.partial(save_group, place / "s" / str(number), *described, store=place / "s", source={})
            found[name] = {
                "megabytes": PER_HOUR * S.nbytes / 1e6,
                "seconds": cost(functools.partial(transform, speech)),
                "npz_seconds": cost(npz),
                "zarr_seconds": cost(zarr),
            }
    return found


def each(call: Callable[[int], Any], count: int) -> float:
    """Seconds by the clock for one of many calls, best of five rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for number in range(count):
            call(number)
        times.append((time.perf_counter() - start) / count)
    return min(times)


def files() -> dict[str, dict[str, float]]:
    """Seconds for what is done once for each file, on the disk of this machine, and for each task."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        task = Task(AUDIO / "speech.flac", place / "speech.npz")
        settings = Settings(aa.MelSpectrogram)
        with Decoder() as decoder:
            row = extract_one(task, settings, out=place, decoder=decoder)
            whole = each(lambda _: extract_one(task, settings, out=place, decoder=decoder), 50)
        line = f"{row.to_json()}\n".encode()
        found = {
            "one recording of 7 s, start to end": whole,
            "a file made, flushed and renamed": each(
                lambda i: write_whole(place / f"{i}", lambda f: f.write(line)), 500
            ),
            "a file looked up": each(lambda i: (place / f"{i % 500}").stat(), 5000),
            "a row of the manifest read": each(lambda _: parsed(line), 5000),
        }
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        names = [str(k) for k in range(1000)]
        found["an empty task of dask.distributed"] = (
            each(lambda _: client.gather(client.map(os.path.basename, names, pure=False)), 2) / 1000
        )
    return {name: {"seconds": value} for name, value in found.items()} | {"row": {"bytes": len(line)}}


def main() -> None:
    """Measure and write the results."""
    aa.set_num_threads(1)
    music, sr = material()["music, 44.1 kHz stereo"]
    mono = np.ascontiguousarray(music.mean(axis=1))
    results = {
        "decoding": decoding(),
        "resampling": {"44.1 to 16 kHz": {"seconds": cost(lambda: aa.resample(mono, orig_sr=sr, target_sr=16000))}},
        "features": features(),
        "files": files(),
    }
    for step, rows in results.items():
        for name, row in rows.items():
            print(f"{step}: {name}: " + ", ".join(f"{key} {value:.3g}" for key, value in row.items()))
    write("scale", results, {})


if __name__ == "__main__":
    main()
