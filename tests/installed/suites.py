#!/usr/bin/env python3
"""suites.py LOITER [--only TEXT] [--source DIR] - the test suites of packages, with and without Loiter.

By hand: it takes long. A suite is run plainly and under `loiter record`; compared is which of its
tests pass, and what processes it leaves behind. A test that fails plainly too says nothing of Loiter,
nor does one that gives another answer when it is run plainly once more. What the report of a suite
says is an error is shown, to be read: a suite makes mistakes on purpose.
Suites whose package is not installed are left out; those of redis, perl, git, libuv and node need
a folder with their sources as --source: what `apt-get source redis perl git libuv1 nodejs` unpacks, redis
and git built (`make MALLOC=libc`; `make NO_CURL=1 NO_EXPAT=1 NO_GETTEXT=1`), and libuv in its folder
build/ (`cmake -S . -B build && cmake --build build`).
"""

import argparse
import glob
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import outcome

PYTHON = "/usr/bin/python3"
# A few tests look at what is preloaded, at exact descriptors or at the memory of the interpreter.
PYTHON_TESTS = ["test_" + name for name in """threading thread threadsignals threading_local
threadedtempfile queue subprocess signal asyncio.test_events asyncio.test_subprocess asyncio.test_locks
asyncio.test_base_events asyncio.test_unix_events asyncio.test_sslproto asyncio.test_ssl
asyncio.test_streams asyncio.test_server asyncio.test_sock_lowlevel asyncio.test_sendfile
asyncio.test_runners asyncio.test_threads asyncio.test_buffered_proto asyncio.test_tasks
socketserver select selectors poll epoll asyncore asynchat httpservers ftplib poplib imaplib smtplib
nntplib telnetlib urllib urllib2_localnet xmlrpc docxmlrpc wsgiref fork1 wait3 wait4 popen pty openpty
multiprocessing_main_handling os posix mmap faulthandler fcntl resource file_eintr largefile tempfile
shutil tarfile zipfile mailbox fileio io sqlite3 time timeout sched atexit gc weakref tracemalloc ctypes
embed interpreters _xxsubinterpreters audit cmd_line repl runpy import site sys sys_setprofile venv pdb
bdb doctest regrtest support logging syslog readline curses zlib bz2 lzma hashlib random uuid pickle
shelve pathlib""".split()]
# Long ones, of which each class is a suite: one that comes to no end does not hide the others.
PYTHON_BY_CLASS = ["test_" + name for name in """ssl socket concurrent_futures multiprocessing_fork
multiprocessing_spawn multiprocessing_forkserver""".split()]
# But for those that fill the disk, and those that look at the machine as a whole.
STRESSORS = """access af-alg affinity aio aiol alarm atomic bad-altstack bad-ioctl branch brk bsearch cache
cacheline cap chattr chdir chmod chown chroot clock clone close context copy-file cpu crypt
cyclic daemon dccp dekker dentry dir dirdeep dirmany dnotify dup dynlib efivar enosys env epoll
eventfd exec exit-group fallocate fanotify far-branch fault fcntl fiemap fifo file-ioctl
filename flock flushcache fork fp fp-error fpunch fsize fstat full funccall funcret futex get
getdent getrandom goto gpu handle hash heapsort hrtimers hsearch icache icmp-flood idle-page
inode-flags inotify io io-uring iomix ioprio ipsec-mb itimer jpeg judy kcmp key kill kvm
l1cache landlock lease link list llc-affinity loadavg locka lockf lockofd longjmp loop lsearch
madvise malloc matrix matrix-3d mcontend membarrier memcpy memfd memthrash mergesort mincore
misaligned mknod mlock mmap mmapaddr mmapfixed mmapfork mmaphuge mprotect mq mremap msg msync
msyncmany munmap mutex nanosleep netlink-proc netlink-task nice nop null numa opcode open
pagemove personality peterson pidfd ping-sock pipe pipeherd pkey plugin poll prctl prefetch
priv-instr procfs pthread ptrace pty qsort quota radixsort randlist rawpkt rawsock rawudp
rdrand readahead regs remap rename resched resources revio ring-pipe rmap rotate rseq rtc
schedpolicy sctp seal seccomp secretmem seek sem sem-sysv sendfile session set
shellsort shm shm-sysv sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe
sigq sigrt sigsegv sigsuspend sigtrap skiplist sleep sock sockabuse sockdiag sockfd sockmany
sockpair softlockup sparsematrix spawn splice stack stackmmap str stream switch symlink
sync-file syncload sysbadaddr syscall sysinfo tee timer timerfd tlb-shootdown touch tree tsc
tsearch tun udp udp-flood unshare uprobe urandom userfaultfd usersyscall utime vdso vecfp
vecmath vecshuf vecwide verity vfork vforkmany vm vm-addr vm-rw vm-segv vm-splice wait waitcpu
wcs x86syscall xattr yield zero zlib zombie""".split()


