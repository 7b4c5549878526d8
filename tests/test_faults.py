"""What must survive what: each fault, and what happens then."""

import threading
import warnings

import array_api_strict
import ml_dtypes
import numpy as np
import pandas
import pytest
import xarray

import arrayaudio as aa

from .tolerances import assert_same_spectrum, relative_error

SMALL = {"n_fft": 64, "hop_length": 16}
TRANSFORMS = {
    "stft": aa.STFT(**SMALL),
    "power": aa.STFT(**SMALL, output="power"),
    "mel": aa.MelSpectrogram(sr=8000, n_mels=8, **SMALL),
    "logmel": aa.MelSpectrogram(sr=8000, n_mels=8, scale="db", **SMALL),
    "mfcc": aa.MFCC(sr=8000, n_mels=8, n_mfcc=4, **SMALL),
}


@pytest.fixture(params=TRANSFORMS)
def transform(request):
    return TRANSFORMS[request.param]


class TestShapes:
    @pytest.mark.parametrize("shape", [(0,), (3, 0)])
    def test_no_samples(self, transform, library, shape):
        with pytest.raises(aa.ParameterError, match="signal has 0 samples"):
            transform(library.asarray(np.zeros(shape)))

    def test_empty_batch(self, transform, library):
        result = transform(library.asarray(np.zeros((0, 500), np.float32)))
        assert result.shape == (0, *transform(np.zeros(500, np.float32)).shape)
        assert transform(np.zeros((2, 0, 500))).shape == (2, 0, *transform(np.zeros(500)).shape)

    def test_single_number(self, transform):
        for number in (1.0, np.float32(1), np.array(1.0)):
            with pytest.raises(aa.ParameterError, match=r"single number .* must have shape \(\.\.\., n_samples\)"):
                transform(number)

    def test_lists_and_tuples(self, transform, rng):
        y = rng.standard_normal((2, 200))
        np.testing.assert_array_equal(transform(y.tolist()), transform(y))
        np.testing.assert_array_equal(transform(tuple(y)), transform(y))

    def test_ragged_lists(self, transform):
        with pytest.raises(aa.ParameterError, match=r"inhomogeneous.*transform\.ragged"):
            transform([[1.0, 2.0], [1.0]])

    @pytest.mark.parametrize("n", [1, 63, 64, 65, 127, 128, 129, 160, 161])
    @pytest.mark.parametrize("center", [True, False])
    def test_short_lengths_give_the_exact_count_or_an_error(self, n, center):
        stft = aa.STFT(**SMALL, center=center)
        if n < 64 and not center:
            with pytest.raises(aa.ParameterError, match=f"signal has {n} samples: must have at least 64"):
                stft(np.ones(n))
            assert stft.min_length == 64
        else:
            assert stft(np.ones(n)).shape[-1] == stft.n_frames(n) == 1 + (n if center else n - 64) // 16

    def test_too_short_to_reflect(self, library):
        y = library.asarray(np.ones(32))
        with pytest.raises(aa.ParameterError, match=r"at least 33.*reflect.*pad_mode='constant'"):
            aa.stft(y, **SMALL, pad_mode="reflect")
        assert aa.stft(y, **SMALL).shape == (33, 3)


