// Running medians of SIZE values along lines of `n` values, which lie `step` apart; beyond their ends lines are
// mirrored. A block, which is a warp, takes CHUNK places of 32 lines: their values go to shared memory, then each
// thread goes down a line with the window, sorted, in its registers. In a step the oldest value leaves, and the newest
// sinks to its place. Medians take the places of the values that have left.

#include "padding.cuh"

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#endif

constexpr int LANES = 32, CHUNK = 128, LENGTH = CHUNK + SIZE - 1, PITCH = LANES + 1, SYMMETRIC = 3;

// Take one value equal to `leaving` out of the sorted window, and put `entering` in.
__device__ __forceinline__ void replace(REAL (&window)[SIZE], REAL leaving, REAL entering) {
#pragma unroll
    for (int j = 0; j < SIZE - 1; ++j) {
        const REAL value = window[j] < leaving ? window[j] : window[j + 1];
        window[j] = min(value, entering), entering = max(value, entering);
    }
    window[SIZE - 1] = entering;
}

extern "C" __global__ void __launch_bounds__(LANES)
    median_filter(const REAL* __restrict__ S, REAL* __restrict__ out, long long n_lines, long long n, long long step) {
    DYNAMIC_SHARED(REAL, values);
    const int lane = threadIdx.x;
    const long long chunks = (n + CHUNK - 1) / CHUNK, groups = (n_lines + LANES - 1) / LANES;
    for (long long i = blockIdx.x; i < groups * chunks; i += gridDim.x) {
        const long long first_line = i / chunks * LANES, first = i % chunks * CHUNK;
        const int lines = (int)min((long long)LANES, n_lines - first_line);
        const int count = (int)min((long long)CHUNK, n - first);
        const int length = count + SIZE - 1;
        // Where lines begin: those next to each other in memory, one for each thread, or one behind the other.
        const long long own = first_line + lane, side_by_side = own / step * (n * step) + own % step;
        // Neighbouring threads read neighbouring values of memory: along a line, or those of different lines.
        for (int k = lane; k < LENGTH * LANES; k += LANES) {
            const int line = step == 1 ? k / LENGTH : lane, place = step == 1 ? k % LENGTH : k / LANES;
            if (line >= lines || place >= length) continue;
            const long long start = step == 1 ? (first_line + line) * n : side_by_side;
            values[place * PITCH + line] = S[start + source_index(first + place - SIZE / 2, n, SYMMETRIC) * step];
        }
        __syncthreads();
        if (lane < lines) {
            const REAL endless = 1 / (REAL)0;
            REAL window[SIZE], leaving = endless;
#pragma unroll
            for (int j = 0; j < SIZE; ++j) window[j] = endless;
            for (int k = 0; k < length; ++k) {
                replace(window, leaving, values[k * PITCH + lane]);
                if (k < SIZE - 1) continue;
                REAL& oldest = values[(k - SIZE + 1) * PITCH + lane];
                leaving = oldest, oldest = window[SIZE / 2];
            }
        }
        __syncthreads();
        for (int k = lane; k < CHUNK * LANES; k += LANES) {
            const int line = step == 1 ? k / CHUNK : lane, place = step == 1 ? k % CHUNK : k / LANES;
            if (line >= lines || place >= count) continue;
            const long long start = step == 1 ? (first_line + line) * n : side_by_side;
            out[start + (first + place) * step] = values[place * PITCH + line];
        }
        __syncthreads();  // before the values are replaced
    }
}
