"""The emulator runs correct kernels and, above all, notices wrong ones."""

import time

import numpy as np
import pytest

from .emulator import EmulationError, launch, launch_all_schedules

SUM_OF_BLOCK = """
extern "C" __global__ void __launch_bounds__(128) sum_of_block(const REAL *__restrict__ values, REAL *sums)
{
    __shared__ REAL partial[128];
    int thread = threadIdx.x;
    partial[thread] = __ldg(&values[blockIdx.x * blockDim.x + thread]);
    __syncthreads();
    for (int stride = 64; stride > 0; stride /= 2) {
        if (thread < stride) partial[thread] += partial[thread + stride];
        __syncthreads();
    }
    if (thread == 0) sums[blockIdx.x] = partial[0];
}
"""

SUM_OF_WARP = """
extern "C" __global__ void sum_of_warp(const REAL *values, REAL *sums)
{
    REAL sum = values[threadIdx.x];
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x % warpSize == 0) sums[threadIdx.x / warpSize] = sum;
}
"""

TRANSPOSE = """
extern "C" __global__ void transpose(const REAL *from, REAL *to)
{
    __shared__ REAL tile[4][8];
    tile[threadIdx.y][threadIdx.x] = from[threadIdx.y * 8 + threadIdx.x];
    __syncwarp();
    int i = threadIdx.y * 8 + threadIdx.x;
    to[i] = tile[i % 4][i / 4];
}
"""

COPY = """
extern "C" __global__ void copy(REAL *from, REAL *to, int shift, int count)
{
    for (int i = threadIdx.x; i < count; i += blockDim.x) to[i] = from[i + shift];
}
"""


@pytest.fixture
def kernel(tmp_path):
    """Return a function that writes a kernel to a file."""

    def write(text):
        path = tmp_path / "kernel.cu"
        path.write_text(text)
        return path

    return write


def read_only(values):
    values = np.array(values)
    values.flags.writeable = False
    return values


def numbers(count, dtype=np.float32):
    return read_only(np.random.default_rng(1).integers(-1000, 1000, count).astype(dtype))


def without(text, statement, occurrence=1):
    """Delete one occurrence of a statement."""
    parts = text.split(statement)
    assert len(parts) > occurrence
    return statement.join(parts[:occurrence]) + statement.join(parts[occurrence:])


@pytest.mark.parametrize(("real", "dtype"), [("float", np.float32), ("double", np.float64)])
def test_block_reduction(kernel, real, dtype):
    values, sums = numbers(384, dtype), np.full(3, np.nan, dtype)
    launch_all_schedules(
        kernel(SUM_OF_BLOCK), "sum_of_block", 3, 128, [values, sums], options=[f"-DREAL={real}"]
    )  # fmt: skip
    np.testing.assert_array_equal(sums, values.reshape(3, 128).sum(axis=1))


@pytest.mark.parametrize("occurrence", [1, 2])
def test_missing_block_barrier_is_caught(kernel, occurrence):
    source = kernel(without(SUM_OF_BLOCK, "__syncthreads();", occurrence))
    sums = np.zeros(3, np.float32)
    with pytest.raises(EmulationError, match="argument 1 differs between the schedules"):
        launch_all_schedules(source, "sum_of_block", 3, 128, [numbers(384), sums])
    assert not sums.any(), "a failed launch leaves the arrays alone"


@pytest.mark.parametrize(("real", "dtype"), [("float", np.float32), ("double", np.float64)])
def test_warp_shuffle(kernel, real, dtype):
    values, sums = numbers(96, dtype), np.full(3, np.nan, dtype)
    launch_all_schedules(kernel(SUM_OF_WARP), "sum_of_warp", 1, 96, [values, sums], options=[f"-DREAL={real}"])
    np.testing.assert_array_equal(sums, values.reshape(3, 32).sum(axis=1))


