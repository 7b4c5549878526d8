"""Gradients of every public transform, feature and way back: central differences, and PyTorch's autograd."""

import gc
import tracemalloc

import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio.arrays import dtype_name

from . import naive_constant_q
from .tolerances import assert_same_levels, assert_same_spectrum

SR = 8000
y = np.random.default_rng(7).standard_normal(1500)
X = aa.stft(y, n_fft=64)
S = np.abs(X)
MEL = aa.melspectrogram(y, sr=SR, n_fft=128, n_mels=10)
NOTES = {"sr": SR, "fmin": 500}
WIDE = {"sr": SR, "fmin": 1500, "bins_per_octave": 1, "hop_length": 2}  # well conditioned
LOG = {"sr": SR, "freq_scale": "log", "fmin": 100.0, "freq_bins": 30}

OF_SIGNALS = {
    "stft": [{"n_fft": n, "output": output} for n in (64, 51) for output in ("complex", "magnitude", "power", "phase")]
    + [
        {"n_fft": 64, "pad_mode": mode}
        for mode in ("constant", "reflect", "edge", "wrap", "linear_ramp", "mean", "median")
    ]
    + [
        {"n_fft": 64, "hop_length": 7, "center": False, "window": "blackman"},
        {"n_fft": 64, "win_length": 33, "window": ("kaiser", 6.0)},
        {"n_fft": 64, **LOG},
        {"n_fft": 64, **LOG, "freq_scale": "linear", "output": "power"},
    ],
    "spectrogram": [{"n_fft": 64}, {"n_fft": 64, "output": "magnitude"}],
    "melspectrogram": [
        {"sr": SR, "n_fft": 128, "n_mels": 10, "scale": scale, "power": power}
        for scale in (None, "db", "log", "log10")
        for power in (1.0, 2.0, 1.3)
    ],
    "mfcc": [{"sr": SR, "n_fft": 128, "n_mels": 10, "n_mfcc": 5, "lifter": lifter} for lifter in (0, 3)],
    "lfcc": [{"sr": SR, "n_fft": 128, "n_filter": 10, "n_lfcc": 5}],
    "gammatonegram": [{"sr": SR, "n_fft": 128}],
    "gammatone_filterbank": [{"sr": SR, "n_bands": 4}],
    "cfp": [{"sr": SR, "n_fft": 256}],
    "chroma_stft": [{"sr": SR, "n_fft": 256, "norm": norm} for norm in (np.inf, 2, 1, None)],
    "cqt": [
        {**NOTES, "n_bins": 24, "method": method, "output": output}
        for method in ("auto", "1992", "1992v2", "2010", "2010v2")
        for output in ("complex", "magnitude", "phase")
    ],
    "vqt": [{**NOTES, "n_bins": 24, "output": "power"}, {**NOTES, "n_bins": 24, "gamma": 5.0}],
    "hybrid_cqt": [{**NOTES, "n_bins": 24, "hop_length": 128}],
    "pseudo_cqt": [{**NOTES, "n_bins": 24, "hop_length": 128}],
    "chroma_cqt": [{**NOTES, "n_octaves": 2}],
    "reassigned_spectrogram": [{"sr": SR, "n_fft": 64}],
    "rms": [{"frame_length": 64, "hop_length": 16}],
    "zero_crossing_rate": [{"frame_length": 64}],
    "spectral_centroid": [{"sr": SR, "n_fft": 128}],
    "spectral_bandwidth": [{"sr": SR, "n_fft": 128}],
    "spectral_rolloff": [{"sr": SR, "n_fft": 128}],
    "spectral_flatness": [{"n_fft": 128}],
    "spectral_contrast": [{"sr": SR, "n_fft": 256, "n_bands": 3, "fmin": 500}],
    "resample": [{"orig_sr": 8000, "target_sr": rate} for rate in (5000, 16000, 7999)],
    "preemphasis": [{}],
    "deemphasis": [{}],
    "harmonic": [{"n_fft": 64}],
    "percussive": [{"n_fft": 64}],
    "time_stretch": [{"rate": rate, "n_fft": 64} for rate in (1.3, 0.7)],
    "adaptive_stft": [{"win_length": 40.0, "hop_length": 16.0, "n_fft": 64}],
    "adaptive_melspectrogram": [{"sr": SR, "win_length": 40.3, "hop_length": 16.7, "n_fft": 64, "n_mels": 5}],
}
OF_SPECTRA = {
    "istft": (X, [{}, {"length": 1400}, {"center": False}]),
    "icqt": (aa.cqt(y[:300], **WIDE, n_bins=2), [{**WIDE, "length": 300, "tolerance": 1e-12}]),
    "griffinlim": (S, [{"n_iter": 3, "seed": 0}, {"n_iter": 1, "seed": 0, "momentum": 0.0}]),
    "griffinlim_cqt": (aa.cqt(y, **NOTES, n_bins=24, output="magnitude"), [{**NOTES, "n_iter": 2, "seed": 0}]),
    "mel_to_stft": (MEL, [{"sr": SR, "n_fft": 128}]),
    "mel_to_audio": (MEL, [{"sr": SR, "n_fft": 128, "n_iter": 2, "seed": 0}]),
    "mfcc_to_mel": (aa.mfcc(y, sr=SR, n_fft=128, n_mels=10, n_mfcc=5), [{"n_mels": 10}]),
    "phase_vocoder": (X, [{"rate": 1.3}]),
    "hpss": (S, [{}, {"power": 1.0, "margin": 2.0}]),
    "delta": (S, [{}, {"order": 2, "mode": "nearest"}, {"width": 5, "mode": "mirror"}]),
    "pcen": (MEL, [{"sr": SR}, {"sr": SR, "power": 0.0}]),
    "power_to_db": (S, [{}, {"ref": np.max, "top_db": 20.0}]),
    "amplitude_to_db": (S, [{}, {"ref": 0.5}]),
    "db_to_power": (X.real, [{}]),
    "db_to_amplitude": (X.real, [{"ref": 2.0}]),
}
WITHOUT = {"pghi"}  # decides from bin to bin which phase to follow
OTHERS = {"scales", "notes", "times", "arrays", "pcm", "windows", "warming", "versions", "gammatone_bank"}
OTHERS |= {"measuring"}
TESTED_BY_THEMSELVES = ("autodiff", "kernels", "ext", "streaming", "augmentation")


