"""Products of matrices as cuBLAS makes them: by addresses, columns first, within the memory that addresses are in."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from . import memory, streams

CUDA_R_32F, CUDA_R_64F, CUDA_R_16BF = 0, 1, 14
OP_N, OP_T, DEFAULT = 0, 1, -1
COMPUTE_32F, COMPUTE_64F, COMPUTE_32F_FAST_TF32 = 68, 70, 77

DTYPES = {CUDA_R_32F: np.float32, CUDA_R_64F: np.float64, CUDA_R_16BF: np.uint16}
PRECISIONS = {
    (CUDA_R_32F, COMPUTE_32F),
    (CUDA_R_64F, COMPUTE_64F),
    (CUDA_R_32F, COMPUTE_32F_FAST_TF32),
    (CUDA_R_16BF, COMPUTE_32F),
}


class CUBLASError(RuntimeError):
    """Arguments that do not go together."""

    __module__ = "cupy_backends.cuda.libs.cublas"


def _matrices(
    pointer: int, kind: int, rows: int, columns: int, leading: int, apart: int, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """A view of n matrices, (n, rows, columns), and the memory that it is in."""
    dtype = np.dtype(DTYPES[kind])
    if leading < max(1, rows):
        raise CUBLASError(f"CUBLAS_STATUS_INVALID_VALUE: columns of {rows} numbers, {leading} apart")
    last = (n - 1) * apart + (columns - 1) * leading + rows - 1
    whole, first = memory.found(pointer, (last + 1) * dtype.itemsize)
    flat = np.frombuffer(memoryview(whole.reshape(-1, order="A").view(np.uint8))[first:], dtype, last + 1)
    strides = (apart * dtype.itemsize, dtype.itemsize, leading * dtype.itemsize)
    return np.lib.stride_tricks.as_strided(flat, (n, rows, columns), strides), whole


def _values(x: np.ndarray, compute: int) -> np.ndarray:
    """Factors as tensor cores take them: of bfloat16, or single precision rounded to 10 bits behind the first."""
    if x.dtype == np.uint16:
        return (x.astype(np.uint32) << 16).view(np.float32)
    if compute != COMPUTE_32F_FAST_TF32:
        return x
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + 0xFFF + (bits >> 13 & 1)) & ~np.uint32(0x1FFF)).view(np.float32)


def _number(pointer: int, dtype: Any) -> Any:
    """A number in the host's memory."""
    interface = {"shape": (1,), "typestr": np.dtype(dtype).str, "data": (pointer, True), "version": 3}
    return np.asarray(SimpleNamespace(__array_interface__=interface))[0]


def gemmStridedBatchedEx(  # noqa: N802
    handle: str,
    transa: int,
    transb: int,
    m: int,
    n: int,
    k: int,
    alpha: int,
    A: int,
    Atype: int,
    lda: int,
    strideA: int,
    B: int,
    Btype: int,
    ldb: int,
    strideB: int,
    beta: int,
    C: int,
    Ctype: int,
    ldc: int,
    strideC: int,
    batchCount: int,
    computeType: int,
    algo: int,
) -> None:
    if (Atype, computeType) not in PRECISIONS or Btype != Atype or algo != DEFAULT or handle != HANDLE:
        raise CUBLASError(f"CUBLAS_STATUS_NOT_SUPPORTED: types {Atype}, {Btype}, {Ctype} by {computeType}")
    if Ctype != (CUDA_R_64F if computeType == COMPUTE_64F else CUDA_R_32F):
        raise CUBLASError(f"CUBLAS_STATUS_NOT_SUPPORTED: a result of type {Ctype} by {computeType}")
    a, from_a = _matrices(A, Atype, *((k, m) if transa else (m, k)), lda, strideA, batchCount)
    b, from_b = _matrices(B, Btype, *((n, k) if transb else (k, n)), ldb, strideB, batchCount)
    c, to_c = _matrices(C, Ctype, m, n, ldc, strideC, batchCount)
    streams.read(from_a)
    streams.read(from_b)
    a, b = (_values(x, computeType) for x in (a, b))
    a, b = (a.mT if transa else a), (b.mT if transb else b)
    with np.errstate(all="ignore"):
        products = _number(alpha, c.dtype) * np.matmul(a, b)
        scale = _number(beta, c.dtype)
        if scale:
            streams.read(to_c)
            products += scale * c
    streams.written(to_c)
    c[...] = products


HANDLE = "cuBLAS"
CONTENT = {
    "gemmStridedBatchedEx": gemmStridedBatchedEx,
    "CUBLASError": CUBLASError,
    "CUBLAS_OP_N": OP_N,
    "CUBLAS_OP_T": OP_T,
    "CUBLAS_GEMM_DEFAULT": DEFAULT,
    "CUBLAS_COMPUTE_32F": COMPUTE_32F,
    "CUBLAS_COMPUTE_64F": COMPUTE_64F,
    "CUBLAS_COMPUTE_32F_FAST_TF32": COMPUTE_32F_FAST_TF32,
}
DEVICE = {"get_cublas_handle": lambda: HANDLE}
RUNTIME = {"CUDA_R_32F": CUDA_R_32F, "CUDA_R_64F": CUDA_R_64F, "CUDA_R_16BF": CUDA_R_16BF}
