// Resampling by a polyphase matrix: output p of frame t is the sum over k of y[t * down + k - lead] * matrix[k, p],
// with zeros around the signal, and the `up` outputs of all frames follow each other.
//
// A block keeps the samples of 8 * FRAMES frames in shared memory. Each of its warps takes 16 outputs at a time, whose
// taps from the first to the last that counts are rows of 16 in `weights`: those of group g are rows begins[g] to
// begins[g + 1], from tap first[g] on. A thread has FRAMES frames and 4 outputs, so that what it loads counts several
// times. Frames that the threads of a warp read at a time lie an odd number of samples apart, which fills the banks.

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
#endif

constexpr int LANES = 32, FRAME_LANES = 8, OUTPUTS = 4, WIDTH = 16;

extern "C" __global__ void __launch_bounds__(512)
    polyphase(const REAL* __restrict__ y, const REAL* __restrict__ weights, const int* __restrict__ begins,
              const int* __restrict__ first, REAL* __restrict__ out, long long n_items, long long n_samples,
              long long n_out, long long n_frames, int up, int down, int lead, int n_groups, int n_tile) {
    DYNAMIC_SHARED(REAL, samples);
    const int pitch = down | 1, t = threadIdx.x % FRAME_LANES, p = threadIdx.x % LANES / FRAME_LANES;
    const long long tiles = (n_frames + FRAME_LANES * FRAMES - 1) / (FRAME_LANES * FRAMES);
    for (long long i = blockIdx.x; i < n_items * tiles; i += gridDim.x) {
        const long long item = i / tiles, frame = i % tiles * (FRAME_LANES * FRAMES);
        for (int n = threadIdx.x; n < n_tile; n += blockDim.x) {
            const long long source = frame * down + n - lead;
            samples[n / down * pitch + n % down] =
                source >= 0 && source < n_samples ? y[item * n_samples + source] : (REAL)0;
        }
        __syncthreads();
        for (int group = threadIdx.x / LANES; group < n_groups; group += blockDim.x / LANES) {
            REAL sums[FRAMES][OUTPUTS] = {};
            const REAL* w = weights + (long long)begins[group] * WIDTH + p;
            int row = first[group] / down, column = first[group] % down;
            for (int left = begins[group + 1] - begins[group]; left > 0; ++row, column = 0) {
                const REAL* const here = samples + (t + row) * pitch + column;
                const int run = min(left, down - column);
#pragma unroll 4
                for (int k = 0; k < run; ++k) {
                    REAL values[FRAMES];
#pragma unroll
                    for (int f = 0; f < FRAMES; ++f) values[f] = here[k + f * FRAME_LANES * pitch];
#pragma unroll
                    for (int q = 0; q < OUTPUTS; ++q) {
                        const REAL weight = w[k * WIDTH + q * (WIDTH / OUTPUTS)];
#pragma unroll
                        for (int f = 0; f < FRAMES; ++f) sums[f][q] += weight * values[f];
                    }
                }
                left -= run, w += run * WIDTH;
            }
#pragma unroll
            for (int f = 0; f < FRAMES; ++f) {
#pragma unroll
                for (int q = 0; q < OUTPUTS; ++q) {
                    const int output = group * WIDTH + p + q * (WIDTH / OUTPUTS);
                    const long long place = (frame + t + f * FRAME_LANES) * up + output;
                    if (output < up && place < n_out) out[item * n_out + place] = sums[f][q];
                }
            }
        }
        __syncthreads();  // before the samples are replaced
    }
}
