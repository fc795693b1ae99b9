"""redis-server under redis-benchmark (both are recorded), then a session whose answers are compared."""

import harness

# It stops its IO threads by keeping the mutexes that they start with, and polls meanwhile: a thread
# that wants to start waits for as long. Whether one does, and how long, is a matter of the moment.
KNOWN_TRUE = {("lock-held-across-io", None)}

SESSION = b"""SET a 1
INCRBY a 41
RPUSH l x y z
LRANGE l 0 -1
HSET h f v
HGETALL h
ZADD z 2 b 1 a
ZRANGE z 0 -1 WITHSCORES
EVAL "return redis.call('GET','a')+1" 0
BGSAVE
DBSIZE
"""


def run(work, launch):
    port = str(harness.free_port())
    server = launch.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                           "--appendonly", "yes", "--appendfsync", "everysec", "--dir", work,
                           "--io-threads", "2"])
    harness.wait_for_port(int(port), server)
    bench = launch.run(["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-n", "4000", "-c", "20",
                        "-r", "1", "--csv", "-t", "set,get,incr,lpush,zadd,mset"])
    threads = launch.run(["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-n", "4000", "-c", "10",
                          "--threads", "2", "-q", "-t", "ping_mbulk"])
    cli = ["redis-cli", "-h", "127.0.0.1", "-p", port]
    session = harness.plain(cli, work, stdin=SESSION)
    harness.plain(cli + ["SHUTDOWN", "NOSAVE"], work)
    return {
        "server status": server.status(),
        "server errors": server.read(server.err),
        "benchmark": (bench["status"], tests_of(bench["out"]), bench["err"]),
        "threaded benchmark": (threads["status"], threads["err"]),
        "session": session,
    }


def tests_of(csv):
    return [line.split(b",")[0] for line in csv.splitlines()]
