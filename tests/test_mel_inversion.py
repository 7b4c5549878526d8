"""Back from mel bands and cepstra: residuals no larger than librosa's and SciPy's, exact inverses, errors."""

import librosa
import numpy as np
import pytest
import scipy.optimize

import arrayaudio as aa
from arrayaudio.constants import Constant
from arrayaudio.reconstruction.mel_inversion import non_negative

from . import naive_inverse
from .tolerances import assert_same_spectrum, relative_error

FRAMES = {"sr": 8000, "n_fft": 256}
SETTINGS = [
    {"n_mels": 20},
    {"n_mels": 40, "mel_scale": "htk", "norm": None},
    {"n_mels": 16, "fmin": 300, "fmax": 3000},
    {"n_mels": 24, "power": 1.0},
]


def bank(n_mels, power=2.0, **options):
    return aa.filters.mel(n_mels=n_mels, **FRAMES, **options)


def split(options):
    rest = {key: value for key, value in options.items() if key != "n_mels"}
    return rest, options.get("power", 2.0)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_the_residual_is_at_most_librosas(library, dtype, options, rng):
    y = rng.standard_normal(4000).astype(dtype)
    M = aa.melspectrogram(y, **FRAMES, hop_length=64, **options)
    rest, power = split(options)
    S = library.to_numpy(aa.mel_to_stft(library.asarray(M), **FRAMES, **rest))
    assert S.dtype == dtype
    assert S.shape == (129, M.shape[1])
    assert S.min() >= 0
    weights = bank(**options)
    theirs = librosa.util.nnls(weights, M.astype(np.float64))
    ours = relative_error(weights @ np.float64(S) ** power, M)
    assert ours <= max(relative_error(weights @ theirs, M), 1e-6 if dtype == "float32" else 0)
    assert ours < 1e-4


def test_it_does_what_librosas_function_does(rng):
    M = librosa.feature.melspectrogram(y=rng.standard_normal(8000), sr=8000, n_fft=512, n_mels=40)
    theirs = librosa.feature.inverse.mel_to_stft(M, sr=8000, n_fft=512)
    ours = aa.mel_to_stft(M, sr=8000, n_fft=512)
    weights = librosa.filters.mel(sr=8000, n_fft=512, n_mels=40, dtype=np.float64)
    assert relative_error(weights @ ours**2, M) <= relative_error(weights @ theirs**2, M)
    assert relative_error(ours, theirs) < 0.05


def test_where_no_spectrum_fits_it_is_the_least_squares_solution(library, rng):
    weights = bank(40)
    M = rng.lognormal(0, 1.5, (40, 20))
    X = library.to_numpy(non_negative(library.asarray(M), Constant(weights)))
    exact = np.array([scipy.optimize.nnls(weights, column)[1] for column in M.T])
    ours = np.linalg.norm(weights @ X - M, axis=0)
    assert (exact > 0.001 * np.linalg.norm(M, axis=0)).sum() >= 10
    assert (ours - exact <= 1e-3 * np.linalg.norm(M, axis=0)).all()


def test_a_solution_is_found_however_loud(rng, dtype):
    M = aa.melspectrogram(rng.standard_normal(2000), **FRAMES, n_mels=20).astype(dtype)
    S = aa.mel_to_stft(M, **FRAMES)
    for scale in (2.0**-60, 2.0**60):
        np.testing.assert_array_equal(aa.mel_to_stft(M * dtype_of(M, scale), **FRAMES), S * dtype_of(M, scale**0.5))


def dtype_of(M, value):
    return M.dtype.type(value)


def test_items_are_as_they_would_be_alone(dtype, rng):
    M = rng.random((2, 3, 20, 7)).astype(dtype)
    together = aa.mel_to_stft(M, **FRAMES)
    assert together.shape == (2, 3, 129, 7)
    for place in np.ndindex(2, 3):
        assert_same_spectrum(together[place], aa.mel_to_stft(M[place], **FRAMES), dtype)


def test_silence_and_empty_batches(library, dtype):
    for shape in ((20, 5), (0, 20, 5)):
        M = library.asarray(np.zeros(shape, dtype))
        S = library.to_numpy(aa.mel_to_stft(M, **FRAMES))
        np.testing.assert_array_equal(S, np.zeros((*shape[:-2], 129, 5), dtype))
    assert not library.to_numpy(aa.mel_to_audio(library.asarray(np.zeros((20, 5), dtype)), **FRAMES)).any()