REDIS_UNITS = """unit/printver unit/dump unit/auth unit/protocol unit/keyspace unit/scan unit/info
unit/type/string unit/type/incr unit/type/list unit/type/list-2 unit/type/set unit/type/zset
unit/type/hash unit/type/stream unit/sort unit/expire unit/other unit/multi unit/quit unit/aofrw
unit/acl unit/latency-monitor integration/block-repl integration/replication integration/replication-2
integration/aof integration/rdb integration/corrupt-dump integration/logging
integration/psync2-reg unit/pubsub unit/slowlog unit/scripting unit/functions unit/introspection
unit/introspection-2 unit/limits unit/bitops unit/bitfield unit/geo unit/memefficiency
unit/hyperloglog unit/lazyfree unit/wait unit/pause unit/querybuf unit/tracking unit/shutdown
unit/client-eviction""".split()


def python_classes(name):
    script = (f"import test.{name} as m, unittest\nfor n, c in vars(m).items():\n"
              " if isinstance(c, type) and issubclass(c, unittest.TestCase): print(n)")
    done = subprocess.run([PYTHON, "-E", "-c", script], check=False, stdout=subprocess.PIPE, text=True)
    return sorted(done.stdout.split())


def python_cases():
    if not os.path.isdir("/usr/lib/python3.11/test"):
        return
    names = PYTHON_TESTS + [f"{n}.{c}" for n in PYTHON_BY_CLASS for c in python_classes(n)]
    for name in names:
        yield f"python3 {name}", [PYTHON, "-E", "-m", "unittest", "-v", f"test.{name}"], None


def perl_cases(source):
    for folder in ("threads", "threads-shared", "Thread-Queue", "Thread-Semaphore"):
        for top in glob.glob(f"{source}/perl-*/dist/{folder}"):
            helper = f"{top}/t/test.pl"  # of perl's own tests
            if not os.path.exists(helper):
                os.symlink("../../../t/test.pl", helper)
            for name in sorted(glob.glob(f"{top}/t/*.t")):
                yield f"perl {folder}/{os.path.basename(name)}", ["perl", name], top
    script = ("use threads; use threads::shared; my $n :shared = 0; "
              "for (1..20) { my @t = map { threads->create(sub { for (1..50) { lock $n; $n++ } }) } "
              "1..8; $_->join for @t } print \"ok $n\\n\"")
    yield "perl threads", ["perl", "-e", script], None


def stress_cases():
    for name in STRESSORS:
        yield f"stress-ng {name}", ["stress-ng", "--temp-path", ".", f"--{name}", "1",
                                    f"--{name}-ops", "30", "--timeout", "2", "--oomable", "-q"], None


def glib_cases():
    """What `apt-get install libglib2.0-tests` brings."""
    for path in sorted(glob.glob("/usr/share/installed-tests/glib/*.test")):
        with open(path, encoding="utf-8") as f:
            line = re.search(r"^Exec=(.*)$", f.read(), re.MULTILINE)
        if line:
            yield f"glib {os.path.basename(path)[:-5]}", shlex.split(line.group(1)), None


def redis_cases(source):
    for top in glob.glob(f"{source}/redis-*/"):
        for unit in REDIS_UNITS:
            yield f"redis {unit}", ["./runtest", "--single", unit, "--clients", "1"], top


def git_cases(source):
    for path in sorted(glob.glob(f"{source}/git-*/t/t[0-9]*.sh")):
        folder, script = os.path.split(path)
        yield f"git {script[:-3]}", ["sh", f"./{script}"], folder


def libuv_cases(source):
    """Each of its tests by itself: some differ from run to run, and one that hangs ends all."""
    os.environ["UV_RUN_AS_ROOT"] = "1"  # it refuses otherwise
    for program in glob.glob(f"{source}/libuv1-*/build/uv_run_tests"):
        listed = subprocess.run([program, "--list"], check=False, stdout=subprocess.PIPE, text=True)
        for line in listed.stdout.splitlines():
            name = line.split()[0]  # its helpers follow
            yield f"libuv {name}", [program, name], None


