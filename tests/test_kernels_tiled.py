"""The kernels in NumPy, which run where Numba is missing, against their references."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import PAD_MODES, Framing
from arrayaudio.inverse import synthesis
from arrayaudio.kernels.tiled import spectrogram as tiled
from arrayaudio.kernels.tiled.rephased import rephased as tiled_rephased
from arrayaudio.kernels.tiled.synthesis import synthesis as tiled_synthesis
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.reconstruction.griffin_lim import rephased
from arrayaudio.spectrum import Scaling

from .primitive_cases import BANK, SLOPES, WINDOW
from .tolerances import assert_same_levels, assert_same_spectrum, relative_error

SCALINGS = [None, Scaling(10.0, 0.3), Scaling(10.0, 0.3, range=20.0), Scaling(1.0, 0.3, base="e")]
PLANS = [("complex", None, None), ("phase", None, None)]
PLANS += itertools.product((1.0, 2.0, 1.5), (None, BANK), SCALINGS)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiled, "TILE_BYTES", 2**11)
    monkeypatch.setattr("arrayaudio.kernels.tiled.synthesis.TILE_BYTES", 2**11)
    monkeypatch.setattr("arrayaudio.kernels.tiled.rephased.TILE_BYTES", 2**11)


@pytest.mark.parametrize("shape", [(300,), (2, 3, 300), (0, 300), (1, 101)])
@pytest.mark.parametrize(("detector", "bank", "scaling"), PLANS, ids=str)
def test_spectrograms_are_those_of_the_reference(shape, detector, bank, scaling, dtype, rng):
    y = rng.standard_normal(shape).astype(dtype)
    plan = Plan(Framing(64, 9, 32, "reflect"), WINDOW, detector, bank, scaling)
    result, expected = tiled.spectrogram(y, plan), spectrogram.reference(y.astype(float), plan)
    assert result.flags.c_contiguous
    if detector == "phase":  # modulo a turn, and as far as coefficients are not as good as zero
        size = np.abs(spectrogram.reference(y.astype(float), Plan(plan.framing, WINDOW)))
        result, expected = size * np.exp(1j * result), size * np.exp(1j * expected)
    (assert_same_levels if scaling else assert_same_spectrum)(result, expected, dtype)


@pytest.mark.parametrize("mode", PAD_MODES)
@pytest.mark.parametrize(("n_fft", "hop", "padding"), [(63, 70, 31), (64, 1, 0), (9, 4, 20)])
def test_any_padding_and_framing(mode, n_fft, hop, padding, rng):
    y = rng.standard_normal((2, 200))
    plan = Plan(Framing(n_fft, hop, padding, mode), Constant(rng.random(n_fft)), 2.0)
    assert_same_spectrum(tiled.spectrogram(y, plan), spectrogram.reference(y, plan), "float64")


def test_the_floor_is_exact():
    plan = Plan(Framing(64, 16), WINDOW, 2.0, BANK, Scaling(10.0, 1e-10))
    assert set(tiled.spectrogram(np.zeros((2, 300), np.float32), plan).ravel()) == {np.float32(-100)}


@pytest.mark.parametrize("shape", [(33, 40), (2, 3, 33, 40), (0, 33, 40), (33, 1)])
@pytest.mark.parametrize("hop", [1, 16, 23, 64, 90])
def test_waveforms_are_those_of_the_reference(shape, hop, dtype, rng):
    S = rng.standard_normal((2, *shape))
    S = (S[0] + 1j * S[1]).astype(np.result_type(dtype, np.complex64))
    framing = Framing(64, hop)
    found, expected = tiled_synthesis(S, framing, WINDOW), synthesis.reference(S.astype(complex), framing, WINDOW)
    assert found.dtype == dtype
    assert found.shape == expected.shape
    assert_same_spectrum(found, expected, dtype)


@pytest.mark.parametrize("mode", ["constant", "reflect", "mean"])
@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (63, 20), (16, 40)])
def test_steps_of_griffin_lim_are_those_of_the_reference(mode, n_fft, hop, dtype, rng):
    framing, window = Framing(n_fft, hop, n_fft // 2, mode), Constant(rng.random(n_fft))
    n = min(1000, (framing.n_frames(1000) - 1) * hop + n_fft - n_fft // 2)  # which frames reach
    y, previous = rng.standard_normal((2, 2, 3, n)).astype(dtype)
    S = rng.random((2, 3, 1 + n_fft // 2, framing.n_frames(n))).astype(dtype)
    gain = rng.random(n).astype(dtype)
    found = tiled_rephased(y, previous, S, framing, window, 0.9, gain)
    assert found.dtype == dtype
    expected = rephased.reference(*(x.astype(float) for x in (y, previous, S)), framing, window, 0.9, gain)
    assert relative_error(found, expected) < {4: 1e-4, 8: 1e-10}[found.itemsize]
    silent = np.zeros(n, dtype)
    expected = synthesis.reference(S[0, 0].astype(complex), framing, window)[n_fft // 2 :][:n]
    found = tiled_rephased(silent, silent, S[0, 0], framing, window, 0.9, np.ones_like(gain))
    assert_same_spectrum(found, expected, dtype)


def test_what_they_do_not_cover_goes_to_the_reference(rng):
    y = rng.standard_normal(300)
    assert (
        tiled.spectrogram(y, Plan(Framing(64, 9), WINDOW, basis=Constant(SLOPES[0, :2, :64][None]))) is NotImplemented
    )
    frequencies = Constant(np.linspace(0, 0.5, 10))
    assert tiled.spectrogram(y, Plan(Framing(64, 9), WINDOW, frequencies=frequencies)) is NotImplemented


def test_without_numba_they_take_its_place(tmp_path):
    script = f"""
import sys; sys.modules["numba"] = None
import numpy as np, arrayaudio as aa
from arrayaudio.primitive import fast_version, problems
y = np.sin(np.arange(50000.0) ** 1.5).astype(np.float32)
np.savez(r"{tmp_path / "results.npz"}", S=aa.melspectrogram(y, sr=22050, n_mels=40), y=aa.istft(aa.stft(y)))
assert fast_version("spectrogram", "numpy").__module__ == "arrayaudio.kernels.tiled.spectrogram"
assert "arrayaudio.kernels.cpu.spectrogram" in problems
"""
    subprocess.run([sys.executable, "-c", script], timeout=120, check=True)
    y = np.sin(np.arange(50000.0) ** 1.5).astype(np.float32)
    with np.load(tmp_path / "results.npz") as results:
        assert_same_spectrum(results["S"], aa.melspectrogram(y, sr=22050, n_mels=40), "float32")
        np.testing.assert_allclose(results["y"], y[: len(results["y"])], atol=1e-5)
