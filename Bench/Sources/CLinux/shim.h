// What the Glibc module leaves out: statfs(2), and the start of a program in a directory of its own.
#include <spawn.h>
#include <sys/statfs.h>

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
