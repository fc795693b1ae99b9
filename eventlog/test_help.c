/* test_help.c - see test_help.h. */
#include "eventlog/test_help.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void test_dir_make(char path[64])
{
    strcpy(path, "/tmp/eventlog-test-XXXXXX");
    if (mkdtemp(path) == NULL) {
        perror("mkdtemp");
        abort();
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

void test_dir_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool test_babeltrace_agrees(const char *root)
{
    char command[1024];
    struct el_list list;
    const char *check = getenv("EL_CHECK");
    if (check == NULL || el_list_processes(root, &list) != EL_READ_OK)
        return true;
    size_t n = list.n;
    el_list_free(&list);
    snprintf(command, sizeof(command), "'%s' '%s' >&2", check, root);
    return n == 0 || system(command) == 0;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void test_fill(struct test_event *event, const struct el_event_info *info, uint64_t seed)
{
    char *to = (char *)&event->any;
    memset(event, 0, sizeof(*event));
    event->info = info;
    for (uint32_t i = 0; i < info->nfields; i++) {
        const struct el_field_info *field = &info->fields[i];
        const uint32_t bytes = el_type_bytes(field->type);
        for (uint32_t k = 0; bytes != 0 && k < field->count; k++, to += bytes) {
            uint64_t value = test_random(&seed);
            memcpy(to, &value, bytes);
        }
        if (field->type == EL_TYPE_STR) {
            const char *text = event->text;
            size_t length = test_random(&seed) % (sizeof(event->text) - 1);
            for (size_t k = 0; k < length; k++)
                event->text[k] = (char)(' ' + test_random(&seed) % 95);
            memcpy(to, &text, sizeof(text));
        } else if (field->type == EL_TYPE_SEQ64) {
            const uint64_t *items = event->items;
            uint64_t count = test_random(&seed) % 41;
            for (size_t k = 0; k < count; k++)
                event->items[k] = test_random(&seed);
            memcpy(to, &count, sizeof(count));
            memcpy(to + sizeof(count), &items, sizeof(items));
        }
    }
    if (info->class == EL_CLASS_CELL)
        event->any.actor.state |= 1; /* every cell begins with its state */
}

bool test_equal(const struct test_event *event, const struct el_record *record)
{
    const struct el_event_info *info = event->info;
    const char *a = (const char *)&event->any, *b = (const char *)&record->any;
    if (record->info != info || memcmp(a, b, info->fixed_bytes) != 0)
        return false;
    const enum el_type last = info->fields[info->nfields - 1].type;
    if (last == EL_TYPE_STR) {
        const char *text;
        memcpy(&text, b + info->fixed_bytes, sizeof(text));
        return text != NULL && strcmp(event->text, text) == 0;
    }
    if (last == EL_TYPE_SEQ64) {
        const uint64_t *items;
        uint64_t count, ours;
        memcpy(&ours, a + info->fixed_bytes, sizeof(ours));
        memcpy(&count, b + info->fixed_bytes, sizeof(count));
        memcpy(&items, b + info->fixed_bytes + sizeof(count), sizeof(items));
        return count == ours && (count == 0 || memcmp(items, event->items, count * 8) == 0);
    }
    return true;
}

#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
bool test_write(struct el_slot *slot, uint64_t time, const struct test_event *event)
{
    switch (event->info->id) {
#define WRITE_EVENT(name)                                                                          \
    case EL_ID_##name:                                                                             \
        return el_write_##name##_at(slot, time, &event->any.name);
#define WRITE_CELL(name)
#define EL_EVENT(name, id, class, text, fields) WRITE_##class(name)
#include "eventlog/events.def"
    default:
        return false;
    }
}

#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
void *test_put_cell(struct el_log *log, const struct test_event *event)
{
    char *to = NULL;
    switch (event->info->id) {
#define PUT_EVENT(name)
#define PUT_CELL(name)                                                                             \
    case EL_ID_##name:                                                                             \
        to = (char *)el_alloc_##name(log);                                                         \
        break;
#define EL_EVENT(name, id, class, text, fields) PUT_##class(name)
#include "eventlog/events.def"
    default:
        break;
    }
    if (to == NULL)
        return NULL;
    const size_t state = sizeof(uint32_t);
    memcpy(to + state, (const char *)&event->any + state, event->info->fixed_bytes - state);
    el_set_state((uint32_t *)to, event->any.actor.state);
    return to;
}

uint64_t test_sum_record(const struct el_record *record)
{
    const struct el_event_info *info = record->info;
    const char *any = (const char *)&record->any;
    uint64_t sum = record->time + record->tid;
    for (uint32_t i = 0; i + 4 <= info->fixed_bytes; i += 4) {
        uint32_t word;
        memcpy(&word, any + i, 4);
        sum += word;
    }
    enum el_type last = info->fields[info->nfields - 1].type;
    if (last == EL_TYPE_STR) {
        const char *text;
        memcpy(&text, any + info->fixed_bytes, sizeof(text));
        sum += text != NULL ? strlen(text) : 0;
    } else if (last == EL_TYPE_SEQ64) {
        uint64_t count;
        const uint64_t *items;
        memcpy(&count, any + info->fixed_bytes, sizeof(count));
        memcpy(&items, any + info->fixed_bytes + sizeof(count), sizeof(items));
        for (uint64_t i = 0; i < count; i++)
            sum += items[i];
    }
    return sum;
}

struct test_counts test_count(const char *dir)
{
    struct test_counts counts = {0};
    struct el_reader *reader;
    struct el_record record;
    counts.error = el_reader_open(dir, &reader);
    if (counts.error != EL_READ_OK)
        return counts;
    while (el_reader_next(reader, &record)) {
        counts.events++;
        counts.sum += test_sum_record(&record);
        counts.by_id[record.info->id]++;
    }
    while (el_reader_next_cell(reader, &record)) {
        counts.cells++;
        counts.sum += test_sum_record(&record);
        counts.by_id[record.info->id]++;
        if (record.info->id == EL_ID_summary)
            counts.summary = record.any.summary;
    }
    counts.lost = el_reader_lost(reader);
    counts.damage = el_reader_damage(reader);
    counts.unknown = el_reader_unknown(reader);
    el_reader_close(reader);
    return counts;
}

int test_write_sample(const char *root, unsigned rounds, char dir[EL_PATH_MOST])
{
    struct el_log *log = calloc(1, sizeof(*log));
    struct el_options options = {.root = root};
    struct el_slot *slots[3];
    if (log == NULL)
        return -1;
    int error = el_log_open(log, &options);
    for (uint32_t i = 0; error == 0 && i < 3; i++) {
        slots[i] = el_slot_acquire(log, 1000 + i);
        error = slots[i] != NULL ? 0 : -1;
    }
    for (unsigned round = 0; error == 0 && round < rounds; round++) {
        for (uint32_t i = 0; i < el_infos_count; i++) {
            struct test_event event;
            test_fill(&event, &el_infos[i], round * 1000 + i);
            bool done = el_infos[i].class == EL_CLASS_CELL
                            ? el_infos[i].id == EL_ID_summary || test_put_cell(log, &event) != NULL
                            : test_write(slots[(round + i) % 3], el_now(log), &event);
            error = error == 0 && !done ? -1 : error;
        }
    }
    el_log_end(log);
    strcpy(dir, log->dir);
    el_log_forget(log);
    free(log);
    return error;
}
