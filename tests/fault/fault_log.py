"""Records that are damaged, empty or from a later version: a clear message, the exit code, no crash."""

import os
import random
import shutil
import struct

from faults import analyze, process_folders, record, require, run


def make_record(tools):
    log = tools.path("log")
    record(tools, [tools.worker, tools.path("counter"), "50"], log).expect(5)
    require(len(process_folders(log)) == 1, "one process expected")
    return log, process_folders(log)[0]


def files_of(folder, prefix):
    return sorted(e.path for e in os.scandir(folder) if e.name.startswith(prefix))


def test_whole_record_is_complete(tools):
    """The measure for the others: undamaged, the same record gives 0."""
    log, _ = make_record(tools)
    analyze(tools, log).expect(0)


def test_absent_directory(tools):
    analyze(tools, tools.path("absent")).expect(2, "absent", "no such")


def test_file_instead_of_directory(tools):
    analyze(tools, tools.worker).expect((2, 3), "fault-worker")


def test_empty_directory(tools):
    os.mkdir(tools.path("empty"))
    analyze(tools, tools.path("empty")).expect(3, "empty", "nothing was recorded")


def test_process_folder_without_files(tools):
    log, folder = make_record(tools)
    for entry in os.scandir(folder):
        os.remove(entry.path)
    analyze(tools, log).expect(3, os.path.basename(folder))


def test_empty_files(tools):
    log, folder = make_record(tools)
    for path in files_of(folder, "events-") + files_of(folder, "cells-"):
        os.truncate(path, 0)
    analyze(tools, log).expect(3)


def test_no_metadata(tools):
    log, folder = make_record(tools)
    os.remove(os.path.join(folder, "metadata"))
    analyze(tools, log).expect(3, "metadata")


def keep_first_packet(path):
    """Its size in bits lies at byte 32 (docs/event-log.md)."""
    with open(path, "r+b") as file:
        file.truncate(struct.unpack_from("<Q", file.read(64), 32)[0] // 8)


def test_no_events(tools):
    """A process that was killed as its record began has done nothing; one that ended has."""
    killed, ended = tools.path("killed"), tools.path("ended")
    record(tools, ["/bin/sh", "-c", "kill -9 $$"], killed).expect(137)
    record(tools, ["/bin/sh", "-c", "exit 0"], ended).expect(0)
    for log in killed, ended:
        for entry in os.scandir(process_folders(log)[0]):
            if entry.name.startswith("cells-summary"):
                keep_first_packet(entry.path)
            elif entry.name != "metadata":
                os.remove(entry.path)
    analyze(tools, killed).expect(0, "1 process, 0 events")
    analyze(tools, ended).expect(3, "no beginning")


def test_killed_before_it_began(tools):
    """A child that is killed while its record's first files are made leaves some of them, or none:
    nothing lacks. Where one ended later, something does; and nobody but such a child is no record."""
    log, folder = make_record(tools)
    metadata, child = os.path.join(folder, "metadata"), os.path.join(log, "1.0")
    for hidden, whole in (([], []), ([".metadata"], []), ([], [metadata]),
                          ([".cells-summary-0"], [metadata])):
        os.mkdir(child)
        for name in hidden:
            open(os.path.join(child, name), "wb").close()
        for path in whole:
            shutil.copy(path, child)
        analyze(tools, log).expect(0)
        os.rename(child, child + ".failed")
        analyze(tools, log).expect(3, child + ".failed")
        os.rename(child + ".failed", child)
        open(os.path.join(child, "events-0"), "wb").close()
        analyze(tools, log).expect(3, child)
        shutil.rmtree(child)
    for entry in os.scandir(folder):
        os.remove(entry.path)
    analyze(tools, log).expect(3, "nothing was recorded")


def test_could_not_begin(tools):
    """A child without a descriptor for its record does what it did, and is told of."""
    log = tools.path("log")
    record(tools, ["/bin/sh", "-c", "ulimit -n 3; (echo did it); echo $?"], log).expect(
        0, "did it\n0")
    analyze(tools, log).expect(3, ".failed: ", "no more files allowed")


def test_truncated_events(tools):
    """Cut in the middle: the rest is read, and the damage is named with its file."""
    log, folder = make_record(tools)
    path = max(files_of(folder, "events-"), key=os.path.getsize)
    os.truncate(path, os.path.getsize(path) // 2 + 13)
    analyze(tools, log).expect(3, os.path.basename(path))


def test_truncated_at_every_kind_of_place(tools):
    log, folder = make_record(tools)
    path = files_of(folder, "events-")[0]
    whole = tools.path("whole")
    shutil.copy(path, whole)
    for size in (1, 7, 8, 31, 32, 33, 63, 64, 71, 100, 1000, 4095, 4097):
        shutil.copy(whole, path)
        os.truncate(path, min(size, os.path.getsize(path) - 1))
        analyze(tools, log).expect((0, 1, 3))


def test_corrupted(tools):
    """Random bytes anywhere: any answer is right but a crash, a hang, or an internal error."""
    log, folder = make_record(tools)
    seed = int.from_bytes(os.urandom(4), "little")
    print(f"seed {seed}")
    pick = random.Random(seed)
    for turn in range(60):
        copy = tools.path("copy")
        shutil.copytree(log, copy)
        victim = pick.choice([e.path for e in os.scandir(process_folders(copy)[0])])
        size = os.path.getsize(victim)
        with open(victim, "r+b") as f:
            for _ in range(pick.choice((1, 4, 64))):
                f.seek(pick.randrange(min(size, 8192) or 1))
                f.write(pick.randbytes(pick.choice((1, 8))))
        result = analyze(tools, copy)
        require(result.status in (0, 1, 3), f"seed {seed}, turn {turn}, {victim}: "
                                            f"{result.describe()}")
        shutil.rmtree(copy)


def test_first_bytes_corrupted(tools):
    log, folder = make_record(tools)
    path = files_of(folder, "events-")[0]
    with open(path, "r+b") as f:
        f.write(b"\xff" * 64)
    analyze(tools, log).expect(3, os.path.basename(path))


def test_newer_version(tools):
    """The metadata names a later major version: refused, and it says which versions it reads."""
    log, folder = make_record(tools)
    path = os.path.join(folder, "metadata")
    with open(path, "rb") as f:
        text = f.read()
    newer = text
    for key in (b"version_major = ", b"loiter_major = ", b"format_major = "):
        at = newer.find(key)
        if at >= 0:
            digits = at + len(key)
            end = newer.index(b";", digits)
            newer = newer[:digits] + b"99" + newer[end:]
    require(newer != text, f"no version found in {text[:600].decode(errors='replace')}")
    with open(path, "wb") as f:
        f.write(newer)
    analyze(tools, log).expect(3, "newer", os.path.basename(folder))


def test_later_kill_of_the_launcher(tools):
    """Without run.json, as when the launcher itself was killed, the record is judged as it stands."""
    log, _ = make_record(tools)
    os.remove(os.path.join(log, "run.json"))
    analyze(tools, log).expect((0, 3))


def test_json_of_a_damaged_record_is_json(tools):
    log, folder = make_record(tools)
    path = max(files_of(folder, "events-"), key=os.path.getsize)
    os.truncate(path, os.path.getsize(path) // 2)
    result = analyze(tools, log, "--format", "json")
    result.expect(3)
    run(["/usr/bin/python3", "-c", "import json,sys; json.loads(sys.argv[1])", result.out]).expect(0)
