// Spectra of segments times kernel spectra, folded: out[segment, bin, r] is the sum, over FFT bins j = r modulo
// `period`, of X[segment, j] times the spectrum of kernel `bin`, which is values[offsets[bin] : offsets[bin + 1]] from
// FFT bin starts[bin] on. FFT bins go round; X holds those from 0 to n_fft / 2, and the others are their mirror images.
//
// A thread sums BINS kernels and SEGMENTS segments for one r, so that each value that is loaded counts several times,
// and neighbouring threads, with the next r, load the next values. Warps of a block take neighbouring kernels and
// segments: what they load, too, is largely the same.

#include "complex.cuh"

constexpr int LANES = 32, BINS = 4, SEGMENTS = 4;
constexpr int BINS_OF_BLOCK = 4 * BINS, SEGMENTS_OF_BLOCK = 2 * SEGMENTS, THREADS = 8 * LANES;

// Adds up, for FFT bins `j`, `period` apart up to before `stop`, what lies at place origin + direction j of spectra.
template <int direction>
__device__ __forceinline__ void add_bins(REAL2 (&sums)[SEGMENTS][BINS], int& j, int stop, int origin, int period,
                                         const REAL2* const (&spectra)[SEGMENTS], const REAL2* const (&kernels)[BINS],
                                         const int (&begins)[BINS], const int (&sizes)[BINS]) {
    for (; j < stop; j += period) {
        REAL2 x[SEGMENTS];
#pragma unroll
        for (int s = 0; s < SEGMENTS; ++s) {
            x[s] = spectra[s][origin + direction * j];
            if (direction < 0) x[s].y = -x[s].y;
        }
#pragma unroll
        for (int b = 0; b < BINS; ++b) {
            // Without branches, as all kernels of a thread reach about as far.
            const bool inside = (unsigned)(j - begins[b]) < (unsigned)sizes[b];
            REAL2 value = kernels[b][inside ? j - begins[b] : 0];
            value.x = inside ? value.x : 0, value.y = inside ? value.y : 0;
#pragma unroll
            for (int s = 0; s < SEGMENTS; ++s) add_product(sums[s][b], x[s], value);
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, sizeof(REAL) == 4 ? 2 : 1)
    constant_q(const REAL2* __restrict__ X, const REAL2* __restrict__ values, const long long* __restrict__ offsets,
               const int* __restrict__ starts, REAL2* __restrict__ out, long long n_segments, int n_bins, int n_fft,
               int period) {
    const int n_half = n_fft / 2 + 1, warp = threadIdx.x / LANES;
    const int n_tiles = (period + LANES - 1) / LANES, n_groups = (n_bins + BINS_OF_BLOCK - 1) / BINS_OF_BLOCK;
    const long long n_blocks = (n_segments + SEGMENTS_OF_BLOCK - 1) / SEGMENTS_OF_BLOCK * n_groups * n_tiles;
    for (long long i = blockIdx.x; i < n_blocks; i += gridDim.x) {
        const int r = (int)(i % n_tiles) * LANES + threadIdx.x % LANES;
        const int bin = (int)(i / n_tiles % n_groups) * BINS_OF_BLOCK + warp % 4 * BINS;
        const long long segment = i / n_tiles / n_groups * SEGMENTS_OF_BLOCK + warp / 4 * SEGMENTS;
        if (r >= period || bin >= n_bins || segment >= n_segments) continue;

        // Kernels and segments that are not there are the last ones once more.
        const REAL2 *kernels[BINS], *spectra[SEGMENTS];
        int begins[BINS], sizes[BINS], start = n_fft, stop = -n_fft;
#pragma unroll
        for (int b = 0; b < BINS; ++b) {
            const int k = min(bin + b, n_bins - 1);
            kernels[b] = values + offsets[k];
            begins[b] = starts[k], sizes[b] = (int)(offsets[k + 1] - offsets[k]);
            start = min(start, begins[b]), stop = max(stop, begins[b] + sizes[b]);
        }
#pragma unroll
        for (int s = 0; s < SEGMENTS; ++s) spectra[s] = X + min(segment + s, n_segments - 1) * n_half;

        REAL2 sums[SEGMENTS][BINS] = {};
        const int past = (r - start) % period;
        int j = start + (past < 0 ? past + period : past);
        add_bins<-1>(sums, j, min(stop, 0), 0, period, spectra, kernels, begins, sizes);
        add_bins<1>(sums, j, min(stop, n_half), 0, period, spectra, kernels, begins, sizes);
        add_bins<-1>(sums, j, stop, n_fft, period, spectra, kernels, begins, sizes);
#pragma unroll
        for (int s = 0; s < SEGMENTS; ++s) {
#pragma unroll
            for (int b = 0; b < BINS; ++b) {
                if (segment + s < n_segments && bin + b < n_bins) {
                    out[((segment + s) * n_bins + bin + b) * period + r] = sums[s][b];
                }
            }
        }
    }
}
