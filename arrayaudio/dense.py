"""Inner products of overlapping frames with any basis, as few products of matrices and without the frames.

Cut a signal into rows Y[t] of one hop, and a basis into parts W[b] as long: then X[t] = sum over b of W[b] Y[t + b],
a short correlation along time whose terms are products of matrices. P frames in turn, t = P u + p, are a Hankel matrix
of rows times P parts, and a Hankel product of two by two takes three products in place of four:

    X0 = H0 W0 + H1 W1 = (H0 - H1) W0 + H1 (W0 + W1)
    X1 = H1 W0 + H2 W1 = H1 (W0 + W1) - (H1 - H2) W1

(S. Winograd, Arithmetic Complexity of Computations, SIAM 1980), and so on for its blocks. Four phases take 9 products
in place of 16, of sums of rows, and round off about three times as much. Where frames overlap more, all those that are
`shifts` apart go together.

On a GPU the products are those of all frames, by cuBLAS and in the signal itself, where that takes less time: for short
frames, for those that hardly overlap, and on tensor cores, whose precisions are given by name (`kernels/gpu/`).
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrayaudio.arrays import Array, device, namespace
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.constants import Constant
from arrayaudio.errors import ParameterError
from arrayaudio.frames import Framing, lengthened, pad
from arrayaudio.primitive import primitive, pullback_of

# Columns that a product of matrices takes at least, if there are as many: enough to run at full speed.
COLUMNS = {"cpu": 2**11}
COLUMNS_ELSEWHERE = 2**14


@dataclass(frozen=True)
class Turns:
    """Whose turn it is: frame t = shifts (phases u + p) + s is number u of `count` in phase p and shift s."""

    n_frames: int
    hop_length: int
    phases: int
    shifts: int
    row: int
    used: int

    @property
    def count(self) -> int:
        """Frames of each phase and shift."""
        return -(-self.n_frames // (self.shifts * self.phases))

    @property
    def results(self) -> Constant:
        """Which sum of products each phase is: (phases, n_products)."""
        return nested(self.phases)[2]

    @property
    def n_products(self) -> int:
        """Products of matrices, with all shifts in each."""
        return self.results.value.shape[1]


def turns(n_frames: int, n_fft: int, hop_length: int) -> Turns:
    """Share frames out so that they take the fewest multiplications."""
    overlapping = -(-n_fft // hop_length)
    shifts = {phases: -(-overlapping // phases) for phases in (1, 2, 4)}
    cost = {phases: 0.75 ** (phases // 2) * phases * n * hop_length for phases, n in shifts.items()} | {1: n_fft}
    phases = min(cost, key=lambda p: cost[p])
    if n_frames < phases * shifts[phases]:
        phases = 1
    n = min(shifts[phases], n_frames)
    row = max(n * hop_length, n_fft if phases == 1 else 0)
    return Turns(n_frames, hop_length, phases, n, row, n_fft if phases == 1 else row)


@functools.cache
def nested(phases: int) -> tuple[Constant, Constant, Constant]:
    """Sums of 2 P - 1 rows and of P parts that meet in products, and the sums of products that are the P phases."""
    if phases == 1:
        return (Constant(np.ones((1, 1))),) * 3
    half = phases // 2
    rows, parts, results = (matrix.value for matrix in nested(half))
    blocks = np.stack([np.eye(phases - 1, 2 * phases - 1, k=first) for first in (0, half, phases)])
    H0, H1, H2 = rows @ blocks
    W0, W1 = np.kron(np.eye(1, 2), parts), np.kron(np.eye(1, 2, k=1), parts)
    return (
        Constant(np.concatenate([H0 - H1, H1, H1 - H2])),
        Constant(np.concatenate([W0, W0 + W1, W1])),
        Constant(np.kron([[1, 1, 0], [0, 1, -1]], results)),
    )


def dense(y: Array, framing: Framing, basis: Constant, precision: str | None = None) -> Array:
    """Inner products of frames with a basis (2, n_rows, n_fft): (..., n_samples) -> complex (..., n_rows, n_frames).

    A value that is not finite may reach the frames within a frame's length of it.
    """
    n_frames = framing.n_frames(y.shape[-1])
    padded = pad(y, framing.padding, framing.pad_mode)
    items = namespace(padded).reshape(padded, (math.prod(y.shape[:-1]), padded.shape[-1]))
    X = dense_products(items, basis.like(y), framing.hop_length, precision)
    return namespace(X).reshape(X, (*y.shape[:-1], X.shape[-2], n_frames))


@primitive
def dense_products(y: Array, basis: Array, hop_length: int, precision: str | None = None) -> Array:
    """Inner products of all whole frames of (n_items, n_samples) with a basis (2, n_rows, n_fft)."""
    _require_own(precision)
    xp, (parts, n_rows, n_fft) = namespace(y, basis), basis.shape
    way = turns(1 + (y.shape[-1] - n_fft) // hop_length, n_fft, hop_length)
    kernels = basis_sums(basis, way)
    results = []
    for here in _together(y, way):
        products = xp.matmul(kernels, xp.matrix_transpose(row_sums(y[here, :], way)))
        results.append(merged(xp.reshape(products, (way.n_products, parts, n_rows, products.shape[-1])), way))
    return results[0] if len(results) == 1 else xp.concat(results, axis=0)


@pullback_of(dense_products)
def _dense_products_pullback(y: Array, basis: Array, hop_length: int, precision: str | None = None) -> Any:
    """Back through the same products."""

    def to_signal(g: Array) -> Array:
        return dense_products_adjoint(g, basis, hop_length, y.shape[-1], precision)

    def to_basis(g: Array) -> Array:
        return dense_products_gradient(g, y, basis.shape[-1], hop_length, precision)

    return dense_products(y, basis, hop_length, precision), (to_signal, to_basis)


@primitive
def dense_products_adjoint(
    X: Array, basis: Array, hop_length: int, n_samples: int, precision: str | None = None
) -> Array:
    """Adjoint of `dense_products` as a function of the signals: (n_items, n_samples)."""
    _require_own(precision)
    xp = namespace(X, basis)
    way = turns(X.shape[-1], basis.shape[-1], hop_length)
    kernels = basis_sums(basis, way)
    found: list[Array] = []
    for here in _together(X, way):
        g = _spread(X[here, ...], way)
        silence = xp.zeros((here.stop - here.start, n_samples), dtype=basis.dtype)
        _, back = vjp(lambda piece: row_sums(piece, way), silence)
        found += back(xp.matmul(xp.matrix_transpose(g), kernels))
    return xp.concat(found, axis=0)


@primitive
def dense_products_gradient(X: Array, y: Array, n_fft: int, hop_length: int, precision: str | None = None) -> Array:
    """Adjoint of `dense_products` as a function of the basis: (2, n_rows, n_fft)."""
    _require_own(precision)
    xp, way = namespace(X, y), turns(X.shape[-1], n_fft, hop_length)
    _, back = vjp(lambda basis: basis_sums(basis, way), xp.zeros((2, X.shape[1], n_fft), dtype=y.dtype))
    # Sums of rows are made again, since they take more memory than time.
    sums = [xp.matmul(_spread(X[here, ...], way), row_sums(y[here, :], way)) for here in _together(y, way)]
    return back(sum(sums))[0]


def _spread(X: Array, way: Turns) -> Array:
    """Gradients of products: (n_products, 2 n_rows, columns)."""
    spread = merged_adjoint(X, way)
    return namespace(X).reshape(spread, (way.n_products, 2 * X.shape[1], spread.shape[-1]))


def _require_own(precision: str | None) -> None:
    """Raise unless products are to have the precision of their arrays, which all libraries have."""
    if precision is not None:
        raise ParameterError(
            f"precision={precision!r}: needs float32 signals on a GPU with tensor cores (compute capability 8.0 or "
            "more); leave it out for the precision of the signal"
        )


def _together(y: Array, way: Turns) -> list[slice]:
    """Items that go into one product of matrices."""
    n_items, n = y.shape[0], max(1, COLUMNS.get(device(y), COLUMNS_ELSEWHERE) // (way.shifts * way.count))
    return [slice(first, min(first + n, n_items)) for first in range(0, max(1, n_items), n)]


def row_sums(y: Array, way: Turns) -> Array:
    """Sums of rows of (n_items, n_samples): (n_products, n_items * shifts * count, used)."""
    xp, phases, items = namespace(y), way.phases, y.shape[0] * way.shifts
    count = way.count + (phases > 1)
    shifted = [lengthened(y[:, s * way.hop_length :], 0, count * phases * way.row) for s in range(way.shifts)]
    whole = xp.stack(shifted, axis=1) if way.shifts > 1 else shifted[0]
    rows = xp.reshape(whole, (items, count, phases, way.row))[..., : way.used]
    turn = xp.permute_dims(rows, (2, 0, 1, 3))
    if phases > 1:
        turn = xp.concat([turn[:, :, :-1, :], turn[:-1, :, 1:, :]], axis=0)
    columns = items * way.count
    flat = xp.reshape(turn, (turn.shape[0], columns * way.used))
    return xp.reshape(xp.matmul(nested(phases)[0].like(y), flat), (way.n_products, columns, way.used))


def basis_sums(basis: Array, way: Turns) -> Array:
    """Sums of the parts of a basis (2, n_rows, n_fft): (n_products, 2 n_rows, used)."""
    xp, (_, n_rows, _) = namespace(basis), basis.shape
    parts = xp.reshape(lengthened(basis, 0, way.phases * way.used), (2 * n_rows, way.phases, way.used))
    flat = xp.reshape(xp.permute_dims(parts, (1, 0, 2)), (way.phases, 2 * n_rows * way.used))
    return xp.reshape(xp.matmul(nested(way.phases)[1].like(basis), flat), (way.n_products, 2 * n_rows, way.used))


@primitive
def merged(products: Array, way: Turns) -> Array:
    """Coefficients (n_items, n_rows, n_frames) of products (n_products, 2, n_rows, n_items * shifts * count)."""
    xp, (n_products, _, n_rows, columns) = namespace(products), products.shape
    n_items, n_whole = columns // (way.shifts * way.count), way.count * way.phases * way.shifts
    phases = xp.matmul(way.results.like(products), xp.reshape(products, (n_products, 2 * n_rows * columns)))
    parted = xp.reshape(phases, (way.phases, 2, n_rows, n_items, way.shifts, way.count))
    whole = xp.reshape(xp.permute_dims(parted, (1, 3, 2, 5, 0, 4)), (2, n_items, n_rows, n_whole))
    return whole[0, ..., : way.n_frames] + 1j * whole[1, ..., : way.n_frames]


@primitive
def merged_adjoint(X: Array, way: Turns) -> Array:
    """Adjoint of `merged`."""
    xp, (n_items, n_rows, _) = namespace(X), X.shape
    columns = n_items * way.shifts * way.count
    whole = lengthened(xp.stack([xp.real(X), xp.imag(X)]), 0, way.count * way.phases * way.shifts)
    parted = xp.reshape(whole, (2, n_items, n_rows, way.count, way.phases, way.shifts))
    phases = xp.reshape(xp.permute_dims(parted, (4, 0, 2, 1, 5, 3)), (way.phases, 2 * n_rows * columns))
    products = xp.matmul(xp.matrix_transpose(way.results.like(phases)), phases)
    return xp.reshape(products, (way.n_products, 2, n_rows, columns))
