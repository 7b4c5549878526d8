"""Transforms with arrays of their own: the same numbers from the same arrays, and what they are as values."""

import copy
import functools
import json
import pickle

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves, mapped

from .tolerances import assert_near_peak, assert_same_levels, assert_same_spectrum

SR = 8000
BANDS = {"sr": SR, "n_fft": 256, "hop_length": 100}
TONES = {"sr": SR, "n_bins": 24, "fmin": 200.0, "hop_length": 128}
LAYERS = {
    "STFT": aa.STFT(n_fft=256),
    "STFT magnitude": aa.STFT(n_fft=256, output="magnitude", win_length=200, window="hamming"),
    "STFT power": aa.STFT(n_fft=64, hop_length=100, output="power", pad_mode="reflect"),
    "STFT phase": aa.STFT(n_fft=256, output="phase", pad_mode="edge"),
    "STFT odd": aa.STFT(n_fft=255, hop_length=70, pad_mode="wrap"),
    "STFT prime": aa.STFT(n_fft=127, hop_length=127, center=False),
    "STFT one frame": aa.STFT(n_fft=256, hop_length=5000, output="magnitude"),
    "STFT few frames": aa.STFT(n_fft=2048, hop_length=512, center=False),
    "STFT computed padding": aa.STFT(n_fft=256, pad_mode="mean", output="magnitude"),
    "STFT linear": aa.STFT(n_fft=256, sr=SR, freq_scale="linear", freq_bins=300, output="magnitude"),
    "STFT log": aa.STFT(n_fft=256, sr=SR, freq_scale="log", freq_bins=30, fmin=100.0),
    "mel": aa.MelSpectrogram(**BANDS, n_mels=20),
    "mel magnitude": aa.MelSpectrogram(**BANDS, n_mels=20, power=1.0, mel_scale="htk", norm=None),
    "mel root": aa.MelSpectrogram(**BANDS, n_mels=20, power=0.5),
    "mel dB": aa.MelSpectrogram(**BANDS, n_mels=20, scale="db"),
    "mel log": aa.MelSpectrogram(**BANDS, n_mels=20, scale="log", center=False),
    "MFCC": aa.MFCC(**BANDS, n_mels=20, n_mfcc=13),
    "LFCC": aa.LFCC(**BANDS, n_filter=20, n_lfcc=13),
    "gammatonegram": aa.Gammatonegram(**BANDS, n_bins=20),
    "chroma": aa.Chroma(**BANDS),
    "CFP": aa.CFP(sr=SR, n_fft=1024, hop_length=500),
    "CQT": aa.CQT(**TONES),
    "CQT magnitude": aa.CQT(**TONES, output="magnitude", center=False),
    "CQT 1992": aa.CQT(**TONES, method="1992", normalization="wrap"),
    "VQT": aa.VQT(**TONES, gamma=20.0, pad_mode="reflect", output="power"),
}
LEVELS = {"mel dB", "mel log", "MFCC", "LFCC"}
WITHOUT = {
    "NSGT": aa.NSGT(sr=SR),
    "ChromaCQT": aa.ChromaCQT(sr=SR, n_octaves=6),
    "HybridCQT": aa.HybridCQT(sr=SR, n_bins=60),
    "PseudoCQT": aa.PseudoCQT(sr=SR, n_bins=60),
}
CASES = [(layer, name) for layer, transform in LAYERS.items() for name in transform._shapes]
MEL = aa.MelSpectrogram(**BANDS, n_mels=20, trainable_mel=True, trainable_stft=True)
KERNELS = aa.CQT(**TONES, trainable=True)


@functools.cache
def arrays(layer, name):
    """What defines a transform, in float64."""
    return LAYERS[layer]._arrays[name]()


def assert_same(actual, expected, layer, dtype):
    if layer == "STFT phase":
        X = aa.STFT(n_fft=256, pad_mode="edge")(signal(np.float64, (2, 3000)))
        actual, expected = (np.abs(X) * np.exp(1j * phase) for phase in (actual, expected))
        assert_same_spectrum(actual, expected, dtype)
    elif layer in LEVELS:
        assert_same_levels(actual, expected, dtype)
    elif layer == "CFP":  # its roots lift what rounding left
        assert_near_peak(actual, expected, dtype)
    else:
        assert_same_spectrum(actual, expected, dtype)


def signal(dtype, shape, seed=5):
    # Numbers that float32 holds exactly, so that both precisions see the same signal.
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(dtype)


# The same numbers


@pytest.mark.parametrize(("layer", "name"), CASES)
def test_shapes_are_known_without_the_arrays(layer, name):
    shapes = LAYERS[layer]._shapes[name]
    found = [array.shape for array in leaves(arrays(layer, name))]
    assert found == (shapes if isinstance(shapes, list) else [shapes])


