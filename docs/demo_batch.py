"""A job that is killed twice and goes on, beside one that nobody disturbs.

    python -m docs.demo_batch

Makes a thousand short clips, of which some are no audio, in a temporary folder, and compares what the two jobs leave.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from arrayaudio.jobs.manifest import Row, read_rows

SR, COUNT = 16000, 1000
BAD = {
    "empty.wav": b"",
    "text.wav": b"Dear diary, today I recorded nothing.\n",
    "header.wav": b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00",
    "noise.mp3": bytes(range(256)) * 8,
}


def make_corpus(folder: Path) -> int:
    """Write clips of half a second to three, and some files that are none; return how many."""
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        t = np.arange(int(SR * rng.uniform(0.5, 3))) / SR
        y = 0.3 * np.sin(2 * np.pi * (rng.uniform(100, 1000) + rng.uniform(0, 500) * t) * t)
        path = folder / f"speaker-{number % 10}" / f"{number:04}.{'flac' if number % 3 else 'wav'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, y + 0.01 * rng.standard_normal(t.size), SR)
    whole = (folder / "speaker-8" / "0998.flac").read_bytes()
    for name, content in (BAD | {"cut.flac": whole[: len(whole) // 3]}).items():
        (folder / name).write_bytes(content)
    (folder / "lost.wav").symlink_to("gone.wav")
    return COUNT + len(BAD) + 2


def command(corpus: Path, out: Path) -> list[str]:
    """The words of the command."""
    return [sys.executable, "-m", "arrayaudio", "extract", str(corpus), "-o", str(out)]


def done(out: Path) -> int:
    """How many files are done, by this run or an earlier one."""
    return len({row.output for row in read_rows(out) if row.status != "failed"})


def killed(corpus: Path, out: Path, after: int) -> None:
    """Start the job, and kill -9 it when it has done so many files."""
    with subprocess.Popen(command(corpus, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        while done(out) < after:
            if job.poll() is not None:
                sys.exit(f"the job ended by itself, with {done(out)} files done")
            time.sleep(0.05)
        job.kill()
    print(f"killed with {done(out)} files done")


def outcome(out: Path) -> tuple[dict[str, bytes], dict[str, tuple[str, str | None]]]:
    """Feature files with their content, and recordings with what became of them at last."""
    files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.npz"))}
    rows: dict[str, Row] = {row.path: row for row in read_rows(out)}
    return files, {path: ("failed" if row.status == "failed" else "done", row.reason) for path, row in rows.items()}


def main() -> None:
    """Run both jobs, and leave with 1 unless they came to the same."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, undisturbed, disturbed = (Path(folder) / name for name in ("corpus", "undisturbed", "disturbed"))
        count = make_corpus(corpus)
        print(f"{count} files below {corpus}")
        print("\nA job that nobody disturbs:", flush=True)
        code = subprocess.run(command(corpus, undisturbed)).returncode
        print(f"exit code {code}")
        print("\nThe same job, killed with kill -9 twice and started again:", flush=True)
        for part in (1, 2):
            killed(corpus, disturbed, after=part * COUNT // 3)
        again = subprocess.run(command(corpus, disturbed)).returncode
        print(f"exit code {again}")
        (files, ends), found = outcome(undisturbed), outcome(disturbed)
        times = Counter(row.output for row in read_rows(disturbed) if row.status == "done")
        print(f"\n{len(files)} feature files, {len(ends)} recordings with their end in the manifest")
        print(f"{sum(times.values()) - len(times)} files were done twice")
        if (files, ends, code) != (*found, again) or len(ends) != count:
            sys.exit("the two jobs differ")
        print("both jobs left the same bytes and the same reasons: nothing was lost, and nothing changed")


if __name__ == "__main__":
    main()
