"""Gradients of functions of arrays."""

from collections.abc import Callable
from typing import Any

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, namespace, on_device_of
from arrayaudio.autodiff.namespace import Var
from arrayaudio.autodiff.tape import INEXACT, pull_back
from arrayaudio.autodiff.trees import leaves, mapped, on_device_of_leaves, rebuilt
from arrayaudio.errors import DifferentiationError

__all__ = ["grad", "value_and_grad", "vjp"]


def _started(x: ArrayLike) -> Var:
    """Put an array at the beginning of a tape."""
    value = asarray(x)
    if not dtype_name(value).startswith(INEXACT):
        raise DifferentiationError(
            f"argument of dtype {dtype_name(value)}: gradients need floating point; convert it with astype('float32')"
        )
    return Var(cast(value, "float32") if dtype_name(value) == "bfloat16" else value)  # as NumPy has no such numbers


def _one(loss: Array) -> Array:
    with on_device_of(loss):
        return namespace(loss).ones_like(loss)


def vjp(function: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Call a function, and return its value and the pullback: gradients of its arguments from that of its value.

    Parameters
    ----------
    function : callable
        From arrays, or nested dicts, lists and tuples of arrays, to the same. Inside, arrays take operators, NumPy's
        functions, and all of this library's transforms.
    *args
        Where to call it. Every array in them is real or complex, and gets a gradient.

    Returns
    -------
    value
        What the function returns.
    pullback : callable
        Takes the gradient of a loss with respect to the value, alike in structure and shapes, and returns a tuple of
        those with respect to the arguments. For complex z, gradients are dL/dRe z + i dL/dIm z, so the pullback of a
        linear function is its adjoint. What the function did is kept as long as the pullback is.

    Raises
    ------
    DifferentiationError
        If an argument holds integers, or the function does something without a derivative here.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> value, pullback = aa.vjp(lambda x: x**2, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    variables = mapped(_started, list(args))
    with on_device_of_leaves(variables):
        result = function(*variables)
    inputs, outputs = leaves(variables), leaves(result)
    value = rebuilt(result, [out.value if isinstance(out, Var) else out for out in outputs])
    ends = [out.node if isinstance(out, Var) else None for out in outputs]
    nodes, values = [x.node for x in inputs], [x.value for x in inputs]
    del variables, result, inputs, outputs

    def pullback(gradient: Any) -> tuple[Any, ...]:
        given = leaves(gradient)
        if len(given) != len(ends):
            raise DifferentiationError(
                f"{len(given)} gradients: must be one for each of {len(ends)} arrays of the value"
            )
        seeds = [(node, asarray(g)) for node, g in zip(ends, given, strict=True) if node is not None]
        for node, g in seeds:
            if g.shape != node.like[0]:
                raise DifferentiationError(f"gradient of shape {g.shape}: must be {node.like[0]}, as the value is")
        if seeds:
            namespace(*values, *(g for _, g in seeds))  # refuses gradients that live elsewhere
        with on_device_of_leaves(values):
            found = pull_back(seeds, nodes)
            filled = [namespace(x).zeros_like(x) if g is None else g for g, x in zip(found, values, strict=True)]
        return tuple(rebuilt(list(args), filled))

    return value, pullback


def value_and_grad(function: Callable[..., Any], *, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """Make a function that returns the value of another, and its gradient.

    Parameters
    ----------
    function : callable
        As for `vjp`, but its value is one real number: a loss. With `has_aux`, a pair of that and anything else.
    argnums : int or tuple of int
        Which arguments to differentiate with respect to; the others are passed on as they are.
    has_aux : bool
        Whether the function returns something beside the loss.

    Returns
    -------
    callable
        With the arguments of `function`, returns (value, gradient), or ((value, aux), gradient). The gradient has the
        structure of the argument; for several argnums, it is a tuple of these.

    Raises
    ------
    DifferentiationError
        If the value is not one real number, or as for `vjp`.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> y = np.sin(np.arange(2048.0))
    >>> energy = lambda y: aa.stft(y, n_fft=256, output="power").sum()
    >>> value, gradient = aa.value_and_grad(energy)(y)
    >>> gradient.shape
    (2048,)
    """
    places = argnums if isinstance(argnums, tuple) else (argnums,)

    def call(*args: Any, **options: Any) -> Any:
        aux: list[Any] = []

        def loss(*chosen: Any) -> Any:
            full = list(args)
            for place, value in zip(places, chosen, strict=True):
                full[place] = value
            result = function(*full, **options)
            if has_aux:
                if not isinstance(result, tuple) or len(result) != 2:
                    raise DifferentiationError(
                        "has_aux=True: the function must return a pair of loss and anything else"
                    )
                result, extra = result
                aux.append(mapped(lambda x: x.value if isinstance(x, Var) else x, extra))
            return result

        if not all(-len(args) <= place < len(args) for place in places):
            raise DifferentiationError(f"argnums={argnums}: must name arguments given by position, here {len(args)}")
        value, pullback = vjp(loss, *(args[place] for place in places))
        loss_value = asarray(value)
        if loss_value.shape != () or not dtype_name(loss_value).startswith("float"):
            raise DifferentiationError(
                f"value of shape {loss_value.shape}, dtype {loss_value.dtype}: must be one real number, such as a mean"
            )
        gradients = pullback(_one(loss_value))
        gradient = gradients if isinstance(argnums, tuple) else gradients[0]
        return ((value, aux[0]) if has_aux else value), gradient

    return call


def grad(function: Callable[..., Any], *, argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Make a function that returns the gradient of another, as `value_and_grad` without the value.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.grad(lambda p: np.sum(p["w"] ** 2))({"w": np.array([1.0, 2.0])})
    {'w': array([2., 4.])}
    """
    both = value_and_grad(function, argnums=argnums)

    def call(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return call
