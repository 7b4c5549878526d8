"""Constant-Q coefficients: tiles of frames through matrices and segments through the FFT, shared among threads."""

import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.fft

from arrayaudio.kernels.cpu.jit import jit, summing_jit
from arrayaudio.kernels.cpu.threads import num_threads, run
from arrayaudio.kernels.cpu.vectors import aligned, widest_vectors

# Samples of a tile, which stay in a core's second-level cache, and frames of a tile, at least.
TILE_SAMPLES, SHORTEST_TILE = 2**17, 64
# Products that are added up at a time.
BLOCK = 512


@jit
def fold(X, n_fft, values, offsets, starts, out):  # type: ignore[no-untyped-def]
    """Multiply a half spectrum by kernel spectra, one behind the other in `values`, and fold it into (n_bins, period).

    Kernel k takes values[offsets[k] : offsets[k + 1]] and FFT bins from starts[k] on, which go round; the spectrum of
    a real signal holds n_fft // 2 + 1 of them.
    """
    n_half, period = X.shape[0], out.shape[1]
    for k in range(out.shape[0]):
        row = out[k]
        for i in range(period):
            row[i] = 0
        j = starts[k]
        done = offsets[k]
        while done < offsets[k + 1]:
            # A run neither turns in the period nor leaves the half of the spectrum that it is in.
            place = j % period
            run_length = min(offsets[k + 1] - done, period - place)
            if j < 0:
                run_length = min(run_length, -j)
            elif j < n_half:
                run_length = min(run_length, n_half - j)
            target = row[place : place + run_length]
            kernel = values[done : done + run_length]
            if 0 <= j < n_half:
                spectrum = X[j : j + run_length]
                for i in range(target.size):
                    target[i] += spectrum[i] * kernel[i]
            else:
                mirror = -j if j < 0 else n_fft - j
                for i in range(target.size):
                    target[i] += X[mirror - i].conjugate() * kernel[i]
            done += run_length
            j += run_length


@summing_jit
def correlate(y, matrix, spans, hop, out):  # type: ignore[no-untyped-def]
    """Inner products of frames, `hop` apart, with the rows of a matrix, real and imaginary in turn: (n_bins, n_frames).

    Rows of bin k are zero outside of columns spans[k, 0] : spans[k, 1]. Four frames and two bins at a time share what
    they load into the registers; the last ones are repeated where fewer are left. Sums are added up block by block,
    which keeps rounding errors from growing with their length.
    """
    widest_vectors()
    last_bin, last, zero = out.shape[0] - 1, out.shape[1] - 1, y.dtype.type(0)
    for t in range(0, last + 1, 4):
        t1, t2, t3 = min(t + 1, last), min(t + 2, last), min(t + 3, last)
        for k in range(0, last_bin + 1, 2):
            j = min(k + 1, last_bin)
            c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = complex(zero, zero)
            first, stop = min(spans[k, 0], spans[j, 0]), max(spans[k, 1], spans[j, 1])
            for start in range(first, stop, BLOCK):
                size = min(BLOCK, stop - start)
                c_re, c_im = matrix[2 * k, start : start + size], matrix[2 * k + 1, start : start + size]
                d_re, d_im = matrix[2 * j, start : start + size], matrix[2 * j + 1, start : start + size]
                y0, y1 = y[t * hop + start :][:size], y[t1 * hop + start :][:size]
                y2, y3 = y[t2 * hop + start :][:size], y[t3 * hop + start :][:size]
                cr0 = cr1 = cr2 = cr3 = ci0 = ci1 = ci2 = ci3 = zero
                dr0 = dr1 = dr2 = dr3 = di0 = di1 = di2 = di3 = zero
                for n in range(size):
                    cr0 += y0[n] * c_re[n]
                    cr1 += y1[n] * c_re[n]
                    cr2 += y2[n] * c_re[n]
                    cr3 += y3[n] * c_re[n]
                    ci0 += y0[n] * c_im[n]
                    ci1 += y1[n] * c_im[n]
                    ci2 += y2[n] * c_im[n]
                    ci3 += y3[n] * c_im[n]
                    dr0 += y0[n] * d_re[n]
                    dr1 += y1[n] * d_re[n]
                    dr2 += y2[n] * d_re[n]
                    dr3 += y3[n] * d_re[n]
                    di0 += y0[n] * d_im[n]
                    di1 += y1[n] * d_im[n]
                    di2 += y2[n] * d_im[n]
                    di3 += y3[n] * d_im[n]
                c0 += complex(cr0, ci0)
                c1 += complex(cr1, ci1)
                c2 += complex(cr2, ci2)
                c3 += complex(cr3, ci3)
                d0 += complex(dr0, di0)
                d1 += complex(dr1, di1)
                d2 += complex(dr2, di2)
                d3 += complex(dr3, di3)
            out[k, t], out[k, t1], out[k, t2], out[k, t3] = c0, c1, c2, c3
            out[j, t], out[j, t1], out[j, t2], out[j, t3] = d0, d1, d2, d3


