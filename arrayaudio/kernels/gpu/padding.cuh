// The sample that position p outside 0..n-1 repeats, or -1 for zero; the modes are numpy.pad's.
__device__ long long source_index(long long p, long long n, int mode) {
    enum { CONSTANT, EDGE, REFLECT, SYMMETRIC, WRAP };
    if (p >= 0 && p < n) return p;
    if (mode == CONSTANT) return -1;
    if (mode == EDGE) return p < 0 ? 0 : n - 1;
    long long turn = mode == REFLECT ? n - 1 : n;
    long long period = mode == WRAP ? n : 2 * (turn > 0 ? turn : 1);
    long long folded = p % period;
    if (folded < 0) folded += period;
    return folded < n ? folded : 2 * turn - folded - (mode == SYMMETRIC);
}
