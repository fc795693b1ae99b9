/*
 * sanitizer.c - see sanitizer.h.
 */
#include "analyzer/cli/sanitizer.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>

#include "analyzer/model/memory.h"

static bool is_runtime(const char *name)
{
    static const char *const names[] = {"libasan.so",   "libtsan.so",       "liblsan.so",
                                        "libhwasan.so", "libclang_rt.asan", "libclang_rt.tsan"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static char *find_needed(Elf *elf, Elf_Scn *section, const GElf_Shdr *head)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data && head->sh_entsize ? data->d_size / head->sh_entsize : 0;
    for (size_t i = 0; i < n; i++) {
        GElf_Dyn d;
        if (!gelf_getdyn(data, (int)i, &d) || d.d_tag == DT_NULL)
            break;
        const char *name =
            d.d_tag == DT_NEEDED ? elf_strptr(elf, head->sh_link, d.d_un.d_val) : NULL;
        if (name && is_runtime(name))
            return xstrdup(name);
    }
    return NULL;
}

char *sanitizer_runtime(const char *program)
{
    char *found = NULL;
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Elf_Scn *section = NULL;
    while (elf && !found && (section = elf_nextscn(elf, section))) {
        GElf_Shdr head;
        if (gelf_getshdr(section, &head) && head.sh_type == SHT_DYNAMIC)
            found = find_needed(elf, section, &head);
    }
    elf_end(elf);
    close(fd);
    return found;
}
