"""The tape: values that remember how they were made, and the way back through what they remember.

Gradients of a real loss L with respect to complex z are dL/dRe z + i dL/dIm z, so that |z|^2 has the gradient 2 z, a
step against the gradient descends, and the pullback of a linear map is its adjoint.
"""

import heapq
import itertools
from collections.abc import Callable

from arrayaudio.arrays import Array, cast, dtype_name, namespace

Pull = Callable[[Array], Array]
INEXACT = ("float", "complex", "bfloat")  # how the names of dtypes that have gradients begin
_numbers = itertools.count()


class Node:
    """One step on the tape: for each input that is on it too, that input's node and the pullback to it."""

    __slots__ = ("like", "number", "parents")

    def __init__(self, value: Array, parents: list[tuple["Node", Pull]]) -> None:
        self.like = (value.shape, dtype_name(value))
        self.parents = parents
        # Later steps have larger numbers, so going back by number meets each node after all that use it.
        self.number = next(_numbers)


def fitted(gradient: Array, like: tuple[tuple[int, ...], str]) -> Array:
    """Bring a gradient to the shape and dtype of its value: undo broadcasting, drop imaginary parts of real values."""
    shape, dtype = like
    xp = namespace(gradient)
    if gradient.shape != shape:
        extra = gradient.ndim - len(shape)
        stretched = [extra + i for i, n in enumerate(shape) if n == 1 and gradient.shape[extra + i] != 1]
        gradient = xp.sum(gradient, axis=(*range(extra), *stretched))
        gradient = xp.reshape(gradient, shape)
    if dtype_name(gradient).startswith("complex") and not dtype.startswith("complex"):
        gradient = xp.real(gradient)
    return cast(gradient, dtype)


def pull_back(seeds: list[tuple[Node, Array]], targets: list[Node]) -> list[Array | None]:
    """Gradients at `targets`, None where nothing depends on them, from gradients at other nodes."""
    wanted = {target.number for target in targets}
    gathered: dict[int, Array] = {}
    nodes: dict[int, Node] = {}
    found: dict[int, Array] = {}
    waiting: list[int] = []

    def arrive(node: Node, gradient: Array) -> None:
        gradient = fitted(gradient, node.like)
        if node.number in gathered:
            gathered[node.number] = gathered[node.number] + gradient
        else:
            gathered[node.number], nodes[node.number] = gradient, node
            heapq.heappush(waiting, -node.number)

    for node, gradient in seeds:
        arrive(node, gradient)
    while waiting:
        number = -heapq.heappop(waiting)
        node, gradient = nodes.pop(number), gathered.pop(number)
        if number in wanted:
            found[number] = gradient
        for parent, pull in node.parents:
            arrive(parent, pull(gradient))
    return [found.get(target.number) for target in targets]
