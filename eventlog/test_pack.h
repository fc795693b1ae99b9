/*
 * test_pack.h - a record in one piece of memory: for fixtures and for fuzzing.
 *
 * The piece is a row of files, each: length of its name (1 byte), name, size (4 bytes), stored
 * bytes (4 bytes), those bytes; the rest of the file is zero. Little-endian.
 */
#ifndef EVENTLOG_TEST_PACK_H
#define EVENTLOG_TEST_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "eventlog/reader.h"

struct test_pack {
    uint8_t *bytes;
    size_t n;
};

/* Packs the files of a record. 0, or -1 when one cannot be read. */
int test_pack_dir(const char *dir, struct test_pack *out);
void test_pack_clear(struct test_pack *pack);

/* Makes the files in `dir`, which exists. Any bytes are allowed: what is no file of a record is
 * left out, sizes are limited. */
void test_unpack(const uint8_t *bytes, size_t n, const char *dir);

/* A number that depends on every value in the record. A field that the record does not have is zero
 * and changes nothing. */
uint64_t test_sum_record(const struct el_record *record);

/* Reads all that a damaged record has, every byte of every text and sequence included. The result
 * depends on all of it. */
uint64_t test_read_all(const char *dir);

#endif
