"""Griffin-Lim: the same waveforms as the spectrum-domain algorithm, item by item, on every library."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.frames import INDEX_MODES, Framing
from arrayaudio.kernels.cpu.rephased import rephased as kernel
from arrayaudio.reconstruction.griffin_lim import rephased, unit
from arrayaudio.transforms.base import compiled

from . import naive_inverse, traced
from .tolerances import assert_same_spectrum, relative_error

SETTINGS = [
    {"n_fft": 32},
    {"n_fft": 31, "hop_length": 7},
    {"n_fft": 24, "hop_length": 5, "center": False, "window": "hamming"},
    {"n_fft": 25, "hop_length": 6, "center": False, "window": "hamming"},
    {"n_fft": 32, "win_length": 20, "hop_length": 6, "window": "hamming"},
    {"n_fft": 24, "hop_length": 11, "pad_mode": "reflect"},
    {"n_fft": 24, "pad_mode": "mean", "window": "boxcar"},
]


def magnitudes(rng, shape=(), dtype="float64", n=3000, **options):
    return aa.stft(rng.standard_normal((*shape, n)).astype(dtype), output="magnitude", **options)


def convergence(y, S, **options):
    return naive_inverse.spectral_convergence(aa.stft(np.float64(y), output="magnitude", **options), S)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
@pytest.mark.parametrize("momentum", [0, 0.99, 1.3])
def test_equals_the_spectrum_domain_oracle(library, options, momentum, rng):
    transform = aa.STFT(**options)
    window, hop = transform.frame_window.value, transform.hop_length
    length = 8 * hop + (transform.n_fft % 2 if transform.center else transform.n_fft)
    S = rng.random((1 + transform.n_fft // 2, 9))
    phases = 2 * np.pi * rng.random(S.shape)
    y = aa.griffinlim(library.asarray(S), n_iter=3, momentum=momentum, init=library.asarray(phases), **options)
    expected = naive_inverse.griffin_lim(
        S, phases, 3, momentum, transform.n_fft, hop, window, transform.center, transform.pad_mode, length
    )
    assert_same_spectrum(library.to_numpy(y), expected)


def by_librosa(S, phases, n_iter, momentum, length, **options):
    """The algorithm as librosa.griffinlim writes it, on spectra, from given phases."""
    angles, before = S * np.exp(1j * phases), None
    for _ in range(n_iter):
        now = librosa.stft(librosa.istft(angles, length=length, **options), **options)
        ahead = now if before is None else now - momentum / (1 + momentum) * before
        angles, before = S * ahead / np.abs(ahead), now
    return librosa.istft(angles, length=length, **options)


@pytest.mark.parametrize("n_iter", [0, 1, 2, 10, 32])
@pytest.mark.parametrize("options", [{"n_fft": 512}, {"n_fft": 400, "hop_length": 160, "window": "hamming"}], ids=str)
def test_equals_the_spectrum_domain_form_over_librosas_transforms(n_iter, options, rng):
    S = magnitudes(rng, **options)
    phases = 2 * np.pi * np.random.default_rng(5).random(S.shape)
    y = aa.griffinlim(S, n_iter=n_iter, length=3000, seed=5, **options)
    assert_same_spectrum(y, by_librosa(S, phases, n_iter, 0.99, 3000, **options))


def test_without_random_phases_it_is_librosas_function(rng):
    S = magnitudes(rng, n_fft=256)
    theirs = librosa.griffinlim(S, n_iter=8, init=None, dtype=np.float64)
    assert_same_spectrum(aa.griffinlim(S, n_iter=8, init=None), theirs)


def test_converges_as_far_as_librosa_in_both_dtypes(library, dtype, rng):
    S = magnitudes(rng, dtype=dtype, n=16000, n_fft=512)
    y = library.to_numpy(aa.griffinlim(library.asarray(S), seed=1, length=16000))
    assert y.dtype == dtype
    phases = 2 * np.pi * np.random.default_rng(1).random(S.shape)
    theirs = convergence(by_librosa(np.float64(S), phases, 32, 0.99, 16000, n_fft=512), S, n_fft=512)
    assert abs(convergence(y, S, n_fft=512) - theirs) < 0.01 * theirs


def test_momentum_helps(rng):
    S = magnitudes(rng, n=16000, n_fft=512)
    slow, fast = (convergence(aa.griffinlim(S, momentum=a, seed=0), S, n_fft=512) for a in (0, 0.99))
    assert fast < 0.7 * slow


@pytest.mark.parametrize("options", SETTINGS[:4], ids=str)
def test_phases_that_belong_to_the_magnitudes_give_the_waveform(library, dtype, options, rng):
    options = options | {"window": "hamming"}
    y = rng.standard_normal(25 + 10 * 35).astype(dtype)
    transform = aa.STFT(**options)
    whole = transform.inverse(transform(y))
    X = library.asarray(transform(whole))
    S = library.asarray(aa.stft(whole, output="magnitude", **options))
    angle = library.asarray(aa.stft(whole, output="phase", **options))
    limit = {"float32": 1e-5, "float64": 1e-12}[dtype]  # the errors of three round trips
    for init in (X, angle):
        back = library.to_numpy(aa.griffinlim(S, n_iter=3, momentum=0, init=init, **options))
        assert back.dtype == dtype
        assert relative_error(back, whole) < limit


class TestBatches:
    def test_items_are_as_they_would_be_alone(self, dtype, rng):
        S = magnitudes(rng, (2, 3), dtype, n_fft=128)
        for options in ({"seed": 4}, {"init": None}, {"seed": 4, "tolerance": 0.01}):
            together = aa.griffinlim(S, n_iter=9, **options)
            assert together.shape == (2, 3, 2976)
            for place in np.ndindex(2, 3):
                np.testing.assert_array_equal(together[place], aa.griffinlim(S[place], n_iter=9, **options))

    def test_each_item_may_have_its_own_phases(self, rng):
        S = magnitudes(rng, (2,), n_fft=128)
        phases = rng.random(S.shape)
        together = aa.griffinlim(S, n_iter=4, init=phases)
        for item, alone, phase in zip(together, S, phases, strict=True):
            np.testing.assert_array_equal(item, aa.griffinlim(alone, n_iter=4, init=phase))

    def test_may_be_empty(self):
        assert aa.griffinlim(np.ones((0, 33, 5))).shape == (0, 64)

    def test_do_not_depend_on_the_number_of_threads(self, rng):
        S = magnitudes(rng, n=30000, n_fft=512, dtype="float32")
        results = []
        for n in (1, 3):
            aa.set_num_threads(n)
            results.append(aa.griffinlim(S, n_iter=3, seed=0))
        np.testing.assert_array_equal(*results)


class TestSeeds:
    def test_decide(self, library, dtype, rng):
        S = library.asarray(magnitudes(rng, dtype=dtype, n_fft=128))
        first, again, other = (library.to_numpy(aa.griffinlim(S, n_iter=2, seed=seed)) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert relative_error(other, first) > 0.1

    def test_mean_the_same_on_every_library(self, library, rng):
        S = magnitudes(rng, n_fft=128)
        turns = np.random.default_rng(7).random(S.shape)
        y = library.to_numpy(aa.griffinlim(library.asarray(S), n_iter=2, seed=7))
        assert_same_spectrum(y, aa.griffinlim(S, n_iter=2, init=2 * np.pi * turns))

    def test_are_drawn_when_none_is_given(self, rng):
        S = magnitudes(rng, n_fft=128)
        assert relative_error(aa.griffinlim(S, n_iter=0), aa.griffinlim(S, n_iter=0)) > 0.1


class TestConvergence:
    def test_is_reported_after_each_iteration(self, library, dtype, rng):
        S = magnitudes(rng, (2,), dtype, n_fft=128)
        seen = []
        y = aa.griffinlim(
            library.asarray(S), n_iter=3, seed=0, callback=lambda i, c: seen.append((i, library.to_numpy(c)))
        )
        assert [i for i, _ in seen] == [1, 2, 3]
        for n_iter, reported in seen:
            waveforms = aa.griffinlim(S, n_iter=n_iter, seed=0)
            expected = [convergence(w, item, n_fft=128) for w, item in zip(waveforms, S, strict=True)]
            np.testing.assert_allclose(reported, expected, rtol={"float32": 1e-4, "float64": 1e-11}[dtype])
        assert relative_error(library.to_numpy(y), waveforms) < {"float32": 1e-3, "float64": 1e-11}[dtype]

    def test_stops_the_iterations(self, library, rng):
        S = library.asarray(magnitudes(rng, n_fft=128))
        seen = []
        y = aa.griffinlim(S, n_iter=100, seed=0, tolerance=0.05, callback=lambda i, c: seen.append(float(c)))
        assert 2 < len(seen) < 100
        change = np.abs(np.diff(seen)) / seen[:-1]
        assert change[-1] <= 0.05 < change[:-1].min()
        np.testing.assert_array_equal(library.to_numpy(y), library.to_numpy(aa.griffinlim(S, n_iter=len(seen), seed=0)))


def test_silence_stays_silent_and_finite(library, dtype):
    S = library.asarray(np.zeros((65, 9), dtype))
    seen = []
    for options in ({}, {"tolerance": 0.1, "callback": lambda i, c: seen.append(float(c))}):
        y = library.to_numpy(aa.griffinlim(S, n_iter=4, **options))
        np.testing.assert_array_equal(y, np.zeros(256, dtype))
    assert seen == [0.0]


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_partial_silence_and_any_scale_stay_finite(library, dtype, scale, rng):
    y = np.concatenate([np.zeros(2000), rng.standard_normal(1000), np.zeros(2000)])
    S = aa.stft(y, n_fft=128, output="magnitude")
    expected = aa.griffinlim(S, n_iter=1, seed=0)
    result = library.to_numpy(aa.griffinlim(library.asarray((scale * S).astype(dtype)), n_iter=1, seed=0))
    assert np.isfinite(result).all()
    assert relative_error(result / scale, expected) < {"float32": 1e-4, "float64": 1e-12}[dtype]


def test_the_phase_of_zero_is_zero(library, dtype):
    form = {"float32": np.complex64, "float64": np.complex128}[dtype]
    X = np.array([0, 3j, -2, 1e-30 + 1e-30j, 1e30j], form)
    expected = [1, 1j, -1, (1 + 1j) / np.sqrt(2), 1j]
    assert_same_spectrum(library.to_numpy(unit(library.asarray(X))), expected)
    plan = compiled(aa.STFT(n_fft=16, hop_length=4, window="hamming"))
    nothing, S = library.asarray(np.zeros(32, dtype)), library.asarray(np.ones((9, 9), dtype))
    gain = library.asarray(np.ones(32, dtype))
    added = rephased(nothing, nothing, S, plan.framing, plan.window, 0.9, gain)
    expected = sum(np.roll(np.eye(48)[0], 4 * t) for t in range(9))[8:40] * plan.window.value[0]
    assert_same_spectrum(library.to_numpy(added), expected)


@settings(max_examples=60)
@given(
    n_fft=st.sampled_from([2, 7, 16, 48, 74, 100, 127, 210, 256, 300]),  # kernels are compiled for each
    hop=st.integers(1, 200),
    n=st.integers(301, 2500),
    batch=st.sampled_from([(), (3,), (2, 2)]),
    centred=st.booleans(),
    mode=st.sampled_from(INDEX_MODES),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_kernel_equals_the_reference(n_fft, hop, n, batch, centred, mode, seed):
    rng = np.random.default_rng(seed)
    framing = Framing(n_fft, hop, n_fft // 2 if centred else 0, mode)
    window = Constant(rng.random(n_fft))
    n = min(n, (framing.n_frames(n) - 1) * hop + n_fft - framing.padding)  # which frames reach
    y, previous = rng.standard_normal((2, *batch, n))
    S = rng.random((*batch, 1 + n_fft // 2, framing.n_frames(n)))
    arguments = (y, previous, S, framing, window, rng.random(), rng.random(n))
    # Phases of coefficients near zero hold fewer digits.
    assert relative_error(rephased(*arguments), rephased.reference(*arguments)) < 1e-10


def test_the_kernel_declines_padding_with_computed_values():
    y, framing = np.ones(50), Framing(8, 2, 4, "mean")
    assert kernel(y, y, np.ones((5, 26)), framing, Constant(np.ones(8)), 0.9, y) is NotImplemented


def test_runs_on_a_namespace_that_records(rng):
    S = magnitudes(rng, n=600, n_fft=64)
    plan = compiled(aa.STFT(n_fft=64))
    arrays, gain = (*rng.standard_normal((2, 592)), S), rng.random(592)
    result = rephased(*map(traced.Traced, arrays), plan.framing, plan.window, 0.9, traced.Traced(gain))
    assert_same_spectrum(result.value, rephased(*arrays, plan.framing, plan.window, 0.9, gain))


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"n_iter": -1}, "n_iter=-1: must be at least 0"),
            ({"momentum": -0.1}, "momentum=-0.1: must be at least 0"),
            ({"tolerance": -1}, "tolerance=-1: must be at least 0"),
            ({"init": "noise"}, "init='noise': must be 'random', 'pghi' .of an STFT., None, or an array"),
            ({"init": np.ones((33, 4))}, r"init has shape \(33, 4\): must be \(33, 9\)"),
            ({"length": 2000}, "length=2000: must be at least 1 and at most 160"),
            ({"length": 100}, r"length=100: gives 7 frames, and the spectrogram has 9"),
            ({"hop_length": 64}, "no inverse"),
            ({"n_fft": 66}, r"must be \(\.\.\., 34, n_frames\)"),
        ],
    )
    def test_say_what_to_do(self, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.griffinlim(np.ones((33, 9)), **options)

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_magnitudes_are_finite_and_not_negative(self, host_library, bad):
        S = np.ones((33, 9))
        S[3, 4] = bad
        with pytest.raises(aa.ParameterError, match="must be finite and not negative; decibels come back"):
            aa.griffinlim(host_library.asarray(S))

    def test_shapes_and_dtypes(self):
        with pytest.raises(aa.ParameterError, match=r"shape \(33,\): must have shape"):
            aa.griffinlim(np.ones(33))
        with pytest.raises(aa.ParameterError, match="at least two rows"):
            aa.griffinlim(np.ones((1, 33)))
        with pytest.raises(aa.DTypeError, match=r"complex128.*magnitude"):
            aa.griffinlim(np.ones((33, 9), complex))

    def test_spectra_without_phase_point_here(self):
        with pytest.raises(aa.ParameterError, match=r"aa\.griffinlim"):
            aa.STFT(output="magnitude").inverse(np.ones((1025, 3)))
