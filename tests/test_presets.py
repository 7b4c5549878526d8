"""Presets: what they compute, on every library, and what they are as transforms."""

import importlib
import json
import pickle
import warnings

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.transforms import steps
from arrayaudio.transforms.base import compiled

from . import naive_kaldi
from .tolerances import assert_same_levels, assert_same_spectrum

# Float32 rounds a frame's bins to parts of its loudest one: in quiet bands after pre-emphasis, that much in levels.
QUIET = 1e-3
NAMES = aa.presets.names()
presets = pytest.mark.parametrize("name", NAMES)
FRONT_ENDS = [name for name in NAMES if isinstance(aa.presets.get(name), aa.FrontEnd)]


@pytest.fixture(autouse=True)
def empty_bands():
    """Some presets have bands that are narrower than the bins, as their models have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aa.ArrayAudioWarning)
        yield


def dtype_like(x, value):
    return x.dtype.type(value)


def same_bands(actual, expected, dtype):
    """In float64, levels; in float32, what they are the logarithm of, since rounding shows in quiet bands."""
    if dtype == "float64":
        assert_same_levels(actual, expected)
    else:
        assert_same_spectrum(np.exp(actual), np.exp(expected), dtype)
        assert np.abs(actual - expected).max() < QUIET


def noise(rng, *shape, dtype="float64"):
    return (0.1 * rng.standard_normal(shape) + 0.02).astype(dtype)


@pytest.mark.parametrize(
    ("name", "window", "n_bands"),
    [("kaldi_fbank", "povey", 80), ("ast", "hanning", 128), ("sensevoice", "hamming", 80)],
)
def test_kaldi_in_loops(rng, name, window, n_bands, dtype):
    y = noise(rng, 4000, dtype=dtype).astype(np.float64)
    factor = 1.0 if name == "ast" else 2.0**15
    levels = naive_kaldi.fbank(y * factor, n_bands, name=window)
    ours = aa.presets.get(name)(y.astype(dtype))
    if name == "ast":
        ours = ours * dtype_like(ours, 2 * 4.5689974) - dtype_like(ours, 4.2677393)
    if name == "sensevoice":
        levels = naive_kaldi.low_frame_rate(levels, 7, 6)
    same_bands(ours, levels, dtype)


def test_kaldi_mfcc_in_loops(rng, dtype):
    y = noise(rng, 4000)
    assert_same_levels(aa.presets.get("kaldi_mfcc")(y.astype(dtype)), naive_kaldi.mfcc(y * 2.0**15))


def test_silence_is_the_floor():
    S = aa.presets.get("kaldi_fbank")(np.zeros(1000, np.float32))
    assert np.all(S == np.float32(np.log(2.0**-23)))
    assert np.all(aa.presets.get("whisper")(np.zeros(1000, np.float32)) == np.float32(-1.5))
    assert np.isfinite(aa.presets.get("nemo")(np.zeros(1000))).all()


@presets
def test_every_library_gives_the_same(library, rng, name, dtype):
    y = noise(rng, 2, 1, 16500, dtype=dtype)
    transform = aa.presets.get(name)
    S = library.to_numpy(transform(library.asarray(y)))
    assert S.dtype == dtype
    assert S.flags.c_contiguous or library.name == "array-api-strict"  # which has no order
    for item in range(2):
        if dtype == "float64":
            assert_same_levels(S[item, 0], transform(y[item, 0]))
        else:
            assert np.abs(S[item, 0] - transform(y[item, 0])).max() < QUIET


@presets
def test_axes_fit_the_result(rng, name):
    transform, n = aa.presets.get(name), 21000
    S, times = transform(noise(rng, n)), transform.times(n)
    assert S.shape[-2] == len(transform.frequencies)
    assert transform.n_frames(n) == times.size == S.size // S.shape[-2]
    assert np.all(np.diff(times.ravel()) > 0)
    if name == "vggish":
        assert S.shape == (1, 64, 96) and times.shape == (1, 96)


@pytest.mark.parametrize("name", ["whisper", "kaldi_fbank", "ast", "vggish", "hifigan", "nemo", "encodec"])
def test_times_are_where_sounds_are(name):
    transform = aa.presets.get(name)
    sr = int(transform.sr)
    y = np.zeros(2 * sr)
    y[sr : sr + 20] = np.random.default_rng(0).standard_normal(20)
    S = transform(y)
    loudest = np.moveaxis(S, -2, 0).reshape(S.shape[-2], -1).mean(axis=0).argmax()
    assert abs(transform.times(2 * sr).ravel()[loudest] - 1.0) < 1.5 * transform.hop_length / sr


@presets
def test_settings_come_back(name):
    transform = aa.presets.get(name)
    kind = type(transform)
    assert kind.from_dict(json.loads(json.dumps(transform.to_dict()))) == transform
    assert kind.from_json(transform.to_json()) == transform
    assert pickle.loads(pickle.dumps(transform)) == transform
    assert hash(aa.presets.get(name)) == hash(transform)
    assert "compat" not in repr(transform)


@presets
def test_gradients(name):
    transform = aa.presets.get(name, hop_length=2000) if name == "vggish" else aa.presets.get(name)
    if name == "vggish":
        transform = aa.FrontEnd(core=transform.core, after=transform.after[:1])
    y = noise(np.random.default_rng(3), 2000)
    aa.check_grads(transform, y)


def test_whisper_runs_fused():
    kernel = importlib.import_module("arrayaudio.kernels.cpu.spectrogram")
    plan = compiled(aa.presets.get("whisper").core)
    assert plan.scaling is not None
    assert kernel.spectrogram(np.ones(800, np.float32), plan) is not NotImplemented


def test_whisper_counts_from_the_loudest_of_each_item(rng):
    y = noise(rng, 2, 8000)
    y[0] *= 1e-6
    whisper = aa.presets.get("whisper")
    assert np.array_equal(whisper(y)[0], whisper(y[0]))


def test_nemo_normalises_each_feature(rng):
    S = aa.presets.get("nemo")(noise(rng, 16000))
    assert np.allclose(S.mean(axis=-1), 0, atol=1e-12)
    assert np.allclose(S.std(axis=-1, ddof=1), 1, atol=1e-4)


@pytest.mark.parametrize("name", ["kaldi_fbank", "kaldi_mfcc", "ast"])
def test_streams_give_the_whole(rng, name):
    transform, y = aa.presets.get(name), noise(rng, 2, 7000)
    stream = transform.stream(2)
    parts = [stream.push(y[:, first : first + 900]) for first in range(0, 7000, 900)]
    assert_same_levels(np.concatenate([*parts, stream.flush()], axis=-1), transform(y))


@pytest.mark.parametrize(
    ("name", "problem"), [("whisper", "WithoutLast, Limit"), ("nemo", "Preemphasis"), ("hifigan", "Reflect")]
)
def test_streams_refuse_what_needs_the_whole(name, problem):
    with pytest.raises(aa.ParameterError, match=problem):
        aa.presets.get(name).stream()


@pytest.mark.parametrize("name", ["whisper", "nemo", "kaldi_mfcc", "sensevoice"])
def test_ragged_clips_are_what_they_are_alone(library, rng, name):
    transform = aa.presets.get(name)
    clips = [noise(rng, n) for n in (4000, 7000)]
    values, lengths, mask = transform.ragged([library.asarray(clip) for clip in clips], fill=-9.0)
    values, mask = library.to_numpy(values), library.to_numpy(mask)
    for value, length, here, clip in zip(values, lengths, mask, clips, strict=True):
        assert_same_levels(value[:, :length], transform(clip))
        assert np.all(value[:, length:] == -9) and here.sum() == length == transform.n_frames(len(clip))


@presets
def test_the_shortest_signal(name):
    transform = aa.presets.get(name)
    n = transform.min_length
    assert transform(np.ones(n)).shape[-1] >= 1
    if n > 1:
        with pytest.raises(aa.ParameterError, match=r"signal (has|gives)"):
            transform(np.ones(n - 1))


@presets
def test_gradients_at_silence_are_finite(name):
    transform = aa.presets.get(name)
    gradient = aa.grad(lambda y: (transform(y) ** 2).sum())(np.zeros(17000))
    assert np.isfinite(gradient).all()


def test_warming_up():
    aa.warmup(aa.presets.get("vggish"))


def test_ragged_refuses_patches(rng):
    clips = [noise(rng, n) for n in (16000, 32000)]
    with pytest.raises(aa.ParameterError, match="must all be the same"):
        aa.presets.get("vggish").ragged(clips)


def test_settings_can_be_changed(rng):
    nemo = aa.presets.get("nemo", n_mels=128, pcm=True)
    y = (3000 * rng.standard_normal(8000)).astype(np.int16)
    assert nemo.core.n_mels == 128
    assert_same_levels(nemo(y), aa.presets.get("nemo", n_mels=128)(y / np.float32(2**15)))
    assert aa.presets.get("encodec", n_fft=512).hop_length == 128
    assert aa.presets.get("clap", f_max=8000).fmax == 8000
    assert aa.presets.get("whisper", device="cpu").device == "cpu"


def test_cmvn_comes_last(rng):
    y, (shift, scale) = noise(rng, 8000), rng.uniform(0.5, 1, (2, 560))
    plain = aa.presets.get("sensevoice")(y)
    expected = (plain + shift[:, None]) * scale[:, None]
    transform = aa.presets.get("sensevoice", cmvn=(shift, scale))
    assert_same_levels(transform(y), expected)
    assert type(transform).from_json(transform.to_json()) == transform


def test_banks_can_be_learned(rng, tmp_path):
    whisper = aa.presets.get("whisper", trainable_mel=True)
    y, params = noise(rng, 4000), {"bank": 2 * whisper.params["bank"].astype(np.float64)}
    learned = whisper.with_params(params)
    assert_same_levels(learned(y), whisper(y) + np.log10(2) / 4, "float32")
    gradient = aa.grad(lambda p: whisper.with_params(p)(y).mean())(params)
    assert gradient["bank"].shape == (80, 201) and np.abs(gradient["bank"]).max() > 0
    learned.save(tmp_path / "w")
    assert aa.load_transform(tmp_path / "w") == learned


def test_out_is_written(rng):
    y, transform = noise(rng, 4000), aa.presets.get("kaldi_fbank")
    out = np.empty((80, transform.n_frames(4000)))
    assert transform(y, out=out) is out
    assert np.array_equal(out, transform(y))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aa.presets.get("wisper"), "name='wisper': must be one of"),
        (lambda: aa.presets.get("sensevoice", cmvn=3), "pair of arrays"),
        (lambda: aa.presets.get("sensevoice", cmvn=([1.0], [1.0, 2.0])), "two equal rows"),
        (lambda: aa.presets.get("sensevoice", cmvn=([1.0], [2.0]))(np.ones(4000)), "shift has 1 values"),
        (lambda: aa.presets.get("vggish")(np.ones(8000)), "at least 96"),
        (lambda: aa.presets.get("hifigan")(np.ones(384)), "at least 385"),
        (lambda: aa.presets.get("nemo")(np.ones(320))[0], None),
        (lambda: aa.presets.get("nemo")(np.ones(170)), "at least 2, which have a deviation"),
        (lambda: aa.presets.get("whisper")(np.ones(201), memory_budget=2**20), "takes the whole signal at once"),
        (lambda: aa.FrontEnd(core=3), "core=3: must be one of STFT"),
        (lambda: aa.FrontEnd(core=aa.STFT(), after=[3]), "must be steps"),
        (
            lambda: aa.FrontEnd.from_dict({"transform": "FrontEnd", "core": {"transform": "CQT"}}),
            "must be the settings",
        ),
        (
            lambda: aa.FrontEnd.from_dict(
                {"transform": "FrontEnd", "core": aa.STFT().to_dict(), "after": [{"step": "Rot"}]}
            ),
            "one of the steps",
        ),
        (
            lambda: aa.FrontEnd.from_dict(
                {"transform": "FrontEnd", "core": aa.STFT().to_dict(), "after": [{"step": "Root", "by": 3}]}
            ),
            "Root has no settings named by",
        ),
        (lambda: steps.Log(), "give one of the two"),
        (lambda: steps.Log(offset=1.0, base="2"), "base='2'"),
        (lambda: steps.Affine(scale="x"), "scale='x'"),
    ],
)
def test_errors_say_what_to_do(call, message):
    if message is None:
        call()
        return
    with pytest.raises(aa.ParameterError, match=message):
        call()


def test_presets_are_torch_modules(rng):
    import torch

    from arrayaudio.ext.torch import Module

    y = torch.tensor(noise(rng, 4000), requires_grad=True)
    Module(aa.presets.get("whisper"))(y).sum().backward()
    assert y.grad.abs().max() > 0
