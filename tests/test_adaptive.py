"""Window lengths and hops that are real numbers: the loops, the whole numbers of the STFT, and their gradients."""

import numpy as np
import pytest

import arrayaudio as aa

from . import naive_adaptive as naive
from .tolerances import assert_same_levels, assert_same_spectrum

SR = 8000
LENGTHS = [(40.0, 16.0, 48), (37.3, 16.0, 48), (40.0, 15.7, 48), (33.3, 12.9, 47), (64.0, 70.3, 64), (2.5, 1.5, 8)]


def signal(dtype, shape, seed=5):
    # Numbers that float32 holds exactly, so that both precisions see the same signal.
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(dtype)


@pytest.mark.parametrize(("win_length", "hop_length", "n_fft"), LENGTHS)
def test_coefficients_are_those_of_the_loops(win_length, hop_length, n_fft, library, dtype):
    y = signal(dtype, (2, 150))
    X = aa.adaptive_stft(library.asarray(y), win_length=win_length, hop_length=hop_length, n_fft=n_fft)
    expected = np.stack([np.array(naive.adaptive_stft(item, win_length, hop_length, n_fft)).T for item in y.tolist()])
    result = library.to_numpy(X)
    assert result.dtype == {"float32": "complex64", "float64": "complex128"}[dtype]
    assert_same_spectrum(result, expected, dtype)


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "wrap", "mean"])
@pytest.mark.parametrize("output", ["complex", "magnitude", "power"])
@pytest.mark.parametrize(("win_length", "hop_length", "n_fft"), [(256, 64, 256), (200, 70, 255), (100, 300, 256)])
def test_whole_lengths_give_the_stft(win_length, hop_length, n_fft, output, pad_mode, dtype):
    y = signal(dtype, (2, 2500))
    options = {"n_fft": n_fft, "win_length": win_length, "hop_length": hop_length, "pad_mode": pad_mode}
    result = aa.adaptive_stft(y, output=output, **options)
    assert result.flags.c_contiguous
    assert_same_spectrum(result, aa.stft(y.astype(np.float64), output=output, **options), dtype)


def test_phases_are_those_of_the_stft(dtype):
    y, options = signal(dtype, 2500), {"n_fft": 256, "win_length": 200, "hop_length": 64}
    X, phase = aa.stft(y, **options), aa.adaptive_stft(y, output="phase", **options)
    assert_same_spectrum(np.abs(X) * np.exp(1j * phase), X, dtype)


@pytest.mark.parametrize(
    "options",
    [{}, {"power": 1.0, "n_mels": 20, "mel_scale": "htk", "norm": None}, {"fmin": 100.0, "fmax": 3000.0, "n_mels": 20}],
    ids=str,
)
def test_whole_lengths_give_the_mel_spectrogram(options, library, dtype):
    y, lengths = signal(dtype, (2, 2500)), {"win_length": 200, "hop_length": 64}
    known = {"sr": SR, "n_fft": 512, "n_mels": 40} | options
    result = library.to_numpy(aa.adaptive_melspectrogram(library.asarray(y), **lengths, **known))
    assert result.dtype == dtype
    assert_same_spectrum(result, aa.melspectrogram(y.astype(np.float64), **lengths, **known), dtype)


@pytest.mark.parametrize("scale", ["db", "log", "log10"])
def test_levels_are_those_of_the_mel_spectrogram(scale, dtype):
    y = signal(dtype, (2, 2500))
    options = {"sr": SR, "n_fft": 512, "n_mels": 40, "win_length": 200, "hop_length": 64, "scale": scale, "top_db": 9.0}
    assert_same_levels(
        aa.adaptive_melspectrogram(y, **options), aa.melspectrogram(y.astype(np.float64), **options), dtype
    )


def test_frames_follow_the_hop_and_stay_where_they_are_said_to_be(dtype):
    clicks = np.zeros(4000, dtype)
    times = [round(t * 160.4) for t in range(25)]
    clicks[times] = 1
    S = aa.adaptive_stft(clicks, win_length=100, hop_length=160.4, n_fft=128, output="magnitude")
    assert S.shape == (65, 25)
    distance = np.array(times) - np.arange(25) * 160.4
    np.testing.assert_allclose(S[3], 0.5 + 0.5 * np.cos(2 * np.pi * distance / 100), atol=1e-6)


