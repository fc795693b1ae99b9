/* outside.c - see outside.h. */
#include "eventlog/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "eventlog/events.h"
#include "eventlog/packet.h"
#include "eventlog/reader.h"

/* Files of events beyond any that a process makes for its threads. */
#define FIRST_NUMBER 1000000u
#define FILES_MOST   1000000u

static bool learn(struct el_outside *o, const char *dir)
{
    struct el_reader *r;
    struct el_record record;
    if (el_reader_open(dir, &r) != EL_READ_OK)
        return false;
    o->clock_hz = el_reader_clock_hz(r);
    bool found = false;
    while (!found && el_reader_next(r, &record))
        found = record.info->id == EL_ID_process; /* that its thread began comes before it */
    if (found) {
        o->at = record.any.process.at;
        o->monotonic_ns = record.any.process.monotonic_ns;
        o->pid = record.any.process.pid;
    }
    el_reader_close(r);
    return found;
}

/* The summary is the first cell of its file, laid out as this version does it. */
static bool find_control(struct el_outside *o)
{
    struct el_packet head;
    int fd = openat(o->dir, EL_SUMMARY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0 && pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
              head.magic == EL_MAGIC &&
              head.content_bits / 8 >= sizeof(head) + sizeof(uint64_t) + sizeof(struct el_summary);
    if (fd >= 0)
        close(fd);
    if (!ok)
        return false;
    memcpy(o->uuid, head.uuid, sizeof(o->uuid));
    o->control_at =
        (uint32_t)(sizeof(head) + sizeof(uint64_t) + offsetof(struct el_summary, control));
    return true;
}

int el_outside_open(const char *dir, struct el_outside *out)
{
    *out = (struct el_outside){.dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (out->dir < 0)
        return -errno;
    if (learn(out, dir) && find_control(out))
        return 0;
    el_outside_close(out);
    return -ENOTSUP;
}

void el_outside_close(struct el_outside *o)
{
    close(o->dir);
}

static uint64_t now_ticks(const struct el_outside *o)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - o->monotonic_ns;
    return o->at + (uint64_t)((unsigned __int128)ns * o->clock_hz / 1000000000u);
}

/* A file that is not there yet, under the name that a reader passes over. */
static int create(const struct el_outside *o, char hidden[64], uint32_t *number)
{
    for (*number = FIRST_NUMBER; *number < FIRST_NUMBER + FILES_MOST; ++*number) {
        snprintf(hidden, 64, ".events-%u", *number);
        if (faccessat(o->dir, hidden + 1, F_OK, 0) == 0)
            continue;
        int fd = openat(o->dir, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd >= 0 ? fd : -errno;
    }
    return -EEXIST;
}

/* One packet with one event, in a file of its own. */
static int append(const struct el_outside *o, enum el_id id, const void *fields, size_t bytes)
{
    union {
        struct el_packet head;
        char bytes[EL_PACKET_BYTES];
    } packet = {.bytes = {0}};
    char hidden[64];
    uint32_t number = 0;
    uint64_t word = EL_WORD((uint64_t)id, now_ticks(o));
    if (sizeof(word) + bytes > EL_RECORD_MOST)
        return -EMSGSIZE;
    int fd = create(o, hidden, &number);
    if (fd < 0)
        return fd;
    packet.head = (struct el_packet){
        .magic = EL_MAGIC,
        .stream = EL_STREAM_EVENTS,
        .content_bits = (sizeof(packet.head) + sizeof(word) + bytes) * 8,
        .packet_bits = sizeof(packet) * 8,
        .tid = (uint32_t)getpid(),
        .slot = number,
    };
    memcpy(packet.head.uuid, o->uuid, sizeof(o->uuid));
    memcpy(packet.bytes + sizeof(packet.head), &word, sizeof(word));
    memcpy(packet.bytes + sizeof(packet.head) + sizeof(word), fields, bytes);
    ssize_t written = write(fd, &packet, sizeof(packet));
    int error = written < 0 ? -errno : written < (ssize_t)sizeof(packet) ? -ENOSPC : 0;
    if (error == 0 && renameat2(o->dir, hidden, o->dir, hidden + 1, RENAME_NOREPLACE) != 0)
        error = -errno;
    if (error != 0)
        unlinkat(o->dir, hidden, 0);
    close(fd);
    return error;
}

int el_outside_control(const struct el_outside *o, enum el_control word)
{
    struct {
        uint32_t word, pad;
    } fields = {(uint32_t)word, 0};
    _Static_assert(sizeof(fields) == EL_FIXED_recording, "the event's fields");
    uint32_t value = (uint32_t)word;
    int fd = openat(o->dir, EL_SUMMARY_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t written = pwrite(fd, &value, sizeof(value), o->control_at);
    int error = written == sizeof(value) ? 0 : written < 0 ? -errno : -EIO;
    close(fd);
    return error != 0 ? error : append(o, EL_ID_recording, &fields, sizeof(fields));
}

int el_outside_mark(const struct el_outside *o, const char *text)
{
    struct {
        uint64_t actor;
        char text[2048];
    } fields = {.actor = 0};
    size_t n = strlen(text);
    if (n >= sizeof(fields.text))
        return -EMSGSIZE;
    memcpy(fields.text, text, n + 1);
    return append(o, EL_ID_mark, &fields, sizeof(fields.actor) + n + 1);
}
