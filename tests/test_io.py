"""Audio comes in as it was recorded, and feature files are whole or not there."""

import importlib.resources
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import arrayaudio as aa
from arrayaudio.ext.io import find_audio, load, load_features, save_features, write_whole

from .recordings import BAD_FILES, NAMES, SR, encoded, tone

SCIPY_WAVS = sorted(Path(str(importlib.resources.files("scipy.io.tests") / "data")).glob("*.wav"))


@pytest.fixture
def noise(rng):
    return rng.uniform(-0.9, 0.9, (3000, 2)).astype(np.float32)


@pytest.fixture
def stereo(tmp_path, noise):
    soundfile.write(tmp_path / "stereo.wav", noise, SR, subtype="FLOAT")
    return tmp_path / "stereo.wav"


# Loading


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 2**-7),
        ("wav", "PCM_16", 2**-15),
        ("wav", "PCM_24", 2**-23),
        ("wav", "FLOAT", 0),
        ("flac", "PCM_16", 2**-15),
        ("aiff", "PCM_16", 2**-15),
        ("au", "PCM_16", 2**-15),
        ("caf", "PCM_16", 2**-15),
        ("w64", "PCM_32", 2**-23),
    ],
)
def test_samples_come_back_as_they_were_written(tmp_path, noise, suffix, subtype, tolerance):
    soundfile.write(tmp_path / f"noise.{suffix}", noise, 11025, subtype=subtype)
    y, sr = load(tmp_path / f"noise.{suffix}", mono=False)
    assert (y.dtype, y.shape, sr, type(sr)) == (np.float32, (2, 3000), 11025, float)
    assert y.flags.c_contiguous
    np.testing.assert_allclose(y, noise.T, rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", ["OGG", "MP3"])
def test_lossy_formats_keep_the_tone(tmp_path, kind):
    (tmp_path / "tone").write_bytes(encoded(tone(SR), kind))
    y, sr = load(tmp_path / "tone")
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    assert sr == SR
    assert abs(spectrum.argmax() * sr / len(y) - 1000) < 2
    assert 0.3 < np.abs(y).max() < 0.8


def test_mono_is_the_mean_of_the_channels(stereo, noise):
    y, _ = load(stereo)
    np.testing.assert_allclose(y, noise.mean(axis=1), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("mono", "shape"), [(True, (4000,)), (False, (1, 4000))])
def test_one_channel_has_an_axis_only_when_channels_are_kept(tmp_path, mono, shape):
    (tmp_path / "tone.wav").write_bytes(encoded(tone()))
    assert load(tmp_path / "tone.wav", mono=mono)[0].shape == shape


@pytest.mark.parametrize("mono", [True, False])
@pytest.mark.parametrize("new", [4000, 16000.0, 11025])
def test_a_rate_given_is_the_rate_returned(stereo, mono, new):
    as_recorded, old = load(stereo, mono=mono)
    y, sr = load(stereo, sr=new, mono=mono)
    assert (sr, type(sr), y.dtype) == (new, float, np.float32)
    np.testing.assert_array_equal(y, aa.resample(as_recorded, orig_sr=old, target_sr=new))


def test_a_path_may_be_a_string(stereo):
    np.testing.assert_array_equal(load(str(stereo))[0], load(stereo)[0])


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_file_name_is_loaded(tmp_path, name):
    (tmp_path / name).write_bytes(encoded(tone()))
    assert load(tmp_path / name)[0].shape == (4000,)


@pytest.mark.parametrize(("name", "content", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_with_the_reason(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(aa.AudioDecodeError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["missing.wav", "folder.wav"])
def test_what_is_no_file_is_named_too(tmp_path, name):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(aa.AudioDecodeError, match=f"{name}: cannot be read"):
        load(tmp_path / name)


@pytest.mark.parametrize("sr", [0, -8000, float("nan"), "fast"])
def test_an_impossible_rate_is_refused(stereo, sr):
    with pytest.raises(aa.ParameterError, match=r"target_sr=.* must be"):
        load(stereo, sr=sr)


def test_scipy_brings_its_odd_recordings():
    assert len(SCIPY_WAVS) > 15


@pytest.mark.parametrize("mono", [True, False])
@pytest.mark.parametrize("path", SCIPY_WAVS, ids=lambda path: path.stem)
def test_odd_recordings_load_or_are_refused(path, mono):
    try:
        y, sr = load(path, mono=mono)
    except aa.AudioDecodeError as error:
        assert path.name in str(error)
    else:
        assert y.dtype == np.float32
        assert y.ndim == (1 if mono else 2)
        assert y.size > 0
        assert np.isfinite(y).all()
        assert sr > 0


def test_a_header_that_claims_terabytes_is_refused_or_corrected(tmp_path):
    mp3 = encoded(tone(), "MP3")
    count = max(mp3.find(b"Xing"), mp3.find(b"Info")) + 8
    (tmp_path / "vast.mp3").write_bytes(mp3[:count] + b"\xff" * 4 + mp3[count + 4 :])
    try:
        y, _ = load(tmp_path / "vast.mp3")
    except aa.AudioDecodeError as error:
        assert "vast.mp3" in str(error)
    else:
        assert 4000 <= y.size < 10_000


ODD_HEADERS = {"-1ch-4bytes-rf64": 4410, "-1ch-4bytes-early-eof": 236, "-be-1ch-4bytes": 4410}  # some SciPys lack one


@pytest.mark.parametrize(
    ("path", "n_samples"),
    [(path, n) for part, n in ODD_HEADERS.items() for path in SCIPY_WAVS if path.stem.endswith(part)],
    ids=lambda value: getattr(value, "stem", None),
)
def test_odd_headers_do_not_cost_samples(path, n_samples):
    assert load(path)[0].shape == (n_samples,)


# Finding


def test_folders_are_searched_for_audio_in_order(tmp_path):
    files = ["a.wav", "b/c/deep.FLAC", "b/clip.Mp3", "z.ogg"]
    for name in [*files, "notes.txt", "b/a.npz", "wav"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    assert find_audio(tmp_path) == [tmp_path / name for name in files]


def test_a_file_is_taken_at_its_word(tmp_path):
    (tmp_path / "recording.dat").touch()
    assert find_audio(tmp_path / "recording.dat") == [tmp_path / "recording.dat"]


# Feature files


@pytest.fixture
def features():
    transform = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=64, n_mels=20, scale="db")
    return transform(tone()), transform, 4000, float(SR)


def test_an_npz_file_holds_features_axes_and_settings(tmp_path, features):
    S, transform, n_samples, sr = features
    save_features(tmp_path / "new" / "tone.npz", *features)
    with np.load(tmp_path / "new" / "tone.npz", allow_pickle=False) as archive:
        assert set(archive) == {"features", "frequencies", "times", "settings"}
        np.testing.assert_array_equal(archive["features"], S, strict=True)
        np.testing.assert_array_equal(archive["frequencies"], transform.frequencies)
        np.testing.assert_array_equal(archive["times"], transform.times(n_samples))
        settings = json.loads(str(archive["settings"]))
    assert settings == {"n_samples": n_samples, "sr": sr} | transform.to_dict()


def test_an_npy_file_has_the_rest_in_json_beside_it(tmp_path, features):
    S, transform, n_samples, sr = features
    save_features(tmp_path / "tone.npy", *features)
    np.testing.assert_array_equal(np.load(tmp_path / "tone.npy"), S, strict=True)
    described = json.loads((tmp_path / "tone.npy.json").read_text())
    assert described["settings"] == {"n_samples": n_samples, "sr": sr} | transform.to_dict()
    np.testing.assert_array_equal(described["frequencies"], transform.frequencies)
    np.testing.assert_array_equal(described["times"], transform.times(n_samples))


def test_saved_features_load_again(tmp_path, features):
    save_features(tmp_path / "tone.npz", *features)
    S, settings = load_features(tmp_path / "tone.npz")
    np.testing.assert_array_equal(S, features[0], strict=True)
    assert settings.pop("n_samples") == 4000
    assert aa.MelSpectrogram.from_dict(settings) == features[1]


def test_other_suffixes_are_refused(tmp_path, features):
    with pytest.raises(aa.ParameterError, match=r"tone\.csv: must end in \.npz or \.npy"):
        save_features(tmp_path / "tone.csv", *features)
    assert not list(tmp_path.iterdir())


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


NOT_FEATURES = {
    "zero bytes": b"",
    "text": b"hello",
    "cut archive": npz(features=np.ones((20, 30)), settings="{}")[:3000],
    "damaged archive": npz(features=np.ones((20, 30)), settings="{}").replace(b"\0\0\0\0\0\0\xf0?", b"\1" * 8, 1),
    "other arrays": npz(weights=np.ones(3)),
    "single array": npy(np.ones(3)),
    "no JSON": npz(features=np.ones((3, 3)), settings="{"),
    "objects": npz(features=np.array([{}]), settings="{}"),
}


@pytest.mark.parametrize("content", NOT_FEATURES.values(), ids=NOT_FEATURES)
def test_what_is_no_feature_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "odd.npz").write_bytes(content)
    with pytest.raises(aa.ParameterError, match=r"odd\.npz: is not a feature file"):
        load_features(tmp_path / "odd.npz")


# Writing


def test_a_file_written_whole_replaces_the_old_one(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    for content in (b"old", b"new"):
        write_whole(path, lambda file, content=content: file.write(content))
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), ValueError("bug")], ids=repr)
@pytest.mark.parametrize("old", [b"old", None])
def test_a_writer_that_fails_midway_changes_nothing(tmp_path, error, old):
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    before = list(tmp_path.iterdir())

    def write(file):
        file.write(b"half of the")
        file.flush()
        assert list(tmp_path.iterdir()) != before
        raise error

    with pytest.raises(type(error)):
        write_whole(path, write)
    assert list(tmp_path.iterdir()) == before
    assert old is None or path.read_bytes() == old


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    write_whole(path, write)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_file_name_is_written(tmp_path, name):
    write_whole(tmp_path / name, lambda file: file.write(b"new"))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_archives_that_may_hold_any_amount_are_refused(tmp_path):
    mel = aa.MelSpectrogram(sr=8000, n_mels=10)
    save_features(tmp_path / "x.npz", np.zeros((10, 3), np.float32), mel, 1000, 8000.0)
    with np.load(tmp_path / "x.npz") as arrays:
        np.savez_compressed(tmp_path / "bomb.npz", **dict(arrays) | {"features": np.zeros(10**7, np.float32)})
    assert (tmp_path / "bomb.npz").stat().st_size < 10**5
    with pytest.raises(aa.ParameterError, match=r"is not a feature file of arrayaudio \(features is compressed\)"):
        load_features(tmp_path / "bomb.npz")
