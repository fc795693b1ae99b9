#!/usr/bin/env python3
"""compare.py WEFT_BENCH GO_BENCH [--runs N] [--workers 1,2] [WORKLOAD...]

Runs each workload of Weft and of Go in fresh processes, in turn, and prints the least time of each
and the ratio: below 1 Weft is faster. Peak memory comes from the same runs."""
import argparse
import os
import re
import subprocess
import sys

SIZES = {
    "spawn_all": 1000000, "spawn_batch": 1000000, "spawn_one": 1000000, "pingpong": 1000000,
    "buffered": 10000000, "yield2": 10000000, "yield10k": 10000000, "select_ready": 2000000,
    "select_default": 10000000, "select_pingpong": 500000, "parked": 500000,
    "timer_reset": 5000000, "timer_stop": 2000000, "timer_func_stop": 2000000,
    "mutex_alone": 20000000, "mutex_two": 10000000, "skynet": 1000000,
}


def measure(program, workload, workers):
    env = dict(os.environ, WEFT_WORKERS=str(workers), GOMAXPROCS=str(workers))
    out = subprocess.run([program, workload, str(SIZES[workload])], env=env, check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    ns, _, rss_kb = map(int, re.findall(r"=(\d+)", out))
    return ns / SIZES[workload], rss_kb / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weft")
    parser.add_argument("go")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("workloads", nargs="*", default=list(SIZES))
    args = parser.parse_intermixed_args()
    for workload in args.workloads:
        if workload not in SIZES:
            sys.exit(f"compare.py: no such workload: {workload}")
    print(f"{'workload':16} {'workers':>7} {'Weft ns':>9} {'Go ns':>9} {'ratio':>6}"
          f" {'Weft MB':>8} {'Go MB':>8}")
    for workload in args.workloads:
        for workers in args.workers.split(","):
            weft, go = [], []
            for _ in range(args.runs):
                weft.append(measure(args.weft, workload, workers))
                go.append(measure(args.go, workload, workers))
            w, g = min(weft)[0], min(go)[0]
            print(f"{workload:16} {workers:>7} {w:9.1f} {g:9.1f} {w / g:6.2f}"
                  f" {max(m for _, m in weft):8.1f} {max(m for _, m in go):8.1f}", flush=True)


if __name__ == "__main__":
    main()