class TestDtypes:
    @pytest.mark.parametrize(
        "y", [np.ones(99, bool), np.array(["a"] * 99), np.array([None] * 99)], ids=["bool", "str", "object"]
    )
    def test_no_numbers(self, transform, y):
        with pytest.raises(aa.DTypeError, match=r"must be float32 or float64"):
            transform(y)

    @pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.int64, np.uint16])
    def test_integer_pcm(self, transform, dtype):
        with pytest.raises(aa.DTypeError, match=rf"{np.dtype(dtype).name}.*aa\.pcm_to_float"):
            transform(np.ones(500, dtype))

    def test_full_scale_pcm_does_not_wrap(self):
        y = aa.pcm_to_float(np.array([-32768, 32767] * 64, np.int16))
        power = aa.spectrogram(y, n_fft=128, window="boxcar", center=False)[:, 0]
        assert power[-1] == pytest.approx(128.0**2, rel=1e-4)  # the square wave at Nyquist
        assert power[1:-1].max() < 1e-6

    def test_half_precision_is_computed_in_single(self, transform, rng):
        y = rng.standard_normal(300).astype(np.float16)
        np.testing.assert_array_equal(transform(y), transform(y.astype(np.float32)))
        assert transform(y).dtype in (np.float32, np.complex64)

    def test_bfloat16_is_computed_in_single(self, transform):
        y = np.linspace(-1, 1, 300).astype(ml_dtypes.bfloat16)
        np.testing.assert_array_equal(transform(y), transform(y.astype(np.float32)))

    def test_complex_and_extended_precision(self, transform):
        with pytest.raises(aa.DTypeError, match=r"complex64.*real and its imaginary part"):
            transform(np.ones(500, np.complex64))
        if np.longdouble(0).itemsize > 8:
            with pytest.raises(aa.DTypeError, match=r"convert it with astype\('float32'\)"):
                transform(np.ones(500, np.longdouble))

    def test_big_endian(self, transform, rng):
        y = rng.standard_normal(300).astype(np.float32)
        result = transform(y.astype(">f4"))
        assert result.dtype.isnative
        np.testing.assert_array_equal(result, transform(y))


class TestMemory:
    def test_read_only_and_memory_mapped(self, transform, tmp_path, rng):
        y = rng.standard_normal(300).astype(np.float32)
        np.save(tmp_path / "y.npy", y)
        mapped = np.load(tmp_path / "y.npy", mmap_mode="r")
        expected = transform(y)
        y.setflags(write=False)
        np.testing.assert_array_equal(transform(y), expected)
        np.testing.assert_array_equal(transform(mapped), expected)
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), y)

    @pytest.mark.parametrize(
        "view",
        [
            lambda y: y[..., ::-1],
            lambda y: y[..., ::3],
            lambda y: np.asfortranarray(y),
            lambda y: y.T,
            lambda y: np.broadcast_to(y[0, :1], (4, 900)),
        ],
        ids=["negative", "strided", "Fortran", "transposed", "stride 0"],
    )
    def test_any_strides(self, transform, view, rng):
        y = view(rng.standard_normal((700, 900)).astype(np.float32))[:4]
        np.testing.assert_array_equal(transform(y), transform(np.array(y, order="C")))

    def test_masked_arrays(self, transform, rng):
        y = rng.standard_normal(300)
        np.testing.assert_array_equal(transform(np.ma.masked_array(y)), transform(y))
        with pytest.raises(aa.ParameterError, match=r"1 samples are masked.*filled"):
            transform(np.ma.masked_array(y, np.arange(300) == 7))

    def test_labelled_arrays(self, transform, rng):
        y = rng.standard_normal(300)
        np.testing.assert_array_equal(transform(pandas.Series(y)), transform(y))
        np.testing.assert_array_equal(transform(xarray.DataArray(y)), transform(y))