def node_cases(source):
    for path in sorted(glob.glob(f"{source}/node*/test/parallel/test-*.js")):
        yield f"node {os.path.basename(path)[5:-3]}", ["node", path], None


def outcomes(text, status):
    """Names of tests and how they ended, from what unittest, TAP and redis print."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = dict(re.findall(r"^(test_\w+ \([\w.]+\)).*? \.\.\. (?:.*?)(ok|FAIL|ERROR|skipped)",
                            text, re.MULTILINE))
    found.update({n: k for k, n in re.findall(r"^(ok|not ok) (\d+)", text, re.MULTILINE)})
    found.update({n: k for k, n in re.findall(r"^\[(ok|err|exception)\]: (.*?)(?: \(\d+ ms\))?$", text,
                                              re.MULTILINE)})
    found["exit status"] = status
    return found


def left_behind(session):
    """Names of the session's processes; they are ended."""
    for _ in range(30):  # helpers that were told to end are given the time for it
        names = [name.decode(errors="replace") for name in outcome.left_processes(session)]
        if not names:
            return ""
        time.sleep(0.1)
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return " ".join(names)


def run(argv, cwd, limit_s):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "LOITER_"))}
    with tempfile.TemporaryFile("w+", errors="replace") as text:
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=text,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(limit_s)
            status = 128 - status if status < 0 else status
        except subprocess.TimeoutExpired:
            status = "no end"
        left = left_behind(process.pid)
        process.wait()
        text.seek(0)
        found = outcomes(text.read(), status)
        # Where it came to no end, what had passed by then is a matter of speed.
        return found | {"left behind": left} if status != "no end" else {"exit status": status}


def errors_of(loiter, log):
    """Rule, count and title of each kind of error in the record, and what the record lacks."""
    done = subprocess.run([loiter, "analyze", "--format", "json", log], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1, 3):
        return [f"analyze: status {done.returncode}"]
    found, report = {}, json.loads(done.stdout)
    for f in report["findings"]:
        if f["severity"] == "error":
            place = (f.get("place") or {}).get("function")
            found.setdefault((f["rule"], place), []).append(f["title"])
    return [f"{rule} in {place}, {len(titles)} x: {titles[0]}"
            for (rule, place), titles in sorted(found.items(), key=str)] + \
        [f"incomplete: {text}" for text in report["run"]["problems"]]


def judge(name, argv, cwd, args):
    with tempfile.TemporaryDirectory(prefix="loiter-suite-") as root:
        log = os.path.join(root, "log")
        begin = time.monotonic()
        without = run(argv, cwd or root, args.limit)
        middle = time.monotonic()
        under = run([args.loiter, "record", "-o", log, "--"] + argv, cwd or root, args.limit)
        end = time.monotonic()
        different = [t for t in sorted({*without, *under}) if without.get(t) != under.get(t)]
        if without["exit status"] == "no end":
            different = []  # in the time given, it says nothing by itself
        if different:
            again = run(argv, cwd or root, args.limit)
            different = [t for t in different if again.get(t) == without.get(t)]
        errors = errors_of(args.loiter, log)
    passed = sum(1 for v in without.values() if v in ("ok", 0))
    print(f"{name:45} {passed:5} pass {len(without) - 1 - passed:3} do not; {len(different)} differ; "
          f"{middle - begin:6.1f} s, {end - middle:6.1f} s under Loiter", flush=True)
    for test in different:
        print(f"    {test}: {without.get(test)}, under Loiter {under.get(test)}", flush=True)
    for text in errors:
        print(f"    said: {text}", flush=True)
    return len(different)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loiter", type=os.path.abspath)
    parser.add_argument("--only", default="", help="names with this text")
    parser.add_argument("--source", default="/nonexistent", type=os.path.abspath,
                        help="a folder with redis-*/ and the like, built")
    parser.add_argument("--limit", default=300, type=float, help="seconds for each run of a suite")
    args = parser.parse_args()
    bad = 0
    for cases in (python_cases(), perl_cases(args.source), stress_cases(), glib_cases(),
                  redis_cases(args.source), git_cases(args.source), libuv_cases(args.source),
                  node_cases(args.source)):
        for name, argv, cwd in cases:
            program = os.path.join(cwd, argv[0]) if argv[0].startswith(".") else argv[0]
            if args.only in name and shutil.which(program):
                bad += judge(name, argv, cwd, args)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
