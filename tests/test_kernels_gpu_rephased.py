"""The kernels of `rephased` and `gabor_multiplier`, from STFT to inverse STFT, against the references in float64."""

import dataclasses

import numpy as np
import pytest

from arrayaudio.constants import Constant
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.kernels.gpu import loader, overlap_add
from arrayaudio.kernels.gpu.gabor_multiplier import gabor_multiplier
from arrayaudio.kernels.gpu.rephased import rephased
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.plan import gabor_multiplier as multiplier_primitive
from arrayaudio.reconstruction.griffin_lim import rephased as rephased_primitive

from .emulator import EmulationError
from .tolerances import assert_same_spectrum

LENGTHS = [32, 48, 50, 64, 100, 240, 256, 400, 480, 512, 640, 1024, 2048, 4096]
MOMENTUM = 0.9


def window(n_fft):
    return Constant(np.hanning(n_fft + 1)[1:])


def weights(rng, y, framing):
    """Random values as large as bins of a signal, since the phases of weak ones are uncertain."""
    magnitudes = spectrogram.reference(y, Plan(framing, window(framing.frame_length), 1.0))
    return magnitudes * (0.5 + rng.random(magnitudes.shape))


def step(rng, shape, framing, dtype="float64"):
    """Arguments of `rephased`: two waveforms, magnitudes and gains."""
    y, previous = rng.standard_normal((2, *shape))
    S = weights(rng, y + MOMENTUM * (y - previous), framing)
    return [x.astype(dtype) for x in (y, previous, S, 0.5 + rng.random(shape[-1]))]


def stepped(call, arrays, framing):
    y, previous, S, gain = arrays
    return call(y, previous, S, framing, window(framing.frame_length), MOMENTUM, gain)


def run(gpu, arrays, framing):
    """The result of the kernel, which leaves its input as it is."""
    given = [gpu.asarray(x) for x in arrays]
    result = gpu.to_numpy(stepped(rephased, given, framing))
    for theirs, ours in zip(given, arrays, strict=True):
        np.testing.assert_array_equal(gpu.to_numpy(theirs), ours)
    return result


def check(gpu, arrays, framing):
    result, exact = run(gpu, arrays, framing), stepped(rephased_primitive.reference, map(np.float64, arrays), framing)
    assert result.dtype == arrays[0].dtype
    assert_same_spectrum(result, exact)


