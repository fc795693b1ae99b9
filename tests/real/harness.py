"""What the tests on real programs share: running one with and without Loiter, and judging both.

A test is a function run(work, launch) that returns a dict of named outputs. It is called twice, in
a directory of its own: with `launch` starting programs as they are, and with `launch` starting them
under `loiter record`. The outputs must be equal; each record must open, must agree with babeltrace2
and must hold no finding of severity `error`, unless the test says which one is true and why.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

STEP_TIMEOUT_S = 300


class Failure(Exception):
    """What went wrong, as a text for people."""


class Program:
    """A program started in the background; status() waits for its end."""

    def __init__(self, argv, cwd, env):
        self.argv = argv
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err, start_new_session=True)

    def status(self, timeout_s=None):
        """The exit status as a shell gives it: 128 + n after signal n."""
        timeout_s = timeout_s or STEP_TIMEOUT_S
        # Not wait(timeout), which polls: the end would be seen up to 50 ms late.
        late = threading.Event()
        watchdog = threading.Timer(timeout_s, lambda: (late.set(), self.kill_group()))
        watchdog.start()
        code = self.process.wait()
        watchdog.cancel()
        watchdog.join()
        if late.is_set():
            raise Failure(f"not over after {timeout_s} s: {self.argv}\n{self.text()}")
        return 128 - code if code < 0 else code

    def kill_group(self):
        """Ends it and all that it started, and does not wait."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def kill(self):
        self.kill_group()
        self.process.wait()

    def read(self, stream):
        """All that it wrote there, without the lines that the launcher adds."""
        stream.seek(0)
        return b"".join(line for line in stream if not line.startswith(b"loiter: "))

    def text(self):
        both = self.read(self.out) + self.read(self.err)
        return both.decode(errors="replace")[-4000:]


class Launch:
    """Starts programs, plainly or under Loiter, and keeps count of the records they leave."""

    def __init__(self, work, loiter=None):
        self.work = work
        self.loiter = loiter
        self.records = []
        self.programs = []

    def wrap(self, argv):
        if self.loiter is None:
            return argv
        record = os.path.join(self.work, f"record-{len(self.records)}")
        self.records.append((argv, record))
        return [self.loiter, "record", "-o", record, "--"] + argv

    def start(self, argv, env=None):
        program = Program(self.wrap(argv), self.work, dict(os.environ, **(env or {})))
        self.programs.append(program)
        return program

    def run(self, argv, env=None, timeout_s=None):
        """Runs to the end: {"status", "out", "err"}."""
        program = self.start(argv, env)
        status = program.status(timeout_s)
        return {"status": status, "out": program.read(program.out),
                "err": program.read(program.err)}

    def kill_all(self):
        for program in self.programs:
            program.kill()


def plain(argv, work, env=None, stdin=b""):
    """A step of the test itself, never under Loiter; must succeed. Its output."""
    done = subprocess.run(argv, cwd=work, env=dict(os.environ, **(env or {})), input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=STEP_TIMEOUT_S)
    if done.returncode != 0:
        raise Failure(f"{argv}: status {done.returncode}\n{done.stdout.decode(errors='replace')}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, program):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if program.process.poll() is not None:
                raise Failure(f"ended before it listened: {program.argv}\n{program.text()}") from None
            time.sleep(0.02)
    raise Failure(f"does not listen on port {port}: {program.argv}\n{program.text()}")


def numbers_away(text):
    """For logs that carry process ids, times and ports."""
    return re.sub(rb"\d+", b"N", text)


def show(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else repr(value)


def compare(without, under):
    """The differences between two dicts of outputs, as text."""
    found = []
    for name in sorted(set(without) | set(under)):
        a, b = without.get(name), under.get(name)
        if a != b:
            found.append(f"{name} differs\n--- without Loiter\n{show(a)[-3000:]}\n"
                         f"--- under Loiter\n{show(b)[-3000:]}")
    return found


def analyze(tools, record):
    """Exit code and document of `loiter analyze --format json`."""
    done = subprocess.run([tools["loiter"], "analyze", "--format", "json", record],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=STEP_TIMEOUT_S)
    if done.returncode not in (0, 1):
        raise Failure(f"analyze {record}: status {done.returncode}\n"
                      f"{done.stderr.decode(errors='replace')}{done.stdout.decode()[-2000:]}")
    return done.returncode, json.loads(done.stdout)


def report_text(tools, record):
    done = subprocess.run([tools["loiter"], "analyze", record], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=STEP_TIMEOUT_S)
    return done.stdout.decode(errors="replace")


def is_known(finding, known_true):
    place = finding.get("place") or {}
    return (finding["rule"], place.get("function")) in known_true


def judge_record(tools, argv, record, known_true):
    """What is wrong with one record, as texts."""
    wrong = []
    status, document = analyze(tools, record)
    errors = [f for f in document["findings"] if f["severity"] == "error"]
    if (status == 1) != bool(errors):
        wrong.append(f"analyze of {argv}: status {status} with {len(errors)} errors")
    if [f for f in errors if not is_known(f, known_true)]:
        wrong.append(f"findings in {argv}:\n{report_text(tools, record)}")
    for f in document["findings"]:
        print(f"    {f['severity']} {f['rule']}: {f['title']} ({(f.get('place') or {}).get('function')})")
    size = sum(os.path.getsize(os.path.join(d, n)) for d, _, names in os.walk(record) for n in names)
    used = sum(os.stat(os.path.join(d, n)).st_blocks * 512
               for d, _, names in os.walk(record) for n in names)
    folders = len([n for n in os.listdir(record) if os.path.isdir(os.path.join(record, n))])
    print(f"    {' '.join(argv)[:60]}: {folders} processes, {size} bytes ({used} on disk)")
    if folders == 0:
        wrong.append(f"{argv}: nothing was recorded")
    wrong += check_babeltrace(tools, record)
    return wrong


def check_babeltrace(tools, record):
    done = subprocess.run([tools["check_babeltrace"], record], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=STEP_TIMEOUT_S)
    if done.returncode != 0:
        return [f"babeltrace2 and the reader disagree on {record}:\n"
                f"{done.stdout.decode(errors='replace')[-3000:]}"]
    return []


def run_mode(test, root, name, loiter):
    work = os.path.join(root, name)
    os.mkdir(work, 0o755)
    launch = Launch(work, loiter)
    begin = time.monotonic()
    try:
        return test(work, launch), launch, time.monotonic() - begin
    finally:
        launch.kill_all()


def check(test, tools, known_true=()):
    """Runs a test in both modes. The exit status for the process."""
    with tempfile.TemporaryDirectory(prefix="loiter-real-") as root:
        os.chmod(root, 0o755)
        try:
            without, _, plain_s = run_mode(test, root, "without", None)
            under, launch, under_s = run_mode(test, root, "under", tools["loiter"])
            wrong = compare(without, under)
            for argv, record in launch.records:
                wrong += judge_record(tools, argv, record, known_true)
        except Failure as failure:
            wrong = [str(failure)]
        else:
            print(f"    {plain_s:.2f} s without Loiter, {under_s:.2f} s under it")
    for text in wrong:
        print(f"FAILED: {text}", file=sys.stderr)
    return 1 if wrong else 0
