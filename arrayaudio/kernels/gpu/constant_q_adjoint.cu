// Adjoint of the kernel in constant_q.cu: half spectra whose inverse real FFT is the real part of that of the sums,
// over bins, of Z[segment, bin, j modulo `period`] times the conjugate spectrum of the kernel at FFT bin j. They are
// halves of what these sums hold at j and, conjugate, at -j.
//
// A thread takes TURNS FFT bins of the same place r in the period, and SEGMENTS segments: all of them need the same
// values of Z. Neighbouring threads, with the next r, load the next values; warps of a block share their r.

#include "complex.cuh"

constexpr int LANES = 32, TURNS = 4, SEGMENTS = 4, TURNS_OF_BLOCK = 8 * TURNS, THREADS = 8 * LANES;

// The place, from the first one on, of FFT bin start + i in a kernel, as bins go round.
__device__ __forceinline__ int round_place(int i, int n_fft) { return i < 0 ? i + n_fft : i >= n_fft ? i - n_fft : i; }

// The value at a place, or zero beyond a kernel's end, without branches.
__device__ __forceinline__ REAL2 value_at(const REAL2* __restrict__ kernel, int size, int place) {
    REAL2 value = kernel[place < size ? place : 0];
    value.x = place < size ? value.x : 0, value.y = place < size ? value.y : 0;
    return value;
}

extern "C" __global__ void __launch_bounds__(THREADS, sizeof(REAL) == 4 ? 2 : 1)
    constant_q_adjoint(const REAL2* __restrict__ Z, const REAL2* __restrict__ values,
                       const long long* __restrict__ offsets, const int* __restrict__ starts, REAL2* __restrict__ X,
                       long long n_segments, int n_bins, int n_fft, int period) {
    const int n_half = n_fft / 2 + 1, n_tiles = (period + LANES - 1) / LANES;
    const int n_groups = ((n_half + period - 1) / period + TURNS_OF_BLOCK - 1) / TURNS_OF_BLOCK;
    const long long n_blocks = (n_segments + SEGMENTS - 1) / SEGMENTS * n_groups * n_tiles;
    for (long long i = blockIdx.x; i < n_blocks; i += gridDim.x) {
        const int r = (int)(i % n_tiles) * LANES + threadIdx.x % LANES;
        const int turn = (int)(i / n_tiles % n_groups) * TURNS_OF_BLOCK + threadIdx.x / LANES * TURNS;
        const long long segment = i / n_tiles / n_groups * SEGMENTS;
        const long long first = (long long)turn * period + r;
        if (r >= period || first >= n_half) continue;

        const int j = (int)first, mirror = r ? period - r : 0;
        const REAL2* rows[SEGMENTS];
#pragma unroll
        for (int s = 0; s < SEGMENTS; ++s) rows[s] = Z + min(segment + s, n_segments - 1) * n_bins * period;
        REAL2 sums[SEGMENTS][TURNS] = {};
        for (int bin = 0; bin < n_bins; ++bin) {
            const REAL2* const kernel = values + offsets[bin];
            const int start = starts[bin], size = (int)(offsets[bin + 1] - offsets[bin]);
            REAL2 ahead[TURNS], behind[TURNS];
            bool reached = false;
#pragma unroll
            for (int q = 0; q < TURNS; ++q) {
                // Beyond half the spectrum, the first one once more.
                const int here = j + q * period < n_half ? j + q * period : j;
                const int forth = round_place(here - start, n_fft), back = round_place(-here - start, n_fft);
                reached = reached || forth < size || back < size;
                ahead[q] = value_at(kernel, size, forth), behind[q] = value_at(kernel, size, back);
                ahead[q].y = -ahead[q].y;
            }
            if (!reached) continue;
#pragma unroll
            for (int s = 0; s < SEGMENTS; ++s) {
                const REAL2 here = rows[s][bin * period + r];
                REAL2 opposite = rows[s][bin * period + mirror];
                opposite.y = -opposite.y;
#pragma unroll
                for (int q = 0; q < TURNS; ++q) {
                    add_product(sums[s][q], here, ahead[q]);
                    add_product(sums[s][q], opposite, behind[q]);
                }
            }
        }
#pragma unroll
        for (int s = 0; s < SEGMENTS; ++s) {
#pragma unroll
            for (int q = 0; q < TURNS; ++q) {
                const long long j = first + q * period;
                if (j >= n_half || segment + s >= n_segments) continue;
                sums[s][q].x *= (REAL)0.5, sums[s][q].y *= (REAL)0.5;
                X[(segment + s) * n_half + j] = sums[s][q];
            }
        }
    }
}
