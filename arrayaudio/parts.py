"""Batches in parts, where the memory of a GPU is too small for the whole."""

import math
from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, namespace, on_device_of, plain
from arrayaudio.autodiff.trees import leaves, mapped
from arrayaudio.cuda import free_caches
from arrayaudio.errors import MemoryBudgetError


def in_parts(compute: Callable[..., Any], *arrays: Array, axes: int = 1, recorded: bool = False) -> Any:
    """Return compute(*arrays), for fewer and fewer items at a time where a GPU's memory is too small for all.

    Items are independent of each other. They lie along all but the last `axes` axes of the first array, and along the
    same leading axes of the other arrays and of all results. `recorded` says that `compute` has arrays on the tape.

    Raises
    ------
    MemoryBudgetError
        If the memory is too small for one item, or for the whole of what is recorded.
    """
    try:
        with on_device_of(arrays[0]):
            return compute(*arrays)
    except MemoryBudgetError:
        if recorded or any(plain(x) is not x for x in arrays):
            raise
    # The error held what the failed attempt had made; from here on that memory is free.
    n_leading = arrays[0].ndim - axes
    batch, count = arrays[0].shape[:n_leading], math.prod(arrays[0].shape[:n_leading])
    with on_device_of(arrays[0]):
        items = [namespace(x).reshape(x, (count, *x.shape[n_leading:])) for x in arrays]
    results, done, reason = None, 0, ""
    for size in _halved(count):
        free_caches()
        try:
            while done < count:
                # The last part begins early, so that all have one shape, and FFTs one plan.
                first = min(done, count - size)
                results = _with_part(results, compute, items, slice(first, first + size), count)
                done = first + size
            return mapped(lambda x: namespace(x).reshape(x, (*batch, *x.shape[1:])), results)
        except MemoryBudgetError as error:
            reason = str(error)
    raise MemoryBudgetError(f"an item of shape {items[0].shape[1:]} on its own: {reason}")


def _halved(count: int) -> list[int]:
    """Half of a count, rounded up, half of that, and so on to 1."""
    sizes = [-(-count // 2)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // 2))
    return sizes


def _with_part(results: Any, compute: Callable[..., Any], items: list[Array], here: slice, count: int) -> Any:
    """The results for all items, made if they are not there yet, with those of some items put in their place."""
    with on_device_of(items[0]):
        part = compute(*(x[here] for x in items))
        if results is None:
            results = mapped(lambda x: namespace(x).empty((count, *x.shape[1:]), dtype=x.dtype), part)
        for whole, piece in zip(leaves(results), leaves(part), strict=True):
            whole[here] = piece
        return results
