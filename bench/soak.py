#!/usr/bin/env python3
"""soak.py LOITER [--minutes N] - a server under load for a long time, with Loiter and without.

redis-server and memcached run twice at once, plainly and recorded, each with a client of its own that
drives it all the time. Shown each tenth of the time: memory of both, the size of the log, requests a
second. Ends with status 1 when the recorded one's memory grew by 3 % + 32 MiB more than the other's,
or the log passed its bound.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/real"))
sys.dont_write_bytecode = True

import harness
import real_memcached

LOG_BOUND = 64 << 20


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024


def redis_argv(port, work):
    return ["redis-server", "--port", str(port), "--save", "", "--dir", work, "--io-threads", "2",
            "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-min-size", "16mb"]


def redis_load(port):
    done = subprocess.run(["redis-benchmark", "-p", str(port), "-n", "10000", "-c", "20", "-r", "10000",
                           "-q", "--csv", "-t", "set,get,lpush,lpop,zadd"], check=True,
                          stdout=subprocess.DEVNULL)
    return 50000 if done.returncode == 0 else 0


def memcached_argv(port, _work):
    return ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "4",
            "-m", "64"]


def memcached_load(port):
    return sum(len(real_memcached.client(port, n)) for n in range(8))


SERVERS = {"redis": (redis_argv, redis_load), "memcached": (memcached_argv, memcached_load)}


class Side:
    """One running server and the client that drives it."""

    def __init__(self, server, work, loiter):
        self.log = os.path.join(work, "log")
        self.port = harness.free_port()
        os.mkdir(work)
        argv = SERVERS[server][0](self.port, work)
        if loiter:
            argv = [loiter, "record", "-o", self.log, "--max-log-size", str(LOG_BOUND), "--"] + argv
        self.program = harness.Program(argv, work, os.environ)
        harness.wait_for_port(self.port, self.program)
        self.pid = self.program.process.pid
        if loiter:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as f:
                self.pid = int(f.read().split()[0])
        self.requests, self.over, self.failed = 0, False, None
        self.thread = threading.Thread(target=self.drive, args=(SERVERS[server][1],))
        self.thread.start()

    def drive(self, load):
        try:
            while not self.over:
                self.requests += load(self.port)
        except subprocess.CalledProcessError as error:
            self.failed = f"{error}\n{self.program.text()}"

    def log_bytes(self):
        sizes = {}
        for folder, _, names in os.walk(self.log):
            for name in names:
                sizes[folder] = sizes.get(folder, 0) + os.stat(os.path.join(folder, name)).st_blocks * 512
        return max(sizes.values(), default=0)

    def end(self):
        self.over = True
        self.thread.join()
        self.program.kill()


def soak(server, loiter, minutes, root):
    plain = Side(server, os.path.join(root, "plain"), None)
    loaded = Side(server, os.path.join(root, "loaded"), loiter)
    print(f"{server:10} {'min':>5} {'plain MB':>9} {'Loiter MB':>9} {'log KB':>8} {'plain req/s':>12} "
          f"{'Loiter req/s':>12}")
    begin = last = time.monotonic()
    counts, memory, log = (0, 0), [], 0
    for _ in range(10):
        time.sleep(minutes * 6)
        now = time.monotonic()
        a, b = plain.requests, loaded.requests
        memory.append((resident(plain.pid), resident(loaded.pid)))
        log = loaded.log_bytes()
        print(f"{'':10} {(now - begin) / 60:5.1f} {memory[-1][0] / 1e6:9.1f} {memory[-1][1] / 1e6:9.1f} "
              f"{log / 1000:8.0f} {(a - counts[0]) / (now - last):12.0f} "
              f"{(b - counts[1]) / (now - last):12.0f}", flush=True)
        counts, last = (a, b), now
    plain.end()
    loaded.end()
    for side in (plain, loaded):
        if side.failed:
            print(f"{server}: {'Loiter' if side is loaded else 'plain'}: {side.failed}")
            return True
    print(f"{server:10} throughput: {loaded.requests / plain.requests:.3f} of plain")
    grown = (memory[-1][1] - memory[0][1]) - (memory[-1][0] - memory[0][0])
    return grown > 0.03 * memory[-1][0] + (32 << 20) or log > LOG_BOUND


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loiter")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    bad = False
    for server in SERVERS:
        if args.only in server and shutil.which(server + ("-server" if server == "redis" else "")):
            with tempfile.TemporaryDirectory(prefix="loiter-soak-") as root:
                bad |= soak(server, os.path.abspath(args.loiter), args.minutes, root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
