"""No room for the record, from the start or in mid-run: the program must not notice, the report must."""

import os

from faults import (analyze, expect_same, limit_file_size, plain_worker, process_folders, record,
                    require, run)

ROUNDS = "3000"
LEFT_SHARE, LEFT_MOST = 32, 64 << 20  # of a disk, what eventlog/files.c leaves to the program


class SmallDisk:
    def __init__(self, tools, size):
        self.path = tools.path("disk")
        os.mkdir(self.path)
        run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path]).expect(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run(["umount", self.path]).expect(0)


def free_bytes(path):
    s = os.statvfs(path)
    return s.f_bavail * s.f_frsize


def left_to_programs(path):
    s = os.statvfs(path)
    return min(s.f_blocks // LEFT_SHARE * s.f_frsize, LEFT_MOST)


def fill(path, leave):
    """Takes all of the disk but `leave` bytes and what is left to programs."""
    leave += left_to_programs(path)
    with open(os.path.join(path, "filler"), "wb") as f:
        f.write(bytes(max(0, free_bytes(path) - leave)))


def test_full_in_mid_run(tools):
    plain = plain_worker(tools, ROUNDS)
    # How much a whole record takes decides how small the disk must be: half of it.
    whole = tools.path("whole")
    expect_same(record(tools, [tools.worker, tools.path("counter0"), ROUNDS], whole), plain)
    used = sum(os.stat(os.path.join(d, n)).st_blocks * 512
               for d, _, names in os.walk(whole) for n in names)
    with SmallDisk(tools, "64m") as disk:
        fill(disk.path, used // 2)
        log = os.path.join(disk.path, "log")
        result = record(tools, [tools.worker, tools.path("counter"), ROUNDS], log)
        expect_same(result, plain)
        analyze(tools, log).expect(3, "disk is full", "events were lost")
        # What the launcher writes at the end is a page or two.
        free, left = free_bytes(disk.path), left_to_programs(disk.path)
        require(free >= left - 65536, f"{free} bytes of the {left} that are the program's")


def test_almost_full_at_the_start(tools):
    """No size may make a difference to the program: from nothing to a few packets."""
    plain = plain_worker(tools, 50)
    for leave in (0, 4096, 16384, 65536, 200000, 400000, 1000000):
        with SmallDisk(tools, "16m") as disk:
            fill(disk.path, leave)
            log = os.path.join(disk.path, "log")
            result = record(tools, [tools.worker, tools.path(f"counter{leave}"), "50"], log)
            if result.status == 2 and "sum" not in result.out:
                result.expect(2, "no space left")  # refused before it began
            else:
                expect_same(result, plain)
                if os.path.isdir(log):
                    analyze(tools, log).expect((0, 1, 3))
        os.rmdir(disk.path)


def test_file_size_limit(tools):
    """SIGXFSZ would end the program if the record met the limit."""
    plain = plain_worker(tools, 200)
    for size in (4096, 32768, 131072, 1 << 20):
        log = tools.path(f"log{size}")
        result = record(tools, [tools.worker, tools.path(f"counter{size}"), "200"], log,
                        preexec=limit_file_size(size))
        if result.status == 2 and "sum" not in result.out:
            result.expect(2, "file too large")
        else:
            expect_same(result, plain)
            analyze(tools, log).expect((0, 1, 3))


def test_file_size_limit_is_reported(tools):
    plain = plain_worker(tools, 200)
    log = tools.path("log")
    expect_same(record(tools, ["sh", "-c", f"ulimit -f 8; exec {tools.worker} {tools.path('c')} 200"],
                       log), plain)
    require(process_folders(log), "the shell itself was not recorded")
    # The shell's own record is whole; the program that it became has none.
    analyze(tools, log).expect(3, "worker")
