#!/usr/bin/env python3
"""always_on.py LOITER SERVER [ROUNDS] - what recording costs a busy server, by the way it is recorded.

The server of test-programs/20-always-on serves requests as fast as it can: plainly, recorded always,
in a sample of one tenth, in a window, and stopped by `loiter ctl`. The ways take turns; the table
shows medians, the ratio to the plain run of the same round, and the size of the log.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REQUESTS = 300000
WAYS = {
    "plain": None,
    "always": [],
    "sample 0.05/0.5": ["--sample", "0.05/0.5"],
    "window 0.1": ["--window", "0.1"],
    "stopped": ["--delay", "1000000"],
}


def run_once(loiter, server, options):
    """Seconds of the requests, bytes of the log."""
    with tempfile.TemporaryDirectory(prefix="loiter-bench-") as work:
        log = os.path.join(work, "log")
        argv = [server] if options is None else [loiter, "record", "-o", log, *options, "--", server]
        p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        p.stdin.write("1000\n")
        p.stdin.flush()
        p.stdout.readline()
        begin = time.monotonic()
        p.stdin.write(f"{REQUESTS}\n")
        p.stdin.flush()
        p.stdout.readline()
        seconds = time.monotonic() - begin
        p.stdin.close()
        p.wait()
        p.stdout.close()
        size = sum(os.stat(os.path.join(d, n)).st_blocks * 512
                   for d, _, names in os.walk(log) for n in names)
        shutil.rmtree(log, ignore_errors=True)
        return seconds, size


def main():
    loiter, server = map(os.path.abspath, sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    results = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, options in WAYS.items():
            results[way].append(run_once(loiter, server, options))
    print(f"{'':18} {'us/request':>10} {'x plain':>8} {'log KiB':>8}")
    for way, runs in results.items():
        ratio = statistics.median(s / results["plain"][i][0] for i, (s, _) in enumerate(runs))
        print(f"{way:18} {statistics.median(s for s, _ in runs) / REQUESTS * 1e6:10.2f} {ratio:8.2f} "
              f"{statistics.median(b for _, b in runs) / 1024:8.0f}")


if __name__ == "__main__":
    main()
