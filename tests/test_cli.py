"""The command besides `extract`: pictures, information, life as a process, and without its extras."""

import importlib.metadata
import json
import os
import pty
import subprocess
import sys
import termios

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.__main__ import main
from arrayaudio.versions import versions

from .command_line import CASES, SPOILED, copies, run, run_apart, run_without, written
from .recordings import SR

EXTRAS = {"soundfile": "io", "matplotlib": "plot", "click": "cli", "tqdm": "cli"}


# plot


def panels(figure_file):
    data = figure_file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[place : place + 4]) for place in (16, 20))
    assert 800 < width < 2000
    return height / width


def test_a_recording_is_drawn_in_five_panels_and_its_features_in_one(clip, out, tmp_path):
    run("extract", clip, "-o", out, "--plot")
    overview, single = tmp_path / "overview.png", tmp_path / "single.png"
    for source, picture in ((clip, overview), (out / "clip.npz", single)):
        result = run("plot", source, "-o", picture)
        assert (result.exit_code, result.stdout, result.stderr) == (0, f"picture written to {picture}\n", "")
    assert panels(overview) > 2 * panels(single)
    assert panels(single) == panels(out / "clip.png")


@pytest.mark.parametrize("options", [options for _, _, options in CASES.values()], ids=CASES)
def test_every_feature_file_can_be_drawn(clip, out, options):
    run("extract", clip, "-o", out, *options.split())
    result = run("plot", out / "clip.npz", "-o", out / "clip.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert panels(out / "clip.png") > 0


def test_features_of_several_channels_can_be_drawn(tmp_path, out, rng):
    soundfile.write(tmp_path / "stereo.wav", rng.uniform(-1, 1, (4000, 2)), SR)
    run("extract", tmp_path / "stereo.wav", "-o", out, "--no-mono", "--plot")
    assert run("plot", out / "stereo.npz", "-o", out / "again.png").exit_code == 0
    assert panels(out / "again.png") == panels(out / "stereo.png")


@pytest.mark.parametrize("suffix", ["pdf", "svg", "jpg"])
def test_the_suffix_decides_the_format_of_the_picture(clip, tmp_path, suffix):
    assert run("plot", clip, "-o", tmp_path / f"clip.{suffix}").exit_code == 0
    start = {"pdf": b"%PDF-", "svg": b"<?xml", "jpg": b"\xff\xd8\xff"}[suffix]
    assert (tmp_path / f"clip.{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["picture", "picture.xyz", "missing/picture.png", "two.dots.png"])
def test_the_picture_is_where_the_command_says_or_the_command_fails(clip, tmp_path, name):
    result = run("plot", clip, "-o", tmp_path / name)
    assert result.exit_code in (0, 2, 3)
    assert bool(result.stderr) == (result.exit_code != 0)
    assert written(tmp_path) == sorted(["in/clip.wav"] + [name] * (result.exit_code == 0))


@pytest.mark.parametrize(("name", "content", "reason"), SPOILED.values(), ids=SPOILED)
def test_a_bad_file_is_not_drawn(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    result = run("plot", tmp_path / name, "-o", tmp_path / "picture.png")
    assert result.exit_code == 3
    assert result.stderr.startswith("failed: ")
    assert reason in result.stderr
    assert written(tmp_path) == [name]


SETTINGS = json.dumps({"n_samples": 4000} | aa.STFT(sr=SR).to_dict())
NOT_FEATURES = {
    "no settings": {"features": np.ones((3, 3))},
    "empty settings": {"features": np.ones((3, 3)), "settings": "{}"},
    "no object": {"features": np.ones((3, 3)), "settings": "[]"},
    "no length": {"features": np.ones((3, 3)), "settings": aa.STFT(sr=SR).to_json()},
    "other transform": {"features": np.ones((3, 3)), "settings": SETTINGS.replace("STFT", "CWT")},
    "no transform": {"features": np.ones((3, 3)), "settings": SETTINGS.replace('"STFT"', "[]")},
    "other option": {"features": np.ones((3, 3)), "settings": SETTINGS.replace("pad_mode", "padding")},
    "other shape": {"features": np.ones((3, 3)), "settings": SETTINGS},
}


@pytest.mark.parametrize("arrays", NOT_FEATURES.values(), ids=NOT_FEATURES)
def test_other_archives_are_not_drawn(tmp_path, arrays):
    np.savez(tmp_path / "odd.npz", **arrays)
    result = run("plot", tmp_path / "odd.npz", "-o", tmp_path / "picture.png")
    assert result.exit_code == 3
    assert result.stderr.startswith("failed: ")
    assert written(tmp_path) == ["odd.npz"]


# info, help and version


def test_info_says_what_runs_here():
    result = run("info")
    assert (result.exit_code, result.stderr) == (0, "")
    for key, value in versions().items():
        assert f"{key:<11} {value}\n" in result.stdout
    assert "fast paths  CPU kernels ready\n" in result.stdout


def test_the_version_is_the_one_of_the_package():
    assert run("--version").stdout == f"arrayaudio, version {aa.__version__}\n"


@pytest.mark.parametrize("args", [("--help",), ("extract", "-h"), ("plot", "-h"), ("info", "-h")], ids=" ".join)
def test_help_is_given(args):
    result = run(*args)
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_the_command_is_installed_under_its_name():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="arrayaudio")
    assert script.load() is main


# As a process


@pytest.mark.parametrize(
    ("inputs", "code", "stdout", "stderr"),
    [
        (["clip.wav"], 0, "1 of 1 files written to", ""),
        (["clip.wav", "bad.wav"], 3, "1 of 2 files written to", "failed: bad.wav: "),
        (["clip.wav", "--n-fft", "0"], 2, "", "Usage: arrayaudio extract "),
    ],
)
def test_in_a_pipe_there_are_exit_codes_and_no_bar(clip, out, inputs, code, stdout, stderr):
    (clip.parent / "bad.wav").touch()
    result = run_apart("extract", *inputs, "-o", out, cwd=clip.parent)
    assert result.returncode == code
    assert result.stdout.startswith(stdout)
    assert result.stderr.startswith(stderr)
    assert bool(result.stderr) == (code != 0)
    for bar in ("\r", "%|", "it/s", "Traceback"):
        assert bar not in result.stdout + result.stderr


def test_on_a_terminal_there_is_a_bar(clip, out):
    copies(clip, "again.wav")
    terminal, far_end = pty.openpty()
    termios.tcsetwinsize(far_end, (24, 80))
    words = [sys.executable, "-m", "arrayaudio", "extract", str(clip.parent), "-o", str(out)]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=far_end) as process:
        os.close(far_end)
        shown = b""
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:  # how Linux reports that the other side has closed
            pass
        os.close(terminal)
        stdout = process.stdout.read()
    assert process.returncode == 0
    assert stdout.decode() == f"2 of 2 files written to {out}\n"
    assert b"\r" in shown
    assert b"100%|" in shown
    assert b"2/2" in shown


def test_without_a_gpu_cuda_is_refused(clip, out):
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    result = run_apart("extract", clip, "-o", out, "--device", "cuda", env=hidden)
    assert (result.returncode, result.stdout) == (2, "")
    assert "pip install 'arrayaudio[cuda13]'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


# Without the extras


@pytest.mark.parametrize(
    ("module", "args"),
    [
        ("soundfile", ["extract", "{clip}", "-o", "{out}"]),
        ("soundfile", ["plot", "{clip}", "-o", "{out}.png"]),
        ("matplotlib", ["extract", "{clip}", "-o", "{out}", "--plot"]),
        ("matplotlib", ["plot", "{clip}", "-o", "{out}.png"]),
        ("click", ["info"]),
        ("tqdm", ["--help"]),
    ],
)
def test_a_missing_extra_is_named_with_its_command(clip, out, tmp_path, module, args):
    result = run_without([module], *(arg.format(clip=clip, out=out) for arg in args))
    assert (result.returncode, result.stdout) == (2, "")
    assert f"pip install 'arrayaudio[{EXTRAS[module]}]'" in result.stderr
    assert "Traceback" not in result.stderr
    assert written(tmp_path) == ["in/clip.wav"]


def test_an_extra_is_needed_only_where_it_is_used(clip, out):
    assert run_without(["matplotlib"], "extract", clip, "-o", out).returncode == 0
    assert run_without(["soundfile"], "plot", out / "clip.npz", "-o", out / "clip.png").returncode == 0
    assert run_without(["soundfile", "matplotlib"], "info").returncode == 0
    assert written(out) == ["clip.npz", "clip.png"]


def test_the_package_works_without_any_extra():
    code = f"""
import sys
sys.modules.update(dict.fromkeys({[*EXTRAS, "cupy"]!r}))
import arrayaudio as aa, arrayaudio.ext.io, arrayaudio.ext.plot
import numpy as np
for name in aa.__all__:
    getattr(aa, name)
sys.stdout.write(str(aa.MFCC(sr=8000)(np.ones(8000)).shape))
"""
    result = run_apart(program=("-c", code))
    assert (result.stdout, result.stderr) == ("(20, 16)", "")


def test_importing_the_package_imports_no_extra():
    code = "import sys, arrayaudio, arrayaudio.ext.io, arrayaudio.ext.plot; sys.stdout.write(' '.join(sys.modules))"
    assert not set(run_apart(program=("-c", code)).stdout.split()) & {*EXTRAS, "cupy"}
