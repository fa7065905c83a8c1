// Shows the thread sanitizer a Mutex of Swift's library. What it does at once is compiled into its users and seen; what
// it does when it has to wait lies in the library, which is not instrumented: without this every such wait looks like
// none. Preloaded by `sanitize`; x86-64, where Swift passes `self` in r13.
#define _GNU_SOURCE
#include <dlfcn.h>

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define HIDDEN __attribute__((visibility("hidden"), used))

HIDDEN void *huizhen_lock, *huizhen_try_lock, *huizhen_unlock;

__attribute__((constructor)) static void find(void) {
    huizhen_lock = dlsym(RTLD_NEXT, LOCK);
    huizhen_try_lock = dlsym(RTLD_NEXT, TRY_LOCK);
    huizhen_unlock = dlsym(RTLD_NEXT, UNLOCK);
}

HIDDEN void huizhen_acquired(void *mutex) {
    if (__tsan_acquire) { __tsan_acquire(mutex); }
}
HIDDEN void huizhen_releasing(void *mutex) {
    if (__tsan_release) { __tsan_release(mutex); }
}

__attribute__((naked, used)) static void lock(void) {
    __asm__("push %r13\n call *huizhen_lock(%rip)\n mov (%rsp), %rdi\n call huizhen_acquired\n pop %r13\n ret");
}
// An acquisition that did not happen orders too much, which hides a race at worst and never invents one.
__attribute__((naked, used)) static void try_lock(void) {
    __asm__("push %r13\n call *huizhen_try_lock(%rip)\n mov (%rsp), %rdi\n push %rax\n sub $8, %rsp\n"
            "call huizhen_acquired\n add $8, %rsp\n pop %rax\n pop %r13\n ret");
}
__attribute__((naked, used)) static void unlock(void) {
    __asm__("push %r13\n mov %r13, %rdi\n call huizhen_releasing\n pop %r13\n jmp *huizhen_unlock(%rip)");
}

__asm__(".globl \"" LOCK "\"\n.set \"" LOCK "\", lock\n.globl \"" TRY_LOCK "\"\n.set \"" TRY_LOCK "\", try_lock\n"
        ".globl \"" UNLOCK "\"\n.set \"" UNLOCK "\", unlock\n");
