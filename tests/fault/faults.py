"""What the fault tests share: running the command, and saying what was expected of it."""

import os
import resource
import signal
import struct
import subprocess
import time

TIMEOUT_S = 120


class Failure(Exception):
    """What was expected and what came, as a text for people."""


class Tools:
    """Paths of what is tested, and the directory of this test."""

    def __init__(self, loiter, worker, work):
        self.loiter = loiter
        self.worker = worker
        self.work = work

    def path(self, name):
        return os.path.join(self.work, name)


class Result:
    def __init__(self, argv, done):
        self.argv = argv
        self.status = 128 - done.returncode if done.returncode < 0 else done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def describe(self):
        return (f"{' '.join(self.argv)}\nstatus {self.status}\n--- standard output\n{self.out[-3000:]}"
                f"\n--- standard error\n{self.err[-3000:]}")

    def expect(self, status, *texts):
        """That exit status, and each text on one of the outputs."""
        allowed = status if isinstance(status, tuple) else (status,)
        if self.status not in allowed:
            raise Failure(f"expected status {status}: {self.describe()}")
        for text in texts:
            if text.lower() not in (self.out + self.err).lower():
                raise Failure(f"expected the words {text!r}: {self.describe()}")
        return self


def run(argv, preexec=None, env=None, cwd=None):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.PIPE, preexec_fn=preexec, timeout=TIMEOUT_S, cwd=cwd,
                          env=dict(os.environ, **(env or {})))
    return Result(argv, done)


def record(tools, argv, directory, **how):
    return run([tools.loiter, "record", "-o", directory, "--"] + argv, **how)


def analyze(tools, directory, *options):
    """The worker makes threads for a moment each, on purpose: that finding is not asked for."""
    return run([tools.loiter, "analyze", "--disable", "thread-churn", *options, directory])


def require(condition, text):
    if not condition:
        raise Failure(text)


def process_folders(directory):
    """The folders of processes in a record."""
    return sorted(e.path for e in os.scandir(directory) if e.is_dir())


def compile_c(tools, compiler, name, source, *options):
    """A program made of `source` by `compiler`; a compiler that is missing is a failure."""
    path = tools.path(name)
    with open(path + ".c", "w", encoding="ascii") as f:
        f.write(source)
    run([compiler, "-o", path, path + ".c", *options]).expect(0)
    return path


def read_counter(path):
    """How many threads the worker has joined, and its process id: (0, 0) before it stored them."""
    try:
        with open(path, "rb") as f:
            return struct.unpack("<QQ", f.read(16))
    except (FileNotFoundError, struct.error):
        return 0, 0


def plain_worker(tools, rounds):
    """What the worker does by itself: the measure for what it must do under every fault."""
    return run([tools.worker, tools.path("plain-counter"), str(rounds)]).expect(5)


def expect_same(result, plain):
    """The program's own outputs and status; the command may add lines of its own to errors."""
    own = [line for line in result.err.splitlines() if not line.startswith("loiter")]
    require(result.out == plain.out and "\n".join(own) + "\n" == plain.err,
            f"the program's output changed: {result.describe()}\nwithout Loiter: {plain.describe()}")
    require(result.status == plain.status,
            f"the program's status changed from {plain.status}: {result.describe()}")


def babeltrace_count(directory, name):
    """How many events of that name babeltrace2 reads in a record; it must be able to read it."""
    done = run(["babeltrace2", directory])
    require(done.status == 0, f"babeltrace2 cannot read it: {done.describe()}")
    return sum(f" {name}: " in line for line in done.out.splitlines())


def limit_file_size(size):
    """For preexec: SIGXFSZ keeps its default action, which kills who writes beyond the limit."""
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return apply


def wait_until(condition, what):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        require(time.monotonic() < deadline, f"did not happen: {what}")
        time.sleep(0.001)
