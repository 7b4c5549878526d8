"""Transforms with arrays of their own: the same numbers from the same arrays, gradients for others, nothing kept."""

import copy
import functools
import gc
import json
import pickle
import tracemalloc

import numpy as np
import pytest
import torch

import arrayaudio as aa
import arrayaudio.primitive as dispatch
from arrayaudio.autodiff.namespace import Var
from arrayaudio.autodiff.trees import leaves, mapped

from .tolerances import assert_near_peak, assert_same_levels, assert_same_spectrum, relative_error

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


# Gradients


def real_loss(layer, name, weights, y, params):
    Z = layer.with_params({name: params})(y)
    return np.sum(np.real(Z) * weights[0]) + (np.sum(np.imag(Z) * weights[1]) if weights[1] is not None else 0.0)


@pytest.mark.parametrize(("layer", "name"), [case for case in CASES if case[0] != "CFP"])
def test_gradients_are_those_of_finite_differences(layer, name):
    rng, transform = np.random.default_rng(2), LAYERS[layer]
    y = signal(np.float64, (2, max(1200, transform.min_length)))
    params = arrays(layer, name)
    if isinstance(params, np.ndarray):  # away from what the settings say
        params = params + 0.01 * np.abs(params).max() * rng.random(params.shape)
    shape = transform(y)
    weights = rng.standard_normal(shape.shape), (rng.standard_normal(shape.shape) if np.iscomplexobj(shape) else None)
    loss = functools.partial(real_loss, transform, name, weights, y)
    gradient = aa.grad(loss)(params)
    direction = mapped(lambda a: rng.standard_normal(a.shape) * np.abs(a).max(), params)
    ahead, behind = (loss(mapped(lambda a, d: a + h * d, params, direction)) for h in (1e-6, -1e-6))  # noqa: B023
    slope = sum(float(np.sum(g * d)) for g, d in zip(leaves(gradient), leaves(direction), strict=True))
    length = np.sqrt(sum(float(np.sum((g * d) ** 2)) for g, d in zip(leaves(gradient), leaves(direction), strict=True)))
    assert length > 0
    assert abs((ahead - behind) / 2e-6 - slope) < 1e-6 * length


def conv(y, kernels, hop):
    return torch.nn.functional.conv1d(y[:, None], kernels[:, None], stride=hop)


def backward(function, *arrays):
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    loss = function(*tensors)
    loss.backward()
    return loss.item(), [tensor.grad.numpy() for tensor in tensors]


def test_a_learned_stft_has_the_gradients_of_a_convolution_in_pytorch(rng):
    transform, y = aa.STFT(n_fft=256, hop_length=60, output="magnitude", trainable=True), signal(np.float64, (3, 2000))
    basis = transform.params["basis"] + 0.1 * rng.standard_normal((2, 129, 256))
    weights = rng.standard_normal(transform(y).shape)

    def ours(basis, y):
        return np.sum(transform.with_params({"basis": basis})(y) * weights)

    def theirs(basis, y):
        parts = conv(torch.nn.functional.pad(y, (128, 128)), basis.reshape(258, 256), 60)
        size = torch.sqrt(parts[:, :129] ** 2 + parts[:, 129:] ** 2)
        return (size * torch.tensor(weights)).sum()

    value, gradients = aa.value_and_grad(ours, argnums=(0, 1))(basis, y)
    expected, expected_gradients = backward(theirs, basis, y)
    assert value == pytest.approx(expected, rel=1e-10)
    for gradient, right in zip(gradients, expected_gradients, strict=True):
        assert relative_error(gradient, right) < 1e-10


