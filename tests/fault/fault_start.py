"""Programs that cannot be recorded, and records that cannot be begun: said before anything runs."""

import os
import shutil

from faults import analyze, compile_c, record, require, run

HELLO = '#include <stdio.h>\nint main(void)\n{\n    puts("ran");\n    return 0;\n}\n'
BARE = "void _start(void);\nvoid _start(void)\n{\n    for (;;)\n        ;\n}\n"


def expect_refused(tools, program, status, *texts):
    """Refused with the reason, by record and by run alike, and never started."""
    for i, command in enumerate(("record", "run")):
        directory = tools.path(f"log{i}")
        result = run([tools.loiter, command, "-o", directory, "--", program])
        result.expect(status, os.path.basename(program), *texts)
        require("ran" not in result.out.splitlines(), f"it was started: {result.describe()}")


def test_static(tools):
    program = compile_c(tools, "gcc", "hello-static", HELLO, "-static")
    expect_refused(tools, program, 3, "static")


def test_static_pie(tools):
    program = compile_c(tools, "gcc", "hello-static-pie", HELLO, "-static-pie")
    expect_refused(tools, program, 3, "static")


def test_setuid(tools):
    program = tools.path("true-setuid")
    shutil.copy("/bin/true", program)
    os.chmod(program, 0o4755)
    expect_refused(tools, program, 3, "setuid")


def test_setgid(tools):
    program = tools.path("true-setgid")
    shutil.copy("/bin/true", program)
    os.chmod(program, 0o2755)
    expect_refused(tools, program, 3, "setgid")


def test_32_bit(tools):
    program = compile_c(tools, "i686-linux-gnu-gcc", "bare-32", BARE, "-nostdlib", "-pie",
                        "-Wl,--dynamic-linker=/lib/ld-linux.so.2")
    expect_refused(tools, program, 3, "32")


def test_foreign_architecture(tools):
    program = compile_c(tools, "aarch64-linux-gnu-gcc", "hello-aarch64", HELLO)
    expect_refused(tools, program, 3, "aarch64")


def test_missing_program(tools):
    expect_refused(tools, tools.path("absent-program"), 127, "no such")
    expect_refused(tools, "absent-program-of-no-path", 127, "not found")


def test_not_executable(tools):
    program = tools.path("not-executable")
    with open(program, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho ran\n")
    os.chmod(program, 0o644)
    expect_refused(tools, program, 126, "permission")


def test_directory_as_program(tools):
    program = tools.path("folder")
    os.mkdir(program)
    expect_refused(tools, program, 126, "director")


def test_not_a_program(tools):
    program = tools.path("noise")
    with open(program, "wb") as f:
        f.write(b"\x00" + bytes(range(255, 192, -1)))
    os.chmod(program, 0o755)
    expect_refused(tools, program, 126, "format")


def test_cut_elf_header(tools):
    program = tools.path("cut-elf")
    with open("/bin/true", "rb") as source, open(program, "wb") as f:
        f.write(source.read(70))
    os.chmod(program, 0o755)
    result = record(tools, [program], tools.path("log"))
    result.expect((3, 126), "cut-elf")


def test_script_is_judged_by_its_interpreter(tools):
    compile_c(tools, "gcc", "interpreter", HELLO, "-static")
    script = tools.path("script")
    with open(script, "w", encoding="ascii") as f:
        f.write(f"#!{tools.path('interpreter')}\n")
    os.chmod(script, 0o755)
    expect_refused(tools, script, 3, "static")


def test_script_runs(tools):
    script = tools.path("script")
    with open(script, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho from the script\nexit 4\n")
    os.chmod(script, 0o755)
    record(tools, [script], tools.path("log")).expect(4, "from the script")


def test_file_in_place_of_the_directory(tools):
    path = tools.path("a-file")
    with open(path, "w", encoding="ascii") as f:
        f.write("keep me\n")
    result = record(tools, [tools.worker, tools.path("counter"), "1"], path)
    result.expect(2, path)
    with open(path, encoding="ascii") as f:
        require(f.read() == "keep me\n", "the file was changed")
    require("sum" not in result.out, f"it was started: {result.describe()}")


FORKS = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
/* The child may not write into the directory. */
int main(void)
{
    const char *dir = getenv("LOITER_DIR");
    uid_t user = geteuid();
    if (chmod(dir, 0500) != 0 || (user == 0 && seteuid(65534) != 0))
        return 2;
    pid_t child = fork();
    if (child == 0)
        _exit(write(1, "ran\\n", 4) != 4);
    if (seteuid(user) != 0 || chmod(dir, 0700) != 0)
        return 3;
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}
"""


def test_child_that_may_not_write(tools):
    """It runs as always, and that it has no record is told, unless none was wanted."""
    program = compile_c(tools, "gcc", "forks", FORKS)
    record(tools, [program], tools.path("log")).expect(0, "ran")
    analyze(tools, tools.path("log")).expect(0, "1 process made by fork has no record")
    alone = tools.path("alone")
    run([tools.loiter, "record", "--no-follow", "-o", alone, "--", program]).expect(0, "ran")
    result = analyze(tools, alone).expect(0)
    require("by fork" not in result.out + result.err, result.describe())


def test_read_only_directory(tools):
    # Root writes past permissions, so the file system itself is made read-only.
    mount = tools.path("mount")
    os.mkdir(mount)
    run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", mount]).expect(0)
    try:
        result = record(tools, [tools.worker, tools.path("counter"), "1"], mount + "/log")
        result.expect(2, mount, "read-only")
        require("sum" not in result.out, f"it was started: {result.describe()}")
    finally:
        run(["umount", mount]).expect(0)
