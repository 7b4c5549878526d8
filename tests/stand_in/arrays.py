"""The array of the stand-in: NumPy's, wrapped so that it mixes with nothing, as one on a GPU."""

import contextlib
import functools
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import memory, streams
from .cuda import Device, current_device
from .real import cupy as real

_NO_NUMPY = (
    "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly."
)


def wrap(x: Any, place: int | None = None) -> Any:
    """Make arrays and scalars of NumPy arrays of the stand-in, also in tuples and lists.

    They are new on the current device, or views of arrays on the device that is given.
    """
    if isinstance(x, np.ndarray | np.generic):
        made = object.__new__(ndarray)
        made.inner = np.asarray(x)
        made.place = current_device() if place is None else place
        if place is None:
            memory.allocated(made.inner)
            streams.written(made.inner)
        return made
    return type(x)(wrap(item, place) for item in x) if type(x) in (tuple, list) else x


def unwrap(x: Any) -> Any:
    """Return what `wrap` takes, and refuse what CuPy would: NumPy's arrays, and those of other devices."""
    if isinstance(x, ndarray):
        if x.place != current_device():
            raise ValueError(
                "Array device must be same as the current device: "
                f"array device = {x.place} while current = {current_device()}"
            )
        streams.read(x.inner)
        return x.inner
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    return type(x)(map(unwrap, x)) if type(x) in (tuple, list) else x


def through(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function of NumPy with arrays of the stand-in, without NumPy's warnings of values that are not finite."""
    with np.errstate(all="ignore"):
        result = function(*map(unwrap, args), **{key: unwrap(value) for key, value in kwargs.items()})
    out = kwargs.get("out")
    if isinstance(out, ndarray):
        streams.written(out.inner)
        return out
    views = result if isinstance(result, tuple | list) else [result]
    return wrap(result, _place_of(args) if any(_views(view, args) for view in views) else None)


def _views(x: Any, args: Any) -> bool:
    """Whether a result lies in the memory of an argument."""
    return isinstance(x, np.ndarray) and any(
        isinstance(arg, ndarray) and np.may_share_memory(x, arg.inner) for arg in args
    )


def _place_of(args: Any) -> int:
    return next(arg.place for arg in args if isinstance(arg, ndarray))


def poisoned(array: np.ndarray) -> np.ndarray:
    """Fill new memory with NaN, or with -1, as any other content would hide that it is read."""
    array.fill(np.nan if array.dtype.kind in "fc" else array.dtype.type(True) if array.dtype.kind in "bu" else -1)
    return array


def _require_same(values: np.ndarray, before: np.ndarray) -> None:
    if values.tobytes() != before.tobytes():
        raise streams.RaceError(f"pinned memory of shape {values.shape} was changed before it had been copied")


class ndarray:  # noqa: N801
    """An array in the memory of the device, which is that of the host."""

    __slots__ = ("inner", "place")
    __module__ = "cupy"
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, shape: Any, dtype: Any = float, memptr: None = None, strides: None = None, order: str = "C"):
        assert memptr is strides is None
        self.inner, self.place = poisoned(np.empty(shape, dtype, order)), current_device()
        memory.allocated(self.inner)
        streams.written(self.inner)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError(_NO_NUMPY)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        counterpart = getattr(_cupy(), ufunc.__name__, None)
        if counterpart is None or method != "__call__":
            return NotImplemented
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        if not all(isinstance(x, ndarray | np.ndarray | np.generic | bool | int | float | complex) for x in inputs):
            return NotImplemented
        if ufunc.__name__ in _COMPARISONS.values():
            inputs = tuple(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs)
        return counterpart(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        place = _cupy()
        for name in (*function.__module__.split(".")[1:], function.__name__):
            place = getattr(place, name, None)
        if place is None or not all(issubclass(kind, ndarray | np.ndarray) for kind in types):
            return NotImplemented
        return place(*args, **kwargs)

    @property
    def device(self) -> Device:
        return Device(self.place)

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.inner.ctypes.data, device=self.device, device_id=self.place)

    @property
    def flags(self) -> Any:
        flags = self.inner.flags
        return real._core.flags.Flags(flags.c_contiguous, flags.f_contiguous, self.inner.base is None)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.inner.__array_interface__ | {
            "data": (self.inner.ctypes.data, False),
            "stream": streams.current().ptr or 1,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.place  # kDLCUDA

    def __dlpack__(self, **_: Any) -> Any:
        raise BufferError("memory of the stand-in is not that of a GPU")

    def get(self, stream: Any = None, order: str = "C", out: np.ndarray | None = None, blocking: bool = True) -> Any:
        with stream or contextlib.nullcontext():
            streams.read(self.inner)
        stream = stream or streams.current()
        values = np.array(self.inner, order=order)
        if out is None:
            out = poisoned(np.empty_like(values))
        stream.later(lambda: np.copyto(out, values))
        if blocking:
            stream.synchronize()
        return out

    def set(self, values: np.ndarray, stream: Any = None) -> None:
        if not isinstance(values, np.ndarray) or (values.dtype, values.shape) != (self.inner.dtype, self.inner.shape):
            raise TypeError(f"only a NumPy array of the same dtype and shape can be set, not {type(values)}")
        with stream or contextlib.nullcontext():
            streams.written(self.inner)
        self.inner[...] = values
        if memory.is_pinned(values):
            (stream or streams.current()).later(functools.partial(_require_same, values, values.copy()))

    def item(self) -> Any:
        return self.get().item()

    def __getitem__(self, index: Any) -> "ndarray":
        result = self.inner[_places(index)]
        return wrap(result, self.place if np.may_share_memory(result, self.inner) else None)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, np.ndarray) and isinstance(index, slice) and index == slice(None):
            self.set(value)
        elif isinstance(value, list | tuple):
            raise TypeError(f"Unsupported type {type(value)}")
        else:
            unwrap(self)[_places(index)] = unwrap(value)
            streams.written(self.inner)

    def __iter__(self) -> Any:
        if self.inner.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __copy__(self) -> "ndarray":
        return wrap(self.inner.copy())

    def __deepcopy__(self, memo: Any) -> "ndarray":
        return wrap(self.inner.copy())

    def __reduce__(self) -> Any:
        return _cupy().array, (self.get(),)


