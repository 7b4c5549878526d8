"""Jobs on the workers of dask.distributed: what a local job leaves, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import dask
import distributed
import pytest

import arrayaudio as aa
from arrayaudio.jobs.manifest import NAME, read_rows
from arrayaudio.jobs.settings import Settings

from .command_line import run, written
from .recordings import encoded, tone

pytestmark = pytest.mark.slow

MEL = Settings(aa.MelSpectrogram, {"n_fft": 256, "n_mels": 20})
N_CLIPS = 24


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        yield cluster


@pytest.fixture
def clips(tmp_path, rng):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for i in range(N_CLIPS):
        place = folder / ("deep" if i % 3 else "") / f"{i}.wav"
        place.write_bytes(encoded(tone(4000 + 100 * i, 300 + i)))
    (folder / "bad.wav").write_bytes(b"no audio")
    return folder


def outputs(out):
    """What a job left, but for its record."""
    return {name: (out / name).read_bytes() for name in written(out) if name not in (NAME, "settings.json", ".lock")}


def rows(out):
    """The record of a job, without the time it took."""
    return sorted((replace(row, seconds=0.0) for row in read_rows(out)), key=lambda row: row.output)


@pytest.mark.parametrize("options", [(), ("--format", "zarr"), ("--format", "parquet"), ("--plot", "--sr", "4000")])
def test_a_cluster_leaves_what_a_local_job_leaves(clips, out, cluster, options):
    result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address, *options)
    local = run("extract", clips, "-o", out.with_name("local"), *options)
    assert (result.exit_code, result.stderr) == (local.exit_code, local.stderr)
    assert result.exit_code == 3
    assert "bad.wav: cannot be read as audio" in result.stderr
    assert result.stdout == f"{N_CLIPS} of {N_CLIPS + 1} files written to {out}\n"
    assert outputs(out) == outputs(out.with_name("local"))
    assert rows(out) == rows(out.with_name("local"))


def test_jobs_go_on_here_and_there(clips, out, cluster, monkeypatch):
    monkeypatch.chdir(clips.parent)
    (clips / "0.wav").rename(clips / "0.hidden")
    run("extract", clips.name, "-o", out.name, "--scheduler", cluster.scheduler_address)
    (clips / "0.hidden").rename(clips / "0.wav")
    result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address)
    earlier = f"{N_CLIPS} of {N_CLIPS + 1} files written to {out}, {{}} of them by an earlier run\n"
    assert result.stdout == earlier.format(N_CLIPS - 1)
    assert run("extract", clips, "-o", out).stdout == earlier.format(N_CLIPS)
    result = run("extract", clips, "-o", out, "--n-mels", "20", "--scheduler", cluster.scheduler_address)
    assert (result.exit_code, "holds features made with other settings" in result.stderr) == (2, True)


def fatal(folder, names, deaths):
    """Two workers, of which each of these recordings kills the first that are writing its features."""
    code = f"""
import os, pathlib
from arrayaudio.jobs import extract
save = extract.outputs.save
def fatal(target, *args, **options):
    name, here = target.stem, pathlib.Path({str(folder)!r})
    death = here / f"{{name}}.{{len(list(here.glob(f'{{name}}.*.death')))}}.death"
    if name in {names} and len(list(here.glob(f"{{name}}.*.death"))) < {deaths}:
        death.touch()
        target.with_name(f".{{os.getpid()}}-1.part").write_bytes(b"half of")
        os.kill(os.getpid(), 9)
    save(target, *args, **options)
def dask_setup(worker):
    extract.outputs.save = fatal
