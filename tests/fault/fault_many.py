"""Records of many processes."""

import json

from faults import analyze, process_folders, record, require


def test_a_hundred_processes(tools):
    """Forked, and forked with exec; one of them ends by a signal. All are in one report."""
    script = ("i=0; while [ $i -lt 50 ]; do (:); /bin/true; i=$((i + 1)); done; "
              "sh -c 'kill -9 $$'; echo done")
    log = tools.path("log")
    result = record(tools, ["sh", "-c", script], log).expect(0)
    require(result.out == "done\n", result.describe())
    folders = process_folders(log)
    require(len(folders) >= 101, f"{len(folders)} folders of processes")
    result = analyze(tools, log, "--format", "json").expect(0)
    require(json.loads(result.out)["findings"] == [], result.describe())


def test_parallel_processes(tools):
    log = tools.path("log")
    script = f"for i in 1 2 3 4 5 6 7 8; do {tools.worker} {tools.path('c')}$i 100 & done; wait; exit 9"
    result = record(tools, ["sh", "-c", script], log).expect(9)
    require(result.out.count("sum") == 8, result.describe())
    analyze(tools, log).expect(0)
    require(len(process_folders(log)) >= 9, f"{process_folders(log)}")
