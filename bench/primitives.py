#!/usr/bin/env python3
"""primitives.py PROGRAM LOITER FORWARD [RUNS] [PRIMITIVE...] - what recording costs single calls.

Each primitive runs plainly, with FORWARD preloaded (wrappers that only call on: the floor of any
interposer) and under `loiter record`, in fresh processes, in turn, RUNS times (9). The table shows
the least times in nanoseconds, which a busy machine disturbs least, the ratios of both to the plain
one, the median of the rounds' ratios with its bounds (right in 19 of 20 cases), and the limit that is
aimed at. Threads, whose times vary most, have four times as many rounds, and stay on one processor.
The figures are for reading, nothing is asserted."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import rounds

# name: operations, what it is, limit
PRIMITIVES = {
    "mutex": (4_000_000, "mutex lock + unlock", 2.0),
    "mutex_deep": (4_000_000, "the same, 12 frames deep", 2.0),
    "mutex_among": (4_000_000, "mutex, beside a thread", 2.0),
    "mutex_two": (4_000_000, "two threads contending", 1.5),
    "rwlock_two": (4_000_000, "rwlock, two threads reading", "-"),
    "cond": (40_000, "condition, in turn", "-"),
    "sem": (100_000, "semaphore, in turn", "-"),
    "malloc": (4_000_000, "malloc(64) + free", 1.8),
    "thread": (1_500, "pthread_create + join", 1.1),
    "timer": (100_000, "timer_create + delete", 1.05),
    "write": (400_000, "write to /dev/null", 1.05),
}
MORE_ROUNDS = {"thread": 4}


def run_once(argv, log=None, preload=None):
    env = dict(os.environ, LD_PRELOAD=preload) if preload else None
    try:
        return int(subprocess.run(argv, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, env=env).stdout)
    finally:
        shutil.rmtree(log, ignore_errors=True) if log else None


def main():
    program, loiter, forward = (os.path.abspath(a) for a in sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 9
    print(f"{'ns':26}{'plain':>10}{'forwarded':>11}{'recorded':>10}{'floor':>7}{'ratio':>7}"
          f"{'median':>8}{'limit':>7}  bounds")
    with tempfile.TemporaryDirectory(prefix="bench-primitives.") as root:
        log = os.path.join(root, "log")
        for name in sys.argv[5:] or PRIMITIVES:
            count, text, limit = PRIMITIVES[name]
            argv = [program, name, str(count)]
            times = {"plain": [], "forward": [], "loiter": []}
            ways = (("plain", argv, {}), ("forward", argv, {"preload": forward}),
                    ("loiter", [loiter, "record", "-o", log, "--"] + argv, {"log": log}))
            for number in range(runs * MORE_ROUNDS.get(name, 1)):
                for way, command, how in rounds.in_turn(ways, number):
                    times[way].append(run_once(command, **how) / count)
            a, b, c = (min(t) for t in times.values())
            ratios = [r / p for p, r in zip(times["plain"], times["loiter"])]
            print(f"{text:26}{a:10.1f}{b:11.1f}{c:10.1f}{b / a:7.2f}{c / a:7.2f}"
                  f"{statistics.median(ratios):8.2f}{limit:>7}  {rounds.bounds(ratios)}", flush=True)


if __name__ == "__main__":
    main()
