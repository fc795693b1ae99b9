"""Whether the judge can fail: a harness that accepts everything would pass every test."""

import copy
import tempfile
import unittest

import expectation

SOURCE = "int main(void)\n{\n    wait(); /* LEAK */\n    go();   /* SPAWN */\n}\n"
FINDING = {
    "rule": "leaked-thread", "severity": "error", "confidence": "proven", "title": "a thread waits",
    "place": {"function": "ns::worker(int)", "file": "x.c", "line": 3}, "count": 5,
    "stacks": [{"role": "created at", "frames": [{"function": "main", "line": 4}]}],
    "evidence": [{"name": "peer", "text": "thread 3 has ended"}],
    "cost": [{"what": "threads leaked", "amount": 5, "unit": "threads"}],
}
WISH = {
    "rule": "leaked-thread", "function": "worker", "marker": "LEAK", "count": [5, 5],
    "stacks": [{"role": "created at", "function": "main", "marker": "SPAWN"}],
    "cost": [{"unit": "threads", "bounds": [5, None]}], "says": "has ended",
}
CHANGES = {
    "rule": ("rule", "leaked-task"), "severity": ("severity", "warning"),
    "function": ("function", "main"), "marker": ("marker", "SPAWN"), "count": ("count", [6, 9]),
    "confidence": ("confidence", "probable"), "says": ("says", "is alive"),
    "stacks": ("stacks", [{"role": "blocked at", "function": "main"}]),
    "cost": ("cost", [{"unit": "threads", "bounds": [6, None]}]),
    "unit": ("cost", [{"unit": "tasks", "bounds": [5, None]}]),
}


class JudgeTest(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".c", delete=False) as source:
            source.write(SOURCE)
        self.source = source.name

    def judge(self, wanted, findings, **options):
        return expectation.judge(wanted, findings, self.source, **options)

    def test_accepts_what_was_asked_for(self):
        self.assertEqual(self.judge([WISH], [FINDING]), [])
        self.assertEqual(self.judge([], []), [])

    def test_refuses_each_difference(self):
        for name, (key, value) in CHANGES.items():
            with self.subTest(name):
                wish = copy.deepcopy(WISH)
                wish[key] = value
                self.assertTrue(self.judge([wish], [FINDING]))

    def test_refuses_missing_and_unexpected(self):
        self.assertTrue(self.judge([WISH], []))
        self.assertTrue(self.judge([], [FINDING]))
        self.assertTrue(self.judge([WISH, WISH], [FINDING]))
        self.assertTrue(self.judge([WISH], [FINDING, FINDING]))
        self.assertTrue(self.judge([], [{**FINDING, "severity": "warning"}]))

    def test_lets_notes_and_allowed_rules_pass(self):
        self.assertEqual(self.judge([], [{**FINDING, "severity": "note"}]), [])
        self.assertEqual(self.judge([], [FINDING], allowed=["leaked-thread"]), [])

    def test_an_optional_finding_may_be_missing_but_not_another(self):
        self.assertEqual(self.judge([{**WISH, "optional": True}], []), [])
        self.assertEqual(self.judge([{**WISH, "optional": True}], [FINDING]), [])
        self.assertTrue(self.judge([{**WISH, "optional": True, "marker": "SPAWN"}], [FINDING]))

    def test_a_marker_that_is_nowhere_is_an_error(self):
        with self.assertRaises(ValueError):
            self.judge([{**WISH, "marker": "NOWHERE"}], [FINDING])


if __name__ == "__main__":
    unittest.main()
