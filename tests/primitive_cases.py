"""Arguments for every primitive, which is registered once this is imported."""

import importlib

import numpy as np

from arrayaudio.constant_q.bank import METHODS, Bank
from arrayaudio.constant_q.wavelets import Wavelets
from arrayaudio.constants import Constant
from arrayaudio.dense import turns
from arrayaudio.frames import Framing
from arrayaudio.gain_control import Control
from arrayaudio.gammatone_bank import Gammatones
from arrayaudio.plan import Plan
from arrayaudio.spectrum import Scaling

# Which import, and so register, every primitive.
for module in (
    "functional.notes",
    "functional.spectra",
    "medians",
    "gain_control",
    "gammatone_filtering",
    "recursion",
    "resampling",
    "reconstruction.griffin_lim",
):
    importlib.import_module(f"arrayaudio.{module}")

FRAMING = Framing(64, 16, 32, "reflect")
WINDOW = Constant(np.hanning(64))
BANK = Constant(np.eye(10, 33) + np.eye(10, 33, k=2))
SLOPES = np.arange(1800.0).reshape(2, 3, 300) % 11 - 5
WAVELETS = Wavelets(8000.0, (100.0, 190.0, 2000.0), (200.0, 101.3, 9.5), (1.0, 2.0, 3.0))

WRITTEN = [Plan(FRAMING, WINDOW, 2.0, BANK, scaling) for scaling in (None, Scaling(10.0, 1e-3))]
WRITTEN.append(Plan(FRAMING, WINDOW, 1.5))
DENSE = ((64, 16), (64, 5), (20, 13), (9, 30), (250, 20))
WAYS = ((64, 16), (64, 5), (20, 13), (9, 30))

