"""names.py LOITER CC ROOT [TEST...] - what a report shows of programs whose names are not all there:
without debug information, stripped, optimised, on another machine.

One program is built in each way; its leak is at the line marked LEAK, inlined into `look_up`.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

LOITER, CC, ROOT = sys.argv[1:4]
SOURCES = [os.path.join(ROOT, "test-programs", name)
           for name in ("10-leaked-task/pthread-pitfall.c", "common/sample.c")]


def line_of(marker):
    with open(SOURCES[0], encoding="utf-8") as text:
        return next(n for n, line in enumerate(text, 1) if f"/* {marker} */" in line)


class Case(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="loiter-names-")
        self.addCleanup(shutil.rmtree, self.work)

    def path(self, *names):
        return os.path.join(self.work, *names)

    def sh(self, *words):
        return subprocess.run(words, cwd=self.work, capture_output=True, text=True,
                              check=True).stdout

    def build(self, *flags):
        self.sh(CC, "-D_GNU_SOURCE", f"-I{ROOT}", "-pthread", "-Wl,--build-id", "-o", "app", *flags,
                *SOURCES)

    def record(self):
        self.sh(LOITER, "record", "-o", "log", "--", "./app")

    def analyze(self, *options):
        """(the one finding, warnings, the text report)"""
        words = [LOITER, "analyze", *options, "log"]
        done = [subprocess.run(words[:2] + [f"--format={form}"] + words[2:], cwd=self.work,
                               capture_output=True, text=True, check=False)
                for form in ("json", "text")]
        self.assertEqual([d.returncode for d in done], [1, 1], done[0].stderr)
        document = json.loads(done[0].stdout)
        finding, = document["findings"]
        return finding, "\n".join(document["warnings"]), done[1].stdout

    def build_id(self, name="app"):
        return re.search(r"Build ID: (\w+)", self.sh("readelf", "-n", name)).group(1)

    def assert_place(self, finding, function, line):
        place = finding["place"]
        self.assertEqual((place["function"], place["line"]), (function, line))
        self.assertTrue(place["file"].endswith("pthread-pitfall.c"))


class Whole(Case):
    def test_each_optimisation_gives_the_same_place(self):
        fingerprints = set()
        for flags in (["-O0"], ["-O2"], ["-Os"], ["-O2", "-flto"], ["-O2", "-gsplit-dwarf"],
                      ["-O2", "-gsplit-dwarf", "-gdwarf-4"]):
            self.build("-g", *flags)
            self.record()
            finding, warnings, _ = self.analyze()
            self.assert_place(finding, "mailbox_put", line_of("LEAK"))
            created = next(s for s in finding["stacks"] if s["role"] == "created at")["frames"][0]
            self.assertEqual((created["function"], created["line"]), ("request", line_of("SPAWN")))
            self.assertEqual(warnings, "")
            fingerprints.add(finding["fingerprint"])
            shutil.rmtree(self.path("log"))
        self.assertEqual(len(fingerprints), 1)

    def test_split_debug_information_that_is_gone_is_told(self):
        self.build("-g", "-O2", "-gsplit-dwarf")
        self.record()
        for name in os.listdir(self.work):
            if name.endswith(".dwo"):
                os.remove(self.path(name))
        finding, warnings, _ = self.analyze()
        self.assert_place(finding, "look_up", line_of("LEAK"))
        self.assertIn("a .dwo file of it is not where the compiler wrote it", warnings)


class WithoutDebugInformation(Case):
    def test_functions_only_and_a_word_on_how_to_get_lines(self):
        self.build("-O0")
        self.record()
        finding, warnings, text = self.analyze()
        place = finding["place"]
        self.assertEqual((place["function"], place["file"], place["line"]),
                         ("mailbox_put", None, 0))
        self.assertIn("at mailbox_put (app)\n", text)
        self.assertIn("has no debug information", warnings)
        self.assertIn("-g", warnings)
        self.assertIn(self.build_id(), warnings)


    def test_no_word_where_nothing_is_shown(self):
        with open(self.path("p.c"), "w", encoding="ascii") as out:
            out.write("#include <pthread.h>\n#include <unistd.h>\n"
                      "int main(void) { pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\n"
                      "pthread_mutex_lock(&m); usleep(2000); pthread_mutex_unlock(&m);\n"
                      "return 0; }\n")
        self.sh(CC, "-pthread", "-o", "app", "p.c")
        self.record()
        done = subprocess.run([LOITER, "analyze", "log"], cwd=self.work, capture_output=True,
                              text=True, check=True)
        self.assertRegex(done.stdout, "[1-9][0-9]* notes? ")
        self.assertNotIn("warning:", done.stdout)
        done = subprocess.run([LOITER, "analyze", "--notes", "log"], cwd=self.work,
                              capture_output=True, text=True, check=True)
        self.assertIn("has no debug information", done.stdout)


class Stripped(Case):
    def setUp(self):
        super().setUp()
        self.build("-g", "-O2")
        shutil.copy(self.path("app"), self.path("whole"))
        os.mkdir(self.path("split"))
        self.sh("objcopy", "--only-keep-debug", "app", "split/split-off")
        self.sh("strip", "app")
        self.record()

    def test_places_in_the_file_and_a_word_on_how_to_get_names(self):
        finding, warnings, text = self.analyze()
        self.assertEqual(finding["place"]["function"], None)
        offset = re.search(r"  at app\+(0x[0-9a-f]+)\n", text).group(1)
        self.assertEqual(self.sh("addr2line", "-f", "-i", "-e", "whole", offset).split()[0],
                         "mailbox_put")
        for words in ("is stripped", "--debug-dir", "DEBUGINFOD_URLS", self.build_id()):
            self.assertIn(words, warnings)

    def test_what_starts_the_program_is_not_shown(self):
        _, _, text = self.analyze()
        created = text.split("created at:\n")[1].split("object made at:")[0]
        self.assertEqual(len(created.strip().splitlines()), 1, created)

    def test_its_debug_file_gives_all_names(self):
        os.mkdir(self.path("d"))
        identity = self.build_id()
        os.makedirs(self.path("d", ".build-id", identity[:2]))
        os.rename(self.path("split", "split-off"),
                  self.path("d", ".build-id", identity[:2], identity[2:] + ".debug"))
        finding, warnings, _ = self.analyze("--debug-dir", "d")
        self.assert_place(finding, "mailbox_put", line_of("LEAK"))
        self.assertEqual(warnings, "")


    def test_a_debuginfod_server_gives_all_names(self):
        path = f"/buildid/{self.build_id()}/debuginfo"
        with open(self.path("split", "split-off"), "rb") as f:
            content = f.read()

        class Server(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == path else 404)
                self.end_headers()
                self.wfile.write(content if self.path == path else b"")

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
            threading.Thread(target=server.serve_forever).start()
            os.environ.update(DEBUGINFOD_URLS=f"http://127.0.0.1:{server.server_port}",
                              DEBUGINFOD_CACHE_PATH=self.path("cache"))
            try:
                finding, warnings, _ = self.analyze()
            finally:
                os.environ["DEBUGINFOD_URLS"] = ""
                server.shutdown()
        self.assert_place(finding, "mailbox_put", line_of("LEAK"))
        self.assertEqual(warnings, "")


class AnotherMachine(Case):
    def setUp(self):
        super().setUp()
        self.build("-g", "-O2")
        self.record()
        os.mkdir(self.path("copies"))
        os.rename(self.path("app"), self.path("copies", "app"))

    def test_a_program_that_is_not_here(self):
        finding, warnings, _ = self.analyze()
        self.assertEqual(finding["place"]["function"], None)
        for words in ("app is not on this machine", "--debug-dir", self.build_id("copies/app")):
            self.assertIn(words, warnings)

    def test_a_copy_gives_the_names(self):
        finding, warnings, _ = self.analyze("--debug-dir", "copies")
        self.assert_place(finding, "mailbox_put", line_of("LEAK"))
        self.assertEqual(warnings, "")

    def test_another_build_under_the_same_name_is_not_taken(self):
        self.build("-g", "-O2", "-DOTHER=1", "-Wl,--build-id=0x1234567890")
        finding, warnings, _ = self.analyze()
        self.assertEqual(finding["place"]["function"], None)
        self.assertIn("app is not the file that ran (build-id", warnings)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
