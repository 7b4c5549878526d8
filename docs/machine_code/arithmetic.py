"""What instructions compute, on arrays with a value for each thread: whole numbers as uint64, their 32 bits each."""

from collections.abc import Callable
from typing import Any

import numpy as np

MASK = np.uint64(0xFFFFFFFF)
ONE, WORD = np.uint64(1), np.uint64(32)


def signed(x: np.ndarray) -> np.ndarray:
    """The 32 bits as a number with a sign."""
    return x.astype(np.uint32).view(np.int32).astype(np.int64)


def joined(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """64 bits from two registers."""
    return (low & MASK) | (high & MASK) << WORD


def floats(x: np.ndarray) -> np.ndarray:
    """The 32 bits as a float."""
    return x.astype(np.uint32).view(np.float32)


def of_floats(x: np.ndarray) -> np.ndarray:
    """The bits of floats."""
    return np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)


def product(a: np.ndarray, b: np.ndarray, with_signs: bool) -> np.ndarray:
    """All 64 bits of a product."""
    return (signed(a) * signed(b)).view(np.uint64) if with_signs else (a & MASK) * (b & MASK)


def carried(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of 64 bits, and what is carried out of it."""
    total = x + y
    return total, total < x


def permuted(a: np.ndarray, selector: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Four bytes of two words, each by four bits: three say which, the last asks for its sign in all bits."""
    both, result = joined(a, b), np.zeros_like(a)
    for place in range(4):
        nibble = selector >> np.uint64(4 * place) & np.uint64(15)
        byte = both >> (np.uint64(8) * (nibble & np.uint64(7))) & np.uint64(255)
        byte = np.where(nibble & np.uint64(8), (byte >> np.uint64(7)) * np.uint64(255), byte)
        result = result | byte << np.uint64(8 * place)
    return result


def looked_up(table: int, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Bit by bit, the bit of the table that three bits point to."""
    result = np.zeros_like(a)
    for place in range(8):
        if table >> place & 1:
            result |= (a if place & 4 else ~a) & (b if place & 2 else ~b) & (c if place & 1 else ~c)
    return result


def shifted(flags: tuple[str, ...], low: np.ndarray, by: np.ndarray, high: np.ndarray) -> np.ndarray:
    """A funnel shift of two registers, of which one remains."""
    wide = "U64" in flags or "S64" in flags
    by = by & np.uint64(63 if wide else 31) if "W" in flags else np.minimum(by, np.uint64(64 if wide else 32))
    value = joined(low, high)
    if "L" in flags:
        if wide or "HI" in flags:
            return np.where(by < 64, value << np.minimum(by, np.uint64(63)), 0) >> WORD
        return (low & MASK) << by & MASK
    if "S32" in flags or "S64" in flags:
        moved = (value.view(np.int64) >> np.minimum(by, np.uint64(63)).astype(np.int64)).view(np.uint64)
    else:
        moved = np.where(by < 64, value >> np.minimum(by, np.uint64(63)), np.uint64(0))
    return moved >> WORD if "HI" in flags else moved & MASK


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
    "EQ": np.equal,
    "NE": np.not_equal,
}
COMBINATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "AND": np.logical_and,
    "OR": np.logical_or,
    "XOR": np.logical_xor,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "RCP": np.reciprocal,
    "RSQ": lambda x: 1 / np.sqrt(x),
    "SQRT": np.sqrt,
    "LG2": np.log2,
    "EX2": np.exp2,
    "SIN": np.sin,
    "COS": np.cos,
}


def compared(flags: tuple[str, ...], a: np.ndarray, b: np.ndarray, lower: np.ndarray | None) -> np.ndarray:
    """Compare whole numbers; with `lower`, what came out of their lower halves, the upper halves of longer ones."""
    if "U32" not in flags:
        a, b = signed(a), signed(b)
    else:
        a, b = a & MASK, b & MASK
    kind = flags[0]
    if lower is None:
        return COMPARISONS[kind](a, b)
    if kind == "NE":
        return (a != b) | lower
    strict = {"LE": "LT", "GE": "GT"}.get(kind, kind)
    return ((a == b) & lower) | (COMPARISONS[strict](a, b) if kind != "EQ" else False)


def compared_floats(flags: tuple[str, ...], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compare floats; a kind that ends with U also holds where one is no number."""
    kind = flags[0]
    unordered = kind.endswith("U") and kind not in ("EQU",) and kind[:-1] in COMPARISONS
    result = COMPARISONS[kind[:2]](a, b)
    if kind == "NE":  # holds for numbers alone
        result = result & ~np.isnan(a) & ~np.isnan(b)
    return result | np.isnan(a) | np.isnan(b) if unordered else result


def divides_simply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether a / b needs no detour around what is too large or too small."""
    exponents = [(x.view(np.uint32) >> 23 & 0xFF).astype(int) - 127 for x in (a, b)]
    small = [np.abs(x) < 60 for x in exponents]
    return small[0] & small[1]


def rounded_up(x: np.ndarray) -> np.ndarray:
    """Whole numbers as the next floats that are not smaller."""
    near = x.astype(np.float32)
    return np.where(near.astype(np.float64) < x.astype(np.float64), np.nextafter(near, np.float32(np.inf)), near)
