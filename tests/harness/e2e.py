#!/usr/bin/env python3
"""e2e.py - runs one program with and without Loiter and compares all that shows.

    e2e.py --loiter FILE --babeltrace SCRIPT --expect expect.json --program NAME --source FILE
           --el-count FILE [--work DIR] EXECUTABLE

Checked: the findings against expect.json, the exit status, standard output against the run without
Loiter, and that babeltrace2 opens the log and counts the events that Loiter's reader counts.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import expectation

FINDINGS_STATUS = 23
TIMEOUT_S = 150


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("loiter", "babeltrace", "el-count", "expect", "program", "source"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--work", help="keep the logs here")
    parser.add_argument("executable")
    return parser.parse_args()


def run(command, name, work):
    """Runs it; gives (status as a shell has it, standard output, standard error)."""
    with open(os.path.join(work, name + ".out"), "w+b") as out, \
            open(os.path.join(work, name + ".err"), "w+b") as err:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                              timeout=TIMEOUT_S, check=False)
        out.seek(0)
        err.seek(0)
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, out.read(), err.read().decode(errors="replace")


def check_report(report_path, program, source, differences):
    """The findings of the report; [] when it cannot be read, which is a difference."""
    try:
        with open(report_path, encoding="utf-8") as text:
            report = json.load(text)
    except (OSError, ValueError) as error:
        differences.append(f"no report: {error}")
        return []
    findings = report["findings"]
    differences += expectation.judge(program.get("findings", []), findings, source,
                                     program.get("allow", []))
    check_record(report["run"], program, differences)
    return findings


def check_record(run_info, program, differences):
    """The record must be whole, or silence would mean nothing."""
    if not run_info["complete"]:
        differences.append(f"the record is incomplete: {run_info['problems']}")
    if run_info["overhead"]["lost"]:
        differences.append(f"{run_info['overhead']['lost']} events or cells are lost")
    processes = len(run_info["processes"])
    if "processes" in program and processes != program["processes"]:
        differences.append(f"{processes} processes are recorded, not {program['processes']}")


def leave_result(work, findings):
    """For table.py, which may read it at any time."""
    with open(work + ".json.part", "w", encoding="utf-8") as out:
        json.dump({"findings": [{"rule": f["rule"], "severity": f["severity"]}
                                for f in findings]}, out)
    os.replace(work + ".json.part", work + ".json")


def expected_status(program, findings, plain_status):
    if any(f["severity"] == "error" for f in findings):
        return FINDINGS_STATUS
    return program.get("status", plain_status)


def plain_run(program, command, work):
    """The run without Loiter: nothing is known of one that only a time-out would end."""
    if program.get("hangs"):
        return None, None
    started = time.monotonic()
    status, output, errors = run(command, "plain", work)
    print(f"plain: status {status}, {time.monotonic() - started:.2f} s {errors.strip()}")
    return status, output


def check_all(options, program, work):
    differences = []
    command = [options.executable] + program.get("args", [])
    log = os.path.join(work, "log")
    report = os.path.join(work, "report.json")
    plain_status, plain_output = plain_run(program, command, work)

    started = time.monotonic()
    status, output, errors = run(
        [options.loiter, "run", "--format", "json", "--report", report, "-o", log] +
        program.get("options", []) + ["--"] + command, "loiter", work)
    print(f"with Loiter: status {status}, {time.monotonic() - started:.2f} s")
    if errors:
        print(errors)

    findings = check_report(report, program, options.source, differences)
    if options.work:
        leave_result(work, findings)
    want = expected_status(program, findings, plain_status)
    if status != want:
        differences.append(f"status is {status}, not {want} (plain: {plain_status})")
    if plain_output is not None and plain_output != output:
        differences.append(f"standard output is\n{output!r}\n  and without Loiter\n{plain_output!r}")
    if "status_plain" in program and plain_status != program["status_plain"]:
        differences.append(f"status without Loiter is {plain_status}, not {program['status_plain']}")

    status, output, errors = run([options.babeltrace, log, options.el_count], "babeltrace",
                                 work)
    if status != 0:
        differences.append(f"the log does not open: {output.decode(errors='replace')} {errors}")
    return differences


def have_alone(work):
    """Two runs of the tests in one build directory take turns at it. Kept open to the end."""
    turn = open(work + ".turn", "w", encoding="utf-8")
    fcntl.flock(turn, fcntl.LOCK_EX)
    return turn


def main():
    options = parse_arguments()
    with open(options.expect, encoding="utf-8") as text:
        program = json.load(text)["programs"][options.program]
    work = options.work or tempfile.mkdtemp(prefix="loiter-e2e-")
    if options.work:
        os.makedirs(os.path.dirname(os.path.abspath(work)), exist_ok=True)
        turn = have_alone(work)
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)

    differences = check_all(options, program, work)
    for difference in differences:
        print(difference)
    if differences:
        print(f"the logs are kept in {work}")
    else:
        shutil.rmtree(work)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
