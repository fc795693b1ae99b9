"""overhead.py LOITER [ROUNDS] - what recording costs real programs.

Each program runs plainly and under `loiter record` in turn, ROUNDS times (5); the table shows the
medians, their ratio, what the record takes and how fast `loiter analyze` reads it. A server is
measured by the time its client takes; the client is never recorded. The figures are for reading,
nothing is asserted.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/real"))
sys.dont_write_bytecode = True

import harness
import real_git
import real_memcached
import real_sqlite3
import real_xz

PYTHON = """
import threading, queue
q = queue.Queue(100)
def work():
    while q.get() is not None:
        sum(range(300))
workers = [threading.Thread(target=work) for _ in range(4)]
[w.start() for w in workers]
[q.put(i) for i in range(60000)]
[q.put(None) for _ in workers]
[w.join() for w in workers]
"""


def timed(call):
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def batch(argv):
    """A program that runs to its end."""
    def measure(launch):
        return timed(lambda: expect_zero(launch.run(argv)))
    return measure


def expect_zero(result):
    if result["status"] != 0:
        raise harness.Failure(f"status {result['status']}: {result['err'].decode()}")


def sqlite3(launch):
    with open(os.path.join(launch.work, "s.sql"), "w", encoding="ascii") as f:
        f.write(real_sqlite3.SCRIPT.format(mode="wal").replace("SELECT * FROM absent;", ""))
    return batch(["sqlite3", os.path.join(launch.work, "s.db"), ".read s.sql"])(launch)


def xz(launch):
    real_xz.make_data(os.path.join(launch.work, "data"))
    return batch(["xz", "-T2", "-3", "--block-size=1MiB", "-k", "data"])(launch)


def git(launch):
    env = dict(real_git.FIXED, HOME=launch.work)
    repo = ["git", "-C", os.path.join(launch.work, "repo")]
    harness.plain(["git", "init", "-q", "-b", "main", "repo"], launch.work, env)
    harness.plain(repo + ["-c", "fastimport.unpackLimit=100000", "fast-import", "--quiet"],
                  launch.work, env, "".join(real_git.stream()).encode())
    return batch(repo + ["-c", "gc.autoDetach=false", "gc", "--quiet"])(launch)


def redis(launch):
    port = str(harness.free_port())
    server = launch.start(["redis-server", "--port", port, "--save", "", "--dir", launch.work])
    harness.wait_for_port(int(port), server)
    client = ["redis-benchmark", "-p", port, "-n", "50000", "-c", "20", "-q", "-t", "set,get,lpush"]
    seconds = timed(lambda: harness.plain(client, launch.work))
    harness.plain(["redis-cli", "-p", port, "SHUTDOWN", "NOSAVE"], launch.work)
    server.status()
    return seconds


def memcached(launch):
    port = harness.free_port()
    pidfile = os.path.join(launch.work, "pid")
    server = launch.start(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                           "-t", "4", "-P", pidfile])
    harness.wait_for_port(port, server)
    seconds = timed(lambda: [real_memcached.client(port, n) for n in range(40)])
    with open(pidfile, encoding="ascii") as f:
        os.kill(int(f.read()), 15)
    server.status()
    return seconds


WORKLOADS = {
    "redis-server": redis,
    "memcached": memcached,
    "python3 threads": batch(["/usr/bin/python3", "-I", "-c", PYTHON]),
    "sqlite3 bulk": sqlite3,
    "xz -T2": xz,
    "git gc": git,
    "stress-ng mutex": batch(["stress-ng", "--temp-path", "/tmp", "--mutex", "1", "--mutex-ops",
                              "400000", "--mutex-procs", "4"]),
    "stress-ng pthread": batch(["stress-ng", "--temp-path", "/tmp", "--pthread", "1",
                                "--pthread-ops", "4000"]),
    "/bin/true": batch(["/bin/true"]),
}


def run_once(root, workload, loiter):
    """Seconds, and the launch with its records."""
    work = os.path.join(root, "work")
    os.mkdir(work)
    launch = harness.Launch(work, loiter)
    try:
        return workload(launch), launch
    finally:
        launch.kill_all()


def disk_bytes(launch):
    return sum(os.stat(os.path.join(d, n)).st_blocks * 512 for _, record in launch.records
               for d, _, names in os.walk(record) for n in names)


def events_of(record):
    """Events and cells that babeltrace2 reads."""
    done = subprocess.run(["babeltrace2", record, "--component=sink.utils.counter"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    words = [line.split() for line in done.stdout.splitlines()]
    return max((int(w[0].replace(",", "")) for w in words if w[1:2] == ["Event"]), default=0)


def analyze_once(loiter, launch):
    """Events and the seconds it takes to judge them."""
    events = seconds = 0
    for _, record in launch.records:
        events += events_of(record)
        seconds += timed(lambda r=record: subprocess.run(
            [loiter, "analyze", "--format", "json", r], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False))
    return events, seconds


def measure(loiter, name, rounds):
    plain_s, under_s, size, events, analyze_s = [], [], [], [], []
    for _ in range(rounds):
        for under in (None, loiter):
            with tempfile.TemporaryDirectory(prefix="loiter-bench-") as root:
                seconds, launch = run_once(root, WORKLOADS[name], under)
                (under_s if under else plain_s).append(seconds)
                if under:
                    size.append(disk_bytes(launch))
                    n, s = analyze_once(loiter, launch)
                    events.append(n)
                    analyze_s.append(s)
    a, b = statistics.median(plain_s), statistics.median(under_s)
    print(f"{name:18} {a:8.3f} {b:8.3f} {b / a:6.2f} {statistics.median(size) / 1e6:9.2f} "
          f"{statistics.median(size) / b / 1e6:8.2f} {statistics.median(events):9.0f} "
          f"{statistics.median(analyze_s):9.3f} "
          f"{statistics.median(events) / statistics.median(analyze_s):11.0f}", flush=True)


def main():
    loiter = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print("program             plain s  under s  ratio  record MB     MB/s    events analyze s    "
          "events/s")
    for name in WORKLOADS:
        measure(loiter, name, rounds)


if __name__ == "__main__":
    main()
