"""Products of matrices with overlapping frames, read and written where they lie in the signal.

A library of matrix products takes no rows that overlap. But of every r-th frame, with r hops as long as a frame or
longer, none overlap: r products, one for each residue of the number of the frame, take all of them, and frames are
never copied. Items lie behind each other, each as long as a whole number of such rows, so that they are one matrix.
"""

from functools import cached_property
from typing import Any, NamedTuple

import cupy
import numpy as np

from arrayaudio.kernels.gpu.loader import Program, current_device, launch

ALIGNED = 8  # columns at a time: whole words of 16 bytes, which the fastest products want, of any of our types
TOGETHER = 2**16  # frames that are worked on at a time, so that memory beside the result is limited
THREADS, MOST_BLOCKS = 256, 2**16

# What products are made of by request. Of two parts in half as many bits, the product of the small ones is left out.
TENSOR_CORES = 80  # architectures that have such products
PARTS = {None: ((0, 0),), "tf32": ((0, 0),), "bf16x3": ((0, 0), (1, 0), (0, 1))}


class Residues:
    """Frames t = r u + s of signals (n_items, n_samples): for each s below r, rows u of a matrix."""

    def __init__(self, n_items: int, n_frames: int, n_fft: int, hop_length: int) -> None:
        self.n_items, self.n_frames, self.n_fft, self.hop_length = n_items, n_frames, n_fft, hop_length

    @cached_property
    def count(self) -> int:
        """How many residues there are."""
        return min(-(-self.n_fft // self.hop_length), self.n_frames)

    @cached_property
    def row(self) -> int:
        """Samples from a row to the next."""
        return max(self.count * self.hop_length, self.n_fft)

    @cached_property
    def rows(self) -> int:
        """Rows of an item."""
        return -(-((self.n_frames - 1) * self.hop_length + self.n_fft) // self.row)

    @cached_property
    def columns(self) -> int:
        """Rows of all items, and some that are nobody's."""
        return -(-self.n_items * self.rows // ALIGNED) * ALIGNED

    def laid(self, y: Any) -> Any:
        """The signals in zeros where all rows lie within memory: (columns + 1, row)."""
        laid = cupy.zeros((self.columns + 1, self.row), y.dtype)
        n = min(y.shape[-1], self.rows * self.row)
        self.items(laid)[:, :n] = y[:, :n]
        return laid

    def items(self, laid: Any) -> Any:
        """The places of the items: (n_items, rows * row)."""
        return laid[: self.n_items * self.rows].reshape(self.n_items, self.rows * self.row)


class Operand(NamedTuple):
    """A matrix whose columns lie `leading` numbers apart, from `first` on, or a stack of them so far apart.

    It is the sum of its parts, each in the same places.
    """

    parts: tuple[Any, ...]
    leading: int
    first: int = 0
    apart: int = 0
    transposed: bool = False


def operand_parts(x: Any, precision: str | None) -> tuple[Any, ...]:
    """An array as what products take in a precision: itself, or two whose sum it is."""
    if precision != "bf16x3":
        return (x,)
    high, low = (cupy.empty(x.shape, np.uint16) for _ in range(2))
    if x.size:
        launch(
            Program("bfloat16", x.dtype.name),
            (min(-(-x.size // THREADS), MOST_BLOCKS),),
            (THREADS,),
            (x, high, low, np.int64(x.size)),
        )
    return high, low


def multiply(
    a: Operand, b: Operand, c: Operand, sizes: tuple[int, int, int], precision: str | None, *, add: bool, n: int = 1
) -> None:
    """Write n products of matrices a and b, of sizes (rows of a, columns of b, inner), to c, or add them to it."""
    from cupy.cuda import cublas, device, runtime  # needs the library

    dtype = c.parts[0].dtype
    real, compute = {
        "float32": (runtime.CUDA_R_32F, cublas.CUBLAS_COMPUTE_32F),
        "float64": (runtime.CUDA_R_64F, cublas.CUBLAS_COMPUTE_64F),
    }[dtype.name]
    kind = runtime.CUDA_R_16BF if precision == "bf16x3" else real
    if precision == "tf32":
        compute = cublas.CUBLAS_COMPUTE_32F_FAST_TF32
    one, zero = np.ones(1, dtype), np.zeros(1, dtype)

    def placed(x: Operand, part: int, kind: int) -> tuple[int, int, int, int]:
        array = x.parts[part]
        return array.data.ptr + x.first * array.itemsize, kind, x.leading, x.apart

    for pair in PARTS[precision]:
        cublas.gemmStridedBatchedEx(
            device.get_cublas_handle(),
            *(cublas.CUBLAS_OP_T if x.transposed else cublas.CUBLAS_OP_N for x in (a, b)),
            *sizes,
            one.ctypes.data,
            *placed(a, pair[0], kind),
            *placed(b, pair[1], kind),
            (one if add else zero).ctypes.data,
            *placed(c, 0, real),
            n,
            compute,
            cublas.CUBLAS_GEMM_DEFAULT,
        )
        add = True


def covered(dtype: Any, precision: str | None) -> bool:
    """Whether products can have a precision: that of the numbers, or one of tensor cores for single precision."""
    if precision is None:
        return dtype.name in ("float32", "float64")
    architecture = int(cupy.cuda.Device(current_device()).compute_capability)
    return precision in PARTS and dtype.name == "float32" and architecture >= TENSOR_CORES


def nested_is_faster(n_frames: int, n_fft: int, hop_length: int, precision: str | None) -> bool:
    """Whether the nested products of the reference, fewer, take less time than those that are read in place.

    On tensor cores they never do: they save less time than their sums of rows and of products take, and these round off
    more. Else they take 9 or 12 products in place of 16, and for each frame 20 bytes more for each row of the basis and
    40 for each sample of the hop. With 20 operations in the time of a byte, as on GPUs of data centers in single and in
    double precision, that pays from about 1000 samples on.
    """
    overlap = -(-n_fft // hop_length)
    products = min(0.75 ** (phases // 2) * phases * -(-overlap // phases) for phases in (2, 4))
    fewer = products * hop_length <= 0.76 * n_fft
    return precision is None and fewer and n_fft >= 1024 and n_frames >= 2 * overlap


def together(n_items: int, n_frames: int) -> list[slice]:
    """Items that are worked on at a time."""
    n = max(1, TOGETHER // n_frames)
    return [slice(first, min(first + n, n_items)) for first in range(0, n_items, n)]
