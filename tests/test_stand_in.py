"""CuPy as the code for GPUs must take it: held against the stand-in or, where there is a device, the real one."""

import copy
import pickle
from types import SimpleNamespace

import cupy
import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.kernels.gpu import loader

from .emulator import EmulationError

ALIKE = np.arange(6.0).reshape(2, 3)
PROGRAM = loader.Program("windowed_frames", "float64")


@pytest.fixture
def x(gpu):
    return gpu.asarray(ALIKE)


@pytest.fixture
def source(stand_in, monkeypatch, tmp_path):
    """A function that puts another source in the place of a kernel's."""

    def put(text):
        (tmp_path / "kernel.cu").write_text(text)
        monkeypatch.setattr(loader, "source_path", lambda name: tmp_path / "kernel.cu")
        return loader.Program("kernel", "float64")

    return put


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.float64,
        lambda x: np.array([x]),
        lambda x: x + np.ones((2, 3)),
        lambda x: np.ones((2, 3)) * x,
        lambda x: np.maximum(np.ones(3), x),
        lambda x: cupy.add(x, [1, 2, 3]),
        lambda x: cupy.where(x > 1, np.ones((2, 3)), x),
        lambda x: cupy.concatenate([x, np.ones((1, 3))]),
        lambda x: cupy.add(x, x, out=np.ones((2, 3))),
        lambda x: x.__setitem__(0, np.ones(3)),
        lambda x: x.__setitem__(0, [1, 2, 3]),
        lambda x: range(x[0, 1].astype(int)),
    ],
)
def test_nothing_becomes_or_takes_an_array_of_numpy_by_itself(convert, x):
    with pytest.raises(TypeError):
        convert(x)


