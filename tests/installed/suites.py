"""suites.py LOITER [--only TEXT] [--source DIR] - the test suites of packages, with and without Loiter.

By hand: it takes long. A suite is run plainly and under `loiter record`; compared is which of its
tests pass. A test that fails plainly too says nothing of Loiter. Suites whose package is not
installed are left out; redis's needs its unpacked and built source as --source.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

PYTHON = "/usr/bin/python3"
# A few tests look at what is preloaded, at exact descriptors or at the memory of the interpreter.
PYTHON_TESTS = ["test_threading", "test_thread", "test_queue", "test_subprocess", "test_signal",
                "test_asyncio.test_events", "test_asyncio.test_subprocess", "test_asyncio.test_locks",
                "test_socket", "test_select", "test_poll", "test_epoll", "test_fork1", "test_wait4",
                "test_concurrent_futures", "test_multiprocessing_fork", "test_os", "test_posix",
                "test_mmap", "test_faulthandler", "test_sqlite3", "test_time", "test_io"]
STRESSORS = """aio alarm cap chdir chmod clock clone close context daemon dentry dnotify dup epoll
eventfd exec fault fcntl fiemap fifo file-ioctl flock fork fstat funccall futex get getrandom
handle inode-flags itimer kill link locka lockf madvise malloc membarrier memfd mincore mlock mmap
mq msg munmap mutex nanosleep nice null open pipe poll prctl procfs pthread pty resources revio
seccomp sem semaphore session sigchld sigfd sigfpe sigpending sigpipe sigq sigrt sigsegv sigsuspend
sleep sock sockfd sockpair spawn splice stack switch symlink sysinfo tee timer timerfd tsc udp
umask unshare urandom userfaultfd utime vfork wait yield zombie""".split()


def python_cases():
    for name in PYTHON_TESTS:
        if os.path.isdir("/usr/lib/python3.11/test"):
            yield f"python3 {name}", [PYTHON, "-E", "-m", "unittest", "-v", f"test.{name}"]


def perl_cases():
    for folder in ("/usr/share/perl", "/usr/lib/x86_64-linux-gnu/perl"):
        for top, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith(".t") and "thread" in top:
                    yield f"perl {name}", ["perl", os.path.join(top, name)]
    script = ("use threads; use threads::shared; my $n :shared = 0; "
              "for (1..20) { my @t = map { threads->create(sub { for (1..50) { lock $n; $n++ } }) } "
              "1..8; $_->join for @t } print \"ok $n\\n\"")
    yield "perl threads", ["perl", "-e", script]


def stress_cases():
    for name in STRESSORS:
        yield f"stress-ng {name}", ["stress-ng", "--temp-path", ".", f"--{name}", "1",
                                    f"--{name}-ops", "30", "--timeout", "20", "--oomable", "-q"]


def redis_cases(source):
    if source:
        for unit in ("unit/type/list", "unit/type/hash", "unit/expire", "unit/multi", "unit/pubsub",
                     "unit/scripting", "unit/dump", "integration/aof", "integration/replication"):
            yield f"redis {unit}", ["./runtest", "--single", unit, "--clients", "1"]


def outcomes(text, status):
    """Names of tests and how they ended, from what unittest, TAP and redis print."""
    found = dict(re.findall(r"^(test_\w+ \([\w.]+\)).*? \.\.\. (?:.*?)(ok|FAIL|ERROR|skipped)",
                            text, re.MULTILINE))
    found.update({n: k for k, n in re.findall(r"^(ok|not ok) (\d+)", text, re.MULTILINE)})
    found.update({n: k for k, n in re.findall(r"^\[(ok|err|exception)\]: (.*?)(?: \(\d+ ms\))?$", text,
                                              re.MULTILINE)})
    found["exit status"] = status
    return found


def run(argv, cwd):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "LOITER_"))}
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=300, check=False, start_new_session=True)
    except subprocess.TimeoutExpired:
        return {"exit status": "no end"}
    return outcomes(done.stdout, done.returncode)


def judge(name, argv, loiter, cwd):
    with tempfile.TemporaryDirectory(prefix="loiter-suite-") as root:
        work = cwd or root
        log = os.path.join(root, "log")
        begin = time.monotonic()
        without = run(argv, work)
        middle = time.monotonic()
        under = run([loiter, "record", "-o", log, "--"] + argv, work)
        end = time.monotonic()
    different = [t for t in without if without[t] != under.get(t)]
    passed = sum(1 for v in without.values() if v in ("ok", 0))
    print(f"{name:45} {passed:5} pass {len(without) - passed:3} do not; {len(different)} differ; "
          f"{middle - begin:6.1f} s, {end - middle:6.1f} s under Loiter", flush=True)
    for test in different:
        print(f"    {test}: {without[test]}, under Loiter {under.get(test)}", flush=True)
    return len(different)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loiter")
    parser.add_argument("--only", default="")
    parser.add_argument("--source", help="redis's source, built")
    args = parser.parse_args()
    loiter = os.path.abspath(args.loiter)
    bad = 0
    for cases, cwd in ((python_cases(), None), (perl_cases(), None), (stress_cases(), None),
                       (redis_cases(args.source), args.source)):
        for name, argv in cases:
            if args.only in name and shutil.which(argv[0], path=f"{os.environ['PATH']}:{cwd or ''}"):
                bad += judge(name, argv, loiter, cwd)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