def test_each_shuffle_reads_the_right_lane(kernel):
    source = kernel("""
        extern "C" __global__ void shuffles(int *lanes)
        {
            int lane = threadIdx.x;
            int *row = lanes + 4 * lane;
            row[0] = __shfl_sync(0xffffffffu, lane, 5);
            row[1] = __shfl_up_sync(0xffffffffu, lane, 3);
            row[2] = __shfl_down_sync(0xffffffffu, lane, 3);
            row[3] = __shfl_xor_sync(0xffffffffu, lane, 1);
        }
    """)
    lanes = np.full((32, 4), -1, np.int32)
    launch_all_schedules(source, "shuffles", 1, 32, [lanes])
    lane = np.arange(32)
    up, down = np.where(lane < 3, lane, lane - 3), np.where(lane > 28, lane, lane + 3)
    np.testing.assert_array_equal(lanes, np.column_stack([np.full(32, 5), up, down, lane ^ 1]))


def test_shuffle_from_a_thread_that_does_not_exist_gives_nan(kernel):
    values, sums = numbers(20), np.zeros(1, np.float32)
    launch(kernel(SUM_OF_WARP), "sum_of_warp", 1, 20, [values, sums])
    assert np.isnan(sums[0])


def test_missing_warp_barrier_is_caught(kernel):
    values, transposed = numbers(32), np.full(32, np.nan, np.float32)
    launch_all_schedules(kernel(TRANSPOSE), "transpose", 1, (8, 4), [values, transposed])
    np.testing.assert_array_equal(transposed.reshape(8, 4), values.reshape(4, 8).T)
    with pytest.raises(EmulationError, match="argument 1 differs between the schedules"):
        launch_all_schedules(
            kernel(without(TRANSPOSE, "__syncwarp();")), "transpose", 1, (8, 4), [values, transposed]
        )  # fmt: skip


def test_shared_memory_is_poisoned_before_every_block(kernel):
    source = kernel("""
        #ifndef DYNAMIC_SHARED
        #define DYNAMIC_SHARED(type, name) extern __shared__ type name[]
        #endif
        extern "C" __global__ void remember(REAL *seen)
        {
            __shared__ REAL fixed;
            __shared__ REAL never_written;
            DYNAMIC_SHARED(REAL, dynamic);
            seen[3 * blockIdx.x] = fixed;
            seen[3 * blockIdx.x + 1] = dynamic[9];
            seen[3 * blockIdx.x + 2] = never_written;
            fixed = dynamic[9] = 1;
        }
    """)
    seen = np.zeros((3, 3), np.float32)
    launch_all_schedules(source, "remember", 3, 1, [seen], shared_mem=40)
    assert np.isnan(seen).all()
    with pytest.raises(EmulationError, match="0 bytes past the end of dynamic shared memory"):
        launch(source, "remember", 3, 1, [seen], shared_mem=36)


def test_helpers_share_memory_and_kernels_keep_their_own_constants(kernel):
    source = kernel("""
        __constant__ const REAL weights[2] = {2, 3};

        template <int size>
        __device__ __forceinline__ REAL neighbour(REAL value)
        {
            __shared__ REAL values[size];
            values[threadIdx.x] = value;
            __syncthreads();
            return values[(threadIdx.x + 1) % size];
        }

        extern "C" __global__ void weigh(const REAL *from, REAL *to)
        {
            __shared__ REAL offset;
            if (threadIdx.x == 0) offset = 1;
            REAL value = neighbour<64>(from[threadIdx.x]);  // with the barrier that offset needs
            to[threadIdx.x] = max(fmaf(weights[threadIdx.x % 2], value, offset), REAL(0));
        }
    """)
    values, weighed = numbers(64), np.full(64, np.nan, np.float32)
    launch_all_schedules(source, "weigh", 1, 64, [values, weighed])
    np.testing.assert_array_equal(weighed, np.maximum(np.resize([2, 3], 64) * np.roll(values, -1) + 1, 0))


def test_functions_of_half_turns_are_exact(kernel):
    source = kernel("""
        extern "C" __global__ void turn(const REAL *halves, REAL *sines, REAL *cosines)
        {
            sincospif(halves[threadIdx.x], &sines[threadIdx.x], &cosines[threadIdx.x]);
        }
    """)
    halves = read_only(np.array([0, 0.5, 1, 1.5, 2, 1e6 + 0.5, -0.5], np.float32))
    sines, cosines = np.full((2, 7), np.nan, np.float32)
    launch_all_schedules(source, "turn", 1, 7, [halves, sines, cosines])
    np.testing.assert_array_equal(sines, [0, 1, 0, -1, 0, 1, -1])
    np.testing.assert_array_equal(cosines, [1, 0, -1, 0, 1, 0, 0])


