"""The ways back that are written by hand give the gradients that the recorded references give."""

import tracemalloc

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio import primitive
from arrayaudio.constants import Constant
from arrayaudio.frames import Framing
from arrayaudio.plan import Plan, spectrogram
from arrayaudio.spectrum import Scaling
from arrayaudio.transforms.base import compiled

from .primitive_cases import BANK, EACH, WINDOW, signal_for
from .tolerances import assert_same_spectrum

HERE = [case[:2] for case in EACH if case[0] in primitive.adjoints]
PADDED = [
    ("spectrogram", (Plan(Framing(64, 20, 32, mode), WINDOW, 2.0, BANK, Scaling(1.0, 1e-3, base="e")),))
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap", "mean")
]
ODD = [("spectrogram", (Plan(Framing(63, 70, 10), Constant(np.hanning(63)), detector),)) for detector in (1.0, "phase")]


@pytest.mark.parametrize(("name", "arguments"), [*HERE, *PADDED, *ODD])
def test_gradients_are_those_of_the_reference(name, arguments, dtype, rng):
    call, y = primitive.registered[name], signal_for(name, arguments, dtype, rng)
    value, pullback = aa.vjp(lambda x: call(x, *arguments), y)
    exact_value, exact_pullback = aa.vjp(lambda x: call.reference(x, *arguments), y.astype(np.result_type(y, float)))
    g = rng.standard_normal(value.shape)
    if np.iscomplexobj(value):
        g = g + 1j * rng.standard_normal(value.shape)
    (gradient,), (exact,) = pullback(g.astype(value.dtype)), exact_pullback(g)
    assert gradient.dtype == y.dtype
    for ours, theirs in ((value, exact_value), (gradient, exact)):
        if dtype == "float64":
            assert_same_spectrum(ours, theirs, dtype)
        else:  # weak bins have steep phases and logarithms
            assert np.linalg.norm(ours - theirs) <= 1e-4 * np.linalg.norm(theirs)


def test_every_way_back_belongs_to_a_primitive_and_is_tested():
    assert set(primitive.adjoints) <= set(primitive.registered)
    assert set(primitive.adjoints) == {name for name, _ in HERE}


@pytest.mark.parametrize("name", ["spectrogram", "constant_q"])
def test_a_way_back_keeps_less_than_the_recorded_reference(name, rng):
    arguments = next(arguments for case, arguments in HERE if case == name)
    call, y = primitive.registered[name], rng.standard_normal(200_000)
    kept = {}
    for way, function in (("by hand", call), ("recorded", call.reference)):
        aa.vjp(lambda x, f=function: f(x, *arguments), y)  # what is made once is made before
        tracemalloc.start()
        result = aa.vjp(lambda x, f=function: f(x, *arguments), y)
        kept[way] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        del result
    assert kept["by hand"] < 0.5 * kept["recorded"]


def peak(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_way_back_of_a_mel_loss_holds_no_spectrogram(rng):
    y = rng.standard_normal((16, 220_500)).astype(np.float32)
    mel = aa.MelSpectrogram(sr=22050, scale="db")

    def loss(y):
        return np.mean(mel(y) ** 2)

    aa.grad(loss)(y[:2, :20_000])  # what is made once is made before
    # Both passes have the signal, and the one back returns as much again.
    forth = y.nbytes + peak(lambda: loss(y))
    back = y.nbytes + peak(lambda: aa.value_and_grad(loss)(y))
    assert back < 3 * forth
    assert back < peak(lambda: spectrogram.reference(y, compiled(mel))) / 3


@pytest.mark.parametrize("shape", [(5000,), (7, 5000), (2, 3, 5000), (0, 5000)], ids=str)
@pytest.mark.parametrize("hop", [30, 64, 100])
def test_gradients_by_parts_are_those_of_the_whole(shape, hop, monkeypatch, rng):
    plan = Plan(Framing(64, hop, 32, "reflect"), WINDOW, 2.0, BANK, Scaling(1.0, 1e-3, base="e", range=3.0))
    y = rng.standard_normal(shape)
    value, pullback = aa.vjp(lambda x: spectrogram(x, plan), y)
    g = rng.standard_normal(value.shape)
    (whole,) = pullback(g)
    for coefficients in (1, 33 * 7, 33 * 500):
        monkeypatch.setattr("arrayaudio.plan.AT_A_TIME", {"cpu": coefficients})
        assert_same_spectrum(aa.vjp(lambda x: spectrogram(x, plan), y)[1](g)[0], whole)


@pytest.mark.parametrize("detector", [1.0, 2.0])
@pytest.mark.parametrize("bank", [None, BANK], ids=["rows", "bands"])
def test_gradients_on_a_gpu_take_one_launch_a_part(detector, bank, gpu, monkeypatch, rng):
    plan = Plan(Framing(64, 16, 32, "reflect"), WINDOW, detector, bank)
    y = rng.standard_normal((2, 400))
    exact_value, exact_pullback = aa.vjp(lambda x: spectrogram.reference(x, plan), y)
    g = rng.standard_normal(exact_value.shape)
    monkeypatch.setattr("arrayaudio.plan.AT_A_TIME_ELSEWHERE", 33 * 10)
    value, pullback = aa.vjp(lambda x: spectrogram(x, plan), gpu.asarray(y))
    gpu.launches.clear()
    (gradient,) = pullback(gpu.asarray(g))
    names = [program.name for program in gpu.launches]
    assert names.count("gabor_multiplier") == 2 * 3
    assert set(names) <= {"gabor_multiplier", "mix_rows"}
    for ours, theirs in ((value, exact_value), (gradient, exact_pullback(g)[0])):
        assert_same_spectrum(gpu.to_numpy(ours), theirs)
