/*
 * stream.c - see stream.h.
 */
#include "eventlog/stream.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void el_damage_add(struct el_damage *d, const char *file, uint64_t at, const char *fmt, ...)
{
    d->count++;
    if (d->kept == EL_DAMAGE_KEPT)
        return;
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    char *whole = NULL;
    if (asprintf(&whole, "%s: %s at byte %llu", file, text, (unsigned long long)at) >= 0)
        d->texts[d->kept++] = whole;
}

void el_damage_clear(struct el_damage *d)
{
    for (size_t i = 0; i < d->kept; i++)
        free(d->texts[i]);
    memset(d, 0, sizeof *d);
}

static size_t read_at(const struct el_file *s, int dir, char *to, size_t n, uint64_t at)
{
    int fd = openat(dir, s->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, to + got, n - got, (off_t)(at + got));
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    close(fd);
    return got;
}

/* The file's bytes [at, at + n), n at most the window's size; NULL when they are not there. */
static const char *need(struct el_file *s, int dir, uint64_t at, size_t n)
{
    if (n > s->window_size || at > s->size || n > s->size - at)
        return NULL;
    if (at < s->window_at || at + n > s->window_at + s->window_used) {
        uint64_t left = s->size - at;
        size_t want = left < s->window_size ? (size_t)left : s->window_size;
        s->window_used = read_at(s, dir, s->window, want, at);
        s->window_at = at;
        if (s->window_used < n)
            return NULL;
    }
    return s->window + (at - s->window_at);
}

static bool is_packet(const struct el_packet *p, const struct el_file *s,
                      const struct el_metadata *m)
{
    return p->magic == EL_MAGIC && memcmp(p->uuid, m->uuid, sizeof p->uuid) == 0 &&
           p->stream == (uint32_t)s->class;
}

/* A file may claim any size, and be a hole for most of it: no search goes on for ever. */
#define SEARCH_MOST (UINT64_C(128) << 20)

/* After a damaged packet: the next page that begins like one. */
static bool find_packet(struct el_file *s, const struct el_source *src, uint64_t from)
{
    for (uint64_t at = (from + EL_PACKET_BYTES) & ~(uint64_t)(EL_PACKET_BYTES - 1);
         at + sizeof(struct el_packet) <= s->size; at += EL_PACKET_BYTES) {
        struct el_packet p;
        s->searched += EL_PACKET_BYTES;
        if (s->searched > SEARCH_MOST) {
            el_damage_add(src->damage, s->name, at,
                          "the rest is given up: too much of it is damaged");
            return false;
        }
        const char *bytes = need(s, src->dir, at, sizeof p);
        if (bytes == NULL)
            return false;
        memcpy(&p, bytes, sizeof p);
        if (is_packet(&p, s, src->metadata)) {
            s->next_packet = at;
            return true;
        }
    }
    return false;
}

/* Takes the sizes of a packet's head, as far as they can be true. */
static void enter_packet(struct el_file *s, const struct el_source *src, const struct el_packet *p,
                         uint64_t at)
{
    uint64_t room = s->size - at;
    uint64_t bytes = p->packet_bits / 8;
    if (p->packet_bits % 64 != 0 || bytes < sizeof *p || bytes > EL_CHUNK_MOST) {
        el_damage_add(src->damage, s->name, at, "a packet says that it has %llu bits",
                      (unsigned long long)p->packet_bits);
        bytes = room;
    } else if (bytes > room) {
        el_damage_add(src->damage, s->name, s->size, "the file is cut off inside a packet");
        bytes = room;
    }
    uint64_t content = p->content_bits / 8;
    if (p->content_bits % 8 != 0 || content < sizeof *p || content > bytes) {
        if (content <= p->packet_bits / 8 && p->content_bits % 8 == 0 && content >= sizeof *p)
            content = bytes; /* only cut off, which was said */
        else {
            el_damage_add(src->damage, s->name, at, "a packet says that it holds %llu bits",
                          (unsigned long long)p->content_bits);
            content = content > bytes ? bytes : sizeof *p;
        }
    }
    s->packet = at;
    s->at = at + sizeof *p;
    s->content_end = at + content;
    s->next_packet = at + bytes;
    s->done = s->next_packet;
    s->tid = p->tid;
    if (p->lost > s->lost)
        s->lost = p->lost;
}

