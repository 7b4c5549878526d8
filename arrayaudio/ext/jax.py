"""Transforms as functions for JAX on the CPU: inside jit and vmap, with gradients for signals and what is learned."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayaudio.autodiff.gradients import vjp
from arrayaudio.autodiff.trees import leaves, mapped, rebuilt
from arrayaudio.errors import BackendError, MissingExtraError, ParameterError
from arrayaudio.transforms.base import Transform

try:
    import jax
except ImportError as problem:
    raise MissingExtraError("functions for JAX", "jax", problem) from problem

__all__ = ["differentiable"]

# Half precision is computed in single, here as everywhere in this library.
HALF = ("float16", "bfloat16")


def differentiable(transform: Transform, *, inverse: bool = False, **options: Any) -> Callable[..., Any]:
    """Make a function of JAX's arrays from a transform, which `jax.jit`, `jax.vmap` and `jax.grad` take.

    Compiled programs call back to the host, where NumPy and this library's kernels do the work (`jax.pure_callback`,
    with derivatives by `jax.custom_vjp`).

    Parameters
    ----------
    transform : Transform
        Of this library, without a device of its own.
    inverse : bool
        Whether to make the function of `transform.inverse`, from spectra to waveforms.
    **options
        Further arguments of the transform, or of its inverse, such as `length`.

    Returns
    -------
    callable
        From a signal (..., n_samples), or a spectrum (..., freq, time), to what the transform makes of it. As a second
        argument, it takes arrays in the place of the transform's own: a dict with all or some of its `params`, or what
        else `with_params` takes.

    Raises
    ------
    ParameterError
        If `transform` is something else or has a device.
    BackendError
        In a call, if arrays are not in host memory. Where JAX compiles for a GPU, it raises NotImplementedError.

    Notes
    -----
    Gradients of complex arrays are in JAX's convention, dL/dRe z - i dL/dIm z: the conjugate of that of `aa.grad`.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import arrayaudio as aa
    >>> from arrayaudio.ext.jax import differentiable
    >>> layer = aa.MelSpectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40, trainable_mel=True)
    >>> mel = differentiable(layer)
    >>> y = jnp.ones((8, 16000))
    >>> jax.jit(mel)(y).shape
    (8, 40, 101)
    >>> gradient = jax.grad(lambda params: mel(y, params).mean())(layer.params)
    >>> gradient["bank"].shape
    (40, 201)
    """
    if not isinstance(transform, Transform):
        raise ParameterError(f"transform={transform!r}: must be a transform, as arrayaudio.STFT() is")
    if transform.device is not None:
        raise ParameterError(f"device={transform.device!r}: JAX's arrays are in host memory; give transform.to(None)")

    def compute(x: Any, params: Any) -> Any:
        made = transform.with_params(params) if params else transform
        return (made.inverse if inverse else made)(x, **options)

    call = _through_callbacks(compute, 2 if inverse else 1)

    def function(x: Any, params: dict[str, Any] | None = None) -> Any:
        on_host = jax.tree.map(_on_host, (x, dict(params or {})))
        return call(*on_host)

    return function


def _on_host(x: Any) -> jax.Array:
    """An array of JAX, as far as one can see in host memory, in single precision if it was in half."""
    array = jax.numpy.asarray(x)
    if not isinstance(array, jax.core.Tracer) and any(place.platform != "cpu" for place in array.devices()):
        raise BackendError(
            f"array is on {array.device}: must be in host memory, as after jax.device_put(x, jax.devices('cpu')[0]); "
            "on a GPU, give the transform itself the array, and take gradients with aa.vjp"
        )
    return array.astype("float32") if array.dtype.name in HALF else array


def _through_callbacks(compute: Callable[[Any, Any], Any], n_axes: int) -> Callable[[Any, Any], Any]:
    """A function of an array with `n_axes` axes behind the batch, and of parameters, with a derivative for JAX."""
    known: dict[Any, Any] = {}

    def shape_of(x: Any, params: Any) -> jax.ShapeDtypeStruct:
        """What the result is like, by computing that of silence for an item of the batch."""
        batch = max(0, x.ndim - n_axes)
        item, arrays = x.shape[batch:], leaves(params)
        key = item, x.dtype, tuple(sorted(params)), tuple((p.shape, p.dtype) for p in arrays)
        if key not in known:
            silence = (np.zeros(item, x.dtype), mapped(lambda p: np.zeros(p.shape, p.dtype), params))
            made = compute(*silence)
            known[key] = made.shape, made.dtype
        shape, dtype = known[key]
        return jax.ShapeDtypeStruct((*x.shape[:batch], *shape), dtype)

    @jax.custom_vjp
    def call(x: Any, params: Any) -> Any:
        return _callback(lambda *args: compute(*mapped(np.asarray, args)), shape_of(x, params), (x, params))

    def forward(x: Any, params: Any) -> Any:
        # Which arrays want a gradient must not be traced, and goes along in the structure of what is kept.
        primals = (x, params)
        values = jax.tree.map(lambda p: p.value, primals)
        wanted = [() if p.perturbed else None for p in leaves(primals)]
        return call(*values), (values, wanted)

    def backward(kept: Any, gradient: Any) -> Any:
        values, flags = kept
        wanted = [flag is not None for flag in flags]
        if not any(wanted) or isinstance(gradient, jax.custom_derivatives.SymbolicZero):
            return None, None
        shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in itertools.compress(leaves(values), wanted)]

        def pull(x: Any, params: Any, gradient: Any) -> Any:
            arrays = [np.asarray(array) for array in leaves((x, params))]

            def function(*on_tape: Any) -> Any:
                chosen = iter(on_tape)
                every = [next(chosen) if w else array for w, array in zip(wanted, arrays, strict=True)]
                return compute(*rebuilt((x, params), every))

            _, pullback = vjp(function, *itertools.compress(arrays, wanted))
            return [np.conj(found) for found in pullback(np.conj(np.asarray(gradient)))]

        found = iter(_callback(pull, shapes, (*values, gradient)))
        return tuple(rebuilt(values, [next(found) if w else None for w in wanted]))

    call.defvjp(forward, backward, symbolic_zeros=True)
    return call


def _callback(function: Callable[..., Any], shapes: Any, args: tuple[Any, ...]) -> Any:
    """Call a function of a signal, parameters and more from a compiled program, which must be one for the CPU.

    The axis of `jax.vmap` becomes the first of a signal's, of which transforms take any number. Parameters have no such
    axis, and their gradients are those of each item, so with these the items are computed one by one.
    """
    method = "sequential" if leaves(args[1]) else "broadcast_all"

    def cpu(*args: Any) -> Any:
        return jax.pure_callback(function, shapes, *args, vmap_method=method)

    return jax.lax.platform_dependent(*args, cpu=cpu)
