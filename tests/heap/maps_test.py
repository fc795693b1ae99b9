"""maps_test.py LOITER PROGRAM - the search for lost blocks in a process whose memory cannot all be
read and changes meanwhile: it finds the ten that are lost and no other, whatever other threads do; one
that is killed in the middle of it leaves a record that can be read."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import time

LOITER, PROGRAM = sys.argv[1:3]


def expect(good, what):
    print("ok " if good else "BAD", what)
    return 0 if good else 1


def judged(work, *argv):
    report, log = os.path.join(work, "report.json"), os.path.join(work, "-".join(("log",) + argv))
    done = subprocess.run([LOITER, "run", "--heap=full", "--no-follow", "--format=json", "--report",
                           report, "--only=heap-leak", "-o", log, "--", PROGRAM, *argv],
                          capture_output=True, text=True, check=False)
    with open(report, encoding="utf-8") as text:
        found = json.load(text)["findings"]
    sums = {unit: sum(c["amount"] for f in found for c in f["cost"] if c["unit"] == unit)
            for unit in ("blocks", "bytes")}
    return expect(sums == {"blocks": 10, "bytes": 10000} and done.returncode == 23 and
                  "ends now" in done.stdout, f"{argv}: {sums}, status {done.returncode}, {done.stderr}")


def killed(work, delay_s):
    """Killed so long after it began to end."""
    log = os.path.join(work, f"log-{delay_s}")
    process = subprocess.Popen([LOITER, "record", "--heap=full", "--no-follow", "-o", log, "--",
                                PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    time.sleep(delay_s)
    for folder in glob.glob(os.path.join(log, "*.0")):
        try:
            os.kill(int(os.path.basename(folder).split(".")[0]), 9)
        except ProcessLookupError:
            pass
    process.stdout.close()
    process.wait()
    status = subprocess.run([LOITER, "analyze", "--only=heap-leak", log], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, check=False).returncode
    return expect(status in (0, 1, 3), f"killed {delay_s} s into its end: status {status}")


def main():
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="loiter-maps-") as work:
        wrong += judged(work)
        wrong += judged(work, "forks")
        for delay_s in (0, 0.002, 0.005, 0.02):
            wrong += killed(work, delay_s)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
