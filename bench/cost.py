#!/usr/bin/env python3
"""cost.py PRIMITIVES USAGE LOITER [--forward LIB] [--built FLAVOUR=PRIMITIVES]... [--programs
FLAVOUR=DIR]... [--runs N] [--most N] [--sure X] [--minutes M] [--limit S] [--quick] [--tools A,B]
[--only TEXT]

What recording costs beside what the peers cost: single calls, and whole programs. All tools take
turns in each round, so that a slow minute of the machine hits all of them; a cell is the median of
the ratios to the plain run of the same round, and behind the limit stand the bounds of Loiter's
(right in 19 of 20 cases). `again` is the plain run once more: what its bounds are apart is the
machine's doing, and Loiter's say no more than theirs. `forward` has wrappers preloaded that only call
on: the floor of every interposer. Of the programs, more tables show what a busy machine disturbs less
than the time that goes by, of all their processes: the processor time, the instructions in the program
and the kernel, where the machine counts them, and the page faults; and the memory of the largest
process at its peak. What has no figure is listed at the end, with the reason. The figures are for reading, nothing
is asserted.

It ends in about --minutes: each workload has its share of the time that is left, and at least one
round. Of all tools there are --runs rounds; then plain runs, `forward` and Loiter go on until the
bounds are within --sure of the median, or --most rounds are done. A run that takes more than --limit
seconds is ended, and that tool left out there. Where it is ended before (SIGINT,
SIGTERM), it ends what it started and shows what it has.
"""

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../tests/real")]
sys.dont_write_bytecode = True

import cost_programs
import cost_tools
import harness
import primitives
import rounds

UNITS = {"ns": (1, "ns"), "ms": (1e3, "ms"), "us": (1e6, "us")}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)
    else:
        print(f"  {text}", file=sys.stderr, flush=True)


class Launch(harness.Launch):
    """Starts programs under a tool; `used` is told what they took."""

    def __init__(self, work, tool, bench, scale):
        super().__init__(work)
        self.tool = tool
        self.bench = bench
        self.scale = scale
        self.used = os.path.join(work, "used")

    def wrap(self, argv):
        if self.tool.built in self.bench.programs:
            argv = [os.path.join(self.bench.programs[self.tool.built], argv[0])] + argv[1:]
        return [self.bench.usage, self.used] + self.tool.wrap(self.work, argv)


