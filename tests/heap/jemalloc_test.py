"""jemalloc_test.py LOITER PROGRAM - --allocator=jemalloc serves the program, its figures are in the
report, and lost blocks are found there too; without it there are no such figures."""

import json
import os
import subprocess
import sys
import tempfile

LOITER, PROGRAM = sys.argv[1:3]


def run(*options):
    """The report as JSON, and what the program printed."""
    with tempfile.TemporaryDirectory(prefix="loiter-jemalloc-") as work:
        report = os.path.join(work, "report.json")
        subprocess.run([LOITER, "run", "--heap=full", "--format=json", "--report", report,
                        "-o", os.path.join(work, "log"), *options, "--", PROGRAM, "plain"],
                       capture_output=True, text=True, check=False)
        with open(report, encoding="utf-8") as text:
            return json.load(text)


def expect(good, what):
    print("ok " if good else "BAD", what)
    return 0 if good else 1


def main():
    wrong = 0
    plain, other = run(), run("--allocator=jemalloc")
    wrong += expect(plain["run"]["processes"][0]["allocator"] is None, "the program's own is silent")
    figures = other["run"]["processes"][0]["allocator"] or {}
    wrong += expect(figures.get("name", "").startswith("jemalloc 5"), f"its name: {figures}")
    wrong += expect(figures.get("arenas", 0) > 0, "it has arenas")
    wrong += expect(0 < figures.get("allocated", 0) <= figures.get("active", 0)
                    <= figures.get("resident", 0), "allocated, active, resident")
    lost = [f for f in other["findings"] if f["rule"] == "heap-leak"]
    wrong += expect(lost and all(f["confidence"] == "probable" for f in lost), "leaks are probable")
    wrong += expect(other["run"]["complete"], "the record is complete")
    text = subprocess.run([LOITER, "run", "--no-keep", "--allocator=jemalloc", "--", PROGRAM,
                           "ring"], capture_output=True, text=True, check=False)
    said = text.stdout + text.stderr
    wrong += expect("loiter: jemalloc 5" in said and "retained" in said, "said in words")
    if wrong:
        print(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
