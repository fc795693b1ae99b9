"""nginx: master and two workers with a thread pool serve files; ended by SIGQUIT."""

import concurrent.futures
import hashlib
import http.client
import os
import signal

import harness

CONFIG = """
daemon off;
worker_processes 2;
pid {work}/pid;
error_log {work}/error.log notice;
events {{ worker_connections 64; }}
http {{
    access_log {work}/access.log;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {work}/www;
        location / {{ sendfile on; }}
        location /pool/ {{ aio threads; sendfile off; }}
    }}
}}
"""


def make_site(work):
    for folder in ("www", "www/pool"):
        os.mkdir(os.path.join(work, folder))
        for size in (0, 100, 70000, 2000000):
            with open(os.path.join(work, folder, f"{size}.bin"), "wb") as f:
                f.write(bytes(i * 31 % 251 for i in range(min(size, 1000))) * (size // 1000 or 1))


def client(port):
    """Each file several times over one connection: status, length and digest."""
    answers = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(10):
        for path in ("/0.bin", "/100.bin", "/70000.bin", "/2000000.bin", "/pool/70000.bin",
                     "/pool/2000000.bin", "/absent"):
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            answers.append((path, answer.status, len(body), hashlib.sha256(body).hexdigest()))
    connection.close()
    return answers


def run(work, launch):
    port = harness.free_port()
    make_site(work)
    config = os.path.join(work, "nginx.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write(CONFIG.format(work=work, port=port))
    server = launch.start(["nginx", "-p", work, "-c", config])
    harness.wait_for_port(port, server)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client(port), range(4)))
    with open(os.path.join(work, "pid"), encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGQUIT)
    status = server.status()
    with open(os.path.join(work, "access.log"), "rb") as f:
        lines = len(f.readlines())
    with open(os.path.join(work, "error.log"), "rb") as f:
        alerts = [line for line in f if b"[alert]" in line or b"[emerg]" in line or b"[crit]" in line]
    return {"status": status, "errors": harness.numbers_away(server.read(server.err)),
            "answers": answers, "requests logged": lines, "alerts": alerts}
