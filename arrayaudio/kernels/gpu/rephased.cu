// A step of Griffin and Lim in one launch, from two waveforms to the next: the signal that goes on from both, its STFT,
// the magnitudes of S, and the way back. Spectra never leave shared memory.

#include "modified_bins.cuh"

// y + momentum (y - previous).
struct Ahead {
    static constexpr int ARRAYS = 2;
    const REAL *y, *previous;
    long long first;
    REAL momentum;
    __device__ __forceinline__ REAL of(REAL y, REAL previous) const { return y + momentum * (y - previous); }
    __device__ __forceinline__ REAL at(long long p) const { return of(y[first + p], previous[first + p]); }
    __device__ __forceinline__ REAL2 pair(long long p) const {
        REAL2 here = Samples{y}.pair(first + p), before = Samples{previous}.pair(first + p);
        here.x = of(here.x, before.x), here.y = of(here.y, before.y);
        return here;
    }
    __device__ __forceinline__ bool paired(long long p) const {
        return Samples{y}.paired(first + p) && Samples{previous}.paired(first + p);
    }
};

// `gain` is the factor of each sample after the inverse FFTs; `tables` is that of `synthesis`.
extern "C" __global__ void __launch_bounds__(THREADS, SHARING)
    rephased(const REAL* __restrict__ y, const REAL* __restrict__ previous, const REAL* __restrict__ S,
             const REAL* __restrict__ gain, const REAL* __restrict__ window, const REAL* __restrict__ tables,
             REAL* __restrict__ out, int n_items, int n_frames, int hop, int length, int ring, int log_tile,
             int pitch, long long n_samples, long long padding, int mode, REAL momentum) {
    DYNAMIC_SHARED(REAL2, rows);
    const Runs runs = {n_frames, hop, length, ring, log_tile, pitch};
    const REAL2* const halves = (const REAL2*)tables;
    const REAL2* const factors = halves + N / 2 + 1;
    const int n_runs = runs.per_item();
    for (int i = blockIdx.x; i < n_items * n_runs; i += gridDim.x) {
        const int item = i / n_runs;
 const long long first = item * n_samples;
        const Ahead ahead = {y, previous, first, momentum};
        const auto change = [](REAL2 X, REAL size) {
            X = direction(X);
            const bool known = X.x * X.x + X.y * X.y > (REAL)0.5;  // else its phase is 0
            X.x = known ? size * X.x : size, X.y = known ? size * X.y : (REAL)0;
            return X;
        };
        const auto fill = [&](int frame, int n_here) {
            transform<RADICES>(rows, pitch, log_tile, ahead, n_samples, (long long)frame * hop - padding, hop, n_here, mode,
                               (const REAL2*)window, factors);
            modify(rows, pitch, log_tile, halves, S + (long long)item * (N + 1) * n_frames + frame, n_frames, n_here, change);
        };
        const auto put = [&](long long sample, REAL sum) {
            const long long p = sample - padding;
            if (p >= 0 && p < n_samples) out[first + p] = sum / (2 * N) * gain[p];
        };
        overlap_add(rows, runs, i % n_runs, (const REAL2*)window, factors, fill, put);
    }
}
