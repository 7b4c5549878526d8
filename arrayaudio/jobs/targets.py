"""Which recordings a job reads, and which files it writes."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from arrayaudio.errors import ParameterError
from arrayaudio.ext.io import find_audio, printable
from arrayaudio.jobs.extract import Task
from arrayaudio.jobs.outputs import target


def tasks(inputs: Iterable[Path], out: Path, kind: str) -> list[Task]:
    """Pair each recording with its output of a format; the path below a given folder is kept."""
    inputs = list(inputs)
    found: dict[str, Task] = {}
    for given in inputs:
        for file in find_audio(given):
            place = file.relative_to(given) if given.is_dir() else Path(file.name)
            # One file given twice is one file, but a link to it is another.
            found.setdefault(os.path.abspath(file), Task(file, place))  # noqa: PTH100
    if not found:
        raise ParameterError(f"no audio files below {', '.join(map(printable, inputs))}")
    stems = Counter(place.with_suffix("") for _, place in found.values())
    # Recordings that differ in their suffix alone keep it, so that none overwrites another.
    paired = [
        Task(file, target(out, place, kind, keep_suffix=stems[place.with_suffix("")] > 1))
        for file, place in found.values()
    ]
    most, times = Counter(task.target for task in paired).most_common(1)[0]
    if times > 1:
        raise ParameterError(
            f"{times} inputs would all be written to {printable(most)}: extract them to folders of their own"
        )
    return paired
