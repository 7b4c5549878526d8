// FFTs of real frames in shared memory.
//
// Two samples make a complex point. The N = n_fft / 2 points of a frame lie in a row of shared memory and pass through
// butterflies of the sizes RADICES, in place: after the last, bin k lies where its digits in these sizes say, the
// first one first (place_of_bin). Each pass is followed by the factors that the next one needs.
//
// Shared memory bounds it: each pass reads and writes all points, 8 bytes a thread. So that its banks are used evenly,
// the threads of a warp take neighbouring frames and, beyond these, neighbouring values of the first digit, and both
// lie at distances that fill the banks: blocks of a first digit are an odd number of points apart (BLOCK), and the
// host chooses that of rows. Only the first pass has neighbouring points in neighbouring threads, as global memory
// wants them.

#include "padding.cuh"
#include "samples.cuh"

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#endif

constexpr int THREADS = 256;

__device__ __forceinline__ REAL2 product(REAL2 a, REAL2 b) {
    REAL2 c;
    c.x = a.x * b.x - a.y * b.y, c.y = a.x * b.y + a.y * b.x;
    return c;
}

template <int first, int... rest>
struct Sizes {
    static constexpr int points = first * Sizes<rest...>::points;
};
template <int last>
struct Sizes<last> {
    static constexpr int points = last;
};

template <int first, int... rest>
struct First {
    static constexpr int size = first;
};

constexpr int N = Sizes<RADICES>::points, DIGITS = First<RADICES>::size;
constexpr int STEP = N / DIGITS, BLOCK = STEP | 1;

// Blocks that share a multiprocessor by their registers: as many as these suffice for. Where a compiler would spill, it
// is asked again for fewer.
#ifndef FEWER_BLOCKS
#define FEWER_BLOCKS 0
#endif
#define MOST_SHARING (sizeof(REAL) == 8 ? 1 : DIGITS > 16 || __CUDA_ARCH__ >= 1000 ? 2 : 3)
#define SHARING (MOST_SHARING > FEWER_BLOCKS ? MOST_SHARING - FEWER_BLOCKS : 1)

// Where a point lies in its row.
__device__ __forceinline__ int place_of_point(int p) { return p / STEP * BLOCK + p % STEP; }

template <int length, int radix, int... rest>
__device__ __forceinline__ int place_of_bin(unsigned k) {
    constexpr int step = length / radix;
    int place = k % radix * (length == N ? BLOCK : step);
    if constexpr (sizeof...(rest) > 0) place += place_of_bin<step, rest...>(k / radix);
    return place;
}

// Factors of all passes but the last follow each other, each kind for all butterflies.
template <int length, int radix>
__device__ __forceinline__ void turn(REAL2 (&x)[radix], int j, const REAL2* __restrict__ factors) {
    constexpr int step = length / radix;
    if constexpr (step > 1) {
#pragma unroll
        for (int q = 1; q < radix; ++q) x[q] = product(x[q], factors[N - length + (q - 1) * step + j]);
    }
}

// The passes after the first, in sub-transforms of `length` points.
template <int length, int radix, int... rest>
__device__ __forceinline__ void passes(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ factors) {
    constexpr int step = length / radix;
    for (unsigned i = threadIdx.x; i < (N / radix) << log_tile; i += THREADS) {
        const unsigned t = i & ((1 << log_tile) - 1), u = i >> log_tile, butterfly_ = u / DIGITS, j = butterfly_ % step;
        REAL2* const points = rows + (t * pitch + u % DIGITS * BLOCK + butterfly_ / step * length + j);
        REAL2 x[radix];
#pragma unroll
        for (int q = 0; q < radix; ++q) x[q] = points[q * step];
        butterfly<radix>(x);
        turn<length, radix>(x, j, factors);
#pragma unroll
        for (int q = 0; q < radix; ++q) points[q * step] = x[q];
    }
    __syncthreads();
    if constexpr (sizeof...(rest) > 0) passes<step, rest...>(rows, pitch, log_tile, factors);
}

