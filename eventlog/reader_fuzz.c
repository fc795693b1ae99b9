/*
 * reader_fuzz.c - libFuzzer's target over the reader. Its input is a packed record, test_pack.h.
 *
 * Seeds: mkdir SEEDS; for n in 0 1 3; do el-sample $n > SEEDS/$n; done. Then reader_fuzz SEEDS.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eventlog/test_help.h"
#include "eventlog/test_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char dir[64];
    /* In memory where there is such a place: the disk would be most of the work. */
    strcpy(dir, "/dev/shm/eventlog-fuzz-XXXXXX");
    if (mkdtemp(dir) == NULL)
        test_dir_make(dir);
    test_unpack(bytes, n, dir);
    test_count(dir);
    test_dir_remove(dir);
    return 0;
}
