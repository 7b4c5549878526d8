"""Vectors as values in Numba: as many numbers side by side as a register holds, with the arithmetic of one.

Each lane goes its own way, so what is NaN in one stays there. Loops over lanes need not be found by the compiler, which
overlooks many, and what is passed to `load` and `store` are places in flat arrays, not indices that may be negative.
"""

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic as _intrinsic
from numba.extending import lower_builtin, models, register_model

# Products may be fused into sums, and signs of zeros may change; NaN and infinity still count.
FLAGS = ("contract", "nsz")
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)


def register_bytes() -> int:
    """The width of this machine's vector registers, in bytes."""
    features = llvmlite.binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx2") else 16


REGISTER_BYTES = register_bytes()


def lanes(dtype: np.dtype[Any]) -> int:
    """How many numbers of a dtype a register holds."""
    return REGISTER_BYTES // dtype.itemsize


class Vector(types.Type):
    """The type of a vector."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"Vector({dtype}, {count})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.dtype).get_value_type(), kind.count))  # type: ignore[no-untyped-call]


def spread(builder: Any, number: Any, vector: Any) -> Any:
    """Emit a vector of equal numbers."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), number, INT32(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(INT32, vector.count), [0] * vector.count))


def _arithmetic(function: Any, emitted: str) -> None:
    @infer_global(function)
    class Template(AbstractTemplate):
        def generic(self, args: Any, _: Any) -> Any:
            kinds = {arg for arg in args if isinstance(arg, Vector)}
            others = [arg for arg in args if not isinstance(arg, Vector)]
            if len(args) == 2 and len(kinds) == 1 and all(isinstance(other, types.Number) for other in others):
                (kind,) = kinds
                return signature(kind, *(kind if arg == kind else kind.dtype for arg in args))
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(sig.return_type)
        a, b = (arg if arg.type == vector else spread(builder, arg, vector) for arg in args)
        return getattr(builder, emitted)(a, b, flags=FLAGS)

    for kinds in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, *kinds)(lower)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def instruction(define: Callable[..., Any]) -> Any:
    """Make a function that Numba code may call of one that, of the arguments' types, returns how to emit it."""
    return _intrinsic(define)


class Memory:
    """Rows of vectors in a flat array, from a place on, for instructions emitted in Python."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any, place: Any, count: int) -> None:
        self.builder, self.count = builder, count
        self.start = builder.gep(context.make_array(array_type)(context, builder, array).data, [place])
        self.vector = ir.VectorType(self.start.type.pointee, count)
        self.align = array_type.dtype.bitwidth // 8

    def at(self, place: Any) -> Any:
        """A pointer to the vector at a place, in numbers from the start."""
        return self.builder.bitcast(self.builder.gep(self.start, [place]), self.vector.as_pointer())

    def load(self, place: Any) -> Any:
        """The vector at a place."""
        return self.builder.load(self.at(place), align=self.align)

    def store(self, value: Any, place: Any) -> None:
        """Put a vector at a place."""
        self.builder.store(value, self.at(place), align=self.align)

    def spread(self, place: Any) -> Any:
        """A vector of the number at a place."""
        return spread(self.builder, self.builder.load(self.builder.gep(self.start, [place])), self.vector)


@instruction
def load(_, count, array, place):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Return the vector of `count` numbers from `place` on."""
    if not isinstance(count, types.IntegerLiteral):
        return None

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return Memory(context, builder, array, args[1], args[2], count.literal_value).load(INT64(0))

    return Vector(array.dtype, count.literal_value)(count, array, types.intp), emit


@instruction
def filled(_, count, number):  # type: ignore[no-untyped-def]
    """Return a vector of equal numbers."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    kind = Vector(number, count.literal_value)

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return spread(builder, args[1], context.get_value_type(kind))

    return kind(count, number), emit


@instruction
def store(_, value, array, place):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Put a vector at `place`."""

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        Memory(context, builder, array, args[1], args[2], value.count).store(args[0], INT64(0))
        return context.get_dummy_value()

    return types.void(value, array, types.intp), emit


