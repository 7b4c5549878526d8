"""The pages tell the truth: their snippets run, their links lead somewhere, and the house looks as drawn."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from docs.house import layers

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", ["README.md", "docs/plots.md", "docs/explore.md", "docs/experiments.md", "docs/evidence.md"]
)
def test_pictures_of_spectrograms_are_small_files(page):
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", (ROOT / page).read_text())
    sizes = {picture: (ROOT / page).parent.joinpath(picture).stat().st_size for picture in pictures}
    assert sizes
    assert max(sizes.values()) < 150_000, sizes


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_snippets_run_as_pasted(page, tmp_path):
    if page.name in ("gallery.md", "tutorial.md"):  # which say that they are run beside the recordings
        for recording in (ROOT / "docs" / "audio").glob("*.flac"):
            shutil.copy(recording, tmp_path)
    for snippet in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        subprocess.run([sys.executable, "-W", "error", "-c", snippet], check=True, cwd=tmp_path, timeout=120)


def test_the_tutorial_can_be_typed_into_one_session(tmp_path):
    shutil.copy(ROOT / "docs" / "audio" / "guitar.flac", tmp_path / "speech.flac")  # another's recording, at 44.1 kHz
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.DOTALL)
    command = [sys.executable, "-W", "error", "-i", "-q"]
    typed = "\n".join(snippets) + "\n"
    done = subprocess.run(command, input=typed, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert not re.search(r"\w+Error|\w+Warning", done.stderr), done.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"speech.png", "again.wav", "learned.safetensors"}


def test_the_first_snippet_of_the_readme_is_short_and_right():
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    assert len([line for line in snippet.splitlines() if line]) == 8
    done = subprocess.run([sys.executable, "-c", snippet], check=True, capture_output=True, text=True, timeout=120)
    shape, tone, error = re.fullmatch(r"(\(80, 201\)) (\S+) (\S+)", done.stdout.strip()).groups()
    assert shape == "(80, 201)"
    assert abs(float(tone) - 440) < 20
    assert float(error) < 1e-6


def test_the_transform_that_contributors_are_shown_is_a_real_one():
    (shown,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/contributing.md").read_text(), re.DOTALL)
    assert shown == (ROOT / "arrayaudio/transforms/lfcc.py").read_text()


def test_the_picture_of_the_house_shows_its_layers():
    with Image.open(ROOT / "docs/pictures/house.png") as picture:
        assert json.loads(picture.info["Description"]) == layers()


def speeds():
    """The README, and what the run that it names measured."""
    readme = (ROOT / "README.md").read_text()
    return readme, json.loads((ROOT / re.search(r"bench/results/cpu-[^)]*", readme).group(0)).read_text())


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("mel spectrogram", "mel spectrogram"),
        ("STFT magnitude", "STFT magnitude"),
        ("CQT magnitude, 84 bins", "CQT magnitude, 84 bins"),
    ],
)
def test_the_speed_table_is_that_of_the_data_file(shown, name):
    readme, data = speeds()
    contenders = data["results"][f"{name}, 16 clips of 10 s"]
    times = [contenders[who]["median_ms"] for who in ("arrayaudio", "librosa", "nnAudio")]
    ours, *theirs = (f"{times[0]:.1f} ms", *(f"{time:.0f} ms" for time in times[1:]))
    assert f"| {shown} | {ours} | {' | '.join(theirs)} |" in readme


def test_others_are_as_fast_as_the_readme_says():
    readme, data = speeds()
    ratios = []
    for contenders in data["results"].values():
        peers = {who: row for who, row in contenders.items() if who not in ("arrayaudio", "librosa") and row["error"]}
        if peers:
            fastest = min(row["median_ms"] for row in peers.values())
            ratios.append(contenders["arrayaudio"]["median_ms"] / fastest)
    assert f"takes from {min(ratios):.1f} to {max(ratios):.1f} times as long" in readme
    assert data["startup"]["import_arrayaudio_s"] < 0.05
    assert data["startup"]["first_call_s"] < 0.5


def test_the_table_of_training_steps_is_that_of_the_data_file():
    page = (ROOT / "docs" / "learning.md").read_text()
    data = json.loads((ROOT / re.search(r"bench/results/training-[^)]*", page).group(0)).read_text())
    for name, contenders in data["results"].items():
        for who, row in contenders.items():
            assert f"| {name.removeprefix('training step of a ')}: {who} | {row['median_ms']:.0f} ms |" in page


def test_the_architecture_page_names_every_file():
    text = (ROOT / "docs" / "architecture.md").read_text()
    package = ROOT / "arrayaudio"
    files = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    for path in files:
        assert f"`{path}`" in text or f"`{path.name}`" in text or str(path).startswith("kernels/"), path


def test_make_has_the_targets_that_the_readme_names():
    make = shutil.which("make")
    assert make, "GNU make is needed"
    for target in ("demo", "demo-batch", "test", "test-gpu", "lint", "bench", "bench-gpu", "docs", "pages"):
        subprocess.run([make, "--dry-run", target], cwd=ROOT, check=True, capture_output=True)
