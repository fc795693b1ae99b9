#!/usr/bin/env python3
"""compare.py WEFT_BENCH GO_BENCH [OPTION...] [WORKLOAD...]

Runs each workload of Weft, of Go and of threads in fresh processes, in turn, and prints nanoseconds
per operation (least / median), the ratios of the least times and the median of the ratios of pairs,
the goal, what the primitives alone take over Go's time (probe.c), and the peak memory. A ratio below
1: Weft is faster. With --loiter it runs Weft plainly and recorded by Loiter instead. See
docs/bench.md."""
import argparse
import collections
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from workloads import FIGURES, LOITER_LIMITS, WORKLOADS

Program = collections.namedtuple("Program", "name argv")


class Results:
    """What the runs of one program said: a list of values for each figure."""

    def __init__(self):
        self.values = collections.defaultdict(list)

    def add(self, output, count):
        for name, value in re.findall(r"(\w+)=(-?\d+)", output):
            self.values[name].append(int(value) / count if name in ("ns", "cpu") else int(value))

    def least(self, name):
        return min(self.values[name]) if name in self.values else None

    def median(self, name):
        return statistics.median(self.values[name])

    def peak_mb(self):
        return max(self.values["rss_kb"]) / 1024


def run_once(program, workload, count, workers):
    env = dict(os.environ, WEFT_WORKERS=str(workers), GOMAXPROCS=str(workers))
    log = None
    argv = list(program.argv)
    if "DIR" in argv:
        log = tempfile.mkdtemp(prefix="bench-weft.")
        argv[argv.index("DIR")] = os.path.join(log, "log")
    try:
        return subprocess.run(argv + [workload, str(count)], env=env, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout
    except subprocess.CalledProcessError as e:
        sys.exit(f"compare.py: {' '.join(e.cmd)}: status {e.returncode}\n{e.stderr}")
    finally:
        if log is not None:
            shutil.rmtree(log)


def measure(programs, name, workers, args):
    """The results of each program that has the workload, by name."""
    spec = WORKLOADS[name]
    results = {}
    for _ in range(args.runs):
        for program in programs:
            count = spec.thread_count if program.name == "threads" else spec.count
            if count == 0 or (program.name == "probe" and not spec.probe):
                continue
            if args.quick:
                count = max(count // 10, 1000)
            out = run_once(program, name, count, workers)
            results.setdefault(program.name, Results()).add(out, count)
    return results


def pair(results):
    if results is None:
        return f"{'-':>17}"
    return f"{results.least('ns'):8.1f}/{results.median('ns'):8.1f}"


def ratio(mine, other):
    return f"{mine / other:7.2f}" if mine is not None and other else f"{'-':>7}"


def pairs(mine, other):
    """The median of the ratios of runs that followed each other: what else the machine does in a
    while slows both of a pair, so that it hardly shows."""
    if other is None:
        return f"{'-':>7}"
    return f"{statistics.median(a / b for a, b in zip(mine.values['ns'], other.values['ns'])):7.2f}"


def print_figures(name, workers, results, columns):
    """The figures beside time: a line each, in the columns of the programs."""
    for figure in FIGURES:
        values = [results[c].least(figure.name) if c in results else None for c in columns]
        if all(v is None for v in values):
            continue
        cells = "".join(f"{'-' if v is None else format(v, ',.0f'):>18}" for v in values)
        goal = ratio(*figure.goal) if figure.goal else f"{'-':>7}"
        probe = results["probe"].least(figure.name) if "probe" in results else None
        print(f"  {figure.text:21}{workers:>2}{cells}{ratio(values[0], values[1])}"
              f"{'':14}{goal}{ratio(probe, values[1])}", flush=True)


def compare(programs, args):
    columns = ["Weft", "Go", "threads"]
    print(f"{'ns an operation':21}{'workers':>4}{'Weft':>18}{'Go':>18}{'threads':>18}"
          f"{'/Go':>7}{'pairs':>7}{'/thr.':>7}{'goal':>7}{'probe':>7}{'MB':>8}{'Go MB':>8}")
    for name, workers in chosen(args):
        results = measure(programs, name, workers, args)
        weft, go, threads, probe = (results.get(c) for c in columns + ["probe"])
        least = weft.least("ns")
        goal = WORKLOADS[name].goals.get(workers)
        print(f"{name:23}{workers:>2} {pair(weft)} {pair(go)} {pair(threads)}"
              f"{ratio(least, go and go.least('ns'))}{pairs(weft, go)}"
              f"{ratio(least, threads and threads.least('ns'))}"
              f"{ratio(*goal) if goal else '-':>7}"
              f"{ratio(probe and probe.least('ns'), go and go.least('ns'))}{weft.peak_mb():8.1f}"
              f"{format(go.peak_mb(), '8.1f') if go else '-':>8}", flush=True)
        print_figures(name, workers, results, columns)
        yield name, workers, results


def compare_loiter(programs, args):
    print(f"{'ns an operation':21}{'workers':>4}{'Weft':>18}{'with Loiter':>18}"
          f"{'ratio':>7}{'pairs':>7}{'limit':>7}{'MB':>8}{'with':>8}")
    for name, workers in chosen(args):
        results = measure(programs, name, workers, args)
        plain, loaded = (results[p.name] for p in programs)
        print(f"{name:23}{workers:>2} {pair(plain)} {pair(loaded)}"
              f"{ratio(loaded.least('ns'), plain.least('ns'))}{pairs(loaded, plain)}"
              f"{LOITER_LIMITS.get(name, '-'):>7}{plain.peak_mb():8.1f}{loaded.peak_mb():8.1f}",
              flush=True)
        yield name, workers, results


def chosen(args):
    for name in args.workloads:
        for workers in map(int, args.workers.split(",")):
            if workers in WORKLOADS[name].workers:
                yield name, workers


def print_floor(program, runs):
    """The machine's own figures, the least of some runs."""
    values = collections.defaultdict(list)
    for _ in range(runs):
        out = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
        for name, value in re.findall(r"(\w+)=([\d.]+)", out):
            values[name].append(float(value))
    print("floor: " + ", ".join(f"{name} {min(v):.1f}" for name, v in values.items()), flush=True)
    return {name: min(v) for name, v in values.items()}


def write_json(path, rows, floor):
    doc = {"floor_ns": floor, "workloads": [
        {"workload": name, "workers": workers,
         "programs": {p: dict(r.values) for p, r in results.items()}}
        for name, workers, results in rows]}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weft")
    parser.add_argument("go")
    parser.add_argument("--runs", type=int, default=0, help="of each program (6; with --quick 2)")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    parser.add_argument("--no-threads", action="store_true", help="Weft and Go alone")
    parser.add_argument("--loiter", metavar="COMMAND", help="the loiter command: what it costs")
    parser.add_argument("--json", metavar="FILE", help="all values of all runs")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    args = parser.parse_intermixed_args()
    args.runs = args.runs or (2 if args.quick else 6)
    for name in args.workloads:
        if name not in WORKLOADS:
            sys.exit(f"compare.py: no such workload: {name}; they are {' '.join(WORKLOADS)}")
    return args


def main():
    args = parse()
    beside = os.path.dirname(os.path.abspath(args.weft))
    floor = print_floor(os.path.join(beside, "floor_bench"), 3)
    programs = [Program("Weft", [args.weft])]
    if args.loiter:
        record = [args.loiter, "record", "--max-log-size=4G", "-o", "DIR", "--", args.weft]
        programs.append(Program("with Loiter", record))
        rows = list(compare_loiter(programs, args))
    else:
        programs.append(Program("Go", [args.go]))
        if not args.no_threads:
            programs.append(Program("threads", [os.path.join(beside, "thread_bench")]))
        programs.append(Program("probe", [os.path.join(beside, "probe_bench")]))
        rows = list(compare(programs, args))
    if args.json:
        write_json(args.json, rows, floor)


if __name__ == "__main__":
    main()
