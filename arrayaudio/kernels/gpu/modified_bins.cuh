// Spectra changed bin by bin where the transform leaves them, on the way from analysis to synthesis.

#include "overlap_add.cuh"

// X / |X|, 0 for 0; shorter than 1 for numbers with too few digits. Only squares that leave the range of numbers, or
// nearly, take the long way.
__device__ __forceinline__ REAL2 direction(REAL2 X) {
    constexpr bool single = sizeof(REAL) == 4;
    const REAL tiny = (REAL)(single ? 1e-30 : 1e-290), huge = (REAL)(single ? 1e38 : 1e307);
    const REAL smallest_normal = (REAL)(single ? 0x1p-126 : 0x1p-1022);
    REAL power = X.x * X.x + X.y * X.y;
    if (!(power > tiny && power < huge)) {
        const REAL size = fmax(fmax(fabs(X.x), fabs(X.y)), smallest_normal);
        X.x /= size, X.y /= size;
        power = fmax(X.x * X.x + X.y * X.y, (REAL)1);
    }
    const REAL inverse = rsqrt(power);
    X.x *= inverse, X.y *= inverse;
    return X;
}

// Takes the tile's spectra, as `transform` leaves them, to those of the way back: change(X, value), with the values
// from `values` on, of bins N + 1 rows of n_frames.
template <class Change>
__device__ __forceinline__ void modify(REAL2* rows, int pitch, int log_tile, const REAL2* __restrict__ halves,
                                       const REAL* values, long long n_frames, int n_here, Change change) {
    for (int i = threadIdx.x; i < (N / 2 + 1) << log_tile; i += THREADS) {
        const int t = i & ((1 << log_tile) - 1), k = i >> log_tile;
        REAL2* const row = rows + t * pitch;
        REAL2 X, Y;
        whole_bins(row[place_of_bin<N, RADICES>(k)], row[place_of_bin<N, RADICES>(k ? N - k : 0)], halves[k], X, Y);
        if (t < n_here) X = change(X, values[k * n_frames + t]), Y = change(Y, values[(N - k) * n_frames + t]);
        put_bins(row, k, X, Y, halves[k]);
    }
}
