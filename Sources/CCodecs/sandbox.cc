// What a worker process gives up before it reads anything that is not its own.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <iterator>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CCodecs.h"

namespace {

#if defined(__x86_64__)
constexpr uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
#error "The worker's sandbox knows x86-64 and arm64."
#endif

constexpr uint32_t offsetOfArgument(int index) {
    // The low half; both architectures are little endian.
    return uint32_t(offsetof(seccomp_data, args)) + 8 * uint32_t(index);
}

/// Calls that are allowed whatever their arguments: memory, time, locks, the end.
constexpr uint32_t freely[] = {
    SYS_futex,        SYS_munmap,  SYS_mremap,    SYS_madvise,       SYS_brk,    SYS_exit,
    SYS_exit_group,   SYS_getrandom, SYS_sched_yield, SYS_clock_gettime, SYS_rt_sigreturn, SYS_rt_sigprocmask,
    SYS_restart_syscall,
};

/// Calls that are allowed on one descriptor.
struct OnDescriptor {
    uint32_t call;
    uint32_t descriptor;
};
constexpr OnDescriptor onDescriptor[] = {
    {SYS_recvfrom, HZ_WORKER_SOCKET},
    {SYS_sendto, HZ_WORKER_SOCKET},
    // What a library says before it gives up; it goes to /dev/null.
    {SYS_write, 2},
};

/// Calls that are allowed unless they make memory executable; the third argument tells.
constexpr uint32_t withoutExecution[] = {SYS_mmap, SYS_mprotect};

/// Writes the filter; anything not named kills the process.
struct Filter {
    static constexpr size_t limit = 64;
    sock_filter code[limit];
    unsigned short count = 0;

    void add(uint16_t operation, uint32_t value, uint8_t ifTrue = 0, uint8_t ifFalse = 0) {
        code[count++] = sock_filter{operation, ifTrue, ifFalse, value};
    }
    void load(uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
    void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
    void kill() { add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS); }

    Filter() {
        load(offsetof(seccomp_data, arch));
        add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
        kill();
        load(offsetof(seccomp_data, nr));
        for (uint32_t call : freely) {
            add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
            allow();
        }
        for (const OnDescriptor &each : onDescriptor) {
            add(BPF_JMP | BPF_JEQ | BPF_K, each.call, 0, 4);
            load(offsetOfArgument(0));
            add(BPF_JMP | BPF_JEQ | BPF_K, each.descriptor, 0, 1);
            allow();
            kill();
        }
        for (uint32_t call : withoutExecution) {
            add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
            load(offsetOfArgument(2));
            add(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
            allow();
            kill();
        }
        kill();
    }
};

static_assert(
    4 + 2 * std::size(freely) + 5 * std::size(onDescriptor) + 5 * std::size(withoutExecution) + 1
    <= Filter::limit);

/// Bytes of address space in use.
uint64_t addressSpace() {
    std::FILE *file = std::fopen("/proc/self/statm", "re");
    if (!file) return 0;
    unsigned long long pages = 0;
    if (std::fscanf(file, "%llu", &pages) != 1) pages = 0;
    std::fclose(file);
    return pages * uint64_t(sysconf(_SC_PAGESIZE));
}

bool limit(int resource, uint64_t value) {
    const rlimit bound{value, value};
    return setrlimit(__rlimit_resource_t(resource), &bound) == 0;
}

}  // namespace

int hz_worker_enter_sandbox(const HZWorkerLimits *limits, uint64_t mappedByteCount) {
    const uint64_t used = addressSpace();
    if (used == 0) return ENOSYS;
    // A crash is to end the process, not to run what a runtime has prepared for it.
    for (const int crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
        if (signal(crash, SIG_DFL) == SIG_ERR) return errno;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) return errno;
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_CPU, limits->processorSeconds)
        || !limit(RLIMIT_AS, used + mappedByteCount + limits->memoryByteCount) || !limit(RLIMIT_NPROC, 0)) {
        return errno;
    }
    // Descriptors that are open stay so; none can be added.
    if (!limit(RLIMIT_NOFILE, 0)) return errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    Filter filter;
    const sock_fprog program{filter.count, filter.code};
    // All threads, should the language's runtime have begun any.
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result != 0) return result > 0 ? EBUSY : errno;
    return 0;
}
