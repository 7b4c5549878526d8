"""Signals and results as they are stored: integer PCM, and half precision in and out."""

import numpy as np
import pytest

import arrayaudio as aa

FRAMES = {"n_fft": 64, "hop_length": 23}
TRANSFORMS = [
    aa.STFT(**FRAMES),
    aa.STFT(**FRAMES, output="magnitude", center=False),
    aa.STFT(n_fft=60, hop_length=20, output="power", pad_mode="reflect"),
    aa.STFT(n_fft=62, output="power"),  # no kernel has it
    aa.STFT(**FRAMES, output="phase"),
    aa.MelSpectrogram(sr=8000, n_mels=7, scale="db", **FRAMES),
    aa.MFCC(sr=8000, n_mels=7, n_mfcc=5, **FRAMES),
    aa.Chroma(sr=8000, **FRAMES),
    aa.CFP(sr=8000, n_fft=256, hop_length=100),
    aa.CQT(sr=8000, fmin=500, n_bins=12),
]
transforms = pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)


def changed(transform, **changes):
    return type(transform).from_dict(transform.to_dict() | changes)


@pytest.fixture
def pcm(rng):
    """Samples in 16 bits, with both extremes."""
    samples = rng.integers(-(2**15), 2**15, (2, 3000)).astype("int16")
    samples[0, :2] = -(2**15), 2**15 - 1
    return samples


@transforms
@pytest.mark.parametrize("dtype", ["int16", "uint8", "int8", "int32"])
def test_integers_are_pcm_where_that_is_said(transform, dtype, pcm, library):
    y = library.asarray(pcm.astype(np.int64).astype(dtype) if dtype != "int32" else pcm.astype("int32") << 16)
    found = library.to_numpy(changed(transform, pcm=True)(y))
    expected = library.to_numpy(transform(aa.pcm_to_float(y)))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    with pytest.raises(aa.DTypeError, match=r"pcm_to_float, or build the transform with pcm=True"):
        transform(y)


def check_half_samples(transform, pcm, place, back):
    y = (pcm / 2**15).astype("float16")
    found, expected = back(transform(place(y))), back(transform(place(y.astype("float32"))))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def check_half_results(transform, pcm, place, back):
    if getattr(transform, "output", "") == "complex":
        transform = changed(transform, output="magnitude")
    y = place(aa.pcm_to_float(pcm))
    S = back(transform(y))
    out = place(np.zeros(S.shape, "float16"))
    assert transform(y, out=out) is out
    with np.errstate(over="ignore"):
        expected = S.astype("float16")
    # A last digit, where levels are limited below a loudest one that is rounded.
    np.testing.assert_allclose(back(out).astype(float), expected.astype(float), rtol=2**-10)


def check_large_results(place, back):
    stft, y = aa.STFT(n_fft=2048, output="power"), place(np.ones(4096, "float32"))
    found = back(stft(y, out=place(np.zeros((1025, 9), "float16"))))
    np.testing.assert_array_equal(np.isinf(found), back(stft(y)) >= 65520)
    assert np.isinf(found).any()


@transforms
def test_half_precision_is_computed_in_single(transform, pcm):
    check_half_samples(transform, pcm, np.asarray, np.asarray)


@transforms
def test_results_in_half_precision(transform, pcm):
    check_half_results(transform, pcm, np.asarray, np.asarray)


def test_what_is_too_large_for_half_precision_is_infinite():
    check_large_results(np.asarray, np.asarray)


@pytest.mark.parametrize("output", ["complex", "power"])
def test_other_results_keep_their_precision(output):
    stft, y = aa.STFT(n_fft=64, output=output), np.ones(640, "float32" if output == "complex" else "float64")
    with pytest.raises(aa.ParameterError, match="and dtype float16: must be"):
        stft(y, out=np.zeros((33, 41), "float16"))


def test_streams_and_chunks_and_batches_take_pcm(pcm):
    mel = changed(TRANSFORMS[5], pcm=True, top_db=None)
    expected = mel(pcm)
    stream = mel.stream(channels=2)
    parts = [stream.push(pcm[:, :1000]), stream.push(pcm[:, 1000:]), stream.flush()]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), expected)
    np.testing.assert_array_equal(mel(pcm, memory_budget=2**20), expected)
    values, lengths, _ = mel.ragged([pcm[0], pcm[1, :500]])
    np.testing.assert_array_equal(values[0], expected[0])
    np.testing.assert_array_equal(values[1, :, : lengths[1]], mel(pcm[1, :500]))


def test_learned_bases_take_them(pcm, library):
    stft = aa.STFT(**FRAMES, output="power", trainable=True, pcm=True)
    layer = stft.with_params(stft.params)
    y = library.asarray(pcm)
    np.testing.assert_array_equal(
        library.to_numpy(layer(y)), library.to_numpy(layer(library.asarray(aa.pcm_to_float(pcm))))
    )


class TestOnGpus:
    """Kernels read and write them as they are."""

    @transforms
    def test_in_and_out(self, transform, pcm, gpu):
        check_half_samples(transform, pcm, gpu.asarray, gpu.to_numpy)
        check_half_results(transform, pcm, gpu.asarray, gpu.to_numpy)

    def test_too_large(self, gpu):
        check_large_results(gpu.asarray, gpu.to_numpy)

    @pytest.mark.parametrize("transform", [*TRANSFORMS[:3], *TRANSFORMS[5:8]], ids=lambda t: type(t).__name__)
    @pytest.mark.parametrize("dtype", ["int16", "float16"])
    @pytest.mark.parametrize("first", [0, 1])
    def test_in_one_launch(self, transform, dtype, first, pcm, gpu):
        y = pcm if dtype == "int16" else (pcm / 2**15).astype(dtype)
        changed(transform, pcm=True)(gpu.asarray(y)[:, first:])
        program = next(program for program in gpu.launches if program.name == "spectrogram")
        assert f"SAMPLE={ {'int16': 'short', 'float16': 'Half'}[dtype] }" in program.macros
        assert program.dtype == "float32"

    @pytest.mark.parametrize("transform", [TRANSFORMS[1], TRANSFORMS[2], TRANSFORMS[5]], ids=lambda t: type(t).__name__)
    def test_results(self, transform, pcm, gpu):
        y = gpu.asarray(pcm)
        out = gpu.asarray(np.zeros((2, *transform(np.ones(3000)).shape), "float16"))
        changed(transform, pcm=True)(y, out=out)
        assert [program.macros[1:] for program in gpu.launches] == [("SAMPLE=short", "RESULT=Half")]

    def test_every_number_of_either_format(self, gpu):
        stft = aa.STFT(n_fft=64, hop_length=64, center=False, window="boxcar", output="magnitude", pcm=True)
        bits = np.arange(2**16, dtype="uint16")
        finite = np.isfinite(bits.view("float16"))
        for y in (bits.view("int16"), np.where(finite, bits.view("float16"), np.float16(0))):
            wide = y.astype("float32") / (2**15 if y.dtype == np.int16 else 1)
            found, expected = gpu.to_numpy(stft(gpu.asarray(y))), gpu.to_numpy(stft(gpu.asarray(wide)))
            np.testing.assert_array_equal(found, expected)
