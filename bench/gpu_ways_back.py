"""What the GPU benchmark times besides spectra: ways back, constant-Q, gradients and a step of training."""

from collections.abc import Callable, Iterator
from typing import Any

import cupy
import numpy as np

import arrayaudio as aa
from bench.gpu_contenders import (
    Frames,
    auvux_with_gpu,
    nnaudio_layer,
    torch_forward,
    torch_with_gpu,
    torchaudio_layer,
    transform,
    without_gradients,
)
from bench.gpu_timing import Call
from bench.gpu_workloads import Clips, Sizes, Workload, exact_stft, fft_operations


def spectra_of(clips: Clips, f: Frames, kind: str) -> Callable[[], list[Any]]:
    """Inputs that are spectra of noise."""
    return lambda: [transform(f, kind)(y) for y in clips.noise()]


def inverse(clips: Clips, f: Frames) -> Workload:
    """The inverse STFT."""
    length, options = clips.n_samples, {"n_fft": f.n_fft, "hop_length": f.hop_length}

    def by_torch() -> Call:
        torch = torch_with_gpu()
        window = torch.from_numpy(f.window()).float().cuda()
        return Call(
            without_gradients(lambda X: torch.istft(X, f.n_fft, f.hop_length, window=window, length=length)),
            library="torch",
        )

    def by_auvux() -> Call:
        dsp = auvux_with_gpu()
        return Call(lambda X: dsp.istft(X, sr=f.sr, **options, length=length, backend="cuda"), library="torch")

    def exact(X: np.ndarray) -> np.ndarray:
        """Windowed, added up, and divided by the squared windows, for frames of a signal padded with zeros."""
        frames = np.fft.irfft(X.astype(np.complex128).swapaxes(-1, -2), f.n_fft) * f.window()
        added = np.zeros((len(X), (X.shape[-1] - 1) * f.hop_length + f.n_fft))
        squares = np.zeros(added.shape[-1])
        for t in range(X.shape[-1]):
            here = slice(t * f.hop_length, t * f.hop_length + f.n_fft)
            added[:, here] += frames[:, t]
            squares[here] += f.window() ** 2
        here = slice(f.n_fft // 2, f.n_fft // 2 + length)
        return added[:, here] / squares[here]

    n_frames = clips.n_frames(f)
    return Workload(
        "inverse STFT, " + shape_of(clips, f),
        spectra_of(clips, f, "complex"),
        {
            "arrayaudio": lambda: Call(lambda X: aa.istft(X, hop_length=f.hop_length, length=length)),
            "torch.istft": by_torch,
            "auvux-dsp": by_auvux,
        },
        exact,
        4 * (clips.count * length + 2 * n_frames * f.bins),
        n_frames * (fft_operations(f) + f.n_fft),
    )


def griffin_lim(clips: Clips, f: Frames, n_iter: int) -> Workload:
    """One iteration of fast Griffin-Lim: a search less one that takes no step, from phases of zero.

    Libraries pad in different ways, so the error is how far the magnitudes reached are from those that were asked for.
    """
    length = (clips.n_samples // f.hop_length) * f.hop_length

    def reached(y: Any) -> Any:
        return transform(f, "magnitude")(cupy.asarray(y))

    def by_arrayaudio(n: int) -> Callable[[], Call]:
        options: dict[str, Any] = {"n_iter": n, "hop_length": f.hop_length, "init": None, "length": length}
        return lambda: Call(lambda S: aa.griffinlim(S, **options), shown=reached)

    def by_torchaudio(n: int) -> Callable[[], Call]:
        def make() -> Call:
            torch = torch_with_gpu()
            from torchaudio import functional

            window = torch.from_numpy(f.window()).float().cuda()
            return Call(
                without_gradients(
                    lambda S: functional.griffinlim(
                        S, window, f.n_fft, f.hop_length, f.n_fft, 1.0, n, 0.99, length, False
                    )
                ),
                library="torch",
                shown=reached,
            )

        return make

    def by_nnaudio(n: int) -> Callable[[], Call]:
        def make() -> Call:
            layer = nnaudio_layer("Griffin_Lim", n_fft=f.n_fft, n_iter=n, hop_length=f.hop_length, device="cuda")
            return Call(without_gradients(layer), library="torch", shown=reached)

        return make

    n_frames, makers = clips.n_frames(f), {"arrayaudio": by_arrayaudio, "torchaudio": by_torchaudio}
    makers["nnAudio"] = by_nnaudio
    return Workload(
        "iteration of Griffin-Lim, " + shape_of(clips, f),
        spectra_of(clips, f, "magnitude"),
        {who: make(n_iter) for who, make in makers.items()},
        lambda S: S,
        4 * (3 * clips.count * length + n_frames * f.bins),
        n_frames * (2 * fft_operations(f) + 10 * f.bins),
        n_iter,
        {who: make(0) for who, make in makers.items()},
    )


def constant_q(clips: Clips, f: Frames) -> Workload:
    """84 bins of a constant-Q transform, as magnitudes; exact by sums over kernels in double precision."""
    options: dict[str, Any] = {"sr": f.sr, "hop_length": f.hop_length}

    def by_auvux() -> Call:
        dsp = auvux_with_gpu()
        return Call(lambda y: dsp.cqt(y, **options, output="magnitude", backend="cuda"), library="torch")

    def by_nnaudio() -> Call:
        layer = nnaudio_layer("CQT", **options, verbose=False, pad_mode="constant", output_format="Magnitude")
        return Call(without_gradients(layer), library="torch")

    layer = aa.CQT(**options, output="magnitude")
    direct = aa.CQT(**options, output="magnitude", method="1992v2")
    n_fft = 2 ** int(np.ceil(np.log2(clips.n_samples)))
    return Workload(
        "CQT magnitude, 84 bins, " + shape_of(clips, f),
        clips.noise,
        {
            "arrayaudio": lambda: Call(layer, lambda y, out: layer(y, out=out)),
            "nnAudio": by_nnaudio,
            "auvux-dsp": by_auvux,
        },
        lambda y: np.asarray(direct(y.astype(np.float64))),
        4 * (clips.count * clips.n_samples + clips.n_frames(f) * 84),
        clips.count * int(2.5 * n_fft * np.log2(n_fft)),  # of the one long FFT that it takes at least
    )


def gradient(clips: Clips, f: Frames) -> Workload:
    """The gradient, with respect to the signal, of a mel spectrogram times fixed noise."""
    shape = (f.n_mels, 1 + clips.n_samples // f.hop_length)
    weights = np.random.default_rng(1).standard_normal(shape).astype(np.float32)

    def by_arrayaudio() -> Call:
        layer, given = transform(f, "mel"), cupy.asarray(weights)
        return Call(aa.grad(lambda y: (layer(y) * given).sum()))

    def of_torch(make: Callable[[], Callable[[Any], Any]]) -> Callable[[], Call]:
        def made() -> Call:
            torch, layer = torch_with_gpu(), make()
            given = torch.from_numpy(weights).cuda()

            def call(y: Any) -> Any:
                y = y.detach().requires_grad_()
                return torch.autograd.grad((layer(y) * given).sum(), y)[0]

            return Call(call, library="torch")

        return made

    def auvux_layer() -> Callable[[Any], Any]:
        dsp, options = auvux_with_gpu(), {"n_fft": f.n_fft, "hop_length": f.hop_length, "n_mels": f.n_mels}
        return lambda y: dsp.mel_spectrogram(y, sr=f.sr, **options, backend="cuda")

    def exact(y: np.ndarray) -> np.ndarray:
        """The adjoint of the STFT, of 2 X times the weights of its power; all but the outer bins stand for two."""
        X = exact_stft(y, f) * (2 * f.bank().T @ weights)
        X[:, 1:-1] /= 2
        frames = f.n_fft * np.fft.irfft(X.swapaxes(-1, -2), f.n_fft) * f.window()
        added = np.zeros((len(y), (X.shape[-1] - 1) * f.hop_length + f.n_fft + y.shape[-1]))
        for t in range(X.shape[-1]):
            added[:, t * f.hop_length : t * f.hop_length + f.n_fft] += frames[:, t]
        return added[:, f.n_fft // 2 : f.n_fft // 2 + y.shape[-1]]

    options = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode, "sr": f.sr, "n_mels": f.n_mels}
    n_frames = clips.n_frames(f)
    return Workload(
        "gradient of a mel loss by the signal, " + shape_of(clips, f),
        clips.noise,
        {
            "arrayaudio": by_arrayaudio,
            "torch.stft": of_torch(lambda: torch_forward(f, "mel")),
            "torchaudio": of_torch(lambda: torchaudio_layer(f, "mel")),
            "nnAudio": of_torch(lambda: nnaudio_layer("MelSpectrogram", **options, verbose=False)),
            "auvux-dsp": of_torch(auvux_layer),
        },
        exact,
        4 * (2 * clips.count * clips.n_samples + n_frames * f.n_mels),
        2 * n_frames * fft_operations(f),
    )


def training(clips: Clips, f: Frames) -> Workload:
    """Forward and backward through a magnitude STFT whose basis is learned; the result is the gradient of the basis."""
    shape = (f.bins, 1 + clips.n_samples // f.hop_length)
    weights = np.random.default_rng(1).standard_normal(shape).astype(np.float32)

    def by_arrayaudio() -> Call:
        layer = aa.STFT(n_fft=f.n_fft, hop_length=f.hop_length, trainable=True, output="magnitude").to("cuda")
        params, given = {name: cupy.asarray(x, np.float32) for name, x in layer.params.items()}, cupy.asarray(weights)
        (name,) = params

        def call(y: Any) -> Any:
            return aa.value_and_grad(lambda p: (layer.with_params(p)(y) * given).sum())(params)[1][name]

        return Call(call)

    def by_nnaudio() -> Call:
        torch = torch_with_gpu()
        frames = {"n_fft": f.n_fft, "hop_length": f.hop_length, "pad_mode": f.pad_mode}
        layer = nnaudio_layer("STFT", **frames, trainable=True, verbose=False, output_format="Magnitude")
        given = torch.from_numpy(weights).cuda()

        def call(y: Any) -> Any:
            cosines, sines = torch.autograd.grad((layer(y) * given).sum(), [layer.wcos, layer.wsin])
            return torch.stack([cosines[:, 0], -sines[:, 0]])

        return Call(call, library="torch")

    def by_torch() -> Call:
        torch = torch_with_gpu()
        basis, given = torch.from_numpy(fourier_basis(f)).float().cuda()[:, :, None], torch.from_numpy(weights).cuda()
        basis.requires_grad_()

        def call(y: Any) -> Any:
            padded = torch.nn.functional.pad(y[:, None], (f.n_fft // 2, f.n_fft // 2))
            re, im = (torch.nn.functional.conv1d(padded, part, stride=f.hop_length) for part in basis)
            return torch.autograd.grad((torch.sqrt(re**2 + im**2) * given).sum(), basis)[0][:, :, 0]

        return Call(call, library="torch")

    def exact(y: np.ndarray) -> np.ndarray:
        X = exact_stft(y, f)
        G = X / np.abs(X) * weights
        padded = np.pad(y.astype(np.float64), [(0, 0), (f.n_fft // 2, f.n_fft // 2)])
        frames = np.lib.stride_tricks.sliding_window_view(padded, f.n_fft, axis=-1)[:, :: f.hop_length]
        return np.stack([np.einsum("bft,bts->fs", part, frames, optimize=True) for part in (G.real, G.imag)])

    n_frames = clips.n_frames(f)
    return Workload(
        "training step of a Fourier basis, " + shape_of(clips, f),
        clips.noise,
        {"arrayaudio": by_arrayaudio, "nnAudio": by_nnaudio, "torch conv1d": by_torch},
        exact,
        4 * (clips.count * clips.n_samples + 2 * 2 * f.bins * f.n_fft),
        2 * 2 * n_frames * 2 * f.bins * f.n_fft,
        of_part=True,
    )


def fourier_basis(f: Frames) -> np.ndarray:
    """Real and imaginary parts of the windowed kernels: (2, freq, n_fft)."""
    turns = -2 * np.pi * np.outer(np.arange(f.bins), np.arange(f.n_fft)) / f.n_fft
    return np.stack([np.cos(turns), np.sin(turns)]) * f.window()


def shape_of(clips: Clips, f: Frames) -> str:
    """The batch in words."""
    return f"{clips.count} clips of {clips.n_samples / f.sr:.3g} s"


def workloads(sizes: Sizes) -> Iterator[Workload]:
    """All of them."""
    g1, f = sizes.g1, sizes.frames
    yield inverse(g1, f)
    yield griffin_lim(g1, f, sizes.iterations)
    yield constant_q(g1, f)
    yield gradient(g1, f)
    yield training(g1, f)
