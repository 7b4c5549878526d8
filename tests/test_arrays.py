import pickle
import sys

import array_api_strict
import numpy as np
import pytest
import torch

import arrayaudio as aa
from arrayaudio import cuda
from arrayaudio.arrays import cast, contiguous, device, dtype_name, namespace
from arrayaudio.constants import Constant
from arrayaudio.signals import as_real, require_finite

from . import traced


def test_the_array_decides_its_namespace():
    assert namespace(np.zeros(3)) is np
    assert namespace(np.zeros(3), np.ones(2)) is np
    assert namespace(array_api_strict.zeros(3)) is array_api_strict
    assert namespace(traced.Traced(np.zeros(3))) is traced.namespace


def test_a_lifting_namespace_takes_the_arrays_it_lifts():
    assert namespace(np.zeros(3), traced.Traced(np.zeros(3))) is traced.namespace


def test_arrays_of_different_libraries_are_an_error_that_names_both():
    with pytest.raises(aa.BackendError, match=r"array_api_strict on cpu and numpy on cpu.*aa\.asarray"):
        namespace(np.zeros(3), array_api_strict.zeros(3))


class FakeCupyArray:
    """Looks to `arrays` like a CuPy array on a certain device."""

    def __init__(self, number):
        self.device = type("Device", (), {"id": number})()


FakeCupyArray.__module__ = "cupy"


def test_two_gpus_and_gpu_with_cpu_are_errors_that_name_both(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", type(sys)("cupy"))
    with pytest.raises(aa.BackendError, match="cupy on cuda:0 and cupy on cuda:1"):
        namespace(FakeCupyArray(0), FakeCupyArray(1))
    with pytest.raises(aa.BackendError, match="cupy on cuda:0 and numpy on cpu"):
        namespace(np.zeros(1), FakeCupyArray(0))


def test_what_is_no_array_is_named():
    with pytest.raises(aa.BackendError, match=r"list is not an array.*aa\.asarray"):
        namespace([1.0])


def test_device_is_where_the_array_lives(library):
    assert device(library.asarray(np.zeros(2))) == ("cuda:0" if library.name == "cupy" else "cpu")


def test_asarray_leaves_arrays_alone(library):
    x = library.asarray(np.ones(3))
    assert aa.asarray(x) is x


def test_asarray_takes_lists_frames_and_dlpack():
    class OnlyArrayProtocol:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3.0)

    assert aa.asarray([1, 2]).dtype == np.float64
    assert aa.asarray([1.5, 2]).tolist() == [1.5, 2.0]
    assert aa.asarray((1.0, 2.0)).shape == (2,)
    assert aa.asarray(OnlyArrayProtocol()).tolist() == [0, 1, 2]


