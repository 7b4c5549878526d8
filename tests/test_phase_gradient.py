"""Phase gradient heap integration: the oracle's phases, and those of known signals."""

import inspect

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.reconstruction.phase_gradient import centre, estimated_phases, gaussian_gamma
from arrayaudio.transforms.base import compiled

from . import naive_phase_gradient
from .tolerances import assert_same_spectrum

SETTINGS = [
    {"n_fft": 16},
    {"n_fft": 15, "hop_length": 4, "window": "hamming"},
    {"n_fft": 16, "win_length": 11, "hop_length": 3, "window": "blackman"},
    {"n_fft": 17, "win_length": 12, "hop_length": 6, "center": False, "window": ("gaussian", 2.5)},
    {"n_fft": 16, "hop_length": 2, "window": "boxcar"},
    {"n_fft": 3, "hop_length": 1, "window": "boxcar"},
    {"n_fft": 2, "hop_length": 1, "window": "boxcar"},
    {"n_fft": 1, "hop_length": 1, "window": "boxcar"},
]
LOOKAHEADS = [None, 0, 1]


def phases_of(library, S, transform, **options):
    """The phases as complex numbers of magnitude 1."""
    return library.to_numpy(estimated_phases(library.asarray(S), compiled(transform), **options))


def random_phases(S, seed):
    return 2 * np.pi * np.random.default_rng(seed).random(S.T.shape).T


def oracle(S, transform, tolerance, seed, lookahead):
    window = transform.frame_window.value
    arguments = S, transform.n_fft, transform.hop_length, window, gaussian_gamma(window), tolerance
    if lookahead is None:
        return np.exp(1j * naive_phase_gradient.pghi(*arguments, random_phases(S, seed)))
    return np.exp(1j * naive_phase_gradient.realtime_pghi(*arguments, random_phases(S, seed), lookahead))


