"""Nested dicts, lists and tuples of arrays, seen as lists of their arrays."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from arrayaudio.arrays import asarray, on_device_of


def leaves(tree: Any) -> list[Any]:
    """The arrays of a structure in a fixed order: dicts by sorted key, lists and tuples by place; None holds none."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    return [] if tree is None else [tree]


def on_device_of_leaves(tree: Any) -> AbstractContextManager[Any]:
    """Return a context in which new arrays come to the device where those of a structure live."""
    arrays = leaves(tree)
    return on_device_of(asarray(arrays[0])) if arrays else contextlib.nullcontext()


def rebuilt(tree: Any, values: list[Any]) -> Any:
    """The same structure with other arrays, in the order of `leaves`."""
    return _rebuilt(tree, iter(values))


def _rebuilt(tree: Any, values: Any) -> Any:
    if isinstance(tree, dict):
        made = {key: _rebuilt(tree[key], values) for key in sorted(tree)}
        return {key: made[key] for key in tree}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_rebuilt(part, values) for part in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(_rebuilt(part, values) for part in tree)
    return None if tree is None else next(values)


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply a function to the arrays of structures that are alike."""
    return rebuilt(tree, [function(*parts) for parts in zip(*map(leaves, (tree, *others)), strict=True)])
