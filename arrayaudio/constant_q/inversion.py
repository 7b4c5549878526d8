"""From constant-Q coefficients back to waveforms: least squares, since the kernels are no basis."""

import functools
import math

import numpy as np
import scipy.fft

from arrayaudio.arrays import Array, namespace
from arrayaudio.constant_q.bank import Bank
from arrayaudio.constant_q.projection import constant_q, constant_q_adjoint
from arrayaudio.constant_q.wavelets import Wavelets
from arrayaudio.constants import Constant
from arrayaudio.frames import Framing
from arrayaudio.least_squares import Operator, least_squares
from arrayaudio.unpadding import unpad

# Frequencies at which all kernels together weigh less than this part of the most are not raised further: where no
# kernel reaches, there is nothing to raise.
LEAST_WEIGHT = 0.05


def analysis(framing: Framing, bank: Bank) -> Operator:
    """The operator from signals to coefficients."""
    return lambda y: constant_q(y, framing, bank)


def synthesis(framing: Framing, bank: Bank, length: int) -> Operator:
    """The adjoint of `analysis` for signals of `length` samples, their padding included."""
    bare = Framing(framing.frame_length, framing.hop_length)

    def adjoint(C: Array) -> Array:
        padded = constant_q_adjoint(C, length + 2 * framing.padding, bare, bank)
        return unpad(padded, framing.padding, framing.pad_mode)

    return adjoint


@functools.lru_cache(maxsize=8)
def weights(wavelets: Wavelets, n_fft: int) -> Constant:
    """How much all kernels together weigh each bin of a real FFT, in power, from `LEAST_WEIGHT` to 1."""
    total, bins = np.zeros(n_fft // 2 + 1), np.arange(n_fft // 2 + 1) / n_fft
    for k in range(len(wavelets.lengths)):
        _, kernel = wavelets.kernel(k)
        points = 2 ** math.ceil(math.log2(4 * len(kernel)))
        power = np.abs(scipy.fft.fft(kernel, points)) ** 2
        total += np.interp(bins * points, np.arange(points // 2 + 1), power[: points // 2 + 1])
    return Constant(np.maximum(total / total.max(), LEAST_WEIGHT))


def preconditioner(wavelets: Wavelets, length: int) -> Operator:
    """A filter that undoes, roughly, what analysis and synthesis do to the spectrum of a signal."""
    n_fft = int(scipy.fft.next_fast_len(length + wavelets.width, real=True))

    def precondition(y: Array) -> Array:
        xp, weight = namespace(y), weights(wavelets, n_fft).like(y)
        return xp.fft.irfft(xp.fft.rfft(y, n=n_fft, axis=-1) / weight, n=n_fft, axis=-1)[..., :length]

    return precondition


def nearest(
    C: Array, framing: Framing, bank: Bank, length: int, n_iter: int, tolerance: float | None
) -> tuple[Array, Array]:
    """The waveform whose coefficients are nearest to `C`, and ||C - analysis(y)|| / ||C|| of each item."""
    return least_squares(
        analysis(framing, bank),
        synthesis(framing, bank, length),
        C,
        n_iter,
        tolerance,
        precondition=preconditioner(bank.wavelets, length),
    )
