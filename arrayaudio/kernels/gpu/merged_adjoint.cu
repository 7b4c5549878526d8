// Adjoint of merged.cu: the gradient of every product from those of the coefficients that it is part of. Neighbouring
// threads have neighbouring columns. Frames that are not there are zero.

#include "phases.cuh"

template <int phases>
__device__ __forceinline__ void spread(const REAL2 (&X)[phases], REAL* first, long long stride, long long imaginary) {
    if constexpr (phases == 1) {
        first[0] = X[0].x;
        first[imaginary] = X[0].y;
    } else {
        constexpr int half = phases / 2;
        REAL2 x[half];
#pragma unroll
        for (int p = 0; p < half; ++p) x[p] = X[p];
        spread<half>(x, first, stride, imaginary);
#pragma unroll
        for (int p = 0; p < half; ++p) x[p].x += X[half + p].x, x[p].y += X[half + p].y;
        spread<half>(x, first + products_of(half) * stride, stride, imaginary);
#pragma unroll
        for (int p = 0; p < half; ++p) x[p].x = -X[half + p].x, x[p].y = -X[half + p].y;
        spread<half>(x, first + 2 * products_of(half) * stride, stride, imaginary);
    }
}

// `count` columns of each item and shift.
extern "C" __global__ void merged_adjoint(const REAL* __restrict__ X, REAL* __restrict__ products, long long n_items,
                                          long long n_rows, int n_frames, int shifts, int count, long long item_stride,
                                          long long shift_stride, long long columns) {
    const long long lines = n_items * n_rows;
    for (long long line = (long long)blockIdx.x * blockDim.y + threadIdx.y; line < lines;
         line += (long long)gridDim.x * blockDim.y) {
        const long long item = line / n_rows, row = line % n_rows;
        REAL* const here = products + row * columns + item * item_stride;
        const REAL2* const frames = (const REAL2*)X + line * n_frames;
        for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < shifts * count; i += gridDim.y * blockDim.x) {
            const int s = i / count, u = i % count;
            REAL2 x[PHASES];
#pragma unroll
            for (int p = 0; p < PHASES; ++p) {
                const int t = shifts * (PHASES * u + p) + s;
                x[p].x = t < n_frames ? frames[t].x : (REAL)0;
                x[p].y = t < n_frames ? frames[t].y : (REAL)0;
            }
            spread<PHASES>(x, here + s * shift_stride + u, 2 * n_rows * columns, n_rows * columns);
        }
    }
}
