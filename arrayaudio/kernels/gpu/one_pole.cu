// The one-pole recursion s[t] = pole s[t - 1] + x[t] in segments of rows, LENGTH samples long. A block, which is a
// warp, goes through a segment in steps of COUNT times 32 neighbouring samples, which divide it: each 32 are scanned by
// shuffles with powers of the pole, and what comes before them is added from 32 to 32, in double precision, because
// errors of these sums last as long as the filter's memory.
//
// before[row * row_step + segment] is the state at the beginning. With ENDS, it counts as 0, and only the states at the
// end of segments, of which all are whole, are written.

constexpr int LANES = 32, COUNT = 8;
constexpr unsigned ALL = 0xffffffffu;
static_assert(LENGTH % (COUNT * LANES) == 0);

extern "C" __global__ void __launch_bounds__(LANES)
    one_pole(const REAL* __restrict__ x, const REAL* __restrict__ before, REAL* __restrict__ out, long long n_rows,
             long long n, long long n_segments, long long row_step, double pole) {
    const int lane = threadIdx.x;
    REAL powers[5];  // pole, pole^2, pole^4, ..., and of them pole^(lane + 1)
    double power = pole, own = pole;
#pragma unroll
    for (int i = 0; i < 5; ++i, power *= power) {
        powers[i] = (REAL)power;
        if (lane >> i & 1) own *= power;
    }
    for (long long i = blockIdx.x; i < n_rows * n_segments; i += gridDim.x) {
        const long long row = i / n_segments, segment = i % n_segments, start = row * n + segment * LENGTH;
        const int length = (int)min((long long)LENGTH, n - segment * LENGTH);
#ifdef ENDS
        double state = 0;
#else
        const REAL decay = (REAL)own;
        double state = before[row * row_step + segment];
#endif
        for (int first = 0; first < length; first += COUNT * LANES) {
            REAL s[COUNT];
#pragma unroll
            for (int j = 0; j < COUNT; ++j) {
                const int place = first + j * LANES + lane;
                s[j] = place < length ? x[start + place] : (REAL)0;
            }
#pragma unroll
            for (int j = 0; j < COUNT; ++j) {
#pragma unroll
                for (int d = 0; d < 5; ++d) {
                    const REAL earlier = __shfl_up_sync(ALL, s[j], 1 << d);
                    if (lane >= 1 << d) s[j] += powers[d] * earlier;
                }
            }
#pragma unroll
            for (int j = 0; j < COUNT; ++j) {
                const REAL last = __shfl_sync(ALL, s[j], LANES - 1);
#ifndef ENDS
                const int place = first + j * LANES + lane;
                if (place < length) out[start + place] = s[j] + decay * (REAL)state;
#endif
                state = last + power * state;
            }
        }
#ifdef ENDS
        if (lane == 0) out[i] = (REAL)state;
#endif
    }
}
