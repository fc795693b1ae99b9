"""The program of real_python3.py. Ends every thread and process that it starts; prints results."""

import asyncio
import concurrent.futures
import multiprocessing
import os
import queue
import signal
import socket
import subprocess
import sys
import threading


def threads_and_queue():
    tasks, results, lock, total = queue.Queue(10), queue.Queue(), threading.Lock(), [0]

    def worker():
        while (item := tasks.get()) is not None:
            with lock:
                total[0] += item
            results.put(item * item)

    workers = [threading.Thread(target=worker) for _ in range(8)]
    for w in workers:
        w.start()
    for i in range(2000):
        tasks.put(i)
    for _ in workers:
        tasks.put(None)
    for w in workers:
        w.join()
    return total[0], sum(results.get() for _ in range(2000))


def condition_and_event():
    cond, event, turns = threading.Condition(), threading.Event(), []

    def player(number):
        event.wait()
        for turn in range(20):
            with cond:
                cond.wait_for(lambda: len(turns) % 2 == number and len(turns) // 2 == turn)
                turns.append(number)
                cond.notify_all()

    players = [threading.Thread(target=player, args=(n,)) for n in (0, 1)]
    for p in players:
        p.start()
    event.set()
    for p in players:
        p.join()
    return "".join(map(str, turns))


def timers():
    fired = threading.Event()
    late = threading.Timer(3600, fired.set)
    late.start()
    soon = threading.Timer(0.01, fired.set)
    soon.start()
    fired.wait()
    soon.join()
    late.cancel()
    late.join()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    return fired.is_set()


def pool():
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        return sum(executor.map(lambda n: n * 3, range(500)))


def subprocesses():
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    echoed = cat.communicate(b"through a pipe")[0]
    statuses = [subprocess.run(["sh", "-c", f"exit {n}"], check=False).returncode for n in range(5)]
    killed = subprocess.run(["sh", "-c", "kill -TERM $$"], check=False).returncode
    shell = subprocess.run("echo one two | wc -w", shell=True, capture_output=True, check=True).stdout
    return echoed, statuses, killed, shell.strip()


def forked():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write_end, b"child")
        os._exit(7)
    os.close(write_end)
    text = os.read(read_end, 100)
    os.close(read_end)
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def double(n):
    return 2 * n


def processes(method):
    with multiprocessing.get_context(method).Pool(2) as workers:
        result = workers.map(double, range(20))
        workers.close()
        workers.join()
    return sum(result)


def sockets():
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(5):
            peer, _ = server.accept()
            with peer:
                peer.sendall(peer.recv(100).upper())

    thread = threading.Thread(target=serve)
    thread.start()
    answers = []
    for i in range(5):
        with socket.create_connection(server.getsockname()) as c:
            c.sendall(b"message %d" % i)
            answers.append(c.recv(100))
    thread.join()
    server.close()
    return answers


async def concurrent_tasks():
    async def work(n):
        await asyncio.sleep(0.001 * (n % 5))
        return n

    process = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return sum(await asyncio.gather(*map(work, range(100)))), out


def main():
    print("threads", threads_and_queue())
    print("condition", condition_and_event())
    print("timers", timers())
    print("pool", pool())
    print("subprocesses", subprocesses())
    print("forked", forked())
    print("fork pool", processes("fork"))
    print("spawn pool", processes("spawn"))
    print("sockets", sockets())
    print("asyncio", asyncio.run(concurrent_tasks()))
    print("to standard error", file=sys.stderr)
    sys.exit(3)


if __name__ == "__main__":
    main()
