"""The tools that cost.py measures beside a plain run: how a program is started under each of them.

A tool that slows programs by tens gets a share of the work, and is compared with a plain run of as
much: `calls` for single calls, `work` for programs.
"""

import os
import shutil
import subprocess

LTTNG = "/usr/lib/{}-linux-gnu/liblttng-ust-{}-wrapper.so"


class Tool:
    """`needs` must be installed; wrap(work, argv) is the command line. `built` is the flavour that
    the programs must have been built in, where a compiler is the tool."""

    def __init__(self, name, wrap=None, needs=None, calls=1.0, work=1.0, built=None):
        self.name = name
        self.wrap = wrap or (lambda work, argv: argv)
        self.needs = needs
        self.calls = calls
        self.work = work
        self.built = built


FAST = ("plain", "again", "forward", "loiter")  # what is measured for as long as it takes to be sure


def lttng(work, argv):
    """A session of its own: all events of the C library's and of the threads' wrappers."""
    preload = ":".join(LTTNG.format(os.uname().machine, n) for n in ("libc", "pthread"))
    script = (f"lttng -q create bench --output {work}/lttng >/dev/null 2>&1; "
              "lttng -q enable-event -u -a >/dev/null 2>&1; lttng -q start >/dev/null 2>&1; "
              f'LD_PRELOAD={preload} "$@"; s=$?; '
              "lttng -q destroy bench >/dev/null 2>&1; exit $s")
    return ["sh", "-c", script, "sh"] + argv


def valgrind(tool):
    return lambda work, argv: ["valgrind", "-q", f"--tool={tool}"] + argv


PEERS = (
    Tool("heaptrack", lambda work, argv: ["heaptrack", "-o", f"{work}/heaptrack"] + argv,
         needs="heaptrack", calls=1 / 4),
    Tool("uftrace", lambda work, argv: ["uftrace", "record", "--force", "-d", f"{work}/uftrace"] + argv,
         needs="uftrace", calls=1 / 4),
    Tool("lttng", lttng, needs="lttng", calls=1 / 4),
    Tool("mutrace", lambda work, argv: ["mutrace"] + argv, needs="mutrace", calls=1 / 4),
    Tool("lsan", calls=1 / 4, built="lsan"),
    Tool("tsan", calls=1 / 4, work=1 / 4, built="tsan"),
    Tool("memcheck", valgrind("memcheck"), needs="valgrind", calls=1 / 40, work=1 / 10),
    Tool("drd", valgrind("drd"), needs="valgrind", calls=1 / 40, work=1 / 10),
    Tool("helgrind", valgrind("helgrind"), needs="valgrind", calls=1 / 40, work=1 / 10),
)


def chosen(loiter, forward, wanted, say):
    """Plain, the same once more, the floor of every interposer, Loiter, and the peers that are wanted
    and installed."""
    tools = [Tool("plain"), Tool("again")]
    if forward:
        tools.append(Tool("forward", lambda work, argv: [f"LD_PRELOAD={forward}"] + argv))
    tools.append(Tool("loiter", lambda work, argv: [loiter, "record", "-o", f"{work}/log", "--"] + argv))
    names = [tool.name for tool in PEERS]
    for name in wanted:
        if name not in names + ["none"]:
            say(f"no such tool: {name}; there are {', '.join(names)}, and none")
    for tool in PEERS:
        if wanted and tool.name not in wanted:
            continue
        if tool.needs and not shutil.which(tool.needs):
            say(f"{tool.name}: {tool.needs} is not installed, left out")
        else:
            tools.append(tool)
    return tools


class LttngDaemon:
    """What LTTng's sessions need; it would start one itself, and leave it behind."""

    def __init__(self, tools):
        self.process = None
        if any(tool.name == "lttng" for tool in tools):
            self.process = subprocess.Popen(["lttng-sessiond", "--no-kernel"], start_new_session=True,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
