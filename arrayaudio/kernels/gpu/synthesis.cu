// Spectra to waveform in one launch: inverse FFT, window and overlap-add. Spectra are read in runs along time.

#include "overlap_add.cuh"

// `tables` holds exp(-2 pi i k / n_fft) up to k = N / 2, and the factors between passes after them.
extern "C" __global__ void __launch_bounds__(THREADS, SHARING)
    synthesis(const REAL* __restrict__ spectra, const REAL* __restrict__ window, const REAL* __restrict__ tables,
              REAL* __restrict__ out, int n_items, int n_frames, int hop, int length, int ring,
              int log_tile, int pitch) {
    DYNAMIC_SHARED(REAL2, rows);
    const Runs runs = {n_frames, hop, length, ring, log_tile, pitch};
    const REAL2* const halves = (const REAL2*)tables;
    const REAL2* const factors = halves + N / 2 + 1;
    const int n_runs = runs.per_item();
    const long long n_covered = (n_frames - 1LL) * hop + 2 * N;
    for (int i = blockIdx.x; i < n_items * n_runs; i += gridDim.x) {
        const long long item = i / n_runs;
        const REAL2* const S = (const REAL2*)spectra + item * (N + 1) * n_frames;
        REAL* const here = out + item * n_covered;
        const auto fill = [&](int frame, int n_here) {
            for (int i = threadIdx.x; i < (N / 2 + 1) << log_tile; i += THREADS) {
                const int t = i & ((1 << log_tile) - 1), k = i >> log_tile;
                REAL2 X = {0, 0}, Y = {0, 0};
                if (t < n_here) X = S[(long long)k * n_frames + frame + t], Y = S[(N - k) * (long long)n_frames + frame + t];
                put_bins(rows + t * pitch, k, X, Y, halves[k]);
            }
        };
        const auto put = [&](long long sample, REAL sum) { here[sample] = sum / (2 * N); };
        overlap_add(rows, runs, i % n_runs, (const REAL2*)window, factors, fill, put);
    }
}
