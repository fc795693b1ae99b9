"""leaks_test.py LOITER PROGRAM SANITIZED - each case of leaks.cpp: the blocks and bytes that
`loiter run --heap=full` finds lost by themselves are those that LeakSanitizer finds, in the same
program built with it. Where that cannot run (it traces its process), only `EXPECTED` counts.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

LOITER, PROGRAM, SANITIZED = sys.argv[1:4]

# Blocks and bytes that are lost by themselves, where they do not depend on the C++ library.
EXPECTED = {"plain": (4, 205101), "empty": (1, 1), "to-itself": (1, 64), "chain": (1, 64),
            "ring": (0, 0), "from-global": (0, 0), "names-of-the-library": (0, 0), "aligned": (6, 308312),
            "large": (1, 20 << 20), "unaligned": (1, 33), "living-thread": (0, 0),
            "ended-thread": (6, 9999), "own-thread-local": (0, 0), "specific": (0, 0),
            "crowd": (8, 5120), "thread-argument": (10, 300), "key-destructor": (0, 0),
            "loaded-thread-local": (0, 0), "context": (0, 0), "freed-at-exit": (1, 90),
            "array-of-none": (0, 0), "containers-kept": (0, 0),
            "many-lost": (4096, 4096 * 4096), "many-kept": (0, 0), "on-the-stack": (0, 0)}


def loiter(case):
    with tempfile.TemporaryDirectory(prefix="loiter-leaks-") as work:
        report = os.path.join(work, "report.json")
        done = subprocess.run([LOITER, "run", "--heap=full", "--format=json", "--report", report,
                               "--only=heap-leak", "-o", os.path.join(work, "log"), "--", PROGRAM,
                               case], capture_output=True, text=True, check=False)
        with open(report, encoding="utf-8") as text:
            findings = json.load(text)["findings"]
    direct = [f for f in findings if all(e["name"] != "ring" for e in f["evidence"])]
    cost = lambda unit: sum(c["amount"] for f in direct for c in f["cost"] if c["unit"] == unit)
    status = 23 if findings else 0
    if done.returncode != status:
        print(f"{case}: status {done.returncode}, not {status}: {done.stderr}")
    return int(cost("blocks")), int(cost("bytes")), done.returncode == status


def sanitizer(case):
    """None where it cannot run here."""
    done = subprocess.run([SANITIZED, case], capture_output=True, text=True, check=False,
                          env={**os.environ, "LSAN_OPTIONS": "exitcode=0"})
    if "LeakSanitizer has encountered a fatal error" in done.stderr:
        return None
    found = re.findall(r"Direct leak of (\d+) byte\(s\) in (\d+) object", done.stderr)
    return sum(int(n) for _, n in found), sum(int(n) for n, _ in found)


def main():
    cases = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda case: (case, loiter(case), sanitizer(case)), cases)
        for case, (blocks, size, good), other in answers:
            wanted = [w for w in (other, EXPECTED.get(case)) if w is not None]
            good = good and all(w == (blocks, size) for w in wanted)
            print(f"{'ok ' if good else 'BAD'} {case}: {blocks} blocks, {size} bytes; "
                  f"LeakSanitizer {other}, expected {EXPECTED.get(case)}", flush=True)
            wrong += not good
    missing = set(EXPECTED) - set(cases)
    if missing:
        print(f"no such cases: {missing}")
    return 1 if wrong or missing or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
