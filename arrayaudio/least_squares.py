"""Linear least squares for operators that are given as functions: the way back from transforms without a formula."""

import functools
from collections.abc import Callable

import numpy as np

from arrayaudio.arrays import Array, contiguous, dtype_name, namespace
from arrayaudio.autodiff.namespace import Var

Operator = Callable[[Array], Array]


def energy(S: Array) -> Array:
    """Sum of the squared magnitudes of each item, its last two axes."""
    xp = namespace(S)
    values = xp.reshape(S, (*S.shape[:-2], S.shape[-2] * S.shape[-1]))
    if dtype_name(S).startswith("complex"):
        re, im = xp.real(values), xp.imag(values)
        return xp.sum(re * re + im * im, axis=-1)
    return xp.sum(values * values, axis=-1)


def ratio(numerator: Array, denominator: Array) -> Array:
    """Quotient of values that are not negative, 0 where the denominator is 0."""
    xp = namespace(numerator)
    usable = denominator > 0
    quotient = numerator / xp.where(usable, denominator, xp.ones_like(denominator))
    return xp.where(usable, quotient, xp.zeros_like(quotient))


def least_squares(
    forward: Operator,
    adjoint: Operator,
    target: Array,
    n_iter: int,
    tolerance: float | None,
    *,
    precondition: Operator | None = None,
) -> tuple[Array, Array]:
    """Find the signals y that minimise ||A y - target||, by conjugate gradients on the normal equations.

    This is CGLS (Hestenes and Stiefel, 1952; Björck, 1996, section 7.4), begun at zero, so that of several solutions it
    finds the smallest. Every item of a batch takes its own steps and rests once it is solved; no item depends on
    another.

    Parameters
    ----------
    forward : function
        The operator A from real signals (..., n) to real or complex coefficients (..., freq, time), linear over the
        real numbers and acting on each item alone.
    adjoint : function
        Its exact adjoint A*, from coefficients to real signals: Re <A y, S> = <y, A* S>.
    target : array, shape (..., freq, time)
        Coefficients; their dtype is that of the computation.
    n_iter : int
        Iterations at most; each applies A and A* once.
    tolerance : float or None
        An item is solved when the gradient A* (target - A y) has fallen to this part of its first length, or a step
        changes A y by no more than rounding. None takes this as 0 and never asks a device whether all are solved, so
        that all iterations run. With a number, the gradient with respect to the target is that of the solution, found
        by as many iterations of another search; with None, it goes back through the iterations.
    precondition : function, optional
        A symmetric, positive approximation of the inverse of A* A, from signals to signals. The gradient is then
        measured in its norm, and so is which of several solutions is the smallest.

    Returns
    -------
    y : array, shape (..., n)
    residual : array, shape (...)
        ||target - A y|| / ||target|| of each item, computed from y; 0 for silence.
    """
    target = contiguous(target)  # as sums over other strides round in another way, and the search goes on from there
    y = solution(forward, adjoint, target, n_iter, tolerance, precondition)
    xp, unit = namespace(target), _peak(target, axis=(-2, -1))[..., None, None]
    distance = energy(target / unit - forward(y / unit[..., 0]))
    return y, xp.sqrt(ratio(distance, energy(target / unit)))


def _peak(x: Array, axis: int | tuple[int, ...]) -> Array:
    """The largest magnitude, 1 for silence: squares of very small or large values would leave the range of float32."""
    xp = namespace(x)
    peak = xp.max(xp.abs(x), axis=axis)
    return xp.where(peak > 0, peak, xp.ones_like(peak))


def solution(
    forward: Operator,
    adjoint: Operator,
    target: Array,
    n_iter: int,
    tolerance: float | None,
    precondition: Operator | None,
) -> Array:
    """The signals that `least_squares` finds, on the tape as it says."""
    if tolerance is None or not isinstance(target, Var):
        return _search(forward, adjoint, target, n_iter, tolerance, precondition)
    found = _search(forward, adjoint, target.value, n_iter, tolerance, precondition)
    pull = functools.partial(_search_back, forward, adjoint, n_iter, tolerance, precondition)
    return Var(found, [(target.node, pull)])


def _search(
    forward: Operator,
    adjoint: Operator,
    target: Array,
    n_iter: int,
    tolerance: float | None,
    precondition: Operator | None,
) -> Array:
    """Conjugate gradients for the signals."""
    xp, peak = namespace(target), _peak(target, axis=(-2, -1))
    rest = target / peak[..., None, None]
    rounding = float(np.finfo(dtype_name(target)).eps) ** 2 * energy(rest)

    gradient = adjoint(rest)
    direction = gradient if precondition is None else precondition(gradient)
    slope = first = xp.sum(gradient * direction, axis=-1)
    y, done = xp.zeros_like(gradient), slope <= 0
    for _ in range(n_iter):
        if tolerance is not None and bool(xp.all(done)):
            break
        change = forward(direction)
        step = xp.where(done, xp.zeros_like(slope), ratio(slope, energy(change)))
        y = y + step[..., None] * direction
        rest = rest - step[..., None, None] * change
        gradient = adjoint(rest)
        ahead = gradient if precondition is None else precondition(gradient)
        last, slope = slope, xp.sum(gradient * ahead, axis=-1)
        # A step shortens the squared residual by `step * last`.
        solved = xp.logical_or(step * last <= rounding, slope <= (tolerance or 0.0) ** 2 * first)
        done = xp.logical_or(done, solved)
        momentum = xp.where(done, xp.zeros_like(slope), ratio(slope, last))
        direction = ahead + momentum[..., None] * direction
    return y * peak[..., None]


def _search_back(
    forward: Operator,
    adjoint: Operator,
    n_iter: int,
    tolerance: float,
    precondition: Operator | None,
    gradient: Array,
) -> Array:
    """Gradient with respect to the target, from that with respect to the solution y = P A* (A P A*)^+ target.

    It is the solution c of A P A* c = A P gradient, P being the preconditioner, by conjugate gradients.
    """
    xp, peak = namespace(gradient), _peak(gradient, axis=-1)

    def analysed(y: Array) -> Array:
        return forward(y if precondition is None else precondition(y))

    rest = direction = analysed(gradient / peak[..., None])
    slope = first = energy(rest)
    found, done = xp.zeros_like(rest), slope <= 0
    for _ in range(n_iter):
        if bool(xp.all(done)):
            break
        back = adjoint(direction)
        ahead = back if precondition is None else precondition(back)
        step = xp.where(done, xp.zeros_like(slope), ratio(slope, xp.sum(back * ahead, axis=-1)))
        found = found + step[..., None, None] * direction
        rest = rest - step[..., None, None] * forward(ahead)
        last, slope = slope, energy(rest)
        done = xp.logical_or(done, slope <= tolerance**2 * first)
        momentum = xp.where(done, xp.zeros_like(slope), ratio(slope, last))
        direction = rest + momentum[..., None, None] * direction
    return found * peak[..., None, None]
