// Segments of padded signals, `step` apart, from number `first` on: out[item, s, j]. Behind the padding there are
// zeros. Rows of the grid take segments, so that neighbouring threads read and write neighbouring samples without
// divisions.

#include "padding.cuh"

extern "C" __global__ void segments(const REAL* __restrict__ y, REAL* __restrict__ out, long long n_items,
                                    long long n_samples, long long n_segments, long long first, long long n_fft,
                                    long long step, long long padding, int mode) {
    for (long long row = blockIdx.y; row < n_items * n_segments; row += gridDim.y) {
        const long long item = row / n_segments, start = (first + row % n_segments) * step - padding;
        for (long long j = (long long)blockIdx.x * blockDim.x + threadIdx.x; j < n_fft;
             j += (long long)gridDim.x * blockDim.x) {
            const long long source = start + j < n_samples + padding ? source_index(start + j, n_samples, mode) : -1;
            out[row * n_fft + j] = source < 0 ? (REAL)0 : y[item * n_samples + source];
        }
    }
}
