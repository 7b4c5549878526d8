"""How a function of a signal and a transform becomes one of the signal and the transform's settings."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from arrayaudio.arrays import Array, ArrayLike
from arrayaudio.transforms.base import Transform

P = ParamSpec("P")
T = TypeVar("T", bound=Transform)
Call = Callable[[ArrayLike, T], Array]


def settings_of(
    make: Callable[P, T], **defaults: Any
) -> Callable[[Call[T]], Callable[Concatenate[ArrayLike, P], Array]]:
    """Turn a function of (signal, transform) into one of the signal and the transform's settings as keywords."""

    def decorate(body: Call[T]) -> Callable[Concatenate[ArrayLike, P], Array]:
        @functools.wraps(body)
        def call(y: ArrayLike, /, *args: P.args, **options: P.kwargs) -> Array:
            return body(y, make(*args, **(defaults | options)))

        array = inspect.Parameter("y", inspect.Parameter.POSITIONAL_ONLY)
        keywords = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(
                    field.name, inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
                ),
            )
            for field in dataclasses.fields(make)  # type: ignore[arg-type]
        ]
        call.__signature__ = inspect.Signature([array, *keywords])  # type: ignore[attr-defined]
        return call

    return decorate
