"""The command does what it says: features as the transforms give them, exit codes 0, 2 and 3, never a traceback."""

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
from click.testing import CliRunner

import arrayaudio as aa
from arrayaudio.__main__ import main
from arrayaudio.arrays import cuda_problem
from arrayaudio.cli import command
from arrayaudio.ext.io import load
from arrayaudio.versions import versions

from .test_io import BAD_FILES, NAMES, SR, encoded, tone

EXTRAS = {"soundfile": "io", "matplotlib": "plot", "click": "cli", "tqdm": "cli"}


def run(*args):
    """Run the command in this process; an exception that it lets through fails the test."""
    return CliRunner().invoke(command, [str(arg) for arg in args], catch_exceptions=False)


def run_apart(*args, program=("-m", "arrayaudio"), **options):
    """Run the command as a process of its own."""
    words = [sys.executable, *program, *map(str, args)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


def run_without(modules, *args):
    """Run the command as if `modules` were not installed."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))"
    return run_apart(*args, program=("-c", f"{blocked}; from arrayaudio.__main__ import main; main()"))


def written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def features(path):
    with np.load(path, allow_pickle=False) as archive:
        return archive["features"]


@pytest.fixture
def clip(tmp_path):
    """A recording of half a second."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "clip.wav").write_bytes(encoded(tone()))
    return tmp_path / "in" / "clip.wav"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# What extract writes

CASES = {
    "stft": (aa.STFT, {"output": "magnitude"}, "--transform stft"),
    "stft complex": (aa.STFT, {"output": "complex", "n_fft": 500}, "--transform stft --output complex --n-fft 500"),
    "stft power": (
        aa.STFT,
        {"output": "power", "n_fft": 512, "hop_length": 100, "win_length": 400, "window": "hamming"},
        "--transform stft --output power --n-fft 512 --hop-length 100 --win-length 400 --window hamming",
    ),
    "stft phase": (
        aa.STFT,
        {"output": "phase", "center": False, "n_fft": 256},
        "--transform stft --output phase --no-center --n-fft 256",
    ),
    "mel": (
        aa.MelSpectrogram,
        {"n_mels": 40, "fmin": 50.0, "fmax": 3000.0, "mel_scale": "htk", "pad_mode": "reflect"},
        "--transform mel --n-mels 40 --fmin 50 --fmax 3000 --mel-scale htk --pad-mode reflect",
    ),
    "logmel": (aa.MelSpectrogram, {"scale": "db", "n_mels": 30}, "--transform logmel --n-mels 30"),
    "default": (aa.MelSpectrogram, {"scale": "db"}, ""),
    "mfcc": (aa.MFCC, {"n_mfcc": 13, "n_mels": 64}, "--transform mfcc --n-mfcc 13 --n-mels 64"),
}


@pytest.mark.parametrize(("make", "settings", "options"), CASES.values(), ids=CASES)
def test_extract_writes_what_the_transform_gives(clip, out, make, settings, options):
    result = run("extract", clip, "-o", out, *options.split())
    assert (result.exit_code, result.stderr) == (0, "")
    transform = make(sr=SR, **settings)
    y, _ = load(clip)
    with np.load(out / "clip.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["features"], transform(y), strict=True)
        np.testing.assert_array_equal(archive["frequencies"], transform.frequencies)
        np.testing.assert_array_equal(archive["times"], transform.times(len(y)))
        assert archive["features"].shape == (archive["frequencies"].size, archive["times"].size)
        described = json.loads(str(archive["settings"]))
    assert described == {"sr": SR, "n_samples": len(y)} | transform.to_dict()
    assert make.from_dict({key: value for key, value in described.items() if key != "n_samples"}) == transform


def test_npy_features_come_with_json(clip, out):
    run("extract", clip, "-o", out, "--format", "npz")
    run("extract", clip, "-o", out, "--format", "npy")
    assert written(out) == ["clip.npy", "clip.npy.json", "clip.npz"]
    np.testing.assert_array_equal(np.load(out / "clip.npy"), features(out / "clip.npz"), strict=True)
    described = json.loads((out / "clip.npy.json").read_text())
    with np.load(out / "clip.npz") as archive:
        assert described["settings"] == json.loads(str(archive["settings"]))
        np.testing.assert_array_equal(described["times"], archive["times"])
        np.testing.assert_array_equal(described["frequencies"], archive["frequencies"])


def test_a_rate_is_resampled_to(clip, out):
    run("extract", clip, "-o", out, "--sr", "4000")
    y, _ = load(clip, sr=4000)
    with np.load(out / "clip.npz") as archive:
        settings = json.loads(str(archive["settings"]))
        np.testing.assert_array_equal(archive["features"], aa.MelSpectrogram(sr=4000, scale="db")(y))
    assert (settings["sr"], settings["n_samples"], settings["fmax"]) == (4000, 2000, 2000)


@pytest.mark.parametrize(("flag", "mono"), [((), True), (("--mono",), True), (("--no-mono",), False)])
def test_channels_are_averaged_or_kept(tmp_path, out, rng, flag, mono):
    y = rng.uniform(-1, 1, (4000, 2))
    soundfile.write(tmp_path / "stereo.wav", y, SR, subtype="FLOAT")
    run("extract", tmp_path / "stereo.wav", "-o", out, "--transform", "stft", *flag)
    expected = np.float32(y).mean(axis=1) if mono else np.float32(y.T)
    S = aa.STFT(output="magnitude")(expected)
    assert S.ndim == (2 if mono else 3)
    np.testing.assert_allclose(features(out / "stereo.npz"), S, rtol=1e-4, atol=1e-4)


def test_the_recordings_of_the_project_are_extracted(audio, out):
    result = run("extract", audio, "-o", out, "--transform", "mfcc")
    assert (result.exit_code, result.stdout) == (0, f"3 of 3 files written to {out}\n")
    for name in ("guitar", "piano", "speech"):
        y, sr = load(audio / f"{name}.flac")
        np.testing.assert_array_equal(features(out / f"{name}.npz"), aa.MFCC(sr=sr)(y), strict=True)


@pytest.mark.skipif(cuda_problem() is not None, reason="needs a GPU")
def test_a_gpu_gives_the_same_features(clip, out):
    assert run("extract", clip, "-o", out / "cpu").exit_code == 0
    assert run("extract", clip, "-o", out / "gpu", "--device", "cuda").exit_code == 0
    np.testing.assert_allclose(features(out / "gpu" / "clip.npz"), features(out / "cpu" / "clip.npz"), atol=1e-2)


# Where extract writes


def copies(clip, *places):
    for place in places:
        path = clip.parent / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip.read_bytes())


def test_the_structure_of_a_folder_is_kept(clip, out):
    copies(clip, "a/one.wav", "a/b/one.wav", "c d/LOUD.WAV")
    (clip.parent / "a" / "notes.txt").touch()
    assert run("extract", clip.parent, "-o", out).exit_code == 0
    assert written(out) == ["a/b/one.npz", "a/one.npz", "c d/LOUD.npz", "clip.npz"]


def test_a_file_goes_to_the_top_and_folders_share_the_output(clip, out):
    copies(clip, "a/one.wav", "b/deep/two.wav")
    assert run("extract", clip.parent / "a" / "one.wav", clip.parent / "b", "-o", out).exit_code == 0
    assert written(out) == ["deep/two.npz", "one.npz"]


def test_recordings_that_differ_in_their_suffix_keep_it(clip, out):
    (clip.parent / "clip.flac").write_bytes(encoded(tone(2000), "FLAC"))
    copies(clip, "other.take.wav")
    assert run("extract", clip.parent, "-o", out, "--plot").exit_code == 0
    stems = ["clip.flac", "clip.wav", "other.take"]
    assert written(out) == [f"{stem}.{suffix}" for stem in stems for suffix in ("npz", "png")]
    assert features(out / "clip.flac.npz").shape[1] < features(out / "clip.wav.npz").shape[1]


def test_a_recording_named_twice_is_written_once(clip, out):
    result = run("extract", clip, clip.parent, clip, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"1 of 1 files written to {out}\n")


def test_two_recordings_never_share_a_target(clip, out):
    copies(clip, "a/take.wav", "b/take.wav")
    result = run("extract", clip.parent / "a", clip.parent / "b", "-o", out)
    assert result.exit_code == 2
    assert "2 inputs would all be written to" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("flags", [(), ("--plot",)], ids=["features", "pictures"])
def test_any_name_is_extracted_without_a_word_on_stderr(tmp_path, out, name, flags):
    (tmp_path / name).write_bytes(encoded(tone()))
    result = run("extract", tmp_path / name, "-o", out, *flags)
    assert (result.exit_code, result.stderr) == (0, "")
    assert written(out) == [name.replace(".wav", suffix) for suffix in (".npz", ".png")[: 1 + len(flags)]]


@pytest.mark.parametrize("name", ["$_$", "cost $5 to $6", "{x}", "100%", "a_b^c", "-o", "[1]*"])
def test_names_are_no_markup(clip, out, name):
    copies(clip, f"{name}.wav")
    result = run("extract", clip.parent / f"{name}.wav", "-o", out, "--plot")
    assert (result.exit_code, result.stderr) == (0, "")
    assert written(out) == [f"{name}.npz", f"{name}.png"]


def test_a_second_run_writes_the_same_bytes(clip, out):
    for place in ("first", "second", "second"):
        run("extract", clip, "-o", out / place)
        run("extract", clip, "-o", out / place, "--format", "npy")
    for name in ("clip.npz", "clip.npy", "clip.npy.json"):
        assert (out / "first" / name).read_bytes() == (out / "second" / name).read_bytes()
    assert written(out / "second") == ["clip.npy", "clip.npy.json", "clip.npz"]


# Failures

SPOILED = {
    **BAD_FILES,
    "NaN": ("nan.wav", encoded(np.float32([0, np.nan] * 2000), subtype="FLOAT"), "2000 NaN or infinite samples"),
}


@pytest.mark.parametrize(("name", "content", "reason"), SPOILED.values(), ids=SPOILED)
def test_a_bad_file_fails_alone(clip, out, name, content, reason):
    run("extract", clip, "-o", out)
    alone = (out / "clip.npz").read_bytes()
    (out / "clip.npz").unlink()
    bad = clip.parent / name
    bad.write_bytes(content)
    result = run("extract", bad, clip, "-o", out, "--plot")
    assert result.exit_code == 3
    assert f"failed: {bad}: " in result.stderr
    assert reason in result.stderr
    assert result.stdout == f"1 of 2 files written to {out}\n"
    assert written(out) == ["clip.npz", "clip.png"]
    assert (out / "clip.npz").read_bytes() == alone


def test_a_link_to_a_lost_recording_fails_alone(clip, out):
    (clip.parent / "lost.wav").symlink_to("gone.wav")
    result = run("extract", clip.parent, "-o", out)
    assert result.exit_code == 3
    assert "lost.wav" in result.stderr
    assert written(out) == ["clip.npz"]


def test_links_to_lost_folders_and_to_themselves_are_passed_over(clip, out):
    (clip.parent / "lost").symlink_to("gone")
    (clip.parent / "loop").symlink_to(clip.parent)
    (clip.parent / "folder.wav").mkdir()
    assert run("extract", clip.parent, "-o", out).exit_code == 0
    assert written(out) == ["clip.npz"]


def test_settings_that_do_not_suit_one_rate_fail_that_file_alone(clip, out):
    soundfile.write(clip.parent / "wide.wav", tone(), 44100)
    result = run("extract", clip.parent, "-o", out, "--fmax", "10000")
    assert result.exit_code == 3
    assert f"failed: {clip}: fmax=10000.0: must be at most sr / 2 = 4000 Hz" in result.stderr
    assert written(out) == ["wide.npz"]


def test_a_recording_too_short_for_the_frames_fails(clip, out):
    result = run("extract", clip, "-o", out, "--no-center", "--n-fft", "8192")
    assert result.exit_code == 3
    assert "signal has 4000 samples: must have at least 8192" in result.stderr
    assert not out.exists()


def test_a_target_that_is_a_folder_fails_and_leaves_nothing(clip, out):
    (out / "clip.npz").mkdir(parents=True)
    result = run("extract", clip, "-o", out)
    assert result.exit_code == 3
    assert "clip.npz" in result.stderr
    assert not written(out)


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_a_file_in_the_place_of_the_output_folder_is_left_alone(clip, tmp_path, place):
    (tmp_path / "file").write_text("precious")
    result = run("extract", clip, "-o", tmp_path / place)
    assert result.exit_code in (2, 3)
    assert "file" in result.stderr
    assert (tmp_path / "file").read_text() == "precious"
    assert written(tmp_path) == ["file", "in/clip.wav"]


USAGE = {
    "--bogus": "No such option",
    "--transform cqt": "'cqt' is not one of",
    "--format csv": "'csv' is not one of",
    "--device tpu": "'tpu' is not one of",
    "--n-fft many": "'many' is not a valid integer",
    "--transform stft --n-mels 40": "--transform stft has no --n-mels",
    "--transform stft --n-mfcc 13 --fmin 20": "--transform stft has no --fmin, --n-mfcc",
    "--transform mel --n-mfcc 13": "--transform mel has no --n-mfcc",
    "--output power": "--transform logmel has no --output",
    "--transform mfcc --output power": "--transform mfcc has no --output",
    "--n-fft 0": "n_fft=0: must be at least 1",
    "--hop-length -1": "hop_length=-1: must be at least 1",
    "--n-fft 512 --win-length 513": "win_length=513: must be at most n_fft=512",
    "--window bogus": "window='bogus'",
    "--pad-mode bogus": "pad_mode='bogus': must be one of",
    "--n-mels 0": "n_mels=0: must be at least 1",
    "--fmin -1": "fmin=-1.0: must be at least 0",
    "--fmin 200 --fmax 100": "fmin=200.0: must be below fmax",
    "--fmax nan": "fmax=nan: must be finite",
    "--transform mfcc --n-mfcc 200": "n_mfcc=200: must be at most n_mels=128",
    "--sr 0": "sr=0.0: must be greater than 0",
    "--sr -1": "sr=-1.0: must be greater than 0",
    "--sr nan": "sr=nan: must be finite",
    "--sr 4000 --fmax 3000": "fmax=3000.0: must be at most sr / 2 = 2000 Hz",
}


@pytest.mark.parametrize(("options", "reason"), USAGE.items(), ids=USAGE)
def test_wrong_options_are_wrong_usage(clip, out, options, reason):
    result = run("extract", clip, "-o", out, *options.split())
    assert result.exit_code == 2
    assert reason in result.stderr
    assert result.stdout == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["extract"], "Missing argument"),
        (["extract", "{clip}"], "Missing option '-o'"),
        (["extract", "{clip}", "-o"], "requires an argument"),
        (["extract", "missing.wav", "-o", "{out}"], "'missing.wav' does not exist"),
        (["extract", "{clip}", "missing.wav", "-o", "{out}"], "'missing.wav' does not exist"),
        (["extract", "{empty}", "-o", "{out}"], "no audio files below {empty}"),
        (["plot", "{clip}"], "Missing option '-o'"),
        (["plot", "missing.wav", "-o", "{out}"], "'missing.wav' does not exist"),
        (["plot", "{empty}", "-o", "{out}"], "is a directory"),
        (["plot", "{clip}", "-o", "{empty}"], "is a directory"),
        (["info", "more"], "unexpected extra argument"),
        (["draw"], "No such command 'draw'"),
    ],
)
def test_wrong_arguments_are_wrong_usage(clip, out, tmp_path, args, reason):
    (tmp_path / "empty").mkdir()
    places = {"clip": clip, "out": out, "empty": tmp_path / "empty"}
    result = run(*(arg.format(**places) for arg in args))
    assert result.exit_code == 2
    assert reason.format(**places) in result.stderr
    assert result.stdout == ""
    assert written(tmp_path) == ["in/clip.wav"]


# plot


def panels(figure_file):
    data = figure_file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[place : place + 4]) for place in (16, 20))
    assert 800 < width < 2000
    return height / width


def test_a_recording_is_drawn_in_three_panels_and_its_features_in_one(clip, out, tmp_path):
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
    "other transform": {"features": np.ones((3, 3)), "settings": SETTINGS.replace("STFT", "CQT")},
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