def test_every_function_of_signals_and_spectra_has_a_case():
    homes = {name: home for name, home in aa._HOME.items() if name[0].islower()}
    ours = {
        name
        for name, home in homes.items()
        if home not in OTHERS and home.partition(".")[0] not in TESTED_BY_THEMSELVES
    }
    assert ours == {*OF_SIGNALS, *OF_SPECTRA, *WITHOUT}


@pytest.mark.parametrize(("name", "options"), [(n, o) for n, some in OF_SIGNALS.items() for o in some], ids=str)
def test_gradients_of_signals(name, options):
    aa.check_grads(lambda y: getattr(aa, name)(y, **options), y)


@pytest.mark.parametrize(("name", "x", "options"), [(n, x, o) for n, (x, more) in OF_SPECTRA.items() for o in more])
def test_gradients_of_spectra(name, x, options):
    aa.check_grads(lambda x: getattr(aa, name)(x, **options), x)


@pytest.mark.parametrize(
    ("transform", "options"),
    [
        (aa.STFT(n_fft=64, hop_length=16), {}),
        (aa.STFT(n_fft=64, **LOG), {"n_iter": 4, "tolerance": None}),
        (aa.NSGT(sr=SR, fmin=300), {}),
        (aa.CQT(**NOTES, n_bins=24, hop_length=32), {"n_iter": 3, "tolerance": None}),
        (aa.CQT(**WIDE, n_bins=2), {"tolerance": 1e-12}),
        (aa.VQT(**NOTES, n_bins=24, hop_length=32), {"n_iter": 3, "tolerance": None}),
    ],
    ids=lambda x: type(x).__name__ if x else None,
)
def test_gradients_through_transforms_and_their_inverses(transform, options):
    aa.check_grads(lambda y: transform(transform.inverse(transform(y) ** 2, **options)), 0.1 * y)


def test_batches_are_differentiated_item_by_item():
    batch = np.random.default_rng(3).standard_normal((2, 3, 400))

    def loss(y):
        return np.sum(aa.mfcc(y, sr=SR, n_fft=128, n_mels=10, n_mfcc=5) ** 2)

    together = aa.grad(loss)(batch)
    alone = [[aa.grad(loss)(row) for row in item] for item in batch]
    assert_same_spectrum(together, alone)


def test_phase_gradient_integration_has_no_gradient():
    with pytest.raises(aa.DifferentiationError):
        aa.grad(lambda S: np.sum(aa.pghi(S) ** 2))(S)


# against PyTorch


def both(ours, theirs, x):
    """Value and gradient by our tape and by PyTorch's."""
    value, gradient = aa.value_and_grad(ours)(x)
    leaf = torch.tensor(x, requires_grad=True)
    loss = theirs(leaf)
    loss.backward()
    assert_same_spectrum(value, loss.detach().numpy())
    return gradient, leaf.grad.numpy()


def torch_stft(y, n_fft, hop, **options):
    window = torch.hann_window(n_fft, dtype=torch.float64)
    options = {"center": True, "pad_mode": "constant"} | options
    return torch.stft(y, n_fft, hop, window=window, return_complex=True, **options)


