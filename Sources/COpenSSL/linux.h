// The Linux calls that glibc shows only under _GNU_SOURCE, which Swift's Glibc module does not define.
// Each takes a file descriptor owned by the caller, may be called from any thread and returns 0, or -1 with errno.
#pragma once
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/stat.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// Gives the range's blocks back to the file system; the file keeps its size and reads zeros there.
static inline int huizhen_punch_hole(int descriptor, long long offset, long long byteCount) {
    return (int)syscall(SYS_fallocate, descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, byteCount);
}

// Starts writing the range's dirty pages and does not wait for them (SYNC_FILE_RANGE_WRITE).
static inline int huizhen_start_writeback(int descriptor, long long offset, long long byteCount) {
    return (int)syscall(SYS_sync_file_range, descriptor, offset, byteCount, 2);
}

// The open(2) flag whose value differs between processors.
static inline int huizhen_direct_flag(void) { return __O_DIRECT; }

// Makes the calling thread (on Linux not the process) the last to get processor time.
static inline int huizhen_lower_thread_priority(void) {
    return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
}

// A pipe whose ends no child inherits: descriptors[0] is read from, descriptors[1] written to.
static inline int huizhen_pipe(int descriptors[2]) { return (int)syscall(SYS_pipe2, descriptors, O_CLOEXEC); }

// The environment of this process, borrowed: nobody may change it while it is used.
extern char **environ;
static inline char **huizhen_environment(void) { return environ; }

// A file's number and birth time; zero for the latter where the file system does not keep it. The path is borrowed.
static inline int huizhen_file_identity(const char *path, unsigned long *number, long *seconds, unsigned *nanoseconds) {
    struct statx found;
    if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &found) != 0) return -1;
    *number = found.stx_ino;
    *seconds = found.stx_mask & STATX_BTIME ? found.stx_btime.tv_sec : 0;
    *nanoseconds = found.stx_mask & STATX_BTIME ? found.stx_btime.tv_nsec : 0;
    return 0;
}
