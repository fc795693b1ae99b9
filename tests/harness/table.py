#!/usr/bin/env python3
"""table.py --build BUILD [--run] - all rules over all programs, as one table.

A row for each program of test-programs/, tests/variants, correct, kernels, endings and so on, a
column for each rule. e2e.py leaves what it found in BUILD/e2e/NAME.json; --run runs the tests whose
result is missing or older than the command or the program. A cell:

    .  silent, as expected      #  found, as expected      +  found, and allowed
    -  NOT FOUND                X  FOUND, NOT EXPECTED      ?  not run

Ends with 1 when a cell is wrong; and, when all programs were run, when a rule never speaks.
"""

import argparse
import json
import os
import subprocess
import sys

COUNTED = ("error", "warning")
WRONG = "-X"


def rules_of(loiter):
    listed = subprocess.run([loiter, "explain"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def as_list(value):
    return value if isinstance(value, list) else [value]


def expected(program):
    """(rules that must speak, rules that may)"""
    must, may = set(), set(program.get("allow", []))
    for finding in program.get("findings", []):
        rules = as_list(finding["rule"])
        counted = set(as_list(finding.get("severity", "error"))) & set(COUNTED)
        sure = len(rules) == 1 and not finding.get("optional") and counted
        (must if sure else may).update(rules)
    return must, may


def tests(build):
    """The e2e tests as registered: (name, path of expect.json, program, executable)."""
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", "-L", "e2e"],
                            capture_output=True, text=True, check=True).stdout
    for test in json.loads(listed)["tests"]:
        words = test.get("command", [])
        if "--expect" in words:
            yield (test["name"], words[words.index("--expect") + 1],
                   words[words.index("--program") + 1], words[-1])


def result_of(build, name, executable):
    """The rules that spoke; None when the test has not run since the programs were built."""
    path = os.path.join(build, "e2e", name + ".json")
    try:
        made = os.path.getmtime(path)
        tools = [executable] + [os.path.join(build, p) for p in ("bin/loiter", "lib/libloiter.so")]
        if any(os.path.getmtime(tool) > made for tool in tools):
            return None
        with open(path, encoding="utf-8") as text:
            return {f["rule"] for f in json.load(text)["findings"] if f["severity"] in COUNTED}
    except (OSError, ValueError):
        return None


def cell(rule, must, may, spoke):
    if spoke is None:
        return "?"
    if rule in spoke:
        return "#" if rule in must else "+" if rule in may else "X"
    return "-" if rule in must else "."


def print_table(rules, rows):
    width = max(len(name) for name, _ in rows)
    for i, rule in enumerate(rules):
        print(" " * width + "  " + "| " * i + "+-" + "-" * (2 * (len(rules) - i - 1)) + " " + rule)
    for name, cells in rows:
        print(f"{name:{width}}  {' '.join(cells)}" + ("   <--" if set(cells) & set(WRONG) else ""))


def judge(rules, rows):
    """Sentences on what is wrong, and how many programs were not run."""
    wrong = [f"{name}: {rule}: {'not found' if c == '-' else 'found, and not expected'}"
             for name, cells in rows for rule, c in zip(rules, cells) if c in WRONG]
    missing = sum("?" in cells for _, cells in rows)
    wrong += [f"{rule} speaks on no program" for i, rule in enumerate(rules)
              if not missing and not any(cells[i] == "#" for _, cells in rows)]
    return wrong, missing


def thinly_tested(rules, rows):
    """Rules with fewer than two programs in tests/variants."""
    variants = [cells for name, cells in rows if name.startswith("variant-")]
    return [rule for i, rule in enumerate(rules) if sum(c[i] == "#" for c in variants) < 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    rules = rules_of(os.path.join(build, "bin/loiter"))
    listed = list(tests(build))
    if options.run:
        old = [name for name, _, _, executable in listed
               if result_of(build, name, executable) is None]
        for start in range(0, len(old), 50):
            names = "|".join(old[start:start + 50])
            subprocess.run(["ctest", "--test-dir", build, "-j2", "-Q", "-R", f"^({names})$"],
                           check=False)
    rows = []
    for name, path, program, executable in listed:
        with open(path, encoding="utf-8") as text:
            must, may = expected(json.load(text)["programs"][program])
        spoke = result_of(build, name, executable)
        rows.append((name[len("e2e-"):], [cell(rule, must, may, spoke) for rule in rules]))
    print_table(rules, rows)
    wrong, missing = judge(rules, rows)
    print(f"\n{len(rows)} programs, {len(rules)} rules, {len(wrong)} wrong, {missing} not run")
    print("\n".join(wrong))
    thin = [] if missing else thinly_tested(rules, rows)
    if thin:
        print("fewer than two variants: " + ", ".join(thin))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
