"""PyTorch modules: how long what they record lives, and what is refused."""

import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

import arrayaudio as aa
from arrayaudio.ext import torch as bridge
from arrayaudio.ext.torch import Module

from .test_torch import mel


class TestTape:
    """What is recorded lives and dies as torch's own records do."""

    def test_it_is_given_up_on_the_way_back(self, monkeypatch):
        kept = []

        def watched(*args):
            value, pullback = aa.vjp(*args)
            kept.append(weakref.ref(pullback))
            return value, pullback

        monkeypatch.setattr(bridge, "vjp", watched)
        module = mel()
        loss = module(torch.randn(300)).sum()
        assert kept[0]() is not None
        loss.backward(retain_graph=True)
        once = module.bank.grad.clone()
        loss.backward()
        assert torch.equal(module.bank.grad, 2 * once)
        assert kept[0]() is None
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()

    @pytest.mark.parametrize("hooks", ["checkpoint", "save_on_cpu"])
    def test_hooks_may_save_its_memory(self, hooks):
        module, x = mel(scale="log"), torch.randn(2, 300, requires_grad=True)
        module(x).sum().backward()
        expected, x.grad, module.bank.grad = (x.grad, module.bank.grad), None, None
        if hooks == "checkpoint":
            checkpoint(module, x, use_reentrant=False).sum().backward()
        else:
            with torch.autograd.graph.save_on_cpu():
                loss = module(x).sum()
            loss.backward()
        assert torch.equal(x.grad, expected[0])
        assert torch.equal(module.bank.grad, expected[1])

    @pytest.mark.parametrize("changed", ["signal", "parameter", "result"])
    def test_changes_in_place_before_the_way_back_are_found(self, changed):
        module, x = mel(), torch.randn(300)
        S = module(x)
        with torch.no_grad():
            {"signal": x, "parameter": module.bank, "result": S}[changed].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            S.sum().backward()

    def test_there_are_no_second_derivatives(self):
        x = torch.randn(300, requires_grad=True)
        with pytest.raises(aa.DifferentiationError, match="create_graph=True: gradients of transforms cannot be"):
            torch.autograd.grad(mel()(x).sum(), x, create_graph=True)

    def test_functional_transforms_are_refused_by_torch(self):
        for transform in (torch.func.grad, torch.func.vmap):
            with pytest.raises(RuntimeError, match=r"functorch|vmap|setup_context"):
                transform(lambda x: mel()(x).sum())(torch.randn(300, 300)[0 if transform is torch.func.grad else ...])


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros(300), aa.ParameterError, r"signal of type ndarray: must be a torch\.Tensor; torch\.from_numpy"),
        ([0.0], aa.ParameterError, "signal of type list"),
        (torch.zeros(300, dtype=torch.int16), aa.DTypeError, r"signal has dtype int16.*pcm_to_float"),
        (torch.zeros(300, dtype=torch.complex64), aa.DTypeError, "signal has dtype complex64"),
        (torch.zeros(3, 300).to_sparse(), aa.ParameterError, r"layout torch\.sparse_coo: must be dense"),
        (torch.zeros(300, device="meta"), aa.BackendError, r"signal is on meta: must be on a CPU or a CUDA device"),
        (torch.full((300,), float("nan")), aa.ParameterError, r"300 NaN or infinite samples"),
        (torch.zeros(0), aa.ParameterError, "0 samples"),
    ],
)
def test_other_signals_are_refused(x, error, message):
    with pytest.raises(error, match=message):
        mel()(x)


def test_signals_and_parameters_must_be_in_one_place():
    with pytest.raises(aa.BackendError, match=r"signal is on cpu and bank on meta: move one, as in module\.to"):
        mel().to("meta")(torch.zeros(300))


@pytest.mark.parametrize("transform", [aa.STFT, "STFT", None, np.abs, torch.nn.Linear(2, 2)])
def test_other_things_than_transforms_are_refused(transform):
    with pytest.raises(aa.ParameterError, match="must be a transform"):
        Module(transform)


def test_transforms_with_a_device_are_refused():
    with pytest.raises(aa.ParameterError, match=r"device='cpu': a module works where its tensors are.*to\(None\)"):
        Module(aa.STFT(device="cpu"))


def test_without_torch_the_extra_is_named():
    script = "import sys; sys.modules['torch'] = None; import arrayaudio.ext.torch"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert "MissingExtraError: PyTorch modules needs the [torch] extra" in done.stderr


def test_traces_are_refused():
    module = Module(aa.STFT())
    with pytest.warns(), pytest.raises(aa.BackendError, match=r"leave this module out"):
        torch.jit.trace(module, torch.zeros(3000))
