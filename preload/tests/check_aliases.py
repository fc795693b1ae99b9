#!/usr/bin/env python3
"""check_aliases.py LIBC DEFS_DIR LEFT_OUT

Every function that the C library exports and whose name says that it does IO, waits, makes or ends
a descriptor, keeps time or allocates must be wrapped (a line of a symbols*.def) or stand in the
list of those left out, with a reason. Lines of that list that match nothing, or something that is
wrapped, are errors too.
"""
import pathlib
import re
import subprocess
import sys

FAMILIES = re.compile(
    r"(?<!th)(?<!sp)read|write|recv|send|open|^creat|close|dup|pipe|sock|accept|connect|poll|select|eventfd|signalfd"
    r"|inotify|fanotify|sync|sleep|wait|flock|lockf|fcntl|ioctl|timer|alarm|alloc|memalign|^free$"
    r"|map|splice|tee$|pause|sigsusp|getaddrinfo|getnameinfo|gethostby|system|msg|semop|semtimed"
    r"|copy_file|memfd|drain|usable")


def exported(libc):
    out = subprocess.run(["nm", "-D", "--defined-only", libc], check=True, capture_output=True,
                         text=True).stdout
    names = set()
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        base, _, version = name.partition("@")
        # A single @ is a version for old programs only; GLIBC_PRIVATE is for the library itself.
        if kind in "TWi" and version.startswith("@") and "PRIVATE" not in version:
            names.add(base)
    return names


def wrapped(folder):
    names = set()
    for path in folder.glob("symbols*.def"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for line in re.findall(r"^PL_\w+\(\s*(.*?)\(", text, flags=re.M | re.S):
            names.add(re.findall(r"\w+", line)[-1])
    return names


def main():
    libc, folder, left_out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    have, ours = exported(libc), wrapped(folder)
    candidates = {name for name in have if FAMILIES.search(name)}
    errors = []
    if len(candidates) < 200 or len(ours) < 100:
        errors.append(f"the lists look wrong: candidates={len(candidates)} wrapped={len(ours)}")
    excused = set()
    for number, line in enumerate(left_out.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.partition(" ")
        hit = {name for name in candidates if re.fullmatch(pattern, name)}
        where = f"{left_out.name}:{number}: {pattern}"
        if not reason.strip():
            errors.append(f"{where}: no reason given")
        if not hit - ours:
            errors.append(f"{where}: matches nothing that is not wrapped")
        excused |= hit
    for name in sorted(candidates - ours - excused):
        errors.append(f"neither wrapped nor left out: {name}")
    print("\n".join(errors) or f"{len(candidates & ours)} wrapped, {len(excused - ours)} left out")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
