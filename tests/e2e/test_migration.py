"""Zero keys move: the same requests through real nginx and real HAProxy, and then through
`fairlead serve` with the configuration that `fairlead import` made of theirs, in their place and on
their ports.

The nodes say who they are (tests/tools/backend), so neither balancer is believed. One connection
carries few or many requests, one at a time or pipelined, and comes from one of several client
addresses; each round cuts the requests in another way, so that a choice cannot hang on the
connection.
"""
import json
import random
import re
import socket
import subprocess

import pytest

from balancers import HAPROXY_FRAME, Connection, Program, accepts, free_ports, nginx_frame
from harness import FAIRLEAD, ROOT, SANITIZER, Backend, Fairlead

REQUESTS = 2000
NODES = ["n0", "n1", "n2", "n3", "n4", "n5"]
WEIGHTS = [1, 2, 3, 5, 10, 4]
CLIENTS = [f"127.{1 + i * 13 % 254}.{i * 7 % 256}.{1 + i}" for i in range(40)]


class Request:
    """One of the 2,000: what can be a key in it, and where it comes from."""

    def __init__(self, i):
        self.user = f"user-{i * 7919 % 1000003}"
        self.client = CLIENTS[i % len(CLIENTS)]
        self.target = f"/shop/{i % 97}/item-{i}?u={self.user}&page={i % 5}"

    def bytes(self):
        return (f"GET {self.target} HTTP/1.1\r\nHost: shop.example\r\nX-User: {self.user}\r\n"
                f"Cookie: a=b; session={self.user}\r\n\r\n").encode()


def connect(port, client):
    connection = Connection.__new__(Connection)
    connection.socket = socket.create_connection(("127.0.0.1", port), 10, (client, 0))
    connection.file = connection.socket.makefile("rb")
    return connection


def run(port, requests, seed):
    """The node of each request, in their order."""
    rng = random.Random(seed)
    nodes = [None] * len(requests)
    for client in CLIENTS:
        mine = [i for i, r in enumerate(requests) if r.client == client]
        rng.shuffle(mine)
        while mine:
            life, depth = rng.choice([1, 3, 20]), rng.choice([1, 2, 8])
            taken, mine = mine[:life], mine[life:]
            with connect(port, client) as c:
                for at in range(0, len(taken), depth):
                    batch = taken[at:at + depth]
                    c.send(b"".join(requests[i].bytes() for i in batch))
                    for i in batch:
                        status, fields = c.answer()
                        assert status == 200, (requests[i].target, status, fields)
                        nodes[i] = fields[b"x-node"].decode()
    return nodes


# ---- the balancers that are to be replaced ----

# name: (what places, the weights, who is out of service)
NGINX = {
    "header": ("hash $http_x_user consistent;", WEIGHTS, ()),
    "target": ("hash $request_uri consistent;", [1] * 6, ("n2",)),
    "argument": ("hash $arg_u;", WEIGHTS, ("n4",)),
    "address": ("ip_hash;", WEIGHTS, ("n1",)),
}

HAPROXY = {
    "header": ("balance hdr(x-user)\n  hash-type consistent", WEIGHTS, ()),
    "crc32": ("balance hdr(x-user)\n  hash-type consistent crc32 avalanche", WEIGHTS, ("n2",)),
    "target": ("balance uri whole\n  hash-type map-based djb2", [1] * 6, ()),
    "argument": ("balance url_param u\n  hash-type map-based", WEIGHTS, ("n5",)),
    "address": ("balance source\n  hash-type consistent", [1] * 6, ()),
}


class Peer(Program):
    """A balancer with a front port for each of its pools."""
    pools = {}

    def __init__(self, backends, fronts, weights=None):
        super().__init__()
        self.backends, self.fronts, self.weights = backends, fronts, weights or {}

    def servers(self, pool):
        _, weights, down = self.pools[pool]
        weights = self.weights.get(pool, weights)
        return [(n, self.backends[n], w, n in down) for n, w in zip(NODES, weights)]

    def ready(self):
        return all(accepts(port) for port in self.fronts.values())

    def hints(self):
        """What `fairlead import` cannot know from the file."""
        return []


class Nginx(Peer):
    name, path, pools = "nginx", "/usr/sbin/nginx", NGINX

    def command(self):
        http = ""
        for pool, (places, _, _) in self.pools.items():
            servers = "".join(f"    server 127.0.0.1:{port} weight={w}{' down' if down else ''};\n"
                              for _, port, w, down in self.servers(pool))
            http += (f"upstream {pool} {{\n    {places}\n{servers}}}\n"
                     f"server {{\n    listen 127.0.0.1:{self.fronts[pool]};\n"
                     f"    location / {{ proxy_pass http://{pool}; }}\n}}\n")
        self.config = self.write("nginx.conf", nginx_frame(self.folder, http))
        return [self.path, "-c", self.config, "-p", self.folder, "-e",
                f"{self.folder}/error.log"]


