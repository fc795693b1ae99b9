"""xz with two threads: there and back. Compressed bytes must be the same under Loiter."""

import hashlib
import os
import random


def make_data(path):
    words = [random.Random(i).randbytes(12).hex().encode() for i in range(3000)]
    pick = random.Random(1)
    with open(path, "wb") as f:
        f.write(b" ".join(pick.choices(words, k=300000)))


def run(work, launch):
    data = os.path.join(work, "data")
    make_data(data)
    packed = launch.run(["xz", "-T2", "-2", "--block-size=1MiB", "-k", "data"])
    with open(data + ".xz", "rb") as f:
        packed["digest"] = hashlib.sha256(f.read()).hexdigest()
    back = launch.run(["xz", "-T2", "-d", "-c", "data.xz"])
    back["out"] = hashlib.sha256(back["out"]).hexdigest()
    with open(data, "rb") as f:
        same = hashlib.sha256(f.read()).hexdigest() == back["out"]
    broken = launch.run(["xz", "-t", "data"])
    return {"pack": packed, "unpack": back, "same as before": same, "not an archive": broken}
