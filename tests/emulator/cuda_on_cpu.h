// The part of CUDA C that g++ lacks, so that kernels compile unchanged and run on the CPU.
//
// __init__.py includes this file ahead of the kernel source. scheduler.cpp runs the kernel: one block at a time, one
// thread at a time, changing threads only at barriers. Atomics are left out on purpose: kernels must be deterministic.
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>
#include <utility>

#define __global__ __attribute__((unused))
#define __host__
#define __device__ __attribute__((unused))
#define __constant__ __attribute__((unused))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// All shared variables lie in one section, which the scheduler poisons before every block. "used" tells g++ that they
// change behind its back; without it, a variable that is never written would read as zero instead of poison.
#define __shared__ static __attribute__((used, section("shared_memory")))

// A kernel source that needs shared memory sized at launch defines this macro for the GPU, unless it is defined:
//     #define DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#define DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(cuda_on_cpu::dynamic_shared_memory)

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

// Aligned like their elements, less than on a GPU: memory that ends at a guard page starts wherever its size says.
#define CUDA_ON_CPU_VECTORS(type) \
    struct type##2 { type x, y; }; \
    struct type##3 { type x, y, z; }; \
    struct type##4 { type x, y, z, w; }; \
    inline type##2 make_##type##2(type x, type y) { return {x, y}; } \
    inline type##3 make_##type##3(type x, type y, type z) { return {x, y, z}; } \
    inline type##4 make_##type##4(type x, type y, type z, type w) { return {x, y, z, w}; }
CUDA_ON_CPU_VECTORS(int)
CUDA_ON_CPU_VECTORS(float)
CUDA_ON_CPU_VECTORS(double)

namespace cuda_on_cpu {

// Defined in scheduler.cpp.
extern void *dynamic_shared_memory;
[[noreturn]] void fail(const char *what);
void wait_for_block(int line);
uint64_t exchange_in_warp(const char *name, unsigned mask, uint64_t offered, int source_lane, int line);

inline int lane_index()
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % warpSize;
}

template <class T>
T shuffle(const char *name, unsigned mask, T value, int source_lane, int width, int line)
{
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= sizeof(uint64_t));
    if (width != warpSize) fail("shuffle with a width other than 32, which is not emulated,");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = exchange_in_warp(name, mask, bits, source_lane, line);
    memcpy(&value, &bits, sizeof(T));
    return value;
}

// Exact at multiples of one half, as on a GPU.
inline double sinpi(double x)
{
    double turn = remainder(x, 2.0);
    if (fabs(turn) > 0.5) turn = copysign(1.0, turn) - turn;
    return sin(M_PI * turn);
}
inline double cospi(double x) { return sin(M_PI * (0.5 - fabs(remainder(x, 2.0)))); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float sinpif(float x) { return static_cast<float>(cuda_on_cpu::sinpi(x)); }
inline float cospif(float x) { return static_cast<float>(cuda_on_cpu::cospi(x)); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline void sincospi(double x, double *sine, double *cosine)
{
    *sine = cuda_on_cpu::sinpi(x);
    *cosine = cuda_on_cpu::cospi(x);
}
inline void sincospif(float x, float *sine, float *cosine)
{
    *sine = cuda_on_cpu::sinpif(x);
    *cosine = cuda_on_cpu::cospif(x);
}

// Calls the kernel with parameters read through an array of pointers, as cuLaunchKernel does.
template <class... Parameter, size_t... i>
void call(void (*kernel)(Parameter...), void **args, std::index_sequence<i...>)
{
    kernel(*static_cast<Parameter *>(args[i])...);
}
template <class... Parameter>
void call(void (*kernel)(Parameter...), void **args)
{
    call(kernel, args, std::index_sequence_for<Parameter...>());
}

// Four characters per parameter, for example "*f04" for float *, "<f04" for const float *, "=i08" for long long, "*s08"
// for float2 *.
template <class... Parameter>
const char *signature(void (*)(Parameter...))
{
    static char text[4 * sizeof...(Parameter) + 1];
    char *end = text;
    [[maybe_unused]] auto append = [&end](auto *value, bool is_pointer) {
        using Value = std::remove_pointer_t<decltype(value)>;
        *end++ = !is_pointer ? '=' : std::is_const_v<Value> ? '<' : '*';
        *end++ = std::is_floating_point_v<Value> ? 'f' : std::is_integral_v<Value> ? 'i' : 's';
        *end++ = '0' + sizeof(Value) / 10;
        *end++ = '0' + sizeof(Value) % 10;
    };
    (append(static_cast<std::remove_pointer_t<Parameter> *>(nullptr), std::is_pointer_v<Parameter>), ...);
    return text;
}

void run_kernel(void **args);

}  // namespace cuda_on_cpu

// Makes one kernel the one that this library runs.
#define CUDA_ON_CPU_KERNEL(kernel) \
    extern "C" const char *kernel_signature() { return cuda_on_cpu::signature(kernel); } \
    void cuda_on_cpu::run_kernel(void **args) { cuda_on_cpu::call(kernel, args); }

// Some C libraries declare these functions too, hence macros.
#define sinpi cuda_on_cpu::sinpi
#define cospi cuda_on_cpu::cospi
#define rsqrt cuda_on_cpu::rsqrt
#define sinpif cuda_on_cpu::sinpif
#define cospif cuda_on_cpu::cospif
#define rsqrtf cuda_on_cpu::rsqrtf
#define sincospi cuda_on_cpu::sincospi
#define sincospif cuda_on_cpu::sincospif

// As in CUDA, a NaN loses against a number.
template <class A, class B>
inline std::common_type_t<A, B> min(A a, B b)
{
    using Common = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<Common>) return fmin(static_cast<Common>(a), static_cast<Common>(b));
    else return static_cast<Common>(b) < static_cast<Common>(a) ? b : a;
}
template <class A, class B>
inline std::common_type_t<A, B> max(A a, B b)
{
    using Common = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<Common>) return fmax(static_cast<Common>(a), static_cast<Common>(b));
    else return static_cast<Common>(a) < static_cast<Common>(b) ? b : a;
}

template <class T> inline T __ldg(const T *address) { return *address; }

// The last parameter of each barrier is the line of the caller: threads meet only where they wait on the same line.
inline void __syncthreads(int line = __builtin_LINE()) { cuda_on_cpu::wait_for_block(line); }
inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE())
{
    cuda_on_cpu::exchange_in_warp("__syncwarp", mask, 0, 0, line);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, int line = __builtin_LINE())
{
    return cuda_on_cpu::shuffle("__shfl_sync", mask, value, source & (warpSize - 1), width, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, int line = __builtin_LINE())
{
    int lane = cuda_on_cpu::lane_index(), source = lane - static_cast<int>(delta);
    return cuda_on_cpu::shuffle("__shfl_up_sync", mask, value, source < 0 ? lane : source, width, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, int line = __builtin_LINE())
{
    int lane = cuda_on_cpu::lane_index(), source = lane + static_cast<int>(delta);
    return cuda_on_cpu::shuffle("__shfl_down_sync", mask, value, source < warpSize ? source : lane, width, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize, int line = __builtin_LINE())
{
    int source = cuda_on_cpu::lane_index() ^ lane_mask;
    return cuda_on_cpu::shuffle("__shfl_xor_sync", mask, value, source & (warpSize - 1), width, line);
}
