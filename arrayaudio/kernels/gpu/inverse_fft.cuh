// The way back from spectra to real frames: the passes of the way forth, transposed and in reverse order. Bins that lie
// where the way forth leaves them come back to points in natural order, so that nothing is ever sorted.
//
// Going back is going forth with real and imaginary parts in each other's place: so bins are put into the rows
// (put_bins), and as points leave the last pass, their parts change places again.

#include "real_fft.cuh"

// Puts bins X and Y, k and N - k of a whole spectrum, into a row as twice those of half the transform: the sum and the
// difference of both are the spectra of the even and, turned by exp(-2 pi i k / n_fft), the odd samples. The imaginary
// parts of 0 Hz and half the rate, which real frames do not have, count as zero.
__device__ __forceinline__ void put_bins(REAL2* row, int k, REAL2 X, REAL2 Y, REAL2 turned) {
    if (k == 0) X.y = Y.y = 0;
    REAL2 even, difference, odd, one, other;
    even.x = X.x + Y.x, even.y = X.y - Y.y;
    difference.x = X.x - Y.x, difference.y = X.y + Y.y;
    odd.x = difference.x * turned.x + difference.y * turned.y, odd.y = difference.y * turned.x - difference.x * turned.y;
    one.x = even.y + odd.x, one.y = even.x - odd.y;
    other.x = odd.x - even.y, other.y = even.x + odd.y;
    row[place_of_bin<N, RADICES>(k)] = one;
    row[place_of_bin<N, RADICES>(k ? N - k : 0)] = other;
}

// All passes but the last, in sub-transforms of `length` points, the shortest first.
template <int length, int radix, int... rest>
__device__ __forceinline__ void passes_back(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ factors) {
    constexpr int step = length / radix;
    if constexpr (sizeof...(rest) > 0) passes_back<step, rest...>(rows, pitch, log_tile, factors);
    for (int i = threadIdx.x; i < (N / radix) << log_tile; i += THREADS) {
        const int t = i & ((1 << log_tile) - 1), u = i >> log_tile, butterfly_ = u / DIGITS, j = butterfly_ % step;
        REAL2* const points = rows + t * pitch + u % DIGITS * BLOCK + butterfly_ / step * length + j;
        REAL2 x[radix];
#pragma unroll
        for (int q = 0; q < radix; ++q) x[q] = points[q * step];
        turn<length, radix>(x, j, factors);
        butterfly<radix>(x);
#pragma unroll
        for (int q = 0; q < radix; ++q) points[q * step] = x[q];
    }
    __syncthreads();
}

// Takes rows of bins to n_fft times the windowed samples.
template <int radix, int... rest>
__device__ __forceinline__ void transform_back(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ window,
                                               const REAL2* __restrict__ factors) {
    if constexpr (sizeof...(rest) > 0) passes_back<STEP, rest...>(rows, pitch, log_tile, factors);
    for (int i = threadIdx.x; i < STEP << log_tile; i += THREADS) {
        const int t = i / STEP, j = i % STEP;
        REAL2* const points = rows + t * pitch + j;
        REAL2 x[radix];
#pragma unroll
        for (int q = 0; q < radix; ++q) x[q] = points[q * BLOCK];
        turn<N, radix>(x, j, factors);
        butterfly<radix>(x);
#pragma unroll
        for (int q = 0; q < radix; ++q) {
            REAL2 samples;
            samples.x = x[q].y * window[j + q * STEP].x, samples.y = x[q].x * window[j + q * STEP].y;
            points[q * BLOCK] = samples;
        }
    }
    __syncthreads();
}
