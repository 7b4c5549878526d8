"""One name, a reference body, and a fast version that may decline.

The body of a primitive is its reference: plain array code that runs on every library. A function of the same name in
`kernels/cpu/<name>.py` or, without Numba, `kernels/tiled/<name>.py` is its fast version for NumPy arrays, and one in
`kernels/gpu/<name>.py` for CuPy's. A fast version has the same signature and returns `NotImplemented` for what it does
not cover; then the next one runs, and at last the reference. So it does for arrays on the tape, and for arguments that
hold such arrays and say so by `taped`.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from arrayaudio.arrays import namespace
from arrayaudio.autodiff.namespace import Var, value_of

P = ParamSpec("P")
R = TypeVar("R")

FOLDERS = {
    "numpy": ("arrayaudio.kernels.cpu", "arrayaudio.kernels.tiled"),
    "cupy": ("arrayaudio.kernels.gpu",),
}

registered: dict[str, Callable[..., Any]] = {}
"""Every primitive by its name, once its module is imported."""

problems: dict[str, str] = {}
"""Why a fast version that exists could not be loaded, by module name; empty when all is well."""


@functools.cache
def fast_version(name: str, library: str) -> Callable[..., Any] | None:
    """Return the fast version of the primitive `name` for arrays of `library`, or None."""
    modules = [f"{folder}.{name}" for folder in FOLDERS.get(library, ())]
    return _first_of(tuple(module for module in modules if importlib.util.find_spec(module)), name)


@functools.cache
def _first_of(modules: tuple[str, ...], name: str) -> Callable[..., Any] | None:
    """The version in the first module that loads, which goes on to the next ones, loaded only then, if it declines."""
    if not modules:
        return None
    try:
        version = cast(Callable[..., Any], getattr(importlib.import_module(modules[0]), name))
    except Exception as error:  # a broken accelerator raises whatever it likes at import, and must not stop the rest
        problems[modules[0]] = f"{type(error).__name__}: {error}"
        return _first_of(modules[1:], name)
    if len(modules) == 1:
        return version

    def first(*args: Any, **kwargs: Any) -> Any:
        result = version(*args, **kwargs)
        another = _first_of(modules[1:], name) if result is NotImplemented else None
        return result if another is None else another(*args, **kwargs)

    return first


adjoints: dict[str, Callable[..., Any]] = {}
"""What gradients of a primitive take instead of its recorded reference, by its name: see `pullback_of`."""


def pullback_of(call: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function the way back through a primitive.

    With the plain arguments of the primitive, it returns the result and the pullback from a gradient of the result to
    that of the first argument, or a tuple of pullbacks to its first arguments; or `NotImplemented`, and the reference
    is recorded.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        adjoints[call.__name__] = function
        return function

    return register


def primitive(reference: Callable[P, R]) -> Callable[P, R]:
    """Make a primitive of `reference`; the array that decides is its first argument.

    The reference itself stays available as the attribute `reference`.
    """
    name = reference.__name__

    @functools.wraps(reference)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        places = [place for place, arg in enumerate(args) if isinstance(arg, Var)]
        taped = any(getattr(arg, "taped", False) for arg in args)
        if places and name in adjoints and not taped:
            made = adjoints[name](*(value_of(arg) for arg in args), **kwargs)
            result, pulls = (None, ()) if made is NotImplemented else made
            pulls = pulls if isinstance(pulls, tuple) else (pulls,)
            if places[-1] < len(pulls):
                return Var(result, [(args[place].node, pulls[place]) for place in places])  # type: ignore[return-value, attr-defined]
        fast = None if places or taped else fast_version(name, namespace(args[0]).__name__)
        result = NotImplemented if fast is None else fast(*args, **kwargs)
        return reference(*args, **kwargs) if result is NotImplemented else result

    call.reference = reference  # type: ignore[attr-defined]
    registered[name] = call
    return call
