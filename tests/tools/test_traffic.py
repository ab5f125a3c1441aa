"""The driver and the backend against each other and through nginx and HAProxy: nothing fails where nothing
is wrong, and every fault that the backend commits on purpose is found.

Run with the folder of the two programs as its argument."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOOLS = sys.argv[1]
FAULTS = {  # fault -> (outcome class, what the driver says of it)
    "body": ("failed", "wrong byte of the body"),
    "length": ("failed", "length "),
    "swap": ("failed", "answer to r"),
    "truncate": ("truncated", "cut after"),
    "status": ("failed", "status 500"),
    "id": ("failed", "answer to "),
    "silent": ("failed", "without an answer"),
}
NGINX = """
worker_processes %(workers)d; daemon off; pid %(dir)s/pid; error_log %(dir)s/error.log warn;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %(dir)s/t; proxy_temp_path %(dir)s/t;
  fastcgi_temp_path %(dir)s/t; uwsgi_temp_path %(dir)s/t; scgi_temp_path %(dir)s/t;
  client_max_body_size 4m; client_body_buffer_size 2m;
  keepalive_requests %(keepalive)d;
  upstream nodes { hash $http_x_user consistent; %(servers)s keepalive 32; }
  server {
    listen 127.0.0.1:%(port)d;
    location / { proxy_pass http://nodes; proxy_http_version 1.1;
                 proxy_set_header Connection ""; }
  }
}
"""


HAPROXY = """
global
  nbthread 2
defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
frontend web
  bind 127.0.0.1:%d
  default_backend nodes
backend nodes
  balance hdr(X-User)
  hash-type consistent
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Backend:
    def __init__(self, names="a", *options):
        nodes = [x for n in names for x in ("--node", n + "=127.0.0.1:0")]
        self.process = subprocess.Popen([TOOLS + "/backend", *nodes, *options],
                                        stdout=subprocess.PIPE, text=True)
        self.ports = {}
        for line in self.process.stdout:
            if line == "ready\n":
                return
            _, name, address = line.split()
            self.ports[name] = int(address.split(":")[1])
        raise SystemExit("the backend did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def counts(self):
        self.process.send_signal(signal.SIGTERM)
        counts = json.loads(self.process.stdout.read())
        assert self.process.wait() == 0
        return counts["nodes"]


def traffic(port, requests, *options):
    done = subprocess.run([TOOLS + "/traffic", "--target", "127.0.0.1:%d" % port, "--requests",
                           str(requests), "--connections", "12", "--json", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=150)
    return done.returncode, json.loads(done.stdout)


def all_ok(code, seen, requests):
    assert code == 0 and seen["ok"] == requests, (code, seen)
    for outcome in "failed", "truncated", "refused", "moved":
        assert seen[outcome] == 0, seen


def direct():
    with Backend("ab") as backend:
        all_ok(*traffic(backend.ports["a"], 3000, "--seed", "1"), 3000)
        all_ok(*traffic(backend.ports["b"], 3000, "--mix", "get"), 3000)
        counts = backend.counts()
    assert counts["a"]["requests"] == 3000 and counts["a"]["malformed"] == 0, counts
    assert counts["b"]["requests"] == 3000 and counts["b"]["connections"] == 12, counts


def faulty(fault):
    outcome, told = FAULTS[fault]
    # A connection that has answered may be closed without an answer, once: so "silent" always.
    every = "1" if fault == "silent" else "40"
    with Backend("a", "--fault", fault, "--fault-every", every) as backend:
        code, seen = traffic(backend.ports["a"], 1200, "--seed", "4")
    assert code == 1 and seen[outcome] > 0, (fault, code, seen)
    assert any(told in example for example in seen["examples"]), (fault, seen)
    assert seen["ok"] + seen["failed"] + seen["truncated"] == 1200, (fault, seen)


def closed_between_requests():
    """A connection that has answered and is then closed: the request goes out once more."""
    with Backend("a", "--fault", "silent", "--fault-every", "40") as backend:
        code, seen = traffic(backend.ports["a"], 1200, "--seed", "4")
    assert seen["ok"] + seen["failed"] == 1200 and seen["reopened"] > 0, (code, seen)
    assert seen["failed"] < seen["reopened"], seen


def malformed():
    """The backend refuses what no proxy may pass on."""
    head = "POST / HTTP/1.1\r\nHost: x\r\n"
    bad = ["GET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET / HTTP/1.1\nHost: x\n\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: x\r\n b: c\r\n\r\n", "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
           head + "Host: y\r\n\r\n", head + "Content-Length: +1\r\n\r\n",
           head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
           head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           head + "Transfer-Encoding: gzip, chunked\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
           head + "X: a\0b\r\n\r\n", head + "X: " + "a" * 20000 + "\r\n\r\n"]
    with Backend("a") as backend:
        for request in bad:
            with socket.create_connection(("127.0.0.1", backend.ports["a"]), 5) as s:
                s.sendall(request.encode())
                assert s.recv(4096).startswith(b"HTTP/1.1 400 "), request
        assert backend.counts()["a"] == {"requests": 0, "malformed": len(bad),
                                         "connections": len(bad)}


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit("the proxy does not listen")


def through_nginx(workers, keepalive):
    with Backend("abc") as backend, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        servers = " ".join("server 127.0.0.1:%d;" % p for p in backend.ports.values())
        with open(folder + "/conf", "w") as f:
            f.write(NGINX % {"workers": workers, "keepalive": keepalive, "dir": folder,
                             "servers": servers, "port": port})
        os.mkdir(folder + "/t", 0o777)
        os.chmod(folder, 0o755)
        os.chmod(folder + "/t", 0o777)
        nginx = subprocess.Popen(["nginx", "-c", folder + "/conf", "-p", folder])
        try:
            wait_for_port(port)
            code, seen = traffic(port, 3000, "--seed", str(workers), "--map", folder + "/map")
            all_ok(code, seen, 3000)
            with open(folder + "/map") as f:
                owners = dict(line.split() for line in f)
            assert set(owners.values()) == {"a", "b", "c"} and len(owners) > 900
            counts = backend.counts()
            assert sum(c["requests"] for c in counts.values()) == 3000, counts
            assert all(c["malformed"] == 0 for c in counts.values()), counts
            # With all nodes gone nginx says so, and the driver must not let that pass.
            code, seen = traffic(port, 50)
            assert code == 1 and seen["failed"] == 50, seen
        finally:
            nginx.terminate()
            nginx.wait()


def through_haproxy():
    with Backend("abc") as backend, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with open(folder + "/conf", "w") as f:
            f.write(HAPROXY % port)
            for name, node in backend.ports.items():
                f.write("  server %s 127.0.0.1:%d\n" % (name, node))
        haproxy = subprocess.Popen(["haproxy", "-q", "-db", "-f", folder + "/conf"])
        try:
            wait_for_port(port)
            all_ok(*traffic(port, 3000, "--seed", "3", "--no-post"), 3000)
            all_ok(*traffic(port, 3000, "--seed", "4", "--idempotency-key"), 3000)
            counts = backend.counts()
            assert all(c["malformed"] == 0 for c in counts.values()), counts
        finally:
            haproxy.terminate()
            haproxy.wait()


def refused():
    code, seen = traffic(free_port(), 10, "--timeout", "1")
    assert code == 1 and seen["ok"] == 0 and seen["refused"] > 0, seen


direct()
malformed()
refused()
for name in FAULTS:
    faulty(name)
closed_between_requests()
through_nginx(1, 1000)
through_nginx(2, 7)
through_haproxy()
print("ok")
