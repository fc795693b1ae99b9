/*
 * files.c - makes and grows the files of a record so that they are valid at every instant, and so
 * that no store into their mappings can fail.
 *
 * A file of events grows by a write of whole pages, each an empty packet. The kernel copies page by
 * page: a process killed in the middle leaves a shorter row of whole packets. Where no descriptor
 * is to be had it grows by its name, and its mapping by itself: a process killed between the two
 * leaves empty pages at its end. A file of cells has one packet of any size, the first one of all
 * several: it is made under a hidden name and renamed when their heads are in place. Both have
 * their blocks, or the promise of them, before they are mapped: a full disk is an error here and no
 * SIGBUS later. The last of a disk is left to the program, which may write to the same one.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

/* Packets in one write: what lies on the stack, which may be a signal handler's, stays small. */
#define BATCH 8

/* Left free of a disk: this part of it, and no more than so much. */
#define LEFT_SHARE 32u
#define LEFT_MOST  (UINT64_C(64) << 20)

/* Read only, but not const: it shall cost address space and no bytes of the library. */
static char zeros[EL_PACKET_MOST] __attribute__((aligned(EL_PACKET_BYTES)));

/* Makes the zeros that follow a packet's head present. Where the kernel has to fetch them in the
 * middle of its copy it first ends the file behind the head, and dies there if it is told to. */
static void touch_zeros(size_t bytes)
{
    for (size_t at = 0; at < bytes; at += EL_PACKET_BYTES)
        (void)*(volatile char *)&zeros[at];
}

void el_text_add(struct el_text *text, const char *word)
{
    while (*word != '\0' && text->at < text->end)
        *text->at++ = *word++;
}

void el_text_add_number(struct el_text *text, uint64_t number)
{
    char digits[24];
    char *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    el_text_add(text, at);
}

void el_name_events(char name[EL_NAME_MOST], uint32_t slot)
{
    struct el_text text = {name, name + EL_NAME_MOST - 1};
    el_text_add(&text, "events-");
    el_text_add_number(&text, slot);
    *text.at = '\0';
}

void el_name_cells(char name[EL_NAME_MOST], uint32_t id, uint32_t chunk)
{
    struct el_text text = {name, name + EL_NAME_MOST - 1};
    el_text_add(&text, "cells-");
    el_text_add(&text, el_find_info(id)->name);
    el_text_add(&text, "-");
    el_text_add_number(&text, chunk);
    *text.at = '\0';
}

void el_packet_begin(struct el_packet *packet, const struct el_log *log, enum el_stream stream,
                     uint64_t bytes)
{
    *packet = (struct el_packet){
        .magic = EL_MAGIC,
        .stream = stream,
        .content_bits = sizeof(struct el_packet) * 8,
        .packet_bits = bytes * 8,
    };
    memcpy(packet->uuid, log->uuid, sizeof(packet->uuid));
}

/* Writes n <= BATCH empty packets in one call. The number of whole ones that were, or a negative
 * errno. A short write of a regular file means that the room ended; a part of a packet that it may
 * have left is written over, or goes with what the caller takes back when the error shows. */
static long write_heads(int fd, uint64_t offset, struct el_packet *heads, uint32_t n, size_t bytes)
{
    struct iovec iov[2 * BATCH];
    for (uint32_t i = 0; i < n; i++) {
        iov[2 * i] = (struct iovec){&heads[i], sizeof(heads[i])};
        iov[2 * i + 1] = (struct iovec){zeros, bytes - sizeof(heads[i])};
    }
    long written = el_sys_pwritev(fd, iov, (int)(2 * n), offset);
    if (written < 0)
        return written;
    return (size_t)written < bytes ? -ENOSPC : written / (long)bytes;
}

/* An empty packet of events at that place in the slot's file. */
static void begin_events(struct el_packet *packet, const struct el_log *log,
                         const struct el_slot *slot, uint64_t offset)
{
    el_packet_begin(packet, log, EL_STREAM_EVENTS, log->page);
    packet->lost = slot->lost;
    packet->number = offset / log->page;
    packet->tid = slot->tid;
    packet->slot = slot->number;
}

