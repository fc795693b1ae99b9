"""Mistakes on the command line and in files that people write: named, with what was expected."""

import os

from faults import analyze, record, require, run


def make_record(tools):
    log = tools.path("log")
    record(tools, [tools.worker, tools.path("counter"), "2"], log).expect(5)
    return log


def suppress(tools, log, *lines):
    path = tools.path("suppressions")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(line + "\n" for line in lines)
    return path, analyze(tools, log, "--suppressions", path)


def test_no_arguments(tools):
    run([tools.loiter]).expect(2, "usage")


def test_unknown_subcommand(tools):
    run([tools.loiter, "analyse"]).expect(2, "analyse", "analyze")


def test_unknown_option(tools):
    log = make_record(tools)
    for command in (["analyze", "--no-such-option", log], ["record", "--no-such-option", "--", "true"],
                    ["run", "--no-such-option", "--", "true"], ["baseline", "--no-such-option"],
                    ["doctor", "--no-such-option"], ["explain", "--no-such-option"]):
        result = run([tools.loiter] + command).expect(2, "no-such-option")
        require(not result.out, f"an error belongs on standard error: {result.describe()}")


def test_unknown_format(tools):
    analyze(tools, make_record(tools), "--format", "yaml").expect(2, "yaml", "json")


def test_unknown_rule(tools):
    log = make_record(tools)
    run([tools.loiter, "explain", "leaked-tsk"]).expect(2, "leaked-tsk", "leaked-task")
    analyze(tools, log, "--set", "no-such-rule.x=1").expect(2, "no-such-rule")
    for option in ("--only", "--disable"):
        analyze(tools, log, option, "no-such-rule").expect(2, "no-such-rule", "loiter explain")


def test_bad_threshold(tools):
    log = make_record(tools)
    analyze(tools, log, "--set", "unbounded-spawn.no-such-name=1").expect(2, "no-such-name")
    analyze(tools, log, "--set", "unbounded-spawn").expect(2, "unbounded-spawn")


def test_no_program(tools):
    run([tools.loiter, "record"]).expect(2, "program")
    run([tools.loiter, "run", "--"]).expect(2, "program")


def test_bad_suppression_line(tools):
    log = make_record(tools)
    for bad, words in (("no colon here", "expected"), ("no-such-rule:main", "unknown rule"),
                       ("leaked-thread:", "expected"), (":main", ""),
                       ("leaked-thread:main until=yesterday", "expected"),
                       ("leaked-thread:main until=2024-13-01", "expected")):
        path, result = suppress(tools, log, "# a comment", "leaked-thread:some_function", bad)
        result.expect(2, f"{path}:3", words)


def test_missing_suppressions(tools):
    log = make_record(tools)
    analyze(tools, log, "--suppressions", tools.path("absent")).expect(2, "absent", "no such")


def test_bad_baseline(tools):
    log = make_record(tools)
    path = tools.path("baseline.json")
    with open(path, "w", encoding="ascii") as f:
        f.write('{"findings": [')
    run([tools.loiter, "baseline", "check", log, "-b", path]).expect(2, os.path.basename(path))