def test_audio_has_the_bands_it_came_from(library, dtype, rng):
    frames = FRAMES | {"hop_length": 64}
    M = aa.melspectrogram(rng.standard_normal(4000).astype(dtype), n_mels=20, **frames)
    y = library.to_numpy(aa.mel_to_audio(library.asarray(M), seed=0, length=4000, **frames))
    assert y.shape == (4000,)
    assert y.dtype == dtype
    assert relative_error(aa.melspectrogram(y, n_mels=20, **frames), M) < 0.15
    S = aa.mel_to_stft(M, **FRAMES)
    if library.name == "numpy":
        np.testing.assert_array_equal(y, aa.griffinlim(S, seed=0, length=4000, hop_length=64))


class TestCepstra:
    @pytest.mark.parametrize("dct_type", [1, 2, 3])
    @pytest.mark.parametrize("norm", ["ortho", None])
    @pytest.mark.parametrize("lifter", [0, 22])
    def test_equal_the_oracle(self, library, dtype, dct_type, norm, lifter, rng):
        C = rng.standard_normal((2, 9, 4)).astype(dtype)
        options = {"dct_type": dct_type, "norm": norm, "lifter": lifter, "ref": 0.5}
        M = library.to_numpy(aa.mfcc_to_mel(library.asarray(C), n_mels=15, **options))
        assert M.dtype == dtype
        for ours, c in zip(M, C, strict=True):
            expected = naive_inverse.mfcc_to_mel(np.float64(c), 15, dct_type, norm == "ortho", 0.5, lifter)
            assert_same_spectrum(ours, expected, dtype)

    @pytest.mark.parametrize("lifter", [0, 30])
    def test_equal_librosa(self, lifter, rng):
        C = rng.standard_normal((20, 10))
        assert_same_spectrum(aa.mfcc_to_mel(C, lifter=lifter), librosa.feature.inverse.mfcc_to_mel(C, lifter=lifter))

    def test_all_of_them_give_the_bands_back(self, library, dtype, rng):
        y = rng.standard_normal(3000).astype(dtype)
        options = {"n_mels": 30, "sr": 8000, "top_db": None}
        C = aa.mfcc(library.asarray(y), n_mfcc=30, lifter=12, **options)
        M = library.to_numpy(aa.mfcc_to_mel(C, n_mels=30, lifter=12))
        limit = {"float32": 1e-5, "float64": 1e-12}[dtype]  # of levels: their errors come back as factors
        assert relative_error(M, aa.melspectrogram(y, **options)) < limit


class TestErrors:
    @pytest.mark.parametrize(
        ("M", "options", "message"),
        [
            (-np.ones((20, 5)), {}, r"values from -1 to -1: must be finite and not negative; decibels"),
            (np.ones(20), {}, r"shape \(20,\): must have shape"),
            (np.ones((0, 5)), {}, "n_mels=0"),
            (np.ones((20, 5)), {"power": 0}, "power=0: must be greater than 0"),
            (np.ones((20, 5)), {"fmax": 5000}, "fmax=5000: must be at most sr / 2"),
            (np.ones((20, 5)), {"mel_scale": "bark"}, "mel_scale='bark': must be one of"),
        ],
    )
    def test_of_bands(self, M, options, message):
        for function in (aa.mel_to_stft, aa.mel_to_audio):
            with pytest.raises(aa.ParameterError, match=message):
                function(M, **FRAMES, **options)

    @pytest.mark.parametrize(
        ("C", "options", "message"),
        [
            (np.ones((20, 5)), {"n_mels": 19}, "20 coefficients: must have at least 1 and at most n_mels=19"),
            (np.ones(20), {}, r"shape \(20,\): must have shape"),
            (np.ones((20, 5)), {"dct_type": 4}, "dct_type=4"),
            (np.ones((20, 5)), {"norm": "slaney"}, "norm='slaney'"),
            (np.ones((20, 5)), {"lifter": -1}, "lifter=-1"),
            (np.ones((20, 5)), {"lifter": 2}, "lifter=2: made coefficient 2 zero, which cannot be undone"),
            (np.ones((1, 5)), {"dct_type": 1, "n_mels": 1}, "needs n_mels of at least 2"),
        ],
    )
    def test_of_cepstra(self, C, options, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.mfcc_to_mel(C, **options)

    def test_bands_must_be_real(self):
        with pytest.raises(aa.DTypeError):
            aa.mel_to_stft(np.ones((20, 5), complex), **FRAMES)
