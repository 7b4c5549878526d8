"""Transforms with arrays of their own: gradients with respect to them, what is learned, and what is left behind."""

import functools
import gc
import tracemalloc

import numpy as np
import pytest
import torch

import arrayaudio as aa
import arrayaudio.primitive as dispatch
from arrayaudio.autodiff.namespace import Var
from arrayaudio.autodiff.trees import leaves, mapped

from .test_trainable import BANDS, BANK, CASES, KERNELS, LAYERS, MEL, SR, TONES, arrays, signal
from .tolerances import assert_same_spectrum, relative_error


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


@pytest.mark.parametrize(("name", "done"), [("window", []), ("basis", ["merged"]), ("bank", ["spectrogram"])])
def test_no_fast_path_sees_the_tape(name, done, fast):
    y = signal(np.float64, 2000)
    value, pullback = aa.vjp(lambda array: MEL.with_params({name: array})(y), MEL._arrays[name]())
    assert fast == done  # up to the bank nothing is on the tape, nor are the products of signal and basis
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


def test_a_search_has_no_gradient_for_the_window():
    stft = aa.STFT(n_fft=64, sr=SR, freq_scale="linear")
    S = stft(signal(np.float64, 500))
    with pytest.raises(aa.ParameterError, match="window on the tape: freq_scale='linear' is inverted by a search"):
        aa.grad(lambda window: stft.with_params({"window": window}).inverse(S).sum())(np.hanning(64))
