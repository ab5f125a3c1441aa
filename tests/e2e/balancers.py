"""Other balancers, configured to place keys by a mapping that Fairlead reproduces.

A Case is such a mapping: a spec as `fairlead lookup` takes it and nodes. `Nginx` and `Haproxy` turn
cases into a configuration of the real program, one port a case, start it, and tell for keys which
node it chose. For that no backend has to answer: nginx says whom it tried, HAProxy asks itself.
Every process and file is gone when the `with` ends.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

BATCH = 50


@dataclass(frozen=True)
class Node:
    name: str
    weight: int = 1
    id: int = 0

    def argument(self):
        name = self.name.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{name}={self.weight}" + (f",id={self.id}" if self.id else "")


@dataclass
class Case:
    spec: str  # "nginx-consistent", "haproxy-map,hash=djb2"
    nodes: list
    down: tuple = ()
    options: dict = field(init=False)

    def __post_init__(self):
        self.system, *pairs = self.spec.split(",")
        self.options = dict(pair.split("=", 1) for pair in pairs)

    def arguments(self):
        """What gives `fairlead lookup` the same pool."""
        args = ["--compat", self.spec]
        for node in self.nodes:
            args += ["--node", node.argument()]
        for name in self.down:
            args += ["--down", name]
        return args


class Unsupported(Exception):
    """The program cannot do what a case asks for."""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Program:
    """A program in a folder of its own; `with` starts and ends it."""
    name = ""
    path = ""

    def __init__(self):
        self.folder = self.process = None

    def command(self):
        """Writes what the program needs into self.folder; returns how to start it."""
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    @classmethod
    def installed(cls):
        return os.access(cls.path, os.X_OK)

    def __enter__(self):
        try:
            self.folder = tempfile.mkdtemp(prefix=f"fairlead-{self.name}-")
            with open(os.path.join(self.folder, "log"), "wb") as log:
                self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                                stdin=subprocess.DEVNULL,
                                                start_new_session=True)
            self._wait()
            return self
        except BaseException:
            self.__exit__()
            raise

    def _wait(self):
        end = time.monotonic() + 20
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not start: {self.log()}")
            time.sleep(0.02)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def __exit__(self, *_):
        if self.process:
            # its own session, so its children go with it
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


# ---- asking over HTTP ----

def request(key, path=b"/", header=b"X-Key", more=b""):
    return (b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + header + b": " + key + b"\r\n"
            + more + b"\r\n")


class Connection:
    """A kept connection. Answers have a Content-Length, or no body."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), 10)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """(status, {header in lower case: value}) of the next answer."""
        status = self.file.readline().split()
        if len(status) < 2:
            raise ConnectionError("the connection was closed")
        fields = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        self.file.read(int(fields.get(b"content-length", 0)))
        return int(status[1]), fields


def ask(port, keys, header, node_header):
    """The node of each key, by the header that names it; several requests are under way."""
    got = []
    with Connection(port) as c:
        for at in range(0, len(keys), BATCH):
            batch = keys[at:at + BATCH]
            c.send(b"".join(request(key, header=header) for key in batch))
            for key in batch:
                status, fields = c.answer()
                if node_header not in fields:
                    raise RuntimeError(f"{key!r}: status {status} without {node_header!r}")
                got.append(fields[node_header].decode())
    return got


# ---- nginx ----

NGINX = {
    "nginx-consistent": "hash $http_x_key consistent;",
    "nginx-hash": "hash $http_x_key;",
    "nginx-ip-hash": "ip_hash;",
}


def nginx_upstream(case, name, more=""):
    if case.system not in NGINX or case.options:
        raise Unsupported(f"nginx has no {case.spec}")
    servers = "\n".join(
        f"    server {n.name} weight={n.weight} max_fails=0{' down' if n.name in case.down else ''};"
        for n in case.nodes)
    return f"upstream {name} {{\n    {NGINX[case.system]}\n{servers}\n{more}}}\n"


def nginx_frame(folder, http):
    temps = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off; pid {folder}/pid;
worker_processes 1;
error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{
access_log off; {temps}
proxy_http_version 1.1; proxy_set_header Connection "";
keepalive_requests 100000;
{http}
}}
"""


