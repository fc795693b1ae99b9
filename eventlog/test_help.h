/*
 * test_help.h - what the tests of this folder share: a directory that vanishes, and events filled
 * and compared by the tables of events.def, so that a new event is tested by being there.
 */
#ifndef EVENTLOG_TEST_HELP_H
#define EVENTLOG_TEST_HELP_H

#include "eventlog/reader.h"
#include "eventlog/writer.h"

/* Makes a directory and gives its path; it and all in it are removed by test_dir_remove. */
void test_dir_make(char path[64]);
void test_dir_remove(const char *path);

/* Where the environment names check-babeltrace.sh (EL_CHECK) and el-count (EL_COUNT): lets both
 * readers count the logs below `root`, and says whether they agree. */
bool test_babeltrace_agrees(const char *root);

/* A sequence of numbers that depends on its seed only. */
uint64_t test_random(uint64_t *state);

/* One event or cell, with room for its text or sequence. */
struct test_event {
    const struct el_event_info *info;
    union el_any any;
    char text[200];
    uint64_t items[40];
};

/* Fills every field with what depends on `seed`. A cell's state is not EL_FREE. */
void test_fill(struct test_event *event, const struct el_event_info *info, uint64_t seed);
/* Whether a record holds what the event does. */
bool test_equal(const struct test_event *event, const struct el_record *record);
/* Writes an event by its el_write_<name>_at; false when it was lost. */
bool test_write(struct el_slot *slot, uint64_t time, const struct test_event *event);
/* Puts a cell by its el_alloc_<name>; NULL when there was none. */
void *test_put_cell(struct el_log *log, const struct test_event *event);

/* A number that depends on every value in the record, to the last byte of its text or list. A field
 * that the log does not have is zero and changes nothing. */
uint64_t test_sum_record(const struct el_record *record);

/* All of a log, whole or damaged, read and counted. */
struct test_counts {
    enum el_read_error error;
    uint64_t events, cells, lost, damage, unknown;
    uint64_t sum; /* of test_sum_record */
    uint64_t by_id[256];
    struct el_summary summary;
};
struct test_counts test_count(const char *dir);

/* Writes a record with every event and cell, in three slots and some packets: `rounds` of each. */
int test_write_sample(const char *root, unsigned rounds, char dir[EL_PATH_MOST]);

#endif