class OnlyDlpack:
    """An array of a library that has nothing else than DLPack."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


def test_memory_of_other_libraries_is_shared_and_not_copied():
    values = np.arange(3.0)
    for other in (torch.from_numpy(values), OnlyDlpack(values)):
        taken = aa.asarray(other)
        assert type(taken) is np.ndarray
        assert np.shares_memory(taken, values)


def test_gradients_of_other_libraries_end_with_a_word_on_how_to_go_on():
    y = torch.zeros(4000, requires_grad=True)
    with pytest.raises(
        aa.DifferentiationError, match=r"requires its gradient.*x\.detach\(\).*ext\.torch\.Module.*aa\.vjp"
    ):
        aa.stft(y)
    assert aa.stft(y.detach()).shape == (1025, 8)


def test_integer_arrays_keep_their_dtype_even_in_a_list():
    assert aa.asarray([np.zeros(2, np.int16)]).dtype == np.int16


@pytest.mark.parametrize("place", ["gpu", "cuda:x", "cpu:0", "cuda:-1", "nowhere", 3])
def test_unknown_devices_are_refused(place):
    with pytest.raises(aa.ParameterError, match="must be None, 'cpu', 'cuda' or 'cuda:N'"):
        aa.asarray(np.zeros(2), device=place)
    with pytest.raises(aa.ParameterError, match="device="):
        aa.STFT(device=place)


def test_to_numpy_brings_everything_home(library):
    x = np.arange(4.0)
    np.testing.assert_array_equal(aa.to_numpy(library.asarray(x)), x)
    np.testing.assert_array_equal(aa.asarray(library.asarray(x), device="cpu"), x)


@pytest.mark.skipif(cuda.cuda_problem() is None, reason="a GPU is at hand")
def test_a_missing_gpu_is_an_error_with_the_remedy_never_a_cpu_run():
    with pytest.raises(aa.BackendError, match=r"device='cuda'.*pip install 'arrayaudio\[cuda13\]'"):
        aa.asarray(np.zeros(3), device="cuda")
    with pytest.raises(aa.BackendError, match="pip install"):
        aa.STFT().to("cuda")(np.zeros(3000))
    with pytest.raises(aa.BackendError, match="pip install"):
        aa.stft(np.zeros(3000), device="cuda")


def test_signals_are_moved_to_a_gpu_and_stay_there(gpu):
    y = np.ones(300)
    S = aa.STFT(n_fft=64).to("cuda")(y)
    assert gpu.owns(S)
    assert device(S) == "cuda:0"
    np.testing.assert_array_equal(gpu.to_numpy(S), gpu.to_numpy(aa.stft(gpu.asarray(y), n_fft=64)))
    with pytest.raises(aa.BackendError, match="cupy on cuda:0 and numpy on cpu"):
        namespace(S, y)
    with pytest.raises(aa.BackendError, match=r"device='cuda:99': this machine has \d+ CUDA device"):
        aa.asarray(y, device="cuda:99")


def test_samples_on_a_gpu_are_not_searched(gpu):
    require_finite(gpu.asarray(np.array([1.0, np.nan])))
    with pytest.raises(aa.ParameterError, match="first at index 1"):
        require_finite(np.array([1.0, np.nan]))


def test_a_cupy_that_is_absent_or_broken_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "CuPy cannot be imported" in cuda.cuda_problem()
    with pytest.raises(aa.BackendError, match="CuPy cannot be imported"):
        aa.asarray(np.zeros(3), device="cuda")


def test_casting_copies_only_when_it_must(library):
    x = library.asarray(np.ones(3, np.float32))
    assert cast(x, "float32") is x
    assert dtype_name(cast(x, "float64")) == "float64"


def test_big_endian_becomes_native():
    native = as_real(np.arange(3, dtype=">f4"))
    assert native.dtype == np.float32
    assert native.dtype.isnative
    np.testing.assert_array_equal(native, [0, 1, 2])


def test_contiguous_reorders_only_what_needs_it():
    x = np.arange(6.0).reshape(2, 3)
    assert contiguous(x) is x
    assert contiguous(x.T).flags.c_contiguous


def test_contiguous_keeps_what_is_on_a_gpu_there(gpu):
    x = gpu.asarray(np.arange(6.0).reshape(2, 3))
    assert contiguous(x) is x
    assert contiguous(x.T).flags.c_contiguous
    np.testing.assert_array_equal(gpu.to_numpy(contiguous(x.T)), gpu.to_numpy(x).T)


class TestConstant:
    def test_is_cast_once_and_read_only(self, library, dtype):
        constant = Constant([1, 2, 3])
        like = library.asarray(np.zeros(1, dtype))
        copy = constant.like(like)
        assert copy is constant.like(like)
        assert dtype_name(copy) == dtype
        np.testing.assert_array_equal(library.to_numpy(copy), [1, 2, 3])
        with pytest.raises(ValueError, match="read-only"):
            constant.value[0] = 5

    def test_gives_real_copies_for_complex_arrays(self):
        assert Constant([1.0]).like(np.zeros(1, np.complex64)).dtype == np.float32

    def test_may_be_complex(self, library, dtype):
        constant = Constant([1 + 2j])
        copy = constant.like(library.asarray(np.zeros(1, dtype)))
        assert dtype_name(copy) == {"float32": "complex64", "float64": "complex128"}[dtype]
        np.testing.assert_array_equal(library.to_numpy(copy), [1 + 2j])
        assert pickle.loads(pickle.dumps(constant)) == constant

    def test_compares_by_value_and_pickles_without_copies(self):
        a, b = Constant([1, 2]), Constant([1, 2])
        a.like(np.zeros(1))
        assert a == b
        assert hash(a) == hash(b)
        assert a != Constant([1, 3])
        assert pickle.loads(pickle.dumps(a)) == a
        assert pickle.loads(pickle.dumps(a))._copies == {}

    def test_does_not_share_memory_with_what_it_was_made_from(self):
        source = np.ones(2)
        constant = Constant(source)
        source[0] = 7
        assert constant.value.tolist() == [1, 1]
