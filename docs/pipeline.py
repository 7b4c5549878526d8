"""Recordings to features on GPUs, with decoding, copies and kernels at the same time.

    python -m docs.pipeline FOLDER

It needs an NVIDIA GPU and CuPy. The page docs/pipelines.md explains it.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import arrayaudio as aa
from arrayaudio.ext.io import find_audio, load

SECONDS, BATCH, DECODERS = 30, 32, 8


def decode(path: Path, sr: float, n_samples: int) -> np.ndarray:
    """Read a recording, cut or filled with zeros to one length."""
    y = load(path, sr=sr)[0][:n_samples]
    return np.pad(y, (0, n_samples - len(y)))


def batches(
    paths: Iterable[Path], size: int, pool: Executor, sr: float, n_samples: int
) -> Iterator[tuple[list[Path], np.ndarray]]:
    """Yield recordings and their samples, (size, n_samples), while the next two batches are decoded.

    The pool may have threads, since libsndfile decodes without Python's lock, or processes, where Python resamples.
    """
    paths, ahead = iter(paths), deque[Any]()
    while True:
        while len(ahead) < 3 and (group := list(islice(paths, size))):
            ahead.append((group, [pool.submit(decode, path, sr, n_samples) for path in group]))
        if not ahead:
            return
        group, clips = ahead.popleft()
        yield group, np.stack([clip.result() for clip in clips])


class Slot:
    """Pinned memory and memory of the device for one batch, and the events that say what it is ready for."""

    def __init__(self, cupy: Any, batch: np.ndarray) -> None:
        self.cupy = cupy
        self.host, self.device = self.pinned(batch.shape, batch.dtype), cupy.empty(batch.shape, batch.dtype)
        self.copied, self.ready = (cupy.cuda.Event(disable_timing=True) for _ in range(2))
        self.result: np.ndarray | None = None

    def pinned(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Host memory that the device reads and writes by itself."""
        count = int(np.prod(shape))
        memory = self.cupy.cuda.alloc_pinned_memory(count * np.dtype(dtype).itemsize)
        return np.frombuffer(memory, dtype, count).reshape(shape)


def featurised(
    clips: Iterable[tuple[Any, np.ndarray]], transform: Callable[[Any], Any]
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the features of batches (n, n_samples), each with its key, computed on the current GPU.

    While one batch is transformed, the next is copied to the device and the results of the last one back; the host
    waits for results that are due, and never for a kernel that it has just launched. No batch is larger than the first.
    """
    aa.asarray(np.zeros(1), device="cuda")  # which says what to do where there is no GPU
    import cupy

    copies, kernels = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    slots: list[Slot] = []
    due: tuple[Any, Slot, int] | None = None
    for number, (key, batch) in enumerate(clips):
        if number < 2:
            slots.append(Slot(cupy, batch))
        slot, n = slots[number % 2], len(batch)
        # The results of the last batch in this slot have come, so that nothing is using its memory.
        slot.host[:n] = batch
        with copies:
            slot.device[:n].set(slot.host[:n], stream=copies)
            slot.copied.record(copies)
        with kernels:
            kernels.wait_event(slot.copied)
            S = transform(slot.device[:n])
            if slot.result is None:
                slot.result = slot.pinned(S.shape, S.dtype)
            S.get(stream=kernels, out=slot.result[:n], blocking=False)
            slot.ready.record(kernels)
        if due is not None:
            yield _finished(*due)
        due = key, slot, n
    if due is not None:
        yield _finished(*due)


def _finished(key: Any, slot: Slot, n: int) -> tuple[Any, np.ndarray]:
    slot.ready.synchronize()
    assert slot.result is not None
    return key, slot.result[:n].copy()


class Shared:
    """An iterator from which several threads take."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items, self.lock = iter(items), threading.Lock()

    def __iter__(self) -> "Shared":
        return self

    def __next__(self) -> Any:
        with self.lock:
            return next(self.items)


def on_gpus(
    clips: Iterable[tuple[Any, np.ndarray]],
    transform: Callable[[Any], Any],
    save: Callable[[Any, np.ndarray], None],
    devices: Sequence[int],
) -> None:
    """Share batches among GPUs, a thread each, and call `save(key, features)` in that thread for each batch."""
    import cupy

    source = Shared(clips)

    def work(device: int) -> None:
        with cupy.cuda.Device(device):
            for key, S in featurised(source, transform):
                save(key, S)

    with ThreadPoolExecutor(len(devices)) as threads:
        for done in [threads.submit(work, device) for device in devices]:
            done.result()


def main() -> None:
    """Write log-mel spectrograms of the recordings below a folder, beside them."""
    transform = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, scale="log")
    try:
        aa.asarray(np.zeros(1), device="cuda")
    except aa.BackendError as error:
        sys.exit(f"this example needs a GPU: {error}")
    import cupy

    def save(group: list[Path], features: np.ndarray) -> None:
        for path, S in zip(group, features, strict=True):
            np.save(path.with_suffix(".npy"), S)

    with ThreadPoolExecutor(DECODERS) as pool:
        clips = batches(find_audio(Path(sys.argv[1])), BATCH, pool, 16000, SECONDS * 16000)
        on_gpus(clips, transform, save, range(cupy.cuda.runtime.getDeviceCount()))


if __name__ == "__main__":
    main()
