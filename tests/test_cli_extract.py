"""`arrayaudio extract`: features as the transforms give them, exit codes 0, 2 and 3, never a traceback."""

import json

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext.io import load

from .command_line import CASES, SPOILED, copies, features, run, written
from .recordings import NAMES, SR, encoded, tone
from .tolerances import assert_same_levels

# What extract writes


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
    assert described == {"sr": SR, "n_samples": len(y)} | json.loads(transform.to_json())
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


def test_a_gpu_gives_the_same_features(clip, out, gpu):
    assert run("extract", clip, "-o", out / "cpu").exit_code == 0
    assert run("extract", clip, "-o", out / "gpu", "--device", "cuda").exit_code == 0
    assert_same_levels(features(out / "gpu" / "clip.npz"), features(out / "cpu" / "clip.npz"))
    assert gpu.launches


# Where extract writes


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


@pytest.mark.parametrize(
    ("options", "failed", "reason"),
    [
        ("--fmax 10000", "clip", "fmax=10000.0: must be at most sr / 2 = 4000 Hz"),
        ("--transform lfcc --fmin 5000", "clip", "fmin=5000.0: must be below fmax = 4000 Hz"),
        ("--transform cqt --n-bins 100", "clip", "n_bins=100: bin 84 at 4186.01 Hz is above sr / 2 = 4000 Hz"),
        ("--transform vqt --fmin 4100 --n-bins 2", "clip", "n_bins=2: bin 0 at 4100 Hz is above sr / 2 = 4000 Hz"),
        ("--transform cfp --fmin 5", "wide", "fmin=5.0: must be at least 10.7666 Hz"),
        ("--transform stft --freq-scale log --fmax 10", "wide", "fmin=21.533203125: must be below fmax = 10 Hz"),
    ],
)
def test_settings_that_do_not_suit_one_rate_fail_that_file_alone(clip, out, options, failed, reason):
    soundfile.write(clip.parent / "wide.wav", tone(), 44100)
    result = run("extract", clip.parent, "-o", out, *options.split())
    assert result.exit_code == 3
    assert f"failed: {clip.parent / failed}.wav: {reason}" in result.stderr
    assert result.stdout == f"1 of 2 files written to {out}\n"
    assert written(out) == [{"clip": "wide.npz", "wide": "clip.npz"}[failed]]


def test_settings_that_suit_no_rate_say_for_each_file_why(clip, out):
    soundfile.write(clip.parent / "wide.wav", tone(), 44100)
    result = run("extract", clip.parent, "-o", out, "--transform", "cqt", "--n-bins", "200")
    assert (result.exit_code, result.stdout) == (3, f"0 of 2 files written to {out}\n")
    wide = clip.parent / "wide.wav"
    assert f"failed: {clip}: n_bins=200: bin 84 at 4186.01 Hz is above sr / 2 = 4000 Hz;" in result.stderr
    assert f"failed: {wide}: n_bins=200: bin 113 at 22350.6 Hz is above sr / 2 = 22050 Hz;" in result.stderr
    assert not written(out)


def test_a_recording_too_short_for_the_frames_fails(clip, out):
    result = run("extract", clip, "-o", out, "--no-center", "--n-fft", "8192")
    assert result.exit_code == 3
    assert "signal has 4000 samples: must have at least 8192" in result.stderr
    assert not written(out)


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
    "--transform cwt": "'cwt' is not one of",
    "--format csv": "'csv' is not one of",
    "--device tpu": "'tpu' is not one of",
    "--n-fft many": "'many' is not a valid integer",
    "--transform stft --n-mels 40": "--transform stft has no --n-mels",
    "--transform stft --n-mfcc 13 --mel-scale htk": "--transform stft has no --mel-scale, --n-mfcc",
    "--transform mel --n-mfcc 13": "--transform mel has no --n-mfcc",
    "--output power": "--transform logmel has no --output",
    "--transform mfcc --output power": "--transform mfcc has no --output",
    "--transform mfcc --n-lfcc 13": "--transform mfcc has no --n-lfcc",
    "--transform lfcc --n-mels 40": "--transform lfcc has no --n-mels",
    "--transform mel --n-bins 40": "--transform mel has no --n-bins",
    "--transform mel --freq-scale log": "--transform mel has no --freq-scale",
    "--transform cqt --n-fft 512 --fmax 4000 --gamma 0": "--transform cqt has no --fmax, --gamma, --n-fft",
    "--transform vqt --win-length 512": "--transform vqt has no --win-length",
    "--transform gammatone --bins-per-octave 12": "--transform gammatone has no --bins-per-octave",
    "--transform gammatone --method 2010": "--transform gammatone has no --method",
    "--transform chroma --fmin 50": "--transform chroma has no --fmin",
    "--transform cfp --n-bins 40": "--transform cfp has no --n-bins",
    "--transform stft --fmin 50": "fmin=50.0: needs freq_scale='linear' or 'log'",
    "--transform stft --freq-scale log --freq-bins 0": "freq_bins=0: must be at least 1",
    "--transform stft --freq-scale bark": "'bark' is not one of",
    "--transform stft --output cfp": "output='cfp': must be one of 'complex'",
    "--transform cfp --output phase": "output='phase': must be one of 'cfp'",
    "--transform cqt --n-bins 0": "n_bins=0: must be at least 1",
    "--transform cqt --bins-per-octave 0": "bins_per_octave=0: must be at least 1",
    "--transform cqt --method 1999": "'1999' is not one of",
    "--transform cqt --fmin 0": "fmin=0.0: must be greater than 0",
    "--transform cqt --sr 4000": "n_bins=84: bin 72 at 2093 Hz is above sr / 2 = 2000 Hz; use at most 72 bins",
    "--transform vqt --gamma -1": "gamma=-1.0: must be at least 0",
    "--transform gammatone --n-bins 0": "n_bins=0: must be at least 1",
    "--transform chroma --n-chroma 0": "n_chroma=0: must be at least 1",
    "--transform lfcc --n-lfcc 200": "n_lfcc=200: must be at most n_filter=128",
    "--transform cfp --fmin 900 --fmax 901": "must be more than a band above fmin=900 Hz",
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