class TestOracle:
    @pytest.mark.parametrize("lookahead", LOOKAHEADS)
    @pytest.mark.parametrize("options", SETTINGS, ids=str)
    def test_gives_the_same_phases(self, library, dtype, options, lookahead, rng):
        transform = aa.STFT(**options)
        S = (rng.random((1 + transform.n_fft // 2, 9)) ** 4).astype(dtype)
        S[:, 5] *= rng.random(len(S)) > 0.5
        given = library.asarray(S)
        found = estimated_phases(given, compiled(transform), tolerance=0.01, lookahead=lookahead, seed=3)
        expected = oracle(np.float64(S), transform, 0.01, 3, lookahead)
        assert_same_spectrum(library.to_numpy(found), expected, dtype)
        np.testing.assert_array_equal(library.to_numpy(given), S)

    @pytest.mark.parametrize("lookahead", LOOKAHEADS)
    def test_gives_the_same_waveform(self, library, dtype, lookahead, rng):
        options = {"n_fft": 16, "hop_length": 4, "window": "hamming"}
        transform = aa.STFT(**options)
        S = np.abs(transform(rng.standard_normal(50))).astype(dtype)
        y = library.to_numpy(aa.pghi(library.asarray(S), length=50, lookahead=lookahead, seed=1, **options))
        assert y.dtype == dtype
        expected = transform.inverse(S * oracle(np.float64(S), transform, 1e-6, 1, lookahead), length=50)
        assert_same_spectrum(y, expected, dtype)

    @pytest.mark.parametrize("lookahead", LOOKAHEADS)
    def test_gives_the_same_phases_to_equal_magnitudes(self, library, lookahead):
        transform = aa.STFT(n_fft=16, hop_length=4)
        S = 1.0 + np.add.outer(np.arange(9), np.arange(7)) % 2
        found = phases_of(library, S, transform, lookahead=lookahead)
        assert_same_spectrum(found, oracle(S, transform, 1e-6, None, lookahead))


class TestGaussians:
    @pytest.mark.parametrize(("window", "published"), [("hann", 0.25645), ("hamming", 0.29794), ("blackman", 0.17954)])
    def test_have_the_published_widths(self, window, published):
        # Published with five digits, from a search over heights of the window in steps of 0.001.
        assert gaussian_gamma(aa.get_window(window, 2048)) / 2048**2 == pytest.approx(published, rel=2e-3)

    def test_are_found_exactly(self):
        assert gaussian_gamma(aa.get_window(("gaussian", 37.0), 500)) == pytest.approx(2 * np.pi * 37**2, rel=1e-6)

    @pytest.mark.parametrize(
        "window", ["hann", "boxcar", "nuttall", "flattop", ("kaiser", 5.0), ("exponential", None, 9)]
    )
    @pytest.mark.parametrize("length", [64, 65])
    def test_are_nearest_in_least_squares(self, window, length):
        w = np.pad(aa.get_window(window, length), (20, 30))
        expected = naive_phase_gradient.gamma(w)
        assert gaussian_gamma(w) == pytest.approx(expected, rel=1e-5)
        assert gaussian_gamma(-3 * w) == pytest.approx(expected, rel=1e-5)
        assert centre(w) == pytest.approx(naive_phase_gradient.middle(w), rel=1e-14)


def coherence(phases, X):
    """1 if the phases differ from those of X by a constant alone."""
    S = np.abs(X)
    return abs(np.sum(S * phases * X.conj())) / np.sum(S**2)


N = np.arange(6000)
TONE = np.cos(2 * np.pi * 0.1234 * N + 0.7)
CHIRP = np.cos(2 * np.pi * (0.05 * N + 0.5 * 0.3 / 6000 * N**2))
IMPULSE = (N == 3001) * 1.0


class TestKnownSignals:
    """Of tones, chirps and impulses, under a Gaussian window, the theory gives the phases exactly."""

    @pytest.mark.parametrize("lookahead", LOOKAHEADS)
    @pytest.mark.parametrize("n_fft", [256, 255, 400])
    @pytest.mark.parametrize("win_length", [255, 254, 200])
    @pytest.mark.parametrize("center", [True, False])
    def test_have_their_phases(self, n_fft, win_length, center, lookahead):
        win_length = min(win_length, n_fft)
        options = {"n_fft": n_fft, "win_length": win_length, "window": ("gaussian", win_length / 8.5), "center": center}
        # An impulse must lie in all the frames of a difference, two hops apart; those of the past see it at their end.
        impulse = (IMPULSE, (8,) if lookahead == 0 else (8, 5))
        for signal, parts in ((TONE, (8, 5, 2)), (CHIRP, (8, 5, 3)), impulse):
            for part in parts:
                transform = aa.STFT(hop_length=win_length // part, **options)
                X = transform(signal)
                phases = estimated_phases(np.abs(X), compiled(transform), lookahead=lookahead, seed=0)
                assert coherence(phases, X) > 0.99
                assert coherence(np.ones_like(X), X) < 0.5

    def test_are_measured_by_what_half_a_sample_would_spoil(self):
        transform = aa.STFT(n_fft=256, hop_length=32, window=("gaussian", 30.0))
        X = transform(IMPULSE)
        late = np.exp(-2j * np.pi * 0.5 / 256 * np.arange(129))[:, None]
        assert coherence(late * estimated_phases(np.abs(X), compiled(transform), seed=0), X) < 0.98

    def test_come_back_as_waveforms(self):
        options = {"n_fft": 512, "hop_length": 64, "window": ("gaussian", 60.0)}
        for signal in (CHIRP, IMPULSE):
            y = aa.pghi(aa.stft(signal, output="magnitude", **options), length=len(N), seed=0, **options)
            # A constant phase is not to be had from magnitudes.
            X, Y = aa.stft(signal, **options), aa.stft(y, **options)
            assert abs(np.vdot(X, Y)) > 0.99 * np.linalg.norm(X) * np.linalg.norm(Y)


def test_griffin_lim_starts_where_the_one_pass_ends(library, dtype, rng):
    S = library.asarray(aa.stft(rng.standard_normal(900).astype(dtype), n_fft=64, output="magnitude"))
    for options in ({}, {"length": 900}):
        once, start = aa.pghi(S, seed=2, **options), aa.griffinlim(S, n_iter=0, init="pghi", seed=2, **options)
        np.testing.assert_array_equal(library.to_numpy(once), library.to_numpy(start))


class TestRealTime:
    @pytest.mark.parametrize("lookahead", [0, 1])
    def test_phases_do_not_depend_on_what_comes_later(self, lookahead, rng):
        transform = aa.STFT(n_fft=64)
        S = rng.random((33, 40))
        whole, now = (
            estimated_phases(np.ascontiguousarray(x), compiled(transform), lookahead=lookahead, seed=0)
            for x in (S, S[:, :21])
        )
        np.testing.assert_array_equal(whole[:, : 21 - lookahead], now[:, : 21 - lookahead])
        louder = np.concatenate([S[:, :21], 1e6 * S[:, 21:]], axis=1)
        then = estimated_phases(louder, compiled(transform), lookahead=lookahead, seed=0)
        np.testing.assert_array_equal(whole[:, : 21 - lookahead], then[:, : 21 - lookahead])


class TestBatches:
    @pytest.mark.parametrize("lookahead", LOOKAHEADS)
    def test_items_are_as_they_would_be_alone(self, dtype, lookahead, rng):
        S = aa.stft(rng.standard_normal((2, 3, 2000)).astype(dtype), n_fft=64, output="magnitude")
        S[0, 1] *= 100
        together = aa.pghi(S, seed=0, lookahead=lookahead)
        assert together.shape == (2, 3, 2000)
        for place in np.ndindex(2, 3):
            np.testing.assert_array_equal(together[place], aa.pghi(S[place], seed=0, lookahead=lookahead))

    def test_may_be_empty(self, library):
        assert aa.pghi(library.asarray(np.ones((0, 33, 5)))).shape == (0, 64)

    def test_do_not_depend_on_the_number_of_threads(self, rng):
        S = rng.random((5, 65, 50)).astype(np.float32)
        results = []
        for n in (1, 3):
            aa.set_num_threads(n)
            results.append(aa.pghi(S, seed=0))
        np.testing.assert_array_equal(*results)


class TestSeeds:
    def test_decide_on_cells_under_the_tolerance_alone(self, library, dtype, rng):
        S = (1 + rng.random((33, 20))).astype(dtype)
        one, other = (aa.pghi(library.asarray(S), seed=seed) for seed in (0, 1))
        np.testing.assert_array_equal(library.to_numpy(one), library.to_numpy(other))
        S[:, 10:] *= 1e-4
        one, again, other = (phases_of(library, S, aa.STFT(n_fft=64), seed=seed, tolerance=0.01) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one, again)
        np.testing.assert_array_equal(one[:, :10], other[:, :10])
        assert (np.abs(one - other)[:, 10:] > 0).all()
        assert_same_spectrum(one[:, 10:], np.exp(1j * random_phases(S, 0))[:, 10:], dtype)

    def test_decide_on_cells_at_the_tolerance_too(self, library, dtype):
        S = np.ones((33, 8), dtype)
        S[:, 3:] = 0.25
        found = phases_of(library, S, aa.STFT(n_fft=64), seed=0, tolerance=0.25)
        assert_same_spectrum(found[:, 3:], np.exp(1j * random_phases(S, 0))[:, 3:], dtype)


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
def test_silence_stays_silent(library, dtype, lookahead):
    y = aa.pghi(library.asarray(np.zeros((33, 9), dtype)), lookahead=lookahead)
    np.testing.assert_array_equal(library.to_numpy(y), np.zeros(128, dtype))


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
@pytest.mark.parametrize("scale", [2.0**-90, 2.0**90])
def test_loudness_changes_nothing_else(library, dtype, scale, lookahead, rng):
    y = np.concatenate([np.zeros(500), rng.standard_normal(1000), np.zeros(500)])
    S = aa.stft(y, n_fft=64, output="magnitude").astype(dtype)
    expected = phases_of(library, S, aa.STFT(n_fft=64), lookahead=lookahead, seed=0)
    found = phases_of(library, S * np.asarray(scale, dtype), aa.STFT(n_fft=64), lookahead=lookahead, seed=0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
def test_one_frame_is_enough(library, dtype, lookahead, rng):
    S = rng.random((9, 1)).astype(dtype)
    y = library.to_numpy(aa.pghi(library.asarray(S), center=False, window="hamming", lookahead=lookahead))
    assert y.shape == (16,)
    assert np.isfinite(y).all()


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"tolerance": 0}, "tolerance=0: must be at least 1e-100"),
            ({"tolerance": 1.0}, "tolerance=1: must be less than 1"),
            ({"tolerance": True}, "tolerance=True: must be a real number"),
            ({"lookahead": 2}, "lookahead=2: must be one of None, 0, 1"),
            ({"lookahead": True}, "lookahead=True: must be one of None, 0, 1"),
            ({"length": 2000}, "length=2000: must be at least 1 and at most 160"),
            ({"hop_length": 64}, "no inverse"),
            ({"n_fft": 66}, r"shape \(33, 9\): must be \(\.\.\., 34, n_frames\) for n_fft=66"),
            ({"n_fft": 0}, "n_fft=0: must be at least 1"),
            ({"win_length": 65}, "win_length=65: must be at most n_fft=64"),
        ],
    )
    def test_say_what_to_do(self, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.pghi(np.ones((33, 9)), **options)

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_magnitudes_are_finite_and_not_negative(self, host_library, bad):
        S = np.ones((33, 9))
        S[3, 4] = bad
        with pytest.raises(aa.ParameterError, match="must be finite and not negative"):
            aa.pghi(host_library.asarray(S))

    def test_shapes_and_dtypes(self):
        with pytest.raises(aa.ParameterError, match=r"shape \(33,\): must have shape"):
            aa.pghi(np.ones(33))
        with pytest.raises(aa.ParameterError, match="at least two rows"):
            aa.pghi(np.ones((1, 33)))
        with pytest.raises(aa.ParameterError, match="with at least one frame"):
            aa.pghi(np.ones((33, 0)))
        with pytest.raises(aa.DTypeError, match=r"complex128.*magnitude"):
            aa.pghi(np.ones((33, 9), complex))


def test_settings_are_those_of_griffin_lim():
    ours, theirs = (inspect.signature(f).parameters for f in (aa.pghi, aa.griffinlim))
    shared = ["hop_length", "win_length", "n_fft", "window", "center", "length", "pad_mode", "seed"]
    assert {name: ours[name].default for name in shared} == {name: theirs[name].default for name in shared}
