// Numbers as they lie in memory: REAL, half precision, or 16 bits of PCM, whose full scale is 1.

#ifndef SAMPLE
#define SAMPLE REAL
#endif
#ifndef RESULT
#define RESULT REAL
#endif

struct Half {
    unsigned short bits;
};

template <class T>
struct alignas(2 * sizeof(T)) Two {
    T x, y;
};

__device__ __forceinline__ REAL value(REAL x) { return x; }
__device__ __forceinline__ REAL value(short x) { return x * (REAL)(1 / 32768.); }
__device__ __forceinline__ REAL value(Half x) {
#ifdef __CUDA_ARCH__
    float single;
    asm("cvt.f32.f16 %0, %1;" : "=f"(single) : "h"(x.bits));
    return single;
#else
    _Float16 half;
    memcpy(&half, &x, sizeof half);
    return half;
#endif
}

__device__ __forceinline__ void put(REAL x, REAL* place) { *place = x; }
__device__ __forceinline__ void put(REAL x, Half* place) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(place->bits) : "f"((float)x));
#else
    const _Float16 half = (_Float16)x;
    memcpy(place, &half, sizeof half);
#endif
}
