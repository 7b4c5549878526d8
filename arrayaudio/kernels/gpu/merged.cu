// Coefficients from the products that they are sums of: frame t = shifts (PHASES u + p) + s is a sum over those of
//     products[m][part][row][item * item_stride + s * shift_stride + u]
// that nested two-by-two products make the phase p. Neighbouring threads have neighbouring frames: they write runs, and
// what several of them read comes from the cache.

#include "phases.cuh"

template <int phases>
__device__ __forceinline__ REAL phase(const REAL* __restrict__ first, long long stride, int p) {
    if constexpr (phases == 1) {
        return *first;
    } else {
        constexpr int half = phases / 2;
        const REAL* const here = first + p / half * products_of(half) * stride;
        const REAL a = phase<half>(here, stride, p % half);
        const REAL b = phase<half>(here + products_of(half) * stride, stride, p % half);
        return p < half ? a + b : a - b;
    }
}

extern "C" __global__ void merged(const REAL* __restrict__ products, REAL* __restrict__ out, long long n_items,
                                  long long n_rows, int n_frames, int shifts, long long item_stride,
                                  long long shift_stride, long long columns) {
    const long long lines = n_items * n_rows;
    for (long long line = (long long)blockIdx.x * blockDim.y + threadIdx.y; line < lines;
         line += (long long)gridDim.x * blockDim.y) {
        const long long item = line / n_rows, row = line % n_rows;
        const REAL* const here = products + row * columns + item * item_stride;
        for (int t = blockIdx.y * blockDim.x + threadIdx.x; t < n_frames; t += gridDim.y * blockDim.x) {
            const int place = t / shifts;
            const REAL* const first = here + t % shifts * shift_stride + place / PHASES;
            REAL2 X;
            X.x = phase<PHASES>(first, 2 * n_rows * columns, place % PHASES);
            X.y = phase<PHASES>(first + n_rows * columns, 2 * n_rows * columns, place % PHASES);
            ((REAL2*)out)[line * n_frames + t] = X;
        }
    }
}
