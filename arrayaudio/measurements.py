"""What a benchmark found, as a table, in words, and as data."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Seconds of repeated calls: their median and quartiles, and how many there were."""

    median: float
    lower: float
    upper: float
    repeats: int

    @property
    def half_range(self) -> float:
        """Half of what lies between the quartiles."""
        return (self.upper - self.lower) / 2


@dataclass(frozen=True)
class Measurement:
    """Times of one batch size on one device; transfers on a GPU alone, from pageable memory of the host and back."""

    device: str
    batch_size: int
    frames: int
    seconds: float
    first: float
    call: Spread
    upload: Spread | None = None
    download: Spread | None = None

    @property
    def transfers(self) -> float:
        """Seconds for signals on their way to the GPU and results on their way back."""
        return sum(moved.median for moved in (self.upload, self.download) if moved is not None)

    @property
    def with_transfers(self) -> float:
        """Seconds of a call whose signals come from the host and whose results go there."""
        return self.call.median + self.transfers

    @property
    def frames_per_second(self) -> float:
        """Frames of the result in a second, without transfers."""
        return self.frames / self.call.median

    @property
    def times_real_time(self) -> float:
        """Seconds of audio in a second, without transfers."""
        return self.seconds / self.call.median


@dataclass(frozen=True)
class Benchmark:
    """What `benchmark` found: `str` gives a table with a hint, `to_dict` what JSON can hold."""

    transform: str
    sr: float
    clip_seconds: float
    dtype: str
    threads: int
    processor: str
    gpu: str
    measurements: tuple[Measurement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dict that JSON can hold; times are in seconds."""
        derived = ("with_transfers", "frames_per_second", "times_real_time")
        rows = [dataclasses.asdict(row) | {name: getattr(row, name) for name in derived} for row in self.measurements]
        return dataclasses.asdict(self) | {"measurements": rows, "hint": self.hint}

    @property
    def hint(self) -> str:
        """Whether the GPU pays, and from which batch size on, in words."""
        pairs = self._pairs
        if not pairs and not self.gpu.startswith("none"):
            return "CPU and GPU were not compared: they were not both measured."
        if not pairs:
            return f"No GPU to compare with: {self.gpu.removeprefix('none: ')}."
        paying = [gpu.batch_size for cpu, gpu in pairs if gpu.with_transfers < cpu.call.median]
        if len(paying) == len(pairs):
            return f"The GPU pays at all of these batch sizes, transfers included: {_ratios(pairs)}."
        if paying:
            return f"The GPU pays for batches of {_listed(paying)}, transfers included: {_ratios(pairs)}."
        staying = [gpu.batch_size for cpu, gpu in pairs if gpu.call.median < cpu.call.median]
        if staying:
            return (
                f"The GPU pays for batches of {_listed(staying)} only where signals and results stay on it: transfers "
                f"take longer than they save. Transfers included: {_ratios(pairs)}."
            )
        return f"The GPU does not pay at these batch sizes: {_ratios(pairs)}. Larger batches may be faster."

    @property
    def _pairs(self) -> list[tuple[Measurement, Measurement]]:
        """Measurements on CPU and GPU with the same batch size."""
        by_place = {(row.device, row.batch_size): row for row in self.measurements}
        sizes = dict.fromkeys(row.batch_size for row in self.measurements)
        rows = (tuple(by_place.get((device, size)) for device in ("cpu", "cuda")) for size in sizes)
        return [(cpu, gpu) for cpu, gpu in rows if cpu is not None and gpu is not None]

    def __str__(self) -> str:
        head = (
            f"{self.transform}\n"
            f"clips of {self.clip_seconds:g} s at {self.sr:g} Hz, {self.dtype}\n"
            f"CPU: {self.processor}, {self.threads} thread{'s' if self.threads > 1 else ''}\nGPU: {self.gpu}\n"
        )
        names = ("device", "batch", "call", "spread", "first call", "to GPU", "from GPU", "frames/s", "x real time")
        columns = [column for column in zip(names, *map(_cells, self.measurements), strict=True) if any(column[1:])]
        widths = [max(map(len, column)) for column in columns]
        rows = zip(*columns, strict=True)
        lines = ("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
        return f"{head}\n" + "\n".join(lines) + f"\n\n{self.hint}"


def _cells(row: Measurement) -> tuple[str, ...]:
    moves = ("" if moved is None else _time(moved.median) for moved in (row.upload, row.download))
    return (
        *(row.device, str(row.batch_size), _time(row.call.median), f"± {_time(row.call.half_range)}", _time(row.first)),
        *moves,
        *(f"{row.frames_per_second:,.0f}", f"{row.times_real_time:,.0f}"),
    )


def _time(seconds: float) -> str:
    """Seconds in a unit that leaves one to three digits before the point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.1f} µs"


def _ratios(pairs: Sequence[tuple[Measurement, Measurement]]) -> str:
    """How long CPU and GPU take."""
    said = (
        f"{cpu.batch_size}: {_time(cpu.call.median)} on the CPU, {_time(gpu.with_transfers)} on the GPU"
        for cpu, gpu in pairs
    )
    return "; ".join(said)


def _listed(sizes: Sequence[int]) -> str:
    return " and ".join(filter(None, (", ".join(map(str, sizes[:-1])), str(sizes[-1]))))
