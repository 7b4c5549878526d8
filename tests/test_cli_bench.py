"""`arrayaudio bench`: options reach the benchmark, and what it found is printed."""

import json

import pytest

import arrayaudio as aa
from arrayaudio.kernels.cpu.threads import num_threads

from .command_line import CASES, run

QUICK = ("--seconds", "0.3", "--batch-size", "1", "--device", "cpu")


@pytest.fixture
def restored_threads():
    before = num_threads()
    yield before
    aa.set_num_threads(before)


@pytest.mark.parametrize(("make", "settings", "options"), CASES.values(), ids=CASES)
def test_the_transform_of_the_options_is_measured(make, settings, options):
    result = run("bench", *QUICK, "--json", "--sr", "16000", *options.split())
    assert result.exit_code == 0
    assert json.loads(result.stdout)["transform"] == repr(make(sr=16000, **settings))


def test_a_table_and_a_hint_are_printed():
    result = run("bench", *QUICK, "--batch-size", "2", "--transform", "stft", "--dtype", "float64")
    lines = result.stdout.splitlines()
    assert lines[1] == "clips of 0.3 s at 22050 Hz, float64"
    assert [line.split()[:2] for line in lines[6:8]] == [["cpu", "1"], ["cpu", "2"]]
    assert len(lines) == 10
    assert "GPU" in lines[-1]
    assert result.stderr == ""


def test_json_holds_what_was_asked_for(restored_threads):
    result = run("bench", *QUICK, "--batch-size", "3", "--threads", "1", "--json")
    found = json.loads(result.stdout)
    assert (found["sr"], found["dtype"], found["threads"]) == (22050, "float32", 1)
    assert [row["batch_size"] for row in found["measurements"]] == [1, 3]
    assert num_threads() == 1


def test_a_gpu_is_measured_with_its_transfers(gpu):
    options = ("--transform", "stft", "--n-fft", "64", "--seconds", "0.02", "--batch-size", "1")
    result = run("bench", *options, "--device", "cpu", "--device", "cuda")
    assert result.exit_code == 0
    assert "from GPU" in result.stdout
    assert [line.split()[0] for line in result.stdout.splitlines()[6:8]] == ["cpu", "cuda"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--transform", "mfcc", "--n-bins", "3"), "--transform mfcc has no --n-bins"),
        (("--n-mels", "0"), "n_mels=0: must be at least 1"),
        (("--seconds", "0"), "seconds=0.0: must be greater than 0"),
        (("--batch-size", "0"), "batch_sizes=0: must be at least 1"),
        (("--threads", "0"), "0 is not in the range"),
        (("--sr", "-1"), "sr=-1.0: must be greater than 0"),
    ],
)
def test_wrong_usage_leaves_with_2_and_the_reason(options, message):
    result = run("bench", *QUICK, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_gpu_that_is_not_there_is_wrong_usage(monkeypatch):
    monkeypatch.setattr("arrayaudio.cuda.cuda_problem", lambda: "no CUDA device is visible")
    result = run("bench", "--seconds", "0.1", "--device", "cuda")
    assert result.exit_code == 2
    assert "device='cuda': no CUDA device is visible" in result.stderr
