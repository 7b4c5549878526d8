"""Signals of odd shapes and kinds, in every transform and every public function."""

import ml_dtypes
import numpy as np
import pandas
import pytest
import xarray

import arrayaudio as aa
from arrayaudio.autodiff.trees import leaves

from .every import SETTINGS, TRANSFORMS, classes
from .every_call import CONVERSIONS, OF_SIGNALS
from .test_any_array import CALLS

SIGNALS = OF_SIGNALS | {f"transform {name}": transform for name, transform in TRANSFORMS.items()}
# Everything that takes an array, and a function that makes one.
ARRAYS = {name: pair for name, pair in CALLS.items() if name not in ("asarray", "to_numpy")}
ARRAYS |= {f"transform {name}": (transform, CALLS["stft"][1]) for name, transform in TRANSFORMS.items()}
REAL = {name for name, (_, make) in ARRAYS.items() if make().dtype.kind == "f"}
# Blocks of a stream have the channels of the stream.
STREAMS = {"MelSpectrogram.stream", "pcen_stream", "resample_stream"}

signals = pytest.mark.parametrize("name", SIGNALS)
arrays = pytest.mark.parametrize("name", ARRAYS)


def same(found, expected):
    for ours, theirs in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
        assert getattr(ours.dtype, "isnative", True)


def test_every_transform_is_tested():
    assert set(SETTINGS) | {"FrontEnd"} == classes()


@signals
@pytest.mark.parametrize("shape", [(0,), (3, 0), (2, 0, 0)])
def test_no_samples(name, shape):
    with pytest.raises(aa.ParameterError, match=r"signal has 0 samples|block has shape"):
        SIGNALS[name](np.zeros(shape, np.float32))


@pytest.mark.parametrize("name", sorted(n for n in set(ARRAYS) - STREAMS - {"with_params"} if ARRAYS[n][1]().ndim > 1))
def test_an_empty_batch_gives_an_empty_batch(name):
    call, make = ARRAYS[name]
    x = make()
    for empty, one in zip(leaves(call(x[:0])), leaves(call(x[:1])), strict=True):
        batch = list(one.shape)
        batch[batch.index(1)] = 0
        assert empty.shape == tuple(batch)
        assert empty.dtype == one.dtype


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_empty_batch_is_no_work(name):
    """A billion samples of no signal."""
    assert TRANSFORMS[name](np.zeros((0, 10**9), np.float32)).shape[0] == 0


@signals
def test_a_single_number(name):
    for number in (1.0, np.float32(1), np.array(1.0)):
        with pytest.raises(aa.ParameterError, match=r"single number .* must have shape \(\.\.\., n_samples\)"):
            SIGNALS[name](number)


@pytest.mark.parametrize("name", sorted(set(ARRAYS) - set(SIGNALS) - CONVERSIONS))
def test_a_single_number_is_no_spectrum(name):
    with pytest.raises(aa.ParameterError):
        ARRAYS[name][0](np.ones((), np.complex64 if name not in REAL else np.float32))


# Where a list is a structure of arguments, or bands, or parameters.
NO_LISTS = {"vjp", "grad", "NSGT.inverse", "with_params"}


@pytest.mark.parametrize("name", sorted(set(ARRAYS) - NO_LISTS - {"pcm_to_float"}))
def test_lists_and_tuples(name):
    call, make = ARRAYS[name]
    x = make()
    x = x.astype("c16" if x.dtype.kind == "c" else f"{x.dtype.kind}8")
    expected = call(x)
    same(call(x.tolist()), expected)
    same(call(tuple(x)), expected)


@pytest.mark.parametrize("name", sorted(set(SIGNALS) - NO_LISTS))
def test_lists_of_several_lengths(name):
    with pytest.raises(aa.ArrayAudioError, match=r"inhomogeneous|must be|gradients need"):
        SIGNALS[name]([[1.0, 2.0], [1.0]])