/* Writes `count` empty packets of events; 0 or a negative errno. */
static int write_packets(const struct el_log *log, const struct el_slot *slot, int fd,
                         uint64_t offset, uint32_t count)
{
    struct el_packet heads[BATCH];
    const size_t page = log->page;

    touch_zeros(page);
    while (count > 0) {
        uint32_t n = count < BATCH ? count : BATCH;
        for (uint32_t i = 0; i < n; i++)
            begin_events(&heads[i], log, slot, offset + i * page);
        long whole = write_heads(fd, offset, heads, n, page);
        if (whole < 0)
            return (int)whole;
        count -= (uint32_t)whole;
        offset += (uint64_t)whole * page;
    }
    return 0;
}

/* 0, or -ENOSPC where so many bytes would take what is left to the program. */
static int room_on(const struct statfs *disk, uint64_t bytes)
{
    const uint64_t block = (uint64_t)disk->f_bsize, share = disk->f_blocks / LEFT_SHARE * block;
    const uint64_t left = share < LEFT_MOST ? share : LEFT_MOST;
    return disk->f_blocks != 0 && disk->f_bavail * block < bytes + left ? -ENOSPC : 0;
}

static int room_for(int fd, uint64_t bytes)
{
    struct statfs disk;
    return el_sys_fstatfs(fd, &disk) < 0 ? 0 : room_on(&disk, bytes);
}

void *el_files_grow(struct el_log *log, const struct el_slot *slot, uint64_t offset, uint32_t count,
                    int *error)
{
    const uint64_t bytes = (uint64_t)count * log->page;
    char name[EL_NAME_MOST];
    void *at = NULL;

    /* Asked beforehand: the write would raise SIGXFSZ in the program. */
    if (el_sys_file_limit() < offset + bytes) {
        *error = -EFBIG;
        return NULL;
    }
    int dir = el_files_dir(log);
    if (dir < 0) {
        *error = dir;
        return NULL;
    }
    el_name_events(name, slot->number);
    int fd = el_sys_open(dir, name, O_RDWR | (offset == 0 ? O_CREAT : 0));
    if (fd < 0) {
        *error = fd;
    } else {
        *error = room_for(fd, bytes);
        if (*error == 0)
            *error = write_packets(log, slot, fd, offset, count);
        if (*error == 0)
            at = el_sys_map(fd, offset, bytes, 0, error);
        if (at == NULL)
            el_sys_truncate(fd, offset);
        else if (count > 1) /* MAP_POPULATE would make them to be read: a fault for each write */
            el_sys_populate(at, bytes);
        el_sys_close(fd);
    }
    el_sys_close(dir);
    return at;
}

/* Makes the file longer, and the pages that `at` maps there present: 0 or a negative errno. It must
 * be as long as it is known to be: who has another root finds another's there, or none. */
static int lengthen(const char *path, uint64_t offset, char *at, uint64_t bytes)
{
    struct statfs disk;
    struct stat st;
    int error = el_sys_stat(path, &st);
    if (error == 0 && (uint64_t)st.st_size != offset)
        error = -ENOENT;
    if (error == 0 && el_sys_statfs(path, &disk) == 0)
        error = room_on(&disk, bytes);
    if (error == 0)
        error = el_sys_truncate_path(path, offset + bytes);
    if (error != 0)
        return error;
    error = el_sys_populate(at, bytes);
    if (error != 0)
        el_sys_truncate_path(path, offset);
    return error;
}

void *el_files_stretch(const struct el_log *log, const struct el_slot *slot, uint32_t count)
{
    const uint64_t bytes = (uint64_t)count * log->page, offset = slot->file_bytes;
    char name[EL_NAME_MOST];
    int error = 0;

    if (slot->window == NULL)
        return NULL;
    char *path = el_sys_map(-1, 0, EL_PATH_MOST, 0, &error); /* the stack may be a small one */
    if (path == NULL)
        return NULL;
    char *both = el_sys_map_again(slot->window, slot->window_bytes + bytes, &error);
    char *at = both == NULL ? NULL : both + slot->window_bytes;
    if (at != NULL) {
        struct el_text text = {path, path + EL_PATH_MOST - 1};
        el_name_events(name, slot->number);
        el_text_add(&text, log->dir);
        el_text_add(&text, "/");
        el_text_add(&text, name);
        error = lengthen(path, offset, at, bytes);
        for (uint32_t i = 0; error == 0 && i < count; i++) {
            const uint64_t there = (uint64_t)i * log->page;
            begin_events((struct el_packet *)(at + there), log, slot, offset + there);
        }
        el_sys_unmap(both, slot->window_bytes + (error == 0 ? 0 : bytes));
    }
    el_sys_unmap(path, EL_PATH_MOST);
    return error == 0 ? at : NULL;
}

