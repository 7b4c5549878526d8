"""Transforms as PyTorch modules: their numbers and gradients, precision and memory, and what they are as modules."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio.ext import torch as bridge
from arrayaudio.ext.torch import Module

from .test_trainable import LAYERS, assert_same, signal
from .tolerances import assert_same_spectrum, relative_error

FRAMES = {"n_fft": 64, "hop_length": 16}
BANDS = {"sr": 8000, "n_mels": 8} | FRAMES
TONES = {"sr": 4000, "fmin": 300.0, "n_bins": 12, "hop_length": 64}
DIFFERENTIATED = {
    "STFT": aa.STFT(**FRAMES),
    "STFT power": aa.STFT(**FRAMES, output="power", pad_mode="reflect"),
    "STFT magnitude, trainable": aa.STFT(**FRAMES, output="magnitude", trainable=True),
    "STFT, trainable": aa.STFT(**FRAMES, trainable=True),
    "STFT log": aa.STFT(**FRAMES, sr=8000, freq_scale="log", freq_bins=20, fmin=100.0),
    "mel log": aa.MelSpectrogram(**BANDS, scale="log"),
    "mel, trainable": aa.MelSpectrogram(**BANDS, trainable_mel=True, trainable_stft=True),
    "mel log, trainable": aa.MelSpectrogram(**BANDS, scale="log", trainable_mel=True),
    "MFCC": aa.MFCC(**BANDS, n_mfcc=5),
    "MFCC, trainable": aa.MFCC(**BANDS, n_mfcc=5, trainable_mel=True, trainable_stft=True),
    "gammatonegram, trainable": aa.Gammatonegram(sr=8000, n_bins=8, **FRAMES, trainable_bins=True),
    "CQT": aa.CQT(**TONES),
    "CQT, trainable": aa.CQT(**TONES, trainable=True),
    "CQT magnitude, trainable": aa.CQT(**TONES, output="magnitude", trainable=True),
    "VQT": aa.VQT(**TONES, gamma=20.0, output="power"),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def mel(**options):
    return Module(aa.MelSpectrogram(**BANDS, trainable_mel=True, **options))


@pytest.mark.parametrize("name", LAYERS)
def test_numbers_are_those_of_the_transform(name, dtype):
    transform, y = LAYERS[name], signal(dtype, (2, 3000))
    expected = transform(y)
    recorded = Module(transform)(torch.tensor(y, requires_grad=True))
    S = Module(transform)(torch.from_numpy(y))
    assert (S.dtype, S.requires_grad, recorded.requires_grad) == (torch.from_numpy(expected).dtype, False, True)
    np.testing.assert_array_equal(S.numpy(), expected)
    assert_same(recorded.detach().numpy(), expected, name, dtype)


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_gradients_are_those_of_finite_differences(name):
    module = Module(DIFFERENTIATED[name]).double()
    for p in module.parameters():  # away from what the settings say
        p.data += 0.05 * p.abs().max() * torch.rand_like(p)
    x = torch.randn(2, 300, dtype=torch.float64, requires_grad=True)
    params = dict(module.named_parameters())

    def call(x, *values):
        return torch.func.functional_call(module, dict(zip(params, values, strict=True)), x)

    assert torch.autograd.gradcheck(call, (x, *params.values()), fast_mode=True)


def test_gradients_of_complex_coefficients_are_those_of_pytorch(rng):
    y, target = torch.from_numpy(rng.standard_normal((2, 2, 600))).requires_grad_()
    window = torch.hann_window(64, dtype=torch.float64)

    def gradient(stft):
        X, wanted = stft(y), stft(target.detach())
        loss = ((X - wanted) * (X - wanted).conj()).real.sum() + (X.conj() * (1 + 2j)).imag.sum()
        return torch.autograd.grad(loss, y)[0]

    ours = gradient(Module(aa.STFT(**FRAMES)))
    theirs = gradient(lambda y: torch.stft(y, 64, 16, window=window, pad_mode="constant", return_complex=True))
    assert relative_error(ours, theirs) < 1e-12


def test_gradients_of_a_learned_bank_are_those_of_pytorch(rng):
    module, y = mel().double(), torch.from_numpy(rng.standard_normal((3, 600)))
    X = torch.stft(
        y, 64, 16, window=torch.hann_window(64, dtype=torch.float64), pad_mode="constant", return_complex=True
    )
    bank = module.bank.detach().clone().requires_grad_()
    (bank @ X.abs() ** 2).log().sum().backward()
    module(y).log().sum().backward()
    assert relative_error(module.bank.grad, bank.grad) < 1e-12


def test_the_way_back_has_gradients_too():
    module = Module(aa.STFT(**FRAMES))
    X = module(torch.randn(2, 300, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda X: module.inverse(X, length=300), X, fast_mode=True)
    y = torch.randn(300, dtype=torch.float64)
    assert relative_error(module.inverse(module(y), length=300), y) < 1e-12


def test_only_what_requires_a_gradient_gets_one():
    module, x = mel(), torch.randn(300, requires_grad=True)
    module.bank.requires_grad_(False)
    module(x).sum().backward()
    assert x.grad is not None
    assert module.bank.grad is None
    module(x.detach())  # whose result requires none
    assert not module(x.detach()).requires_grad


def test_without_gradients_nothing_is_recorded(monkeypatch):
    module, x = mel(), torch.randn(300, requires_grad=True)
    expected = module(x).detach()
    monkeypatch.setattr(bridge, "vjp", None)
    with torch.no_grad():
        assert_same_spectrum(module(x), expected, "float32")
    with torch.inference_mode():
        assert_same_spectrum(module(x), expected, "float32")
    assert_same_spectrum(module.requires_grad_(False)(x.detach()), expected, "float32")


def test_memory_is_shared():
    x = torch.randn(3, 300)
    assert np.shares_memory(bridge._array(x), x.numpy())
    array = np.ones((3, 4))
    assert bridge._tensor(array).data_ptr() == array.ctypes.data


@pytest.mark.parametrize("array", [np.ones((2, 3))[:, ::-1], np.broadcast_to(np.ones(3), (2, 3)), np.float32(1)])
def test_arrays_that_tensors_cannot_share_are_copied(array):
    tensor = bridge._tensor(array)
    assert tensor.tolist() == array.tolist()
    tensor.add_(1)
    assert np.all(array == 1)


def test_gradients_have_memory_of_their_own():
    for name, transform in DIFFERENTIATED.items():
        module, x = Module(transform), torch.randn(2, 300, requires_grad=True)
        S = module(x)
        g = torch.ones_like(S)
        S.backward(g)
        for leaf in (x, *module.parameters()):
            leaf.grad.zero_()
        assert torch.equal(g, torch.ones_like(S)), name


class TestPrecision:
    @pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
    def test_half_becomes_single_and_gradients_come_back_as_half(self, half):
        module, x = mel().to(half), torch.randn(300).to(half).requires_grad_()
        S = module(x)
        assert S.dtype is torch.float32
        assert_same_spectrum(S.detach(), module.learned()(x.detach().float()), "float32")
        S.mean().backward()
        assert (x.grad.dtype, module.bank.grad.dtype) == (half, half)

    def test_autocast_changes_nothing(self):
        module, x = mel(scale="log"), torch.randn(300)
        module(x).sum().backward()
        expected, module.bank.grad = (module(x).detach(), module.bank.grad), None
        with torch.autocast("cpu", dtype=torch.bfloat16):
            lower = torch.nn.Linear(300, 300)(x)
            assert lower.dtype is torch.bfloat16
            assert module(lower).dtype is torch.float32
            S = module(x)
            S.sum().backward()
        assert torch.equal(S, expected[0])
        assert torch.equal(module.bank.grad, expected[1])

    def test_results_have_the_precision_of_the_signal(self):
        assert mel().double()(torch.randn(300)).dtype is torch.float32
        assert mel()(torch.randn(300, dtype=torch.float64)).dtype is torch.float64


class TestModules:
    def test_what_is_learned_is_registered(self):
        names = {name: tuple(p.shape) for name, p in Module(DIFFERENTIATED["MFCC, trainable"]).named_parameters()}
        assert names == {"bank": (8, 33), "basis": (2, 33, 64)}
        cqt = aa.CQT(sr=8000, fmin=100.0, n_bins=40, trainable=True)
        shapes = {f"kernels.{k}": tuple(array.shape) for k, array in enumerate(cqt.params["kernels"])}
        assert {name: tuple(p.shape) for name, p in Module(cqt).state_dict().items()} == shapes
        assert not list(Module(aa.STFT()).parameters())

    def test_arrays_that_were_given_are_where_learning_begins(self):
        bank = np.ones((8, 33), np.float32)
        module = Module(aa.MelSpectrogram(**BANDS).with_params({"bank": bank}))
        assert torch.equal(module.bank, torch.ones(8, 33))
        with torch.no_grad():
            module.bank.mul_(2)
        assert np.all(bank == 1)

    def test_state_dicts_carry_what_was_learned(self):
        learned, fresh, x = mel(), mel(), torch.randn(300)
        with torch.no_grad():
            learned.bank.mul_(2)
        buffer = io.BytesIO()
        torch.save(learned.state_dict(), buffer)
        buffer.seek(0)
        fresh.load_state_dict(torch.load(buffer, weights_only=True))
        assert torch.equal(fresh(x), learned(x))
        with pytest.raises(RuntimeError, match="size mismatch"):
            Module(aa.MelSpectrogram(**BANDS | {"n_mels": 9}, trainable_mel=True)).load_state_dict(learned.state_dict())

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
    @pytest.mark.parametrize("name", ["mel log, trainable", "CQT, trainable", "STFT"])
    def test_copies_are_independent(self, name, copied):
        module, x = Module(DIFFERENTIATED[name]), torch.randn(300)
        expected = module(x).detach()
        other = copied(module)
        assert torch.equal(other(x), expected)
        with torch.no_grad():
            for p in module.parameters():
                p.zero_()
        assert torch.equal(other(x), expected)

    def test_the_learned_transform_needs_no_torch(self):
        module, x = mel().bfloat16(), torch.randn(300)
        with torch.no_grad():
            module.bank.mul_(2)
        transform = module.learned()
        assert isinstance(transform, aa.MelSpectrogram)
        assert_same_spectrum(transform(x.numpy()), module(x).detach())
        module.bank.data.zero_()
        assert transform.params["bank"].any()
        assert Module(aa.STFT()).learned() == aa.STFT()

    def test_settings_are_shown(self):
        assert repr(Module(aa.STFT(n_fft=64))) == f"Module({aa.STFT(n_fft=64)!r})"
