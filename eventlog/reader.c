/*
 * reader.c - a record's files together: finding them, the order of time over all of them.
 */
#include "eventlog/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eventlog/packet.h"
#include "eventlog/stream.h"

#define METADATA_MOST (1u << 20)
#define WINDOWS_BYTES (64u << 20)
#define WINDOW_MOST   (256u << 10)
#define WINDOW_LEAST  (8u << 10)
_Static_assert(WINDOW_LEAST >= EL_RECORD_MOST, "a record fits into a window");

struct el_reader {
    struct el_metadata metadata;
    struct el_damage damage;
    struct el_source source;
    struct el_file *streams; /* events first, then cells */
    uint32_t nstreams, nevents;
    uint32_t *heap; /* streams of events that have a record, the earliest first */
    uint32_t nheap;
    bool primed;
    uint32_t cell_stream; /* the one that el_reader_next_cell reads */
    uint64_t bytes_total;
};

const char *el_read_error_text(enum el_read_error error)
{
    switch (error) {
    case EL_READ_OK:
        return "no error";
    case EL_READ_NO_DIRECTORY:
        return "the directory cannot be read";
    case EL_READ_NO_METADATA:
        return "this is no record: it has no file `metadata`";
    case EL_READ_BAD_METADATA:
        return "its file `metadata` is damaged, or not of a record made by Loiter";
    case EL_READ_NEWER:
        return "it was written by a newer Loiter: analyze it with that version";
    case EL_READ_NO_MEMORY:
        return "not enough memory";
    }
    return "unknown error";
}

/* ---- directories ---- */

