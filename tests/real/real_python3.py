"""python3 with threads, locks, pools, timers, subprocesses, both kinds of multiprocessing and asyncio."""

import os

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python3_program.py")


def run(_work, launch):
    return launch.run(["/usr/bin/python3", "-I", PROGRAM])
