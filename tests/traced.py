"""A toy array library that records what it is asked to do: what an automatic-differentiation tape looks like."""

import types
from typing import Any

import numpy as np

calls: list[str] = []


def _unwrap(x: Any) -> Any:
    if isinstance(x, Traced):
        return x.value
    if isinstance(x, list | tuple):
        return type(x)(map(_unwrap, x))
    return x


def _wrap(x: Any) -> Any:
    return Traced(x) if isinstance(x, np.ndarray | np.generic) else x


def _recorded(name: str, function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return _wrap(function(*_unwrap(args), **{key: _unwrap(value) for key, value in kwargs.items()}))

    return call


class _Namespace(types.ModuleType):
    lifts = True

    def __init__(self, name: str, module: Any) -> None:
        super().__init__(name)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, types.ModuleType):
            return _Namespace(f"traced.{name}", value)
        return _recorded(name, value) if callable(value) and not isinstance(value, type) else value


namespace = _Namespace("traced", np)


class Traced:
    """An immutable value whose functions and operators are recorded; NumPy's own functions refuse it."""

    __array_ufunc__ = None

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return namespace

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    dtype = property(lambda self: self.value.dtype)

    def __getitem__(self, index: Any) -> "Traced":
        calls.append("getitem")
        return Traced(self.value[index])

    def __bool__(self) -> bool:
        return bool(self.value)


def _operator(name: str) -> Any:
    def call(self: Traced, *others: Any) -> Any:
        calls.append(name)
        return _wrap(getattr(self.value, name)(*_unwrap(others)))

    return call


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg", "gt", "ge", "lt", "le"):
    setattr(Traced, f"__{_name}__", _operator(f"__{_name}__"))
