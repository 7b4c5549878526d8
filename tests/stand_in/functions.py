"""Functions of CuPy by NumPy's, with the arguments that CuPy's take."""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import streams
from .arrays import ndarray, poisoned, through, unwrap, wrap
from .cuda import current_device
from .memory import PINNED_POOL, POOL

SUPPORTED = "?bhilqBHILQefdFD"
ANSWERS = {"allclose", "array_equal", "array_equiv"}  # Python's bool in NumPy, an array in CuPy


def function(name: str, original: Callable[..., Any], numpys: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of NumPy that takes what `original`, the function of CuPy, takes."""
    try:
        signature = inspect.signature(original)
    except ValueError:  # a compiled function
        signature = None

    def call(*args: Any, **kwargs: Any) -> Any:
        if signature:
            signature.bind(*args, **kwargs)
        result = through(numpys, args, kwargs)
        return wrap(np.asarray(result)) if name in ANSWERS else result

    call.__name__ = call.__qualname__ = name
    call.__module__ = "cupy"
    return call


class Ufunc:
    """A function of numbers, item by item, without what CuPy leaves out: `where`, and most of the methods."""

    def __init__(self, name: str, numpys: Callable[..., Any]) -> None:
        self.__name__, self._function = name, numpys

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not {"out", "dtype", "casting"}.issuperset(kwargs):
            raise TypeError(f"Wrong arguments {kwargs}")
        for x in args:
            if isinstance(x, list | tuple):
                raise TypeError(f"Unsupported type {type(x)}")
        return through(self._function, args, kwargs)

    def at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        if self.__name__ not in ("add", "maximum", "minimum"):
            raise NotImplementedError(f"`{self.__name__}.at` is not supported yet")
        places = indices.inner if isinstance(indices, ndarray) else indices
        self._function.at(a.inner, places, unwrap(b))

    def reduce(self, array: ndarray, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.__name__}.reduce` is not supported yet")
        return through(self._function.reduce, (array, axis, dtype, None, keepdims), {"out": out} if out else {})

    def outer(self, a: Any, b: Any, **kwargs: Any) -> Any:
        return through(self._function.outer, (a, b), kwargs)


def _brought(x: Any, dtype: Any, order: str | None) -> Any:
    """Copy anything but the stand-in's arrays to the device."""
    if hasattr(x, "__cuda_array_interface__"):
        streams.synchronize(x.__cuda_array_interface__.get("stream") or 0)
        shared = np.asarray(SimpleNamespace(__array_interface__=x.__cuda_array_interface__))
        return wrap(shared, current_device()) if dtype is None else wrap(shared.astype(dtype))
    values = np.array(_plain(x), dtype=dtype, order=order or "K")
    if values.dtype.char not in SUPPORTED:
        raise ValueError(f"Unsupported dtype {values.dtype}")
    return wrap(values.astype(values.dtype.newbyteorder("="), copy=False))


def _plain(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return [_plain(item) for item in x]
    return x.inner if isinstance(x, ndarray) else x


def asarray(a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, blocking: bool = False):
    if not isinstance(a, ndarray):
        return _brought(a, dtype, order)
    if a.place != current_device():
        return _brought(a.get(), dtype, order)
    result = np.array(a.inner, dtype, order=order or "K", copy=copy)
    return a if result is a.inner else wrap(result)


def array(a: Any, dtype: Any = None, copy: bool | None = True, order: str = "K", subok: bool = False, ndmin: int = 0):
    result = asarray(a, dtype, order, copy=copy or None)
    return wrap(np.array(result.inner, ndmin=ndmin, copy=None)) if ndmin > result.ndim else result


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    return asarray(a, dtype, "C")


def from_dlpack(x: Any) -> ndarray:
    """A producer gives what it has on the device as an array of the stand-in, not as a capsule."""
    made = x if isinstance(x, ndarray) else x.__dlpack__(stream=streams.current().ptr or 1)
    if not isinstance(made, ndarray):
        raise BufferError("only arrays of the stand-in itself are on its device")
    return wrap(made.inner, made.place)


def asnumpy(a: Any) -> np.ndarray:
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def take(a: ndarray, indices: Any, axis: int | None = None, out: ndarray | None = None) -> ndarray:
    """Indices may be NumPy's, as in CuPy."""
    return through(np.take, (a, asarray(indices)), {"axis": axis} | ({} if out is None else {"out": out}))


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return ndarray(shape, dtype, order=order)


def empty_like(prototype: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None):
    return wrap(poisoned(np.empty_like(unwrap(prototype), dtype, order, shape=shape)))


OWN = {
    made.__name__: made
    for made in (ndarray, asarray, array, ascontiguousarray, from_dlpack, asnumpy, take, empty, empty_like)
} | {"asanyarray": asarray}
for _made in OWN.values():
    _made.__module__ = "cupy"
OWN |= {"get_default_memory_pool": lambda: POOL, "get_default_pinned_memory_pool": lambda: PINNED_POOL}
