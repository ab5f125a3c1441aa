"""Systems besides nginx and HAProxy (tests/e2e/balancers.py) that recordings are made from."""
import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path

from balancers import BATCH, Connection, Program, Unsupported, accepts, free_ports, request


def claim(program, *args):
    """The line in which a program tells its version."""
    done = subprocess.run([program, *args], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


# ---- twemproxy ----

class Memcached(socketserver.ThreadingTCPServer):
    """Nodes for twemproxy: each answers any `get` with its number."""
    daemon_threads = True

    def __init__(self, number):
        super().__init__(("127.0.0.1", 0), MemcachedHandler)
        self.number = str(number).encode()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class MemcachedHandler(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.rfile.readline()):
            key, value = line.split()[1], self.server.number
            self.wfile.write(b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(value), value))


class Twemproxy(Program):
    name, path, package = "nutcracker", "/usr/sbin/nutcracker", "nutcracker"
    systems = ("twemproxy-ketama", "twemproxy-modula")

    def __init__(self, cases):
        super().__init__()
        self.cases = cases
        self.nodes_up = []
        self.stats, *self.ports = free_ports(len(cases) + 1)

    @staticmethod
    def supports(case):
        if case.down or set(case.options) - {"hash", "hash-tag"}:
            raise Unsupported(f"twemproxy has no {case.spec}")

    def __enter__(self):
        self.nodes_up = [Memcached(i) for i in range(max(len(c.nodes) for c in self.cases))]
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        for node in self.nodes_up:
            node.shutdown()
            node.server_close()

    def pool(self, index):
        case = self.cases[index]
        # A name of one's own is what is hashed, so the address can be any.
        servers = "".join(f"   - 127.0.0.1:{up.server_address[1]}:{n.weight} {n.name}\n"
                          for n, up in zip(case.nodes, self.nodes_up))
        tag = f"  hash_tag: \"{case.options['hash-tag']}\"\n" if "hash-tag" in case.options else ""
        return (f"c{index}:\n  listen: 127.0.0.1:{self.ports[index]}\n"
                f"  hash: {case.options.get('hash', 'fnv1a_64')}\n{tag}"
                f"  distribution: {case.system.removeprefix('twemproxy-')}\n"
                f"  auto_eject_hosts: false\n  timeout: 5000\n  servers:\n{servers}")

    def command(self):
        text = "".join(self.pool(i) for i in range(len(self.cases)))
        return [self.path, "-c", self.write("nutcracker.yml", text), "-a", "127.0.0.1", "-s",
                str(self.stats)]

    def ready(self):
        return all(accepts(port) for port in self.ports)

    def nodes(self, index, keys):
        got = []
        with Connection(self.ports[index]) as c:
            for at in range(0, len(keys), BATCH):
                batch = keys[at:at + BATCH]
                c.send(b"".join(b"get " + key + b"\r\n" for key in batch))
                for key in batch:
                    if not c.file.readline().startswith(b"VALUE " + key + b" "):
                        raise RuntimeError(f"no answer for {key!r}")
                    got.append(int(c.file.readline()))
                    c.file.readline()
        return [self.cases[index].nodes[i].name for i in got]

    @classmethod
    def version(cls):
        return claim(cls.path, "-V")


# ---- Varnish ----

class Varnish(Program):
    """Asks no backend: the error page names the one it would have asked."""
    name, path, package = "varnish", "/usr/sbin/varnishd", "varnish"
    systems = ("varnish-shard",)

    def __init__(self, cases):
        super().__init__()
        self.cases = cases
        self.port, self.nobody = free_ports(2)

    @staticmethod
    def supports(case):
        if case.down or set(case.options) - {"by", "alt", "replicas", "unit"}:
            raise Unsupported(f"varnish has no {case.spec} with --down")

    def director(self, index):
        case = self.cases[index]
        unit = int(case.options.get("unit", 1))
        adds = "".join(f'  d{index}.add_backend(b{i}, ident="{n.name}", weight={n.weight / unit});\n'
                       for i, n in enumerate(case.nodes))
        return (f"  new d{index} = directors.shard();\n{adds}"
                f"  d{index}.reconfigure(replicas={case.options.get('replicas', 67)});\n")

    def choice(self, index):
        options = self.cases[index].options
        ways = {"key": f"by=KEY, key=d{index}.key(bereq.http.X-Key)", "url": "by=URL",
                "blob": "by=BLOB, key_blob=blob.decode(IDENTITY, encoded=bereq.http.X-Key)"}
        return (f'  if (bereq.http.X-Case == "{index}") {{ set bereq.backend = d{index}.backend('
                f"{ways[options.get('by', 'key')]}, alt={options.get('alt', 0)}); }}\n")

    def command(self):
        most = max(len(c.nodes) for c in self.cases)
        backends = "".join(f'backend b{i} {{ .host = "127.0.0.1"; .port = "{self.nobody}"; }}\n'
                           for i in range(most))
        every = range(len(self.cases))
        text = (f"vcl 4.1;\nimport directors;\nimport blob;\n{backends}sub vcl_init {{\n"
                f"{''.join(self.director(i) for i in every)}}}\n"
                f"sub vcl_recv {{ return (pass); }}\n"
                f"sub vcl_backend_fetch {{\n{''.join(self.choice(i) for i in every)}"
                f"  set bereq.http.X-Node = bereq.backend.resolve();\n}}\n"
                f"sub vcl_backend_error {{ set beresp.http.X-Node = bereq.backend;\n"
                f"  set beresp.status = 200; return (deliver); }}\n")
        return [self.path, "-F", "-j", "none", "-n", f"{self.folder}/varnish", "-a",
                f"127.0.0.1:{self.port}", "-s", "malloc,16m", "-f", self.write("shard.vcl", text)]

    def ready(self):
        return accepts(self.port)

    def nodes(self, index, keys):
        case, got = self.cases[index], []
        more = b"X-Case: %d\r\n" % index
        with Connection(self.port) as c:
            for key in keys:
                by_url = case.options.get("by") == "url"
                c.send(request(b"x" if by_url else key, key if by_url else b"/", more=more))
                _, fields = c.answer()
                got.append(case.nodes[int(fields[b"x-node"][1:])].name)
        return got

    @classmethod
    def version(cls):
        return claim(cls.path, "-V")


