/*
 * el_count.c - el-count DIR: how many events and cells each record below DIR has.
 *
 * Prints a line for each record: its directory, events, cells, and what is wrong with it. Exits
 * with 1 when a record cannot be opened or is damaged. For tests and for looking; the judgement of
 * a record is the analyzer's.
 */
#include <stdio.h>

#include "eventlog/reader.h"

static int count(const char *dir)
{
    struct el_reader *reader;
    struct el_record record;
    unsigned long long events = 0, cells = 0;

    enum el_read_error error = el_reader_open(dir, &reader);
    if (error != EL_READ_OK) {
        printf("%s: cannot be read: %s\n", dir, el_read_error_text(error));
        return 1;
    }
    while (el_reader_next(reader, &record))
        events++;
    while (el_reader_next_cell(reader, &record))
        cells++;
    unsigned long long damage = el_reader_damage(reader);
    printf("%s events=%llu cells=%llu lost=%llu unknown=%llu damage=%llu\n", dir, events, cells,
           (unsigned long long)el_reader_lost(reader),
           (unsigned long long)el_reader_unknown(reader), damage);
    const char *text;
    for (size_t i = 0; (text = el_reader_damage_text(reader, i)) != NULL; i++)
        printf("%s damage: %s\n", dir, text);
    el_reader_close(reader);
    return damage == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct el_list list;
    int bad = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: el-count DIR\n");
        return 2;
    }
    enum el_read_error error = el_list_processes(argv[1], &list);
    if (error != EL_READ_OK) {
        fprintf(stderr, "el-count: %s: %s\n", argv[1], el_read_error_text(error));
        return 1;
    }
    for (size_t i = 0; i < list.n; i++)
        bad |= count(list.items[i]);
    el_list_free(&list);
    return bad;
}
