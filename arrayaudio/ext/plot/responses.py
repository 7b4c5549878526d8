"""What the rows of a transform answer to each frequency, from the arrays that define it."""

from typing import Any, NamedTuple

import numpy as np

from arrayaudio.arrays import plain, to_numpy
from arrayaudio.autodiff.trees import mapped
from arrayaudio.constant_q.nonstationary import tiling
from arrayaudio.constant_q.rows import rows
from arrayaudio.errors import ParameterError
from arrayaudio.scales import fft_frequencies
from arrayaudio.transforms.cfp import CFP
from arrayaudio.transforms.chroma_cqt import ChromaCQT
from arrayaudio.transforms.cqt import ConstantQ
from arrayaudio.transforms.framed import FramedTransform
from arrayaudio.transforms.nsgt import NSGT

# Points of a response for each that the kernel itself would give.
FINER = 4
NSGT_LENGTH = 2**15


class Responses(NamedTuple):
    """Values (n_rows, n_points) at frequencies in Hz, what they are, and whether their axis is logarithmic."""

    hz: np.ndarray
    values: np.ndarray
    unit: str
    logarithmic: bool


def responses(transform: Any) -> Responses:
    """The response of each row over frequency, or ParameterError if rows are no filters."""
    if isinstance(transform, ChromaCQT):
        return Responses(transform.transform.frequencies, transform.bank.value, "weight", True)
    if isinstance(transform, NSGT):
        return _of_bands(transform)
    if isinstance(transform, FramedTransform) and not isinstance(transform, CFP):
        if transform._n_bands is not None:
            hz = fft_frequencies(sr=transform._known_sr(), n_fft=transform.n_fft)
            return Responses(hz, own_array(transform, "bank"), "weight", False)
    elif not isinstance(transform, ConstantQ):
        raise ParameterError(
            f"{type(transform).__name__}: its rows are no filters; those of STFT, bands, chroma and CQT are"
        )
    return of_kernels(kernels(transform), float(transform._known_sr()), isinstance(transform, ConstantQ))


def own_array(transform: Any, name: str) -> Any:
    """An array that defines a transform, given or its own, in NumPy."""
    held = transform._held
    return mapped(lambda x: to_numpy(plain(x)), held[name]) if name in held else transform._arrays[name]()


def kernels(transform: Any) -> np.ndarray:
    """The kernels that a transform multiplies frames with, (n_rows, width), complex, all in the middle of the frame.

    ParameterError if there are none.
    """
    if isinstance(transform, ConstantQ):
        given = "kernels" in transform._held
        matrices = (
            own_array(transform, "kernels")
            if given
            else [group.matrix for group in rows(transform.bank.wavelets, 0, "float64")]
        )
        width = max(matrix.shape[1] for matrix in matrices)
        padded = (np.pad(m, ((0, 0), ((width - m.shape[1]) // 2,) * 2)) for m in matrices)
        return np.concatenate([m[0::2] + 1j * m[1::2] for m in padded])
    if not isinstance(transform, FramedTransform) or isinstance(transform, CFP):
        raise ParameterError(
            f"{type(transform).__name__} has no kernels of its own: those that have are the STFT and what is built on "
            "it, CQT and VQT"
        )
    real, imaginary = own_array(transform, "basis")
    return real + 1j * imaginary


def of_kernels(kernels: np.ndarray, sr: float, logarithmic: bool) -> Responses:
    """Magnitudes of the responses to exponentials between 0 Hz and half the rate."""
    n_fft = FINER * 2 ** int(np.ceil(np.log2(kernels.shape[1])))
    values = np.empty((len(kernels), 1 + n_fft // 2), np.float32)
    for row, kernel in zip(values, kernels, strict=True):
        row[:] = np.abs(np.fft.fft(np.conj(kernel), n_fft))[: len(row)]
    return Responses(np.arange(values.shape[1]) * (sr / n_fft), values, "gain", logarithmic)


def _of_bands(transform: NSGT) -> Responses:
    tiles = tiling(tuple((transform.frequencies / transform.sr).tolist()), NSGT_LENGTH)
    values = np.zeros((len(tiles.starts), 1 + NSGT_LENGTH // 2))
    for row, start, window in zip(values, tiles.starts, tiles.windows, strict=True):
        row[start : start + len(window.value)] = window.value
    return Responses(np.arange(values.shape[1]) * (transform.sr / NSGT_LENGTH), values, "gain", True)