class Haproxy(Peer):
    name, path, pools = "haproxy", "/usr/sbin/haproxy", HAPROXY

    def command(self):
        text = HAPROXY_FRAME
        for pool, (places, _, _) in self.pools.items():
            servers = "".join(f"  server {n} 127.0.0.1:{port} weight {w}"
                              f"{' disabled' if down else ''}\n"
                              for n, port, w, down in self.servers(pool))
            text += (f"frontend {pool}\n  bind 127.0.0.1:{self.fronts[pool]}\n"
                     f"  default_backend {pool}\nbackend {pool}\n  {places}\n{servers}")
        self.config = self.write("haproxy.cfg", text)
        return [self.path, "-db", "-f", self.config]

    def hints(self):
        said = subprocess.run([self.path, "-v"], capture_output=True, text=True, check=True)
        return ["--haproxy-version", re.search(r"version (\d+\.\d+\.\d+)", said.stdout)[1]]


PEERS = pytest.mark.parametrize("kind", [Nginx, Haproxy], ids=["nginx", "haproxy"])


def imported(peer, directory):
    """The configuration that is made of the peer's, which nothing may be missing from."""
    path = f"{directory}/imported.yaml"
    done = subprocess.run([FAIRLEAD, "import", "-o", path, *peer.hints(), peer.config],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@PEERS
def test_no_request_reaches_another_node_after_a_migration(kind, started, directory):
    backend = started(Backend, NODES)
    fronts = dict(zip(kind.pools, free_ports(len(kind.pools))))
    requests = [Request(i) for i in range(REQUESTS)]
    with kind(backend.ports, fronts) as peer:
        before = {pool: run(port, requests, 1) for pool, port in fronts.items()}
        path = imported(peer, directory)
    for pool, nodes in before.items():
        down = kind.pools[pool][2]
        assert set(nodes) == set(NODES) - set(down), pool
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert not re.search(r"^workers:", text, re.M)
    fairlead = started(Fairlead, text + "\nworkers: 2\n", directory)
    for pool, port in fronts.items():
        after = run(port, requests, 2)
        moved = [(r.target, b, a) for r, b, a in zip(requests, before[pool], after) if a != b]
        assert not moved, f"{pool}: {len(moved)} of {REQUESTS}, such as {moved[:5]}"
    fairlead.finish()


# ---- verify, beside the running peer ----

def verify(path, peer, pool, keys, *more):
    """With the imported configuration, through the peer's port for the pool."""
    maps = []
    if peer.name == "nginx":  # whose nodes are called by their addresses
        for node, port in peer.backends.items():
            maps += ["--map", f"{node}=127.0.0.1:{port}"]
    done = subprocess.run(
        [FAIRLEAD, "verify", "-c", path, "--pool", pool, "--url",
         f"http://127.0.0.1:{peer.fronts[pool]}/x?u={{key}}", "--header", "X-User: {key}",
         "--node-header", "X-Node", "--rate", "5000", "--keys-file", "-", "--json", *maps,
         *more], input="".join(f"{k}\n" for k in keys).encode(), capture_output=True,
        check=False)
    assert not SANITIZER.search(done.stderr.decode())
    return done


@PEERS
def test_verify_against_the_running_peer(kind, started, directory):
    backend = started(Backend, NODES)
    fronts = dict(zip(kind.pools, free_ports(len(kind.pools))))
    keys = [f"user-{i}" for i in range(500)]
    with kind(backend.ports, fronts) as peer:
        path = imported(peer, directory)
        for pool in ("header", "argument"):
            done = verify(path, peer, pool, keys)
            assert done.returncode == 0, done.stdout + done.stderr
            assert json.loads(done.stdout)["facts"]["matches"] == len(keys)
    # A peer whose file has changed since: n3 has another weight.
    changed = [w + 2 * (i == 3) for i, w in enumerate(WEIGHTS)]
    with kind(backend.ports, fronts, {"header": changed, "argument": changed}) as peer:
        done = verify(path, peer, "header", keys)
        assert done.returncode == 1, done.stdout + done.stderr
        facts = json.loads(done.stdout)["facts"]
        assert 0 < facts["mismatches"] < len(keys) / 2
        assert facts["matches"] + facts["mismatches"] == len(keys)
        share = facts["mismatches"] / len(keys)
        assert verify(path, peer, "header", keys, "--max-mismatch",
                      f"{share + 0.001:.4f}").returncode == 0


def test_the_commands_of_the_guide(started, directory):
    """docs/migrate.md, as it stands, but for paths, ports and the service."""
    backend = started(Backend, NODES)
    fronts = dict(zip(Haproxy.pools, free_ports(len(Haproxy.pools))))
    block = re.search(r"```sh\n(.*?)```", (ROOT / "docs/migrate.md").read_text(), re.S)[1]
    commands = block.splitlines()
    assert len(commands) == 5 and commands[3].startswith("systemctl stop ")
    with open(f"{directory}/users.txt", "w", encoding="utf-8") as keys:
        keys.writelines(f"user-{i}\n" for i in range(100))
    with Haproxy(backend.ports, fronts) as peer:
        script = "\n".join(commands[:3])
        for old, new in (("/etc/haproxy/haproxy.cfg", peer.config), ("8080", fronts["header"]),
                         ("2.6.12", peer.hints()[1]), ("--pool app", "--pool header"),
                         ("fairlead ", f"{FAIRLEAD} ")):
            assert old in script
            script = script.replace(old, str(new))
        done = subprocess.run(["sh", "-ec", script], cwd=directory, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "All 100 keys" in done.stdout
    fairlead = started(Fairlead, open(f"{directory}/fairlead.yaml", encoding="utf-8").read(),
                       directory)
    assert set(run(fronts["header"], [Request(i) for i in range(100)], 3)) <= set(NODES)
    fairlead.finish()