@pytest.mark.parametrize("hop_length", [1, 7.3, 100, 99.999, 100.001, 4000])
def test_the_number_of_frames_is_that_of_hops_in_the_signal(hop_length):
    X = aa.adaptive_stft(signal("float32", 500), win_length=64, hop_length=hop_length, n_fft=64)
    assert X.shape == (33, 1 + int(500 // hop_length))


def test_the_result_is_continuous_where_frames_begin_at_the_next_sample():
    y, options = signal("float64", 2000), {"win_length": 200.0, "n_fft": 256}
    before, at, after = (aa.adaptive_stft(y, hop_length=64.0 + d, **options)[:, :20] for d in (-1e-9, 0.0, 1e-9))
    for near in (before, after):
        assert np.abs(near - at).max() < 1e-6 * np.abs(at).max()


def test_each_item_is_on_its_own(library, dtype):
    y, options = signal(dtype, (2, 3, 700)), {"win_length": 50.5, "hop_length": 20.25, "n_fft": 64}
    together = library.to_numpy(aa.adaptive_stft(library.asarray(y), **options))
    alone = [[library.to_numpy(aa.adaptive_stft(library.asarray(x), **options)) for x in item] for item in y]
    assert_same_spectrum(together, np.array(alone), dtype)


def test_lengths_may_be_arrays(library, dtype):
    y, lengths = library.asarray(signal(dtype, 700)), {"win_length": 50.5, "hop_length": 20.25}
    given = {name: library.asarray(np.array(value, dtype)) for name, value in lengths.items()}
    result = aa.adaptive_stft(y, n_fft=64, **given)
    expected = aa.adaptive_stft(y, n_fft=64, **lengths)
    np.testing.assert_array_equal(library.to_numpy(result), library.to_numpy(expected), strict=True)


def test_silence_and_short_signals_pass(dtype):
    lengths = {"win_length": 50.5, "hop_length": 20.25, "n_fft": 64}
    assert not aa.adaptive_stft(np.zeros((2, 100), dtype), **lengths).any()
    assert aa.adaptive_stft(np.ones(1, dtype), **lengths).shape == (33, 1)
    assert aa.adaptive_stft(np.ones((0, 100), dtype), **lengths).shape == (0, 33, 5)


# Gradients


@pytest.mark.parametrize("output", ["complex", "magnitude", "power", "phase"])
@pytest.mark.parametrize(
    ("win_length", "hop_length", "n_fft"), [(150.3, 39.43, 256), (120.0, 61.7, 127), (60.6, 130.1, 64)]
)
def test_gradients_are_those_of_finite_differences(win_length, hop_length, n_fft, output, rng):
    point = {"win_length": np.array(win_length), "hop_length": np.array(hop_length), "y": signal("float64", (2, 900))}
    weights = rng.standard_normal((2, 2, 1 + n_fft // 2, 900))

    def loss(given):
        options = {name: value for name, value in given.items() if name != "y"}
        X = aa.adaptive_stft(given["y"], n_fft=n_fft, output=output, **options)
        some = weights[..., : X.shape[-1]]
        if output == "phase":  # which jumps by a turn
            return np.sum(np.cos(X) * some[0])
        return np.sum(np.real(X) * some[0]) + (np.sum(np.imag(X) * some[1]) if output == "complex" else 0.0)

    gradient = aa.grad(loss)(point)
    for name, value in point.items():
        step = 1e-6 * rng.standard_normal(value.shape)
        ahead, behind = (loss(point | {name: value + sign * step}) for sign in (1, -1))
        assert abs(ahead - behind - 2 * np.sum(gradient[name] * step)) < 1e-5 * np.linalg.norm(gradient[name] * step)


@pytest.mark.parametrize("scale", [None, "log", "db"])
def test_gradients_of_mel_spectrograms_are_those_of_finite_differences(scale):
    y, point = signal("float64", 2000), {"win_length": np.array(150.3), "hop_length": np.array(39.43)}

    def loss(lengths):
        return np.mean(aa.adaptive_melspectrogram(y, sr=SR, n_fft=256, n_mels=10, scale=scale, **lengths))

    gradient = aa.grad(loss)(point)
    for name, value in point.items():
        slope = (loss(point | {name: value + 1e-5}) - loss(point | {name: value - 1e-5})) / 2e-5
        assert gradient[name] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("output", ["complex", "magnitude", "power", "phase"])
def test_gradients_are_finite_at_silence(output, dtype):
    def loss(lengths, y):
        return np.sum(np.abs(aa.adaptive_stft(y, n_fft=64, output=output, **lengths)))

    lengths = {"win_length": np.array(50.5, dtype), "hop_length": np.array(20.25, dtype)}
    gradients, of_signal = aa.grad(loss, argnums=(0, 1))(lengths, np.zeros((2, 300), dtype))
    assert np.isfinite(of_signal).all()
    assert all(np.isfinite(g) and g.dtype == dtype and g.shape == () for g in gradients.values())


def concentration(S):
    """The kurtosis of magnitudes, as far as a factor: large where a few hold most of the energy."""
    return np.mean(S**4) / np.mean(S**2) ** 2


@pytest.mark.parametrize("start", [60.0, 400.0])
def test_descent_finds_the_window_that_suits_a_chirp(start):
    t = np.arange(8000) / SR
    y = np.sin(2 * np.pi * (500 * t + 1000 * t**2))  # rises by 2 kHz in a second

    def loss(win_length):
        return -np.log(
            concentration(aa.adaptive_stft(y, win_length=win_length, hop_length=100, n_fft=512, output="magnitude"))
        )

    grid = np.arange(40.0, 512.0, 2.0)
    best = grid[np.argmin([loss(length) for length in grid])]
    step, length = aa.value_and_grad(loss), np.array(start)
    for _ in range(100):
        length = length - 4000 * step(length)[1]
    assert 60 < best < 400
    assert abs(length - best) <= 2


def test_descent_finds_the_hop_between_clicks():
    clicks = np.zeros(4000)
    clicks[[round(t * 161.7) for t in range(25)]] = 1

    def loss(hop_length):
        return -np.mean(aa.adaptive_stft(clicks, win_length=100, hop_length=hop_length, n_fft=128, output="power"))

    step, hop = aa.value_and_grad(loss), np.array(161.0)
    for _ in range(100):
        hop = hop - 0.2 * step(hop)[1]
    assert abs(hop - 161.7) < 0.02


Y = np.ones(1000)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (Y, {"win_length": 1.9}, r"win_length=1\.9: must be at least 2"),
        (Y, {"win_length": 64.5}, r"win_length=64\.5: must be at most n_fft=64"),
        (Y, {"win_length": np.nan}, "win_length=nan: must be finite"),
        (Y, {"win_length": "long"}, "win_length='long': must be a real number"),
        (Y, {"win_length": True}, "win_length=True: must be a real number"),
        (Y, {"win_length": np.ones(2)}, "win_length=.*: must be a real number"),
        (Y, {"hop_length": 0.5}, r"hop_length=0\.5: must be at least 1"),
        (Y, {"hop_length": np.inf}, "hop_length=inf: must be finite"),
        (Y, {"n_fft": 0}, "n_fft=0: must be at least 1"),
        (Y, {"n_fft": 64.0}, r"n_fft=64\.0: must be a whole number"),
        (Y, {"output": "loud"}, "output='loud': must be one of"),
        (Y, {"pad_mode": "empty"}, "pad_mode='empty': must be one of"),
        (Y, {"check_finite": 1}, "check_finite=1: must be one of True, False"),
        (Y * np.nan, {}, "signal has 1000 NaN or infinite samples"),
        (Y[:0], {}, "signal has 0 samples"),
        (Y[:10], {"pad_mode": "reflect"}, "signal has 10 samples: must have at least 33"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(data, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.adaptive_stft(data, **{"win_length": 50.0, "hop_length": 20.0, "n_fft": 64} | options)


def test_lengths_on_the_tape_are_checked_too():
    def call(**lengths):
        return aa.vjp(lambda p: aa.adaptive_stft(Y, **{"win_length": 50.0, "hop_length": 20.0} | p, n_fft=64), lengths)

    for lengths, message in [
        ({"win_length": np.array(65.0)}, r"win_length=65\.0: must be at most n_fft=64"),
        ({"hop_length": np.array(0.0)}, r"hop_length=0\.0: must be at least 1"),
        ({"hop_length": np.array(np.nan)}, "hop_length=nan: must be finite"),
        ({"win_length": np.full((3,), 50.0)}, r"win_length has shape \(3,\): must be a number or have shape \(\)"),
    ]:
        with pytest.raises(aa.ParameterError, match=message):
            call(**lengths)


def test_mel_settings_are_checked_as_those_of_the_transform():
    for options, message in [({"sr": 0}, "sr=0"), ({"n_mels": 0}, "n_mels=0"), ({"scale": "dB"}, "scale='dB'")]:
        with pytest.raises(aa.ParameterError, match=message):
            aa.adaptive_melspectrogram(Y, **{"sr": SR, "win_length": 50.0, "hop_length": 20.0, "n_fft": 64} | options)
