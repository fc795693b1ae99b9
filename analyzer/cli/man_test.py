"""man_test.py LOITER FOLDER - each manual page has exactly the options of its subcommand, and is
without faults where man is installed."""

import os
import re
import shutil
import subprocess
import sys

LOITER, FOLDER = sys.argv[1:3]


def options_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def check(command):
    path = os.path.join(FOLDER, f"loiter-{command}.1")
    with open(path, encoding="utf-8") as f:
        page = re.sub(r"\\f.", "", f.read().replace("\\-", "-"))
    headings = "\n".join(re.findall(r"^\.TP\n(.*)", page, re.MULTILINE))
    shown = subprocess.run([LOITER, command, "--help"], capture_output=True, text=True,
                           check=True).stdout
    listed = options_of("\n".join(re.findall(r"^ +-.*", shown, re.MULTILINE)))
    wrong = [f"{path}: {option} is not described" for option in listed - options_of(headings)]
    wrong += [f"{path}: {option} does not exist" for option in options_of(headings) - listed]
    if not listed:
        wrong.append(f"{command}: no options in --help")
    return wrong


def faults(path):
    """What man has to say on the page; nothing where it is not installed."""
    if not shutil.which("man"):
        return []
    env = {**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80",
           "MAN_KEEP_STDERR": "1"}
    result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
                            capture_output=True, text=True, env=env, check=False)
    return [f"{path}: {line}" for line in result.stderr.splitlines()]


def main():
    commands = subprocess.run([LOITER, "help", "--list"], capture_output=True, text=True,
                              check=True).stdout.split()
    wrong = [line for command in commands for line in check(command)]
    for name in sorted(os.listdir(FOLDER)):
        wrong += faults(os.path.join(FOLDER, name))
    print("\n".join(wrong))
    return 1 if wrong or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