def test_blocks_in_two_dimensions(kernel):
    source = kernel("""
        extern "C" __global__ void position(int2 *positions, int width, int height)
        {
            int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
            if (x < width && y < height) positions[y * width + x] = make_int2(x, y);
        }
    """)
    positions = np.full((9, 21), -1, np.dtype([("x", np.int32), ("y", np.int32)]))
    launch_all_schedules(source, "position", (3, 3), (8, 4), [positions, np.int32(21), np.int32(9)])
    y, x = np.indices((9, 21))
    np.testing.assert_array_equal(positions["x"], x)
    np.testing.assert_array_equal(positions["y"], y)


def test_complex_arrays_are_vectors_of_two(kernel):
    source = kernel("""
        extern "C" __global__ void conjugate(const float2 *from, float2 *to)
        {
            to[threadIdx.x] = make_float2(from[threadIdx.x].x, -from[threadIdx.x].y);
        }
    """)
    values = numbers(10) + 1j * numbers(10)
    conjugates = np.zeros(10, np.complex64)
    launch_all_schedules(source, "conjugate", 1, 10, [values, conjugates])
    np.testing.assert_array_equal(conjugates, values.conj())


@pytest.mark.parametrize("count", [5, 1024])  # with and without a gap before the array
def test_access_outside_of_an_array_is_caught(kernel, count):
    source = kernel(COPY)
    values, copied = numbers(count), np.zeros(count, np.float32)
    launch_all_schedules(source, "copy", 1, 32, [values, copied, np.int32(0), np.int32(count)])
    np.testing.assert_array_equal(copied, values)
    with pytest.raises(EmulationError, match=r"kernel copy: access 0 bytes past the end of argument 0 at kernel\.cu:4"):
        launch(source, "copy", 1, 32, [values, copied, np.int32(1), np.int32(count)])
    with pytest.raises(EmulationError, match=r"past the end of argument 1 .* in block \(0,0,0\), thread \(5,0,0\)"):
        launch(source, "copy", 1, 32, [numbers(6), np.zeros(5, np.float32), np.int32(0), np.int32(6)])


@pytest.mark.parametrize("count", [5, 1024])
def test_access_before_an_array_is_caught(kernel, count):
    source = kernel("""
        extern "C" __global__ void before(REAL *values) { values[int(threadIdx.x) - 1] = 1; }
    """)
    with pytest.raises(EmulationError, match="before the start of argument 0"):
        launch(source, "before", 1, 2, [np.zeros(count, np.float32)])


def test_value_before_an_array_is_nan(kernel):
    copied = np.zeros(5, np.float32)
    launch(kernel(COPY), "copy", 1, 1, [numbers(5), copied, np.int32(-1), np.int32(5)])
    assert np.isnan(copied[0])


def test_index_outside_of_shared_memory_is_caught(kernel):
    source = kernel("""
        extern "C" __global__ void outside(int index)
        {
            __shared__ REAL values[4];
            values[index] = 1;
        }
    """)
    launch(source, "outside", 1, 1, [np.int32(3)])
    with pytest.raises(EmulationError, match=r"index outside a fixed-size array.* kernel\.cu:5"):
        launch(source, "outside", 1, 1, [np.int32(4)])


