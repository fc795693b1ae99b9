"""cli_test.py LOITER PLANT COMPLETION SCHEMA_TEST SCHEMA [TEST...] - the command from outside: what
it says, where it says it, and its exit status.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from cli_case import COMPLETION, LOITER, PLANT, SCHEMA, SCHEMA_TEST, Case


class ExitStatus(Case):
    def test_program_s_own(self):
        self.loiter("run", "--", "true", status=0)
        self.loiter("run", "--", "sh", "-c", "exit 7", status=7)
        self.loiter("record", "--", "sh", "-c", "exit 7", status=7)

    def test_signal(self):
        self.loiter("run", "--", "sh", "-c", "kill -9 $$", status=128 + signal.SIGKILL)
        self.loiter("record", "--", "sh", "-c", "kill -TERM $$", status=128 + signal.SIGTERM)

    def test_findings(self):
        self.loiter("run", "--", PLANT, "thread", status=23)
        self.loiter("run", "--error-exitcode", "42", "--", PLANT, "thread", status=42)
        self.loiter("run", "--disable", "leaked-thread", "--", PLANT, "thread", status=0)
        self.loiter("run", "--only", "unbounded-spawn", "--", PLANT, "thread", status=0)

    def test_analyze(self):
        self.loiter("record", "-o", "log", "--", PLANT, "thread", status=0)
        self.loiter("analyze", "log", status=1)
        self.loiter("analyze", "--disable", "leaked-thread", "log", status=0)
        self.loiter("record", "-o", "clean", "--", PLANT, "nothing", status=0)
        self.loiter("analyze", "clean", status=0)

    def test_several_logs_are_one(self):
        for name, kind in (("a", "thread"), ("b", "thread"), ("c", "timer"), ("d", "nothing")):
            self.loiter("record", "-o", name, "--", PLANT, kind, status=0)
        result = self.loiter("analyze", "--format", "json", "a", "b", "c", status=1)
        document = json.loads(result.stdout)
        counts = {f["rule"]: (f["count"], len(f["processes"])) for f in document["findings"]}
        self.assertEqual(counts["leaked-thread"], (2, 2))
        self.assertEqual(counts["unstopped-ticker"][1], 1)
        self.assertEqual((document["run"]["log"], document["run"]["command"]), ("a b c", None))
        self.loiter("analyze", "d", "d", status=0)
        self.loiter("record", "-o", "e", "--", "false", status=1)
        self.assertIn("e: false exited with 1", self.loiter("analyze", "d", "e", status=0).stdout)
        os.mkdir(self.path("empty"))
        self.assertIn("empty: nothing was recorded",
                      self.loiter("analyze", "d", "empty", status=3).stdout)

    def test_nothing_recorded_is_not_green(self):
        os.mkdir(self.path("empty"))
        self.assertIn("nothing was recorded", self.loiter("analyze", "empty", status=3).stdout)

    def test_what_is_no_record(self):
        os.mkdir(self.path("other"))
        self.loiter("record", "-o", "other/log", "--", "true", status=0)
        result = self.loiter("analyze", "other", status=2)
        self.assertIn("other: is no record: there is no run.json", result.stderr)
        self.assertIn("but other/log", result.stderr)
        self.assertEqual(result.stdout, "")
        self.loiter("analyze", "other/log", "other", status=2)

    def test_library_that_is_not_there(self):
        result = self.loiter("run", "--", "true", status=2, env={**os.environ, "LOITER_LIB": "/x"})
        self.assertIn("/x: no such library", result.stderr)

    def test_library_that_records_nothing(self):
        libc = next(p for p in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6",
                                "/lib64/libm.so.6") if os.path.exists(p))
        result = self.loiter("run", "--", "true", status=3, env={**os.environ, "LOITER_LIB": libc})
        self.assertIn("nothing was recorded", result.stderr)


    def test_becoming_what_cannot_be_recorded_is_not_green(self):
        static = self.path("static")
        self.write("s.c", "int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-static", "-o", static, self.path("s.c")], check=True)
        result = self.loiter("run", "--", "sh", "-c", f"exec {static}", status=3)
        self.assertIn("became another program, which was not recorded", result.stderr)
        result = self.loiter("run", "--", "sh", "-c", f"exec {PLANT} nothing", status=0)
        self.assertNotIn("became", result.stderr)


class Output(Case):
    def test_text_goes_to_standard_error(self):
        result = self.loiter("run", "--", "echo", "hello", status=0)
        self.assertEqual(result.stdout, "hello\n")
        self.assertIn("the record is complete", result.stderr)

    def test_document_alone_on_standard_output(self):
        result = self.loiter("run", "--format", "json", "--", "echo", "hello", status=0)
        self.assertEqual(json.loads(result.stdout)["version"], 1)
        self.assertEqual(result.stderr, "hello\n")

    def test_document_in_a_file(self):
        result = self.loiter("run", "--format", "json", "--report", "r", "--", "echo", "hello")
        self.assertEqual((result.stdout, result.stderr), ("hello\n", ""))
        with open(self.path("r"), encoding="utf-8") as f:
            self.assertTrue(json.load(f)["run"]["complete"])

    def test_document_is_as_the_schema_says(self):
        self.report("--", PLANT, "thread", status=23)
        subprocess.run([sys.executable, "-B", SCHEMA_TEST, SCHEMA, self.path("report.json")],
                       check=True)

    def test_what_a_finding_tells(self):
        finding, = self.report("--", PLANT, "thread", status=23)["findings"]
        self.assertEqual(finding["rule"], "leaked-thread")
        self.assertEqual(finding["place"]["function"], "wait_for_nobody")
        with open(finding["place"]["file"], encoding="utf-8") as f:
            self.assertIn("sem_wait", f.readlines()[finding["place"]["line"] - 1])
        self.assertEqual(finding["count"], 1)

    def test_quiet(self):
        result = self.loiter("run", "-q", "--", "true", status=0)
        self.assertEqual(result.stdout + result.stderr, "")

    def test_colour_on_demand_only(self):
        self.assertNotIn("\033", self.loiter("run", "--", PLANT, "thread").stderr)
        self.assertIn("\033[1;31merror", self.loiter("run", "--color=always", "--", PLANT,
                                                     "thread").stderr)

    def test_sentences_are_as_wide_as_the_terminal(self):
        self.loiter("record", "-o", "log", "--", PLANT, "thread", status=0)
        for columns in (60, 90):
            ours, theirs = pty.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            with os.fdopen(ours, "rb", buffering=0) as seen, subprocess.Popen(
                    [LOITER, "analyze", "log"], cwd=self.work, stdout=theirs,
                    env={**os.environ, "NO_COLOR": "1"}) as process:
                os.close(theirs)
                text = b""
                with contextlib.suppress(OSError):
                    while part := seen.read(4096):
                        text += part
                self.assertEqual(process.wait(), 1)
            fix = re.search(r"^  fix: .*\r\n(?:       .*\r\n)+", text.decode(), re.MULTILINE).group()
            longest = max(len(line) for line in fix.splitlines())
            self.assertTrue(columns - 15 < longest <= columns, fix)

    def test_a_dash_is_no_file(self):
        result = self.loiter("run", "--format=json", "--report=-", "--no-keep", "--", "echo", "own",
                             status=0)
        self.assertEqual(json.loads(result.stdout)["findings"], [])
        self.assertIn("own", result.stderr)
        self.loiter("record", "-o", "log", "--", "true", status=0)
        self.assertIn("traceEvents", self.loiter("export", "-o", "-", "log", status=0).stdout)
        compared = self.loiter("compare", "--report", "-", "log", "log", status=0).stdout
        self.assertIn("before: log", compared)
        self.assertEqual(os.listdir(self.work), ["log"])

    def test_output_that_cannot_be_written(self):
        self.loiter("record", "-o", "log", "--", "true", status=0)
        for words in (["explain"], ["explain", "leaked-task"], ["--help"], ["--version"],
                      ["baseline", "write", "log", "-b", "b"], ["analyze", "log"]):
            with self.subTest(words), open("/dev/full", "w", encoding="utf-8") as full:
                result = subprocess.run([LOITER, *words], cwd=self.work, stdout=full, text=True,
                                        stderr=subprocess.PIPE, check=False)
                self.assertEqual(result.returncode, 2)
                self.assertEqual(result.stderr.count("No space left on device"), 1)

    def test_junit(self):
        result = self.loiter("run", "--format", "junit", "--", PLANT, "thread", status=23)
        import xml.etree.ElementTree as tree
        suite = tree.fromstring(result.stdout).find("testsuite")
        self.assertEqual(suite.get("failures"), "1")
        self.assertEqual(len(suite.findall("testcase")), int(suite.get("tests")))
        self.assertEqual(suite.find("testcase/failure").get("type"), "error")
        self.assertGreater(suite.get("timestamp"), "2020")
        subprocess.run(["xmllint", "--noout", "--schema",
                        os.path.join(os.path.dirname(SCHEMA), "junit-subset.xsd"), "-"],
                       input=result.stdout.encode(), check=True)

    def test_junit_names_the_same_case_whatever_the_count_and_the_line(self):
        result = self.loiter("run", "--format", "junit", "--", PLANT, "thread", status=23)
        import xml.etree.ElementTree as tree
        case = tree.fromstring(result.stdout).find("testsuite/testcase[failure]")
        finding, = self.report("--", PLANT, "thread")["findings"]
        self.assertEqual(case.attrib, {"classname": "leaked-thread", "time": "0",
                                       "name": finding["place"]["function"]})
        place = finding["place"]
        self.assertIn(f"{place['file']}:{place['line']}", case.find("failure").get("message"))

    def test_sarif(self):
        self.loiter("run", "--format", "sarif", "--report", "r", "--", PLANT, "thread", status=23)
        subprocess.run([sys.executable, "-B", SCHEMA_TEST,
                        os.path.join(os.path.dirname(SCHEMA), "sarif-subset.json"),
                        self.path("r")], check=True)
        with open(self.path("r"), encoding="utf-8") as f:
            run, = json.load(f)["runs"]
        result, = run["results"]
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        self.assertEqual((rule["id"], result["level"]), ("leaked-thread", "error"))
        self.assertIn("## ", rule["help"]["markdown"])
        self.assertIn("Fix: ", result["message"]["text"])

    def test_report_that_cannot_be_written(self):
        result = self.loiter("run", "--report", "/nonexistent/r", "--", "true", status=2)
        self.assertIn("/nonexistent/r: cannot write the report", result.stderr)


class Program(Case):
    def test_its_environment(self):
        env = {**os.environ, "LD_PRELOAD": "libm.so.6", "LOITER_OPTIONS": "depth=5"}
        result = self.loiter("run", "--no-follow", "--stack-depth", "9", "--", "sh", "-c",
                             "echo $LD_PRELOAD; echo $LOITER_OPTIONS; echo $LOITER_FOLLOW; "
                             "test $LOITER_ROOT_PID = $$ && echo same", env=env)
        preload, options, follow, same = result.stdout.splitlines()
        self.assertTrue(preload.startswith("libm.so.6:") and preload.endswith("/libloiter.so"))
        self.assertEqual((options, follow, same), ("depth=5,depth=9", "0", "same"))

    def test_its_descriptors(self):
        result = self.loiter("run", "--", "sh", "-c", "ls /proc/$$/fd")
        self.assertEqual(set(result.stdout.split()) - {"0", "1", "2"}, set())

    def test_its_input(self):
        self.assertEqual(self.loiter("run", "--", "cat", input="line\n").stdout, "line\n")

    def test_its_arguments(self):
        result = self.loiter("run", "printf", "[%s]", "--help", "-o", "", "a b")
        self.assertEqual(result.stdout, "[--help][-o][][a b]")

    def test_signal_mask_and_ignored_signals(self):
        command = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
        for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGHUP):
            ignore = lambda number=number: signal.signal(number, signal.SIG_IGN)
            plain = subprocess.run(command, capture_output=True, text=True, check=True,
                                   preexec_fn=ignore).stdout
            result = self.loiter("run", "--", *command, preexec_fn=ignore, status=0)
            self.assertEqual(result.stdout, plain)

    def test_with_a_sanitizer(self):
        self.write("s.c", "#include <stdio.h>\nint main(void) { puts(\"fine\"); return 0; }\n")
        for name in ("address", "thread"):
            subprocess.run(["gcc", f"-fsanitize={name}", "-o", self.path(name), self.path("s.c")],
                           check=True)
            result = self.loiter("run", "--", f"./{name}", status=0)
            self.assertEqual(result.stdout, "fine\n")
            self.assertIn("the record is complete: 1 process", result.stderr)

    def test_script_without_interpreter_line(self):
        self.write("script", "echo from a script $1\n", 0o755)
        self.assertEqual(self.loiter("run", "--", "./script", "x", status=0).stdout,
                         "from a script x\n")

    def test_children_are_followed(self):
        command = ["sh", "-c", f"{PLANT} nothing; {PLANT} nothing"]
        run = self.report("--", *command, status=0)["run"]
        self.assertEqual((len(run["processes"]), run["silent"]), (1, 2))
        run = self.report("--heap=full", "--", *command, status=0)["run"]
        self.assertEqual([p["command"] for p in run["processes"]].count(f"{PLANT} nothing"), 2)
        processes = self.report("--no-follow", "--", *command, status=0)["run"]["processes"]
        self.assertEqual([p["command"][:2] for p in processes], ["sh"])

    def test_children_in_a_namespace_of_their_own(self):
        """They have a record, under a number that their parent does not know."""
        apart = ["unshare", "-Urpf"]
        if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no namespaces here")
        command = " ".join([*apart, PLANT])
        result = self.loiter("run", "--", "sh", "-c",
                             f"{command} thread; {command} thread", status=23)
        self.assertNotIn("no record", result.stderr)
        self.assertIn("2 processes: 1, 1 (", result.stderr)
        result = self.loiter("run", "--", "sh", "-c", f"{command} nothing; true", status=0)
        self.assertNotIn("no record", result.stderr)

    def test_without_proc(self):
        apart = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"]
        if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no namespaces here")
        result = subprocess.run([*apart, LOITER, "run", "--", PLANT, "thread"], cwd=self.work,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 23, result.stderr)
        self.assertIn("error: leaked-thread", result.stderr)

    def test_finding_of_a_child_names_it(self):
        finding, = self.report("--", "sh", "-c", f"{PLANT} thread; {PLANT} thread",
                               status=23)["findings"]
        self.assertEqual(finding["count"], 2)
        self.assertEqual(len({p["pid"] for p in finding["processes"]}), 2)
        self.assertIn("thread", finding["processes"][0]["command"])


class Hang(Case):
    def test_without_findings(self):
        begin = time.monotonic()
        result = self.loiter("run", "--timeout", "0.3", "--", "sleep", "60", status=124)
        self.assertIn("hung", result.stderr)
        self.assertLess(time.monotonic() - begin, 30)
        self.loiter("record", "-o", "log", "--timeout", "0.3", "--", "sleep", "60", status=124)
        with open(self.path("log/run.json"), encoding="utf-8") as f:
            self.assertTrue(json.load(f)["timed_out"])

    def test_with_findings(self):
        command = f"{PLANT} thread; sleep 60"
        report = self.report("--timeout", "2", "--", "sh", "-c", command, status=23)
        self.assertTrue(report["run"]["hung"])
        self.assertEqual([f["rule"] for f in report["findings"]], ["leaked-thread"])

    def test_that_ignores_sigterm(self):
        self.loiter("run", "--timeout", "0.3", "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; "
                    "done", status=124)

    def test_its_descendants_are_ended(self):
        self.loiter("run", "--timeout", "0.5", "--", "sh", "-c",
                    "sleep 98.7 & echo $! > pid; wait", status=124)
        with open(self.path("pid"), encoding="ascii") as f:
            pid = int(f.read())
        for _ in range(200):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(0.05)
        self.fail(f"{pid} is still there")

    def test_program_in_time(self):
        self.loiter("run", "--timeout", "50", "--", "true", status=0)


class Gate(Case):
    def setUp(self):
        super().setUp()
        self.loiter("record", "-o", "log", "--", PLANT, "thread", status=0)

    def test_suppression(self):
        self.write("s", "leaked-thread:wait_for_* # known\n")
        result = self.loiter("analyze", "--suppressions", "s", "log", status=0)
        self.assertIn("1 suppressed", result.stdout)
        self.assertNotIn("unused", result.stdout)

    def test_unused_and_expired_suppressions(self):
        self.write("s", "*:no_such_function\nleaked-thread:wait_for_nobody until=2001-02-03\n")
        result = self.loiter("analyze", "--suppressions", "s", "log", status=1)
        self.assertIn("s:1: unused: *:no_such_function", result.stdout)
        self.assertIn("s:2: expired on 2001-02-03", result.stdout)

    def test_suggested_suppression_works(self):
        document = json.loads(self.loiter("analyze", "--format", "json", "log", status=1).stdout)
        self.write("s", document["findings"][0]["suppression"] + "\n")
        hidden = json.loads(self.loiter("analyze", "--format", "json", "--suppressions", "s", "log",
                                        status=0).stdout)
        self.assertEqual((hidden["findings"], len(hidden["suppressed"])), ([], 1))

    def test_suggested_line_works_as_it_stands_in_the_report(self):
        text = self.loiter("analyze", "log", status=1).stdout
        line, = re.findall(r"^ *suppress: (.*)", text, re.MULTILINE)
        self.write("s", line + "\n")
        self.assertNotIn("unused", self.loiter("analyze", "--suppressions", "s", "log",
                                               status=0).stdout)

    def test_the_pages_of_rules_tell_lines_that_can_be_read(self):
        for rule in self.loiter("explain", status=0).stdout.splitlines():
            name = rule.split()[0]
            page = self.loiter("explain", name, status=0).stdout
            line = re.search(r"How to suppress\n+`?(.*?)`? in a suppressions file", page).group(1)
            with self.subTest(line):
                self.assertRegex(line, rf"^{name}:\w+ until=\S+ # ")
                pattern = line.split()[0]
                self.write("s", line.replace("2027", "2999") + "\n")
                self.assertRegex(self.loiter("analyze", "-q", "--suppressions", "s", "log").stdout,
                                 rf"unused: {pattern}\n")

    def test_baseline(self):
        self.loiter("baseline", "check", "log", "-b", "b", status=2)
        self.assertIn("1 finding, 1 of them new",
                      self.loiter("baseline", "write", "log", "-b", "b", status=0).stdout)
        self.loiter("baseline", "check", "log", "-b", "b", status=0)
        self.assertIn("1 in the baseline", self.loiter("analyze", "-b", "b", "log", status=0).stdout)
        self.loiter("run", "-b", "b", "--", PLANT, "thread", status=0)
        self.loiter("record", "-o", "timer", "--", PLANT, "timer", status=0)
        self.assertIn("unstopped-ticker",
                      self.loiter("baseline", "check", "timer", "-b", "b", status=1).stdout)
        self.loiter("record", "-o", "clean", "--", PLANT, "nothing", status=0)
        self.assertIn("1 removed, 0 left",
                      self.loiter("baseline", "prune", "clean", "-b", "b", status=0).stdout)
        self.loiter("analyze", "-b", "b", "log", status=1)

    def test_baseline_from_a_report(self):
        self.write("r.json", self.loiter("analyze", "--format", "json", "log", status=1).stdout)
        self.loiter("baseline", "write", "r.json", "-b", "b", status=0)
        self.loiter("baseline", "check", "log", "-b", "b", status=0)

    def test_incomplete_record_is_not_pruned_by(self):
        self.loiter("baseline", "write", "log", "-b", "b", status=0)
        os.mkdir(self.path("empty"))
        self.loiter("baseline", "prune", "empty", "-b", "b", status=3)
        self.loiter("baseline", "check", "log", "-b", "b", status=0)

    def test_fail_on(self):
        self.loiter("analyze", "--fail-on", "note", "log", status=1)
        result = self.loiter("analyze", "--fail-on", "fatal", "log", status=2)
        self.assertIn("note, warning and error", result.stderr)


class Mistakes(Case):
    def check(self, *words, says):
        result = self.loiter(*words, status=2)
        self.assertEqual(result.stdout, "")
        self.assertIn(says, result.stderr)

    def test_messages(self):
        self.check("rnu", says='did you mean "run"?')
        self.check("run", "--formta=json", "--", "true", says='did you mean "--format"?')
        self.check("run", "--timeout", "soon", "--", "true", says="expected a number")
        self.check("run", "--timeout", "0", "--", "true", says="expected a number")
        self.check("run", "--max-log-size", "12X", "--", "true", says="expected a size")
        self.check("run", "--record-option", "depth", "--", "true", says="expected NAME=VALUE")
        self.check("run", "--record-option", "event_brust=1", "--", "true",
                   says='did you mean "event_burst"?')
        self.check("run", "--record-option", "depth=all", "--", "true", says="expected NAME=VALUE")
        self.check("run", "--error-exitcode", "300", "--", "true", says="expected a number")
        self.check("run", says="expected a program")
        self.check("analyze", says="expected the directory of a log")
        self.check("analyze", ".", "absent", says="absent: cannot read the log: No such file")
        self.check("analyze", "absent", says="absent: cannot read the log: No such file")
        for command in (("run", "--debug-dir", "absent", "true"), ("analyze", "--debug-dir=absent", "l"),
                        ("export", "--debug-dir=absent", "l")):
            self.check(*command, says="--debug-dir: absent: No such file or directory")
        self.check("baseline", "wirte", "log", says='did you mean "write"?')
        self.check("baseline", "write", "log", says="-b FILE")
        self.check("baseline", "write", "log", "-b", "-", says='expected a file, not "-"')
        self.check("explain", "leaked-thred", says='did you mean "leaked-thread"?')
        self.check("explain", "a", "b", says="expected one rule")
        self.check("help", "rnu", says='did you mean "run"?')
        self.check("run", "-o", "absent/log", "--", "true", says="choose another with -o")

    def test_a_report_that_cannot_be_written_is_told_before_the_program_runs(self):
        os.mkdir(self.path("folder"))
        for report, says in (("absent/report", "No such file"), ("folder", "Is a directory"),
                             ("folder/report/", "No such file")):
            with self.subTest(report):
                self.check("run", "--report", report, "--", "touch", "ran", says=says)
                self.check("compare", "--report", report, "--run", "touch ran", "--run", "touch ran",
                           says=says)
        self.assertFalse(os.path.exists(self.path("ran")))
        self.assertEqual(sorted(os.listdir(self.work)), ["folder"])

    def test_unknown_option_of_the_program_is_its_own(self):
        self.loiter("run", "ls", "--no-such-option", status=2)
        self.assertIn("ls:", self.loiter("run", "ls", "--no-such-option").stderr)


class Help(Case):
    def test_explain(self):
        listed = self.loiter("explain", status=0).stdout
        for line in listed.splitlines():
            rule = line.split()[0]
            page = self.loiter("explain", rule, status=0).stdout
            self.assertIn(rule, page)
            self.assertNotRegex(page, r"[\d.]+e\+\d")
        self.assertIn("unbounded-spawn", listed)

    def test_version_and_help(self):
        version = self.loiter("--version", status=0).stdout
        self.assertRegex(version, r"^loiter \d+\.\d+\.\d+\n$")
        text = self.loiter("--help", status=0).stdout
        self.assertEqual(self.loiter("-h", status=0).stdout, text)
        self.assertEqual(self.loiter("help", status=0).stdout, text)
        for name in self.loiter("help", "--list", status=0).stdout.split():
            self.assertIn(f"  {name} ", text)
            own = self.loiter(name, "--help", status=0).stdout
            self.assertIn("Usage: loiter " + name, own)
            self.assertEqual(self.loiter("help", name, status=0).stdout, own)
            self.assertEqual(self.loiter(name, "-h", status=0).stdout, own)
            self.assertEqual(self.loiter(name, "--version", status=0).stdout, version)
        self.assertEqual(self.loiter("run", "echo", "-h", "--version", status=0).stdout,
                         "-h --version\n")

    def test_no_function_of_a_library_is_replaced(self):
        """A function of ours with the name of one in libelf would be called by libdw in its place."""
        exported = subprocess.run(["nm", "-D", "--defined-only", LOITER], capture_output=True,
                                  text=True, check=True).stdout
        self.assertEqual([line for line in exported.splitlines() if line.split()[1] in "TW"], [])

    def complete(self, *words):
        script = (f'PATH={os.path.dirname(LOITER)}:$PATH; . {COMPLETION}; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); compopt() { :; }; _loiter; printf "%s\\n" '
                  '"${COMPREPLY[@]}"')
        return subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True,
                              check=True, cwd=self.work).stdout.split()

    def test_completion(self):
        self.assertEqual(self.complete("loiter", "ana"), ["analyze"])
        self.assertEqual(self.complete("loiter", "run", "--time"), ["--timeout="])
        self.assertEqual(self.complete("loiter", "run", "--format", "=", "j"), ["json", "junit"])
        self.assertEqual(self.complete("loiter", "explain", "unb"), ["unbounded-spawn"])
        self.assertEqual(self.complete("loiter", "baseline", "p"), ["prune"])
        self.assertEqual(self.complete("loiter", "help", "expl"), ["explain"])
        self.assertEqual(self.complete("loiter", "ctl", "12", "s"), ["start", "stop", "snapshot"])
        self.assertEqual(self.complete("loiter", "export", "--format", ""), ["chrome"])
        self.assertEqual(self.complete("loiter", "run", "--error"), ["--error-exitcode="])
        self.write("a b*", "")
        self.assertEqual(self.complete("loiter", "analyze", "a"), ["a", "b*"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[6:]])
