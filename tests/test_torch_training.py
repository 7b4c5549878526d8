"""PyTorch modules where models are trained: nnAudio's models, worker processes, several processes, compiled models."""

import inspect
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from nnAudio import features
from torch import nn

import arrayaudio as aa
from arrayaudio.compat import nnaudio
from arrayaudio.compat.nnaudio import torch as modules
from arrayaudio.ext.torch import Module

from .nnaudio_peer import run, theirs
from .test_compat_nnaudio import SMALL
from .tolerances import relative_error

pytestmark = pytest.mark.slow

SR = 8000


class Model(nn.Module):
    """The model of nnAudio's paper: a spectrogram on the fly, its logarithm, two convolutions, linear, sigmoid."""

    def __init__(self, layers, n_fft=256, channels=4, n_notes=3, **options):
        super().__init__()
        self.spec_layer = layers.STFT(
            n_fft=n_fft,
            freq_bins=None,
            hop_length=128,
            window="hann",
            freq_scale="no",
            center=True,
            pad_mode="reflect",
            fmin=50,
            fmax=4000,
            sr=SR,
            output_format="Magnitude",
            **options,
        )
        self.along_frequency = nn.Conv2d(1, channels, kernel_size=(32, 1), stride=(4, 1))
        self.along_time = nn.Conv2d(channels, channels, kernel_size=(1, 3), stride=(1, 2))
        self.linear = nn.Linear(channels * (1 + (n_fft // 2 + 1 - 32) // 4), n_notes, bias=False)

    def forward(self, x):
        z = torch.log(self.spec_layer(x) + 1e-10)
        z = torch.relu(self.along_frequency(z.unsqueeze(1)))
        z = torch.relu(self.along_time(z)).mean(-1)
        return torch.sigmoid(self.linear(torch.flatten(z, 1)))


def chords(n_items):
    """Sums of some of three tones in noise, and which of them they are of."""
    rng = np.random.default_rng(0)
    t, notes = np.arange(SR // 2) / SR, rng.integers(0, 2, (n_items, 3))
    tones = np.sin(2 * np.pi * np.array([[300.0], [700.0], [1600.0]]) * t)
    x = notes @ tones + 0.1 * rng.standard_normal((n_items, t.size))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(notes, dtype=torch.float32)


def trained(model, steps=60):
    x, notes = chords(16)
    adam, losses = torch.optim.Adam(model.parameters(), lr=3e-3), []
    for _ in range(steps):
        adam.zero_grad()
        loss = nn.functional.binary_cross_entropy(model(x), notes)
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


class TestModelsOfNnaudio:
    def test_the_model_trains_as_it_is_with_the_same_losses(self):
        found = []
        for layers, quiet in ((modules, {"verbose": False}), (features, {"verbose": False})):
            torch.manual_seed(0)
            found.append(trained(Model(layers, **quiet)))
        ours, theirs = found
        assert ours[-1] < 0.5 * ours[0]
        assert ours == pytest.approx(theirs, rel=1e-2)

    def test_kernels_of_the_spectrogram_learn(self):
        torch.manual_seed(0)
        model = Model(modules, trainable=True)
        before = model.spec_layer.basis.detach().clone()
        losses = trained(model)
        assert losses[-1] < 0.5 * losses[0]
        assert relative_error(model.spec_layer.basis.detach(), before) > 1e-3

    @pytest.mark.parametrize("name", SMALL)
    def test_numbers_are_those_of_the_arrays_classes(self, name, rng):
        x = rng.standard_normal((2, 4000)).astype(np.float32)
        expected, found = (getattr(home, name)(**SMALL[name])(kind(x)) for home, kind in HOMES)
        for ours, right in zip(*((r if isinstance(r, tuple) else (r,)) for r in (found, expected)), strict=True):
            np.testing.assert_array_equal(ours.numpy(), right)

    @pytest.mark.parametrize("name", SMALL)
    def test_waveforms_have_gradients(self, name, rng):
        x = torch.tensor(rng.standard_normal((2, 4000)).astype(np.float32), requires_grad=True)
        results = getattr(modules, name)(**SMALL[name])(x)
        sum(part.square().mean() for part in (results if isinstance(results, tuple) else (results,))).backward()
        assert x.grad.isfinite().all()
        assert x.grad.any()

    def test_gradients_are_nnaudios(self, rng):
        x = rng.standard_normal((2, 4000)).astype(np.float32)
        options = {"n_fft": 256, "hop_length": 64, "output_format": "Magnitude", "trainable": True, "verbose": False}
        ours, peer = modules.STFT(**options), theirs("STFT", **options)
        weights = torch.randn(2, 129, 63)
        for layer in (ours, peer):
            (layer(torch.from_numpy(x)) * weights).sum().backward()
        expected = torch.stack([peer.wcos.grad[:, 0], -peer.wsin.grad[:, 0]])
        assert relative_error(ours.basis.grad, expected) < 1e-5

    def test_calls_and_the_way_back_take_nnaudios_arguments(self, rng):
        x = torch.from_numpy(rng.standard_normal((2, 4000)).astype(np.float32))
        layer = modules.STFT(n_fft=256, iSTFT=True, verbose=False)
        pairs = layer(x, output_format="Complex")
        assert relative_error(pairs, run(theirs("STFT", n_fft=256, verbose=False), x)) < 1e-5
        assert relative_error(layer.inverse(pairs, length=4000), x) < 1e-5
        assert relative_error(modules.iSTFT(n_fft=256)(pairs, True, length=4000), x) < 1e-5
        assert modules.Griffin_Lim(256, n_iter=2, device="cpu")(layer(x, "Magnitude"), length=4000).shape == (2, 4000)
        C = modules.CQT1992v2(**SMALL["CQT"])(x, output_format="Complex", normalization_type="wrap")
        assert C.shape == (2, 24, 63, 2)

    @pytest.mark.parametrize("name", modules.__all__)
    def test_classes_have_the_names_and_arguments_of_those_for_arrays(self, name):
        assert inspect.signature(getattr(modules, name)) == inspect.signature(getattr(nnaudio, name))
        assert issubclass(getattr(modules, name), Module)

    def test_layers_say_what_they_are_and_pickle(self):
        layer = modules.CQT(**SMALL["CQT"], trainable=True)
        assert layer.frequencies[0] == pytest.approx(200)
        assert modules.STFT(n_fft=64, sr=6400).bins2freq[1] == 100
        with pytest.raises(AttributeError, match="no attribute 'frequency'"):
            _ = layer.frequency
        again, x = pickle.loads(pickle.dumps(layer)), torch.randn(1, 4000)
        assert torch.equal(again(x), layer(x))


HOMES = ((nnaudio, np.asarray), (modules, torch.from_numpy))


class TestCompiledModels:
    @pytest.fixture(autouse=True)
    def fresh(self):
        torch._dynamo.reset()
        torch.manual_seed(0)

    # Where it breaks off, torch looks at gradients of tensors that are no leaves.
    @pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
    @pytest.mark.parametrize("trainable", [False, True])
    def test_they_break_off_and_go_on_with_the_same_numbers(self, trainable):
        from torch._dynamo.testing import CompileCounter

        model, x = Model(modules, trainable=trainable), chords(4)[0]
        expected = model(x)
        expected.sum().backward()
        gradients = [p.grad.clone() for p in model.parameters()]
        model.zero_grad()
        counter = CompileCounter()
        for backend in ("eager", counter):
            torch._dynamo.reset()
            compiled = torch.compile(model, backend=backend)
            with torch.no_grad():
                assert relative_error(compiled(x), expected.detach()) < 1e-6
            found = compiled(x)
            found.sum().backward()
            assert relative_error(found.detach(), expected.detach()) < 1e-6
            for p, gradient in zip(model.parameters(), gradients, strict=True):
                assert relative_error(p.grad, gradient) < 1e-5
            model.zero_grad()
        assert counter.op_count >= 8  # all that comes behind the spectrogram

    def test_whole_graphs_are_refused(self):
        module, x = Module(aa.STFT(n_fft=64)), torch.randn(300)
        with pytest.raises(torch._dynamo.exc.Unsupported):
            torch.compile(module, backend="eager", fullgraph=True)(x)
        with pytest.raises(aa.BackendError, match="leave this module out"):
            torch.export.export(module, (x,))

    def test_a_module_alone_is_run_as_it_is(self):
        module, x = Module(aa.STFT(n_fft=64)), torch.randn(300)
        assert torch.equal(torch.compile(module, backend="eager")(x), module(x))


def run_script(tmp_path, script, *arguments, **environment):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))
    # Python 3.12 and later warn of all forks of processes with threads, which NumPy has from its import on.
    command = [sys.executable, "-W", "error", "-W", "ignore:This process", str(path), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def finished(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


LOADER = """
    import sys
    import torch
    import arrayaudio as aa
    from arrayaudio.ext.torch import Module

    class Clips(torch.utils.data.Dataset):
        def __init__(self):
            self.mel = Module(aa.MelSpectrogram(sr=8000, n_fft=256, n_mels=20, scale="log"))

        def __len__(self):
            return 12

        def __getitem__(self, k):
            return k, self.mel(self.waveform(k))

        def waveform(self, k):
            return torch.randn(4000, generator=torch.Generator().manual_seed(k))

    if __name__ == "__main__":
        clips = Clips()
        clips[0]  # threads are at work before processes fork
        options = {"multiprocessing_context": sys.argv[1]}
        loader = torch.utils.data.DataLoader(clips, batch_size=4, num_workers=2, **options)
        for _ in range(2):
            for numbers, S in loader:
                for k, one in zip(numbers.tolist(), S):
                    assert torch.equal(one, clips.mel(clips.waveform(k))), k
        # Results as they are, which share their memory with arrays.
        for k, S in torch.utils.data.DataLoader(clips, batch_size=None, num_workers=1, **options):
            assert torch.equal(S, clips[int(k)][1])
        print("done")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_loaders_compute_spectrograms(method, tmp_path):
    assert finished(run_script(tmp_path, LOADER, method)).strip() == "done"


DISTRIBUTED = """
    import os
    import torch
    import torch.distributed as dist
    import arrayaudio as aa
    from arrayaudio.ext.torch import Module

    rank = int(os.environ["RANK"])
    dist.init_process_group("gloo", init_method=os.environ["MEETING"], rank=rank, world_size=2)
    model = Module(aa.MelSpectrogram(sr=8000, n_fft=256, n_mels=20, trainable_mel=True))
    with torch.no_grad():
        model.bank.add_(rank)  # which the first process overrules
    x = torch.randn(4, 4000, generator=torch.Generator().manual_seed(0))
    together = torch.nn.parallel.DistributedDataParallel(model)
    for _ in range(2):
        together.zero_grad()
        together(x[2 * rank : 2 * rank + 2]).log1p().mean().backward()
    alone = Module(aa.MelSpectrogram(sr=8000, n_fft=256, n_mels=20, trainable_mel=True))
    alone(x).log1p().mean().backward()
    error = (model.bank.grad - alone.bank.grad).norm() / alone.bank.grad.norm()
    print(float(error))
    dist.destroy_process_group()
"""


def test_processes_share_the_mean_of_their_gradients(tmp_path):
    meeting = {"MEETING": (tmp_path / "meeting").as_uri(), "GLOO_SOCKET_IFNAME": "lo"}
    both = [run_script(tmp_path, DISTRIBUTED, RANK=rank, **meeting) for rank in ("0", "1")]
    for process in both:
        assert float(finished(process)) < 1e-6
