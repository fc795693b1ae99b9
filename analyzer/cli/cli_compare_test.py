"""cli_compare_test.py LOITER PLANT COMPLETION SCHEMA_TEST SCHEMA [TEST...] - `loiter compare` and
`loiter export` from outside.
"""

import json
import os
import subprocess
import sys
import unittest

from cli_case import PLANT, SCHEMA, SCHEMA_TEST, Case


class Compare(Case):
    def compare(self, *words, status=None):
        return self.loiter("compare", *words, status=status)

    def document(self, *words, status=None):
        text = self.compare("--format", "json", *words, status=status).stdout
        self.write("c.json", text)
        subprocess.run([sys.executable, "-B", SCHEMA_TEST,
                        os.path.join(os.path.dirname(SCHEMA), "comparison-1.json"),
                        self.path("c.json")], check=True)
        return json.loads(text)

    def test_logs(self):
        self.loiter("record", "-o", "a", "--", PLANT, "thread", status=0)
        self.loiter("record", "-o", "b", "--", PLANT, "nothing", status=0)
        document = self.document("a", "b", status=0)
        self.assertEqual([(f["rule"], f["fate"]) for f in document["findings"]],
                         [("leaked-thread", "gone")])
        self.assertEqual([f["fate"] for f in self.document("b", "a")["findings"]], ["new"])
        self.assertEqual([f["fate"] for f in self.document("a", "a")["findings"]], ["kept"])
        names = [m["name"] for m in document["metrics"]]
        self.assertLessEqual({"wall", "cpu", "max_rss", "threads", "errors"}, set(names))
        for metric in document["metrics"]:
            if metric["name"] in ("wall", "max_rss"):
                self.assertGreater(metric["before"]["median"], 0)

    def test_programs_in_turn(self):
        script = "echo $1 >>turns; echo rate: $1$1 per_s; echo to standard error >&2"
        self.write("p", f"#!/bin/sh\n{script}\n", 0o755)
        result = self.compare("--run", "./p 1", "--run", "./p 2", "--count", "4", "--measure",
                              "rate:more", status=0)
        with open(self.path("turns"), encoding="ascii") as f:
            self.assertEqual(f.read().split(), ["1", "2"] * 4)
        self.assertRegex(result.stdout, r"(?m)^rate +11 per_s +22 per_s +\+100% \(p=0.029\)$")
        self.assertNotIn("rate: 11", result.stdout)
        self.assertEqual(result.stderr.count("to standard error"), 8)
        self.assertEqual(sorted(os.listdir(self.work)), ["p", "turns"])

    def test_plain_runs_take_the_times(self):
        script = 'case $LD_PRELOAD in *libloiter*) echo r: 1;; *) echo r: 2; sleep 0.1;; esac'
        self.write("p", f"#!/bin/sh\n{script}\n", 0o755)
        document = self.document("--run", "./p", "--run", "./p", "--count", "1", "--plain",
                                 "--measure", "r", status=0)
        metrics = {m["name"]: m for m in document["metrics"]}
        self.assertEqual(metrics["r"]["before"]["values"], [2])
        self.assertGreater(metrics["wall"]["before"]["median"], 1e8)

    def test_memory_is_the_program_s_own(self):
        """What the command needs to read a large record is not put to the account of later runs."""
        script = f"for i in 1 2 3 4; do {PLANT} spawn; done"
        self.write("p", f"#!/bin/sh\n{script}\n", 0o755)
        document = self.document("--run", "./p", "--run", "true", "--count", "3", status=0)
        rss = next(m for m in document["metrics"] if m["name"] == "max_rss")["after"]["values"]
        self.assertLess(max(rss), 8 << 20)

    def test_kept_logs_give_the_same_again(self):
        self.write("p", "#!/bin/sh\necho n = $1 ms\n", 0o755)
        words = ["--measure", "n", "--fail-on", "n>+1ms"]
        first = self.document("--run", "./p 3", "--run", "./p 5", "--count", "2", "-o", "logs",
                              *words, status=1)
        self.assertIn("--force replaces it", self.compare(
            "--run", "./p 3", "--run", "./p 5", "-o", "logs", status=2).stderr)
        first = self.document("--run", "./p 3", "--run", "./p 5", "--count", "2", "-o", "logs",
                              "--force", *words, status=1)
        again = self.document("logs/before", "logs/after", *words, status=1)
        self.assertEqual(first["metrics"], again["metrics"])
        self.assertIn("n went from 3 ms to 5 ms", first["bars"][0]["why"])

    def test_exit_status(self):
        run = ["--run", f"{PLANT} nothing", "--run", f"{PLANT} thread", "--count", "1"]
        self.compare(*run, status=0)
        self.compare(*run, "--fail-on", "new_errors>0", status=1)
        self.compare(*run, "--fail-on", "new_errors>0", "--disable", "leaked-thread", status=0)
        self.compare(*run, "--fail-on", "threads>+100", status=0)
        failing = ["--run", "true", "--run", "false", "--count", "1"]
        result = self.compare(*failing, status=3)
        self.assertIn("false exited with 1", result.stdout)
        self.compare(*failing, "--ignore-status", status=0)
        self.compare("--run", "true", "--run", "./absent", "--count", "1", status=127)
        hanging = self.compare("--run", "true", "--run", "sleep 60", "--count", "1", "--timeout",
                               "0.3", status=3)
        self.assertIn("hung", hanging.stdout)

    def test_nothing_recorded_is_not_green(self):
        os.makedirs(self.path("empty/1.0"))
        self.loiter("record", "-o", "log", "--", "true", status=0)
        self.compare("log", "empty", status=3)

    def test_forms(self):
        self.loiter("record", "-o", "a", "--", "true", status=0)
        self.assertIn("| metric | before |",
                      self.compare("a", "a", "--format", "markdown", status=0).stdout)
        self.assertNotIn("\033", self.compare("a", "a").stdout)
        self.assertIn("\033", self.compare("a", "a", "--color", "always").stdout)
        self.compare("a", "a", "--report", "r", status=0)
        with open(self.path("r"), encoding="utf-8") as f:
            self.assertIn("before: a (1 run)", f.read())
        self.assertIn("cannot write the report",
                      self.compare("a", "a", "--report", "/nonexistent/r", status=2).stderr)

    def test_mistakes(self):
        self.loiter("record", "-o", "a", "--", "true", status=0)
        os.mkdir(self.path("none"))
        run = ["--run", "true", "--run", "true"]
        for words, says in (
                (["a"], "expected two logs"), (["a", "a", "a"], 'found also "a"'),
                (["--run", "true"], "expected --run twice"), (run + ["a"], "not both"),
                (run + ["--run", "true"], 'found also "true"'),
                (["a", "a", "--count", "3"], "are for --run"),
                (["a", "a", "--plain"], "are for --run"),
                (run + ["--count", "0"], "from 1 to 1000"),
                (["--run", "true", "--run", "'x"], "quote is not closed"),
                (["--run", "true", "--run", " "], "expected a command"),
                (["a", "absent"], "absent: cannot read the log: No such file"),
                (["a", "none"], "no log, and none in its folders"),
                (["a", "a", "--fail-on", "peek_tasks>+1%"], 'did you mean "peak_tasks"?'),
                (["a", "a", "--fail-on", "wall>5"], "a time needs a unit"),
                (["a", "a", "--fail-on", "tasks"], "expected > or <"),
                (["a", "a", "--measure", "wall"], "there is a metric"),
                (["a", "a", "--format", "xml"], "there are text, json and markdown"),
                (run + ["-o", "a"], "is not empty")):
            with self.subTest(words=words):
                result = self.compare(*words, status=2)
                self.assertIn(says, result.stderr)
                self.assertEqual(result.stdout, "")