static bool next_packet(struct el_file *s, const struct el_source *src)
{
    for (;;) {
        struct el_packet p;
        uint64_t at = s->next_packet;
        if (at == s->size)
            return false;
        const char *bytes = need(s, src->dir, at, sizeof p);
        if (bytes == NULL) {
            el_damage_add(src->damage, s->name, at, "the file is cut off inside a packet's head");
            s->next_packet = s->size;
            return false;
        }
        memcpy(&p, bytes, sizeof p);
        if (is_packet(&p, s, src->metadata)) {
            enter_packet(s, src, &p, at);
            return true;
        }
        el_damage_add(src->damage, s->name, at, "no packet of this record begins here");
        if (!find_packet(s, src, at)) {
            s->next_packet = s->size;
            return false;
        }
    }
}

/* Copies the record's fields to where this version has them. */
static void take_fields(const struct el_layout *l, const char *from, char *to)
{
    for (uint32_t i = 0; i < l->nfields; i++) {
        const struct el_layout_field *f = &l->fields[i];
        if (f->to >= 0)
            memcpy(to + f->to, from, (size_t)f->copies * f->bytes);
        from += (size_t)f->count * f->bytes;
    }
}

/* Length of the record's tail, from the `n` bytes of content behind the fixed part; -1: broken. */
static ssize_t take_tail(const struct el_layout *l, const char *from, size_t n, char *to)
{
    if (l->tail == EL_TAIL_TEXT) {
        const char *nul = memchr(from, '\0', n);
        if (nul == NULL)
            return -1;
        if (l->tail_to >= 0)
            memcpy(to + l->tail_to, &from, sizeof from);
        return nul - from + 1;
    }
    if (l->tail == EL_TAIL_SEQUENCE) {
        uint64_t count;
        if (n < sizeof count)
            return -1;
        memcpy(&count, from, sizeof count);
        if (count > (n - sizeof count) / 8)
            return -1;
        const char *items = from + sizeof count;
        if (l->tail_to >= 0) {
            memcpy(to + l->tail_to, &count, sizeof count);
            memcpy(to + l->tail_to + sizeof count, &items, sizeof items);
        }
        return (ssize_t)(sizeof count + count * 8);
    }
    return 0;
}

/* Gives the rest of the packet up. */
static void give_up(struct el_file *s, const struct el_source *src, const char *why)
{
    el_damage_add(src->damage, s->name, s->at, "%s", why);
    s->at = s->content_end;
}

/* Decodes the record at s->at. False: it was none for the caller, look for the next one. */
static bool decode(struct el_file *s, const struct el_source *src)
{
    uint64_t left = s->content_end - s->at;
    size_t n = left < EL_RECORD_MOST ? (size_t)left : EL_RECORD_MOST;
    const char *bytes = need(s, src->dir, s->at, n);
    if (bytes == NULL) {
        give_up(s, src, "the file is shorter than its packets say");
        return false;
    }
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    const struct el_layout *l = src->metadata->layouts[EL_WORD_ID(word)];
    if (l == NULL) {
        give_up(s, src, "an event that the metadata does not know");
        return false;
    }
    if (sizeof word + l->fixed > n) {
        give_up(s, src, "an event is cut off");
        return false;
    }
    struct el_record *r = &s->record;
    memset(&r->any, 0, sizeof r->any);
    take_fields(l, bytes + sizeof word, (char *)&r->any);
    size_t head = sizeof word + l->fixed;
    ssize_t tail = take_tail(l, bytes + head, n - head, (char *)&r->any);
    if (tail < 0) {
        give_up(s, src, "an event's text or list has no end");
        return false;
    }
    uint64_t next = s->at + EL_ROUND8(head + (size_t)tail);
    s->at = next < s->content_end ? next : s->content_end;
    if (l->info == NULL) {
        src->damage->unknown++;
        return false;
    }
    r->time = EL_WORD_TIME(word);
    if (r->time < s->time) {
        el_damage_add(src->damage, s->name, s->at, "the time goes back");
        r->time = s->time;
    }
    s->time = r->time;
    r->info = l->info;
    r->tid = s->tid;
    return true;
}

bool el_file_next(struct el_file *s, const struct el_source *source)
{
    for (;;) {
        if (s->content_end - s->at < sizeof(uint64_t)) {
            if (s->at != s->content_end)
                give_up(s, source, "an event is cut off");
            if (!next_packet(s, source))
                return false;
            continue;
        }
        if (decode(s, source))
            return true;
    }
}