@instruction
def store_in_turn(_, a, b, array, place):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Put the numbers of two vectors at `place` in turn, as real and imaginary parts are kept."""

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        memory = Memory(context, builder, array, args[2], args[3], a.count)
        for half, value in enumerate(interleaved(builder, args[0], args[1])):
            memory.store(value, INT64(half * a.count))
        return context.get_dummy_value()

    return types.void(a, b, array, types.intp), emit


@instruction
def load_in_turn(_, count, array, place):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Return the two vectors whose numbers are in turn from `place` on: real and imaginary parts."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    n, kind = count.literal_value, types.UniTuple(Vector(array.dtype, count.literal_value), 2)

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        memory = Memory(context, builder, array, args[1], args[2], n)
        a, b = memory.load(INT64(0)), memory.load(INT64(n))
        order = [ir.Constant(ir.VectorType(INT32, n), [2 * j + part for j in range(n)]) for part in (0, 1)]
        return context.make_tuple(builder, kind, [builder.shuffle_vector(a, b, each) for each in order])

    return kind(count, array, types.intp), emit


def interleaved(builder: Any, a: Any, b: Any) -> list[Any]:
    """Emit the two vectors that hold the numbers of `a` and `b` in turn."""
    n = a.type.count
    order = [[(n * half + j) // 2 + j % 2 * n for j in range(n)] for half in (0, 1)]
    return [builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, n), each)) for each in order]


@instruction
def sqrt(_, value):  # type: ignore[no-untyped-def]
    """Return the square roots."""

    def emit(_: Any, builder: Any, __: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type])
        name = f"llvm.sqrt.v{value.count}f{value.dtype.bitwidth}"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return value(value), emit


@instruction
def unless_above(_, value, limit, then, otherwise):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Return `then`, a number or a vector, where `value` is at most `limit`, and `otherwise` elsewhere and for NaN."""
    then = then if isinstance(then, Vector) else value.dtype

    def emit(_: Any, builder: Any, __: Any, args: Any) -> Any:
        limits, thens = (arg if arg.type == args[0].type else spread(builder, arg, args[0].type) for arg in args[1:3])
        return builder.select(builder.fcmp_ordered("<=", args[0], limits), thens, args[3])

    return value(value, value.dtype, then, value), emit


@instruction
def log(_, value):  # type: ignore[no-untyped-def]
    """Return the natural logarithms of positive numbers; those of infinity and NaN are themselves."""
    return value(value), _emit_log


def _emit_log(_: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Emit log(2^e m) = e log 2 + 2 artanh((m - 1) / (m + 1)), 1/2 < m^2 <= 2: its argument is < 0.172."""
    single = sig.return_type.dtype.bitwidth == 32
    real = np.float32 if single else np.float64
    digits, terms = (23, 4) if single else (52, 10)
    kind = args[0].type
    integers = ir.VectorType(INT32 if single else INT64, kind.count)

    def number(x: float) -> Any:
        return ir.Constant(kind, [x] * kind.count)

    def integer(x: int) -> Any:
        return ir.Constant(integers, [x] * kind.count)

    def sum_of_product(a: Any, b: Any, c: Any) -> Any:
        return builder.fadd(builder.fmul(a, b, flags=FLAGS), c, flags=FLAGS)

    (x,) = args
    tiny = builder.fcmp_ordered("<", x, number(float(np.finfo(real).tiny)))
    bits = builder.bitcast(builder.select(tiny, builder.fmul(x, number(2.0**digits)), x), integers)
    lowest = int(real(np.sqrt(0.5)).view(np.int32 if single else np.int64))
    exponent = builder.ashr(builder.sub(bits, integer(lowest)), integer(digits))
    m = builder.bitcast(builder.sub(bits, builder.shl(exponent, integer(digits))), kind)
    e = builder.sitofp(exponent, kind)
    e = builder.select(tiny, builder.fsub(e, number(float(digits))), e)
    s = builder.fdiv(builder.fsub(m, number(1.0)), builder.fadd(m, number(1.0)))
    z = builder.fmul(s, s)
    series = number(2 / (2 * terms + 1))
    for k in range(terms - 1, 0, -1):
        series = sum_of_product(series, z, number(2 / (2 * k + 1)))
    # The part of log 2 with few digits, of which any exponent gives an exact product, and the rest.
    coarse = round(np.log(2) * 2.0**12) / 2.0**12
    fine = 0.693147180559945309417232 - coarse
    small = sum_of_product(builder.fmul(series, z), s, builder.fmul(e, number(fine)))
    result = sum_of_product(e, number(coarse), sum_of_product(s, number(2.0), small))
    return builder.select(builder.fcmp_ordered("<", x, number(np.inf)), result, x)
