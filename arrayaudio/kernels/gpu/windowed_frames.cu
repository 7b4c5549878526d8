// Padded, windowed frames of a batch of signals: out[item, t, j] = window[j] * y[item, t * hop + j - padding].
// One thread a value, in strides of the grid; neighbouring threads read and write neighbouring samples.

// The sample that position p outside 0..n-1 repeats, or -1 for zero; the modes are numpy.pad's.
__device__ long long source_index(long long p, long long n, int mode) {
    enum { CONSTANT, EDGE, REFLECT, SYMMETRIC, WRAP };
    if (p >= 0 && p < n) return p;
    if (mode == CONSTANT) return -1;
    if (mode == EDGE) return p < 0 ? 0 : n - 1;
    long long turn = mode == REFLECT ? n - 1 : n;
    long long period = mode == WRAP ? n : 2 * (turn > 0 ? turn : 1);
    long long folded = p % period;
    if (folded < 0) folded += period;
    return folded < n ? folded : 2 * turn - folded - (mode == SYMMETRIC);
}

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
