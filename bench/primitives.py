#!/usr/bin/env python3
"""primitives.py PROGRAM LOITER [RUNS] [PRIMITIVE...] - what recording costs single calls.

Each primitive runs plainly and under `loiter record` in fresh processes, in turn, RUNS times (5).
The table shows the medians in nanoseconds, their ratio and the limit that is aimed at. The figures
are for reading, nothing is asserted."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

# name: operations, what it is, limit
PRIMITIVES = {
    "mutex": (10_000_000, "mutex lock + unlock", 2.0),
    "mutex_deep": (10_000_000, "the same, 12 frames deep", 2.0),
    "mutex_two": (4_000_000, "two threads contending", 1.5),
    "malloc": (10_000_000, "malloc(64) + free", 1.8),
    "thread": (5_000, "pthread_create + join", 1.1),
    "timer": (200_000, "timer_create + delete", 1.05),
    "write": (1_000_000, "write to /dev/null", 1.05),
}


def run_once(argv, log):
    try:
        return int(subprocess.run(argv, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout)
    finally:
        shutil.rmtree(log, ignore_errors=True)


def main():
    program, loiter = (os.path.abspath(a) for a in sys.argv[1:3])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print(f"{'ns':26}{'plain':>10}{'recorded':>10}{'ratio':>7}{'limit':>7}")
    with tempfile.TemporaryDirectory(prefix="bench-primitives.") as root:
        log = os.path.join(root, "log")
        for name in sys.argv[4:] or PRIMITIVES:
            count, text, limit = PRIMITIVES[name]
            argv = [program, name, str(count)]
            plain, under = [], []
            for _ in range(runs):
                plain.append(run_once(argv, log) / count)
                under.append(run_once([loiter, "record", "-o", log, "--"] + argv, log) / count)
            a, b = statistics.median(plain), statistics.median(under)
            print(f"{text:26}{a:10.1f}{b:10.1f}{b / a:7.2f}{limit:7.2f}", flush=True)


if __name__ == "__main__":
    main()
