"""memcached with four workers under eight client threads; the answers and the counters are compared."""

import concurrent.futures
import os
import signal
import socket

import harness

COUNTERS = (b"curr_items", b"cmd_set", b"cmd_get", b"get_hits", b"get_misses", b"incr_hits",
            b"delete_hits", b"threads")


def client(port, number):
    """One connection's work; every answer depends on nobody else."""
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        f = s.makefile("rwb")

        def ask(request, lines=1):
            f.write(request)
            f.flush()
            answers.append(b"".join(f.readline() for _ in range(lines)))

        for i in range(400):
            key = b"k%d-%d" % (number, i % 50)
            ask(b"set %s 0 0 8\r\n%08d\r\n" % (key, i))
            ask(b"get %s\r\n" % key, 3)
            ask(b"incr %s 5\r\n" % key)
            if i % 10 == 0:
                ask(b"delete %s\r\n" % key)
                ask(b"get %s\r\n" % key)
        ask(b"set big%d 0 0 500000\r\n%s\r\n" % (number, b"x" * 500000))
        ask(b"get big%d\r\n" % number, 3)
    return answers


def counters(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        f = s.makefile("rwb")
        f.write(b"stats\r\n")
        f.flush()
        lines = iter(f.readline, b"END\r\n")
        stats = dict(line.split()[1:3] for line in lines)
    return {name: stats[name] for name in COUNTERS}


def run(work, launch):
    port = harness.free_port()
    pidfile = os.path.join(work, "pid")
    server = launch.start(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                           "-t", "4", "-m", "64", "-P", pidfile])
    harness.wait_for_port(port, server)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client(port, n), range(8)))
    stats = counters(port)
    with open(pidfile, encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGTERM)
    return {
        "status": server.status(),
        "output": server.read(server.out),
        "errors": server.read(server.err),
        "answers": answers,
        "counters": stats,
    }
