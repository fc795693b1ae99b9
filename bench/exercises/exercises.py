#!/usr/bin/env python3
"""exercises.py PROGRAM [--runs N] [--quick] [NN...] - the exercises' further measurements, as tables.

Each of them (exercise.h) runs several times, in turn with the others, so that a slow minute of the
machine hits all; a cell is the median. Weft runs as many workers as there are processors, or as
WEFT_WORKERS says.
"""

import argparse
import os
import statistics
import subprocess
import sys

# Number of the pitfall, name of the measurement, what the cells are.
EXERCISES = (
    ("02", "buffers", "8 tasks read files, a buffer of 64 KiB for each file"),
    ("04", "read_share", "8 tasks look up 64 words under one lock: ns an operation"),
    ("04", "duplicates", "64 tasks want 4 keys that take 2 ms to fetch"),
    ("05", "once", "finding that all is initialised: ns a call"),
    ("06", "caches", "three caches under four workloads, 8 tasks: ns an operation"),
    ("16", "latency", "from weft_go to the task's first instruction: ns, and how many took how long"),
    ("17", "counters", "a counter, by 1 to 8 threads or tasks: ns an operation"),
    ("18", "errors", "1,000 tasks, 16 at once, number 100 fails"),
    ("19", "threads", "from a request to its answer, one request after the other"),
)
QUICK_SCALE = 10000


def run(program, name, scale):
    """{row: {column: number}} in the order in which they are printed"""
    done = subprocess.run([program, name] + ([str(scale)] if scale else []), capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: status {done.returncode}: {done.stderr.strip()}")
    rows = {}
    for line in done.stdout.splitlines():
        row, column, number = line.split("\t")
        rows.setdefault(row, {})[column] = float(number)
    if not rows:
        raise RuntimeError(f"{name}: nothing was printed")
    return rows


def merged(runs):
    """The medians of the runs; what a run does not have (a bin without samples) is 0 there."""
    rows = {}
    for row in runs[0]:
        columns = dict.fromkeys(c for r in runs for c in r[row])
        rows[row] = {c: statistics.median(r[row].get(c, 0) for r in runs) for c in columns}
    return rows


def amount(number):
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def histogram(row, bins):
    """Lines of a histogram over octaves."""
    most, total = max(bins.values()), sum(bins.values())
    for column, number in sorted(bins.items(), key=lambda b: int(b[0].split()[1])):
        low = int(column.split()[1])
        bar = "#" * round(40 * number / most)
        yield f"    {row:8} {low:>9,} - {2 * low:>9,} ns {100 * number / total:5.1f} % {bar}".rstrip()


def print_table(what, rows):
    bins = {row: {c: n for c, n in cells.items() if c.startswith("from ")}
            for row, cells in rows.items()}
    columns = [c for c in dict.fromkeys(c for cells in rows.values() for c in cells)
               if not c.startswith("from ")]
    print(f"\n{what}\n\n| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for row, cells in rows.items():
        print(f"| {row} | " + " | ".join(amount(cells[c]) for c in columns) + " |")
    for row, cells in bins.items():
        if cells:
            print("\n" + "\n".join(histogram(row, cells)))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("only", nargs="*", help="numbers of pitfalls, all if none")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="does it work, not how fast is it")
    options = parser.parse_intermixed_args()
    chosen = [e for e in EXERCISES if not options.only or e[0] in options.only]
    scale = QUICK_SCALE if options.quick else 0
    try:
        runs = {}
        for _ in range(1 if options.quick else options.runs):
            for _, name, _ in chosen:
                runs.setdefault(name, []).append(run(options.program, name, scale))
    except (OSError, RuntimeError, ValueError) as error:
        print(f"exercises: {error}", file=sys.stderr)
        return 1
    workers = os.environ.get("WEFT_WORKERS") or len(os.sched_getaffinity(0))
    print(f"{workers} workers, medians of {len(next(iter(runs.values())))} runs in turn")
    for number, name, what in chosen:
        print_table(f"**{number}** {what}", merged(runs[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
