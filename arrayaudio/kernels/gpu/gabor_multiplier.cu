// The STFT of a signal, multiplied bin by bin, and back, in one launch: spectra never leave shared memory.

#include "modified_bins.cuh"

// Frames lie within the signal, and without a gap behind the last. With `directions`, G multiplies X / |X|; `tables` is
// that of `synthesis`.
extern "C" __global__ void __launch_bounds__(THREADS, SHARING)
    gabor_multiplier(const REAL* __restrict__ y, const REAL* __restrict__ G, const REAL* __restrict__ window,
                     const REAL* __restrict__ tables, REAL* __restrict__ out, int n_items, int n_frames,
                     int hop, int length, int ring, int log_tile, int pitch, long long n_samples, int directions) {
    DYNAMIC_SHARED(REAL2, rows);
    const Runs runs = {n_frames, hop, length, ring, log_tile, pitch};
    const REAL2* const halves = (const REAL2*)tables;
    const REAL2* const factors = halves + N / 2 + 1;
    const int n_runs = runs.per_item();
    const long long n_covered = (n_frames - 1LL) * hop + 2 * N;
    for (int i = blockIdx.x; i < n_items * n_runs; i += gridDim.x) {
        const long long item = i / n_runs;
        const auto change = [&](REAL2 X, REAL factor) {
            if (directions) X = direction(X);
            X.x *= factor, X.y *= factor;
            return X;
        };
        const auto fill = [&](int frame, int n_here) {
            transform<RADICES>(rows, pitch, log_tile, Samples{y + item * n_samples}, n_samples, (long long)frame * hop, hop,
                               n_here, 0, (const REAL2*)window, factors);
            modify(rows, pitch, log_tile, halves, G + item * (N + 1) * n_frames + frame, n_frames, n_here, change);
        };
        const auto put = [&](long long sample, REAL sum) { out[item * n_covered + sample] = sum / (2 * N); };
        overlap_add(rows, runs, i % n_runs, (const REAL2*)window, factors, fill, put);
    }
}
