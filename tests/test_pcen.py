"""Per-channel energy normalisation against the loops and librosa."""

import librosa
import numpy as np
import pytest

import arrayaudio as aa

from . import naive_features as naive
from .tolerances import assert_same_spectrum

SETTINGS = [
    {},
    {"gain": 0.5, "bias": 10.0, "power": 0.25},
    {"power": 0},
    {"bias": 0},
    {"b": 0.3, "eps": 1e-3},
    {"b": 0},
    {"b": 1},
    {"time_constant": 0.06, "hop_length": 256},
    {"max_size": 2},
    {"max_size": 3},
    {"max_size": 20},
]
DEFAULTS = {"gain": 0.98, "bias": 2.0, "power": 0.5, "eps": 1e-6, "max_size": 1}


def energies(rng, shape, dtype):
    return (1e3 * rng.standard_normal(shape) ** 2).astype(dtype)


def expected(S, options, before=1.0):
    """The loops, with librosa's documented coefficient for a time constant in seconds."""
    known = {"time_constant": 0.4, "hop_length": 512} | DEFAULTS | options
    frames = known.pop("time_constant") * 22050 / known.pop("hop_length")
    b = known.pop("b", (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2))
    return np.stack([naive.pcen(item, b=b, before=before, **known) for item in S.astype(np.float64)])


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_bands_are_those_of_the_loops(options, library, dtype, rng):
    S = energies(rng, (2, 6, 150), dtype)
    array = library.asarray(S)
    result = library.to_numpy(aa.pcen(array, sr=22050, **options))
    assert result.dtype == dtype
    assert_same_spectrum(result, expected(S, options), dtype)
    np.testing.assert_array_equal(library.to_numpy(array), S)


@pytest.mark.parametrize("options", [s for s in SETTINGS if s.get("b") != 0], ids=str)  # librosa's has no state for it
def test_bands_are_librosas(options, dtype, rng):
    S = energies(rng, (40, 300), dtype)
    assert_same_spectrum(
        aa.pcen(S, sr=22050, **options), librosa.pcen(S.astype(np.float64), sr=22050, **options), dtype
    )


def test_the_seed_of_real_speech(audio, dtype):
    import soundfile

    y, sr = soundfile.read(audio / "speech.flac", dtype=dtype)
    S = aa.melspectrogram(y * 2**31, sr=sr, power=1.0)
    assert_same_spectrum(aa.pcen(S, sr=sr), librosa.pcen(S.astype(np.float64), sr=sr), dtype)


def test_a_constant_band_that_starts_from_itself_stays_constant(library, dtype):
    S = np.broadcast_to(np.array([[1.0], [50.0], [1e4]]), (2, 3, 200)).astype(dtype)
    array = library.asarray(S)
    result = library.to_numpy(aa.pcen(array, sr=22050, initial=array[..., :1]))
    assert_same_spectrum(result, np.broadcast_to(result[..., :1], result.shape), dtype)
    assert_same_spectrum(result[0, 1], expected(S[:, 1:2], {}, before=50.0)[0, 0], dtype)


def test_silence_gives_zeros(library, dtype):
    S = library.asarray(np.zeros((3, 100), dtype))
    for options in SETTINGS:
        assert not library.to_numpy(aa.pcen(S, sr=16000, **options)).any()


@pytest.mark.parametrize("max_size", [1, 3])
def test_each_item_is_on_its_own(max_size, library, dtype, rng):
    S = energies(rng, (2, 2, 5, 90), dtype)
    together = library.to_numpy(aa.pcen(library.asarray(S), sr=8000, max_size=max_size))
    alone = [[library.to_numpy(aa.pcen(library.asarray(x), sr=8000, max_size=max_size)) for x in item] for item in S]
    assert_same_spectrum(together, alone, dtype)


def test_no_frames_pass():
    assert aa.pcen(np.zeros((3, 0)), sr=8000).shape == (3, 0)


# Settings that are arrays


def arrays(rng, n_bands, dtype="float64"):
    column = (n_bands, 1)
    made = {
        "gain": 0.5 + 0.5 * rng.random(column),
        "bias": 1 + rng.random(column),
        "power": 0.3 + 0.5 * rng.random(column),
        "eps": 100 + 100 * rng.random(column),
        "b": np.array(0.03),
    }
    return {name: value.astype(dtype) for name, value in made.items()}


def test_arrays_hold_a_number_for_each_band(library, dtype, rng):
    S, options = energies(rng, (2, 6, 150), dtype), arrays(rng, 6, "float32")
    given = {name: library.asarray(value.astype(dtype)) for name, value in options.items()}
    result = library.to_numpy(aa.pcen(library.asarray(S), sr=22050, **given))
    assert result.dtype == dtype
    for k in range(6):
        band = {name: float(value[k, 0]) if value.ndim else float(value) for name, value in options.items()}
        assert_same_spectrum(result[:, k], expected(S[:, k : k + 1], band)[:, 0], dtype)


@pytest.mark.parametrize("name", ["gain", "bias", "power", "eps", "b"])
def test_a_single_array_gives_what_the_number_gives(name, library, dtype, rng):
    S, value = library.asarray(energies(rng, (6, 150), dtype)), {"b": 0.25}.get(name, 0.75)
    result = aa.pcen(S, sr=22050, **{name: library.asarray(np.array(value, dtype))})
    assert_same_spectrum(library.to_numpy(result), library.to_numpy(aa.pcen(S, sr=22050, **{name: value})), dtype)


