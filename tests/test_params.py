"""Transforms in files: whole or not there, the same afterwards, and nothing that a stranger wrote is run."""

import builtins
import json
import struct

import numpy as np
import pytest
import safetensors.numpy

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves, mapped

from .recordings import NAMES

SR = 8000
LEARNED = [
    aa.STFT(n_fft=64, output="magnitude", trainable=True),
    aa.STFT(n_fft=64, window=np.hanning(64), sr=SR, freq_scale="log", freq_bins=20, trainable=True),
    aa.MelSpectrogram(sr=SR, n_fft=128, n_mels=10, window=("kaiser", 8.0), trainable_mel=True, trainable_stft=True),
    aa.MFCC(sr=SR, n_fft=128, n_mels=20, trainable_mel=True),
    aa.Gammatonegram(sr=SR, n_fft=128, n_bins=10, trainable_bins=True),
    aa.CQT(sr=SR, n_bins=24, fmin=200.0, trainable=True),
    aa.VQT(sr=SR, n_bins=3, fmin=1000.0, trainable=True),
]
PLAIN = [aa.STFT(), aa.Chroma(sr=SR), aa.CFP(sr=SR), aa.NSGT(sr=SR), aa.HybridCQT(sr=SR, n_bins=60)]


def changed(transform, dtype, seed=3):
    rng = np.random.default_rng(seed)
    return transform.with_params(mapped(lambda a: (a * rng.random(a.shape)).astype(dtype), transform.params))


@pytest.mark.parametrize("transform", LEARNED, ids=repr)
def test_what_was_learned_comes_back(tmp_path, transform, dtype):
    learned, path = changed(transform, dtype), tmp_path / "new" / "layer.safetensors"
    learned.save(path)
    for again in (aa.load_transform(path), type(transform).load(str(path))):
        assert again == learned
        assert again != transform
        y = np.random.default_rng(0).standard_normal(2000).astype(dtype)
        np.testing.assert_array_equal(again(y), learned(y))
        for array, before in zip(leaves(again.params), leaves(learned.params), strict=True):
            np.testing.assert_array_equal(array, before, strict=True)


@pytest.mark.parametrize("transform", [*LEARNED, *PLAIN], ids=repr)
def test_what_was_not_learned_yet_comes_back_from_its_settings(tmp_path, transform):
    transform.save(tmp_path / "layer")
    assert aa.load_transform(tmp_path / "layer") == transform
    assert (tmp_path / "layer").stat().st_size < 10_000


def test_the_file_is_for_others_to_read(tmp_path):
    learned = changed(LEARNED[2], "float32")
    learned.save(tmp_path / "mel.safetensors")
    with safetensors.safe_open(tmp_path / "mel.safetensors", "numpy") as file:
        assert file.metadata()["arrayaudio"] == learned.to_json()
        assert set(file.keys()) == {"bank", "basis"}
        np.testing.assert_array_equal(file.get_tensor("bank"), learned.params["bank"], strict=True)
    kernels = changed(LEARNED[5], "float64")
    kernels.save(tmp_path / "cqt.safetensors")
    with safetensors.safe_open(tmp_path / "cqt.safetensors", "numpy") as file:
        assert sorted(file.keys()) == [f"kernels.{k}" for k in range(len(kernels.params["kernels"]))]


def test_more_than_ten_groups_of_kernels_keep_their_order(tmp_path):
    kernels = changed(aa.CQT(sr=SR, n_bins=84, trainable=True), "float32")
    assert len(kernels.params["kernels"]) > 10
    kernels.save(tmp_path / "cqt")
    assert aa.load_transform(tmp_path / "cqt") == kernels