class Export(Case):
    def test_a_timeline(self):
        self.write("p.c", "#include <pthread.h>\n#include <unistd.h>\n"
                          "static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\n"
                          "static void *waiter(void *a) {\n"
                          "    pthread_mutex_lock(&m); /* here */\n"
                          "    pthread_mutex_unlock(&m); return a; }\n"
                          "int main(void) { pthread_t t; pthread_mutex_lock(&m);\n"
                          "    pthread_create(&t, 0, waiter, 0); usleep(20000);\n"
                          "    pthread_mutex_unlock(&m); return pthread_join(t, 0); }\n")
        subprocess.run(["gcc", "-g", "-pthread", "-o", "p", "p.c"], cwd=self.work, check=True)
        self.loiter("record", "-o", "log", "--", "./p", status=0)
        self.loiter("export", "-o", "t.json", "log", status=0)
        with open(self.path("t.json"), encoding="utf-8") as f:
            text = f.read()
        self.assertEqual(self.loiter("export", "log", status=0).stdout, text)
        events = json.loads(text)["traceEvents"]
        held, = [e for e in events if e["name"] == "sleep with a mutex held"]
        wait = next(e for e in events if e["name"] == "mutex")
        self.assertGreater(held["dur"], 15000)
        self.assertNotEqual(held["tid"], wait["tid"])
        self.assertLess(held["ts"], wait["ts"] + wait["dur"])
        self.assertIn("waiter (", wait["args"]["at"])
        self.assertTrue(wait["args"]["at"].endswith("p.c:5)"))
        lives = [(e["ph"], e["tid"]) for e in events if e["name"] == "thread"]
        self.assertEqual(sorted(lives)[:2], [("B", 1), ("B", 2)])
        names = {e["args"]["name"] for e in events if e["ph"] == "M"}
        self.assertLessEqual({"./p", "thread 1", "thread 2"}, names)

    def test_mistakes(self):
        os.mkdir(self.path("none"))
        self.loiter("record", "-o", "log", "--", "true", status=0)
        for words, says in (([], "expected the directory"), (["a", "b"], 'found also "b"'),
                            (["absent"], "absent: cannot read the log"),
                            (["none"], "none: nothing was recorded"),
                            (["--format", "svg", "log"], "there is chrome"),
                            (["-o", "/nonexistent/t", "log"], "cannot write the timeline")):
            with self.subTest(words=words):
                self.assertIn(says, self.loiter("export", *words, status=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[6:]])
