"""The GPU benchmark runs through, and what it compares computes the same."""

import json

import numpy as np
import pytest
import torch

from .tolerances import SPECTRUM


def test_a_trial_in_small(gpu, monkeypatch, tmp_path, capsys):
    from arrayaudio.kernels.gpu import loader
    from bench import gpu as benchmark
    from bench import gpu_figure

    if hasattr(loader.cupy.cuda.Device, "shared_bytes"):  # the stand-in: other tests are about orders of threads
        from .stand_in import kernels

        monkeypatch.setattr(kernels, "schedules", ("shuffle",))
    monkeypatch.setenv("OUT", str(tmp_path))
    benchmark.main(["--smoke"])
    assert str(tmp_path) in capsys.readouterr().out
    (path,) = tmp_path.glob("gpu-*.json")
    gpu_figure.main(path.stem.removeprefix("gpu-"), tmp_path)
    assert path.with_suffix(".png").stat().st_size > 50000
    results = json.loads(path.read_text())["results"]
    assert len(results) == 14
    for name, result in results.items():
        ours = result["contenders"]["arrayaudio"]
        assert ours["us"] > 0
        assert 0 < ours["of_floor"] < 1
        assert ours["error"] < (1 if "Griffin" in name else SPECTRUM["float32"])
        assert all("us" in row or row["failed"] for row in result["contenders"].values())


@pytest.fixture
def on_cpu(gpu, monkeypatch):
    """The contenders of torch, as if the CPU were a GPU."""
    from bench import gpu_contenders, gpu_ways_back

    for module in (gpu_contenders, gpu_ways_back):
        monkeypatch.setattr(module, "torch_with_gpu", lambda: torch)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda self: self)


def workloads():
    from bench import gpu_ways_back, gpu_workloads

    for make in (gpu_workloads.of_clips, gpu_ways_back.workloads, gpu_workloads.elsewhere):
        yield from make(gpu_workloads.SMALL)


def test_peers_compute_the_same(on_cpu, gpu):
    met = set()
    for workload in workloads():
        x = gpu.to_numpy(workload.inputs()[0])
        exact = workload.exact(x)
        for who in {"torch.stft", "torch.istft", "torch conv1d", "nnAudio"} & workload.contenders.keys():
            if "Griffin" in workload.name or (who == "nnAudio" and "CQT" in workload.name):
                continue  # made of random phases, and to another accuracy
            result = workload.contenders[who]().fresh(torch.from_numpy(x)).detach().numpy()
            assert np.linalg.norm(result - exact) < 1e-5 * np.linalg.norm(exact), (workload.name, who)
            met.add(who)
    assert len(met) == 4
