#!/usr/bin/env python3
"""pitfalls.py BUILD [--count N] [--check] [--json FILE] [NN...] - what mending each pitfall gains.

For each entry of `measure` in test-programs/NN-*/expect.json, the two programs run in turn under
`loiter compare --plain`; the table has a line a metric. tests/README.md describes the entries.

--check: one run a side; only whether what is counted (not timed) goes the way it should.
"""

import argparse
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIMED = ("ns", "bytes")
# A schedule can hide a race from a single run: --check looks again before it complains.
CHECKS_MOST = 3
DIRECTIONS = ("less", "more", "same", "any")
KEYS = {"before", "after", "args", "what", "metrics", "printed"}


class Mistake(Exception):
    """The table is wrong, or a program failed."""


def entries(only):
    """(number and name of the folder, entry) of all folders, in order."""
    for path in sorted(glob.glob(os.path.join(ROOT, "test-programs", "[0-9]*", "expect.json"))):
        folder = os.path.basename(os.path.dirname(path))
        if only and folder[:2] not in only:
            continue
        with open(path, encoding="utf-8") as text:
            expected = json.load(text)
        for entry in expected.get("measure", []):
            check_entry(folder, entry, expected["programs"])
            yield folder, entry


def check_entry(folder, entry, programs):
    if set(entry) - KEYS:
        raise Mistake(f"{folder}: unknown keys in measure: {set(entry) - KEYS}")
    wanted = {**entry.get("metrics", {}), **entry.get("printed", {})}
    if not wanted:
        raise Mistake(f"{folder}: a measure without metrics")
    for metric, direction in wanted.items():
        if direction not in DIRECTIONS:
            raise Mistake(f"{folder}: {metric}: {direction} is none of {DIRECTIONS}")
    for side in ("before", "after"):
        if name_of(entry, side) not in programs:
            raise Mistake(f"{folder}: no program {name_of(entry, side)}")


def name_of(entry, side):
    return entry.get(side, {"before": "pitfall", "after": "fixed"}[side])


def command(build, folder, entry, side):
    # Built from the stem of its source, as tests/harness/programs.cmake does.
    program = os.path.join(build, "test-programs", f"{folder[:2]}-{name_of(entry, side)}")
    return " ".join([program] + [f"'{word}'" for word in entry.get("args", [])])


def compare(build, folder, entry, count, plain):
    """The document of `loiter compare` for this entry."""
    words = [os.path.join(build, "bin", "loiter"), "compare", "--format", "json", "--count",
             str(count)] + ["--plain"] * plain
    for name, direction in entry.get("printed", {}).items():
        words += ["--measure", f"{name}:{'more' if direction == 'more' else 'less'}"]
    for side in ("before", "after"):
        words += ["--run", command(build, folder, entry, side)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Mistake(f"{folder}: {' '.join(words)}: status {done.returncode}\n{done.stderr}"
                      f"{done.stdout if done.returncode != 3 else warnings_of(done.stdout)}")
    return json.loads(done.stdout)


def warnings_of(text):
    return "\n".join(json.loads(text)["warnings"])


def amount(value, unit):
    scales = {"ns": (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1)),
              "bytes": (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))}
    for word, scale in scales.get(unit, ()):
        if abs(value) >= scale:
            return f"{value / scale:.3g} {word}"
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip() if unit and "/" in unit else text


def gain(before, after):
    if before == after:
        return "same"
    if not before or not after:
        return "to 0" if not after else "from 0"
    ratio = max(before / after, after / before)
    way = "less" if after < before else "more"
    digits = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
    return f"{digits} x {way}" if ratio >= 1.1 else f"{100 * (after - before) / before:+.1f} %"


def as_expected(direction, metric):
    """Whether the medians go that way. A difference that chance explains is the same."""
    before, after = metric["before"]["median"], metric["after"]["median"]
    if direction == "any":
        return True
    told = len(metric["before"]["values"]) < 4 or metric["significant"]
    if direction == "same":
        return before == after or not metric["significant"]
    return told and (after < before if direction == "less" else after > before)


def rows(folder, entry, document):
    """(metric, before, after, gain, expected direction, whether it went there)"""
    known = {m["name"]: m for m in document["metrics"]}
    for name, direction in {**entry.get("metrics", {}), **entry.get("printed", {})}.items():
        metric = known.get(name)
        if not metric:
            yield {"name": name, "before": "0", "after": "0", "gain": "same", "want": direction,
                   "ok": direction in ("same", "any"), "timed": False}
            continue
        if not metric["before"] or not metric["after"]:
            raise Mistake(f"{folder}: {name} is not printed")
        before, after = metric["before"]["median"], metric["after"]["median"]
        yield {"name": name, "before": amount(before, metric["unit"]),
               "after": amount(after, metric["unit"]), "gain": gain(before, after),
               "want": direction, "ok": as_expected(direction, metric),
               "timed": metric["unit"] in TIMED or name in entry.get("printed", {})}


def is_wrong(row, options):
    return not row["ok"] and not (options.check and row["timed"])


def measure_entry(folder, entry, options):
    """(the document of the comparison, its rows)"""
    for _ in range(CHECKS_MOST if options.check else 1):
        document = compare(options.build, folder, entry, 1 if options.check else options.count,
                           not options.check)
        table = list(rows(folder, entry, document))
        if not any(is_wrong(row, options) for row in table):
            break
    return document, table


def gone(document):
    fates = [(f["rule"], f["fate"]) for f in document["findings"]]
    return ", ".join(f"{rule} {fate}" for rule, fate in fates)


def measure(options):
    """Prints the table as it comes; gives all documents and how many lines are not as expected."""
    documents, wrong = [], 0
    print("| no | measured | metric | before | after | gain | expected |\n"
          "|---|---|---|--:|--:|--:|---|", flush=True)
    for folder, entry in entries(options.only):
        document, table = measure_entry(folder, entry, options)
        documents.append({"folder": folder, "entry": entry, "comparison": document})
        what = entry.get("what") or folder[3:]
        for row in table:
            skipped = options.check and row["timed"]
            verdict = "" if skipped or row["want"] == "any" else row["want"] if row["ok"] else f"NOT {row['want']}"
            wrong += is_wrong(row, options)
            print(f"| {folder[:2]} | {what} | {row['name']} | {row['before']} | {row['after']} | "
                  f"{row['gain']} | {verdict} |", flush=True)
            what = ""
        if gone(document):
            print(f"| | findings: {gone(document)} | | | | | |", flush=True)
    if not documents:
        raise Mistake("nothing to measure")
    return documents, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("only", nargs="*", help="numbers of pitfalls, all if none")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", help="every value of every run")
    options = parser.parse_intermixed_args()
    try:
        documents, wrong = measure(options)
    except Mistake as mistake:
        print(f"pitfalls: {mistake}", file=sys.stderr)
        return 2
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(documents, out, indent=1)
    if wrong:
        print(f"pitfalls: {wrong} lines are not as expected", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
