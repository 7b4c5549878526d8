"""What the benchmarks share: turns of contenders, and files of results."""

import contextlib
import datetime
import io
import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arrayaudio.versions import versions

RESULTS = Path(__file__).parent / "results"


def quiet(make: Callable[..., Any], **options: Any) -> Any:
    """A layer of nnAudio, which prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return make(**options, verbose=False)


def in_turns(
    contenders: dict[str, Callable[[], Any]], rounds: int, repeats: int, pause: float, *, warm: bool = True
) -> dict[str, dict[str, float]]:
    """Times of contenders that take turns, each of a pause, a call that is not counted and some that are.

    Those that are warm already, or take so long that it makes no difference, need no call before.
    """
    times: dict[str, list[float]] = {who: [] for who in contenders}
    for _ in range(rounds):
        for who, call in contenders.items():
            time.sleep(pause)
            if warm:
                call()
            for _ in range(repeats):
                start = time.perf_counter()
                call()
                times[who].append(time.perf_counter() - start)
    ours = statistics.median(times["arrayaudio"])
    return {
        who: {
            "median_ms": statistics.median(some) * 1e3,
            "min_ms": min(some) * 1e3,
            "ratio_to_ours": statistics.median(some) / ours,
        }
        for who, some in times.items()
    }


def named(device: str) -> str:
    """The name of a processor or a GPU as a part of file names."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def stored(
    kind: str, results: dict[str, Any], others: dict[str, str], device: str = "processor", folder: Path = RESULTS
) -> Path:
    """Write results as JSON, with the date, the machine and versions, `others` among them; return where.

    The file's name has that of the machine's "processor" or "gpu".
    """
    here = versions() | others
    path = folder / f"{kind}-{named(here[device])}.json"
    path.parent.mkdir(exist_ok=True)
    record = {"date": datetime.date.today().isoformat(), "machine": here} | results
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path


def write(kind: str, results: dict[str, Any], others: dict[str, str]) -> None:
    """Write results to bench/results and say so."""
    print(f"\nwritten to {stored(kind, results, others)}")
