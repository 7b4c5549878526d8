"""Random arrays in every transform and public function: the numbers of a plain copy, or an error of ours."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves

from .every import ANGLES, LEVELLED, TRANSFORMS
from .test_any_array import CALLS, SIGNAL
from .tolerances import LEVELS, PEAK

SHAPES = st.tuples(*[st.integers(0, 3)] * 2, st.integers(0, 700)) | st.tuples(st.integers(0, 700))
SHAPES |= st.just(()) | st.tuples(st.integers(1, 2), st.integers(257, 900))
VIEWS = st.sampled_from(
    [
        lambda x: x,
        lambda x: np.flip(x),
        lambda x: x[..., ::-1],
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
        lambda x: np.broadcast_to(x, (2, *x.shape)),
    ]
)
DTYPES = st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "<i2", "<u1", "<c8", "?", "<f4", "<f8"])


@st.composite
def arrays(draw):
    """Arrays of any shape, kind, order and layout, most of them signals."""
    shape, dtype = draw(SHAPES), np.dtype(draw(DTYPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gain = draw(st.sampled_from([1.0, 1.0, 0.0, 1e-3, 100.0]))
    x = np.asarray(gain * rng.standard_normal(shape)).astype(dtype)
    if dtype.kind == "f" and x.size and draw(st.integers(0, 9)) == 0:
        x.flat[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([np.nan, np.inf]))
    x = draw(VIEWS)(x) if x.ndim else x
    if draw(st.booleans()):
        x = x.view()
        x.setflags(write=False)
    return x


def outcome(call, x):
    """Results, or the error of ours; any other fails the test."""
    try:
        return leaves(call(x)), None
    except aa.ArrayAudioError as error:
        return None, error


def check(name, call, x, limits):
    before = x.copy()
    found, error = outcome(call, x)
    np.testing.assert_array_equal(x, before)
    # To the last bit, and the same error, as a contiguous copy in native order.
    plain, refused = outcome(call, np.array(x, dtype=x.dtype.newbyteorder("="), order="C"))
    assert type(error) is type(refused)
    assert str(error) == str(refused)
    if error is not None:
        assert isinstance(error, ValueError | TypeError)
        return
    for ours, same in zip(found, plain, strict=True):
        np.testing.assert_array_equal(ours, same, strict=True)
    if x.dtype.kind != "f":
        return
    exact, _ = outcome(call, x.astype(np.float64))
    for ours, double in zip(found, exact, strict=True):
        assert ours.shape == double.shape
        if limits is not None and ours.size and ours.dtype.itemsize < double.dtype.itemsize:
            largest = max(float(np.abs(double).max()), 1.0 if limits is LEVELS else 1e-30)
            assert np.abs(ours - double).max() <= limits["float32"] * largest


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(TRANSFORMS)), x=arrays())
def test_transforms(name, x):
    limits = LEVELS if name in LEVELLED else PEAK
    if name in ANGLES or name == "Chroma" or name == "ChromaCQT" or name == "CFP":
        limits = None  # ratios of small numbers, which rounding moves
    check(name, TRANSFORMS[name], x, limits)


# Results that are the numbers of a plain copy within rounding of their largest; others turn, search, count, or add up
# magnitudes of a thousand bins, as pseudo_cqt does, whose rounding adds up too where all are alike.
SMOOTH = {"stft", "spectrogram", "melspectrogram", "cqt", "vqt", "resample", "rms"}
SMOOTH |= {"preemphasis", "gammatonegram", "gammatone_filterbank", "STFT.inverse", "db_to_power", "delta"}
FUNCTIONS = sorted(name for name in CALLS if name not in ("asarray", "to_numpy", "with_params"))


@settings(max_examples=500)
@given(name=st.sampled_from(FUNCTIONS), x=arrays())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers beyond the range of their format
def test_functions(name, x):
    call, make = CALLS[name]
    check(name, call, x, PEAK if name in SMOOTH and make is SIGNAL else None)


@settings(max_examples=200)
@given(name=st.sampled_from(FUNCTIONS), data=st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_arrays_that_fit(name, data):
    """Arrays of the shape and kind that the function takes, in other layouts and orders."""
    call, make = CALLS[name]
    x = data.draw(VIEWS)(make())
    check(name, call, x.astype(x.dtype.newbyteorder()) if data.draw(st.booleans()) else x, None)


SETTINGS = {
    "n_fft": st.integers(-2, 300),
    "hop_length": st.integers(-2, 300) | st.none(),
    "win_length": st.integers(-2, 300) | st.none(),
    "window": st.sampled_from(["hann", "hamming", "boxcar", "none of these", ("kaiser", 5.0), ("gaussian", 7.0)]),
    "center": st.booleans(),
    "pad_mode": st.sampled_from(["constant", "reflect", "edge", "wrap", "symmetric", "mean", "empty"]),
    "output": st.sampled_from(["complex", "magnitude", "power", "phase", "amplitude"]),
}


@settings(max_examples=300)
@given(options=st.fixed_dictionaries({}, optional=SETTINGS), n=st.integers(0, 900), seed=st.integers(0, 2**32 - 1))
def test_settings_of_frames(options, n, seed):
    """Any of them, as the reference of the documentation: pad, cut, weigh, transform."""
    y = np.random.default_rng(seed).standard_normal(n)
    try:
        transform = aa.STFT(**{"n_fft": 64, **options})
        S = transform(y)
    except aa.ParameterError:
        return
    assert S.shape == (1 + transform.n_fft // 2, transform.n_frames(n))
    window = aa.get_window(transform.window, transform.win_length)
    left = (transform.n_fft - transform.win_length) // 2
    window = np.pad(window, (left, transform.n_fft - transform.win_length - left))
    if transform.center:
        y = np.pad(y, transform.n_fft // 2, mode=transform.pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(y, transform.n_fft)[:: transform.hop_length] * window
    X = np.fft.rfft(frames).T
    if transform.output == "phase":
        np.testing.assert_allclose(np.abs(X) * np.exp(1j * S), X, atol=1e-10)
    else:
        expected = {"complex": X, "magnitude": np.abs(X), "power": np.abs(X) ** 2}[transform.output]
        np.testing.assert_allclose(S, expected, atol=1e-10 * max(1, np.abs(expected).max()))


@settings(max_examples=100)
@given(x=hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=9), elements=st.floats(1e-3, 1e4)))
@pytest.mark.parametrize("pair", ["hz_to_mel", "hz_to_bark", "hz_to_erb", "hz_to_midi", "hz_to_octs"])
def test_conversions_come_back(pair, x):
    there, back = pair.split("_to_")
    np.testing.assert_allclose(getattr(aa, f"{back}_to_{there}")(getattr(aa, pair)(x)), x, rtol=1e-9, atol=1e-9)
