// Numbers as sums of two in half as many bits, by which tensor cores multiply: the nearest with 8 digits, and the
// nearest to what is left. Both are the upper halves of numbers in single precision.

__device__ __forceinline__ unsigned short nearest(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return bits >> 16 | 1 << 6;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

__device__ __forceinline__ float whole(unsigned short half) {
    const unsigned bits = (unsigned)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

extern "C" __global__ void bfloat16(const REAL* __restrict__ x, unsigned short* __restrict__ high,
                                    unsigned short* __restrict__ low, long long n) {
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
        const float value = x[i];
        high[i] = nearest(value);
        low[i] = nearest(value - whole(high[i]));
    }
}
