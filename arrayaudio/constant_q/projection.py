"""Signals x constant-Q kernels -> coefficients, and the adjoint of this."""

from typing import Any

from arrayaudio.arrays import Array, contiguous, namespace
from arrayaudio.constant_q.bank import Bank, Spectra
from arrayaudio.constant_q.compression import Compressed
from arrayaudio.constant_q.rows import Rows
from arrayaudio.frames import INDEX_MODES, Framing, frame, lengthened, overlap_add, pad
from arrayaudio.primitive import primitive, pullback_of
from arrayaudio.unpadding import unpad

# Samples of frames that are gathered at a time.
BLOCK = 2**22


@primitive
def constant_q(y: Array, framing: Framing, bank: Bank) -> Array:
    """Inner products of real signals with kernels around the middle of each frame.

    (..., n_samples) -> complex (..., n_bins, n_frames). Frames have the width of the bank.
    """
    xp, n_frames = namespace(y), framing.n_frames(y.shape[-1])
    ready, padded = bank.like(y), pad(y, framing.padding, framing.pad_mode)
    rows = _recombined(padded, ready.compressed, framing.hop_length, n_frames)
    if ready.n_spectral:
        rows.append(_analysed(padded, ready.spectra, framing, n_frames))
    rows += [_framed(padded, group, framing.hop_length, n_frames) for group in ready.rows]
    return contiguous(xp.concat(rows, axis=-2))


def by_rows(y: Array, framing: Framing, groups: list[Rows]) -> Array:
    """The same with kernels on frames alone, whatever they hold: what learned kernels take."""
    padded, n_frames = pad(y, framing.padding, framing.pad_mode), framing.n_frames(y.shape[-1])
    parts = [_framed(padded, group, framing.hop_length, n_frames) for group in groups]
    return namespace(*parts).concat(parts, axis=-2)


