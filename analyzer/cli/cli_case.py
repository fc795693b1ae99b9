"""cli_case.py - what the tests of the command share: its arguments and a case with a directory of
its own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

LOITER, PLANT, COMPLETION, SCHEMA_TEST, SCHEMA = sys.argv[1:6]


class Case(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="loiter-cli-")
        self.addCleanup(shutil.rmtree, self.work)

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def loiter(self, *words, status=None, **kwargs):
        """Runs the command in the work directory; `status` is what it must exit with."""
        result = subprocess.run([LOITER, *words], cwd=self.work, capture_output=True, text=True,
                                errors="replace", timeout=240, check=False, **kwargs)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def report(self, *words, status=None):
        """The JSON of `loiter run` on a program."""
        out = self.path("report.json")
        self.loiter("run", "--format", "json", "--report", out, *words, status=status)
        with open(out, encoding="utf-8") as f:
            return json.load(f)
