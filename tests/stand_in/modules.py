"""The modules of the stand-in, which look up their names when they are asked for, and have those alone CuPy has."""

import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import cublas, cuda, kernels, memory, real
from .functions import OWN, Ufunc, function

_real = real.cupy


class Module(ModuleType):
    """A module of CuPy whose functions are NumPy's of the same name, wrapped."""

    def __init__(self, original: ModuleType, numpys: ModuleType, own: dict[str, Any]) -> None:
        super().__init__(original.__name__)
        self._original, self._numpys = original, numpys
        self.__spec__ = original.__spec__
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        original, numpys = getattr(self._original, name), getattr(self._numpys, name, None)
        if original is not numpys and callable(original):
            if numpys is None or isinstance(original, type):
                raise AttributeError(f"the stand-in has no {self.__name__}.{name}")
            elementwise = isinstance(original, _real.ufunc | type(_real.matmul))
            original = Ufunc(name, numpys) if elementwise else function(name, original, numpys)
        elif isinstance(original, ModuleType):
            raise AttributeError(f"the stand-in has no module {self.__name__}.{name}")
        setattr(self, name, original)
        return original


def _module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(content)
    return made


def _cuda() -> dict[str, ModuleType]:
    parts = {
        name: _module(f"cupy.cuda.{name}", **content)
        for name, content in {
            "nvrtc": kernels.NVRTC,
            "function": {"Module": kernels.Module, "Function": kernels.Function},
            "driver": {"funcSetAttribute": kernels.funcSetAttribute, "CUDADriverError": kernels.CUDADriverError},
            "runtime": cuda.RUNTIME | cublas.RUNTIME,
            "cublas": cublas.CONTENT,
            "device": cublas.DEVICE,
        }.items()
    }
    whole = _module("cupy.cuda", **parts, **cuda.CONTENT)
    return {part.__name__: part for part in (whole, *parts.values())}


_OWN: dict[str, dict[str, Any]] = {"fft": {"config": memory.FFT_CONFIG}, "linalg": {}}
_modules = _cuda()
_modules |= {f"cupy.{name}": Module(getattr(_real, name), getattr(np, name), own) for name, own in _OWN.items()}
cupy = Module(
    _real, np, OWN | {name.partition(".")[2]: made for name, made in _modules.items() if name.count(".") == 1}
)


def install() -> None:
    """Put the stand-in in CuPy's place for all imports to come."""
    real.set_aside()
    sys.modules.update({"cupy": cupy} | _modules)
