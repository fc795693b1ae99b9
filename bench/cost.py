"""cost.py PRIMITIVES USAGE LOITER [--forward LIB] [--runs N] [--quick] [--tools A,B] [--only TEXT]
[--primitives-tsan P]

What recording costs beside what the peers cost: single calls, and whole programs. All tools take
turns in each round, so that a slow minute of the machine hits all of them; a cell is the median of
the ratios to the plain run of the same round. `forward` has wrappers preloaded that only call on:
the floor of every interposer. Tools that are not installed are left out. Of the
programs, two more tables show the processor time of all their processes, which a busy machine
disturbs less than the time that goes by, and the memory of the largest process at its peak. The
figures are for reading, nothing is asserted.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../tests/real")]
sys.dont_write_bytecode = True

import harness
import overhead
import primitives
import real_nginx
import real_xz

SLOW = 40  # operations are divided by it for valgrind


def lttng(work, argv):
    """A session of its own: all events of the C library's and of the threads' wrappers."""
    lib = "/usr/lib/x86_64-linux-gnu/liblttng-ust-{}-wrapper.so"
    preload = ":".join(lib.format(n) for n in ("libc", "pthread"))
    script = (f"lttng -q create bench --output {work}/lttng >/dev/null 2>&1; "
              "lttng -q enable-event -u -a >/dev/null 2>&1; lttng -q start >/dev/null 2>&1; "
              f'LD_PRELOAD={preload} "$@"; s=$?; '
              "lttng -q destroy bench >/dev/null 2>&1; exit $s")
    return ["sh", "-c", script, "sh"] + argv


# name: (program that must be there, argv of a run, divisor of the operations)
TOOLS = {
    "plain": (None, lambda work, argv: argv, 1),
    "forward": (None, None, 1),
    "loiter": (None, None, 1),
    "heaptrack": ("heaptrack", lambda work, argv: ["heaptrack", "-o", f"{work}/heaptrack"] + argv, 4),
    "uftrace": ("uftrace", lambda work, argv: ["uftrace", "record", "--force", "-d",
                                                f"{work}/uftrace"] + argv, 4),
    "lttng": ("lttng", lttng, 4),
    "tsan": (None, None, 4),
    "drd": ("valgrind", lambda work, argv: ["valgrind", "-q", "--tool=drd"] + argv, SLOW),
    "helgrind": ("valgrind", lambda work, argv: ["valgrind", "-q", "--tool=helgrind"] + argv, SLOW),
}


class Launch(harness.Launch):
    """Starts programs under any of the tools."""

    def __init__(self, work, tool, wrap, usage):
        super().__init__(work, tool == "loiter" or None)
        self.tool_wrap = wrap
        self.usage = usage
        self.used = os.path.join(work, "used")

    def wrap(self, argv):
        return [self.usage, self.used] + self.tool_wrap(self.work, argv)


def children_cpu():
    t = os.times()
    return t.children_user + t.children_system


def served(start, drive, stop):
    """CPU seconds of a server: of what was waited for after its client had ended."""
    def measure(launch):
        server = start(launch)
        drive(launch)
        before = children_cpu()
        stop(launch, server)
        return children_cpu() - before
    return measure


def redis_start(launch):
    launch.port = str(harness.free_port())
    server = launch.start(["redis-server", "--port", launch.port, "--save", "", "--dir", launch.work])
    harness.wait_for_port(int(launch.port), server)
    return server


def redis_drive(launch):
    harness.plain(["redis-benchmark", "-p", launch.port, "-n", str(int(launch.scale * 400000)), "-c", "20", "-P",
                   "16", "-q", "-t", "set,get"], launch.work)


def redis_stop(launch, server):
    subprocess.run(["redis-cli", "-p", launch.port, "SHUTDOWN", "NOSAVE"], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server.status()


def nginx(launch):
    """CPU seconds a request: as many as the client gets through in its time."""
    launch.port = str(harness.free_port())
    config = os.path.join(launch.work, "nginx.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write(re.sub("access_log .*;", "access_log off;", real_nginx.CONFIG.format(
            work=launch.work, port=launch.port)))
    real_nginx.make_site(launch.work)
    server = launch.start(["nginx", "-p", launch.work, "-c", config])
    harness.wait_for_port(int(launch.port), server)
    said = harness.plain(["wrk", "-t1", "-c20", f"-d{max(int(launch.scale * 2), 1)}s",
                          f"http://127.0.0.1:{launch.port}/100.bin"], launch.work).decode()
    before = children_cpu()
    with open(os.path.join(launch.work, "pid"), encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGQUIT)
    server.status()
    requests = int(re.search(r"(\d+) requests in", said)[1])
    if requests == 0:
        raise harness.Failure("the client had no answer in its time")
    return (children_cpu() - before) / requests


def pigz(launch):
    real_xz.make_data(os.path.join(launch.work, "data"))
    return overhead.batch(["pigz", "-p2", "-k", "data"])(launch)


def xz(launch):
    real_xz.make_data(os.path.join(launch.work, "data"))
    return overhead.batch(["xz", "-T2", "-1", "--block-size=1MiB", "-k", "data"])(launch)


def git_log(launch):
    env = dict(overhead.real_git.FIXED, HOME=launch.work)
    repo = ["git", "-C", os.path.join(launch.work, "repo")]
    harness.plain(["git", "init", "-q", "-b", "main", "repo"], launch.work, env)
    harness.plain(repo + ["fast-import", "--quiet"], launch.work, env,
                  "".join(overhead.real_git.stream()).encode())
    return overhead.batch(repo + ["log", "-p", "main"])(launch)


# name: (seconds of a launch, limit in times plain or, for `true`, in added milliseconds)
PROGRAMS = {
    "redis, CPU": (served(redis_start, redis_drive, redis_stop), 1.05),
    "sqlite3 bulk": (overhead.sqlite3, 1.15),
    "memcached": (overhead.memcached, 1.05),
    "python3 threads": (overhead.batch(["/usr/bin/python3", "-I", "-c", overhead.PYTHON]), 1.05),
    "pigz -p2": (pigz, 1.05),
    "xz -T2": (xz, 1.05),
    "git log -p": (git_log, 1.05),
    "nginx, CPU a request": (nginx, 1.05),
    "true": (overhead.batch(["/bin/true"]), None),
}


def run_primitive(args, name, tool, wrap, work):
    count = max(primitives.PRIMITIVES[name][0] // TOOLS[tool][2] // args.divide, 100)
    program = args.primitives_tsan if tool == "tsan" else args.primitives
    argv = [args.usage, os.path.join(work, "used")] + wrap(work, [program, name, str(count)])
    done = subprocess.run(argv, cwd=work, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    numbers = [line for line in done.stdout.splitlines() if line.strip().isdigit()]
    return int(numbers[0]) / count


def run_program(args, name, tool, wrap, work):
    """(Its figure, seconds of processor time, MiB of the largest process.)"""
    launch = Launch(work, tool, wrap, args.usage)
    launch.scale = 1 / args.divide
    try:
        figure = PROGRAMS[name][0](launch)
    finally:
        launch.kill_all()
    with open(launch.used, encoding="ascii") as f:
        used = [tuple(map(int, line.split())) for line in f]
    return figure, sum(us for _, us in used) / 1e6, max(kib for kib, _ in used) / 1024


def measure(args, name, run, tools):
    """Per tool, the figure of each round; a tool that fails is left out from then on."""
    found = {tool: [] for tool in tools}
    for _ in range(args.runs):
        for tool in list(found):
            with tempfile.TemporaryDirectory(prefix="loiter-cost-") as work:
                try:
                    found[tool].append(run(args, name, tool, tools[tool], work))
                except (harness.Failure, subprocess.SubprocessError, IndexError, OSError) as e:
                    print(f"  {name}: {tool} failed: {str(e)[:200]}", file=sys.stderr)
                    del found[tool]
    return found


UNITS = {"ns": (1, "ns"), "ms": (1e3, "ms"), "us": (1e6, "us")}


def ratios(found, tools):
    """The median ratio to the plain run of the same round, a cell for each tool."""
    plain, cells = found["plain"], []
    for tool in list(tools)[1:]:
        runs = found.get(tool)
        ratio = runs and statistics.median(b / a for a, b in zip(plain, runs))
        cells.append(f"{ratio:10.2f}" if ratio else f"{'-':>10}")
    return "".join(cells)


def show(name, found, unit, limit, tools):
    plain = found.get("plain")
    if not plain:
        return
    factor, text = UNITS[unit]
    recorded = found.get("loiter")
    if limit is None and recorded:
        added = statistics.median(b - a for a, b in zip(plain, recorded))
        limit = f"4 ms: {added * 1e3:.1f} more"
    elif recorded:
        limit = f"{limit} (of the least times {min(recorded) / min(plain):.2f})"
    print(f"{name:26} {statistics.median(plain) * factor:9.1f} {text} {ratios(found, tools)}  {limit}",
          flush=True)


def cpu_line(name, found, tools):
    least = min(found["loiter"]) / min(found["plain"]) if found.get("loiter") else 0
    return (f"{name:26} {statistics.median(found['plain']) * 1e3:9.1f} ms {ratios(found, tools)}"
            f"  of the least times {least:.2f}")


def memory_line(name, found, tools):
    """Median of the peaks; what Loiter adds may be 3 % and 32 MiB."""
    plain = statistics.median(found["plain"])
    added = statistics.median(found["loiter"]) - plain if found.get("loiter") else 0
    limit = plain * 0.03 + 32
    return (f"{name:26} {plain:8.1f} MiB {ratios(found, tools)}  {added:.1f} MiB more, "
            f"limit {limit:.1f}")


def choose_tools(args):
    wanted = args.tools.split(",") if args.tools else list(TOOLS)
    chosen = {}
    for tool, (needs, wrap, _) in TOOLS.items():
        if tool == "loiter":
            wrap = lambda work, argv: [args.loiter, "record", "-o", f"{work}/log", "--"] + argv
        if tool == "forward":
            wrap = args.forward and (lambda work, argv: [f"LD_PRELOAD={args.forward}"] + argv)
        if tool == "tsan":
            wrap = TOOLS["plain"][1] if args.primitives_tsan else None
        if tool in ("plain", "loiter") or (tool == "forward" and wrap) or (tool in wanted and wrap and
                                           (needs is None or shutil.which(needs))):
            chosen[tool] = wrap
    return chosen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("primitives")
    parser.add_argument("usage", help="the program of usage.c")
    parser.add_argument("loiter")
    parser.add_argument("--forward", help="the library of forward.c")
    parser.add_argument("--primitives-tsan", help="the same, built with -fsanitize=thread")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="does it work, not how fast is it")
    parser.add_argument("--tools", help="names with commas between; plain and loiter always run")
    parser.add_argument("--only", default="", help="workloads whose name has this text")
    args = parser.parse_args()
    args.primitives, args.usage, args.loiter = map(os.path.abspath,
                                                   (args.primitives, args.usage, args.loiter))
    args.forward = args.forward and os.path.abspath(args.forward)
    args.primitives_tsan = args.primitives_tsan and os.path.abspath(args.primitives_tsan)
    args.divide = 10 if args.quick else 1
    args.runs = 1 if args.quick else args.runs
    tools = choose_tools(args)
    print(f"{'times plain':26} {'plain':>12} {''.join(f'{t:>10}' for t in list(tools)[1:])}  limit")
    for name, (_, text, limit) in primitives.PRIMITIVES.items():
        if args.only in text:
            show(text, measure(args, name, run_primitive, tools), "ns", limit, tools)
    tools.pop("tsan", None)  # needs programs built for it
    cpu, memory = [], []
    for name, (_, limit) in PROGRAMS.items():
        if args.only not in name:
            continue
        runs = measure(args, name, run_program, tools)
        figures, seconds, peaks = ({tool: [run[i] for run in of] for tool, of in runs.items()}
                                   for i in range(3))
        unit = "us" if name.endswith("a request") else "ms"
        show(name, figures, unit, limit, tools)
        if runs.get("plain"):
            cpu.append(cpu_line(name, seconds, tools))
            memory.append(memory_line(name, peaks, tools))
    print("\nprocessor time", *cpu, sep="\n")
    print("\npeak of the largest process", *memory, sep="\n")


if __name__ == "__main__":
    main()
