/*
 * small_pages.c - where the kernel gives huge pages to all, what the library maps for itself takes
 * none: a word written into such a mapping would cost 2 MiB in each process. Whether a mapping may
 * have them the kernel tells whatever it gives to all.
 */
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define HUGE_KB 2048

/* Mappings that can be written, of no file, of a huge page or more, that may have huge pages. */
static int count(void)
{
    char line[512];
    unsigned long kb = 0;
    int found = 0;
    bool ours = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    MUST(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned long lo, hi, inode;
        char rights[8], name[8] = "";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %7s", &lo, &hi, rights, &inode, name) >= 4) {
            ours = inode == 0 && name[0] == '\0' && rights[1] == 'w' && rights[3] == 'p';
            kb = (hi - lo) / 1024;
        } else if (ours && kb >= HUGE_KB && strncmp(line, "VmFlags:", 8) == 0) {
            found += strstr(line, " nh") == NULL;
        }
    }
    fclose(file);
    return found;
}

int main(void)
{
    printf("mappings for huge pages: %d\n", count());
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        free(malloc(100));
        printf("in a child: %d\n", count());
        return 0;
    }
    MUST(child > 0 && waitpid(child, NULL, 0) == child);
    return 0;
}