"""
    (folder / "fatal.py").write_text(code)
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", preload=[str(folder / "fatal.py")]
    )


@pytest.mark.parametrize("names", [["7"], ["3", "7", "20"]])
def test_workers_that_are_killed_cost_nothing(clips, out, names):
    """What they had in hand goes to others, and to the workers that replace them."""
    (out / "deep").mkdir(parents=True)
    with fatal(clips.parent, names, 1) as cluster:
        result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address)
    assert len(list(clips.parent.glob("*.death"))) == len(names)
    local = run("extract", clips, "-o", out.with_name("local"))
    assert (result.exit_code, result.stderr) == (local.exit_code, local.stderr)
    assert outputs(out) == outputs(out.with_name("local"))
    assert rows(out) == rows(out.with_name("local"))


def test_those_that_are_blamed_for_a_death_are_tried_again(clips, out):
    """Dask holds a death against all that the worker had; here one is enough."""
    (out / "deep").mkdir(parents=True)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), fatal(clips.parent, ["4"], 1) as cluster:
        result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address)
    assert len(list(clips.parent.glob("*.death"))) == 1
    local = run("extract", clips, "-o", out.with_name("local"))
    assert (result.exit_code, result.stderr) == (local.exit_code, local.stderr)
    assert rows(out) == rows(out.with_name("local"))


def test_a_recording_that_kills_every_worker_fails_alone(clips, out):
    """As one does that takes more memory than a worker may have."""
    (out / "deep").mkdir(parents=True)
    with fatal(clips.parent, ["4"], 99) as cluster:
        result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address)
    assert (result.exit_code, result.stdout) == (3, f"{N_CLIPS - 1} of {N_CLIPS + 1} files written to {out}\n")
    assert f"failed: {clips / 'deep' / '4.wav'}: its worker died, and so did the next ones" in result.stderr
    again = run("extract", clips, "-o", out)
    earlier = f"{N_CLIPS - 1} of them by an earlier run"
    assert again.stdout == f"{N_CLIPS} of {N_CLIPS + 1} files written to {out}, {earlier}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workers_of_the_job_stop_with_it(clips, out, number):
    """A signal to the whole group, as Ctrl-C is, lets the files in hand be finished."""
    for i in range(300):
        (clips / f"more{i}.wav").write_bytes(encoded(tone(20_000)))
    words = [sys.executable, "-m", "arrayaudio", "extract", clips, "-o", out, "--scheduler", "local", "--workers", "2"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as job:
        try:
            while not (out / NAME).exists() or (out / NAME).read_text().count("\n") < 5:
                assert job.poll() is None
                time.sleep(0.01)
            if number == signal.SIGINT:
                os.killpg(job.pid, number)
            else:
                job.send_signal(number)
            stdout, stderr = job.communicate(timeout=60)
        finally:
            job.kill()
    assert job.returncode == 128 + number, stderr
    assert f"stopped by {number.name}; the same command goes on" in stderr
    assert "Traceback" not in stderr
    done = [row for row in read_rows(out) if row.status == "done"]
    assert f"{len(done)} of {N_CLIPS + 301} files written" in stdout
    assert 3 <= len(done) < 200
    assert sorted(outputs(out)) == sorted(row.output for row in done)


@pytest.mark.parametrize(
    ("address", "message"),
    [("tcp://127.0.0.1:9", "start one by `dask scheduler`"), ("nonsense://x", "no scheduler at 'nonsense://x'")],
)
def test_without_a_scheduler_it_is_wrong_usage(clips, out, address, message, monkeypatch):
    monkeypatch.setattr("arrayaudio.jobs.cluster.SECONDS_TO_CONNECT", 0.5)
    result = run("extract", clips, "-o", out, "--scheduler", address)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not outputs(out)


def test_without_workers_it_is_wrong_usage(clips, out, monkeypatch):
    monkeypatch.setattr("arrayaudio.jobs.cluster.SECONDS_FOR_WORKERS", 0.2)
    with distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address)
    assert result.exit_code == 2
    assert "has no workers: start some by `dask worker" in result.stderr


def test_workers_without_a_gpu_refuse_at_once(clips, out, cluster):
    result = run("extract", clips, "-o", out, "--scheduler", cluster.scheduler_address, "--device", "cuda")
    assert result.exit_code == 2
    assert "pip install 'arrayaudio[cuda13]'" in result.stderr
