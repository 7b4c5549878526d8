"""Compile ahead of the first call."""

from typing import Any, Literal

import numpy as np

from arrayaudio.arrays import asarray, namespace
from arrayaudio.autodiff.gradients import vjp
from arrayaudio.checks import one_of
from arrayaudio.errors import ParameterError
from arrayaudio.transforms.base import Transform

__all__ = ["warmup"]

# Frames that reach every kernel: those at the edges, those inside, and whole tiles.
FRAMES = 64


def warmup(
    transform: Transform,
    *,
    dtype: Literal["float32", "float64"] = "float32",
    inverse: bool = False,
    gradient: bool = False,
) -> None:
    """Compile all that a transform needs, and build its windows, banks and kernels, so that the first call is fast.

    Kernels are compiled when they are first used, for each dtype, and kept on disk where there is a place for them; a
    service had better pay for that before it takes requests.

    Parameters
    ----------
    transform : Transform
        With the settings that will be used; its `device` says where to compile, by default for the CPU.
    dtype : {"float32", "float64"}
        That of the signals to come.
    inverse : bool
        Whether to warm up `transform.inverse` too, which not all transforms have.
    gradient : bool
        Whether to warm up gradients with respect to the signal too.

    Raises
    ------
    ParameterError
        If `transform` is none, or has no inverse and one is asked for.

    Examples
    --------
    >>> import arrayaudio as aa
    >>> mel = aa.MelSpectrogram(sr=16000, n_mels=80)
    >>> aa.warmup(mel)
    """
    if not isinstance(transform, Transform):
        raise ParameterError(f"transform={transform!r}: must be a transform, such as aa.STFT()")
    one_of("dtype", dtype, ("float32", "float64"))
    one_of("inverse", inverse, (True, False))
    one_of("gradient", gradient, (True, False))
    settings: Any = transform
    n_samples = settings.min_length + FRAMES * (settings.hop_length or 1)
    y = asarray(np.random.default_rng(0).uniform(-1, 1, n_samples).astype(dtype), device=transform.device)
    S = transform(y)
    if inverse:
        transform.inverse(S)
    if gradient:
        _, pullback = vjp(transform, y)
        pullback(namespace(S).zeros_like(S))
