// What the Glibc module leaves out: statfs(2), the start of a program in a directory of its own, and what a thread needs to
// stand in another network namespace and to choose how its sockets use a line.
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/statfs.h>

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);

int pipe2(int ends[2], int flags);

// setns(2); the value is CLONE_NEWNET, which <sched.h> shows only to GNU sources.
int setns(int fd, int kind);
enum { NETWORK_NAMESPACE = 0x40000000 };