class TestParameters:
    @pytest.mark.parametrize("name", ["n_fft", "hop_length", "win_length"])
    @pytest.mark.parametrize("value", [0, -4, 2.5, 10**12, "many", float("nan"), True])
    def test_lengths(self, name, value):
        with pytest.raises(aa.ParameterError, match=f"{name}={value!r}: must be"):
            aa.STFT(**{name: value})

    def test_a_window_beyond_its_frame(self):
        with pytest.raises(aa.ParameterError, match="win_length=65: must be at most n_fft=64"):
            aa.STFT(n_fft=64, win_length=65)

    @pytest.mark.parametrize("n_fft", [1, 3, 7, 97, 101, 127])
    def test_odd_and_prime_frames(self, n_fft, rng):
        y = rng.standard_normal(400)
        X = aa.stft(y, n_fft=n_fft, hop_length=1, center=False)
        frame = y[13 : 13 + n_fft] * aa.get_window("hann", n_fft)
        assert_same_spectrum(X[:, 13], np.fft.fft(frame)[: 1 + n_fft // 2])

    @pytest.mark.parametrize(
        ("name", "value"), [("output", "amplitude"), ("pad_mode", "empty"), ("pad_mode", "zeros"), ("center", 1)]
    )
    def test_choices(self, name, value):
        with pytest.raises(aa.ParameterError, match=f"{name}={value!r}: must be one of"):
            aa.STFT(**{name: value})

    @pytest.mark.parametrize("sr", [0, -1, float("nan"), float("inf"), "fast"])
    def test_sampling_rates(self, sr):
        for make in (aa.STFT, aa.MelSpectrogram, aa.MFCC):
            with pytest.raises(aa.ParameterError, match="sr="):
                make(sr=sr)

    def test_fractional_sampling_rates_are_fine(self):
        assert aa.STFT(sr=44100 / 1.001).frequencies[-1] == pytest.approx(22050 / 1.001)


class TestValues:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite_is_counted_and_located(self, transform, bad):
        y = np.zeros((2, 3, 300), np.float32)
        y[1, 2, 70:73] = bad
        with pytest.raises(
            aa.ParameterError, match=r"3 NaN or infinite samples, the first at index 70 of channel \(1, 2\)"
        ):
            transform(y)
        with pytest.raises(aa.ParameterError, match="the first at index 70: repair"):
            transform(array_api_strict.asarray(y[1, 2]))

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_unchecked_it_spoils_the_frames_it_is_in_and_no_other(self, bad):
        y = np.ones(1000, np.float32)
        y[500] = bad
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            X = aa.stft(y, **SMALL, center=False, check_finite=False)
        touched = [t * 16 <= 500 < t * 16 + 64 for t in range(X.shape[1])]
        assert (~np.isfinite(X)).any(axis=0).tolist() == touched

    def test_silence_gives_the_exact_floor(self, dtype, library):
        y = library.asarray(np.zeros((2, 500), dtype))
        assert set(library.to_numpy(aa.melspectrogram(y, sr=8000, n_mels=8, scale="db", **SMALL)).ravel()) == {-100.0}
        levels = library.to_numpy(aa.melspectrogram(y, sr=8000, n_mels=8, scale="log", **SMALL))
        assert set(levels.ravel()) == {np.dtype(dtype).type(np.log(1e-10))}

    @pytest.mark.parametrize(("gain", "offset"), [(32768.0, 0.0), (1.0, 1e6), (1e-15, 0.0), (1e15, 0.0)])
    def test_unusual_levels_are_linear_and_finite(self, gain, offset, dtype, rng):
        y = (gain * rng.standard_normal(2000) + offset).astype(dtype)
        X = aa.stft(y, n_fft=256)
        assert np.isfinite(X).all()
        assert relative_error(X, aa.stft(y.astype(np.float64), n_fft=256)) <= {"float32": 1e-6, "float64": 0}[dtype]
        for transform in TRANSFORMS.values():
            assert np.isfinite(transform(y)).all()

    def test_denormals_are_finite(self, transform):
        y = np.full(500, np.finfo(np.float32).smallest_subnormal, np.float32)
        assert np.isfinite(transform(y)).all()

    def test_analytic_values(self):
        flat = {"window": "boxcar", "center": False, "n_fft": 64, "hop_length": 64, "output": "magnitude"}
        constant = aa.stft(np.ones(64), **flat)[:, 0]
        np.testing.assert_allclose(constant, [64] + 32 * [0], atol=1e-12)
        impulse = aa.stft(np.eye(1, 64)[0], **flat)[:, 0]
        np.testing.assert_allclose(impulse, np.ones(33), atol=1e-14)
        square = aa.stft(np.tile([1.0, -1.0], 32), **flat)[:, 0]
        np.testing.assert_allclose(square, 32 * [0] + [64], atol=1e-12)


def test_one_transform_in_eight_threads(transform, rng):
    y = rng.standard_normal((4, 20000)).astype(np.float32)
    expected = transform(y)
    results = []
    threads = [threading.Thread(target=lambda: results.extend(transform(y) for _ in range(5))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    for result in results:
        np.testing.assert_array_equal(result, expected)
