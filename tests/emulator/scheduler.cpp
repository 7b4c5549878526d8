// Runs a kernel that was compiled with cuda_on_cpu.h, in a child process that may crash.
//
// Every CUDA thread is a fiber with a stack of its own. A fiber runs until a barrier or its end; then the next one
// runs, in the order of the schedule. A barrier opens when all threads it is meant for wait at it.
#include "cuda_on_cpu.h"

#include <algorithm>
#include <errno.h>
#include <numeric>
#include <random>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

// Memory that __init__.py prepared: an inaccessible guard, a canary, the data, and the second guard right after it.
struct Region {
    uint64_t begin, guard_bytes, inner_bytes, data_bytes, writeable;
    int64_t argument;
};

enum Schedule { forward, reverse, shuffled };

// Matches _Launch in __init__.py. The last region is the dynamic shared memory, the others are the array arguments.
struct Launch {
    dim3 grid, block;
    uint32_t schedule, time_limit;
    void **args;
    Region *regions;
    uint64_t region_count;
    char *message;
    uint64_t message_bytes;
};

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
void *cuda_on_cpu::dynamic_shared_memory;

// The linker defines these two around the section. The variable makes sure that there is one.
extern char __start_shared_memory[] __attribute__((visibility("hidden")));
extern char __stop_shared_memory[] __attribute__((visibility("hidden")));
extern char __ehdr_start[] __attribute__((visibility("hidden")));
__shared__ char any_shared_variable;

namespace {

constexpr unsigned max_threads = 1024;
constexpr size_t stack_bytes = 64 * 1024, stack_guard_bytes = 4096, stack_stride = stack_bytes + stack_guard_bytes;
constexpr unsigned whole_block = 0;  // in place of a mask of lanes
constexpr char poison = '\xff';      // NaN in floats and doubles

struct Barrier {
    const char *name = nullptr;  // null: not waiting
    unsigned mask = whole_block;
    int line = 0;
};

struct Fiber {
    ucontext_t context;
    bool ended;
    Barrier barrier;
    uint64_t offered, received;  // values of a shuffle
    int source_lane;
};

const Launch *launch;
Fiber fibers[max_threads];
ucontext_t scheduler;
unsigned thread_count, current;
char *stacks;
std::mt19937 generator(1);

uint3 unflatten(unsigned index, dim3 size)
{
    return {index % size.x, index / size.x % size.y, index / size.x / size.y};
}

bool is_same(const Barrier &a, const Barrier &b)
{
    return a.name && b.name && !strcmp(a.name, b.name) && a.mask == b.mask && a.line == b.line;
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

void wait_at(const Barrier &barrier)
{
    fibers[current].barrier = barrier;
    swapcontext(&fibers[current].context, &scheduler);
}

// A fiber serves the same thread index in every block.
void run_fiber()
{
    for (;;) {
        cuda_on_cpu::run_kernel(launch->args);
        fibers[current].ended = true;
        swapcontext(&fibers[current].context, &scheduler);
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
            swapcontext(&scheduler, &fibers[i].context);
            running -= fibers[i].ended;
        }
        if (running && !open_barriers()) fail_divergence();
    }
}

// Says in words which memory an address belongs to.
void describe(uint64_t address, char *text, size_t text_bytes)
{
    for (uint64_t i = 0; i < launch->region_count; ++i) {
        const Region &region = launch->regions[i];
        uint64_t end = region.begin + region.guard_bytes + region.inner_bytes, start = end - region.data_bytes;
        if (address < region.begin || address >= end + region.guard_bytes) continue;
        char name[40];
        if (region.argument < 0) snprintf(name, sizeof name, "dynamic shared memory");
        else snprintf(name, sizeof name, "argument %ld", long(region.argument));
        if (address >= end)
            snprintf(text, text_bytes, "access %ld bytes past the end of %s", long(address - end), name);
        else if (address < region.begin + region.guard_bytes)
            snprintf(text, text_bytes, "access %ld bytes before the start of %s", long(start - address), name);
        else
            snprintf(text, text_bytes, "write to %s, which is read-only,", name);
        return;
    }
    uint64_t stack = reinterpret_cast<uint64_t>(stacks);
    if (address >= stack && address < stack + thread_count * stack_stride)
        snprintf(text, text_bytes, "overflow of the stack (%zu KiB per thread)", stack_bytes / 1024);
    else snprintf(text, text_bytes, "access to the invalid address %#lx", long(address));
}

void on_signal(int signal, siginfo_t *info, void *context)
{
    char text[200] = "signal";
    if (signal == SIGPROF) snprintf(text, sizeof text, "no end after %u s", launch->time_limit);
    else if (signal == SIGFPE) snprintf(text, sizeof text, "integer division by zero");
    else if (signal == SIGILL || signal == SIGTRAP)
        snprintf(text, sizeof text, "index outside a fixed-size array, or signed integer overflow,");
    else describe(reinterpret_cast<uint64_t>(info->si_addr), text, sizeof text);
#ifdef __x86_64__
    // Lets __init__.py look up the line.
    const char *instruction = reinterpret_cast<char *>(static_cast<ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP]);
    snprintf(text + strlen(text), sizeof text - strlen(text), " at <%#lx>", long(instruction - __ehdr_start));
#endif
    cuda_on_cpu::fail(text);
}

void catch_signals()
{
    static char signal_stack[64 * 1024];  // the fiber's own stack may be the problem
    stack_t stack = {};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF}) sigaction(signal, &action, nullptr);
    signal(SIGINT, SIG_DFL);
    // Seconds of work, not of waiting for a busy machine.
    itimerval limit = {};
    limit.it_value.tv_sec = launch->time_limit;
    setitimer(ITIMER_PROF, &limit, nullptr);
}

void protect(const Region &region)
{
    char *begin = reinterpret_cast<char *>(region.begin), *inner = begin + region.guard_bytes;
    mprotect(begin, region.guard_bytes, PROT_NONE);
    mprotect(inner + region.inner_bytes, region.guard_bytes, PROT_NONE);
    if (!region.writeable) mprotect(inner, region.inner_bytes, PROT_READ);
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
