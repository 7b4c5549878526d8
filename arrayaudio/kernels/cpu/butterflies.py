"""Codelets printed as instructions on vectors, and the transposition that puts frames side by side.

A complex row is two vectors, the real parts of as many frames as a vector has lanes and then their imaginary parts.
"""

from typing import Any

from llvmlite import ir
from numba import types

from arrayaudio.kernels.codelets import codelet
from arrayaudio.kernels.cpu.lanes import FLAGS, INT64, Memory, instruction, interleaved


def transposed(builder: Any, block: list[Any]) -> list[Any]:
    """Emit the transposition of a square of vectors."""
    n = len(block)
    for _ in range(n.bit_length() - 1):
        block = [half for i in range(n // 2) for half in interleaved(builder, block[i], block[i + n // 2])]
    return block


@instruction
def transpose(_, count, signal, first, hop, window, place, rows, positions):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Window `count` samples from `place` on of as many frames, and put each sample's vector at its position."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    n = count.literal_value

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        _, y, first_, hop_, w, place_, out, table = args
        source = Memory(context, builder, signal, y, builder.add(first_, place_), n)
        weights = Memory(context, builder, window, w, place_, n).load(INT64(0))
        target = Memory(context, builder, rows, out, INT64(0), n)
        where = builder.gep(context.make_array(positions)(context, builder, table).data, [place_])
        block = [builder.fmul(source.load(builder.mul(hop_, INT64(i))), weights) for i in range(n)]
        for i, row in enumerate(transposed(builder, block)):
            target.store(row, builder.load(builder.gep(where, [INT64(i)])))
        return context.get_dummy_value()

    kinds = (count, signal, types.intp, types.intp, window, types.intp, rows, positions)
    return types.void(*kinds), emit


@instruction
def transpose_back(_, count, rows, window, place, frames, step):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Window `count` samples from `place` on, an even one, and put them into as many frames, `step` numbers apart.

    The rows of each two samples have changed places.
    """
    if not isinstance(count, types.IntegerLiteral):
        return None
    n = count.literal_value

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        _, samples, w, place_, out, step_ = args
        source = Memory(context, builder, rows, samples, builder.mul(place_, INT64(n)), n)
        weights = Memory(context, builder, window, w, place_, n).load(INT64(0))
        target = Memory(context, builder, frames, out, place_, n)
        for i, row in enumerate(transposed(builder, [source.load(INT64((i ^ 1) * n)) for i in range(n)])):
            target.store(builder.fmul(row, weights), builder.mul(step_, INT64(i)))
        return context.get_dummy_value()

    return types.void(count, rows, window, types.intp, frames, types.intp), emit


@instruction
def butterfly(_, radix, count, rows, first, step, factors, place, out, out_first, out_step):  # type: ignore[no-untyped-def] # noqa: ARG001
    """Transform `radix` complex rows that lie `step` numbers apart, and put the results `out_step` apart.

    Rows but the first are multiplied before by the complex numbers (re, im) in `factors` from `place` on, unless that
    is None. Results may take the place of the rows.
    """
    if not (isinstance(radix, types.IntegerLiteral) and isinstance(count, types.IntegerLiteral)):
        return None
    n, code = count.literal_value, codelet(radix.literal_value)

    def emit(context: Any, builder: Any, _: Any, args: Any) -> Any:
        source = Memory(context, builder, rows, args[2], args[3], n)
        target = Memory(context, builder, out, args[7], args[8], n)
        turned = not isinstance(factors, types.NoneType)
        table = Memory(context, builder, factors, args[5], args[6], n) if turned else None
        values: dict[int, Any] = {}

        def place(step_: Any, k: int, part: int) -> Any:
            return builder.add(builder.mul(step_, INT64(k)), INT64(part * n))

        def product(a: Any, b: Any) -> Any:
            return builder.fmul(a, b, flags=FLAGS)

        def value(number: int) -> Any:
            if number not in values:
                k = number // 2
                re, im = (source.load(place(args[4], k, part)) for part in (0, 1))
                if table is not None and k:
                    c, s = (table.spread(INT64(2 * k + part)) for part in (0, 1))
                    re, im = (
                        builder.fsub(product(re, c), product(im, s), flags=FLAGS),
                        builder.fadd(product(re, s), product(im, c), flags=FLAGS),
                    )
                values[2 * k], values[2 * k + 1] = re, im
            return values[number]

        # Rows are loaded when they are needed and stored as soon as they are known, or registers would run out; but
        # none is stored while another may still be loaded.
        waiting = dict(enumerate(code.outputs))
        for kind, result, a, b in code.operations:
            if kind in ("add", "sub"):
                values[result] = getattr(builder, f"f{kind}")(value(a), value(int(b)), flags=FLAGS)
            elif kind == "scale":
                values[result] = product(value(a), ir.Constant(source.vector, [b] * n))
            elif kind == "neg":
                values[result] = builder.fneg(value(a))
            done = [k for k, pair in waiting.items() if all(part in values for part in pair)]
            for k in done if all(i in values for i in range(2 * code.n)) else []:
                for part, number in enumerate(waiting.pop(k)):
                    target.store(values[number], place(args[9], k, part))
        return context.get_dummy_value()

    kinds = (radix, count, rows, types.intp, types.intp, factors, types.intp, out, types.intp, types.intp)
    return types.void(*kinds), emit
