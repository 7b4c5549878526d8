"""Train everything and write docs/experiments.json, docs/experiments.md and the pictures."""

import importlib.metadata
import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from docs.experiments.cases import CASES, DRAWN, EPOCHS, LONGER, RATES, SEEDS, Case
from docs.experiments.page import best, rendered
from docs.experiments.pictures import change, drawn
from docs.experiments.training import Trained, trained

HERE = Path(__file__).parent.parent
ARMS = {"fixed": False, "trainable": True}


def training(case: Case, arm: str, rate: float, epochs: int) -> Callable[[int], Trained]:
    """Return what trains a spectrogram from a seed, in a form that other processes understand."""
    return partial(trained, case.transform, learn=ARMS[arm], learning_rate=rate, epochs=epochs)


def summary(runs: list[Trained]) -> dict[str, list[float]]:
    """Return what is kept of the runs of all seeds."""
    return {"errors": [found.error for found in runs], "last": [found.last for found in runs]}


def compared(case: Case, pool: Executor) -> dict[str, Any]:
    """Train a spectrogram at every rate from every seed, at the best rates for longer, and draw one."""
    begun = {(rate, arm): pool.map(training(case, arm, rate, EPOCHS), SEEDS) for rate in RATES for arm in ARMS}
    runs = {key: list(found) for key, found in begun.items()}
    learned = runs[DRAWN, "trainable"][0].transform
    drawn(case, learned).savefig(HERE / "pictures" / case.picture)
    row: dict[str, Any] = {
        "spectrogram": case.name,
        "picture": case.picture,
        "learned": case.learned,
        "change": change(case, learned),
        "rates": {str(rate): {arm: summary(runs[rate, arm]) for arm in ARMS} for rate in RATES},
    }
    longer = {arm: pool.map(training(case, arm, float(best(row, arm)), LONGER * EPOCHS), SEEDS) for arm in ARMS}
    return row | {"longer": {arm: summary(list(found)) for arm, found in longer.items()}}


def main() -> None:
    """Train, write, and say how long it took."""
    start = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        experiments = [compared(case, pool) for case in CASES]
    data = {
        "numpy": importlib.metadata.version("numpy"),
        "seeds": list(SEEDS),
        "epochs": EPOCHS,
        "longer": LONGER,
        "drawn": str(DRAWN),
        "experiments": experiments,
    }
    (HERE / "experiments.json").write_text(json.dumps(data, indent=1) + "\n")
    (HERE / "experiments.md").write_text(rendered(data))
    print(f"experiments.json, experiments.md and pictures written in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
