__device__ __forceinline__ void add_product(REAL2& sum, REAL2 a, REAL2 b) {
    sum.x += a.x * b.x, sum.x -= a.y * b.y;
    sum.y += a.x * b.y, sum.y += a.y * b.x;
}