// A signal in memory, as frames are loaded from it: one sample, or two from a place that suits both.
struct Samples {
    static constexpr int ARRAYS = 1;  // that a sample takes
    const SAMPLE* y;
    __device__ __forceinline__ REAL at(long long p) const { return value(y[p]); }
    __device__ __forceinline__ REAL2 pair(long long p) const {
        const Two<SAMPLE> both = *(const Two<SAMPLE>*)(y + p);
        REAL2 values;
        values.x = value(both.x), values.y = value(both.y);
        return values;
    }
    __device__ __forceinline__ bool paired(long long p) const { return (size_t)(y + p) % sizeof(Two<SAMPLE>) == 0; }
};

// The first pass, with the window before it. Points come from the rows, or from a signal whose frames all begin at
// multiples of two samples in memory, or at any.
enum Source { ROWS, PAIRS, SAMPLES };

template <Source source, int radix, class Signal>
__device__ __forceinline__ void first_pass(REAL2* rows, int pitch, int log_tile, Signal y, long long start,
                                           long long hop, const REAL2* __restrict__ window,
                                           const REAL2* __restrict__ factors) {
    for (int i = threadIdx.x; i < STEP << log_tile; i += THREADS) {
        const int t = i / STEP, j = i % STEP;
        REAL2* const points = rows + t * pitch + j;
        REAL2 x[radix];
#pragma unroll
        for (int q = 0; q < radix; ++q) {
            const long long p = start + t * hop + 2 * (j + q * STEP);
            if (source == ROWS) x[q] = points[q * BLOCK];
            else if (source == PAIRS) x[q] = y.pair(p);
            else x[q].x = y.at(p), x[q].y = y.at(p + 1);
            x[q].x *= window[j + q * STEP].x, x[q].y *= window[j + q * STEP].y;
        }
        butterfly<radix>(x);
        turn<N, radix>(x, j, factors);
#pragma unroll
        for (int q = 0; q < radix; ++q) points[q * BLOCK] = x[q];
    }
}

// Windows frames and does all passes. Frames that reach beyond the signal are put together in the rows first, with all
// of their tile, and so are those whose samples take more registers than there are; frames after the last are zero. All
// others are read from the signal as they are needed.
template <int radix, int... rest, class Signal>
__device__ __forceinline__ void transform(REAL2* rows, int pitch, int log_tile, Signal y, long long n_samples,
                                          long long start, long long hop, int n_here, int mode,
                                          const REAL2* __restrict__ window, const REAL2* __restrict__ factors) {
    const int tile = 1 << log_tile;
    constexpr bool direct = Signal::ARRAYS == 1 || radix < 12;
    if (!direct || n_here < tile || start < 0 || start + (tile - 1) * hop + 2 * N > n_samples) {
        for (int i = threadIdx.x; i < (2 * N) << log_tile; i += THREADS) {
            const int t = i / (2 * N), s = i % (2 * N);
            const long long source = t < n_here ? source_index(start + t * hop + s, n_samples, mode) : -1;
            REAL* const row = (REAL*)(rows + t * pitch);
            row[2 * place_of_point(s / 2) + s % 2] = source < 0 ? (REAL)0 : y.at(source);
        }
        __syncthreads();
        first_pass<ROWS, radix>(rows, pitch, log_tile, y, start, hop, window, factors);
    } else if (hop % 2 == 0 && y.paired(start)) {
        first_pass<PAIRS, radix>(rows, pitch, log_tile, y, start, hop, window, factors);
    } else {
        first_pass<SAMPLES, radix>(rows, pitch, log_tile, y, start, hop, window, factors);
    }
    __syncthreads();
    if constexpr (sizeof...(rest) > 0) passes<STEP, rest...>(rows, pitch, log_tile, factors);
}

// Bins k and N - k of half the transform make X and Y, those of the whole: the even samples' spectrum +- that of the
// odd ones, which is turned by exp(-2 pi i k / n_fft).
__device__ __forceinline__ void whole_bins(REAL2 one, REAL2 other, REAL2 turned, REAL2& X, REAL2& Y) {
    REAL2 even, odd;
    even.x = (REAL)0.5 * (one.x + other.x), even.y = (REAL)0.5 * (one.y - other.y);
    odd.x = (REAL)0.5 * (one.y + other.y), odd.y = (REAL)0.5 * (other.x - one.x);
    odd = product(odd, turned);
    X.x = even.x + odd.x, X.y = even.y + odd.y, Y.x = even.x - odd.x, Y.y = odd.y - even.y;
}
