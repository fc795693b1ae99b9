"""git gc with two packing threads on a generated repository; the repository is compared afterwards."""

import os
import random

import harness

FIXED = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "1700000000 +0000", "GIT_CONFIG_NOSYSTEM": "1",
}


def stream():
    """A history for git fast-import: 120 commits that change 10 of 60 files each."""
    pick = random.Random(2)
    for commit in range(120):
        yield (f"commit refs/heads/main\ncommitter a <a@example.org> {1700000000 + commit} +0000\n"
               f"data <<END\ncommit {commit}\nEND\n")
        for _ in range(10):
            body = "".join(f"line {pick.randrange(500)}\n" for _ in range(200))
            yield f"M 100644 inline file{pick.randrange(60)}\ndata {len(body)}\n{body}\n"


def run(work, launch):
    env = dict(FIXED, HOME=work)
    git = ["git", "-C", os.path.join(work, "repo")]
    harness.plain(["git", "init", "-q", "-b", "main", "repo"], work, env)
    # Loose objects, so that gc has something to pack.
    harness.plain(git + ["-c", "fastimport.unpackLimit=100000", "fast-import", "--quiet"], work, env,
                  "".join(stream()).encode())
    gc = launch.run(git + ["-c", "pack.threads=2", "-c", "gc.autoDetach=false", "gc"], env)
    counts = harness.plain(git + ["count-objects", "-v"], work, env)
    return {
        "gc": gc,
        "head": harness.plain(git + ["rev-parse", "main"], work, env),
        "fsck": harness.plain(git + ["fsck", "--full", "--strict"], work, env),
        "objects": [line for line in counts.splitlines() if b"size" not in line],
        "log": launch.run(git + ["log", "--stat", "main"], env),
        "failure": launch.run(git + ["show", "absent"], env),
    }
