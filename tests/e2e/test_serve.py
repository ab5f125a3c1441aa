"""`fairlead serve` with real clients and nodes: forwarding, keys, routes, states, reload."""
import concurrent.futures
import json
import re
import signal
import socket
import subprocess
import threading

import pytest

import harness
from harness import Backend, ask, free_port, wait_for

NAMES = ["a", "b", "c", "d", "e"]


def owners(port, keys, header="X-User"):
    """Which node answers for each key, asked by several clients at once."""
    def one(key):
        status, headers, _ = ask(port, headers=[(header, key)])
        assert status == 200, (key, status)
        return key, headers["x-node"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(pool.map(one, keys))


KEYS = [f"user-{i}" for i in range(400)]


@pytest.mark.parametrize("algorithm", ["table", "ring", "rendezvous"])
def test_removing_a_node_moves_only_its_keys(started, serve, directory, algorithm):
    backend = started(Backend, NAMES)
    fairlead, port = serve(backend.ports, algorithm=algorithm)
    before = owners(port, KEYS)
    assert set(before.values()) == set(NAMES)
    left = {n: p for n, p in backend.ports.items() if n != "c"}
    fairlead.reload(harness.config(directory, port, left, algorithm=algorithm))
    after = owners(port, KEYS)
    assert {k for k in KEYS if before[k] != after[k]} == {k for k in KEYS if before[k] == "c"}
    report = fairlead.get("/movement?pool=app")
    movement = report if "moved" in report else report["pools"][0]
    flows = json.dumps(movement)
    assert '"from": "c"' in flows and '"from": "a"' not in flows
    fairlead.reload(harness.config(directory, port, backend.ports, algorithm=algorithm))
    assert owners(port, KEYS) == before
    fairlead.finish()


def test_the_proxy_and_lookup_agree(started, serve):
    backend = started(Backend, NAMES)
    fairlead, port = serve(backend.ports)
    seen = owners(port, KEYS)
    out = subprocess.run([harness.FAIRLEAD, "lookup", "-c", fairlead.path, *KEYS], check=True,
                         capture_output=True, text=True).stdout
    assert dict(line.split("\t") for line in out.splitlines()) == seen
    fairlead.finish()


def test_a_dead_node_costs_no_request_and_comes_back(started, serve):
    backend = started(Backend, ["a", "b", "c"])
    single = started(Backend, ["d"])
    fairlead, port = serve({**backend.ports, **single.ports},
                           pool_extra="    health: {tcp: true, interval: 100ms, timeout: 100ms}")
    before = owners(port, KEYS)
    single.kill()
    during = owners(port, KEYS)
    assert {k for k in KEYS if before[k] != during[k]} == {k for k in KEYS if before[k] == "d"}
    wait_for("the node to be masked",
             lambda: '"down"' in json.dumps(fairlead.get("/pools"))
             or '"ejected"' in json.dumps(fairlead.get("/pools")))
    started(Backend, ["d"], ports=single.ports)
    wait_for("the node to come back",
             lambda: ask(port, headers=[("X-User", next(k for k in KEYS if before[k] == "d"))])
             [1]["x-node"] == "d")
    assert owners(port, KEYS) == before
    fairlead.finish()


def test_every_key_source_and_the_order_of_fallback(started, serve):
    backend = started(Backend, NAMES)
    key = '[{header: X-User}, {cookie: sid}, {query: id}, {all: [host, path]}]'
    fairlead, port = serve(backend.ports, key=key)

    def node(path="/", headers=(), host="x"):
        return ask(port, path, headers, host=host)[1]["x-node"]

    def expect(key):
        out = subprocess.run([harness.FAIRLEAD, "lookup", "-c", fairlead.path, "--keys-file", "-",
                              "-0"], check=True, capture_output=True, input=key + b"\0").stdout
        return out.rstrip(b"\n").split(b"\t")[-1].decode()

    for i in range(20):
        value = f"v{i}"
        want = expect(value.encode())
        assert node(headers=[("x-USER", value)]) == want
        assert node(headers=[("Cookie", f"other=1; sid={value}; more=2")]) == want
        assert node(f"/p?x=1&id={value}") == want
        assert node("/p?id=zzz", headers=[("X-User", value), ("Cookie", "sid=yyy")]) == want
        assert node("/p?id=zzz", headers=[("X-User", ""), ("Cookie", f"sid={value}")]) == want
    # `all` holds NUL bytes (lengths), which only --blob can carry.
    for i in range(20):
        host, path = f"h{i}.example", f"/path/{i}"
        parts = b"".join(len(p).to_bytes(4, "little") + p for p in (host.encode(), path.encode()))
        blob = fairlead.path.parent / "blob"
        blob.write_bytes(parts)
        out = subprocess.run([harness.FAIRLEAD, "lookup", "-c", fairlead.path, "--blob", blob],
                             check=True, capture_output=True, text=True).stdout
        assert node(path, host=host.upper()) == out.rstrip("\n").split("\t")[-1]
    fairlead.finish()


def test_routes_by_host_and_path(started, directory):
    backend = started(Backend, ["app", "api", "wild", "any"])
    port = free_port()
    pools = "\n".join(f'  {n}: {{nodes: [{{name: {n}, address: "127.0.0.1:{p}"}}]}}'
                      for n, p in backend.ports.items())
    fairlead = started(harness.Fairlead, f"""version: 1
admin: {{listen: "unix:{directory}/admin.sock"}}
listeners: [{{name: web, bind: "127.0.0.1:{port}", protocol: http}}]
routes:
  - {{listener: web, path: /only, pool: any}}
  - {{listener: web, host: "*.example.com", pool: wild}}
  - {{listener: web, host: example.com, pool: app}}
  - {{listener: web, host: example.com, path: /api, pool: api}}
pools:
{pools}
""", directory)
    for host, path, want in [
            ("example.com", "/", "app"), ("EXAMPLE.com:80", "/x", "app"),
            ("example.com", "/api", "api"), ("example.com", "/api/v1?x", "api"),
            ("example.com", "/apix", "app"), ("a.example.com", "/api", "wild"),
            ("a.b.example.com", "/", "wild"), ("other", "/only/1", "any"),
            ("other", "/", 404), ("xexample.com", "/", 404)]:
        status, headers, _ = ask(port, path, host=host)
        assert (headers.get("x-node") if status == 200 else status) == want, (host, path)
    fairlead.finish()


def test_heads_are_rewritten(started, serve):
    """What a node sees: hop-by-hop fields are gone, forwarding fields are there."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def node():
            while True:
                try:
                    c, _ = server.accept()
                except OSError:
                    return
                data = b""
                while b"\r\n\r\n" not in data:
                    data += c.recv(65536)
                seen.append(data)
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, close\r\n"
                          b"X-Hop: 1\r\nX-Keep: 1\r\n\r\nok")
                c.close()
        thread = threading.Thread(target=node, daemon=True)
        thread.start()
        fairlead, port = serve({"n": server.getsockname()[1]})
        status, headers, body = ask(port, "http://h.example:81/p?q", method="GET", headers=[
            ("X-Forwarded-For", "1.2.3.4"), ("Connection", "x-secret"), ("X-Secret", "1"),
            ("Keep-Alive", "5"), ("TE", "trailers"), ("X-Stay", "yes")])
        assert (status, body) == (200, b"ok")
        assert headers["x-keep"] == "1" and "x-hop" not in headers
        text = seen[0].decode()
        assert text.startswith("GET /p?q HTTP/1.1\r\nHost: h.example:81\r\n")
        assert "X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n" in text
        assert "X-Stay: yes\r\n" in text and "Via: 1.1 fairlead\r\n" in text
        for gone in ("X-Secret", "Keep-Alive", "TE:", "Connection"):
            assert gone not in text
        fairlead.finish()


def test_upgrade_becomes_a_tunnel(serve):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def node():
            c, _ = server.accept()
            data = b""
            while b"\r\n\r\n" not in data:
                data += c.recv(65536)
            assert b"Upgrade: chat" in data and b"Connection: upgrade" in data
            c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                      b"Upgrade: chat\r\n\r\nhello ")
            while part := c.recv(65536):
                c.sendall(part.upper())
            c.close()
        threading.Thread(target=node, daemon=True).start()
        fairlead, port = serve({"n": server.getsockname()[1]})
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
            data = b""
            while not data.endswith(b"hello "):
                data += s.recv(65536)
            assert b" 101 " in data.split(b"\r\n")[0]
            s.sendall(b"x" * 100000)
            s.shutdown(socket.SHUT_WR)
            back = b""
            while part := s.recv(65536):
                back += part
            assert back == b"X" * 100000
        fairlead.finish()


def test_drain_state_and_backup(started, serve, directory):
    backend = started(Backend, ["a", "b", "s"])

    def nodes(state):
        rows = {n: f'{{name: {n}, address: "127.0.0.1:{backend.ports[n]}"}}' for n in "ab"}
        rows["a"] = rows["a"][:-1] + f", state: {state}}}"
        rows["b"] = rows["b"][:-1] + f", state: {state}}}"
        rows["s"] = f'{{name: s, address: "127.0.0.1:{backend.ports["s"]}", backup: true}}'
        return rows

    fairlead, port = serve(nodes("enabled"))
    before = owners(port, KEYS[:100])
    assert set(before.values()) == {"a", "b"}
    fairlead.reload(harness.config(directory, port, nodes("drain")))
    assert set(owners(port, KEYS[:100]).values()) == {"s"}
    fairlead.reload(harness.config(directory, port, nodes("enabled")))
    assert owners(port, KEYS[:100]) == before
    fairlead.finish()


def test_a_bad_file_is_refused_and_the_old_one_goes_on(started, serve, directory):
    backend = started(Backend, ["a", "b"])
    fairlead, port = serve(backend.ports)
    before = owners(port, KEYS[:50])
    epoch = fairlead.get("/epoch")
    good = fairlead.path.read_text()
    for bad in ("version: 1\nlisteners: [\n", good.replace("algorithm: table", "algorithm: tabel"),
                good.replace("bind:", "bnid:"), "", good + good):
        fairlead.reload(bad, good=False)
        assert "reload refused" in fairlead.stderr
    assert 'did you mean "table"' in fairlead.stderr
    assert fairlead.get("/epoch") == epoch
    assert owners(port, KEYS[:50]) == before
    fairlead.reload(good)
    fairlead.finish()


def test_listeners_come_and_go_by_reload(started, serve, directory):
    backend = started(Backend, ["a"])
    fairlead, port = serve(backend.ports)
    second = free_port()
    text = fairlead.path.read_text()
    route = 'routes: [{pool: app}]\n'
    both = text.replace("listeners:\n", "listeners:\n"
                        f'  - {{name: more, bind: "127.0.0.1:{second}", protocol: http}}\n') + route
    fairlead.reload(both)
    assert ask(second)[0] == 200 and ask(port)[0] == 200
    fairlead.reload(text)
    wait_for("the listener to close", lambda: not harness.accepts(second))
    assert ask(port)[0] == 200
    # A port that is taken: refused as a whole.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        fairlead.reload(text.replace("listeners:\n", "listeners:\n  - {name: more, bind: "
                        f'"127.0.0.1:{taken.getsockname()[1]}", protocol: http}}\n') + route,
                        good=False)
    assert ask(port)[0] == 200
    fairlead.finish()


def test_sigterm_lets_a_request_finish(started, serve):
    backend = started(Backend, ["a"])
    fairlead, port = serve(backend.ports)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s, \
            socket.create_connection(("127.0.0.1", port), timeout=20) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        s.sendall(b"GET /?delay=700&size=5 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for("the request to be under way",
                 lambda: any(n["active"] for n in nodes_of(fairlead)))
        fairlead.p.send_signal(signal.SIGTERM)
        assert idle.recv(65536) == b""
        data = b""
        while part := s.recv(65536):
            data += part
        assert data.startswith(b"HTTP/1.1 200") and b"Connection: close" in data
    assert fairlead.p.wait(20) == 0
    assert not harness.SANITIZER.search(fairlead.stderr)


def nodes_of(fairlead):
    found = []

    def walk(value):
        if isinstance(value, dict):
            if "active" in value:
                found.append(value)
            for v in value.values():
                walk(v)
        elif isinstance(value, list):
            for v in value:
                walk(v)

    walk(fairlead.get("/pools"))
    return found


def test_the_access_log_names_key_node_and_attempt(started, serve, directory):
    backend = started(Backend, ["a"])
    dead = free_port()
    path = f"{directory}/access.log"
    fairlead, port = serve({**backend.ports, "b": dead}, workers=1)
    fairlead.reload(fairlead.path.read_text().replace(
        'access: "off"', f'access: "{path}", format: json'), good=None)
    fairlead.finish()
    fairlead = started(harness.Fairlead, fairlead.path.read_text(), directory)
    for i in range(30):
        assert ask(port, f"/x?{i}", headers=[("X-User", f"u{i}"), ("Cookie", "secret=1")])[0] == 200
    ask(port, "/nope", headers=[("X-User", "u\"\\\x7f".replace("\x7f", ""))])
    fairlead.finish()
    text = open(path).read()
    records = [json.loads(line) for line in text.splitlines()]
    assert len(records) == 31
    assert "secret" not in text
    first = records[0]
    assert first["node"] == "a" and first["pool"] == "app" and first["status"] == 200
    assert "header:x-user" in json.dumps(first)
    # Keys of the dead node b took two attempts.
    assert any(r["attempt"] == 2 for r in records) and any(r["attempt"] == 1 for r in records)


def test_host_names_are_resolved(started, serve):
    backend = started(Backend, ["a"])
    row = {"a": f'{{name: a, address: "localhost:{backend.ports["a"]}"}}'}
    fairlead, port = serve(row)
    wait_for("localhost to be resolved", lambda: ask(port)[0] == 200)
    assert ask(port)[1]["x-node"] == "a"
    fairlead.finish()


def test_no_node_and_no_route_answers(serve):
    fairlead, port = serve({"a": free_port()})
    status, _, body = ask(port)
    assert status == 502 and b"refused" in body
    fairlead.finish()


def test_io_uring_serves_the_same(started, serve):
    backend = started(Backend, NAMES)
    fairlead, port = serve(backend.ports, extra="loop: io_uring")
    if "io_uring is not available" in fairlead.stderr:
        pytest.skip("the kernel has no io_uring")
    out = subprocess.run([harness.TOOLS / "traffic", "--target", f"127.0.0.1:{port}", "--requests",
                          "3000", "--connections", "16", "--json"], capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr
    fairlead.finish()


def test_serve_refuses_a_bad_file_with_line_and_column(directory):
    path = f"{directory}/bad.yaml"
    open(path, "w").write("version: 1\nlisteners:\n  - {name: web, bnd: ':80'}\n")
    run = subprocess.run([harness.FAIRLEAD, "serve", "-c", path], capture_output=True, text=True)
    assert run.returncode == 2
    assert re.search(r"bad\.yaml:3:\d+: error: .*did you mean \"bind\"", run.stderr), run.stderr
