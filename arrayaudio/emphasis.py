"""Raising the treble of a waveform, and lowering it again."""

from arrayaudio.arrays import Array, ArrayLike, namespace, on_device_of
from arrayaudio.checks import real
from arrayaudio.errors import ParameterError
from arrayaudio.recursion import one_pole
from arrayaudio.signals import as_signal, require_finite

__all__ = ["deemphasis", "preemphasis"]


def _checked(y: ArrayLike, coef: float, check_finite: bool) -> tuple[Array, float]:
    signal, weight = as_signal(y), real("coef", coef, least=-1)
    if weight > 1:
        raise ParameterError(f"coef={coef!r}: must be at most 1, or the inverse filter grows without bound")
    if signal.shape[-1] < 2:
        raise ParameterError("signal has 1 sample: must have at least 2, which tell what came before them")
    if check_finite:
        require_finite(signal)
    return signal, weight


def preemphasis(y: ArrayLike, *, coef: float = 0.97, check_finite: bool = True) -> Array:
    """Raise high frequencies: out[t] = y[t] - coef y[t - 1].

    The first output, before which there is no sample, is 3 y[0] - y[1], as in librosa.

    Parameters
    ----------
    y : array, shape (..., n_samples)
        Signal of at least two samples.
    coef : float
        Weight of the sample before, from -1 to 1.
    check_finite : bool
        Whether to search for NaN and infinite samples.

    Returns
    -------
    array of the same shape

    Raises
    ------
    ParameterError
        If `coef` is out of range or the signal is too short.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.preemphasis([1.0, 1.0, 3.0], coef=0.5)
    array([2. , 0.5, 2.5])
    """
    signal, weight = _checked(y, coef, check_finite)
    with on_device_of(signal):
        first = 3 * signal[..., :1] - signal[..., 1:2]
        return namespace(signal).concat([first, signal[..., 1:] - weight * signal[..., :-1]], axis=-1)


def deemphasis(y: ArrayLike, *, coef: float = 0.97, check_finite: bool = True) -> Array:
    """Lower high frequencies again: out[t] = y[t] + coef out[t - 1], the inverse of `preemphasis`.

    The first output is (y[0] + y[1]) / (3 - coef), the sample that `preemphasis` started from. Parameters and errors
    are those of `preemphasis`.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> aa.deemphasis(aa.preemphasis([1.0, 1.0, 3.0], coef=0.5), coef=0.5)
    array([1., 1., 3.])
    """
    signal, weight = _checked(y, coef, check_finite)
    with on_device_of(signal):
        first = (signal[..., :1] + signal[..., 1:2]) / (3 - weight)
        return one_pole(namespace(signal).concat([first, signal[..., 1:]], axis=-1), weight)
