"""SIGKILL: the record opens, and what happened before the kill, or went on then, is in it."""

import os
import random
import signal
import subprocess
import time

from faults import (analyze, babeltrace_count, process_folders, read_counter, require, run,
                    wait_until)

KILLS, SECONDS = 200, 60  # whichever comes first, but some


def kill_one(tools, number, after_joins, delay_s):
    """Kills a worker some time after it joined so many threads; returns how many it had joined."""
    counter, log = tools.path(f"counter{number}"), tools.path(f"log{number}")
    launcher = subprocess.Popen([tools.loiter, "record", "-o", log, "--", tools.worker, counter,
                                 "1000000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, start_new_session=True)
    try:
        wait_until(lambda: read_counter(counter)[0] >= after_joins, "the worker's first joins")
        time.sleep(delay_s)  # a random instant is what is tested
        pid = read_counter(counter)[1]
        require(pid > 1, f"no process id in {counter}: {pid}")
        os.kill(pid, signal.SIGKILL)
        _, err = launcher.communicate(timeout=60)
    finally:
        if launcher.poll() is None:
            os.killpg(launcher.pid, signal.SIGKILL)
    status = launcher.returncode
    require(status in (137, -9), f"status {status} after SIGKILL: {err.decode()}")
    return read_counter(counter)[0], log


def test_random_instants(tools):
    seed = int.from_bytes(os.urandom(4), "little")
    print(f"seed {seed}")
    pick = random.Random(seed)
    began = time.monotonic()
    for number in range(KILLS):
        if number >= KILLS / 10 and time.monotonic() - began > SECONDS:
            break
        joined, log = kill_one(tools, number, pick.randrange(1, 400), pick.random() * 0.01)
        folders = process_folders(log)
        require(len(folders) == 1, f"one process expected: {folders}")
        ended = babeltrace_count(log, "thread_end")
        require(ended >= joined, f"seed {seed}, kill {number}: {joined} threads had been joined, "
                                 f"{ended} ends are in the record {log}")
        analyze(tools, log).expect((0, 1))


def held_locks(log):
    """How many locks the record says are held."""
    return sum(" held: " in line and "{ state = 1, count = 1, " in line
               for line in run(["babeltrace2", log]).out.splitlines())


def test_lock_of_one_that_computes(tools):
    """Nothing was called since the lock was taken, and nothing will be: somebody else has to see
    that it is held."""
    log = tools.path("log")
    holder = os.path.join(os.path.dirname(tools.worker), "fault-holder")
    launcher = subprocess.Popen([tools.loiter, "record", "-o", log, "--", holder],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        pid = int(launcher.stdout.readline())
        wait_until(lambda: held_locks(log) == 1, "the lock in the record")
        os.kill(pid, signal.SIGKILL)
        launcher.communicate(timeout=60)
    finally:
        if launcher.poll() is None:
            os.killpg(launcher.pid, signal.SIGKILL)
    require(held_locks(log) == 1, "the lock is held no more after the kill")
