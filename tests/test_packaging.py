"""What is published: a wheel and an sdist that make the same wheel, and run where nothing else is installed."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
SMOKE = """
import sys
import numpy as np
import arrayaudio as aa
assert "site-packages" in aa.__file__, aa.__file__
y = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
mel = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=80, scale="db")
S = mel(y)
assert S.shape == (80, 101) and np.isfinite(S).all()
assert abs(mel.frequencies[S[:, 50].argmax()] - 440) < 30
assert np.abs(aa.istft(aa.stft(y), length=len(y)) - y).max() < 1e-5
assert aa.CQT(sr=16000)(y).shape == (84, 32)
assert np.isfinite(aa.grad(lambda y: (mel(y) ** 2).mean())(y)).all()
from arrayaudio.primitive import problems
assert not problems, problems
for module in ("matplotlib", "click", "soundfile", "cupy", "torch", "librosa", "xarray"):
    assert module not in sys.modules, module
print("runs")
"""


def run(*words, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=600, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The files that are published, built from a copy of the files that git knows."""
    place = tmp_path_factory.mktemp("built")
    source = place / "source"
    source.mkdir()
    for name in run("git", "ls-files", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--outdir", place / "dist", source)
    (wheel,), (sdist,) = (list((place / "dist").glob(f"*.{kind}")) for kind in ("whl", "tar.gz"))
    return wheel, sdist


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    names = set(contents(built[0]))
    top = {name.partition("/")[0] for name in names}
    assert {"arrayaudio"} == {name for name in top if not name.endswith(".dist-info")}
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "arrayaudio").rglob("*") if path.is_file()}
    package = {name for name in package if "__pycache__" not in name}
    assert package == {name for name in names if name.startswith("arrayaudio/")}
    assert {"arrayaudio/py.typed", "arrayaudio/__init__.pyi"} <= names
    assert any(name.endswith(".cu") for name in names)


def test_the_sdist_holds_what_tests_need(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        "arrayaudio/__init__.py",
        "tests/test_packaging.py",
        "docs/faults.md",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
    ):
        assert name in names
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc"))]


def test_the_sdist_makes_the_same_wheel(built, tmp_path):
    wheel, sdist = built
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "again", unpacked(sdist, tmp_path))
    (again,) = (tmp_path / "again").glob("*.whl")
    assert again.name == wheel.name
    assert contents(again) == contents(wheel)


def unpacked(sdist, place):
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    return place / sdist.name.removesuffix(".tar.gz")


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_runs_in_an_environment_of_its_own(built, kind, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", built[kind == "sdist"])
    assert run(python, "-W", "error", "-c", SMOKE, cwd=tmp_path) == "runs\n"
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "arrayaudio", "info"], capture_output=True, text=True, check=False
    )
    assert "arrayaudio[cli]" in done.stdout + done.stderr


def test_where_packages_are_read_only_it_runs_too(built, tmp_path):
    """As an administrator installs it for others: nothing can be written beside the code, nor at home."""
    from .unprivileged import bound_by_permissions

    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site-packages", built[0]
    )
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o555)
    try:
        environment = {"PYTHONPATH": str(tmp_path / "site-packages"), "HOME": str(tmp_path), "PATH": "/usr/bin"}
        script = SMOKE.replace("assert module not in sys.modules, module", "pass")
        words = [sys.executable, "-c", script]
        assert run(*words, cwd="/", env=environment, preexec_fn=bound_by_permissions) == "runs\n"
    finally:
        for path in [tmp_path, *tmp_path.rglob("*")]:
            path.chmod(0o755)
