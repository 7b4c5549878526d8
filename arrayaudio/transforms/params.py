"""Arrays of a transform's own, in the place of those that its settings define: what is given, and what is learned."""

import copy
import functools
from typing import Any, TypeVar

import numpy as np

from arrayaudio.arrays import asarray, constant, dtype_name
from arrayaudio.autodiff.trees import leaves, mapped, rebuilt
from arrayaudio.errors import ParameterError

T = TypeVar("T")


def bare(transform: T) -> T:
    """The transform without arrays of its own: what caches may hold, so that no array lives longer than its owner."""
    if not transform._given:  # type: ignore[attr-defined]
        return transform
    same = copy.copy(transform)
    same._replace(_given=None)  # type: ignore[attr-defined]
    return same


@functools.lru_cache(maxsize=64)
def _stand_ins(transform: Any, name: str) -> Any:
    """What stands for an array, or a list of arrays: the same shapes, without the memory."""
    return mapped(lambda array: np.broadcast_to(np.float32(0), array.shape), transform._arrays[name]())


def checked(transform: Any, params: Any) -> dict[str, Any]:
    """Return arrays by name as constants of the transform, or raise ParameterError."""
    if not isinstance(params, dict):
        raise ParameterError(f"params of type {type(params).__name__}: must be a dict of arrays by name")
    kind, known, given = type(transform).__name__, transform._arrays, {}
    for name, value in params.items():
        if name not in known:
            raise ParameterError(f"{kind} has no array {name!r}: those it has are {', '.join(known) or 'none'}")
        stand_ins = _stand_ins(bare(transform), name)
        arrays = [asarray(array, device=transform.device) for array in leaves(value)]
        shapes, expected = ([tuple(array.shape) for array in some] for some in (arrays, leaves(stand_ins)))
        if shapes != expected:
            raise ParameterError(f"{name} has shape {_shown(shapes)}: must be {_shown(expected)} for these settings")
        for array in arrays:
            if not dtype_name(array).startswith(("float", "bfloat")):
                raise ParameterError(f"{name} has dtype {dtype_name(array)}: must be floating point")
        given[name] = rebuilt(stand_ins, [constant(array) for array in arrays])
    return given


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return str(shapes[0] if len(shapes) == 1 else shapes)


def moved(given: dict[str, Any] | None, device: str | None) -> dict[str, Any] | None:
    """Bring arrays to a device; those that hand out copies to every device stay."""
    return mapped(lambda held: held if held.fixed else constant(asarray(held.value, device=device)), given)