@pytest.mark.parametrize(
    "same",
    [
        lambda x, xp: x[0],
        lambda x, xp: x[1, 2],
        lambda x, xp: x[..., None, 1],
        lambda x, xp: x[xp.asarray([1, 0, 1])],
        lambda x, xp: x[np.array([1, 0, 1])],
        lambda x, xp: x[:, [2, 0]],
        lambda x, xp: x[x > 2],
        lambda x, xp: xp.take(x, np.array([2, 0]), axis=1),
        lambda x, xp: xp.sum(x),
        lambda x, xp: x.max(axis=0, keepdims=True),
        lambda x, xp: 2 - x / 3,
        lambda x, xp: x < np.array(2.0),
        lambda x, xp: x @ x.T,
        lambda x, xp: abs(-x) ** 2,
        lambda x, xp: np.float32(2) * x.astype(np.float32),
        lambda x, xp: np.exp(1j * x),
        lambda x, xp: np.concatenate([x, x], axis=-1),
        lambda x, xp: xp.fft.rfft(x.astype(np.float32), axis=0),
        lambda x, xp: np.fft.irfft(x, n=7),
        lambda x, xp: xp.stack([row[0] for row in x]),
        lambda x, xp: xp.asarray([x[0, 0], x[1, 1]]),
        lambda x, xp: xp.array_equal(x, x),
        lambda x, xp: xp.log(x - 1),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_everything_else_is_as_in_numpy_and_stays_on_the_device(same, x):
    ours, theirs = same(x, cupy), np.asarray(same(ALIKE, np))
    assert type(ours) is cupy.ndarray
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_allclose(ours.get(), theirs, rtol=1e-6)


@pytest.mark.parametrize(
    "strange",
    [
        lambda x: cupy.add(x, x, where=x > 1),
        lambda x: cupy.sum(x, where=x > 1),
        lambda x: x.sum(where=x > 1),
        lambda x: cupy.sort(x, stable=True),
        lambda x: cupy.fft.fft(x, out=x),
    ],
)
def test_arguments_that_cupy_lacks_are_refused(strange, x):
    with pytest.raises(TypeError):
        strange(x)


@pytest.mark.parametrize("name", ["vecdot", "unstack", "errstate"])
def test_names_that_cupy_lacks_are_missing(name, gpu):
    assert hasattr(np, name)
    with pytest.raises(AttributeError):
        getattr(cupy, name)


@pytest.mark.parametrize("name", ["setflags", "__array_namespace__", "__index__", "ctypes"])
def test_attributes_that_its_arrays_lack_are_missing(name, x):
    assert not hasattr(x, name)
    assert not hasattr(x.flags, "writeable")


def test_views_share_memory_and_copies_do_not(gpu, x):
    host = ALIKE.copy()
    apart, row, corner = gpu.asarray(host), x[0], x[1, 2]
    host[...] = 7
    np.testing.assert_array_equal(apart.get(), ALIKE)
    x += 1
    x[:] = x.get() * 2
    np.testing.assert_array_equal(row.get(), 2 * (ALIKE[0] + 1))
    assert corner.item() == float(corner) == 12
    x.get()[...] = 0
    assert cupy.asarray(x) is x
    assert cupy.add(x, 1, out=x) is x
    assert x.view(np.complex128 if x.shape[1] % 2 == 0 else np.int64).shape == (2, 3)
    assert x.T.flags.f_contiguous
    assert not x.T.flags.c_contiguous
    assert x[0, 0] == 3


def test_copies_go_to_other_processes_and_back(x):
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(other) is cupy.ndarray
        assert other.data.ptr != x.data.ptr
        np.testing.assert_array_equal(other.get(), ALIKE)


def test_what_other_libraries_have_on_the_device_is_taken_as_it_lies(x):
    torch_like = SimpleNamespace(__cuda_array_interface__=x[:, ::2].__cuda_array_interface__)
    taken = aa.asarray(torch_like)
    assert type(taken) is cupy.ndarray
    x *= 3
    np.testing.assert_array_equal(taken.get(), 3 * ALIKE[:, ::2])


def test_new_memory_is_poisoned(stand_in):
    assert np.isnan(cupy.empty((2, 3), np.float32).get()).all()
    assert np.isnan(cupy.empty_like(stand_in.asarray(np.ones(3, complex))).get()).all()
    assert cupy.ndarray(3, int).tolist() == [-1, -1, -1]


def test_kernels_take_arrays_of_the_device_and_numbers_of_a_width(x):
    for strange in (np.ones(3), "1"):
        with pytest.raises(TypeError, match="Unsupported type"):
            loader.launch(PROGRAM, (1,), (1,), [x, strange])


def test_a_block_gets_the_shared_memory_that_was_granted(gpu):
    arguments = [gpu.asarray(np.ones(4))] * 2 + [
        gpu.asarray(np.zeros(4)),
        *map(np.int64, (1, 4, 1, 4, 1, 0)),
        np.int32(0),
    ]
    limit = loader.shared_limit(loader.current_device())
    loader.launch(PROGRAM, (1,), (4,), arguments, limit)
    assert gpu.to_numpy(arguments[2]).tolist() == [1, 1, 1, 1]
    with pytest.raises(Exception, match="CUDA_ERROR_INVALID_VALUE"):
        loader.launch(PROGRAM, (1,), (4,), arguments, limit + 1)


def test_a_source_that_does_not_compile_is_explained(source):
    broken = source('extern "C" __global__ void kernel() {\n missing(); }')
    with pytest.raises(aa.BackendError, match=r"(?s)kernel\.cu does not compile for sm_90.*kernel\.cu:2.*missing"):
        loader.launch(broken, (1,), (1,), [])


def test_a_kernel_must_not_write_what_is_const_to_it(source, x):
    unruly = source('extern "C" __global__ void kernel(const REAL *x) { const_cast<REAL *>(x)[0] = 1; }')
    with pytest.raises(EmulationError, match="write to argument 0, which is read-only"):
        loader.launch(unruly, (1,), (1,), [x])


def test_all_orders_of_execution_must_agree(source, x):
    winner = source('extern "C" __global__ void kernel(REAL *x) { x[0] = blockIdx.x; }')
    with pytest.raises(EmulationError, match="differs between the schedules"):
        loader.launch(winner, (4,), (1,), [x])
    np.testing.assert_array_equal(x.get(), ALIKE)