KINDS = {
    "bool": lambda x: np.ones(x.shape, bool),
    "text": lambda x: np.full(x.shape, "a"),
    "bytes": lambda x: np.full(x.shape, b"a"),
    "objects": lambda x: np.full(x.shape, None),
    "dates": lambda x: np.full(x.shape, np.datetime64("2026-01-01")),
    "records": lambda x: np.zeros(x.shape, [("left", "f4"), ("right", "f4")]),
    "None": lambda x: None,
    "a word": lambda x: "abc",
}


@arrays
@pytest.mark.parametrize("kind", KINDS)
def test_what_holds_no_numbers(name, kind):
    call, make = ARRAYS[name]
    with pytest.raises(aa.ArrayAudioError) as caught:
        call(KINDS[kind](make()))
    assert isinstance(caught.value, TypeError | ValueError)
    assert any(rule in str(caught.value) for rule in ("must be", "must have", "need", "give one"))


@signals
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint64"])
def test_integers_are_refused_by_name(name, dtype):
    message = "gradients need floating point" if name in ("vjp", "grad") else rf"{dtype}.*aa\.pcm_to_float"
    with pytest.raises(aa.ArrayAudioError, match=message) as caught:
        SIGNALS[name](np.ones((2, 2000), dtype))
    assert isinstance(caught.value, TypeError)


@signals
@pytest.mark.parametrize("dtype", ["complex64", "complex128", "longdouble", "clongdouble"])
def test_complex_and_extended_precision(name, dtype):
    if name in ("vjp", "grad") and dtype.startswith("complex"):
        message = "must be float32 or float64"
    else:
        message = "must be float32 or float64|gradients need"
    with pytest.raises(aa.ArrayAudioError, match=message) as caught:
        SIGNALS[name](np.ones((2, 2000), dtype))
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("half", [np.float16, ml_dtypes.bfloat16], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("name", sorted(REAL - {"with_params"}))
def test_half_precision_is_computed_in_single(name, half):
    call, make = ARRAYS[name]
    x = make().astype(half)
    found, expected = call(x), call(x.astype(np.float32))
    for ours, theirs in zip(leaves(found), leaves(expected), strict=True):
        if name == "grad" and half is np.float16:  # gradients have the dtype of their argument
            theirs = theirs.astype(np.float16)
        np.testing.assert_array_equal(ours, theirs)


@arrays
def test_the_other_byte_order(name):
    call, make = ARRAYS[name]
    x = make()
    same(call(x.astype(x.dtype.newbyteorder())), call(x))


@arrays
def test_memory_maps_are_read_and_not_written(name, tmp_path):
    call, make = ARRAYS[name]
    np.save(tmp_path / "x.npy", make())
    before = (tmp_path / "x.npy").read_bytes()
    for mode in ("r", "c"):
        same(call(np.load(tmp_path / "x.npy", mmap_mode=mode)), call(make()))
    assert (tmp_path / "x.npy").read_bytes() == before


VIEWS = {
    "negative": lambda x: x[..., ::-1],
    "both negative": np.flip,
    "strided": lambda x: np.repeat(x, 3, axis=-1)[..., 1::3],
    "Fortran": np.asfortranarray,
    "stride 0": lambda x: np.broadcast_to(x[..., :1], x.shape),
    "unaligned": lambda x: np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
}


@arrays
@pytest.mark.parametrize("view", VIEWS)
def test_any_strides(name, view):
    call, make = ARRAYS[name]
    x = VIEWS[view](make())
    kept = x.copy()
    same(call(x), call(np.array(x, order="C")))
    np.testing.assert_array_equal(x, kept)


@arrays
def test_masked_arrays(name):
    call, make = ARRAYS[name]
    x = make()
    same(call(np.ma.masked_array(x)), call(x))
    masked = np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 1)
    with pytest.raises(aa.ParameterError, match=r"1 samples are masked.*filled"):
        call(masked)


@arrays
def test_labelled_arrays(name):
    call, make = ARRAYS[name]
    x = make()
    same(call(xarray.DataArray(x)), call(x))
    if x.ndim <= 2:
        same(
            call(pandas.DataFrame(x) if x.ndim == 2 else pandas.Series(x)),
            call(np.asarray(pandas.DataFrame(x)).reshape(x.shape)),
        )
