/*
 * preflight_test.c - what can be recorded and what cannot, from files made here.
 */
#include "analyzer/cli/preflight.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "analyzer/cli/exit_codes.h"
#include "analyzer/model/memory.h"

static char dir[] = "/tmp/preflight_test.XXXXXX", file[64];

static int make_dir(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/program", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

static void expect(const char *program, int code, const char *says)
{
    char *path = NULL, *error = NULL;
    assert_int_equal(preflight(program, &path, &error), code);
    if (says) {
        assert_null(path);
        assert_non_null(strstr(error, says));
    } else {
        assert_non_null(path);
        assert_null(error);
    }
    free(path);
    free(error);
}

static void write_file(const void *bytes, size_t n, mode_t mode)
{
    unlink(file);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void write_text(const char *text)
{
    write_file(text, strlen(text), 0755);
}

/* A program of one segment that names `loader`, or of none when it is NULL. */
static void write_elf(unsigned char class, unsigned short machine, const char *loader)
{
    struct {
        Elf64_Ehdr head;
        Elf64_Phdr segment;
        char loader[64];
    } elf = {
        .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, class, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_DYN,
                 .e_machine = machine,
                 .e_phoff = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 1}};
    elf.segment.p_type = PT_LOAD;
    if (loader) {
        elf.segment.p_type = PT_INTERP;
        elf.segment.p_offset = offsetof(__typeof__(elf), loader);
        elf.segment.p_filesz = strlen(loader) + 1;
        strcpy(elf.loader, loader);
    }
    write_file(&elf, sizeof(elf), 0755);
}

#if defined(__x86_64__)
#define HERE       EM_X86_64
#define OTHER      EM_AARCH64
#define OTHER_NAME "aarch64"
#else
#define HERE       EM_AARCH64
#define OTHER      EM_X86_64
#define OTHER_NAME "x86-64"
#endif

static void programs(void **state)
{
    (void)state;
    expect("/bin/true", 0, NULL);
    expect("true", 0, NULL);
    write_elf(ELFCLASS64, HERE, "/lib64/ld-linux-x86-64.so.2");
    expect(file, 0, NULL);
    write_elf(ELFCLASS64, HERE, NULL);
    expect(file, EXIT_CODE_INCOMPLETE, "statically");
    write_elf(ELFCLASS64, HERE, "/lib/ld-musl-x86_64.so.1");
    expect(file, EXIT_CODE_INCOMPLETE, "glibc");
    write_elf(ELFCLASS64, OTHER, "/lib/ld-linux.so.1");
    expect(file, EXIT_CODE_INCOMPLETE, OTHER_NAME);
    write_elf(ELFCLASS32, EM_386, "/lib/ld-linux.so.2");
    expect(file, EXIT_CODE_INCOMPLETE, "32-bit");
    write_file("\177ELF\2\1\1", 7, 0755);
    expect(file, EXIT_CODE_NOT_EXECUTABLE, "no whole program file");
}

static void segments_beyond_the_end(void **state)
{
    (void)state;
    Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                       .e_type = ET_DYN,
                       .e_machine = HERE,
                       .e_phoff = UINT64_MAX - 8,
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 65535};
    write_file(&head, sizeof(head), 0755);
    expect(file, EXIT_CODE_NOT_EXECUTABLE, "no whole program file");
}

static void privileges(void **state)
{
    (void)state;
    write_elf(ELFCLASS64, HERE, "/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(chmod(file, 04755), 0);
    expect(file, EXIT_CODE_INCOMPLETE, "is setuid");
    assert_int_equal(chmod(file, 02755), 0);
    expect(file, EXIT_CODE_INCOMPLETE, "is setgid");
}

static void scripts(void **state)
{
    (void)state;
    write_text("#!/bin/sh -e\ntrue\n");
    expect(file, 0, NULL);
    write_text("#! /bin/sh\n");
    expect(file, 0, NULL);
    write_text("echo a script for a shell\n");
    expect(file, 0, NULL);
    write_text("#!/nonexistent/shell\n");
    expect(file, EXIT_CODE_NOT_FOUND, "its interpreter: /nonexistent/shell");
    /* A script that is its own interpreter. */
    char text[80];
    snprintf(text, sizeof(text), "#!%s\n", file);
    write_text(text);
    expect(file, EXIT_CODE_NOT_EXECUTABLE, "exec format error");
    write_text("");
    expect(file, EXIT_CODE_NOT_EXECUTABLE, "exec format error");
}

static void what_cannot_be_run(void **state)
{
    (void)state;
    expect("no-such-program-anywhere", EXIT_CODE_NOT_FOUND, "not found");
    expect("/nonexistent/program", EXIT_CODE_NOT_FOUND, "no such file");
    expect("/bin/true/program", EXIT_CODE_NOT_FOUND, "cannot run it");
    expect(dir, EXIT_CODE_NOT_EXECUTABLE, "is a directory");
    write_file("#!/bin/sh\n", 10, 0644);
    expect(file, EXIT_CODE_NOT_EXECUTABLE, "permission denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs),           cmocka_unit_test(segments_beyond_the_end),
        cmocka_unit_test(privileges),         cmocka_unit_test(scripts),
        cmocka_unit_test(what_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
