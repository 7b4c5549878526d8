// Weighted sums of rows: out[item, i, t] = sum over k of weights[i, k] S[item, k, t]. A thread takes COLUMNS columns
// and ROWS sums of each, which stay in registers while it goes down the columns, so that each value that is loaded
// counts ROWS times, and each weight COLUMNS times. Weights come, by groups of ROWS sums, as (n_groups, n_in, ROWS);
// neighbouring blocks take the groups of the same columns, which are still in the cache.

constexpr int THREADS = 128;

extern "C" __global__ void __launch_bounds__(THREADS, sizeof(REAL) == 4 ? 4 : 2)
    mix_rows(const REAL* __restrict__ S, const REAL* __restrict__ weights, REAL* __restrict__ out, long long n_items,
             long long n_frames, int n_in, int n_out) {
    const int n_groups = (n_out + ROWS - 1) / ROWS;
    const long long n_columns = n_items * n_frames;
    const long long tiles = (n_columns + THREADS * COLUMNS - 1) / (THREADS * COLUMNS);
    for (long long i = blockIdx.x; i < tiles * n_groups; i += gridDim.x) {
        const int first = (int)(i % n_groups) * ROWS;
        const REAL2* w = (const REAL2*)(weights + (long long)first * n_in);
        const REAL* sources[COLUMNS];
        REAL* targets[COLUMNS];
        REAL sums[ROWS][COLUMNS] = {};
        const long long begin = i / n_groups * (THREADS * COLUMNS) + threadIdx.x;
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
            const long long column = min(begin + c * THREADS, n_columns - 1);
            const long long item = column / n_frames, frame = column % n_frames;
            sources[c] = S + item * n_in * n_frames + frame;
            targets[c] = out + (item * n_out + first) * n_frames + frame;
        }
#pragma unroll 4
        for (int k = 0; k < n_in; ++k, w += ROWS / 2) {
            REAL values[COLUMNS];
#pragma unroll
            for (int c = 0; c < COLUMNS; ++c) values[c] = *sources[c], sources[c] += n_frames;
#pragma unroll
            for (int row = 0; row < ROWS; row += 2) {
                const REAL2 weight = w[row / 2];
#pragma unroll
                for (int c = 0; c < COLUMNS; ++c) {
                    sums[row][c] += weight.x * values[c];
                    sums[row + 1][c] += weight.y * values[c];
                }
            }
        }
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
            const int n_here = begin + c * THREADS < n_columns ? n_out - first : 0;
#pragma unroll
            for (int row = 0; row < ROWS; ++row) {
                if (row < n_here) targets[c][row * n_frames] = sums[row][c];
            }
        }
    }
}