@pytest.mark.parametrize("n_fft", LENGTHS)
@pytest.mark.parametrize("odd", [0, 1])
def test_any_length(n_fft, odd, dtype, rng, gpu):
    """Frames that begin at even and at odd samples."""
    framing = Framing(n_fft, n_fft // 4 + odd, n_fft // 2, "reflect")
    check(gpu, step(rng, (2, 1 + framing.hop_length * 8), framing, dtype), framing)
    assert [(program.name, program.dtype) for program in gpu.launches] == [("rephased", dtype)]


@pytest.mark.parametrize("full", [1, 10**6])
@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize(
    ("shape", "n_fft", "hop", "padding"),
    [((50,), 32, 9, 16), ((2, 3, 321), 48, 5, 24), ((2, 65), 32, 1, 48), ((2, 241), 60, 30, 30), ((640,), 64, 32, 0)],
)
def test_any_padding_and_run(mode, shape, n_fft, hop, padding, full, rng, gpu, monkeypatch):
    monkeypatch.setattr(overlap_add, "FULL", full)
    monkeypatch.setattr(overlap_add, "MOST_BLOCKS", 5)
    framing = Framing(n_fft, hop, padding, mode)
    n_samples = (framing.n_frames(shape[-1]) - 1) * hop + n_fft - 2 * padding
    check(gpu, step(rng, (*shape[:-1], n_samples), framing, "float32"), framing)


def test_samples_do_not_depend_on_runs_tiles_and_mates(dtype, rng, gpu, monkeypatch):
    framing, results = Framing(64, 20, 32), []
    arrays = step(rng, (3, 1181), framing, dtype)
    for full in (1, 60, 10**6):
        monkeypatch.setattr(overlap_add, "FULL", full)
        y, previous, S, gain = arrays
        items = [run(gpu, [y[i], previous[i], S[i], gain], framing) for i in range(3)]
        results += [run(gpu, arrays, framing), np.stack(items)]
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def extreme(y):
    """Items whose powers are too small, and too large, for numbers, and silence."""
    far = 118 if y.dtype == np.float32 else 1000
    signals = np.ldexp(y, np.array([[-far], [far], [0]])).astype(y.dtype)
    signals[2] = 0
    return signals


def test_phases_of_numbers_whose_power_is_none(dtype, rng, gpu):
    framing = Framing(64, 16, 32)
    y, previous, S, gain = step(rng, (3, 641), framing, dtype)
    result, usual = (run(gpu, [*pair, S, gain], framing) for pair in ((extreme(y), extreme(previous)), (y, previous)))
    assert_same_spectrum(result[:2], usual[:2])
    silent = np.zeros(641), np.zeros(641), S[2].astype(float), gain.astype(float)
    assert_same_spectrum(result[2], stepped(rephased_primitive.reference, silent, framing), dtype)


def test_memory_of_any_layout(rng, gpu):
    framing = Framing(32, 8, 16)
    y, previous, S, gain = step(rng, (4, 3, 161), framing)
    given = [gpu.asarray(y)[::2, :, ::-1], gpu.asarray(previous)[::2], gpu.asarray(S)[::-2], gpu.asarray(gain)[::-1]]
    result = gpu.to_numpy(stepped(rephased, given, framing))
    np.testing.assert_array_equal(result, run(gpu, [gpu.to_numpy(x) for x in given], framing))
    assert stepped(rephased, [*(x[:0] for x in given[:3]), given[3]], framing).shape == (0, 3, 161)


@pytest.mark.parametrize("occurrence", range(7))
def test_each_barrier_is_needed(occurrence, rng, stand_in, monkeypatch):
    monkeypatch.setattr(overlap_add, "FULL", 1)
    framing = Framing(240, 60, 120)
    arrays = step(rng, (2401,), framing, "float32")
    check(stand_in, arrays, framing)
    whole = loader.Program.text.fget
    barrier = "__syncthreads();"

    def without(program):
        parts = whole(program).split(barrier)
        assert len(parts) == 8
        return barrier.join(parts[: occurrence + 1]) + barrier.join(parts[occurrence + 1 :])

    monkeypatch.setattr(loader.Program, "text", property(without))
    stand_in.unload()
    with pytest.raises(EmulationError, match="differs between the schedules"):
        run(stand_in, arrays, framing)


def test_what_it_does_not_cover_is_declined(rng, gpu):
    framing = Framing(64, 16, 32)
    for other in (
        dataclasses.replace(framing, pad_mode="mean"),
        Framing(63, 16, 32),
        Framing(2 * 67, 16, 67),
        Framing(64, 2**27),
        Framing(64, 40, 0),  # whose frames do not reach the end
    ):
        arrays = [gpu.asarray(x) for x in step(rng, (641,), other)]
        assert stepped(rephased, arrays, other) is NotImplemented
    y, previous, S, gain = (gpu.asarray(x) for x in step(rng, (2, 641), framing))
    for arrays in (
        (y, previous[0], S, gain),
        (y, previous, S[0], gain),
        (y, previous, S[..., 1:], gain),
        (y, previous, S, gain[:1]),
        (y, previous.astype("float32"), S, gain),
    ):
        assert stepped(rephased, arrays, framing) is NotImplemented
    assert gpu.launches == []


def multiplied(rng, shape, framing, dtype):
    y = rng.standard_normal(shape)
    G = weights(rng, y, framing)
    return y.astype(dtype), (G * rng.choice([-1, 1], G.shape)).astype(dtype)


def check_multiplier(gpu, y, G, framing, directions):
    given, w = (gpu.asarray(y), gpu.asarray(G)), window(framing.frame_length)
    result = gpu.to_numpy(gabor_multiplier(*given, framing, w, directions))
    assert result.dtype == y.dtype
    exact = multiplier_primitive.reference(y.astype(float), G.astype(float), framing, w, directions)
    assert_same_spectrum(result, exact, y.dtype.name)
    return result


@pytest.mark.parametrize("directions", [False, True])
@pytest.mark.parametrize("n_fft", LENGTHS[::3])
def test_multipliers_of_any_length(n_fft, directions, dtype, rng, gpu):
    framing = Framing(n_fft, n_fft // 4 + 1)
    check_multiplier(gpu, *multiplied(rng, (2, 4 * n_fft), framing, dtype), framing, directions)
    assert [(program.name, program.dtype) for program in gpu.launches] == [("gabor_multiplier", dtype)]


@pytest.mark.parametrize("full", [1, 10**6])
@pytest.mark.parametrize("hop", [1, 7, 32, 70])
@pytest.mark.parametrize("shape", [(32,), (2, 3, 147)], ids=str)
def test_multipliers_of_any_hop_and_shape(shape, hop, full, dtype, rng, gpu, monkeypatch):
    monkeypatch.setattr(overlap_add, "FULL", full)
    framing = Framing(32, hop)
    check_multiplier(gpu, *multiplied(rng, shape, framing, dtype), framing, True)


def test_directions_of_numbers_whose_power_is_none(dtype, rng, gpu):
    framing = Framing(64, 16)
    y, G = multiplied(rng, (3, 640), framing, dtype)
    result = gpu.to_numpy(gabor_multiplier(gpu.asarray(extreme(y)), gpu.asarray(G), framing, window(64), True))
    assert_same_spectrum(result[:2], check_multiplier(gpu, y, G, framing, True)[:2])
    assert not result[2].any()


def test_what_multipliers_do_not_cover_is_declined(rng, gpu):
    y, G = (gpu.asarray(x) for x in multiplied(rng, (2, 640), Framing(64, 16), "float64"))
    for framing, values in (
        (Framing(64, 16, 32), G),
        (Framing(63, 16), G),
        (Framing(64, 16), G[0]),
        (Framing(64, 16), G.astype("float32")),
    ):
        assert gabor_multiplier(y, values, framing, window(framing.frame_length), False) is NotImplemented
    assert gabor_multiplier(y[:0], G[:0], Framing(64, 16), window(64), False).shape == (0, 640)
    assert gpu.launches == []
