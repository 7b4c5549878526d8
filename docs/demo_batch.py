"""A job that is killed twice and goes on, and one whose worker is killed, beside one that nobody disturbs.

    python -m docs.demo_batch

Makes a thousand short clips, of which some are no audio, in a temporary folder, and compares what the jobs leave.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import distributed
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


def command(corpus: Path, out: Path, *options: str) -> list[str]:
    """The words of the command."""
    return [sys.executable, "-m", "arrayaudio", "extract", str(corpus), "-o", str(out), *options]


def done(out: Path) -> int:
    """How many files are done, by this run or an earlier one."""
    return len({row.output for row in read_rows(out) if row.status != "failed"})


def wait_until_done(job: "subprocess.Popen[bytes]", out: Path, count: int) -> None:
    """Wait until a job has done so many files."""
    while done(out) < count:
        if job.poll() is not None:
            sys.exit(f"the job ended by itself, with {done(out)} files done")
        time.sleep(0.05)


def killed(corpus: Path, out: Path, after: int) -> None:
    """Start the job, and kill -9 it when it has done so many files."""
    with subprocess.Popen(command(corpus, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        wait_until_done(job, out, after)
        job.kill()
    print(f"killed with {done(out)} files done")


def on_workers(corpus: Path, out: Path, after: int) -> int:
    """Run the job on two worker processes, kill -9 one of them when so many files are done; return the exit code."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
        subprocess.Popen(command(corpus, out, "--scheduler", cluster.scheduler_address)) as job,
    ):
        wait_until_done(job, out, after)
        before = client.run(os.getpid)
        victim = next(iter(before.values()))
        os.kill(victim, signal.SIGKILL)
        print(f"worker {victim} killed with {done(out)} files done", flush=True)
        return job.wait()


def outcome(out: Path) -> tuple[dict[str, bytes], dict[str, tuple[str, str | None]]]:
    """Feature files with their content, and recordings with what became of them at last."""
    files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.npz"))}
    rows: dict[str, Row] = {row.path: row for row in read_rows(out)}
    return files, {path: ("failed" if row.status == "failed" else "done", row.reason) for path, row in rows.items()}


def main() -> None:
    """Run the jobs, and leave with 1 unless they came to the same."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, undisturbed, disturbed, spread = (
            Path(folder) / name for name in ("corpus", "undisturbed", "disturbed", "spread")
        )
        count = make_corpus(corpus)
        print(f"{count} files below {corpus}")
        print("\nA job that nobody disturbs:", flush=True)
        codes = [subprocess.run(command(corpus, undisturbed)).returncode]
        print("\nThe same job, killed with kill -9 twice and started again:", flush=True)
        for part in (1, 2):
            killed(corpus, disturbed, after=part * COUNT // 3)
        codes.append(subprocess.run(command(corpus, disturbed)).returncode)
        print("\nThe same job on the workers of dask.distributed, one of which is killed with kill -9:", flush=True)
        codes.append(on_workers(corpus, spread, after=COUNT // 2))
        files, ends = outcome(undisturbed)
        times = Counter(row.output for row in read_rows(disturbed) if row.status == "done")
        print(f"\nexit codes {codes}")
        print(f"{len(files)} feature files, {len(ends)} recordings with their end in the manifest")
        print(f"{sum(times.values()) - len(times)} files were done twice by the job that was killed")
        if (
            len(set(codes)) > 1
            or len(ends) != count
            or any(outcome(out) != (files, ends) for out in (disturbed, spread))
        ):
            sys.exit("the jobs differ")
        print("all jobs left the same bytes and the same reasons: nothing was lost, and nothing changed")


if __name__ == "__main__":
    main()