@pytest.mark.parametrize(("layer", "name"), CASES)
def test_given_arrays_that_are_the_same_give_the_same(layer, name, library, dtype):
    y = signal(dtype, (2, 3000))
    given = mapped(lambda a: library.asarray(np.ascontiguousarray(a)), arrays(layer, name))
    changed = LAYERS[layer].with_params({name: given})
    result = library.to_numpy(changed(library.asarray(y)))
    expected = LAYERS[layer](y.astype(np.float64))
    assert result.dtype == LAYERS[layer](y).dtype
    assert result.flags.c_contiguous or library.name == "array-api-strict"
    assert_same(result, expected, layer, dtype)


@pytest.mark.parametrize("layer", [n for n in LAYERS if n != "STFT phase"])
@pytest.mark.parametrize("shape", [(2500,), (2, 3, 2500), (0, 2500)], ids=str)
def test_any_batch_is_transformed_item_by_item(layer, shape, dtype):
    name = list(LAYERS[layer]._shapes)[-1]
    changed = LAYERS[layer].with_params({name: arrays(layer, name)})
    y = signal(dtype, shape)
    together = changed(y)
    assert together.shape == LAYERS[layer](y).shape
    for index in np.ndindex(shape[:-1]):
        assert_same(together[index], changed(y[index]), layer, dtype)


@pytest.mark.parametrize(("layer", "name"), CASES)
def test_arrays_on_the_tape_give_the_same_too(layer, name):
    y = signal(np.float64, (2, 3000))
    value, _ = aa.vjp(lambda given: LAYERS[layer].with_params({name: given})(y), arrays(layer, name))
    assert_same(value, LAYERS[layer](y), layer, "float64")


def test_a_window_and_a_bank_may_be_given_together():
    y, window = signal(np.float64, 2000), aa.get_window("blackman", 256)
    bank = aa.filters.linear(sr=SR, n_fft=256, n_filter=20)
    changed = aa.MelSpectrogram(**BANDS, n_mels=20).with_params({"window": window}).with_params({"bank": bank})
    power = aa.STFT(n_fft=256, hop_length=100, window="blackman", output="power")(y)
    assert_same_spectrum(changed(y), bank @ power)


def test_a_basis_that_is_to_be_learned_has_the_window_that_was_given():
    y, window = signal(np.float64, 2000), aa.get_window("blackman", 256)
    changed = aa.STFT(n_fft=256, trainable=True).with_params({"window": window})
    assert_same_spectrum(changed.with_params(changed.params)(y), changed(y), "float32")


@pytest.mark.parametrize(
    ("transform", "names"),
    [
        (aa.STFT(n_fft=256), []),
        (aa.STFT(n_fft=256, trainable=True), ["basis"]),
        (aa.MelSpectrogram(**BANDS), []),
        (aa.MelSpectrogram(**BANDS, n_mels=20, trainable_mel=True), ["bank"]),
        (aa.MFCC(**BANDS, n_mels=20, trainable_mel=True, trainable_stft=True), ["bank", "basis"]),
        (aa.LFCC(**BANDS, trainable_stft=True), ["basis"]),
        (aa.Gammatonegram(**BANDS, trainable_bins=True), ["bank"]),
        (aa.CQT(**TONES), []),
        (aa.CQT(**TONES, trainable=True), ["kernels"]),
        (aa.VQT(**TONES, trainable=True), ["kernels"]),
        *((transform, []) for transform in WITHOUT.values()),
    ],
    ids=repr,
)
def test_params_are_what_is_learned(transform, names, dtype):
    params = transform.params
    assert list(params) == names
    assert all(array.dtype == np.float32 for array in leaves(params))
    given = mapped(lambda array: array.astype(dtype), params)
    changed = transform.with_params(given)
    assert (changed == transform) is (not names)
    for array, before in zip(leaves(changed.params), leaves(given), strict=True):
        np.testing.assert_array_equal(array, before, strict=True)


def test_params_are_copies():
    bank = MEL.params["bank"]
    changed, y = MEL.with_params({"bank": bank}), signal(np.float64, 1000)
    before = changed(y)
    for array in (bank, changed.params["bank"]):
        array *= 2
    np.testing.assert_array_equal(changed(y), before)


# Values


@pytest.mark.parametrize("transform", [MEL, KERNELS, aa.STFT(n_fft=64, trainable=True)], ids=repr)
def test_transforms_with_arrays_compare_by_value(transform):
    params = transform.params
    changed, other = transform.with_params(params), transform.with_params(mapped(lambda a: 2 * a, params))
    assert changed == transform.with_params(transform.params)
    assert hash(changed) == hash(transform.with_params(params))
    assert len({transform, changed, other}) == 3
    for same in (copy.copy(changed), copy.deepcopy(changed), pickle.loads(pickle.dumps(changed)), changed.to(None)):
        assert same == changed
        assert same != transform
        assert all(a.dtype == np.float32 for a in leaves(same.params))
        np.testing.assert_array_equal(same(signal(np.float32, 1500)), changed(signal(np.float32, 1500)))
    assert repr(changed) == repr(transform)
    assert changed.to_dict() == transform.to_dict() == json.loads(changed.to_json())
    assert changed.with_params({}) == changed


