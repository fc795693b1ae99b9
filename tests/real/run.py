"""run.py NAME --loiter PATH --babeltrace PATH - one test on a real program; see harness.py."""

import argparse
import importlib
import sys

import harness


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--loiter", required=True)
    parser.add_argument("--babeltrace", required=True, help="eventlog's check-babeltrace.sh")
    args = parser.parse_args()
    test = importlib.import_module(f"real_{args.name}")
    tools = {"loiter": args.loiter, "check_babeltrace": args.babeltrace}
    return harness.check(test.run, tools, getattr(test, "KNOWN_TRUE", {}))


if __name__ == "__main__":
    sys.exit(main())