def piece(y: np.ndarray, edges: tuple[np.ndarray, np.ndarray], start: int, stop: int) -> np.ndarray:
    """Samples from `start` to before `stop` of a signal that is padded by its samples at `edges`, or zeros at -1.

    Behind the padding there are zeros.
    """
    out, place = aligned((stop - start,), y.dtype), 0
    for index in (edges[0], None, edges[1]):
        size = len(y) if index is None else len(index)
        first, last = max(start, place), min(stop, place + size)
        if first < last:
            values = (
                y[first - place : last - place] if index is None else _repeated(y, index[first - place : last - place])
            )
            out[first - start : last - start] = values
        place += size
    out[max(0, place - start) :] = 0
    return out


def _repeated(y: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.where(index < 0, y.dtype.type(0), y[index])


@summing_jit
def products(y, shapes, table, spans, values, hop, blocks, pairs, some, out):  # type: ignore[no-untyped-def]
    """Inner products of frames with packed kernels, compressed or not: (n_bins, n_frames)."""
    widest_vectors()
    (n_blocks, n_shapes), length = blocks.shape, shapes.shape[1]
    if n_shapes:
        # Shapes, too, are taken in pairs.
        whole = np.empty((n_shapes // 2, 2), np.int64)
        whole[:, 0], whole[:, 1] = 0, length
        correlate(y, shapes, whole, length, pairs[:, : n_shapes // 2].T)
    first = 0
    for row in range(table.shape[0]):
        n, start, width, place, n_bins = table[row]
        matrix = values[place : place + 2 * n_bins * width].reshape(2 * n_bins, width)
        found, inside = out[first : first + n_bins], spans[first : first + n_bins]
        if n:
            for i in range(n_blocks):
                some[i * n : i * n + n] = blocks[i, :n]
            correlate(some[start:], matrix, inside, hop // length * n, found)
        else:
            correlate(y[start:], matrix, inside, hop, found)
        first += n_bins


class Packed:
    """Compressed kernels and rows of matrices one behind the other in `values`, so that one call takes them all."""

    def __init__(self, shapes: np.ndarray, groups: Iterable[tuple[int, Any]], values: np.ndarray) -> None:
        self.shapes, self.values = shapes, values
        self.n_bins = self.n_blocks = self.reach = 0
        table, spans, place = [], [np.zeros((0, 2), np.int64)], 0
        for n, rows in groups:
            table.append((n, rows.start, rows.width, place, rows.n_bins))
            spans.append(rows.spans)
            values[place : place + rows.matrix.size] = rows.matrix.reshape(-1)
            place += rows.matrix.size
            self.n_bins += rows.n_bins
            end = rows.start + rows.width
            self.n_blocks = max(self.n_blocks, end // n if n else 0)
            self.reach = max(self.reach, end // n * shapes.shape[1] if n else end)
        self.table, self.spans = np.array(table, np.int64).reshape(-1, 5), np.concatenate(spans)

    def scratch(self, n_frames: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
        """Memory for the inner products of blocks with shapes, and for some of them."""
        n_shapes, length = self.shapes.shape
        n_blocks = (n_frames - 1) * (hop // length) + self.n_blocks if n_shapes else 0
        blocks = aligned((n_blocks, n_shapes), self.values.dtype)
        return blocks, aligned((blocks.size,), self.values.dtype)


@functools.lru_cache(maxsize=8)
def _packed(ready: Any) -> Packed:
    kernels = ready.compressed
    size = ready.n_values + sum(rows.matrix.size for _, rows in kernels.groups)
    groups = itertools.chain(kernels.groups, ((0, rows) for rows in ready.made_rows()))
    return Packed(kernels.shapes, groups, aligned((size,), kernels.shapes.dtype))


def packed(ready: Any) -> Iterator[Packed]:
    """The kernels of a bank that do not go through the spectrum, all at once if they may be kept."""
    kernels = ready.compressed
    if ready.is_kept:
        made = _packed(ready)
        yield from [made] if made.n_bins else []
        return
    for group in kernels.groups:
        yield Packed(kernels.shapes, [group], group[1].matrix.reshape(-1))
    for rows in ready.made_rows():
        yield Packed(kernels.shapes[:0], [(0, rows)], rows.matrix.reshape(-1))


def tile_length(n_items: int, n_frames: int, hop: int) -> int:
    """How many frames a task takes: as many as the cache holds, but enough tasks for all threads."""
    shared = -(-n_items * n_frames // (2 * num_threads()))
    n_tiles = -(-n_frames // max(SHORTEST_TILE, min(TILE_SAMPLES // hop, shared)))
    return -(-n_frames // n_tiles)


def constant_q(y: np.ndarray, framing: Any, bank: Any) -> Any:
    """Coefficients (..., n_bins, n_frames) of (..., n_samples), or decline padding with computed values."""
    n_frames, edges = framing.n_frames(y.shape[-1]), framing.edge_indices(y.shape[-1])
    if edges is None:
        return NotImplemented
    signals, ready, hop = y.reshape(-1, y.shape[-1]), bank.like(y), framing.hop_length
    n_bins, complex_type = len(bank.wavelets.lengths), np.result_type(y.dtype, np.complex64)
    out = np.empty((len(signals), n_bins, n_frames), dtype=complex_type)

    def segment(item: int, first: int) -> None:
        X = scipy.fft.rfft(piece(signals[item], edges, first * hop, first * hop + spectra.n_fft))
        folded = np.empty((ready.n_spectral, spectra.period), dtype=out.dtype)
        fold(X, spectra.n_fft, spectra.values, offsets, starts, folded)
        responses = scipy.fft.ifft(folded, axis=-1, norm="forward", overwrite_x=True)
        result = out[item, : ready.n_spectral, first : first + spectra.n_frames]
        result[...] = responses[:, : result.shape[1]]

    def tile(item: int, first: int) -> None:
        result = out[item, first_bin : first_bin + some.n_bins, first : first + length]
        y = piece(signals[item], edges, first * hop, (first + result.shape[1] - 1) * hop + some.reach)
        blocks, scratch = some.scratch(result.shape[1], hop)
        kernels = some.shapes, some.table, some.spans, some.values
        products(y, *kernels, hop, blocks, blocks.view(out.dtype), scratch, result)

    spectra = ready.spectra
    if ready.n_spectral:
        offsets, starts, step = np.array(spectra.offsets), np.array(spectra.starts), spectra.n_frames
        run(lambda place: segment(*place), [(item, t) for item in range(len(out)) for t in range(0, n_frames, step)])
    length, first_bin = tile_length(len(out), n_frames, hop), ready.n_spectral
    for some in packed(ready):
        run(lambda place: tile(*place), [(item, t) for item in range(len(out)) for t in range(0, n_frames, length)])
        first_bin += some.n_bins
    return out.reshape(*y.shape[:-1], n_bins, n_frames)
