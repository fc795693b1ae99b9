"""running_test.py LOITER SERVER CHECK_BABELTRACE - a server that is recorded while it runs.

The server handles as many requests as it is told, each a write with a lock held; so it is known how
many of them a record must have counted, whenever it was told to record.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LOITER, SERVER, CHECK_BABELTRACE = sys.argv[1:4]
LOCK_IO = 3  # el_site_kind
FEW = 100
READ = (0, 1)  # on a busy machine a write may last long enough for a finding


class Case(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="loiter-running-")
        self.addCleanup(shutil.rmtree, self.work)
        self.log = os.path.join(self.work, "log")

    def start(self, *options):
        self.server = subprocess.Popen([LOITER, "record", "-o", self.log, *options, "--", SERVER],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.server.kill)

    def serve(self, requests):
        self.server.stdin.write(f"{requests}\n")
        self.server.stdin.flush()
        self.assertEqual(self.server.stdout.readline(), "served\n")

    def end(self):
        self.server.stdin.close()
        self.assertEqual(self.server.wait(60), 0)
        self.server.stdout.close()

    def run_with(self, requests, *options):
        self.start(*options)
        self.serve(requests)
        self.end()

    def pid(self):
        folder, = [e for e in os.listdir(self.log) if re.fullmatch(r"\d+\.\d+", e)]
        return folder.split(".")[0]

    def ctl(self, *words, status=0):
        done = subprocess.run([LOITER, "ctl", *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def cells(self, kind, log=None):
        text = subprocess.run(["babeltrace2", log or self.log], capture_output=True, text=True,
                              check=True).stdout
        for line in text.splitlines():
            if f" {kind}: " in line:
                yield {k: int(v) for k, v in re.findall(r"(\w+) = (-?\d+)", line)}

    def counted(self, log=None):
        """Requests in the totals of places."""
        return sum(c["count"] for c in self.cells("site", log) if c["kind"] == LOCK_IO)

    def events(self):
        return sum(1 for _ in self.cells("lock_io"))

    def outside(self):
        return sum(c["outside"] for c in self.cells("summary"))

    def report(self, *statuses):
        done = subprocess.run([LOITER, "analyze", "--format", "json", self.log],
                              capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, statuses, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def log_bytes(self):
        return sum(os.stat(os.path.join(d, n)).st_blocks * 512
                   for d, _, names in os.walk(self.log) for n in names)


class Control(Case):
    def test_stop_and_start_while_it_runs(self):
        self.start()
        self.serve(FEW)
        self.ctl(self.log, "stop")
        self.serve(10 * FEW)
        self.ctl(self.pid(), "start")
        self.serve(FEW)
        self.end()
        self.assertEqual(self.counted(), 2 * FEW)
        self.assertGreaterEqual(self.outside(), 10 * FEW)
        overhead = self.report(*READ)["run"]["overhead"]
        self.assertLess(overhead["waits_recorded_ns"], overhead["lived_ns"])

    def test_off_from_the_start_until_told(self):
        self.start("--delay", "1000000")
        self.serve(FEW)
        self.ctl(self.log, "start")
        self.serve(FEW)
        self.ctl(self.log, "auto")
        self.serve(FEW)
        self.end()
        self.assertEqual(self.counted(), FEW)

    def test_marks(self):
        self.start()
        self.serve(1)
        for number in range(3):
            self.ctl(self.log, "mark", f"phase {number}")
        self.end()
        text = subprocess.run(["babeltrace2", self.log], capture_output=True, text=True,
                              check=True).stdout
        self.assertEqual(re.findall(r'mark: .*text = "(.*?)"', text), ["phase 0", "phase 1", "phase 2"])
        subprocess.run([CHECK_BABELTRACE, self.log], check=True, stdout=subprocess.DEVNULL)

    def test_snapshot(self):
        self.start()
        self.serve(FEW)
        copy = os.path.join(self.work, "copy")
        self.ctl(self.log, "snapshot", copy)
        self.serve(FEW)
        self.end()
        self.assertEqual(self.counted(copy), FEW)
        self.assertEqual(self.counted(), 2 * FEW)
        subprocess.run([LOITER, "analyze", copy], check=True, stdout=subprocess.DEVNULL)

    def test_nobody_is_there(self):
        self.run_with(1)
        self.assertIn("no process of this log is alive", self.ctl(self.log, "stop", status=2))
        self.assertIn("is not recorded", self.ctl(str(os.getpid()), "stop", status=2))
        self.assertIn("none of start", self.ctl(self.log, "begin", status=2))
        self.assertIn("expected a text", self.ctl(self.log, "mark", status=2))


class Window(Case):
    def test_what_comes_after_it_is_left_out(self):
        self.run_with(1000 * FEW, "--window", "0.001")
        self.assertLess(self.counted(), 1000 * FEW)
        self.assertGreater(self.outside(), 0)

    def test_a_sample_is_smaller(self):
        self.run_with(1000 * FEW, "--sample", "0.001/1000")
        self.assertLess(self.counted(), 1000 * FEW)


class Bound(Case):
    def test_totals_go_on_and_the_report_says_so(self):
        requests = 500 * FEW
        self.run_with(requests, "--max-log-size", "512K", "--record-option", "event_rate=1000000",
                      "--record-option", "event_burst=1000000")
        self.assertEqual(self.counted(), requests)
        self.assertLess(self.events(), requests)
        self.assertLessEqual(self.log_bytes(), 512 * 1024 + 8192)
        problems = self.report(3)["run"]["problems"]
        self.assertTrue(any("near its bound" in text for text in problems), problems)

    def test_a_log_with_room_has_all(self):
        self.run_with(FEW)
        self.assertEqual(self.counted(), FEW)
        self.assertEqual(self.events(), FEW)
        self.assertTrue(self.report(*READ)["run"]["complete"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
