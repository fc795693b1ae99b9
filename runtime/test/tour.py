#!/usr/bin/env python3
"""tour.py PAGE HEADER[,HEADER...] COMPILE...: the programs of a page compile, run, and print what stands below
them; and the page names each function that the headers declare.

Each block of C in the page is a program: the first as it stands, the others with its #include lines,
those below, and its main. The block of text that follows is what it prints. COMPILE is the command
that compiles and links; the source and `-o PROGRAM` come behind its first word."""
import os
import re
import subprocess
import sys
import tempfile

HEAD = """#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <weft.h>

"""
MAIN = """
int main(void)
{
    return weft_run(main_task, NULL);
}
"""
BLOCK = re.compile(r"^```c\n(.*?)^```\n\s*^```text\n(.*?)^```$", re.M | re.S)


def programs(page):
    with open(page, encoding="utf-8") as f:
        text = f.read()
    found = [(text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in BLOCK.finditer(text)]
    if len(found) != len(re.findall(r"^```c$", text, re.M)) or not found:
        sys.exit(f"{page}: a block of C without the text that it prints")
    return found


def unnamed(page, headers):
    with open(page, encoding="utf-8") as f:
        named = set(re.findall(r"\bweft_\w+", f.read()))
    declared = set()
    for header in headers.split(","):
        with open(header, encoding="utf-8") as f:
            declared.update(re.findall(r"^WEFT_API[^;]*?\b(weft_(?!_)\w+)\(", f.read(), re.M))
    missing = sorted(declared - named)
    if missing or not declared:
        print(f"{page}: does not name {', '.join(missing)}")
        return 1
    return 0


def check(where, source, expected, compiler, folder):
    path, program = os.path.join(folder, "tour.c"), os.path.join(folder, "tour")
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    if subprocess.run([compiler[0], path, "-o", program] + compiler[1:], check=False).returncode:
        return 1
    for workers in "1", "2", "4":
        done = subprocess.run([program], env=dict(os.environ, WEFT_WORKERS=workers), timeout=60,
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0 or done.stdout != expected:
            print(f"{where}: with {workers} workers: status {done.returncode}, printed:")
            print(done.stdout + "instead of:\n" + expected)
            return 1
    return 0


def main():
    page, headers, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]
    failed = unnamed(page, headers)
    with tempfile.TemporaryDirectory() as folder:
        for i, (line, source, expected) in enumerate(programs(page)):
            if i > 0:
                source = HEAD + f'#line {line + 1} "{page}"\n' + source + MAIN
            failed += check(f"{page}:{line}", source, expected, compiler, folder)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
