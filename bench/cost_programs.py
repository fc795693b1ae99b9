"""The programs that cost.py measures: each a function of a launch that returns its figure in seconds,
for `launch.scale` of the whole work. The figure of a server is the processor time that it takes from
the moment it listens, so that the client and the start count for nothing."""

import os
import re
import shutil
import signal
import subprocess

import harness
import overhead
import real_git
import real_memcached
import real_nginx
import real_sqlite3
import real_xz


FILES_MOST = 1024  # the soft limit of descriptors that all of them start with


def scaled(launch, count):
    return max(int(count * launch.scale), 1)


def session_cpu(session):
    """Seconds of processor time that the processes of a session took, and what they waited for."""
    ticks = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as f:
                fields = f.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def children_cpu():
    t = os.times()
    return t.children_user + t.children_system


def served(start, drive, stop):
    """drive() says how many requests a second of processor time is divided by: 1 for the whole."""
    def measure(launch):
        launch.port = harness.free_port()
        server = launch.start(start(launch))
        harness.wait_for_port(launch.port, server)
        at_start = session_cpu(server.process.pid)
        requests = drive(launch)
        before = children_cpu()
        stop(launch)
        server.status()
        return (children_cpu() - before - at_start) / requests
    return measure


def end_by_pidfile(sign):
    def stop(launch):
        with open(os.path.join(launch.work, "pid"), encoding="ascii") as f:
            os.kill(int(f.read()), sign)
    return stop


def redis_start(launch):
    return ["redis-server", "--port", str(launch.port), "--save", "", "--dir", launch.work]


def redis_drive(launch):
    harness.plain(["redis-benchmark", "-p", str(launch.port), "-n", str(scaled(launch, 400000)), "-c",
                   "20", "-P", "16", "-q", "-t", "set,get"], launch.work)
    return 1


def redis_stop(launch):
    subprocess.run(["redis-cli", "-p", str(launch.port), "SHUTDOWN", "NOSAVE"], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memcached_start(launch):
    """It sets its limit of descriptors, which valgrind allows if it is what it was at the start."""
    return ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(launch.port), "-U", "0", "-t", "4",
            "-c", str(FILES_MOST), "-P", os.path.join(launch.work, "pid")]


def memcached_drive(launch):
    for number in range(scaled(launch, 20)):
        real_memcached.client(launch.port, number)
    return 1


def nginx_start(launch):
    """As one process without a thread pool where the tool is slow."""
    config = real_nginx.CONFIG.format(work=launch.work, port=launch.port)
    config = re.sub("access_log .*;", "access_log off;", config)
    if launch.scale < 1:
        config = "master_process off;\n" + config
    path = os.path.join(launch.work, "nginx.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(config)
    real_nginx.make_site(launch.work)
    return ["nginx", "-p", launch.work, "-c", path]


def nginx_drive(launch):
    """As many requests as the client gets through in its time."""
    said = harness.plain(["wrk", "-t1", "-c4", f"-d{2 if launch.scale == 1 else 6}s", "--timeout", "20s",
                          f"http://127.0.0.1:{launch.port}/100.bin"], launch.work).decode()
    requests = int(re.search(r"(\d+) requests in", said)[1])
    if requests == 0:
        raise harness.Failure("the client had no answer in its time")
    return requests


def sqlite3(launch):
    script = real_sqlite3.SCRIPT.format(mode="wal").replace("SELECT * FROM absent;", "")
    with open(os.path.join(launch.work, "s.sql"), "w", encoding="ascii") as f:
        f.write(script.replace("100000", str(scaled(launch, 100000))))
    return overhead.batch(["sqlite3", os.path.join(launch.work, "s.db"), ".read s.sql"])(launch)


def python(launch):
    script = overhead.PYTHON.replace("60000", str(scaled(launch, 60000)))
    return overhead.batch(["/usr/bin/python3", "-I", "-c", script])(launch)


def make_data(launch):
    path = os.path.join(launch.work, "data")
    real_xz.make_data(path)
    os.truncate(path, scaled(launch, os.path.getsize(path)))


def pigz(launch):
    make_data(launch)
    return overhead.batch(["pigz", "-p2", "-k", "data"])(launch)


def xz(launch):
    make_data(launch)
    return overhead.batch(["xz", "-T2", "-1", f"--block-size={scaled(launch, 1 << 20)}", "-k",
                           "data"])(launch)


def git_log(launch):
    env = dict(real_git.FIXED, HOME=launch.work)
    repo = ["git", "-C", os.path.join(launch.work, "repo")]
    harness.plain(["git", "init", "-q", "-b", "main", "repo"], launch.work, env)
    harness.plain(repo + ["fast-import", "--quiet"], launch.work, env,
                  "".join(real_git.stream()).encode())
    return overhead.batch(repo + ["log", "-p", "-n", str(scaled(launch, 120)), "main"])(launch)


class Program:
    """`limit` is in times plain or, for None, 4 ms more."""

    def __init__(self, measure, needs, limit=1.05, unit="ms"):
        self.measure = measure
        self.needs = needs
        self.limit = limit
        self.unit = unit

    def name(self):
        return os.path.basename(self.needs.split()[0])

    def missing(self):
        return [name for name in self.needs.split() if not shutil.which(name)]


PROGRAMS = {
    "redis, CPU": Program(served(redis_start, redis_drive, redis_stop),
                          "redis-server redis-benchmark redis-cli"),
    "sqlite3 bulk": Program(sqlite3, "sqlite3", 1.15),
    "memcached, CPU": Program(served(memcached_start, memcached_drive, end_by_pidfile(signal.SIGTERM)),
                              "memcached"),
    "python3 threads": Program(python, "/usr/bin/python3"),
    "pigz -p2": Program(pigz, "pigz"),
    "xz -T2": Program(xz, "xz"),
    "git log -p": Program(git_log, "git"),
    "nginx, CPU a request": Program(served(nginx_start, nginx_drive, end_by_pidfile(signal.SIGQUIT)),
                                    "nginx wrk", unit="us"),
    "true": Program(overhead.batch(["/bin/true"]), "/bin/true", None),
}