def _framed(padded: Array, group: Rows, hop: int, n_frames: int) -> Array:
    """Frames of the signal times the matrix of a group, some at a time: (..., n_bins, n_frames)."""
    xp = namespace(padded)
    step, blocks = max(1, BLOCK // group.width), []
    for first in range(0, n_frames, step):
        start = group.start + first * hop
        stop = start + (min(step, n_frames - first) - 1) * hop + group.width
        frames = frame(padded[..., start:stop], group.width, hop)
        parts = namespace(frames, group.matrix).matmul(group.matrix, xp.matrix_transpose(frames))
        blocks.append(parts[..., 0::2, :] + 1j * parts[..., 1::2, :])
    return xp.concat(blocks, axis=-1)


def _recombined(padded: Array, kernels: Compressed, hop: int, n_frames: int) -> list[Array]:
    """Blocks of the signal times shapes, and frames of that times the matrices: (..., n_bins, n_frames) each."""
    if not kernels.groups:
        return []
    xp, batch, length = namespace(padded), padded.shape[:-1], kernels.shapes.shape[1]
    per_hop = hop // length
    n_blocks = (n_frames - 1) * per_hop + kernels.n_blocks
    blocks = xp.reshape(lengthened(padded, 0, n_blocks * length), (*batch, n_blocks, length))
    values = xp.matmul(blocks, xp.matrix_transpose(kernels.shapes))
    return [
        _framed(xp.reshape(values[..., :n], (*batch, n_blocks * n)), rows, per_hop * n, n_frames)
        for n, rows in kernels.groups
    ]


def _analysed(padded: Array, kernels: Spectra, framing: Framing, n_frames: int) -> Array:
    """Spectra of segments times those of kernels, folded to the rate of the frames: (..., n_bins, n_frames)."""
    xp, period = namespace(padded), kernels.period
    step, n_segments = kernels.n_frames * framing.hop_length, -(-n_frames // kernels.n_frames)
    whole = lengthened(padded, 0, (n_segments - 1) * step + kernels.n_fft)
    (first, stop), rows = kernels.span, []
    X = _around(xp.fft.rfft(frame(whole, kernels.n_fft, step), axis=-1), kernels.n_fft, first, stop)
    for start, values in kernels.pieces:
        product = X[..., start - first : start - first + values.shape[0]] * values
        rows.append(folded(product, start, period))
    responses = xp.fft.ifft(xp.stack(rows, axis=-3), axis=-1, norm="forward")[..., : kernels.n_frames]
    return xp.reshape(responses, (*padded.shape[:-1], len(rows), n_segments * kernels.n_frames))[..., :n_frames]


def folded(piece: Array, start: int, period: int) -> Array:
    """Add up the values, of a piece that begins at place `start`, whose places are `period` apart: (..., period)."""
    xp = namespace(piece)
    turns = -(-(start % period + piece.shape[-1]) // period)
    turned = lengthened(piece, start % period, turns * period)
    return xp.sum(xp.reshape(turned, (*piece.shape[:-1], turns, period)), axis=-2)


def unfolded(Z: Array, start: int, size: int) -> Array:
    """Adjoint of `folded`: `size` values from place `start` on of what goes round with the length of the last axis."""
    period = Z.shape[-1]
    turns = -(-(start % period + size) // period)
    return namespace(Z).concat([Z] * turns, axis=-1)[..., start % period :][..., :size]


def _around(X: Array, n_fft: int, first: int, stop: int) -> Array:
    """Continue half spectra to the FFT bins from `first` to before `stop`."""
    xp = namespace(X)
    end = n_fft - n_fft // 2
    below = xp.conj(xp.flip(X[..., 1 : 1 - first], axis=-1))
    above = xp.conj(xp.flip(X[..., min(n_fft - stop + 1, end) : end], axis=-1))
    return xp.concat([below, X, above], axis=-1)


@pullback_of(constant_q)
def _constant_q_pullback(y: Array, framing: Framing, bank: Bank) -> Any:
    if framing.pad_mode not in INDEX_MODES:
        return NotImplemented
    bare, length = Framing(framing.frame_length, framing.hop_length), y.shape[-1] + 2 * framing.padding

    def pull(g: Array) -> Array:
        return unpad(constant_q_adjoint(g, length, bare, bank), framing.padding, framing.pad_mode)

    return constant_q(y, framing, bank), pull


@primitive
def constant_q_adjoint(C: Array, n_samples: int, framing: Framing, bank: Bank) -> Array:
    """Adjoint of `constant_q` for signals of `n_samples` samples that are padded with zeros.

    Complex (..., n_bins, n_frames) -> real (..., n_samples): each kernel, times its coefficient, at its place.
    """
    ready, length, hop = bank.like(C), n_samples + 2 * framing.padding, framing.hop_length
    total, first = _uncombined(C, ready.compressed, hop, length), ready.n_long
    if ready.n_spectral:
        total = total + _synthesised(C[..., :first, :], ready.spectra, framing, length)
    for group in ready.rows:
        total = total + _unframed(C[..., first : first + group.n_bins, :], group, hop, length)
        first += group.n_bins
    return total[..., framing.padding : framing.padding + n_samples]


@pullback_of(constant_q_adjoint)
def _constant_q_adjoint_pullback(C: Array, n_samples: int, framing: Framing, bank: Bank) -> Any:
    bare, n_frames = Framing(framing.frame_length, framing.hop_length), C.shape[-1]

    def pull(g: Array) -> Array:
        padded = pad(g, framing.padding, "constant")
        return constant_q(lengthened(padded, 0, (n_frames - 1) * bare.hop_length + bare.frame_length), bare, bank)

    return constant_q_adjoint(C, n_samples, framing, bank), pull


def _unframed(C: Array, group: Rows, hop: int, length: int) -> Array:
    xp = namespace(C)
    parts = xp.stack([xp.real(C), xp.imag(C)], axis=-2)
    parts = xp.matrix_transpose(xp.reshape(parts, (*C.shape[:-2], 2 * group.n_bins, C.shape[-1])))
    step = max(1, BLOCK // group.width)
    total: Array = 0
    for first in range(0, C.shape[-1], step):
        some = parts[..., first : min(first + step, C.shape[-1]), :]
        frames = xp.matmul(some, group.matrix)
        total = total + lengthened(overlap_add(frames, hop), group.start + first * hop, length)
    return total


def _uncombined(C: Array, kernels: Compressed, hop: int, length: int) -> Array:
    if not kernels.groups:
        return 0
    xp, batch, (n_shapes, block) = namespace(C), C.shape[:-2], kernels.shapes.shape
    n_blocks = (C.shape[-1] - 1) * (hop // block) + kernels.n_blocks
    values: Array = 0
    first = 0
    for n, rows in kernels.groups:
        flat = _unframed(C[..., first : first + rows.n_bins, :], rows, hop // block * n, n_blocks * n)
        values = values + lengthened(xp.reshape(flat, (*batch, n_blocks, n)), 0, n_shapes)
        first += rows.n_bins
    return lengthened(xp.reshape(xp.matmul(values, kernels.shapes), (*batch, n_blocks * block)), 0, length)


def _synthesised(C: Array, kernels: Spectra, framing: Framing, length: int) -> Array:
    xp, period, n_fft = namespace(C), kernels.period, kernels.n_fft
    step, n_segments = kernels.n_frames * framing.hop_length, -(-C.shape[-1] // kernels.n_frames)
    whole = lengthened(C, 0, n_segments * kernels.n_frames)
    responses = xp.reshape(whole, (*C.shape[:-1], n_segments, kernels.n_frames))
    Z = xp.fft.fft(lengthened(responses, 0, period), axis=-1)
    first, stop = kernels.span
    X: Array = 0
    for k, (start, values) in enumerate(kernels.pieces):
        turned = unfolded(Z[..., k, :, :], start, values.shape[0])
        X = X + lengthened(turned * xp.conj(values), start - first, stop - first)
    # Bins go round: what lies below 0 belongs at the end.
    if first:
        X = lengthened(X[..., -first:], 0, n_fft) + lengthened(X[..., :-first], n_fft + first, n_fft)
    else:
        X = lengthened(X, 0, n_fft)
    segments = xp.real(xp.fft.ifft(X, axis=-1, norm="forward"))
    return lengthened(overlap_add(segments, step), 0, length)
