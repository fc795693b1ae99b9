"""jemalloc_test.py LOITER PROGRAM MARKS - --allocator=jemalloc serves the program, its figures are in the
report, and lost blocks are found there too; without it there are no such figures."""

import json
import os
import subprocess
import sys
import tempfile

LOITER, PROGRAM, MARKS = sys.argv[1:4]


def run(*options, argv=(PROGRAM, "plain")):
    """The report as JSON."""
    with tempfile.TemporaryDirectory(prefix="loiter-jemalloc-") as work:
        report = os.path.join(work, "report.json")
        subprocess.run([LOITER, "run", "--heap=full", "--format=json", "--report", report,
                        "-o", os.path.join(work, "log"), *options, "--", *argv],
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
    killed = run("--allocator=jemalloc", argv=(MARKS,))["run"]["processes"][0]["allocator"] or {}
    wrong += expect(killed.get("readings") == 3, f"asked at the start and at marks: {killed}")
    os.environ["LOITER_OPTIONS"] = "allocator_ms=1"
    often = run("--allocator=jemalloc", argv=(PROGRAM, "many-kept"))
    del os.environ["LOITER_OPTIONS"]
    figures = often["run"]["processes"][0]["allocator"] or {}
    wrong += expect(figures.get("readings", 0) > 2, f"asked while it runs: {figures}")
    wrong += expect(figures.get("resident_most", 0) >= figures.get("resident", 1) > 16 << 20,
                    "the most of its memory")
    text = subprocess.run([LOITER, "run", "--no-keep", "--allocator=jemalloc", "--", PROGRAM,
                           "ring"], capture_output=True, text=True, check=False)
    said = text.stdout + text.stderr
    wrong += expect("loiter: jemalloc 5" in said and "retained" in said, "said in words")
    if wrong:
        print(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
