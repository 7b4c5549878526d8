"""PyTorch modules on GPUs: torch's stream, on which CuPy works, and, where there is a device, all the rest."""

import types

import cupy
import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio import arrays, cuda
from arrayaudio.ext import torch as bridge
from arrayaudio.ext.torch import Module

from .tolerances import relative_error


class Lent:
    """A stream of another library."""

    def __init__(self, stream, device_index=0):
        self.stream, self.device_index = stream, device_index

    def __cuda_stream__(self):
        return 0, self.stream.ptr


def test_work_goes_to_the_current_stream_of_torch(gpu, monkeypatch):
    stream = cupy.cuda.Stream(non_blocking=True)
    asked = []
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: asked.append(device) or Lent(stream))
    before = cupy.cuda.get_current_stream().ptr
    tensor = types.SimpleNamespace(device=torch.device("cuda:0"))
    with bridge._stream_of(tensor):
        assert cupy.cuda.get_current_stream().ptr == stream.ptr
        S = aa.stft(gpu.asarray(np.ones(300)), n_fft=64)
    assert gpu.owns(S)
    assert asked == [torch.device("cuda:0")]
    assert cupy.cuda.get_current_stream().ptr == before


def test_it_is_a_stream_of_the_device_of_the_tensor(gpu):
    number = cupy.cuda.runtime.getDeviceCount() - 1
    with cupy.cuda.Device(number):
        stream = cupy.cuda.Stream(non_blocking=True)
    with cuda.on_stream(number, Lent(stream)):
        assert arrays.device(cupy.zeros(3)) == f"cuda:{number}"
        assert cupy.cuda.get_current_stream().ptr == stream.ptr
    assert arrays.device(cupy.zeros(3)) == "cuda:0"


def test_tensors_in_host_memory_need_no_stream(monkeypatch):
    monkeypatch.setattr(torch.cuda, "current_stream", None)
    with bridge._stream_of(torch.zeros(3)):
        pass


def test_without_a_usable_gpu_the_remedy_is_named(gpu, monkeypatch):
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", lambda: 0)
    with pytest.raises(aa.BackendError, match=r"no CUDA device is visible.*pip install"), cuda.on_stream(0, None):
        pass


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("settings", [{}, {"trainable_mel": True}, {"trainable_mel": True, "trainable_stft": True}])
def test_numbers_and_gradients_are_those_of_the_cpu(settings):
    module = Module(aa.MelSpectrogram(sr=8000, n_fft=256, n_mels=20, scale="log", **settings)).double()
    x = torch.randn(2, 4000, dtype=torch.float64, requires_grad=True)
    S = module(x)
    S.square().mean().backward()
    expected = [S.detach(), x.grad, *(p.grad for p in module.parameters())]
    there = Module(module.transform).double().cuda()
    y = x.detach().cuda().requires_grad_()
    other = torch.cuda.Stream()
    other.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(other):
        T = there(y * 1)
        T.square().mean().backward()
    torch.cuda.synchronize()
    assert T.is_cuda
    for ours, right in zip([T.detach(), y.grad, *(p.grad for p in there.parameters())], expected, strict=True):
        assert relative_error(ours.cpu(), right) < 1e-10
    if settings:
        with pytest.raises(aa.BackendError, match="signal is on cpu and bank on cuda:0"):
            there(x)
