"""sampled_test.py LOITER PROGRAM MARKS - what samples find, with the default options: a leak's size as
estimated, what is kept is none, and a process that is killed is judged as of its last mark."""

import json
import os
import subprocess
import sys
import tempfile

LOITER, PROGRAM, MARKS = sys.argv[1:4]


def run(*argv):
    """Findings of the run, its exit status and what was said of it."""
    with tempfile.TemporaryDirectory(prefix="loiter-sampled-") as work:
        report = os.path.join(work, "report.json")
        done = subprocess.run([LOITER, "run", "--format=json", "--report", report, "--only=heap-leak",
                               "-o", os.path.join(work, "log"), *argv], capture_output=True, text=True,
                              check=False)
        with open(report, encoding="utf-8") as text:
            told = json.load(text)
    return told["findings"], done.returncode, told["warnings"]


def expect(good, what):
    print("ok " if good else "BAD", what)
    return 0 if good else 1


def cost(finding, unit):
    return sum(c["amount"] for c in finding["cost"] if c["unit"] == unit)


def many_lost(*argv):
    """16 MiB by one byte in 512 KiB: 32 samples, a deviation of 18 %. As large as is surely judged:
    where samples are, the search has 50 ms."""
    found, status, _ = run("--", *argv)
    wrong = expect(len(found) == 1, f"one place: {found}")
    for f in found:
        wrong += expect(f["severity"] == "warning" and status == 0, f"a warning: {f['severity']}, {status}")
        size = cost(f, "bytes")
        wrong += expect(0.2 < size / (16 << 20) < 2, f"its size: {size}")
        wrong += expect("about" in f["title"], f"said to be estimated: {f['title']}")
        wrong += expect(any("many_lost" in str(s) for s in f["stacks"]), f"where: {f['stacks']}")
    return wrong


def main():
    wrong = many_lost(PROGRAM, "many-lost")
    # One that another program started has its record from the first sample on.
    wrong += many_lost("sh", "-c", f"{PROGRAM} many-lost; true")
    found, status, _ = run("--", PROGRAM, "many-kept")
    wrong += expect(not found and status == 0, f"what is kept is none: {found}")
    # Two million words in a millisecond: that cannot be done, and silence must not look like none.
    os.environ["LOITER_OPTIONS"] = "heap_scan_ms=1"
    found, status, said = run("--", PROGRAM, "many-kept")
    del os.environ["LOITER_OPTIONS"]
    wrong += expect(any("lost memory was not looked for in 1 process" in w for w in said),
                    f"no time for it: {said}")
    wrong += expect(not found and status == 0, f"which is no finding: {found}")
    found, status, _ = run("--heap=full", "--", MARKS)
    wrong += expect(len(found) == 1 and status == 23, f"killed, and judged: {found}, {status}")
    for f in found:
        wrong += expect("at the mark after losing" in f["title"], f"as of when: {f['title']}")
        wrong += expect(cost(f, "blocks") == 40 and cost(f, "bytes") == 40 * 250000, "blocks, bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