class Bench:
    """The rounds, and what had no figure."""

    def __init__(self, args):
        self.args = args
        self.usage = os.path.abspath(args.usage)
        self.primitives = {None: os.path.abspath(args.primitives), **paths(args.built)}
        self.programs = paths(args.programs)
        self.missing = []
        self.tools = cost_tools.chosen(os.path.abspath(args.loiter),
                                       args.forward and os.path.abspath(args.forward),
                                       args.tools.split(",") if args.tools else [], self.say_missing)
        for tool in [t for t in self.tools if t.built and t.built not in self.primitives]:
            self.say_missing(f"{tool.name}: no program that is built for it is given (--built)")
            self.tools.remove(tool)
        self.end = time.monotonic() + args.minutes * 60
        self.left = 0  # workloads
        self.running = self.over = False

    def end_early(self, *_):
        self.over = True
        if self.running:
            self.running = False
            raise harness.Failure("ended before it was over")

    def say_missing(self, text):
        self.missing.append(text)
        progress(text)

    def run_call(self, name, tool, scale, work):
        """(Nanoseconds of one call,)"""
        count = max(int(primitives.PRIMITIVES[name][0] * scale), 100)
        launch = Launch(work, tool, self, scale)
        argv = [self.primitives[tool.built], name, str(count)]
        try:
            done = launch.run(argv, timeout_s=self.args.limit)
        finally:
            launch.kill_all()
        numbers = [line for line in done["out"].splitlines() if line.strip().isdigit()]
        if not numbers:
            raise harness.Failure(f"status {done['status']}: {done['err'].decode(errors='replace')}")
        return (int(numbers[0]) / count,)

    def run_program(self, name, tool, scale, work):
        """(Its figure, seconds of processor time, MiB of the largest process, page faults,
        instructions or 0.)"""
        launch = Launch(work, tool, self, scale)
        try:
            figure = cost_programs.PROGRAMS[name].measure(launch)
        finally:
            launch.kill_all()
        with open(launch.used, encoding="ascii") as f:
            used = [tuple(map(int, line.split())) for line in f]
        kib, us, faults, instructions = zip(*used)
        return figure, sum(us) / 1e6, max(kib) / 1024, sum(faults), sum(instructions)

    def try_run(self, text, run, *what):
        """None, and a reason, if it failed."""
        began = time.monotonic()
        try:
            self.running = not self.over
            with tempfile.TemporaryDirectory(prefix="loiter-cost-", ignore_cleanup_errors=True) as work:
                figures = run(*what, work)
        except (harness.Failure, subprocess.SubprocessError, ValueError, OSError) as e:
            self.say_missing(f"{text}: {' '.join(str(e).split())[:160]}")
            return None
        finally:
            self.running = False
        progress(f"{text}: {time.monotonic() - began:.1f} s")
        return figures

    def round_of(self, text, run, name, tools, share_of, number):
        """Pairs of what the plain run of as much work took and what a tool took itself, by its name.
        Tools that fail are taken out of `tools`."""
        plain, pairs = self.tools[0], {}
        for scale in sorted({share_of(tool) for tool in tools}, reverse=True):
            group = [plain] + [t for t in tools if t is not plain and share_of(t) == scale]
            took = {}
            for tool in rounds.in_turn(group, number):
                if not self.over:
                    took[tool] = self.try_run(text + tool.name, run, name, tool,
                                              scale / self.args.divide)
            for tool in group:
                if took.get(plain) and took.get(tool):
                    pairs.setdefault(tool.name, (took[plain], took[tool]))
                elif not self.over and tool in tools:
                    tools.remove(tool)
        return pairs

    def measure(self, name, run, tools, share_of):
        """The pairs of all rounds, for each tool. The first --runs rounds are of all tools; up to
        --most follow of the fast ones, until it is known well enough what Loiter costs."""
        began = time.monotonic()
        found = {tool.name: [] for tool in tools}
        share = (self.end - began) / max(self.left, 1)
        self.left -= 1
        for number in range(self.args.most):
            if number == self.args.runs:
                tools = [tool for tool in tools if tool.name in cost_tools.FAST]
            if number >= self.args.runs and rounds.sure(ratios_of(found, "loiter", 0), self.args.sure):
                break
            if number > 0 and (time.monotonic() - began) * (number + 1) / number > share:
                break  # another round would take too long
            pairs = self.round_of(f"{name}, round {number + 1}, ", run, name, tools, share_of, number)
            for tool, pair in pairs.items():
                found[tool].append(pair)
            if self.over or not pairs:
                break
        return found


def paths(pairs):
    """{flavour: path} of what the command line says as FLAVOUR=PATH."""
    return {key: os.path.abspath(path) for key, path in (pair.split("=", 1) for pair in pairs)}


def ratios_of(found, tool, i):
    """Of figure `i`, to the plain run's of the same round."""
    return [own[i] / plain[i] if plain[i] > 0 else 0 for plain, own in found.get(tool, [])]


def ratios(found, tools, i):
    """The median of them, a cell for each tool."""
    cells = []
    for tool in tools[1:]:
        values = ratios_of(found, tool.name, i)
        cells.append(f"{statistics.median(values):10.2f}" if any(values) else f"{'-':>10}")
    return "".join(cells)


def column(found, tool, i):
    return [own[i] for _, own in found.get(tool, [])]


def trust(found, i):
    """Between what bounds the median of Loiter's ratios is, and the ratio of the least times; and the
    same of the plain run once more, which would be 1."""
    said = []
    for tool, text in (("loiter", ""), ("again", "; again ")):
        plain, own = column(found, "plain", i), column(found, tool, i)
        if own:
            said.append(f"{text}{rounds.bounds(ratios_of(found, tool, i))}, of the least times "
                        f"{min(own) / min(plain):.2f}")
    return "".join(said)


def show(name, found, unit, limit, tools):
    plain, recorded = column(found, "plain", 0), column(found, "loiter", 0)
    if not plain:
        return
    factor, text = UNITS[unit]
    if limit is None and recorded:
        added = statistics.median(b - a for a, b in zip(plain, recorded))
        limit = f"4 ms: {added * 1e3:.1f} more"
    elif recorded:
        limit = f"{limit} ({trust(found, 0)})"
    print(f"{name:26} {statistics.median(plain) * factor:9.1f} {text} {ratios(found, tools, 0)}  "
          f"{len(plain)}  {limit}", flush=True)


def cpu_line(name, found, tools):
    plain, recorded = column(found, "plain", 1), column(found, "loiter", 1)
    least = f"  ({trust(found, 1)})" if recorded else ""
    return f"{name:26} {statistics.median(plain) * 1e3:9.1f} ms {ratios(found, tools, 1)}{least}"