def test_write_into_read_only_array_is_caught(kernel):
    source = kernel('extern "C" __global__ void clear(REAL *values) { values[threadIdx.x] = 0; }')
    with pytest.raises(EmulationError, match="write to argument 0, which is read-only"):
        launch(source, "clear", 1, 4, [read_only(np.ones(4, np.float32))])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("if (threadIdx.x) __syncthreads();", r"\(1,0,0\) waits at __syncthreads .* thread \(0,0,0\) has ended"),
        ("if (threadIdx.x) __syncthreads(); else __syncwarp();", "waits at __syncwarp"),
        ("if (threadIdx.x) __syncthreads();\n else __syncthreads();", "__syncthreads in line 2, .* in line 1"),
        ("__syncwarp(threadIdx.x ? 0xffffffffu : 0x7fffffffu);", "at __syncwarp in line 1 with another mask"),
        ("if (threadIdx.x < 40) __shfl_xor_sync(0xffffffffu, 1, 1);", r"\(32,0,0\) waits at __shfl_xor_sync"),
    ],
)
def test_barrier_divergence_is_reported(kernel, body, message):
    source = kernel(f'extern "C" __global__ void diverge() {{ {body} }}')
    with pytest.raises(EmulationError, match=rf"barrier divergence in block \(0,0,0\): .*{message}"):
        launch(source, "diverge", 1, 64, [])


def test_mask_must_include_the_caller(kernel):
    source = kernel('extern "C" __global__ void sync() { __syncwarp(1); }')
    with pytest.raises(EmulationError, match=r"mask that leaves out the calling thread .*thread \(1,0,0\)"):
        launch(source, "sync", 1, 2, [])


def test_endless_loop_ends(kernel):
    source = kernel("""
        extern "C" __global__ void wait(int *flag)
        {
            volatile int *changing = flag;
            while (!*changing) {}
        }
    """)
    start = time.monotonic()
    with pytest.raises(EmulationError, match=r"no end after 1 s .*thread \(0,0,0\)"):
        launch(source, "wait", 1, 2, [np.zeros(1, np.int32)], time_limit=1)
    assert time.monotonic() - start < 10


def test_stack_overflow_is_caught(kernel):
    source = kernel("""
        extern "C" __global__ void large(int *values)
        {
            volatile char local[100000];
            local[values[0]] = 1;
            values[0] = local[0];
        }
    """)
    with pytest.raises(EmulationError, match=r"overflow of the stack .* at kernel\.cu:3"):
        launch(source, "large", 1, 3, [np.zeros(1, np.int32)])


def test_sum_that_depends_on_the_order_of_blocks_is_caught(kernel):
    source = kernel('extern "C" __global__ void last(int *winner) { *winner = blockIdx.x; }')
    with pytest.raises(EmulationError, match="argument 0 differs"):
        launch_all_schedules(source, "last", 4, 1, [np.zeros(1, np.int32)])


def test_arguments_must_fit_the_kernel(kernel):
    source = kernel(COPY)
    values, copied, zero, count = numbers(4), np.zeros(4, np.float32), np.int32(0), np.int32(4)
    with pytest.raises(TypeError, match=r"numpy scalar, such as np\.int32, not 0"):
        launch(source, "copy", 1, 4, [values, copied, 0, count])
    with pytest.raises(TypeError, match=r"argument 2 of copy must be: scalar .4-byte integer"):
        launch(source, "copy", 1, 4, [values, copied, np.int64(0), count])
    with pytest.raises(TypeError, match=r"argument 0 of copy must be: array .4-byte floating-point number"):
        launch(source, "copy", 1, 4, [values.astype(np.float64), copied, zero, count])
    with pytest.raises(TypeError, match="4 parameters, not 3"):
        launch(source, "copy", 1, 4, [values, copied, zero])
    with pytest.raises(ValueError, match="argument 1 of copy must be C-contiguous"):
        launch(source, "copy", 1, 4, [values, np.zeros(8, np.float32)[::2], zero, count])
    for run in (launch, launch_all_schedules):
        with pytest.raises(ValueError, match="arguments 0 and 1 of copy overlap"):
            run(source, "copy", 1, 4, [copied, copied, zero, count])


def test_kernel_that_does_not_compile_is_reported(kernel):
    with pytest.raises(EmulationError, match=r"kernel\.cu:1.*undefined_name"):
        launch(kernel('extern "C" __global__ void broken() { undefined_name(); }'), "broken", 1, 1, [])


def test_missing_compiler_is_reported(kernel, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmulationError, match=r"apt-get install g\+\+"):
        launch(kernel(COPY), "copy", 1, 1, [])