def test_a_learned_mel_bank_has_the_gradients_of_pytorch(rng):
    transform, y = aa.MelSpectrogram(**BANDS, n_mels=20, scale="log", trainable_mel=True), signal(np.float64, (3, 2000))
    bank = rng.random((20, 129))
    weights = rng.standard_normal(transform(y).shape)

    def ours(bank, y):
        return np.sum(transform.with_params({"bank": bank})(y) * weights)

    def theirs(bank, y):
        window = torch.tensor(aa.get_window("hann", 256))
        options = {"center": True, "pad_mode": "constant", "return_complex": True}
        X = torch.stft(y, 256, 100, window=window, **options)
        return (torch.log(bank @ (X.real**2 + X.imag**2)) * torch.tensor(weights)).sum()

    value, gradients = aa.value_and_grad(ours, argnums=(0, 1))(bank, y)
    expected, expected_gradients = backward(theirs, bank, y)
    assert value == pytest.approx(expected, rel=1e-10)
    for gradient, right in zip(gradients, expected_gradients, strict=True):
        assert relative_error(gradient, right) < 1e-10


def test_learned_kernels_have_the_gradients_of_convolutions_in_pytorch(rng):
    transform, y = aa.CQT(**TONES, output="magnitude", trainable=True), signal(np.float64, (2, 2000))
    kernels = [kernel + 1e-3 * rng.standard_normal(kernel.shape) for kernel in transform.params["kernels"]]
    weights = rng.standard_normal(transform(y).shape)
    assert len(kernels) > 2

    def ours(kernels, y):
        return np.sum(transform.with_params({"kernels": kernels})(y) * weights)

    def theirs(y, *kernels):
        rows = []
        for kernel in kernels:
            half = kernel.shape[1] // 2
            parts = conv(torch.nn.functional.pad(y, (half, half)), kernel, transform.hop_length)
            rows.append(torch.sqrt(parts[:, 0::2] ** 2 + parts[:, 1::2] ** 2))
        return (torch.cat(rows, dim=1) * torch.tensor(weights)).sum()

    value, (of_kernels, of_signal) = aa.value_and_grad(ours, argnums=(0, 1))(kernels, y)
    expected, (right_signal, *right_kernels) = backward(theirs, y, *kernels)
    assert value == pytest.approx(expected, rel=1e-10)
    assert relative_error(of_signal, right_signal) < 1e-10
    for gradient, right in zip(of_kernels, right_kernels, strict=True):
        assert relative_error(gradient, right) < 1e-10


@pytest.mark.parametrize(("layer", "name"), CASES)
def test_gradients_are_finite_at_silence(layer, name, dtype):
    def loss(params, y):
        return np.sum(np.abs(LAYERS[layer].with_params({name: params})(y)))

    params = mapped(lambda a: a.astype(dtype), arrays(layer, name))
    y = np.zeros((2, 3000), dtype)
    y[1] = signal(dtype, 3000)
    gradients = aa.grad(loss, argnums=(0, 1))(params, y)
    assert all(np.isfinite(gradient).all() and gradient.dtype == dtype for gradient in leaves(gradients))


# What is learned where, and what is left behind


@pytest.fixture
def fast(monkeypatch):
    """The names of the primitives that fast versions have done."""
    done, find = [], dispatch.fast_version

    def watched(name, library):
        found = find(name, library)

        def run(*args, **options):
            result = found(*args, **options)
            if result is not NotImplemented:
                done.append(name)
            return result

        return None if found is None else run

    monkeypatch.setattr(dispatch, "fast_version", watched)
    return done


@pytest.mark.parametrize("transform", [MEL, aa.STFT(n_fft=256, trainable=True, output="power")], ids=["mel", "STFT"])
def test_what_is_not_learned_yet_takes_the_fast_path(transform, fast):
    transform(signal(np.float32, 2000))
    assert fast == ["spectrogram"]


def test_a_bank_that_was_learned_takes_the_fast_path(fast):
    y, bank = signal(np.float32, 2000), 2 * BANK
    assert_same_spectrum(MEL.with_params({"bank": bank})(y), 2 * MEL(y))
    assert fast == ["spectrogram", "spectrogram"]
    KERNELS(y)
    assert fast[2:] == ["constant_q"]