def memory_line(name, found, tools):
    """Median of the peaks; what Loiter adds may be 3 % and 32 MiB."""
    plain, recorded = statistics.median(column(found, "plain", 2)), column(found, "loiter", 2)
    more = ""
    if recorded:
        more = f"  {statistics.median(recorded) - plain:.1f} MiB more, limit {plain * 0.03 + 32:.1f}"
    return f"{name:26} {plain:8.1f} MiB {ratios(found, tools, 2)}{more}"


def count_line(name, found, tools, i):
    """Of what is counted, in thousands."""
    return f"{name:26} {statistics.median(column(found, 'plain', i)) / 1e3:12.1f} {ratios(found, tools, i)}"


def shares(tools):
    """What the slow ones have less of, for people."""
    for tool in tools:
        if tool.calls < 1 or tool.work < 1:
            yield f"{tool.name} {tool.calls:.3g} of the calls, {tool.work:.3g} of the work"


def calls(bench, names):
    tools = [t for t in bench.tools if t.built in bench.primitives]
    for name in names:
        _, text, limit = primitives.PRIMITIVES[name]
        found = bench.measure(name, bench.run_call, list(tools), lambda tool: tool.calls)
        show(text, found, "ns", limit, bench.tools)


def program_tools(bench, program):
    """Without those that would need it built in another way, and are not given it."""
    return [tool for tool in bench.tools if not tool.built or os.path.exists(
        os.path.join(bench.programs.get(tool.built, "/nonexistent"), program.name()))]


def programs(bench, names):
    """The lines of the other tables, by their heads."""
    cpu, instructions, faults, memory = [], [], [], []
    for name in names:
        program = cost_programs.PROGRAMS[name]
        if program.missing():
            bench.say_missing(f"{name}: {' and '.join(program.missing())} not installed, left out")
            continue
        tools = program_tools(bench, program)
        found = bench.measure(name, bench.run_program, tools, lambda tool: tool.work)
        show(name, found, program.unit, program.limit, bench.tools)
        if column(found, "plain", 0) and program.unit == "ms":
            cpu.append(cpu_line(name, found, bench.tools))
        if column(found, "plain", 0):
            faults.append(count_line(name, found, bench.tools, 3))
            memory.append(memory_line(name, found, bench.tools))
            if all(column(found, "plain", 4)):
                instructions.append(count_line(name, found, bench.tools, 4))
    return {"processor time": cpu, "instructions, thousands": instructions,
            "page faults, thousands": faults, "peak of the largest process": memory}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[0])
    parser.add_argument("primitives")
    parser.add_argument("usage", help="the program of usage.c")
    parser.add_argument("loiter")
    parser.add_argument("--forward", help="the library of forward.c")
    parser.add_argument("--built", action="append", default=[],
                        help="FLAVOUR=FILE: primitives, built with -fsanitize of that flavour")
    parser.add_argument("--programs", action="append", default=[],
                        help="FLAVOUR=DIR: programs of that flavour, as tsan-programs.sh builds them")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=41)
    parser.add_argument("--sure", type=float, default=0.02, help="a share of the median")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--limit", type=float, default=120, help="seconds for a single run")
    parser.add_argument("--quick", action="store_true", help="does it work, not how fast is it")
    parser.add_argument("--tools", help="names with commas between, or none; plain and loiter run")
    parser.add_argument("--only", default="", help="workloads whose name has this text")
    args = parser.parse_args()
    args.divide = 10 if args.quick else 1
    args.runs = 1 if args.quick else args.runs
    args.most = 1 if args.quick else max(args.most, args.runs)
    harness.STEP_TIMEOUT_S = args.limit
    return args


def main():
    args = arguments()
    bench = Bench(args)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (cost_programs.FILES_MOST, most))
    signal.signal(signal.SIGTERM, bench.end_early)
    signal.signal(signal.SIGINT, bench.end_early)
    single = [n for n, (_, text, _) in primitives.PRIMITIVES.items() if args.only in text]
    whole = [n for n in cost_programs.PROGRAMS if args.only in n]
    bench.left = len(single) + len(whole)
    names = "".join(f"{tool.name:>10}" for tool in bench.tools[1:])
    print(f"{'times plain':26} {'plain':>12} {names}  rounds, limit", flush=True)
    with cost_tools.LttngDaemon(bench.tools):
        calls(bench, single)
        tables = programs(bench, whole)
    for head, lines in tables.items():
        if lines:
            print(f"\n{head}", *lines, sep="\n")
    if list(shares(bench.tools)):
        print("\nbeside plain runs of as much:", *shares(bench.tools), sep="\n  ")
    if bench.missing:
        print("\nno figure:", *bench.missing, sep="\n  ")


if __name__ == "__main__":
    main()
