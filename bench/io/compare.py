#!/usr/bin/env python3
"""compare.py BIN_FOLDER [--runs N] [--seconds S] [--connections N] [WORKLOAD...]

Servers on Weft and on Go, each in a fresh process, in turn, under the same client: requests a
second, the 99th percentile of the time to the answer, and the server's CPU time a request; medians
of the runs, and the ratio Weft / Go. Above 1 is better for requests, below 1 for the others.

With one worker the server is pinned to the first CPU and the client to the last; with more, both
have all CPUs. The echo client keeps one message on its way on each connection, so the time to the
answer is the number of connections over the requests a second, and the queue is always full. HTTP
is asked by wrk."""
import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# name: (Weft's server, Go's, connections, requests on their way on each)
WORKLOADS = {
    "echo": ("weft_echo", "go_echo", None, 1),
    "echo100": ("weft_echo", "go_echo", 100, 1),
    "http": ("weft_http", "go_http", 100, 1),
    "http_raw": ("weft_http", "go_raw_http", 100, 1),
    "http_pipelined": ("weft_http", "go_raw_http", 100, 16),
}
FIGURES = {"rps": "requests/s", "p99_us": "p99 us", "cpu_us": "CPU us/req"}


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)


def pin(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


def places(workers):
    cpus = sorted(os.sched_getaffinity(0))
    return ({cpus[0]}, {cpus[-1]}) if workers == 1 else (set(cpus), set(cpus))


def ask_echo(args, server, port, connections, cpus):
    out = subprocess.run([os.path.join(args.bin, "echo_client"), str(port), str(connections),
                          str(args.seconds), "64", str(server.pid)],
                         stdout=subprocess.PIPE, text=True, check=True, preexec_fn=pin(cpus)).stdout
    return {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", out)}


def in_us(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def ask_http(args, server, port, connections, depth, cpus):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{args.seconds:.0f}s", "--latency"]
    if depth > 1:
        command += ["-s", os.path.join(HERE, "pipeline.lua")]
    command += [f"http://127.0.0.1:{port}/"] + ([str(depth)] if depth > 1 else [])
    before = cpu_seconds(server.pid)
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                         preexec_fn=pin(cpus)).stdout
    cpu = cpu_seconds(server.pid) - before
    if re.search(r"Non-2xx|Socket errors", out):
        sys.exit(f"compare.py: wrk saw errors:\n{out}")
    total = int(re.search(r"(\d+) requests in", out).group(1))
    p99 = re.search(r"^\s+99%\s+(\S+)", out, re.M).group(1)
    return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p99_us": in_us(p99), "cpu_us": cpu * 1e6 / total}


def measure(args, program, workload, workers):
    _, _, connections, depth = WORKLOADS[workload]
    connections = connections or args.connections
    server_cpus, client_cpus = places(workers)
    env = dict(os.environ, WEFT_WORKERS=str(workers), GOMAXPROCS=str(workers))
    server = subprocess.Popen([os.path.join(args.bin, program)], env=env, stdout=subprocess.PIPE,
                              text=True, preexec_fn=pin(server_cpus))
    try:
        port = int(server.stdout.readline())
        if workload.startswith("echo"):
            return ask_echo(args, server, port, connections, client_cpus)
        return ask_http(args, server, port, connections, depth, client_cpus)
    finally:
        server.kill()
        server.wait()


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def compare(args, workload, workers):
    programs = WORKLOADS[workload][:2]
    runs = {p: [] for p in programs}
    for _ in range(args.runs):
        for p in programs:
            runs[p].append(measure(args, p, workload, workers))
    line = {"workload": workload, "workers": workers}
    text = f"{workload:15} {workers:>7}"
    for f in FIGURES:
        weft, go = (statistics.median(r[f] for r in runs[p]) for p in programs)
        line[f] = {"weft": weft, "go": go, "ratio": weft / go}
        text += f" | {weft:10.6g} {go:10.6g} {weft / go:6.2f}"
    print(json.dumps(line) if args.json else text, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    args = parser.parse_intermixed_args()
    for workload in args.workloads:
        if workload not in WORKLOADS:
            sys.exit(f"compare.py: no such workload: {workload}")
    hard = raise_file_limit()
    if hard < args.connections + 100:
        sys.exit(f"compare.py: {args.connections} connections need a higher ulimit -Hn: is={hard}")
    if not args.json:
        print(" " * 23 + "".join(f" | {name:>28}" for name in FIGURES.values()))
        print(f"{'workload':15} {'workers':>7}" + f" | {'Weft':>10} {'Go':>10} {'ratio':>6}" * 3)
    for workload in args.workloads:
        if workload.startswith("http") and not shutil.which("wrk"):
            print(f"{workload}: left out: wrk is not installed", file=sys.stderr)
            continue
        for workers in args.workers.split(","):
            compare(args, workload, int(workers))


if __name__ == "__main__":
    main()
