"""package_test.py CMAKE BUILD - installs the build into a folder, moves that elsewhere, and uses it as
a project does that knows nothing of this tree: by find_package and CTest, by pkg-config and make, from
the shell."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import terminal

CMAKE, BUILD = sys.argv[1:3]
PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "project")


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="loiter-package-")
        cls.addClassCleanup(shutil.rmtree, cls.work)
        first, cls.prefix = os.path.join(cls.work, "first"), os.path.join(cls.work, "prefix")
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", first], check=True,
                       capture_output=True)
        os.rename(first, cls.prefix)
        cls.loiter = os.path.join(cls.prefix, "bin", "loiter")

    def run_in(self, folder, *words, status=0, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("LOITER_")}
        result = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300,
                                check=False, env={**env, **environment})
        said = result.stdout + result.stderr
        self.assertEqual(result.returncode, status, said)
        return said

    def one(self, pattern):
        found = glob.glob(os.path.join(self.prefix, pattern))
        self.assertEqual(len(found), 1, pattern)
        return found[0]

    def test_cmake_and_ctest(self):
        build = os.path.join(self.work, "build")
        self.run_in(self.work, CMAKE, "-S", PROJECT, "-B", build,
                    "-DCMAKE_PREFIX_PATH=" + self.prefix)
        commands = self.run_in(self.work, CMAKE, "--build", build, "--verbose")
        self.assertEqual(len(re.findall(r".*-fstack-clash-protection.* -c \S*tasks\.c", commands)), 2)
        said = self.run_in(self.work, "ctest", "--test-dir", build, "-L", "loiter",
                           "--output-on-failure", status=8)
        outcomes = dict(re.findall(r"Test +#\d+: (\S+) \.*[ *]*(Passed|Failed)", said))
        leaks = {"leaky-leaks", "tasks-leaks", "tasks-static-leaks"}
        clean = {"leaky-clean", "tasks-clean", "tasks-static-clean", "headers-clean"}
        self.assertEqual(outcomes, {**dict.fromkeys(leaks, "Failed"),
                                    **dict.fromkeys(clean, "Passed")}, said)
        self.assertRegex(said, r"leaked-thread: \d+ threads wait for ever")
        self.assertRegex(said, r"at wait_for_answer \(.*leaky.c:\d+\)")
        self.assertEqual(len(re.findall(r"at ask \(.*tasks.c:\d+\)", said)), 2, said)

    def test_make_and_pkg_config(self):
        folder = os.path.join(self.work, "make")
        shutil.copytree(PROJECT, folder)
        paths = {"PKG_CONFIG_PATH": os.path.dirname(self.one("lib*/pkgconfig/weft.pc"))}
        said = self.run_in(folder, "make", "check", status=2, **paths)
        self.assertRegex(said, "-fstack-clash-protection.* tasks.c")
        self.assertIn("leaked-task: 4 tasks wait for ever", said)
        self.assertIn("Error 23", said)
        self.assertIn("4 answers", self.run_in(folder, "make", "check", "WORDS=clean", **paths))

    def test_what_is_beside_the_command(self):
        self.one("share/man/man1/loiter-run.1")
        self.one("share/bash-completion/completions/loiter")
        self.one("share/doc/loiter/schema/findings-1.json")
        self.one("share/doc/loiter/ci.md")
        # What the doctor does with all that it plants; it needs the machine for itself.
        said = self.run_in(self.work, self.loiter, "run", "--", self.one("libexec/loiter/loiter-plant"),
                           "thread", status=23)
        self.assertIn("at wait_for_nobody", said)

    def test_zsh_completes_as_bash_does(self):
        functions = os.path.dirname(self.one("share/zsh/site-functions/_loiter"))
        for typed, completed in (("ana", "analyze"), ("run --time", "run --timeout="),
                                 ("run --format=ju", "run --format=junit"),
                                 ("ctl 12 sna", "ctl 12 snapshot")):
            with self.subTest(typed):
                said = terminal.type_and_tab(
                    ["zsh", "-f", "-i"], os.path.dirname(self.loiter),
                    f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D",
                    "loiter " + typed)
                self.assertIn("loiter " + completed, said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
