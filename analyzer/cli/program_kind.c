/*
 * program_kind.c - see program_kind.h. Reads the headers only.
 */
#include "analyzer/cli/program_kind.h"

#include <elf.h>
#include <stdbool.h>

#include "analyzer/model/memory.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#error "program_kind.c: name the machine"
#endif

#define SEGMENTS_MAX 256

static const struct {
    unsigned machine;
    const char *name;
} machines[] = {{EM_X86_64, "x86-64"},    {EM_AARCH64, "aarch64"}, {EM_386, "x86 (32-bit)"},
                {EM_ARM, "arm (32-bit)"}, {EM_RISCV, "riscv"},     {EM_PPC64, "ppc64"},
                {EM_S390, "s390"},        {EM_MIPS, "mips"},       {EM_LOONGARCH, "loongarch"}};

static const char *machine_name(unsigned machine)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "another machine";
}

const char *program_kind_host(void)
{
    return machine_name(HOST_MACHINE);
}

static bool read_at(int fd, void *to, size_t n, uint64_t at)
{
    return at < INT64_MAX && pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

/* The path of the loader; NULL when the file asks for none. */
static char *loader(int fd, const Elf64_Ehdr *h, bool *broken)
{
    for (unsigned i = 0; i < h->e_phnum && i < SEGMENTS_MAX; i++) {
        Elf64_Phdr p;
        char path[256] = {0};
        if (!read_at(fd, &p, sizeof(p), h->e_phoff + i * sizeof(p))) {
            *broken = true;
            return NULL;
        }
        if (p.p_type != PT_INTERP)
            continue;
        size_t n = p.p_filesz < sizeof(path) ? p.p_filesz : sizeof(path) - 1;
        *broken = !read_at(fd, path, n, p.p_offset);
        return *broken ? NULL : xstrdup(path);
    }
    return NULL;
}

/* e_machine lies at the same place in both classes, in the file's own byte order. */
static unsigned machine_of(const Elf64_Ehdr *h)
{
    bool little = h->e_ident[EI_DATA] == ELFDATA2LSB;
    return little ? h->e_machine : __builtin_bswap16(h->e_machine);
}

enum program_kind program_kind(int fd, char **what)
{
    Elf64_Ehdr h = {0};
    bool broken = false;
    if (pread(fd, &h, sizeof(h), 0) < (ssize_t)sizeof(Elf32_Ehdr))
        return PROGRAM_KIND_BROKEN;
    if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
        h.e_machine != HOST_MACHINE) {
        bool narrow = h.e_ident[EI_CLASS] == ELFCLASS32 && machine_of(&h) == HOST_MACHINE;
        *what = xstrdup(narrow ? "the 32-bit ABI of this machine" : machine_name(machine_of(&h)));
        return PROGRAM_KIND_FOREIGN;
    }
    if ((h.e_type != ET_EXEC && h.e_type != ET_DYN) || h.e_phentsize != sizeof(Elf64_Phdr))
        return PROGRAM_KIND_BROKEN;
    char *path = loader(fd, &h, &broken);
    if (broken)
        return PROGRAM_KIND_BROKEN;
    if (!path)
        return PROGRAM_KIND_STATIC;
    if (!strstr(path, "ld-linux")) {
        *what = path;
        return PROGRAM_KIND_OTHER_LIBC;
    }
    free(path);
    return PROGRAM_KIND_GOOD;
}
