"""Optimisers as pure functions: from gradients, a state and parameters to new parameters and a new state.

Parameters are arrays of any library, real or complex, in nested dicts, lists and tuples, as `value_and_grad` takes.
Nothing is changed in place, and every array keeps its dtype. Gradients of complex parameters are dL/dRe + i dL/dIm.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from arrayaudio.arrays import Array, ArrayLike, asarray, cast, dtype_name, namespace
from arrayaudio.autodiff.trees import leaves, mapped, on_device_of_leaves
from arrayaudio.checks import one_of, real
from arrayaudio.errors import ParameterError

__all__ = ["SGD", "Adam", "AdamState", "AdamW", "SGDState", "clip_by_norm"]


class SGDState(NamedTuple):
    """What `SGD` remembers: the weighted sum of all gradients so far, None without momentum."""

    velocity: Any


class AdamState(NamedTuple):
    """What `Adam` remembers: the number of steps, and moving averages of the gradients g and of |g|^2."""

    step: int
    mean: Any
    square: Any


@dataclass(frozen=True)
class SGD:
    """Gradient descent: p <- p - learning_rate v, with v <- momentum v + g.

    Parameters
    ----------
    learning_rate : float
        Size of the steps, at least 0.
    momentum : float
        How much of the last v stays, from 0 to below 1. With 0, v is the gradient g.
    nesterov : bool
        Step along g + momentum v instead, which looks one step ahead (Sutskever et al., 2013).

    Raises
    ------
    ParameterError
        If a setting is out of its range, or gradients and parameters differ in structure or shapes.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> params = {"w": np.array([1.0, -2.0])}
    >>> descent = aa.optim.SGD(0.25)
    >>> state = descent.init(params)
    >>> for _ in range(3):
    ...     loss, gradients = aa.value_and_grad(lambda p: np.sum(p["w"] ** 2))(params)
    ...     params, state = descent.update(gradients, state, params)
    >>> params
    {'w': array([ 0.125, -0.25 ])}
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        real("learning_rate", self.learning_rate, least=0)
        _fraction("momentum", self.momentum)
        if one_of("nesterov", self.nesterov, (True, False)) and not self.momentum:
            raise ParameterError("nesterov=True: needs a momentum greater than 0")

    def init(self, params: Any) -> SGDState:
        """Return the state before the first step."""
        with on_device_of_leaves(params):
            zeros = mapped(_zeros, params)
            return SGDState(zeros if self.momentum else None)

    def update(self, gradients: Any, state: SGDState, params: Any) -> tuple[Any, SGDState]:
        """Return the parameters and the state after one more step."""
        _check_alike(gradients, params)
        with on_device_of_leaves(params):
            ahead = velocity = gradients
            if self.momentum:
                ahead = velocity = mapped(lambda v, g: _kept(v, self.momentum * v + g), state.velocity, gradients)
            if self.nesterov:
                ahead = mapped(lambda g, v: g + self.momentum * v, gradients, velocity)
            stepped = mapped(lambda p, d: _kept(p, _parameter(p) - self.learning_rate * asarray(d)), params, ahead)
            return stepped, SGDState(velocity if self.momentum else None)