def _cupy() -> Any:
    from .modules import cupy

    return cupy


def _places(index: Any) -> Any:
    """An index for NumPy that gives views, of single elements too; NumPy's arrays are let through as CuPy does."""
    items = index if isinstance(index, tuple) else (index,)
    items = tuple(item.inner if isinstance(item, ndarray) else item for item in items)
    return items if any(item is Ellipsis for item in items) else (*items, Ellipsis)


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_SIGNS = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}
_CONVERSIONS = ("bool", "int", "float", "complex", "bytes", "len", "str", "repr", "format")
_OWN_ATTRIBUTES = ("dtype", "shape", "strides", "ndim", "size", "itemsize", "nbytes", "T", "mT", "real", "imag", "base")


def _defers(x: ndarray, other: Any) -> bool:
    """Whether the operator of `other` goes first, by the rules of NEP 13 as CuPy reads them."""
    if hasattr(other, "__array_ufunc__"):
        return other.__array_ufunc__ is None
    return getattr(other, "__array_priority__", 0) > x.__array_priority__


def _operator(ufunc: np.ufunc, swapped: bool = False, in_place: bool = False) -> Any:
    def operate(self: ndarray, other: Any) -> Any:
        if _defers(self, other):
            return NotImplemented
        operands = (other, self) if swapped else (self, other)
        return ufunc(*operands, out=self) if in_place else ufunc(*operands)

    return operate


def _method(name: str) -> Any:
    """A method of CuPy's arrays by NumPy's, with no more keywords than CuPy's documentation of it has."""
    keywords = set(re.findall(r"\w+", (getattr(real.ndarray, name).__doc__ or "").partition("\n")[0]))

    def method(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        if keywords and not keywords.issuperset(kwargs):
            raise TypeError(f"{name}() of CuPy's arrays takes no {sorted(set(kwargs) - keywords)}")
        return through(lambda x, *rest, **options: getattr(x, name)(*rest, **options), (self, *args), kwargs)

    return method


def _attribute(name: str) -> property:
    def put(self: ndarray, value: Any) -> None:
        setattr(self.inner, name, unwrap(value))

    return property(
        lambda self: wrap(getattr(self.inner, name), self.place), put if name in ("shape", "real", "imag") else None
    )


def _delegate() -> None:
    for short, name in (_OPERATORS | _COMPARISONS).items():
        setattr(ndarray, f"__{short}__", _operator(getattr(np, name)))
    for short, name in _OPERATORS.items():
        setattr(ndarray, f"__r{short}__", _operator(getattr(np, name), swapped=True))
        if short != "matmul":
            setattr(ndarray, f"__i{short}__", _operator(getattr(np, name), in_place=True))
    for short, name in _SIGNS.items():
        setattr(ndarray, f"__{short}__", lambda self, name=name: getattr(np, name)(self))
    for short in _CONVERSIONS:
        setattr(ndarray, f"__{short}__", lambda self, *args, name=f"__{short}__": getattr(self.inner, name)(*args))
    for name in _OWN_ATTRIBUTES:
        setattr(ndarray, name, _attribute(name))
    for name in dir(real.ndarray):
        if not name.startswith("_") and not hasattr(ndarray, name) and hasattr(np.ndarray, name):
            setattr(ndarray, name, _method(name))


_delegate()
