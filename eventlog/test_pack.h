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

#endif