static int by_number(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static bool has_metadata(int dir, const char *name)
{
    struct stat st;
    char path[512];
    size_t n = strlen(name);
    if (n + sizeof "/metadata" > sizeof path)
        return false;
    memcpy(path, name, n);
    memcpy(path + n, "/metadata", sizeof "/metadata");
    return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* <pid>.<n>, the name that the writer gives, or what it becomes where nothing could be written. */
static bool is_process_dir(int dir, const char *name)
{
    struct stat st;
    size_t pid = strspn(name, "0123456789");
    size_t image = name[pid] == '.' ? strspn(name + pid + 1, "0123456789") : 0;
    const char *rest = name + pid + 1 + image;
    return pid > 0 && image > 0 && (*rest == '\0' || strcmp(rest, EL_DIR_FAILED) == 0) &&
           fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int list_add(struct el_list *list, size_t *room, const char *root, const char *name)
{
    if (list->n == *room) {
        size_t more = *room ? *room * 2 : 16;
        char **items = reallocarray(list->items, more, sizeof *items);
        if (items == NULL)
            return -1;
        list->items = items;
        *room = more;
    }
    size_t rn = strlen(root), nn = strlen(name);
    char *path = malloc(rn + nn + 2);
    if (path == NULL)
        return -1;
    memcpy(path, root, rn);
    path[rn] = '/';
    memcpy(path + rn + 1, name, nn + 1);
    if (nn == 0)
        path[rn] = '\0';
    list->items[list->n++] = path;
    return 0;
}

enum el_read_error el_list_processes(const char *root, struct el_list *out)
{
    size_t room = 0;
    *out = (struct el_list){0};
    DIR *d = opendir(root);
    if (d == NULL)
        return EL_READ_NO_DIRECTORY;
    int failed = 0;
    if (has_metadata(dirfd(d), ".")) {
        failed = list_add(out, &room, root, "");
    } else {
        struct dirent *e;
        while (!failed && (e = readdir(d)) != NULL)
            if (is_process_dir(dirfd(d), e->d_name))
                failed = list_add(out, &room, root, e->d_name);
    }
    closedir(d);
    if (failed) {
        el_list_free(out);
        return EL_READ_NO_MEMORY;
    }
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, by_number);
    return EL_READ_OK;
}

void el_list_free(struct el_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct el_list){0};
}

/* Files that a process makes before it records anything. */
static bool is_first_file(const char *name)
{
    return name[0] == '.' || strcmp(name, "metadata") == 0 || strcmp(name, EL_SUMMARY_FILE) == 0;
}

bool el_has_failed(const char *dir)
{
    size_t n = strlen(dir), suffix = sizeof EL_DIR_FAILED - 1;
    return n > suffix && strcmp(dir + n - suffix, EL_DIR_FAILED) == 0;
}

bool el_has_begun(const char *dir)
{
    DIR *d = opendir(dir);
    bool begun = d == NULL || el_has_failed(dir);
    for (struct dirent *e; !begun && (e = readdir(d)) != NULL;)
        begun = !is_first_file(e->d_name);
    if (d != NULL)
        closedir(d);
    return begun;
}

/* ---- opening ---- */

static enum el_read_error read_metadata(struct el_reader *r)
{
    int fd = openat(r->source.dir, "metadata", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return EL_READ_NO_METADATA;
    char *text = malloc(METADATA_MOST + 1);
    size_t n = 0;
    while (text != NULL && n < METADATA_MOST) {
        ssize_t got = read(fd, text + n, METADATA_MOST - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (text == NULL)
        return EL_READ_NO_MEMORY;
    enum el_read_error error = el_metadata_parse(&r->metadata, text, n);
    free(text);
    return error;
}

static bool is_stream_name(const char *name, bool *cells)
{
    *cells = strncmp(name, "cells-", 6) == 0;
    return (*cells || strncmp(name, "events-", 7) == 0) &&
           strlen(name) < sizeof((struct el_file *)NULL)->name;
}

/* The file of the first chunks comes before those of the next ones. */
static int by_class_and_name(const void *a, const void *b)
{
    static const char first[] = EL_SUMMARY_FILE;
    const struct el_file *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (strcmp(x->name, first) == 0 || strcmp(y->name, first) == 0)
        return (strcmp(x->name, first) != 0) - (strcmp(y->name, first) != 0);
    return strverscmp(x->name, y->name);
}

static enum el_read_error find_streams(struct el_reader *r)
{
    int fd = openat(r->source.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return EL_READ_NO_DIRECTORY;
    }
    uint32_t room = 0;
    enum el_read_error error = EL_READ_OK;
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        bool cells;
        struct stat st;
        if (!is_stream_name(e->d_name, &cells) ||
            fstatat(r->source.dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        if (r->nstreams == room) {
            room = room ? room * 2 : 64;
            struct el_file *more = reallocarray(r->streams, room, sizeof *more);
            if (more == NULL) {
                error = EL_READ_NO_MEMORY;
                break;
            }
            r->streams = more;
        }
        struct el_file *s = &r->streams[r->nstreams++];
        memset(s, 0, sizeof *s);
        strcpy(s->name, e->d_name);
        s->class = cells ? EL_FILE_CELLS : EL_FILE_EVENTS;
        s->size = (uint64_t)st.st_size;
        r->bytes_total += s->size;
        r->nevents += !cells;
    }
    closedir(d);
    if (r->nstreams > 1)
        qsort(r->streams, r->nstreams, sizeof *r->streams, by_class_and_name);
    return error;
}

/* All events files are read at once, cells files one after another. */
static enum el_read_error make_windows(struct el_reader *r)
{
    uint32_t share = r->nevents ? WINDOWS_BYTES / r->nevents : WINDOW_MOST;
    size_t most = share < WINDOW_LEAST ? WINDOW_LEAST : share > WINDOW_MOST ? WINDOW_MOST : share;
    for (uint32_t i = 0; i < r->nstreams; i++) {
        struct el_file *s = &r->streams[i];
        size_t want = s->class == EL_FILE_CELLS ? WINDOW_MOST : most;
        s->window_size = s->size < want ? (size_t)s->size + 1 : want;
        if (s->class == EL_FILE_CELLS)
            continue;
        s->window = malloc(s->window_size);
        if (s->window == NULL)
            return EL_READ_NO_MEMORY;
    }
    r->heap = calloc(r->nevents + 1u, sizeof *r->heap);
    return r->heap == NULL ? EL_READ_NO_MEMORY : EL_READ_OK;
}

enum el_read_error el_reader_open(const char *dir, struct el_reader **out)
{
    *out = NULL;
    struct el_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return EL_READ_NO_MEMORY;
    r->source.metadata = &r->metadata;
    r->source.damage = &r->damage;
    r->source.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum el_read_error error = r->source.dir < 0 ? EL_READ_NO_DIRECTORY : EL_READ_OK;
    if (error == EL_READ_OK)
        error = read_metadata(r);
    if (error == EL_READ_OK)
        error = find_streams(r);
    if (error == EL_READ_OK)
        error = make_windows(r);
    if (error != EL_READ_OK) {
        el_reader_close(r);
        return error;
    }
    r->cell_stream = r->nevents;
    *out = r;
    return EL_READ_OK;
}

void el_reader_close(struct el_reader *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i < r->nstreams; i++)
        free(r->streams[i].window);
    free(r->streams);
    free(r->heap);
    el_metadata_clear(&r->metadata);
    el_damage_clear(&r->damage);
    if (r->source.dir >= 0)
        close(r->source.dir);
    free(r);
}

/* ---- the order of time ---- */

static bool earlier(const struct el_reader *r, uint32_t a, uint32_t b)
{
    uint64_t x = r->streams[a].record.time, y = r->streams[b].record.time;
    return x != y ? x < y : a < b;
}

static void sift_down(struct el_reader *r, uint32_t at)
{
    for (;;) {
        uint32_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < r->nheap && earlier(r, r->heap[left], r->heap[least]))
            least = left;
        if (right < r->nheap && earlier(r, r->heap[right], r->heap[least]))
            least = right;
        if (least == at)
            return;
        uint32_t t = r->heap[at];
        r->heap[at] = r->heap[least];
        r->heap[least] = t;
        at = least;
    }
}

static void prime(struct el_reader *r)
{
    r->primed = true;
    for (uint32_t i = 0; i < r->nevents; i++)
        if (el_file_next(&r->streams[i], &r->source))
            r->heap[r->nheap++] = i;
    for (uint32_t i = r->nheap / 2; i-- > 0;)
        sift_down(r, i);
}

/* The stream at the heap's top moves on to its next record. */
static void advance_top(struct el_reader *r)
{
    if (!el_file_next(&r->streams[r->heap[0]], &r->source))
        r->heap[0] = r->heap[--r->nheap];
    sift_down(r, 0);
}

bool el_reader_next(struct el_reader *r, struct el_record *out)
{
    /* The record last given points into its stream's window: that one moves on only now. */
    if (!r->primed)
        prime(r);
    else if (r->nheap > 0)
        advance_top(r);
    if (r->nheap == 0)
        return false;
    *out = r->streams[r->heap[0]].record;
    out->file = r->heap[0];
    return true;
}

bool el_reader_next_cell(struct el_reader *r, struct el_record *out)
{
    for (; r->cell_stream < r->nstreams; r->cell_stream++) {
        struct el_file *s = &r->streams[r->cell_stream];
        if (s->window == NULL && (s->window = malloc(s->window_size)) == NULL)
            return false;
        if (el_file_next(s, &r->source)) {
            *out = s->record;
            out->file = r->cell_stream;
            return true;
        }
        free(s->window);
        s->window = NULL;
    }
    return false;
}

/* ---- what is known ---- */

uint64_t el_reader_clock_hz(const struct el_reader *r)
{
    return r->metadata.hz;
}

uint32_t el_reader_version_minor(const struct el_reader *r)
{
    return r->metadata.minor;
}

uint64_t el_reader_lost(const struct el_reader *r)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < r->nstreams; i++)
        lost += r->streams[i].lost;
    return lost;
}

uint64_t el_reader_bytes_done(const struct el_reader *r)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < r->nstreams; i++)
        done += r->streams[i].done;
    return done;
}

uint64_t el_reader_bytes_total(const struct el_reader *r)
{
    return r->bytes_total;
}

const char *el_reader_file_name(const struct el_reader *r, uint32_t file)
{
    return file < r->nstreams ? r->streams[file].name : "";
}

uint64_t el_reader_damage(const struct el_reader *r)
{
    return r->damage.count;
}

const char *el_reader_damage_text(const struct el_reader *r, size_t i)
{
    return i < r->damage.kept ? r->damage.texts[i] : NULL;
}

uint64_t el_reader_unknown(const struct el_reader *r)
{
    return r->damage.unknown;
}
