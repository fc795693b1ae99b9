"""run.py MODULE.FUNCTION --loiter PATH --worker PATH - one fault test, in a directory of its own."""

import argparse
import importlib
import os
import sys
import tempfile

import faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("test")
    parser.add_argument("--loiter", required=True)
    parser.add_argument("--worker", required=True)
    args = parser.parse_args()
    module, function = args.test.split(".")
    test = getattr(importlib.import_module(f"fault_{module}"), f"test_{function}")
    with tempfile.TemporaryDirectory(prefix="loiter-fault-") as work:
        os.chmod(work, 0o755)
        try:
            test(faults.Tools(args.loiter, args.worker, work))
        except faults.Failure as failure:
            print(f"FAILED: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
