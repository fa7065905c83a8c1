#include <archive.h>
#include <archive_entry.h>

/* Writes what waits for one file system: glibc declares it under _GNU_SOURCE only, which Swift's Glibc does not set.
   Any thread; 0, or -1 and errno. */
int syncfs(int descriptor);
