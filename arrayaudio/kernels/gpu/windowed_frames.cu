// Padded, windowed frames of a batch of signals: out[item, t, j] = window[j] * y[item, t * hop + j - padding].
// One thread a value, in strides of the grid; neighbouring threads read and write neighbouring samples.

#include "padding.cuh"

extern "C" __global__ void windowed_frames(const REAL* __restrict__ y, const REAL* __restrict__ window,
                                           REAL* __restrict__ out, long long n_items, long long n_samples,
                                           long long n_frames, long long n_fft, long long hop, long long padding,
                                           int mode) {
    const long long total = n_items * n_frames * n_fft;
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < total; i += stride) {
        const long long j = i % n_fft, frame = i / n_fft;
        const long long t = frame % n_frames, item = frame / n_frames;
        const long long source = source_index(t * hop + j - padding, n_samples, mode);
        out[i] = window[j] * (source < 0 ? (REAL)0 : y[item * n_samples + source]);
    }
}
