"""The page on a million hours reckons with the numbers of the data file."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "scale.md").read_text()
HOURS = 1e6 / 3600  # hours for seconds, of a million

data = json.loads((ROOT / "docs" / re.search(r"\.\./bench/results/scale-[^)]*", PAGE).group(0)).read_text())
FLAC, MEL = data["decoding"]["speech, 16 kHz, FLAC"], data["features"]["log-mel, 80 bands, hop 160"]
SECONDS = FLAC["seconds"] + MEL["seconds"] + MEL["npz_seconds"]
EACH = {name: row.get("seconds") for name, row in data["files"].items()}
OVERHEAD = EACH["one recording of 7 s, start to end"] - 7.1 / 3600 * SECONDS
TASK = EACH["an empty task of dask.distributed"]


def test_audio():
    for name, row in data["decoding"].items():
        cost = f"{row['seconds']:.2f} s | {HOURS * row['seconds']:.0f}"
        assert f"| {name} | {row['megabytes']:.0f} TB | {cost} |" in PAGE
    ((name, row),) = data["resampling"].items()
    assert f"| resampling, {name} | | {row['seconds']:.2f} s | {HOURS * row['seconds']:.0f} |" in PAGE


def test_features():
    for name, row in data["features"].items():
        cost = f"{row['seconds']:.2f} s | {HOURS * row['seconds']:.0f} | {HOURS * row['npz_seconds']:.0f}"
        assert f"| {name} | {cost} | {row['megabytes']:.0f} TB | {row['megabytes'] / 2:.0f} TB |" in PAGE
        assert 2.5 < row["zarr_seconds"] / row["npz_seconds"] < 5.5


@pytest.mark.parametrize("seconds", [10, 300, 3600])
def test_files(seconds):
    count, each = 3.6e9 / seconds, seconds / 3600 * SECONDS + OVERHEAD
    shown = re.search(rf"\| {({10: '10 s', 300: '5 min', 3600: '1 h'})[seconds]} \| (\d+) million(.*)", PAGE)
    numbers = [float(number) for number in re.findall(r"[\d.]+", shown[2])]
    hours, tasks, threads, manifest, read, memory = numbers
    units = {"26 min": 60, "158 h": 3600, "5.3 h": 3600}
    (unit,) = [scale for text, scale in units.items() if f"| {text} | {threads:g} |" in shown[0]]
    assert float(shown[1]) * 1e6 == count
    assert hours == pytest.approx(count * each / 3600, rel=0.05)
    assert tasks * unit == pytest.approx(count * TASK, rel=0.05)
    assert threads == pytest.approx(each / TASK, rel=0.06)
    assert manifest * 1e9 == pytest.approx(count * data["files"]["row"]["bytes"], rel=0.08)
    assert read * (60 if seconds == 10 else 1) == pytest.approx(count * EACH["a row of the manifest read"], rel=0.1)
    assert memory * 1e9 == pytest.approx(750 * count, rel=0.1)


def test_what_a_core_reads_and_writes():
    assert f"takes {SECONDS:.2f} s in all, reads {FLAC['megabytes'] / SECONDS:.0f} MB/s" in PAGE
    assert f"writes {MEL['megabytes'] / SECONDS:.0f} MB/s" in PAGE
    assert f"({(FLAC['megabytes'] + MEL['megabytes']) / SECONDS:.0f} MB/s each)" in PAGE


def test_the_floor_of_the_kernel():
    row = re.search(
        r"\| 400 \| 160 \| 80 mels \| 64064 \| (\d+) \| (\d+) \| (\d+) \|", (ROOT / "docs/gpu.md").read_text()
    )
    floor = max(map(int, row.groups()))
    assert f"is {floor} µs for 640 s of audio, {floor * 1e-6 / 640 * 3600 * HOURS:.1g} GPU-hours" in PAGE.replace(
        "\n", " "
    )
