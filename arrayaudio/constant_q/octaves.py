"""Constant-Q analysis by octaves: each bin at the lowest sampling rate that carries it (Schoerkhuber, Klapuri, 2010).

The padded signal is halved again and again, with filters of no delay, and kernels of the lower bins meet its thinned
form. This is fast, and approximate: kernels are thinned as they are, and the filters are not perfect.
"""

import dataclasses
import functools

import numpy as np

from arrayaudio.arrays import Array, namespace
from arrayaudio.constant_q.bank import Bank
from arrayaudio.constant_q.projection import constant_q
from arrayaudio.frames import Framing, lengthened, pad
from arrayaudio.resampling import resample

METHODS = {"2010": "1992", "2010v2": "1992v2"}
# A signal may be halved as long as a kernel, with this many bins of sr / length on the side of its middle, stays below
# this part of the new Nyquist frequency: with a Hann window the error is then under 5e-4 of the largest value.
MARGIN, PASSBAND = 8.0, 0.6


@functools.lru_cache(maxsize=16)
def levels(bank: Bank) -> tuple[tuple[int, Bank], ...]:
    """How often the signal is halved for each group of bins, and the bank of the group; from the lowest bins on."""
    wavelets, hop = bank.wavelets, bank.hop_length
    most = (hop & -hop).bit_length() - 1
    highest = np.array(wavelets.frequencies) + MARGIN * wavelets.sr / np.array(wavelets.lengths)
    times = np.floor(np.log2(PASSBAND * wavelets.sr / 2 / highest)).clip(0, most).astype(int)
    groups = []
    for level in sorted(set(times.tolist()), reverse=True):
        inside = np.flatnonzero(times == level)
        some = wavelets.bins(int(inside[0]), int(inside[-1]) + 1)
        small = dataclasses.replace(
            bank, wavelets=some.thinned(2**level), hop_length=hop // 2**level, method=METHODS[bank.method]
        )
        groups.append((level, small))
    return tuple(groups)


def by_octaves(y: Array, framing: Framing, bank: Bank) -> Array:
    """Coefficients of real signals: (..., n_samples) -> complex (..., n_bins, n_frames), nearly as by `constant_q`."""
    xp, n_frames, groups = namespace(y), framing.n_frames(y.shape[-1]), levels(bank)
    deepest, middle = 2 ** groups[0][0], framing.frame_length // 2
    # The middle of each frame must be a sample of the thinnest signal; no kernel is wider than its own at full rate
    # by more than a sample.
    before = -middle % deepest + deepest
    middle += before
    thinned = lengthened(
        pad(y, framing.padding, framing.pad_mode), before, 2 * middle + (n_frames - 1) * framing.hop_length
    )
    rows, level = [], 0
    for wanted, small in reversed(groups):
        for _ in range(wanted - level):
            thinned = resample(thinned, orig_sr=2.0, target_sr=1.0, check_finite=False)
        level, width = wanted, small.wavelets.width
        start = middle // 2**level - width // 2
        piece = thinned[..., start : start + (n_frames - 1) * small.hop_length + width]
        rows.append(constant_q(piece, Framing(width, small.hop_length), small))
    return xp.concat(rows[::-1], axis=-2)