def test_arrays_of_other_libraries_go_along(library, dtype):
    bank = library.asarray(MEL.params["bank"].astype(dtype))
    changed = MEL.with_params({"bank": bank})
    assert changed == copy.copy(changed) == changed.to(None) == MEL.with_params({"bank": bank})
    assert library.owns(changed.params["bank"])


def test_a_device_is_no_hindrance_to_the_tape():
    y, here = signal(np.float64, 1000), aa.MelSpectrogram(**BANDS, n_mels=20, device="cpu")
    bank = arrays("mel", "bank")
    gradient, of_signal = aa.grad(lambda b, y: np.sum(here.with_params({"bank": b})(y)), argnums=(0, 1))(bank, y)
    expected, of_y = aa.grad(lambda b, y: np.sum(LAYERS["mel"].with_params({"bank": b})(y)), argnums=(0, 1))(bank, y)
    np.testing.assert_array_equal(gradient, expected)
    np.testing.assert_array_equal(of_signal, of_y)
    with pytest.raises(aa.BackendError, match="device='cuda': an array on the tape lives on 'cpu'"):
        aa.grad(lambda b: np.sum(aa.MelSpectrogram(**BANDS, device="cuda").with_params({"bank": b})(y)))(
            np.zeros((128, 129))
        )


BANK, KERNEL_LIST = MEL.params["bank"], KERNELS.params["kernels"]


@pytest.mark.parametrize(
    ("transform", "params", "message"),
    [
        (MEL, {"banks": BANK}, "MelSpectrogram has no array 'banks': those it has are window, basis, bank"),
        (KERNELS, {"bank": BANK}, "CQT has no array 'bank': those it has are kernels"),
        *((t, {"window": BANK}, f"{n} has no array 'window': those it has are none") for n, t in WITHOUT.items()),
        (MEL, {"bank": BANK[1:]}, r"bank has shape \(19, 129\): must be \(20, 129\) for these settings"),
        (MEL, {"bank": BANK[None]}, r"bank has shape \(1, 20, 129\): must be \(20, 129\)"),
        (MEL, {"bank": [BANK, BANK]}, r"bank has shape \[\(20, 129\), \(20, 129\)\]: must be \(20, 129\)"),
        (MEL, {"bank": None}, r"bank has shape \[\]: must be \(20, 129\)"),
        (MEL, {"bank": 1.0}, r"bank has shape \(\): must be \(20, 129\)"),
        (MEL, {"bank": BANK.astype(int)}, "bank has dtype int64: must be floating point"),
        (MEL, {"bank": BANK > 0}, "bank has dtype bool: must be floating point"),
        (MEL, {"bank": BANK + 0j}, "bank has dtype complex64: must be floating point"),
        (MEL, {"window": np.ones(200)}, r"window has shape \(200,\): must be \(256,\)"),
        (KERNELS, {"kernels": KERNEL_LIST[1:]}, r"kernels has shape .*: must be \[\(\d+, \d+\), "),
        (MEL, [BANK], "params of type list: must be a dict of arrays by name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_refused(transform, params, message):
    with pytest.raises(aa.ParameterError, match=message):
        transform.with_params(params)


def test_one_array_in_a_list_is_that_array():
    assert MEL.with_params({"bank": [BANK]}) == MEL.with_params({"bank": BANK})
    single = aa.CQT(sr=SR, n_bins=3, fmin=1000.0)
    assert single.with_params({"kernels": single._arrays["kernels"]()[0]})(signal(np.float64, 1000)).shape == (3, 2)


@pytest.mark.parametrize("options", [{"trainable": 1}, {"trainable": "yes"}])
def test_settings_are_true_or_false(options):
    for kind in (aa.STFT, functools.partial(aa.CQT, sr=SR)):
        with pytest.raises(aa.ParameterError, match=r"trainable=.*: must be one of True, False"):
            kind(**options)


@pytest.mark.parametrize(
    "transform",
    [aa.STFT(n_fft=64, trainable=True), aa.CQT(**TONES | {"hop_length": 64}, trainable=True)],
    ids=["STFT", "CQT"],
)
def test_a_transform_with_arrays_of_its_own_has_no_inverse(transform):
    changed = transform.with_params(transform.params)
    X = changed(signal(np.float64, 1000))
    assert transform.inverse(X).ndim == 1
    with pytest.raises(aa.ParameterError, match=r"(basis|kernels) given: a transform .* has no inverse here"):
        changed.inverse(X)
