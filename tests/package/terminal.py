"""terminal.py - types into a program that believes it has a terminal."""

import os
import pty
import select
import time

READY = "ready-to-type"
WAIT_S = 60


def _read_until(fd, wanted):
    """What it writes, until that is in it; for so long at most."""
    said, end = "", time.monotonic() + WAIT_S
    while wanted not in said and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                said += os.read(fd, 4096).decode(errors="replace")
            except OSError:
                break
    return said


def type_and_tab(shell, path, prepare, line):
    """What a shell shows of the line when the tabulator was hit after it."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PATH=path + os.pathsep + os.environ["PATH"])
        os.execvp(shell[0], shell)
    try:
        # The prompt says that the line editor reads. The quotes keep the echo of what is typed from
        # being taken for it.
        os.write(fd, f"{prepare}; PS1='{READY[:5]}''{READY[5:]}> '\n".encode())
        _read_until(fd, READY)
        os.write(fd, (line + "\t\x05#over").encode())
        return _read_until(fd, "#over")
    finally:
        os.close(fd)
        os.waitpid(pid, 0)
