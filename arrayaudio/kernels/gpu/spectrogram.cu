// Waveform to final feature in one launch: framing, window, FFT, detector, filterbank and logarithm, with nothing in
// between in global memory. A block takes tiles of some consecutive frames of one item, so that it writes rows of
// (freq, time) in runs along time.
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

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#endif

constexpr int THREADS = 256;
enum Detector { SPECTRUM, MAGNITUDE, POWER };

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

// Where a point lies in its row.
__device__ __forceinline__ int place_of_point(int p) { return p / STEP * BLOCK + p % STEP; }

template <int length, int radix, int... rest>
__device__ __forceinline__ int place_of_bin(int k) {
    constexpr int step = length / radix;
    int place = k % radix * (length == N ? BLOCK : step);
    if constexpr (sizeof...(rest) > 0) place += place_of_bin<step, rest...>(k / radix);
    return place;
}

struct Level {
    bool wanted;
    REAL floor, factor, lowest;
    __device__ __forceinline__ REAL of(REAL value) const {
        if (!wanted) return value;
        return value <= floor ? lowest : factor * log(value);
    }
};

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
    for (int i = threadIdx.x; i < (N / radix) << log_tile; i += THREADS) {
        const int t = i & ((1 << log_tile) - 1), u = i >> log_tile, butterfly_ = u / DIGITS, j = butterfly_ % step;
        REAL2* const points = rows + t * pitch + u % DIGITS * BLOCK + butterfly_ / step * length + j;
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

// The first pass, with the window before it. Points come from the rows, or from a signal whose frames all begin at
// multiples of two samples in memory, or at any.
enum Source { ROWS, PAIRS, SAMPLES };

template <Source source, int radix>
__device__ __forceinline__ void first_pass(REAL2* rows, int pitch, int log_tile, const REAL* __restrict__ y,
                                           long long hop, const REAL2* __restrict__ window,
                                           const REAL2* __restrict__ factors) {
    for (int i = threadIdx.x; i < STEP << log_tile; i += THREADS) {
        const int t = i / STEP, j = i % STEP;
        REAL2* const points = rows + t * pitch + j;
        REAL2 x[radix];
#pragma unroll
        for (int q = 0; q < radix; ++q) {
            const REAL* const pair = y + t * hop + 2 * (j + q * STEP);
            if (source == ROWS) x[q] = points[q * BLOCK];
            else if (source == PAIRS) x[q] = *(const REAL2*)pair;
            else x[q].x = pair[0], x[q].y = pair[1];
            x[q].x *= window[j + q * STEP].x, x[q].y *= window[j + q * STEP].y;
        }
        butterfly<radix>(x);
        turn<N, radix>(x, j, factors);
#pragma unroll
        for (int q = 0; q < radix; ++q) points[q * BLOCK] = x[q];
    }
}

// Windows frames and does all passes. Frames that reach beyond the signal are put together in the rows first, with all
// of their tile; frames after the last are zero. All others are read from the signal as they are needed.
template <int radix, int... rest>
__device__ __forceinline__ void transform(REAL2* rows, int pitch, int log_tile, const REAL* __restrict__ y,
                                          long long n_samples, long long start, long long hop, int n_here, int mode,
                                          const REAL2* __restrict__ window, const REAL2* __restrict__ factors) {
    const int tile = 1 << log_tile;
    if (n_here < tile || start < 0 || start + (tile - 1) * hop + 2 * N > n_samples) {
        for (int i = threadIdx.x; i < (2 * N) << log_tile; i += THREADS) {
            const int t = i / (2 * N), s = i % (2 * N);
            const long long source = t < n_here ? source_index(start + t * hop + s, n_samples, mode) : -1;
            REAL* const row = (REAL*)(rows + t * pitch);
            row[2 * place_of_point(s / 2) + s % 2] = source < 0 ? (REAL)0 : y[source];
        }
        __syncthreads();
        first_pass<ROWS, radix>(rows, pitch, log_tile, y, hop, window, factors);
    } else if (hop % 2 == 0 && (size_t)(y + start) % sizeof(REAL2) == 0) {
        first_pass<PAIRS, radix>(rows, pitch, log_tile, y + start, hop, window, factors);
    } else {
        first_pass<SAMPLES, radix>(rows, pitch, log_tile, y + start, hop, window, factors);
    }
    __syncthreads();
    if constexpr (sizeof...(rest) > 0) passes<STEP, rest...>(rows, pitch, log_tile, factors);
}

__device__ __forceinline__ REAL detected(REAL2 X, int detector) {
    const REAL power = X.x * X.x + X.y * X.y;
    return detector == MAGNITUDE ? sqrt(power) : power;
}

// Bins k and N - k of half the transform make those of the whole: the even samples' spectrum +- that of the odd ones.
// Without bands they go to the result, from `out` on; with bands their values take the places where the points were.
__device__ __forceinline__ void split(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ halves,
                                      int detector, bool banded, Level level, REAL* out, long long n_frames,
                                      int n_here) {
    for (int i = threadIdx.x; i < (N / 2 + 1) << log_tile; i += THREADS) {
        const int t = i & ((1 << log_tile) - 1), k = i >> log_tile, mirror = N - k;
        REAL2* const a = rows + t * pitch + place_of_bin<N, RADICES>(k);
        REAL2* const b = rows + t * pitch + place_of_bin<N, RADICES>(k ? mirror : 0);
        const REAL2 one = *a, other = *b;
        REAL2 even, odd, X, Y;
        even.x = (REAL)0.5 * (one.x + other.x), even.y = (REAL)0.5 * (one.y - other.y);
        odd.x = (REAL)0.5 * (one.y + other.y), odd.y = (REAL)0.5 * (other.x - one.x);
        odd = product(odd, halves[k]);
        X.x = even.x + odd.x, X.y = even.y + odd.y, Y.x = even.x - odd.x, Y.y = odd.y - even.y;
        if (banded) {
            a->x = detected(X, detector);
            if (k == 0) a->y = detected(Y, detector);
            else if (k < mirror) b->x = detected(Y, detector);
        } else if (t < n_here && detector == SPECTRUM) {
            ((REAL2*)out)[k * n_frames + t] = X;
            if (k < mirror) ((REAL2*)out)[mirror * n_frames + t] = Y;
        } else if (t < n_here) {
            out[k * n_frames + t] = level.of(detected(X, detector));
            if (k < mirror) out[mirror * n_frames + t] = level.of(detected(Y, detector));
        }
    }
}

// Four bands at a time have taps first[group] to first[group + 1], an even number of them: pairs of a weight and, in
// the bits of the second number, where in a row the value lies. Neighbouring threads read neighbouring taps.
__device__ __forceinline__ void gather(const REAL2* rows, int pitch, int log_tile, int n_bands,
                                       const int* __restrict__ first, const REAL2* __restrict__ taps, Level level,
                                       REAL* out, long long n_frames, int n_here) {
    for (int i = threadIdx.x; i < n_bands << log_tile; i += THREADS) {
        const int t = i & ((1 << log_tile) - 1), band = i >> log_tile, end = first[band / 4 + 1];
        if (t >= n_here) continue;
        const REAL* const values = (const REAL*)(rows + t * pitch);
        REAL sums[2] = {0, 0};  // as each addition waits for the one before
        for (int k = first[band / 4]; k < end; k += 2) {
#pragma unroll
            for (int part = 0; part < 2; ++part) {
                const REAL2 tap = taps[4 * (k + part) + band % 4];
                int place;
                memcpy(&place, &tap.y, sizeof place);
                sums[part] += tap.x * values[place];
            }
        }
        out[band * n_frames + t] = level.of(sums[0] + sums[1]);
    }
}

// Blocks that share a multiprocessor by their registers: as many as these suffice for, but for a few bytes.
#define SHARING (sizeof(REAL) == 8 ? 1 : DIGITS > 16 || __CUDA_ARCH__ >= 1000 ? 2 : 3)

// `tables` holds exp(-2 pi i k / n_fft) up to k = N / 2, and the factors between passes after them. Without bands,
// n_bands is 0.
extern "C" __global__ void __launch_bounds__(THREADS, SHARING)
    spectrogram(const REAL* __restrict__ y, const REAL* __restrict__ window, const REAL* __restrict__ tables,
                const int* __restrict__ first, const REAL* __restrict__ taps, REAL* out, long long n_items, long long n_samples, long long n_frames, long long hop,
                long long padding, int mode, int detector, int n_bands, int has_levels, REAL floor, REAL factor, REAL lowest,
                int log_tile, int pitch) {
    DYNAMIC_SHARED(REAL2, rows);
    const Level level = {has_levels != 0, floor, factor, lowest};
    const REAL2* const halves = (const REAL2*)tables;
    const REAL2* const factors = halves + N / 2 + 1;
    const long long n_rows = n_bands ? n_bands : N + 1;
    const long long tiles = (n_frames + (1 << log_tile) - 1) >> log_tile;
    for (long long i = blockIdx.x; i < n_items * tiles; i += gridDim.x) {
        const long long item = i / tiles, frame = (i % tiles) << log_tile;
        const int n_here = (int)min(n_frames - frame, 1LL << log_tile);
        REAL* const here = out + (item * n_rows * n_frames + frame) * (detector == SPECTRUM ? 2 : 1);
        transform<RADICES>(rows, pitch, log_tile, y + item * n_samples, n_samples, frame * hop - padding, hop, n_here,
                           mode, (const REAL2*)window, factors);
        split(rows, pitch, log_tile, halves, detector, n_bands > 0, level, here, n_frames, n_here);
        if (n_bands > 0) {
            __syncthreads();
            gather(rows, pitch, log_tile, n_bands, first, (const REAL2*)taps, level, here, n_frames, n_here);
        }
        __syncthreads();  // before the rows are used again
    }
}