/* Gives the file blocks for all its bytes. */
static int allocate(int fd, uint64_t bytes)
{
    int error;
    do {
        error = el_sys_fallocate(fd, bytes);
    } while (error == -EINTR);
    if (error != -EOPNOTSUPP && error != -ENOSYS)
        return error;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t left = bytes - done;
        struct iovec iov = {zeros, left < sizeof(zeros) ? left : sizeof(zeros)};
        long written = el_sys_pwritev(fd, &iov, 1, done);
        if (written <= 0)
            return written < 0 ? (int)written : -ENOSPC;
        done += (uint64_t)written;
    }
    return 0;
}

static void begin_cells(struct el_packet *packet, const struct el_log *log, uint32_t id,
                        uint32_t number, uint64_t bytes)
{
    el_packet_begin(packet, log, EL_STREAM_CELLS, bytes);
    packet->number = number;
    packet->slot = id;
}

/* Writes packets of a page each: that takes less than to have the pages of a mapping made, and
 * those of them that stay empty are never mapped. */
static int write_cells(const struct el_log *log, int fd, const uint32_t *ids, uint32_t n)
{
    struct el_packet heads[BATCH];
    for (uint32_t done = 0; done < n;) {
        const uint32_t batch = n - done < BATCH ? n - done : BATCH;
        for (uint32_t i = 0; i < batch; i++)
            begin_cells(&heads[i], log, ids[done + i], done + i, log->page);
        long whole = write_heads(fd, (uint64_t)done * log->page, heads, batch, log->page);
        if (whole < 0)
            return (int)whole;
        done += (uint32_t)whole;
    }
    return 0;
}

/* The file's packets, mapped; of several each is a page. */
static struct el_packet *fill_chunk(const struct el_log *log, int fd, const uint32_t *ids,
                                    uint32_t n, uint64_t bytes, int *error)
{
    const int pages = bytes == log->page;
    *error = room_for(fd, n * bytes);
    if (*error == 0)
        *error = pages ? write_cells(log, fd, ids, n) : allocate(fd, bytes);
    struct el_packet *packet = *error == 0 ? el_sys_map(fd, 0, n * bytes, 0, error) : NULL;
    if (packet != NULL && !pages)
        begin_cells(packet, log, ids[0], 0, bytes);
    return packet;
}

struct el_packet *el_files_chunk(struct el_log *log, const uint32_t *ids, uint32_t n,
                                 uint32_t chunk, uint64_t bytes, int *error)
{
    /* Hidden files are no part of a trace for babeltrace2 either. */
    char hidden[EL_NAME_MOST + 1] = ".";
    char *name = hidden + 1;
    const uint64_t all = n * bytes;
    struct el_packet *packet = NULL;

    if (el_sys_file_limit() < all) {
        *error = -EFBIG;
        return NULL;
    }
    int dir = el_files_dir(log);
    if (dir < 0) {
        *error = dir;
        return NULL;
    }
    el_name_cells(name, ids[0], chunk);
    int fd = el_sys_open(dir, hidden, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0) {
        *error = fd;
        el_sys_close(dir);
        return NULL;
    }
    packet = fill_chunk(log, fd, ids, n, bytes, error);
    if (packet != NULL) {
        *error = el_sys_rename(dir, hidden, name);
        if (*error != 0) {
            el_sys_unmap(packet, all);
            packet = NULL;
        }
    }
    if (packet == NULL)
        el_sys_unlink(dir, hidden);
    el_sys_close(fd);
    el_sys_close(dir);
    return packet;
}
