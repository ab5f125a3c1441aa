"""Processes and configurations for end-to-end tests: everything on loopback, on ports that the
kernel found free, and nothing left behind.

FAIRLEAD names the program under test, FAIRLEAD_TOOLS the folder of the test tools.
"""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAIRLEAD = os.environ.get("FAIRLEAD", str(ROOT / "build/dev/fairlead"))
TOOLS = Path(os.environ.get("FAIRLEAD_TOOLS", str(ROOT / "build/dev/tests/tools")))
# What users run; only tests of speed and memory want it.
RELEASE = os.environ.get("FAIRLEAD_RELEASE", str(ROOT / "build/release/fairlead"))

IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; not in Python's socket module

# The sanitizer keeps freed memory for a while, which would look like growth.
ASAN = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
# A sanitizer's report is a failed test, whatever the program answered.
SANITIZER = re.compile(r"(ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|fairlead: bug:)")


def free_port():
    """A port that was free a moment ago. SO_REUSEPORT listeners can take it over."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, probe, seconds=20.0):
    """Calls `probe` until it gives something true; that is returned."""
    end = time.monotonic() + seconds
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Process:
    """A child with its output in files, so that no pipe can fill up."""

    def __init__(self, args, **kwargs):
        self.out = tempfile.TemporaryFile("w+")
        self.err = tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL,
                                  stdout=self.out, stderr=self.err, **kwargs)

    def text(self, stream):
        stream.flush()
        return os.pread(stream.fileno(), 64 << 20, 0).decode("utf-8", "replace")

    @property
    def stdout(self):
        return self.text(self.out)

    @property
    def stderr(self):
        return self.text(self.err)

    def running(self):
        return self.p.poll() is None

    def stop(self, sig=signal.SIGTERM, seconds=40):
        if self.running():
            self.p.send_signal(sig)
            try:
                self.p.wait(seconds)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()
                raise
        return self.p.returncode

    def kill(self):
        if self.running():
            self.p.kill()
        self.p.wait()


class Backend(Process):
    """tests/tools/backend: named nodes, each on a port of its own."""

    def __init__(self, names, ports=None):
        ports = ports or {}
        args = [TOOLS / "backend"]
        for name in names:
            args += ["--node", f"{name}=127.0.0.1:{ports.get(name, 0)}"]
        super().__init__(args)
        wait_for("the backend", lambda: "ready" in self.stdout or not self.running())
        self.ports = {m[1]: int(m[2]) for m in
                      re.finditer(r"^node (\S+) \S+?:(\d+)$", self.stdout, re.M)}
        assert set(self.ports) == set(names), self.stdout + self.stderr

    def counts(self):
        """Ends the backend; what each node saw."""
        self.stop()
        return json.loads(self.stdout.strip().splitlines()[-1])


class Fairlead(Process):
    """`fairlead serve` on a configuration that tests may rewrite and reload; `under`: a command
    that runs it, and that must not change its process id."""

    def __init__(self, config, directory, env=None, program=None, under=(), **kwargs):
        self.path = Path(directory) / "fairlead.yaml"
        self.write(config)
        self.admin = Path(directory) / "admin.sock"
        super().__init__([*under, program or FAIRLEAD, "serve", "-c", self.path],
                         env={**os.environ, **ASAN, **(env or {})}, **kwargs)
        wait_for("fairlead to serve", lambda: "serving" in self.stderr or not self.running())
        assert self.running(), self.stderr

    def write(self, config):
        """The file changes at once, as an operator's editor would do it."""
        new = self.path.with_suffix(".new")
        new.write_text(config)
        new.rename(self.path)

    def reload(self, config=None, good=True):
        if config is not None:
            self.write(config)
        before = len(re.findall(r"reload", self.stderr))
        self.p.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: len(re.findall(r"reload", self.stderr)) > before
                 or not self.running())
        assert self.running(), self.stderr[-8000:]
        last = [line for line in self.stderr.splitlines() if "reload" in line][-1]
        assert "reloaded" in last or not good, self.stderr

    def get(self, path):
        """A GET on the admin socket, decoded."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.admin))
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while part := s.recv(65536):
                data += part
        head, body = data.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), data
        return json.loads(body)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def memory_kib(self):
        status = Path(f"/proc/{self.p.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def private_kib(self):
        """Memory that is the process's own and was written to: exact, unlike the above."""
        rollup = Path(f"/proc/{self.p.pid}/smaps_rollup").read_text()
        return int(re.search(r"Private_Dirty:\s+(\d+)", rollup)[1])

    def finish(self):
        """SIGTERM, a clean end, and no sanitizer report."""
        code = self.stop()
        errors = self.stderr
        assert not SANITIZER.search(errors), errors[-8000:]
        assert code == 0, errors[-8000:]


def config(directory, port, nodes, pool="app", key='["header:x-user"]', algorithm="table",
           workers=2, extra="", pool_extra=""):
    """A configuration with one listener and one pool; nodes: {name: port} or {name: text}."""
    rows = "\n".join(
        f"      - {{name: {name}, address: \"127.0.0.1:{value}\"}}" if isinstance(value, int)
        else f"      - {value}" for name, value in nodes.items())
    return f"""version: 1
workers: {workers}
admin: {{listen: "unix:{directory}/admin.sock"}}
log: {{access: "{os.environ.get("FAIRLEAD_ACCESS", "off")}"}}
{extra}
listeners:
  - {{name: web, bind: "127.0.0.1:{port}", protocol: http}}
pools:
  {pool}:
    algorithm: {algorithm}
    key: {key}
{pool_extra}
    nodes:
{rows}
"""


def request(port, head, body=b"", timeout=20):
    """Sends raw bytes on a connection of their own; everything that comes back until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(head + body)
        data = b""
        try:
            while part := s.recv(65536):
                data += part
        except ConnectionResetError:
            pass
        return data


def ask(port, path="/", headers=(), method="GET", host="x"):
    """One request with Connection: close: (status, headers in lower case, body)."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    data = request(port, ("\r\n".join(lines) + "\r\n\r\n").encode())
    head, _, body = data.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    parsed = {}
    for field in fields:
        name, _, value = field.partition(":")
        parsed[name.lower()] = value.strip()
    return int(status.split()[1]), parsed, body


class Client:
    """A connection that is kept: one request, or one burst of them, at a time."""

    def __init__(self, port, source=None):
        self.bytes = b""
        self.socket = socket.socket()
        self.socket.settimeout(60)
        # Room for a large answer: it is never sent in more pieces than it need be.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if source:
            # Connecting chooses the port: many connections may have it, to different ends.
            self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _take(self, end):
        """Receives until `end` finds one in the bytes at hand (-1: not yet), and takes these."""
        while (at := end(self.bytes)) < 0:
            part = self.socket.recv(1 << 20)
            assert part, self.bytes[-500:]
            self.bytes += part
        taken, self.bytes = self.bytes[:at], self.bytes[at:]
        return taken

    def _line(self, mark=b"\r\n"):
        return self._take(lambda data: data.find(mark) + len(mark) if mark in data else -1)

    def _exactly(self, size):
        return self._take(lambda data: size if len(data) >= size else -1)

    def answer(self):
        """Reads one answer with status 200 to its end."""
        head = self._line(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.M)
        if length:
            self._exactly(int(length[1]))
            return
        assert b"chunked" in head.lower(), head
        while size := int(self._line(), 16):
            self._exactly(size + 2)
        self._exactly(2)

    def ask(self, burst, answers=1):
        self.socket.sendall(burst)
        for _ in range(answers):
            self.answer()

    def ask_each(self, requests):
        for one in requests:
            self.ask(one)
