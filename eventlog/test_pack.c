/* test_pack.c - see test_pack.h. */
#include "eventlog/test_pack.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MOST  40u
#define SIZE_MOST  (4u << 20)
#define FILES_MOST 64

static bool is_record_file(const char *name)
{
    return strcmp(name, "metadata") == 0 || strncmp(name, "events-", 7) == 0 ||
           strncmp(name, "cells-", 6) == 0;
}

static int pack_file(int dir, const char *name, struct test_pack *out)
{
    struct stat st;
    uint8_t length = (uint8_t)strlen(name);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size > SIZE_MOST || length > NAME_MOST)
        return -1;
    uint32_t size = (uint32_t)st.st_size;
    uint8_t *bytes = realloc(out->bytes, out->n + 1 + length + 8 + size);
    if (bytes == NULL)
        return -1;
    out->bytes = bytes;
    uint8_t *at = bytes + out->n;
    *at++ = length;
    memcpy(at, name, length);
    at += length;
    if (pread(fd, at + 8, size, 0) != (ssize_t)size)
        return -1;
    close(fd);
    uint32_t stored = size;
    while (stored > 0 && at[8 + stored - 1] == 0)
        stored--;
    memcpy(at, &size, 4);
    memcpy(at + 4, &stored, 4);
    out->n = (size_t)(at + 8 + stored - bytes);
    return 0;
}

int test_pack_dir(const char *path, struct test_pack *out)
{
    struct dirent **entries;
    int result = 0;
    *out = (struct test_pack){0};
    int n = scandir(path, &entries, NULL, alphasort);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (n < 0 || dir < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        if (result == 0 && is_record_file(entries[i]->d_name))
            result = pack_file(dir, entries[i]->d_name, out);
        free(entries[i]);
    }
    free(entries);
    close(dir);
    return result;
}

void test_pack_clear(struct test_pack *pack)
{
    free(pack->bytes);
    *pack = (struct test_pack){0};
}

static void unpack_file(int dir, const char *name, const uint8_t *bytes, uint32_t stored,
                        uint32_t size)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, bytes, stored) == (ssize_t)stored && size > stored) {
        if (ftruncate(fd, size) != 0)
            abort();
    }
    close(fd);
}

void test_unpack(const uint8_t *bytes, size_t n, const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const uint8_t *end = bytes + n;
    for (int i = 0; dir >= 0 && i < FILES_MOST && bytes < end; i++) {
        char name[NAME_MOST + 1] = "";
        uint32_t size, stored;
        size_t length = *bytes++;
        if (length > NAME_MOST || (size_t)(end - bytes) < length + 8)
            break;
        memcpy(name, bytes, length);
        memcpy(&size, bytes + length, 4);
        memcpy(&stored, bytes + length + 4, 4);
        bytes += length + 8;
        if (stored > (size_t)(end - bytes))
            stored = (uint32_t)(end - bytes);
        if (is_record_file(name) && strchr(name, '/') == NULL)
            unpack_file(dir, name, bytes, stored, size < SIZE_MOST ? size : SIZE_MOST);
        bytes += stored;
    }
    if (dir >= 0)
        close(dir);
}