# ---- Redis ----

class Redis(Program):
    name, path, package = "redis", "/usr/bin/redis-server", "redis-server"
    systems = ("redis-cluster",)

    def __init__(self, cases):
        super().__init__()
        self.cases = cases
        self.port, self.bus = free_ports(2)

    @staticmethod
    def supports(case):
        if case.down or case.options:
            raise Unsupported(f"redis has no {case.spec}")

    def command(self):
        return [self.path, "--bind", "127.0.0.1", "--port", str(self.port), "--cluster-enabled",
                "yes", "--cluster-port", str(self.bus), "--dir", self.folder, "--save", "",
                "--daemonize", "no"]

    def ready(self):
        return accepts(self.port)

    def slot(self, connection, key):
        connection.send(b"*3\r\n$7\r\nCLUSTER\r\n$7\r\nKEYSLOT\r\n$%d\r\n%s\r\n" % (len(key), key))
        return int(connection.file.readline()[1:])

    def nodes(self, index, keys):
        nodes = self.cases[index].nodes
        with Connection(self.port) as c:
            slots = [self.slot(c, key) for key in keys]
        # As `redis-cli --cluster create` deals slots out, to the nearest, the rest to the last.
        ends = [int((i + 1) * 16384 / len(nodes) - 1 + 0.5) for i in range(len(nodes) - 1)]
        return [nodes[sum(slot > end for end in ends)].name for slot in slots]

    @classmethod
    def version(cls):
        return claim(cls.path, "--version")


# ---- libmemcached ----

class Libmemcached:
    """A library: a small program is built against it and asked, no server is."""
    name, path, package = "libmemcached", "/usr/include/libmemcached/memcached.h", "libmemcached-dev"
    kinds = {"libmemcached-modula": "modula", "libmemcached-consistent": "consistent",
             "libmemcached-ketama-weighted": "weighted", "libmemcached-ketama-spy": "spy"}
    systems = tuple(kinds)

    def __init__(self, cases):
        self.cases, self.folder = cases, None

    @classmethod
    def installed(cls):
        return os.path.exists(cls.path) and shutil.which("cc")

    @staticmethod
    def supports(case):
        if case.down or set(case.options) - {"hash", "points", "sort_hosts", "weighted"}:
            raise Unsupported(f"libmemcached has no {case.spec} with --down")

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fairlead-libmemcached-")
        self.program = os.path.join(self.folder, "libmemcached")
        try:
            subprocess.run(["cc", "-O1", "-o", self.program,
                            Path(__file__).with_name("libmemcached.c"), "-lmemcached"], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def nodes(self, index, keys):
        case = self.cases[index]
        kind = self.kinds[case.system]
        if case.options.get("sort_hosts") == "yes":
            kind = "sorted"
        # KETAMA_WEIGHTED sets the hash by itself.
        after = case.options.get("hash", "-" if kind == "weighted" else "default")
        before = case.options.get("points", "-" if kind == "weighted" else after)
        args, names = [], {}
        for node in case.nodes:
            host, _, port = node.name.rpartition(":")
            host, port = (host, port) if port.isdigit() else (node.name, "11211")
            names[f"{host} {port}"] = node.name
            args += [host, port, str(node.weight)]
        done = subprocess.run([self.program, kind, before, after,
                               case.options.get("weighted", "no"), *args],
                              input=b"".join(k + b"\n" for k in keys), stdout=subprocess.PIPE,
                              check=True)
        return [names[line] for line in done.stdout.decode().splitlines()]

    @classmethod
    def version(cls):
        done = subprocess.run(["dpkg-query", "-W", "-f", "libmemcached ${Version}", cls.package],
                              capture_output=True, text=True, check=False)
        return done.stdout.strip() or "libmemcached"
