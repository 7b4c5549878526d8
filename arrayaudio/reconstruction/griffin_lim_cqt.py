"""Waveforms from constant-Q magnitudes alone."""

from typing import Any

from arrayaudio.arrays import Array, ArrayLike, namespace
from arrayaudio.checks import real, seed_of, whole
from arrayaudio.constant_q.inversion import analysis, preconditioner, synthesis
from arrayaudio.errors import ParameterError
from arrayaudio.least_squares import energy, ratio
from arrayaudio.parts import in_parts
from arrayaudio.plan_inverse import checked_length
from arrayaudio.reconstruction.griffin_lim import initial_phases, of_each_item, unit
from arrayaudio.spectrum import as_energies
from arrayaudio.transforms.cqt import CQT

__all__ = ["griffinlim_cqt"]


def griffinlim_cqt(
    C: ArrayLike,
    *,
    n_iter: int = 32,
    length: int | None = None,
    momentum: float = 0.99,
    init: ArrayLike | None = "random",
    seed: int | None = None,
    **settings: Any,
) -> Array:
    """Find a waveform whose constant-Q transform has the magnitudes `C`, by the fast Griffin-Lim algorithm.

    Where the original goes back from magnitudes and phases by the inverse transform, this takes one preconditioned
    gradient step towards them, as long as brings it nearest: one transform and one adjoint for each iteration
    (Griffin and Lim, 1984; momentum as of Perraudin, Balazs and Sondergaard, 2013).

    Parameters
    ----------
    C : array, shape (..., n_bins, n_frames)
        Magnitudes, not powers.
    n_iter : int
        Iterations.
    length : int, optional
        Samples to return, which must give as many frames; by default as many as lie between the centres of the first
        and the last frame.
    momentum : float
        How far to go on in the direction of the last change; 0 is the original algorithm, above 1 it may diverge.
    init : "random", None or array
        Initial phases: random ones, zeros, or those of an array in radians or of complex coefficients, of the shape
        of `C` or of one item.
    seed : int, optional
        For random phases: the same seed gives the same phases to every item, on every library and device.
    **settings
        sr, hop_length, fmin and the others, as given to `cqt`; n_bins is that of `C`.

    Returns
    -------
    array, shape (..., length)

    Raises
    ------
    ParameterError
        If `C` has negative or infinite values, or a shape or the length does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import arrayaudio as aa
    >>> options = {"sr": 8000, "fmin": 110.0, "hop_length": 64}
    >>> C = aa.cqt(np.sin(np.arange(8000) / 4), n_bins=48, output="magnitude", **options)
    >>> y = aa.griffinlim_cqt(C, length=8000, seed=0, **options)
    >>> error = aa.cqt(y, n_bins=48, output="magnitude", **options) - C
    >>> bool(np.linalg.norm(error) < 0.2 * np.linalg.norm(C))
    True
    """
    S = as_energies(C)
    transform = CQT(**{"n_bins": S.shape[-2], **settings})
    seed_of(seed)
    n_iter, momentum = whole("n_iter", n_iter, least=0), real("momentum", momentum, least=0)
    wanted = None if length is None else whole("length", length, most=2**63 - 1)
    if S.shape[-2] != transform.n_bins or S.shape[-1] == 0:
        raise ParameterError(
            f"magnitudes have shape {S.shape}: must be (..., {transform.n_bins}, n_frames), with at least one frame"
        )
    framing, bank = transform.framing, transform.exact_bank
    n_samples = checked_length(S, framing, wanted)
    forward, adjoint = analysis(framing, bank), synthesis(framing, bank, n_samples)
    precondition = preconditioner(bank.wavelets, n_samples)

    def found(S: Array, init: Any = init) -> Array:
        xp = namespace(S)
        target = S * initial_phases(init, seed, S)
        X: Array = xp.zeros_like(target)
        y: Array = 0
        for _ in range(n_iter + 1):
            gradient = adjoint(target - X)
            step = precondition(gradient)
            change = forward(step)
            size = ratio(xp.sum(gradient * step, axis=-1), energy(change))
            last, X = X, X + size[..., None, None] * change
            y = y + size[..., None] * step
            target = S * unit(X + momentum * (X - last))
        return y

    return in_parts(found, S, *of_each_item(init, S), axes=2)
