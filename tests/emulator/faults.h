// What a launch consists of, and what went wrong with it, in words: signals, and the memory that they are about.
#pragma once
#include "cuda_on_cpu.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

// Memory that runner.py prepared: an inaccessible guard, a canary, the data, and the second guard right after it.
struct Region {
    uint64_t begin, guard_bytes, inner_bytes, data_bytes, writeable;
    int64_t argument;
};

enum Schedule { forward, reverse, shuffled };

// Matches _Launch in runner.py. The last region is the dynamic shared memory, the others are the array arguments.
struct Launch {
    dim3 grid, block;
    uint32_t schedule, time_limit;
    void **args;
    Region *regions;
    uint64_t region_count;
    char *message;
    uint64_t message_bytes;
};

extern char __ehdr_start[] __attribute__((visibility("hidden")));  // which the linker defines

namespace {

constexpr size_t stack_bytes = 64 * 1024, stack_guard_bytes = 4096, stack_stride = stack_bytes + stack_guard_bytes;

const Launch *launch;
unsigned thread_count;
char *stacks;

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

}  // namespace
