/* looker.c - see looker.h. */
#include "analyzer/cli/looker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "analyzer/model/memory.h"
#include "eventlog/events.h"
#include "eventlog/packet.h"

/* The directory is read again after so long, for processes that have come. */
#define RESCAN_NS INT64_C(150000000)
/* The share of the time so far that passes before the next look. */
#define LOOK_SHARE 0.1
/* One look is bounded: what is beyond is left out, and the others stand for it. */
#define PROCESSES_MOST 64u
#define THREADS_MOST   256u

/* A process and the cells of its threads, mapped. */
struct seen {
    char *name; /* "<pid>.<n>" */
    pid_t pid;
    const char *cells;
    size_t bytes;
    bool over; /* it cannot be read (any more) */
};

struct looker {
    char *dir;
    struct seen *processes;
    size_t n;
    struct timespec first, last, scanned;
    struct looker_result result;
};

struct looker *looker_create(const char *dir)
{
    struct looker *l = xcalloc(1, sizeof(*l));
    l->dir = xstrdup(dir);
    clock_gettime(CLOCK_MONOTONIC, &l->first);
    l->last = l->first;
    return l;
}

static void leave(struct seen *p)
{
    if (p->cells)
        munmap((void *)(uintptr_t)p->cells, p->bytes);
    p->cells = NULL;
    p->over = true;
}

void looker_destroy(struct looker *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        leave(&l->processes[i]);
        free(l->processes[i].name);
    }
    free(l->processes);
    free(l->dir);
    free(l);
}

static bool is_known(const struct looker *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->processes[i].name, name) == 0)
            return true;
    return false;
}

/* Where the packet of such cells begins in the file, and its bytes; false when it has none. */
static bool find_packet(int fd, uint32_t id, off_t *at, size_t *bytes)
{
    struct el_packet packet;
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    for (*at = 0; pread(fd, &packet, sizeof(packet), *at) == (ssize_t)sizeof(packet);
         *at += (off_t)*bytes) {
        *bytes = packet.packet_bits / 8;
        if (*bytes < sizeof(packet) || *bytes > (uint64_t)(st.st_size - *at))
            return false;
        if (packet.slot == id)
            return true;
    }
    return false;
}

static bool map_cells_of(struct seen *p, const char *dir, const char *name)
{
    off_t at;
    size_t bytes;
    char *path = xasprintf("%s/%s/%s", dir, p->name, name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return false;
    if (find_packet(fd, EL_ID_inside, &at, &bytes)) {
        void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, at);
        if (map != MAP_FAILED) {
            p->cells = map;
            p->bytes = bytes;
        }
    }
    close(fd);
    return p->cells != NULL;
}

/* The first chunk of cells is enough: it has room for a hundred threads. Where the log may be very
 * small it is a file of its own. */
static bool map_cells(struct seen *p, const char *dir)
{
    return map_cells_of(p, dir, "cells-summary-0") || map_cells_of(p, dir, "cells-inside-0");
}

static void scan(struct looker *l)
{
    DIR *d = opendir(l->dir);
    struct dirent *e;
    while (d && l->n < PROCESSES_MOST && (e = readdir(d))) {
        char *dot;
        long pid = strtol(e->d_name, &dot, 10);
        if (pid <= 0 || *dot != '.' || is_known(l, e->d_name))
            continue;
        struct seen p = {.name = xstrdup(e->d_name), .pid = (pid_t)pid};
        if (!map_cells(&p, l->dir)) {
            free(p.name); /* it has only begun */
            continue;
        }
        XGROW(l->processes, l->n);
        l->processes[l->n++] = p;
    }
    if (d)
        closedir(d);
}

/* The part of its time as a runnable thread in which it ran: on a busy machine a thread that is
 * seen inside may only have lost the processor there. */
static double running_share(pid_t pid, uint32_t tid)
{
    unsigned long long ran = 0, waited = 0;
    char *path = xasprintf("/proc/%d/task/%u/schedstat", (int)pid, tid);
    FILE *f = fopen(path, "re");
    bool known = f && fscanf(f, "%llu %llu", &ran, &waited) == 2 && ran > 0;
    if (f)
        fclose(f);
    free(path);
    return known ? (double)ran / ((double)ran + (double)waited) : 1;
}

/* The words of one process: how many threads there are, and how many were inside, running. */
static void look_at(struct seen *p, struct looker_result *r, double *inside)
{
    const size_t stride = sizeof(uint64_t) + EL_ROUND8(sizeof(struct el_inside));
    struct iovec from[THREADS_MOST], to;
    uint32_t words[THREADS_MOST], tids[THREADS_MOST];
    size_t n = 0;
    for (size_t at = sizeof(struct el_packet) + sizeof(uint64_t);
         n < THREADS_MOST && at + sizeof(struct el_inside) <= p->bytes; at += stride) {
        const struct el_inside *cell = (const struct el_inside *)(const void *)(p->cells + at);
        uint64_t address = cell->address;
        if (__atomic_load_n(&cell->state, __ATOMIC_ACQUIRE) != EL_LIVE || address == 0)
            continue;
        tids[n] = cell->tid;
        from[n++] = (struct iovec){(void *)(uintptr_t)address, sizeof(words[0])};
    }
    to = (struct iovec){words, n * sizeof(words[0])};
    ssize_t got = n > 0 ? process_vm_readv(p->pid, &to, 1, from, n, 0) : 0;
    if (got < 0) {
        if (errno != EFAULT)
            leave(p);
        return;
    }
    /* A thread that has just ended took its memory away: those before it were read. */
    size_t read = (size_t)got / sizeof(words[0]);
    r->looks += (int64_t)read;
    for (size_t i = 0; i < read; i++) {
        if (words[i] == 0)
            continue;
        r->inside++;
        *inside += running_share(p->pid, tids[i]);
    }
}

static int64_t ns_between(struct timespec from, struct timespec to)
{
    return (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
}

double looker_look(struct looker *l)
{
    struct timespec now;
    double inside = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (l->n == 0 || ns_between(l->scanned, now) >= RESCAN_NS) {
        scan(l);
        l->scanned = now;
    }
    for (size_t i = 0; i < l->n; i++)
        if (!l->processes[i].over)
            look_at(&l->processes[i], &l->result, &inside);
    l->result.inside_ns += (int64_t)(inside * (double)ns_between(l->last, now));
    l->last = now;
    double next = (double)ns_between(l->first, now) * 1e-9 * LOOK_SHARE;
    return next < LOOKER_LEAST_S ? LOOKER_LEAST_S : next > LOOKER_MOST_S ? LOOKER_MOST_S : next;
}

struct looker_result looker_result(const struct looker *l)
{
    return l->result;
}
