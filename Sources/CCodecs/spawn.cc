// Worker processes, as their parent sees them.
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CCodecs.h"

int hz_worker_spawn(const char *path, const char *const *arguments, int socket, int memory, pid_t *process) {
    // Duplicates above those they are to become: neither overwrites the other.
    const int lowest = HZ_WORKER_MEMORY + 1;
    const int socketCopy = fcntl(socket, F_DUPFD_CLOEXEC, lowest);
    const int memoryCopy = socketCopy < 0 ? -1 : fcntl(memory, F_DUPFD_CLOEXEC, lowest);
    if (memoryCopy < 0) {
        const int failure = errno;
        if (socketCopy >= 0) close(socketCopy);
        return failure;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigfillset(&usual);
    char *const environment[] = {nullptr};
    int result = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (result == 0) result = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (result == 0) result = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (result == 0) result = posix_spawn_file_actions_adddup2(&actions, socketCopy, HZ_WORKER_SOCKET);
    if (result == 0) result = posix_spawn_file_actions_adddup2(&actions, memoryCopy, HZ_WORKER_MEMORY);
    if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, lowest);
    if (result == 0) result = posix_spawnattr_setsigmask(&attributes, &none);
    if (result == 0) result = posix_spawnattr_setsigdefault(&attributes, &usual);
    // A group of its own: what a terminal sends its programs is for the service to act on.
    if (result == 0) result = posix_spawnattr_setpgroup(&attributes, 0);
    if (result == 0) {
        result = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    if (result == 0) {
        result = posix_spawn(process, path, &actions, &attributes, const_cast<char *const *>(arguments), environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(socketCopy);
    close(memoryCopy);
    return result;
}

int hz_worker_socket_pair(int *parent, int *child) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    *parent = pair[0];
    *child = pair[1];
    return 0;
}

int hz_worker_memory(uint64_t byteCount) {
    const int memory = memfd_create("huizhen frames", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -1;
    // Without the first seal a worker could pull pages away under its parent's reads.
    if (ftruncate(memory, off_t(byteCount)) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0) {
        return memory;
    }
    const int failure = errno;
    close(memory);
    errno = failure;
    return -1;
}

int hz_worker_memory_grow(int memory, uint64_t byteCount) {
    return ftruncate(memory, off_t(byteCount)) == 0 ? 0 : errno;
}

void hz_worker_memory_release(int memory, uint64_t offset, uint64_t byteCount) {
    (void)fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(byteCount));
}