@pytest.mark.parametrize("options", [{}, {"pad_mode": "reflect"}, {"center": False}], ids=str)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(("n_fft", "hop"), [(256, 64), (101, 30)])
def test_stft_agrees_with_pytorch(n_fft, hop, power, options):
    output = {1: "magnitude", 2: "power"}[power]
    weights = np.random.default_rng(0).standard_normal((1 + n_fft // 2, 1))
    assert_same_spectrum(
        *both(
            lambda y: np.sum(weights * aa.stft(y, n_fft=n_fft, hop_length=hop, output=output, **options)),
            lambda y: (torch.tensor(weights) * torch_stft(y, n_fft, hop, **options).abs() ** power).sum(),
            y,
        )
    )


@pytest.mark.parametrize("log", [False, True])
def test_mel_agrees_with_pytorch(log):
    bank = torch.tensor(aa.filters.mel(sr=SR, n_fft=256, n_mels=20))
    transform = aa.MelSpectrogram(sr=SR, n_fft=256, hop_length=64, n_mels=20, scale="db" if log else None, top_db=None)

    def theirs(y):
        S = bank @ torch_stft(y, 256, 64).abs() ** 2
        return torch.mean((10 * torch.log10(S.clamp(min=1e-10)) if log else S) ** 2)

    assert_same_spectrum(*both(lambda y: np.mean(transform(y) ** 2), theirs, y))


def test_cqt_agrees_with_convolution_in_pytorch():
    options = {"sr": SR, "fmin": 500.0, "n_bins": 24, "bins_per_octave": 12}
    freqs = [naive_constant_q.frequency(k, 500.0, 12, 0.0) for k in range(24)]
    lengths = [naive_constant_q.kernel_length(f, SR, 12, 1.0, 0.0) for f in freqs]
    half = int(lengths[0]) // 2 + 1
    kernels = np.zeros((24, 2 * half), dtype=complex)
    for k, (f, length) in enumerate(zip(freqs, lengths, strict=True)):
        first, values = naive_constant_q.kernel(f, SR, length)
        kernels[k, half + first : half + first + len(values)] = np.conj(values) * np.sqrt(length)

    def theirs(y):
        padded = torch.nn.functional.pad(y, (half, half))[None, None]
        parts = (
            torch.nn.functional.conv1d(padded, torch.tensor(p)[:, None], stride=64)
            for p in (kernels.real, kernels.imag)
        )
        return torch.sum(torch.hypot(*parts)[..., : 1 + len(y) // 64])

    assert_same_spectrum(*both(lambda y: np.sum(aa.cqt(y, hop_length=64, output="magnitude", **options)), theirs, y))


@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_griffin_lim_agrees_with_pytorch(momentum):
    n_fft, hop, n_iter = 64, 16, 3
    window = torch.hann_window(n_fft, dtype=torch.float64)
    phases = np.random.default_rng(1).uniform(-np.pi, np.pi, S.shape)

    def istft(X):
        return torch.istft(X, n_fft, hop, window=window, center=True)

    def theirs(S):
        X, before = torch.polar(S, torch.tensor(phases)), None
        for _ in range(n_iter):
            now = torch_stft(istft(X), n_fft, hop)
            ahead = now + momentum * (now - (now if before is None else before))
            X, before = S * ahead / ahead.abs(), now
        return torch.sum(istft(X) ** 4)

    def ours(S):
        return np.sum(aa.griffinlim(S, n_iter=n_iter, hop_length=hop, init=phases, momentum=momentum) ** 4)

    assert_same_spectrum(*both(ours, theirs, S))


@pytest.mark.parametrize(
    "name", ["stft", "melspectrogram", "mfcc", "chroma_stft", "cqt", "rms", "spectral_centroid", "cfp"]
)
def test_gradients_are_the_same_on_every_library(name, library, dtype):
    options = OF_SIGNALS[name][1 if name == "stft" else 0]
    signal = y.astype(dtype)

    def gradient(x):
        value, pullback = aa.vjp(lambda x: getattr(aa, name)(x, **options), x)
        return pullback(value)[0]

    expected = gradient(signal.astype(np.float64))
    found = gradient(library.asarray(signal))
    assert dtype_name(found) == dtype
    assert_same_levels(library.to_numpy(found) / np.abs(expected).max(), expected / np.abs(expected).max(), dtype)


def test_gradients_of_many_transforms_in_turn_keep_each_adjoint_once():
    bands = [aa.MelSpectrogram(sr=SR, n_fft=101 + 2 * k, hop_length=500, n_mels=10) for k in range(40)]

    def each():
        for transform in bands:
            aa.grad(lambda y, transform=transform: transform(y).sum())(y)

    def traced_after_each():
        each()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    each()
    tracemalloc.start()
    try:
        before = traced_after_each()
        assert traced_after_each() - before < 20_000  # an adjoint takes 4000 bytes at least
    finally:
        tracemalloc.stop()
