/*
 * el_sample.c - el-sample ROUNDS: a record with `ROUNDS` of every event and cell, packed as
 * test_pack.h says, on standard output. Seeds of the fuzzer and fixtures are made with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eventlog/test_help.h"
#include "eventlog/test_pack.h"

int main(int argc, char **argv)
{
    char root[64], dir[EL_PATH_MOST];
    struct test_pack pack;

    if (argc != 2 || isatty(STDOUT_FILENO)) {
        fprintf(stderr, "usage: el-sample ROUNDS > FILE\n");
        return 2;
    }
    test_dir_make(root);
    int error = test_write_sample(root, (unsigned)strtoul(argv[1], NULL, 10), dir);
    if (error == 0)
        error = test_pack_dir(dir, &pack);
    test_dir_remove(root);
    if (error != 0 || fwrite(pack.bytes, 1, pack.n, stdout) != pack.n || fflush(stdout) != 0) {
        fprintf(stderr, "el-sample: no sample was written\n");
        return 1;
    }
    test_pack_clear(&pack);
    return 0;
}