class Nginx(Program):
    """Asks nobody: every server of an upstream may refuse, and nginx names the one it tried."""
    name = "nginx"
    path = "/usr/sbin/nginx"

    def __init__(self, cases):
        super().__init__()
        self.cases = cases
        self.ports = free_ports(len(cases))
        self.upstreams = [nginx_upstream(c, f"u{i}") for i, c in enumerate(cases)]

    def command(self):
        servers = "\n".join(
            f"server {{ listen 127.0.0.1:{port}; set_real_ip_from 127.0.0.1; "
            f"real_ip_header X-Key; proxy_next_upstream off; proxy_connect_timeout 5s; "
            f"add_header X-Node $upstream_addr always; "
            f"location / {{ proxy_pass http://u{i}; }} }}" for i, port in enumerate(self.ports))
        path = self.write("nginx.conf", nginx_frame(self.folder,
                                                    "\n".join(self.upstreams) + servers))
        return [self.path, "-c", path, "-p", self.folder, "-e", f"{self.folder}/error.log"]

    def ready(self):
        return all(accepts(port) for port in self.ports)

    def nodes(self, index, keys):
        names = {}
        for node in self.cases[index].nodes:
            full = node.name if node.name.rpartition(":")[2].isdigit() else f"{node.name}:80"
            names[full] = node.name
        return [names[got] for got in ask(self.ports[index], keys, b"X-Key", b"x-node")]


# ---- HAProxy ----

HAPROXY = {"haproxy-consistent": "consistent", "haproxy-map": "map-based"}


def haproxy_balance(case):
    """The lines of a backend that decide where a key goes."""
    options = dict(case.options)
    kind = HAPROXY.get(case.system)
    function = options.pop("hash", "")
    avalanche = options.pop("avalanche", "0") == "1"
    source = options.pop("key", "") == "source"
    if not kind or options or function == "none":
        raise Unsupported(f"this HAProxy has no {case.spec}")
    words = [kind, function or ("sdbm" if avalanche else ""), "avalanche" if avalanche else ""]
    return (f"  balance {'source' if source else 'hdr(x-key)'}\n"
            f"  hash-type {' '.join(w for w in words if w)}\n")


def haproxy_server(node, case, address):
    return (f"  server {node.name} {address} weight {node.weight}"
            + (f" id {node.id}" if node.id else "")
            + (" disabled" if node.name in case.down else "") + "\n")


HAPROXY_FRAME = """global
  nbthread 1
defaults
  mode http
  option http-keep-alive
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout http-keep-alive 20s
"""


class Haproxy(Program):
    """All its servers are one more listener of its own."""
    name = "haproxy"
    path = "/usr/sbin/haproxy"

    def __init__(self, cases):
        super().__init__()
        self.cases = cases
        self.sink, *self.ports = free_ports(len(cases) + 1)
        self.balances = [haproxy_balance(c) for c in cases]

    def listen(self, index):
        case = self.cases[index]
        servers = "".join(haproxy_server(n, case, f"127.0.0.1:{self.sink}") for n in case.nodes)
        client = ""
        if case.options.get("key") == "source":
            client = "  http-request set-src req.hdr(x-key)\n"
        return (f"listen l{index}\n  bind 127.0.0.1:{self.ports[index]}\n{client}"
                f"{self.balances[index]}  http-response set-header X-Node %s\n{servers}")

    def command(self):
        sink = f"listen sink\n  bind 127.0.0.1:{self.sink}\n  http-request return status 200\n"
        text = HAPROXY_FRAME + sink + "".join(self.listen(i) for i in range(len(self.cases)))
        return [self.path, "-db", "-f", self.write("haproxy.cfg", text)]

    def ready(self):
        return all(accepts(port) for port in (self.sink, *self.ports))

    def nodes(self, index, keys):
        return ask(self.ports[index], keys, b"X-Key", b"x-node")