@pytest.mark.parametrize(("name", "done"), [("window", []), ("basis", []), ("bank", ["spectrogram"])])
def test_no_fast_path_sees_the_tape(name, done, fast):
    y = signal(np.float64, 2000)
    value, pullback = aa.vjp(lambda array: MEL.with_params({name: array})(y), MEL._arrays[name]())
    assert fast == done  # up to the bank nothing is on the tape
    assert pullback(np.ones_like(value))[0].any()


def test_no_fast_path_sees_arrays_of_other_libraries(library, fast):
    if library.name == "array-api-strict":
        MEL.with_params({"bank": library.asarray(BANK)})(library.asarray(signal(np.float32, 2000)))
        assert fast == []
        with pytest.raises(aa.BackendError, match="arrays live in different places"):
            MEL.with_params({"bank": library.asarray(BANK)})(signal(np.float32, 2000))


@pytest.mark.parametrize("transform", [MEL, KERNELS, aa.STFT(n_fft=64, trainable=True)], ids=["mel", "CQT", "STFT"])
def test_training_leaves_nothing_behind(transform):
    y = signal(np.float32, 1000)
    step = aa.value_and_grad(lambda params: np.sum(np.abs(transform.with_params(params)(y))))
    params = transform.params

    def on_tape():
        gc.collect()
        return sum(type(x) is Var for x in gc.get_objects())

    def train(n):
        nonlocal params
        for _ in range(n):
            _, gradient = step(params)
            params = mapped(lambda p, g: p - np.float32(1e-4) * g, params, gradient)
        gc.collect()

    others = on_tape()
    tracemalloc.start()
    try:
        train(3)
        before = tracemalloc.get_traced_memory()[0]
        train(20)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert on_tape() <= others


def test_learned_transforms_do_not_fill_the_cache_of_plans():
    from arrayaudio.transforms.base import _compiled

    MEL(signal(np.float32, 1000))
    before = _compiled.cache_info().misses
    for factor in range(5):
        MEL.with_params({"bank": BANK * np.float32(factor)})(signal(np.float32, 1000))
    assert _compiled.cache_info().misses == before


def trained(transform, params, loss, n_steps, rate):
    """Parameters after some steps of Adam, and the losses before and after."""
    optimizer = aa.optim.Adam(rate)
    state, step, losses = optimizer.init(params), aa.value_and_grad(loss), []
    for _ in range(n_steps):
        value, gradient = step(params)
        losses.append(float(value))
        params, state = optimizer.update(gradient, state, params)
    return params, losses[0], float(loss(params))


@pytest.mark.parametrize(
    ("transform", "rate"),
    [
        (aa.MelSpectrogram(sr=SR, n_fft=128, n_mels=10, power=1.0, trainable_mel=True), 3e-4),
        (aa.STFT(n_fft=32, output="magnitude", trainable=True), 1e-2),
        (aa.CQT(sr=SR, n_bins=6, fmin=800.0, hop_length=32, output="magnitude", trainable=True), 3e-3),
    ],
    ids=["mel bank", "Fourier basis", "kernels"],
)
def test_perturbed_arrays_are_learned_again(transform, rate):
    rng, y = np.random.default_rng(8), signal(np.float32, (4, 2000))
    target, right = transform(y), transform.params
    spread = mapped(lambda a: 0.3 * np.abs(a).max() * rng.standard_normal(a.shape).astype(np.float32), right)
    start = mapped(np.add, right, spread)
    _, first, last = trained(
        transform, start, lambda params: np.mean((transform.with_params(params)(y) - target) ** 2), 150, rate
    )
    assert last < first / 10


def test_the_inverse_takes_a_window_of_its_own_and_gives_its_gradient(rng):
    y = rng.standard_normal(2000)
    stft = aa.STFT(n_fft=128, hop_length=32)
    window = 0.5 + rng.random(128)
    layer = stft.with_params({"window": window})
    np.testing.assert_allclose(layer.inverse(layer(y), length=2000), y, atol=1e-12)
    target, S = rng.standard_normal(2000), stft(y)

    def loss(params):
        return ((stft.with_params(params).inverse(S, length=2000) - target) ** 2).mean()

    aa.check_grads(loss, {"window": window})
