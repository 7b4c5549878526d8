// Runs a kernel that was compiled with cuda_on_cpu.h, in a child process that may crash.
//
// Every CUDA thread is a fiber with a stack of its own. A fiber runs until a barrier or its end; then the next one
// runs, in the order of the schedule. A barrier opens when all threads it is meant for wait at it.
#undef _FORTIFY_SOURCE  // its longjmp refuses to go to other stacks
#include "faults.h"

#include <algorithm>
#include <errno.h>
#include <numeric>
#include <random>
#include <setjmp.h>
#include <sys/wait.h>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
void *cuda_on_cpu::dynamic_shared_memory;

// The linker defines these two around the section. The variable makes sure that there is one.
extern char __start_shared_memory[] __attribute__((visibility("hidden")));
extern char __stop_shared_memory[] __attribute__((visibility("hidden")));
__shared__ char any_shared_variable;

namespace {

constexpr unsigned max_threads = 1024;
constexpr unsigned whole_block = 0;  // in place of a mask of lanes
constexpr char poison = '\xff';      // NaN in floats and doubles

struct Barrier {
    const char *name = nullptr;  // null: not waiting
    unsigned mask = whole_block;
    int line = 0;
};

struct Fiber {
    ucontext_t context;  // where it starts
    jmp_buf place;       // where it goes on: unlike contexts, jumps need no system calls
    bool started, ended;
    Barrier barrier;
    uint64_t offered, received;  // values of a shuffle
    int source_lane;
};

Fiber fibers[max_threads];
jmp_buf scheduler;
unsigned current;
std::mt19937 generator(1);

uint3 unflatten(unsigned index, dim3 size)
{
    return {index % size.x, index / size.x % size.y, index / size.x / size.y};
}

bool is_same(const Barrier &a, const Barrier &b)
{
    return a.name && b.name && a.mask == b.mask && a.line == b.line && !strcmp(a.name, b.name);
}

// The threads that a waiting thread waits for.
std::vector<unsigned> partners(unsigned thread)
{
    unsigned mask = fibers[thread].barrier.mask;
    unsigned first = mask == whole_block ? 0 : thread - thread % warpSize;
    unsigned last = mask == whole_block ? thread_count : std::min(first + warpSize, thread_count);
    std::vector<unsigned> found;
    for (unsigned i = first; i < last; ++i)
        if (mask == whole_block || mask >> (i - first) & 1) found.push_back(i);
    return found;
}

bool open_barrier(unsigned thread)
{
    std::vector<unsigned> group = partners(thread);
    const Barrier barrier = fibers[thread].barrier;
    for (unsigned i : group)
        if (!is_same(fibers[i].barrier, barrier)) return false;
    for (unsigned i : group) {
        if (barrier.mask == whole_block) break;
        unsigned lane = fibers[i].source_lane, source = i - i % warpSize + lane;
        bool takes_part = barrier.mask >> lane & 1 && source < thread_count;
        fibers[i].received = takes_part ? fibers[source].offered : ~uint64_t(0);  // poison
    }
    for (unsigned i : group) fibers[i].barrier = Barrier();
    return true;
}

bool open_barriers()
{
    bool any_opened = false;
    for (unsigned i = 0; i < thread_count; ++i) {
        const Barrier &barrier = fibers[i].barrier;
        // The first thread speaks for the block.
        if (barrier.name && (barrier.mask != whole_block || i == 0)) any_opened |= open_barrier(i);
    }
    return any_opened;
}

[[noreturn]] void fail_divergence()
{
    unsigned waiting = 0, other = 0;
    while (!fibers[waiting].barrier.name) ++waiting;
    for (unsigned i : partners(waiting))
        if (!is_same(fibers[i].barrier, fibers[waiting].barrier)) { other = i; break; }
    const Barrier &here = fibers[waiting].barrier, &there = fibers[other].barrier;
    uint3 a = unflatten(waiting, blockDim), b = unflatten(other, blockDim);
    int used = snprintf(launch->message, launch->message_bytes,
        "barrier divergence in block (%u,%u,%u): thread (%u,%u,%u) waits at %s in line %d, but thread (%u,%u,%u) ",
        blockIdx.x, blockIdx.y, blockIdx.z, a.x, a.y, a.z, here.name, here.line, b.x, b.y, b.z);
    if (fibers[other].ended) snprintf(launch->message + used, launch->message_bytes - used, "has ended");
    else snprintf(launch->message + used, launch->message_bytes - used, "at %s in line %d%s", there.name, there.line,
        here.mask == there.mask ? "" : " with another mask");
    _exit(1);
}

void leave_fiber()
{
    if (!_setjmp(fibers[current].place)) _longjmp(scheduler, 1);
}

void enter_fiber()
{
    Fiber &fiber = fibers[current];
    if (_setjmp(scheduler)) return;
    if (fiber.started) _longjmp(fiber.place, 1);
    fiber.started = true;
    setcontext(&fiber.context);
}

void wait_at(const Barrier &barrier)
{
    fibers[current].barrier = barrier;
    leave_fiber();
}

// A fiber serves the same thread index in every block.
void run_fiber()
{
    for (;;) {
        cuda_on_cpu::run_kernel(launch->args);
        fibers[current].ended = true;
        leave_fiber();
    }
}

void make_fibers()
{
    void *memory = mmap(nullptr, thread_count * stack_stride, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) cuda_on_cpu::fail("no memory for stacks");
    stacks = static_cast<char *>(memory);
    for (unsigned i = 0; i < thread_count; ++i) {
        ucontext_t &context = fibers[i].context;
        mprotect(stacks + i * stack_stride, stack_guard_bytes, PROT_NONE);
        getcontext(&context);
        context.uc_stack.ss_sp = stacks + i * stack_stride + stack_guard_bytes;
        context.uc_stack.ss_size = stack_bytes;
        makecontext(&context, run_fiber, 0);
    }
}

std::vector<unsigned> scheduled_order(unsigned count)
{
    std::vector<unsigned> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (launch->schedule == reverse) std::reverse(order.begin(), order.end());
    if (launch->schedule == shuffled) std::shuffle(order.begin(), order.end(), generator);
    return order;
}

void run_block()
{
    memset(__start_shared_memory, poison, __stop_shared_memory - __start_shared_memory);
    memset(cuda_on_cpu::dynamic_shared_memory, poison, launch->regions[launch->region_count - 1].data_bytes);
    for (unsigned i = 0; i < thread_count; ++i) fibers[i].ended = false;
    for (unsigned running = thread_count; running;) {
        for (unsigned i : scheduled_order(thread_count)) {
            if (fibers[i].ended || fibers[i].barrier.name) continue;
            current = i;
            threadIdx = unflatten(i, blockDim);
            enter_fiber();
            running -= fibers[i].ended;
        }
        if (running && !open_barriers()) fail_divergence();
    }
}

void run_grid()
{
    gridDim = launch->grid;
    blockDim = launch->block;
    thread_count = blockDim.x * blockDim.y * blockDim.z;
    const Region &shared = launch->regions[launch->region_count - 1];
    cuda_on_cpu::dynamic_shared_memory =
        reinterpret_cast<char *>(shared.begin + shared.guard_bytes + shared.inner_bytes - shared.data_bytes);
    catch_signals();
    for (uint64_t i = 0; i < launch->region_count; ++i) protect(launch->regions[i]);
    make_fibers();
    for (unsigned i : scheduled_order(gridDim.x * gridDim.y * gridDim.z)) {
        blockIdx = unflatten(i, gridDim);
        run_block();
    }
}

}  // namespace

void cuda_on_cpu::fail(const char *what)
{
    snprintf(launch->message, launch->message_bytes, "%s in block (%u,%u,%u), thread (%u,%u,%u)", what,
        blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    _exit(1);
}

void cuda_on_cpu::wait_for_block(int line)
{
    wait_at({"__syncthreads", whole_block, line});
}

uint64_t cuda_on_cpu::exchange_in_warp(const char *name, unsigned mask, uint64_t offered, int source_lane, int line)
{
    if (!(mask >> lane_index() & 1)) fail("warp barrier with a mask that leaves out the calling thread");
    Fiber &self = fibers[current];
    self.offered = offered;
    self.source_lane = source_lane;
    wait_at({name, mask, line});
    return self.received;
}

// Returns zero if the kernel ran to its end.
extern "C" int run_in_child(const Launch *requested)
{
    launch = requested;
    pid_t child = fork();
    if (child == 0) {
        run_grid();
        _exit(0);
    }
    int status = 1;
    if (child < 0) snprintf(launch->message, launch->message_bytes, "fork failed: %s", strerror(errno));
    else while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return status;
}