@dataclass(frozen=True)
class Adam:
    """Steps of about the same size for all parameters, whatever that of their gradients (Kingma and Ba, 2015).

    At step t, with m <- b1 m + (1 - b1) g and v <- b2 v + (1 - b2) |g|^2,
    p <- p - learning_rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).

    Parameters
    ----------
    learning_rate : float
        Size of the steps, at least 0.
    b1, b2 : float
        How much of the last averages stays, from 0 to below 1.
    eps : float
        Keeps the quotient finite where gradients are 0.

    Raises
    ------
    ParameterError
        If a setting is out of its range, or gradients and parameters differ in structure or shapes.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> target = aa.stft(np.sin(np.arange(1000.0)), n_fft=128, output="magnitude")
    >>> loss = lambda y: np.mean((aa.stft(y, n_fft=128, output="magnitude") - target) ** 2)
    >>> y = np.random.default_rng(0).standard_normal(1000)
    >>> before, adam = loss(y), aa.optim.Adam(0.1)
    >>> state = adam.init(y)
    >>> for _ in range(20):
    ...     y, state = adam.update(aa.grad(loss)(y), state, y)
    >>> bool(loss(y) < 0.1 * before)
    True
    """

    learning_rate: float = 1e-3
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        real("learning_rate", self.learning_rate, least=0)
        _fraction("b1", self.b1)
        _fraction("b2", self.b2)
        real("eps", self.eps, above=0)

    def init(self, params: Any) -> AdamState:
        """Return the state before the first step."""
        with on_device_of_leaves(params):
            return AdamState(0, mapped(_zeros, params), mapped(lambda p: _zeros(_modulus(p)), params))

    def update(self, gradients: Any, state: AdamState, params: Any) -> tuple[Any, AdamState]:
        """Return the parameters and the state after one more step."""
        _check_alike(gradients, params)
        t = state.step + 1
        with on_device_of_leaves(params):
            mean = mapped(lambda m, g: _kept(m, self.b1 * m + (1 - self.b1) * asarray(g)), state.mean, gradients)
            square = mapped(
                lambda v, g: _kept(v, self.b2 * v + (1 - self.b2) * _modulus(g) ** 2), state.square, gradients
            )

            def stepped(p: ArrayLike, m: Array, v: Array) -> Array:
                size = namespace(v).sqrt(v / (1 - self.b2**t)) + self.eps
                return _kept(p, self._decayed(_parameter(p)) - (self.learning_rate / (1 - self.b1**t)) * m / size)

            return mapped(stepped, params, mean, square), AdamState(t, mean, square)

    def _decayed(self, p: Array) -> Array:
        return p


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam that draws parameters towards 0: p <- (1 - learning_rate weight_decay) p before each step.

    The parameters are those of `Adam`, and `weight_decay`, at least 0 (Loshchilov and Hutter, 2019).

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> adam = aa.optim.AdamW(learning_rate=0.1, weight_decay=0.5)
    >>> p = np.array([1.0])
    >>> p, state = adam.update(np.zeros(1), adam.init(p), p)
    >>> p
    array([0.95])
    """

    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        real("weight_decay", self.weight_decay, least=0)

    def _decayed(self, p: Array) -> Array:
        return (1 - self.learning_rate * self.weight_decay) * p


def clip_by_norm(gradients: Any, max_norm: float) -> Any:
    """Scale gradients down together so that their norm, the root of the sum of all |g|^2, is at most `max_norm`.

    Parameters
    ----------
    gradients : array, or nested dicts, lists and tuples of arrays
    max_norm : float
        Greater than 0.

    Returns
    -------
    the same structure, with the same directions

    Raises
    ------
    ParameterError
        If `max_norm` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> aa.optim.clip_by_norm([np.array([3.0]), np.array([4.0])], 1.0)
    [array([0.6]), array([0.8])]
    """
    limit = real("max_norm", max_norm, above=0)
    with on_device_of_leaves(gradients):
        parts = [moduli for moduli in map(_modulus, leaves(gradients)) if moduli.size]
        if not parts:
            return gradients
        xp = namespace(*parts)
        # Relative to the largest, because squares could leave the range of the dtype.
        peak = xp.max(xp.stack([xp.max(part) for part in parts]))
        unit = xp.where(peak > 0, peak, xp.ones_like(peak))
        norm = unit * xp.sqrt(sum(xp.sum((part / unit) ** 2) for part in parts))
        factor = xp.where(norm > limit, limit / xp.where(norm > limit, norm, xp.ones_like(norm)), xp.ones_like(norm))
        return mapped(lambda g: _kept(g, asarray(g) * factor), gradients)


def _fraction(name: str, value: float) -> None:
    if real(name, value, least=0) >= 1:
        raise ParameterError(f"{name}={value!r}: must be below 1")


def _parameter(p: ArrayLike) -> Array:
    array = asarray(p)
    if not dtype_name(array).startswith(("float", "complex")):
        raise ParameterError(f"parameter of dtype {dtype_name(array)}: must be floating point or complex")
    return array


def _zeros(p: ArrayLike) -> Array:
    array = _parameter(p)
    return namespace(array).zeros_like(array)


def _modulus(x: ArrayLike) -> Array:
    array = _parameter(x)
    return namespace(array).abs(array)


def _kept(old: ArrayLike, new: Array) -> Array:
    """Give a new value the dtype of the old one."""
    return cast(new, dtype_name(asarray(old)))


def _check_alike(gradients: Any, params: Any) -> None:
    shapes = [[asarray(leaf).shape for leaf in leaves(tree)] for tree in (gradients, params)]
    if shapes[0] != shapes[1]:
        raise ParameterError(f"gradients have shapes {shapes[0]}: must be {shapes[1]}, as the parameters are")
