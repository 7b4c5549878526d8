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


def write(kind: str, results: dict[str, Any], others: dict[str, str]) -> None:
    """Write results as JSON, with the date, the machine and versions, `others` among them, to bench/results."""
    here = versions() | others
    name = re.sub(r"[^a-z0-9]+", "-", here["processor"].lower()).strip("-")
    path = Path(__file__).parent / "results" / f"{kind}-{name}.json"
    path.parent.mkdir(exist_ok=True)
    record = {"date": datetime.date.today().isoformat(), "machine": here} | results
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"\nwritten to {path}")
