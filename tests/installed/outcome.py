"""What a command does, seen from outside: outputs, status, files and processes it leaves behind.

A case is run plainly and under `loiter record`, each time in the same directory, made anew. Where the
two differ it is run plainly once more: what differs there too is no difference of Loiter's. Numbers
are then masked; a command whose words change from run to run is judged by its status alone.
"""

import concurrent.futures
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

TIMEOUT_S = 30
OUTPUT_MOST = 16 << 20  # what some print without end
NOT_RECORDED = 3  # the launcher's status for static, setuid and foreign programs
MASK = re.compile(rb" *(?:0x[0-9a-f]+|\d+)")  # with the blanks before: numbers are padded


class Case:
    """`argv` in a directory that `prepare(dir)` has filled."""

    def __init__(self, name, argv, prepare=None, timeout_s=TIMEOUT_S):
        self.name = name
        self.argv = argv
        self.prepare = prepare
        self.timeout_s = timeout_s


def tree(top):
    """Everything below a directory: name -> kind, mode and content."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            what = [oct(status.st_mode)]
            if os.path.islink(path):
                what.append(os.readlink(path))
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    what.append(hashlib.sha256(f.read()).hexdigest())
            found[os.path.relpath(path, top)] = tuple(what)
    return found


def left_processes(session):
    """Names of living processes of that session."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as f:
                text = f.read()
        except OSError:
            continue
        name, rest = text[text.index(b"(") + 1:text.rindex(b")")], text[text.rindex(b")") + 2:].split()
        if rest[0] not in b"ZX" and int(rest[3]) == session:
            found.append(name)
    return sorted(found)


def environment(work):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "LOITER_", "MAKE"))}
    keep.update(HOME=work, TMPDIR=work, TERM="dumb", LC_ALL="C.UTF-8", PAGER="cat", COLUMNS="80")
    keep.pop("DISPLAY", None)
    return keep


def run_once(case, work, prefix):
    """One run; the dict of all that can be seen of it."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work, 0o755)
    if case.prepare:
        case.prepare(work)
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = subprocess.Popen(prefix + case.argv, cwd=work, env=environment(work), stdout=out,
                               stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        status = process.wait(case.timeout_s)
        status = 128 - status if status < 0 else status
    except subprocess.TimeoutExpired:
        status = "no end"
    left = left_processes(process.pid) if status != "no end" else []
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    out.seek(0)
    err.seek(0)
    lines = [line for line in err.read(OUTPUT_MOST).splitlines(True)
             if not line.startswith(b"loiter: ")]
    return {"status": status, "out": out.read(OUTPUT_MOST), "err": b"".join(lines), "files": tree(work),
            "processes": left}


def masked(outcome):
    """Numbers away, and the content of files."""
    hide = {name: MASK.sub(b"N", outcome[name]) for name in ("out", "err")}
    names = sorted({(MASK.sub(b"N", n.encode()), f[0]) for n, f in outcome["files"].items()})
    return dict(outcome, files=names, **hide)


def differences(a, b):
    return [name for name in a if a[name] != b[name]]


def show(name, a, b):
    def text(value):
        return value.decode(errors="replace")[-1500:] if isinstance(value, bytes) else str(value)[-1500:]
    return f"  {name} without Loiter:\n{text(a[name])}\n  {name} under Loiter:\n{text(b[name])}"


def judge(case, folder, loiter):
    """("same" | "no end" | "not recorded" | "no program" | "unsteady" | "different", text)."""
    work = os.path.join(folder, "work")
    record = os.path.join(folder, "record")
    prefix = [loiter, "record", "-o", record, "--"]

    def under():
        shutil.rmtree(record, ignore_errors=True)
        return run_once(case, work, prefix)

    try:
        first = run_once(case, work, [])
    except OSError:  # a script that does not say whose
        return "no program", ""
    loaded = under()
    if loaded["status"] == NOT_RECORDED and not os.path.isdir(record):
        return "not recorded", ""
    if not differences(first, loaded):
        return "no end" if first["status"] == "no end" else "same", ""
    again, loaded = run_once(case, work, []), under()
    if not differences(again, loaded):
        return "same", ""
    steady = not differences(masked(first), masked(again))
    which = differences(masked(again), masked(loaded))
    if not steady and "status" not in which:
        return "unsteady", ""
    if not which and differences(first, again):
        return "same", ""
    which = which or differences(again, loaded)
    return "different", "\n".join(show(name, again, loaded) for name in which)


def judge_all(cases, loiter, jobs, verbose=False):
    """Judges all, prints what differs and a count of each answer. The exit status for the process."""
    count = {}
    with tempfile.TemporaryDirectory(prefix="loiter-installed-") as root:
        os.chmod(root, 0o755)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            def one(indexed):
                number, case = indexed
                folder = os.path.join(root, str(number))
                if verbose:
                    print(f"begins: {case.name}", flush=True)
                os.mkdir(folder, 0o755)
                begin = time.monotonic()
                answer = judge(case, folder, loiter)
                if verbose:
                    print(f"{time.monotonic() - begin:.1f} s: {case.name}", flush=True)
                shutil.rmtree(folder, ignore_errors=True)
                return case, answer
            for case, (answer, text) in pool.map(one, enumerate(cases)):
                count[answer] = count.get(answer, 0) + 1
                if verbose and answer != "same":
                    print(f"{answer}: {case.name}", flush=True)
                if answer == "different":
                    print(f"DIFFERENT: {case.name}: {' '.join(case.argv)[:300]}\n{text}", flush=True)
    print(", ".join(f"{n} {answer}" for answer, n in sorted(count.items())))
    return 1 if count.get("different") or not count.get("same") else 0
