/*
 * fd-leak-event.c - each reload makes a watcher of its own, and an eventfd to be told by; neither
 * is closed.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define RELOADS 40

static void watch(const char *path)
{
    char events[4096];
    int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK); /* LEAK */
    MUST(changes >= 0 && inotify_add_watch(changes, path, IN_MODIFY) >= 0);
    MUST(read(changes, events, sizeof events) == -1);
}

static void tell(void)
{
    eventfd_t value;
    int done = eventfd(0, EFD_CLOEXEC); /* LEAK2 */
    MUST(done >= 0 && eventfd_write(done, 1) == 0 && eventfd_read(done, &value) == 0);
}

int main(void)
{
    for (int i = 0; i < RELOADS; i++) {
        watch("/proc/self/exe");
        tell();
    }
    puts("reloaded");
    return 0;
}
