// Waveform to final feature in one launch: framing, window, FFT, detector, filterbank and logarithm, with nothing in
// between in global memory. A block takes tiles of some consecutive frames of one item, so that it writes rows of
// (freq, time) in runs along time.

#include "real_fft.cuh"

enum Detector { SPECTRUM, MAGNITUDE, POWER };

struct Level {
    bool wanted;
    REAL floor, factor, lowest;
    __device__ __forceinline__ REAL of(REAL value) const {
        if (!wanted) return value;
        return value <= floor ? lowest : factor * log(value);
    }
};

__device__ __forceinline__ REAL detected(REAL2 X, bool root) {
    const REAL power = X.x * X.x + X.y * X.y;
    return root ? sqrt(power) : power;
}

// What becomes of bins: complex results, real ones, or values for bands in the places where the points were.
enum Target { SPECTRA, VALUES, POINTS };

// Results go to `out`. A thread stays with its frame, and goes from bin to bin by the same distances.
template <Target target>
__device__ __forceinline__ void split(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ halves,
                                      bool root, Level level, RESULT* out, long long n_frames, int n_here) {
    const int t = threadIdx.x & ((1 << log_tile) - 1), next = THREADS >> log_tile;
    const unsigned first = threadIdx.x >> log_tile;
    REAL2* const row = rows + t * pitch;
    if (target != POINTS && t >= n_here) return;
    constexpr int parts = target == SPECTRA ? 2 : 1;
    const long long step = next * n_frames * parts;
    RESULT *low = out + (first * n_frames + t) * parts, *high = out + ((N - first) * n_frames + t) * parts;
    for (unsigned k = first; k <= N / 2; k += next) {
        REAL2* const a = row + place_of_bin<N, RADICES>(k);
        REAL2* const b = row + place_of_bin<N, RADICES>(k ? N - k : 0);
        REAL2 X, Y;
        whole_bins(*a, *b, halves[k], X, Y);
        if (target == SPECTRA) {
            *(REAL2*)low = X;
            if (2 * k < N) *(REAL2*)high = Y;
        } else if (target == VALUES) {
            put(level.of(detected(X, root)), low);
            if (2 * k < N) put(level.of(detected(Y, root)), high);
        } else {
            a->x = detected(X, root);
            if (k == 0) a->y = detected(Y, root);
            else if (2 * k < N) b->x = detected(Y, root);
        }
        low += step, high -= step;
    }
}

// Four bands at a time have taps first[group] to first[group + 1], an even number of them: pairs of a weight and, in
// the bits of the second number, where in a row the value lies. Neighbouring threads read neighbouring taps.
__device__ __forceinline__ void gather(const REAL2* rows, int pitch, int log_tile, int n_bands,
                                       const int* __restrict__ first, const REAL2* __restrict__ taps, Level level,
                                       RESULT* out, long long n_frames, int n_here) {
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
        put(level.of(sums[0] + sums[1]), out + band * n_frames + t);
    }
}

// `tables` holds exp(-2 pi i k / n_fft) up to k = N / 2, and the factors between passes after them. Without bands,
// n_bands is 0.
extern "C" __global__ void __launch_bounds__(THREADS, SHARING)
    spectrogram(const SAMPLE* __restrict__ y, const REAL* __restrict__ window, const REAL* __restrict__ tables,
                const int* __restrict__ first, const REAL* __restrict__ taps, RESULT* out, long long n_items, long long n_samples, long long n_frames, long long hop,
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
        RESULT* const here = out + (item * n_rows * n_frames + frame) * (detector == SPECTRUM ? 2 : 1);
        transform<RADICES>(rows, pitch, log_tile, Samples{y + item * n_samples}, n_samples, frame * hop - padding, hop,
                           n_here, mode, (const REAL2*)window, factors);
        const bool root = detector == MAGNITUDE;
        if (detector == SPECTRUM) {
            split<SPECTRA>(rows, pitch, log_tile, halves, root, level, here, n_frames, n_here);
        } else if (n_bands == 0) {
            split<VALUES>(rows, pitch, log_tile, halves, root, level, here, n_frames, n_here);
        } else {
            split<POINTS>(rows, pitch, log_tile, halves, root, level, here, n_frames, n_here);
            __syncthreads();
            gather(rows, pitch, log_tile, n_bands, first, (const REAL2*)taps, level, here, n_frames, n_here);
        }
        __syncthreads();  // before the rows are used again
    }
}