def test_arrays_of_any_library_are_saved(tmp_path, library):
    transform = LEARNED[3]
    bank = transform.params["bank"] * 2
    transform.with_params({"bank": library.asarray(bank)}).save(tmp_path / "mfcc")
    assert aa.load_transform(tmp_path / "mfcc") == transform.with_params({"bank": bank})


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_file_name_will_do(tmp_path, name):
    learned = changed(LEARNED[3], "float32")
    learned.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert aa.load_transform(tmp_path / name) == learned
    (tmp_path / name).write_bytes(b"odd")
    with pytest.raises(aa.ParameterError, match="is not a file of a transform"):
        aa.load_transform(tmp_path / name)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "layer"
    LEARNED[3].save(path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        changed(LEARNED[3], "float32").save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_the_tape_is_not_saved(tmp_path):
    def loss(params):
        LEARNED[3].with_params(params).save(tmp_path / "layer")

    with pytest.raises(aa.ParameterError, match="bank is on the tape: save the transform outside"):
        aa.vjp(loss, LEARNED[3].params)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    LEARNED[3].save(tmp_path / "layer")
    find = builtins.__import__

    def without(name, *args):
        if name.startswith("safetensors"):
            raise ModuleNotFoundError("No module named 'safetensors'")
        return find(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (LEARNED[3].save, LEARNED[3].load, aa.load_transform):
        with pytest.raises(aa.MissingExtraError, match=r"transforms in files needs the \[io\] extra .*No module"):
            call(tmp_path / "layer")


# What others wrote


def file_of(settings, tensors=None):
    text = settings if isinstance(settings, str) else json.dumps(settings)
    return safetensors.numpy.save(tensors or {}, metadata={"arrayaudio": text})


def header(text, length=None):
    return struct.pack("<Q", len(text) if length is None else length) + text


MFCC = LEARNED[3].to_dict()
BANK, ROWS = LEARNED[3].params["bank"], LEARNED[5].params["kernels"]
BAD = {
    "nothing": (b"", "is not a file of a transform"),
    "text": (b"hello, world", "is not a file of a transform"),
    "pickle": (b"\x80\x04\x95cos\nsystem\n(S'touch run'\ntR.", "is not a file of a transform"),
    "endless header": (header(b"{}", 2**63), "is not a file of a transform"),
    "cut": (file_of(MFCC, {"bank": BANK})[:-100], "is not a file of a transform"),
    "beyond the end": (
        header(b'{"bank":{"dtype":"F32","shape":[9,9],"data_offsets":[0,324]}}'),
        "is not a file of a transform",
    ),
    "no settings": (safetensors.numpy.save({"bank": BANK}), "its metadata has no settings"),
    "long settings": (file_of(" " * (2**24 + 1)), "its settings have 16777217 characters"),
    "no JSON": (file_of("{"), "holds no transform"),
    "deep JSON": (file_of("[" * 100_000), "holds no transform"),
    "endless number": (file_of(f'{{"transform": "STFT", "n_fft": {"9" * 10_000}}}'), "holds no transform"),
    "no object": (file_of("[1]"), "its settings are no JSON object"),
    "no name": (file_of({"n_fft": 64}), "transform=None: is none of this version"),
    "unknown name": (file_of({"transform": "system"}), "transform='system': is none of this version"),
    "public name": (file_of({"transform": "griffinlim"}), "transform='griffinlim': is none of this version"),
    "dunder": (file_of({"transform": "__class__"}), "transform='__class__': is none of this version"),
    "list of names": (file_of({"transform": ["STFT"]}), r"transform=\['STFT'\]: is none of this version"),
    "unknown setting": (file_of(MFCC | {"_given": {}}), "MFCC has no settings named _given"),
    "bad setting": (file_of(MFCC | {"n_fft": -1}), "n_fft=-1: must be at least 1"),
    "NaN": (file_of(json.dumps(MFCC | {"sr": float("nan")})), "sr=nan: must be finite"),
    "missing setting": (file_of({"transform": "MFCC"}), "holds no transform .*sr"),
    "unknown array": (file_of(MFCC, {"_given": BANK}), "MFCC has no array '_given'"),
    "other shape": (file_of(MFCC, {"bank": BANK[1:]}), r"bank has shape \(19, 65\): must be \(20, 65\)"),
    "integers": (file_of(MFCC, {"bank": BANK.astype(np.int32)}), "bank has dtype int32: must be floating point"),
    "kernels missing": (
        file_of(LEARNED[5].to_dict(), {f"kernels.{k + 1}": row for k, row in enumerate(ROWS)}),
        r"array 'kernels\.0': must be there once",
    ),
    "kernels twice": (
        file_of(LEARNED[5].to_dict(), {"kernels": ROWS[0], "kernels.0": ROWS[0]}),
        "array 'kernels': must be there once",
    ),
    "NaN in an array": (
        file_of(MFCC, {"bank": np.where(BANK > 0, np.float32(np.nan), BANK)}),
        "array 'bank' has NaN or infinite",
    ),
    "infinity in an array": (
        file_of(MFCC, {"bank": np.where(BANK > 0, np.float32(np.inf), BANK)}),
        "array 'bank' has NaN or infinite",
    ),
    "a later format": (
        safetensors.numpy.save({}, metadata={"arrayaudio": json.dumps(MFCC), "arrayaudio.format": "2"}),
        "format '2' is none of this version, which reads '1'",
    ),
    "large settings": (
        file_of({"transform": "STFT", "n_fft": 2**23}, {"basis": np.zeros((2, 1, 1))}),
        r"basis has shape \(2, 1, 1\): must be \(2, 4194305, 8388608\)",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_holds_no_transform_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    for load in (aa.load_transform, aa.MFCC.load):
        with pytest.raises(aa.ParameterError, match=message) as caught:
            load(path)
        assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_what_is_no_file_is_refused_too(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(aa.ParameterError, match=f"{name}: is not a file of a transform"):
        aa.load_transform(tmp_path / name)


def test_another_kind_of_transform_is_refused(tmp_path):
    LEARNED[3].save(tmp_path / "layer")
    with pytest.raises(aa.ParameterError, match="layer: holds a transform of the kind MFCC, not STFT"):
        aa.STFT.load(tmp_path / "layer")
