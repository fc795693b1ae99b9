"""cli_log_test.py LOITER PLANT COMPLETION SCHEMA_TEST SCHEMA [CLASS...] - the command's directory for a
record, and signals at any instant. See cli_test.py.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from cli_case import LOITER, PLANT, Case


class Log(Case):
    def test_kept_when_worthwhile(self):
        self.loiter("run", "--", "true", status=0)
        self.assertEqual(os.listdir(self.work), [])
        self.loiter("run", "--keep", "--", "true", status=0)
        name, = os.listdir(self.work)
        self.assertRegex(name, r"^loiter\.true\.\d+$")
        shutil.rmtree(self.path(name))
        self.loiter("run", "--", PLANT, "thread", status=23)
        self.assertEqual(len(os.listdir(self.work)), 1)
        self.loiter("run", "--no-keep", "--", PLANT, "thread", status=23)
        self.assertEqual(len(os.listdir(self.work)), 1)

    def test_directory_is_made_with_care(self):
        self.loiter("record", "-o", "log", "--", "true", status=0)
        self.assertEqual(os.stat(self.path("log")).st_mode & 0o066, 0)
        for entry in os.scandir(self.path("log")):
            self.assertEqual(entry.stat().st_mode & 0o077, 0, entry.path)
        self.assertIn("not empty", self.loiter("record", "-o", "log", "--", "true", status=2).stderr)
        os.mkdir(self.path("target"))
        os.symlink("target", self.path("link"))
        self.loiter("record", "-o", "link", "--", "true", status=2)
        self.assertEqual(os.listdir(self.path("target")), [])
        self.loiter("record", "-o", "target", "--", "true", status=0)
        self.loiter("record", "-o", "absent/log", "--", "true", status=2)

    def test_force_replaces_records_and_nothing_else(self):
        told = self.loiter("record", "-o", "log", "--", PLANT, "thread", status=0)
        told = self.loiter("record", "-o", "log", "--", "true", status=2)
        self.assertIn("log: is not empty, there is a record: --force replaces it", told.stderr)
        old = os.listdir(self.path("log"))
        self.loiter("run", "-o", "log", "--force", "--", "true", status=0)
        self.assertNotEqual(os.listdir(self.path("log")), old)
        self.assertEqual(os.stat(self.path("log")).st_mode & 0o777, 0o711)
        self.loiter("record", "-o", "new", "--force", "--", "true", status=0)
        for name in ("notes", "1.0/notes", "1.0/2.0/metadata", "7/metadata"):
            with self.subTest(name):
                os.makedirs(os.path.dirname(self.path(f"log/{name}")), exist_ok=True)
                self.write(f"log/{name}", "mine")
                told = self.loiter("run", "-o", "log", "--force", "--", "true", status=2)
                self.assertIn("is no record, and --force replaces records only", told.stderr)
                self.assertIn("is not empty: choose another directory",
                              self.loiter("run", "-o", "log", "--", "true", status=2).stderr)
                self.assertTrue(os.path.exists(self.path(f"log/{name}")))
                self.assertTrue(os.path.exists(self.path("log/run.json")))
                os.remove(self.path(f"log/{name}"))
                shutil.rmtree(self.path("log/1.0"), ignore_errors=True)
        os.symlink(self.path("new"), self.path("log/12.0"))
        self.loiter("run", "-o", "log", "--force", "--", "true", status=2)

    def test_two_at_once_do_not_share_a_directory(self):
        for _ in range(10):
            both = [subprocess.Popen([LOITER, "record", "-o", "log", "--", "sleep", "0.2"],
                                     cwd=self.work, stderr=subprocess.DEVNULL) for _ in range(2)]
            self.assertEqual(sorted(child.wait(timeout=240) for child in both), [0, 2])
            shutil.rmtree(self.path("log"))

    def test_force_leaves_what_is_being_recorded(self):
        with subprocess.Popen([LOITER, "record", "-o", "log", "--", "sh", "-c",
                               "mkfifo fifo; read line < fifo"],
                              cwd=self.work, stderr=subprocess.DEVNULL) as first:
            deadline = time.monotonic() + 60
            while not os.path.exists(self.path("fifo")) and time.monotonic() < deadline:
                time.sleep(0.01)
            try:
                told = self.loiter("run", "-o", "log", "--force", "--", "true")
                first.kill()  # the program goes on without its launcher
                first.wait(60)
                later = self.loiter("run", "-o", "log", "--force", "--", "true")
            finally:
                first.kill()
                self.write("fifo", "go on\n")
        self.assertEqual((told.returncode, later.returncode), (2, 2))
        self.assertIn("another loiter records there now", told.stderr)
        self.assertIn("its process still runs and records", later.stderr)

    def test_run_json(self):
        self.loiter("record", "-o", "log", "--", "sh", "-c", "exit 4", status=4)
        with open(self.path("log/run.json"), encoding="utf-8") as f:
            run = json.load(f)
        self.assertEqual((run["command"], run["exited"], run["status"]), ("sh -c exit 4", True, 4))
        self.assertLessEqual(run["started_ns"], run["ended_ns"])


class Signals(Case):
    def start(self, *words):
        """A shell that reports the signals it gets; waits until it is ready."""
        child = subprocess.Popen([LOITER, *words], cwd=self.work, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(child.stdout.close)
        self.assertEqual(child.stdout.readline(), "ready\n")
        return child

    def test_forwarded(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            name = number.name[3:]
            child = self.start("run", "--", "sh", "-c", f"trap 'echo got {name}; exit 9' {name}; "
                               "echo ready; while :; do sleep 0.05; done")
            child.send_signal(number)
            self.assertEqual(child.stdout.read(), f"got {name}\n")
            self.assertEqual(child.wait(timeout=240), 9)

    def test_key_on_the_terminal_reaches_the_program_once(self):
        import pty
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.work)
            os.execv(LOITER, ["loiter", "run", "-q", "--", "sh", "-c",
                              "n=0; trap 'n=$((n+1))' INT; trap 'exit $n' TERM; echo ready; "
                              "nap() { (trap '' INT; exec sleep $1); }; "
                              "while :; do nap 0.05; [ $n = 0 ] || { nap 0.3; echo n=$n; "
                              "exit 0; }; done"])
        shown = b""
        while b"ready" not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, b"\x03")
        try:
            while chunk := os.read(terminal, 1000):
                shown += chunk
        except OSError:
            pass  # the other end is closed
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertIn(b"n=1", shown)

    def test_key_at_the_start_leaves_nothing(self):
        for i in range(60):
            child = subprocess.Popen([LOITER, "record", "--", "sleep", "0.05"], cwd=self.work,
                                     stderr=subprocess.DEVNULL)
            time.sleep(i * 0.0003)
            child.send_signal(signal.SIGINT)
            status = child.wait(timeout=240)
            if status == -signal.SIGINT:
                self.assertEqual(os.listdir(self.work), [])
            for name in os.listdir(self.work):
                self.assertIn("run.json", os.listdir(self.path(name)))
                shutil.rmtree(self.path(name))

    @staticmethod
    def stat(pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read()

    def test_key_that_ends_the_program_does_not_end_the_report(self):
        child = subprocess.Popen([LOITER, "run", "--", "sh", "-c", "echo $$; exec sleep 60"],
                                 cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, start_new_session=True)
        program = int(child.stdout.readline())
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        os.killpg(child.pid, signal.SIGINT)
        deadline = time.monotonic() + 60
        while ") Z" not in self.stat(program) and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGCONT)
        # It may have been about to become the other program: then the record is incomplete.
        self.assertIn("loiter: the record is ", child.communicate(timeout=240)[1])
        self.assertEqual(child.returncode, 128 + signal.SIGINT)

    def test_a_death_by_a_forwarded_signal(self):
        child = self.start("run", "--", "sh", "-c", "echo ready; exec sleep 60")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=240), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[6:]])