# Arguments after the signal, and whether the result is linear in it.
CASES = {
    "gammatone_bands": [((Gammatones(8000.0, (0.0, 400.0, 3000.0)),), True)],
    "constant_q": [
        ((Framing(200, hop, padding, mode), Bank(WAVELETS, hop, method)), True)
        for method in METHODS
        for hop, padding, mode in ((3, 100, "reflect"), (16, 100, "mean"), (70, 0, "constant"))
    ],
    "constant_q_adjoint": [
        ((300, Framing(200, hop, padding), Bank(WAVELETS, hop, method)), True)
        for method in METHODS
        for hop, padding in ((3, 100), (16, 100), (70, 0))
    ],
    "windowed_frames": [((FRAMING, WINDOW), True)],
    "dense_products": [((np.arange(6.0 * n_fft).reshape(2, 3, n_fft) % 7 - 3, hop), True) for n_fft, hop in DENSE],
    "dense_products_adjoint": [
        ((np.arange(6.0 * n_fft).reshape(2, 3, n_fft) % 7 - 3, hop, 300), True) for n_fft, hop in DENSE
    ],
    "dense_products_gradient": [((np.resize(SLOPES, (4, 300)), n_fft, hop), True) for n_fft, hop in DENSE],
    "mix_rows": [
        ((matrix,), True) for matrix in (Constant(np.eye(5, 40) - np.eye(5, 40, k=7)), Constant(SLOPES[0, :, :40]))
    ],
    "polyphase": [
        ((up, down, reach, Constant(np.sin(np.arange(((up - 1) * down // up + 2 * reach) * up)).reshape(-1, up))), True)
        for up, down, reach in ((1, 2, 20), (5, 3, 9), (32, 64, 30), (7, 1, 4))
    ],
    "one_pole": [((pole,), True) for pole in (0.0, 0.97, 1.0, -0.5)],
    "controlled": [
        ((abs(SLOPES), Control(gain, bias, power, 0.1, 0.2, 1)), False)
        for gain, bias, power in ((0.98, 2.0, 0.5), (0.5, 0.0, 0.3), (0.5, 1.0, 0.0), (np.array([[0.5]] * 3), 2.0, 0.5))
    ],
    "modulus": [((), False)],
    "along": [((SLOPES + 1j, abs(SLOPES + 1j)), True)],
    "merged": [((turns(27, *way),), True) for way in WAYS],
    "merged_adjoint": [((turns(27, *way),), True) for way in WAYS],
    "synthesis": [
        ((Framing(n_fft, hop), Constant(np.hanning(n_fft + 2)[1:-1])), True)
        for n_fft, hop in ((16, 5), (9, 11), (64, 16), (512, 100))
    ],
    "gabor_multiplier": [
        ((np.resize(SLOPES, (2, 3, 33, 15)), Framing(64, 16), WINDOW, directions), not directions)
        for directions in (False, True)
    ],
    "median_filter": [((9, -1), False), ((4, -2), False)],
    "rephased": [((SLOPES, abs(np.resize(SLOPES, (2, 3, 33, 19))), FRAMING, WINDOW, 0.9, SLOPES[0, 0] + 9), False)],
    "heap_phases": [
        ((np.arange(1800.0).reshape(2, 3, 300) % 7 > 0, SLOPES, SLOPES, SLOPES[0], causal), False)
        for causal in (False, True)
    ],
    "written": [((SLOPES[:1, :, :150] / 9, plan), False) for plan in WRITTEN],
    "spectrogram": [
        ((Plan(FRAMING, WINDOW),), True),
        ((Plan(FRAMING, WINDOW, 1.0),), False),
        ((Plan(FRAMING, WINDOW, 2.0),), False),
        ((Plan(FRAMING, WINDOW, 2.0, BANK),), False),
        ((Plan(FRAMING, WINDOW, 1.0, BANK),), False),
        ((Plan(FRAMING, WINDOW, 2.0, BANK, Scaling(10.0, 1e-10, range=30.0)),), False),
        ((Plan(FRAMING, WINDOW, 2.0, BANK, Scaling(1.0, 1e-3, base="e")),), False),
        ((Plan(FRAMING, WINDOW, frequencies=Constant(np.linspace(0, 0.5, 240))),), True),
        ((Plan(FRAMING, WINDOW, 2.0, frequencies=Constant(np.linspace(0, 0.5, 240))),), False),
    ],
}
EACH = [(name, *case) for name, cases in CASES.items() for case in cases]


def signal_for(name, arguments, dtype, rng):
    """A first argument for a primitive, which is a signal but for those that take products or coefficients."""
    if name == "merged":
        (way,) = arguments
        return rng.standard_normal((way.n_products, 2, 3, 4 * way.shifts * way.count)).astype(dtype)
    if name == "written":
        y, plan = arguments
        return np.full(plan.shape(y.shape), np.nan, dtype)
    if name == "controlled":
        return abs(rng.standard_normal((2, 3, 300))).astype(dtype)
    if name == "dense_products":
        return rng.standard_normal((4, 300)).astype(dtype)
    if name == "mix_rows":
        return rng.standard_normal((2, 3, 40, 700)).astype(dtype)
    shape = {
        "modulus": lambda: (2, 3, 300),
        "merged_adjoint": lambda way: (4, 3, way.n_frames),
        "dense_products_adjoint": lambda basis, hop, n: (4, 3, 1 + (n - basis.shape[-1]) // hop),
        "dense_products_gradient": lambda y, n_fft, hop: (4, 3, 1 + (y.shape[-1] - n_fft) // hop),
        "synthesis": lambda framing, _: (2, 1 + framing.frame_length // 2, 40),
        "constant_q_adjoint": lambda n, framing, _: (2, 3, 3, framing.n_frames(n)),
    }.get(name)
    if shape is None:
        return rng.standard_normal((2, 3, 300)).astype(dtype)
    values = rng.standard_normal((2, *shape(*arguments)))
    return (values[0] + 1j * values[1]).astype(np.result_type(dtype, np.complex64))