@pytest.mark.parametrize(
    ("chosen", "options"),
    [
        (("gain", "bias", "power", "eps", "b"), {}),
        (("gain", "bias", "power", "eps", "b"), {"max_size": 3}),
        (("gain", "eps"), {"power": 0}),
        (("gain", "power", "b"), {"bias": 0}),
        (("bias", "power"), {"b": 1}),
        (("b",), {"power": 0.25}),
    ],
    ids=str,
)
def test_gradients_are_those_of_finite_differences(chosen, options, rng):
    S, known = energies(rng, (2, 4, 150), "float64"), arrays(rng, 4)
    learned = {name: known[name] for name in chosen} | {"S": S, "initial": 1 + rng.random((2, 4, 1))}
    weights = rng.random(S.shape)

    def loss(given):
        return np.sum(aa.pcen(given["S"], sr=8000, **{k: v for k, v in given.items() if k != "S"}, **options) * weights)

    gradient = aa.grad(loss)(learned)
    for name, value in learned.items():
        step = 1e-5 * value * rng.choice([-1, 1], value.shape)
        slope = loss(learned | {name: value + step}) - loss(learned | {name: value - step})
        rounding = 1e-14 * loss(learned)
        assert abs(slope - 2 * np.sum(gradient[name] * step)) <= 1e-7 * np.linalg.norm(gradient[name] * step) + rounding


@pytest.mark.parametrize("options", [{}, {"bias": 0}, {"power": 0}, {"b": np.array(1.0)}], ids=str)
def test_gradients_are_finite_at_silence(options, dtype, rng):
    learned = {name: value for name, value in arrays(rng, 3, dtype).items() if name not in options}
    silence = np.zeros((2, 3, 100), dtype)
    gradients, of_signal = aa.grad(lambda p, S: np.sum(aa.pcen(S, sr=8000, **p, **options)), argnums=(0, 1))(
        learned, silence
    )
    assert np.isfinite(of_signal).all()
    assert all(np.isfinite(g).all() and g.dtype == dtype for g in gradients.values())


def test_settings_on_the_tape_leave_the_signal_off_it(rng):
    S, options = energies(rng, (3, 80), "float32"), arrays(rng, 3, "float32")
    value, pullback = aa.vjp(lambda p: aa.pcen(S, sr=8000, **p), options)
    assert value.dtype == np.float32
    assert_same_spectrum(value, aa.pcen(S, sr=8000, **options))
    assert all(g.shape == options[name].shape for name, g in pullback(np.ones_like(value))[0].items())


S = np.ones((3, 10))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (S, {"sr": 0}, "sr=0: must be greater than 0"),
        (S, {"hop_length": 0}, "hop_length=0: must be at least 1"),
        (S, {"gain": -1}, "gain=-1: must be at least 0"),
        (S, {"bias": -1}, "bias=-1: must be at least 0"),
        (S, {"power": -1}, "power=-1: must be at least 0"),
        (S, {"eps": 0}, "eps=0: must be greater than 0"),
        (S, {"time_constant": 0}, "time_constant=0: must be greater than 0"),
        (S, {"b": 1.5}, r"b=1\.5: must be at least 0 and at most 1"),
        (S, {"b": -0.5}, r"b=-0\.5: must be at least 0"),
        (S, {"gain": np.array([[1.0], [-0.5], [1.0]])}, r"gain=-0\.5: must be at least 0"),
        (S, {"power": np.array([[1.0], [0.0], [1.0]])}, r"power=0\.0: must be greater than 0"),
        (S, {"bias": np.array([[1.0], [np.nan], [1.0]])}, "bias=nan: must be finite"),
        (S, {"eps": np.zeros((3, 1))}, r"eps=0\.0: must be greater than 0"),
        (S, {"gain": np.ones(3)}, r"gain has shape \(3,\): must be a number or have shape \(\) or \(3, 1\)"),
        (S, {"b": np.full((3, 1), 0.5)}, r"b has shape \(3, 1\): must be a number or have shape \(\)"),
        (S, {"b": np.array(1.5)}, r"b=array\(1\.5\): must be at least 0 and at most 1"),
        (S, {"gain": "loud"}, "gain='loud': must be a real number"),
        (S, {"max_size": 0}, "max_size=0: must be at least 1"),
        (S, {"initial": S}, r"initial has shape \(3, 10\): must be a number or have shape \(3, 1\)"),
        (S[0], {}, r"spectrogram has shape \(10,\): must have shape \(\.\.\., freq, time\)"),
        (-S, {}, "must be finite and not negative; decibels come back"),
        (S * np.nan, {}, "must be finite and not negative"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(data, options, message):
    with pytest.raises(aa.ParameterError, match=message):
        aa.pcen(data, **{"sr": 8000} | options)


def test_integers_and_complex_spectra_are_refused():
    with pytest.raises(aa.DTypeError, match="spectrogram has dtype int64"):
        aa.pcen(S.astype(np.int64), sr=8000)
    with pytest.raises(aa.DTypeError, match="take its magnitude"):
        aa.pcen(S.astype(complex), sr=8000)
