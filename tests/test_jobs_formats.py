"""Features of a job in one Zarr store, and as rows of one Parquet table: the same numbers as in files."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import xarray
import zarr

import arrayaudio as aa
from arrayaudio.ext.io import load

from .command_line import copies, features, run, run_without, written
from .recordings import NAMES, SR, encoded, tone


@pytest.fixture
def clips(clip):
    copies(clip, "a.wav", "b/a.wav")
    (clip.parent / "clip.flac").write_bytes(encoded(tone(3000, 500), "FLAC"))
    return clip.parent


def contents(folder):
    return {name: (folder / name).read_bytes() for name in written(folder)}


# Zarr


def test_a_store_has_a_group_for_each_recording(clips, out):
    result = run("extract", clips, "-o", out, "--format", "zarr", "--transform", "mfcc")
    assert (result.exit_code, result.stdout) == (0, f"4 of 4 files written to {out}\n")
    store = zarr.open_group(out / "features.zarr", mode="r")
    assert sorted(store.group_keys()) == ["a.wav", "b", "clip.flac", "clip.wav"]
    for name in ("a.wav", "b/a.wav", "clip.flac", "clip.wav"):
        y, _ = load(clips / name)
        mfcc, group, stat = aa.MFCC(sr=SR), store[name], (clips / name).stat()
        np.testing.assert_array_equal(group["features"][...], mfcc(y), strict=True)
        np.testing.assert_array_equal(group["times"][...], mfcc.times(len(y)))
        np.testing.assert_array_equal(group["frequencies"][...], mfcc.frequencies)
        assert group.attrs["settings"] == {"sr": SR, "n_samples": len(y)} | mfcc.to_dict()
        assert group.attrs["source"] == {
            "path": str(clips / name),
            "fingerprint": f"{stat.st_size}-{stat.st_mtime_ns}",
            "sha256": hashlib.sha256((clips / name).read_bytes()).hexdigest(),
        }
        assert group.attrs["versions"]["arrayaudio"] == aa.__version__


@pytest.mark.parametrize("output", ["complex", "magnitude"])
def test_xarray_reads_a_group_with_its_axes(tmp_path, out, rng, output):
    soundfile.write(tmp_path / "stereo.wav", rng.uniform(-1, 1, (4000, 2)), SR, subtype="FLOAT")
    run("extract", tmp_path / "stereo.wav", "-o", out, "--format", "zarr", "--no-mono", "--transform", "stft")
    found = xarray.open_zarr(out / "features.zarr", group="stereo.wav", consolidated=False, chunks=None)
    stft = aa.STFT(sr=SR, output="magnitude")
    assert found.features.dims == ("channels", "frequencies", "times")
    np.testing.assert_array_equal(found.features, stft(load(tmp_path / "stereo.wav", mono=False)[0]))
    assert found.features.sel(frequencies=1000, times=0.25, method="nearest").shape == (2,)


def test_long_features_have_chunks_of_time(tmp_path, out):
    soundfile.write(tmp_path / "long.flac", np.zeros(8 * 60 * SR), SR)
    run("extract", tmp_path / "long.flac", "-o", out, "--format", "zarr", "--transform", "mel", "--hop-length", "256")
    found = zarr.open_group(out / "features.zarr", mode="r")["long.flac/features"]
    assert (found.shape, found.chunks) == ((128, 15001), (128, 8192))
    assert not found[...].any()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_any_name_that_leaves_room(tmp_path, out, name, kind):
    name = name[-100:]
    (tmp_path / name).write_bytes(encoded(tone()))
    result = run("extract", tmp_path / name, "-o", out, "--format", kind)
    assert (result.exit_code, result.stderr) == (0, "")
    folder = {"zarr": f"features.zarr/{name}/zarr.json", "parquet": f"rows/{name[:-4]}.parquet"}[kind]
    assert (out / folder).is_file()


# Parquet


def test_a_table_has_a_row_for_each_recording(clips, out):
    result = run("extract", clips, "-o", out, "--format", "parquet", "--transform", "mel", "--n-mels", "20")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = pq.read_table(out / "features.parquet").to_pylist()
    assert [row["path"] for row in rows] == [str(clips / n) for n in ("a.wav", "b/a.wav", "clip.flac", "clip.wav")]
    for row in rows:
        y, sr = load(row["path"])
        mel = aa.MelSpectrogram(sr=sr, n_mels=20)
        S = mel(y).astype(np.float64)
        np.testing.assert_allclose(row["mean"], S.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(row["std"], S.std(axis=1), rtol=1e-12)
        np.testing.assert_array_equal(row["frequencies"], mel.frequencies)
        assert (row["sr"], row["n_samples"], row["duration"]) == (SR, len(y), len(y) / SR)
        assert (row["n_frames"], row["n_channels"]) == (S.shape[1], 1)
        assert aa.MelSpectrogram.from_json(row["settings"]) == mel


def test_channels_are_rows_one_after_the_other(tmp_path, out, rng):
    soundfile.write(tmp_path / "stereo.wav", rng.uniform(-1, 1, (4000, 2)), SR, subtype="FLOAT")
    run("extract", tmp_path / "stereo.wav", "-o", out, "--format", "parquet", "--no-mono", "--n-mels", "20")
    (row,) = pq.read_table(out / "features.parquet").to_pylist()
    S = aa.MelSpectrogram(sr=SR, n_mels=20, scale="db")(load(tmp_path / "stereo.wav", mono=False)[0])
    assert row["n_channels"] == 2
    np.testing.assert_allclose(row["mean"], S.astype(float).mean(axis=-1).ravel(), rtol=1e-12)


def test_complex_features_have_no_row(clip, out):
    result = run("extract", clip, "-o", out, "--format", "parquet", "--transform", "stft", "--output", "complex")
    assert result.exit_code == 3
    assert "features are complex, and a table of means is not; use output='magnitude'" in result.stderr
    assert not (out / "features.parquet").exists()


# Both


@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_a_second_run_does_what_changed(clips, out, kind):
    assert run("extract", clips, "-o", out, "--format", kind).exit_code == 0
    before = contents(out)
    result = run("extract", clips, "-o", out, "--format", kind)
    assert result.stdout == f"4 of 4 files written to {out}, 4 of them by an earlier run\n"
    features_only = {name: content for name, content in before.items() if name != "manifest.jsonl"}
    assert contents(out).items() >= features_only.items()
    (clips / "a.wav").write_bytes(encoded(tone(5000, 700)))
    result = run("extract", clips, "-o", out, "--format", kind)
    assert result.stdout == f"4 of 4 files written to {out}, 3 of them by an earlier run\n"
    run("extract", clips, "-o", out.with_name("fresh"), "--format", kind)
    names = [name for name in written(out) if name.partition("/")[0] in ("features.zarr", "features.parquet", "rows")]
    assert {name: contents(out)[name] for name in names}.items() <= contents(out.with_name("fresh")).items()
    if kind == "parquet":
        assert 5000 in pq.read_table(out / "features.parquet")["n_samples"].to_pylist()


@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_what_was_cut_off_is_done_again_and_its_parts_are_removed(clips, out, kind):
    run("extract", clips, "-o", out, "--format", kind)
    before = contents(out)
    (target,) = [name for name in before if name in ("features.zarr/b/a.wav/zarr.json", "rows/b/a.parquet")]
    (out / target).unlink()
    part = (out / target).parent.parent / ".17-140.part"
    part.mkdir()
    (part / "half").touch()
    assert run("extract", clips, "-o", out, "--format", kind).exit_code == 0
    assert not part.exists()
    assert contents(out)[target] == before[target]


@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_bad_files_and_pictures(clips, out, kind):
    result = run("extract", clips, "-o", out, "--format", kind, "--plot")
    assert result.exit_code == 2
    assert f"--format {kind} writes one for all" in result.stderr
    (clips / "a.wav").write_bytes(b"")
    result = run("extract", clips, "-o", out, "--format", kind)
    assert (result.exit_code, result.stdout) == (3, f"3 of 4 files written to {out}\n")


def test_files_and_a_store_share_a_folder(clips, out):
    for kind in ("npz", "zarr", "parquet"):
        result = run("extract", clips, "-o", out, "--format", kind)
        assert result.stdout == f"4 of 4 files written to {out}\n"
    store = zarr.open_group(out / "features.zarr", mode="r")
    np.testing.assert_array_equal(store["a.wav/features"][...], features(out / "a.npz"))
    assert json.loads((out / "features.zarr" / "zarr.json").read_text())["attributes"] == {}


@pytest.mark.parametrize(("kind", "module"), [("zarr", "zarr"), ("parquet", "pyarrow")])
def test_what_is_missing_is_said(clip, out, kind, module):
    result = run_without([module], "extract", clip, "-o", out, "--format", kind)
    assert result.returncode == 2
    assert "pip install 'arrayaudio[dask]'" in result.stderr
    assert run_without([module], "extract", clip, "-o", out).returncode == 0
