"""`fairlead verify` against servers that answer in every way, and in no way."""
import contextlib
import json
import re
import socket
import socketserver
import subprocess
import threading
import time
from urllib.parse import unquote_to_bytes

import pytest

from harness import FAIRLEAD, free_port

NODES = ["--algorithm", "table", "--node", "a", "--node", "b", "--node", "c=2"]
KEYS = [f"key-{i}" for i in range(60)]


def lookup(keys, *nodes):
    done = subprocess.run([FAIRLEAD, "lookup", *(nodes or NODES), "--keys-file", "-"],
                          input=b"".join(k + b"\n" for k in keys), stdout=subprocess.PIPE,
                          check=True)
    return dict(line.rsplit(b"\t", 1) for line in done.stdout.splitlines())


class Server(socketserver.ThreadingTCPServer):
    """Answers requests by `answer(target, fields, connection's number of the request)`: bytes, or
    None to close the connection. Closes when the answer says so."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.requests, self.connections = answer, [], 0
        self.lock = threading.Lock()

    @property
    def port(self):
        return self.server_address[1]


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with self.server.lock:
            self.server.connections += 1
        count = 0
        while (line := self.rfile.readline()):
            target = line.split()[1]
            fields = {}
            while (field := self.rfile.readline().rstrip(b"\r\n")):
                name, _, value = field.partition(b":")
                fields[name.lower()] = value.strip()
            with self.server.lock:
                self.server.requests.append((target, fields))
            answer = self.server.answer(target, fields, count)
            count += 1
            if answer is None:
                return
            self.wfile.write(answer)
            if b"Connection: close" in answer:
                return


@contextlib.contextmanager
def serving(answer):
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def whole(body=b"", status=b"200 OK", more=b""):
    return (b"HTTP/1.1 " + status + b"\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body)
            + body)


def key_of(target):
    return unquote_to_bytes(target.partition(b"?k=")[2])


def verify(*args, keys=KEYS, nodes=None, **kwargs):
    keys = [k if isinstance(k, bytes) else k.encode() for k in keys]
    return subprocess.run(
        [FAIRLEAD, "verify", *(NODES if nodes is None else nodes), "--rate", "100000",
         "--keys-file", "-", *args], input=b"".join(k + b"\n" for k in keys),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False, **kwargs)


def url(port, rest="/?k={key}"):
    return ["--url", f"http://127.0.0.1:{port}{rest}"]


def facts(done):
    return json.loads(done.stdout)["facts"]


OWNERS = lookup([k.encode() for k in KEYS])


# ---- how an answer names its node ----

def by_header(target, _fields, _count):
    return whole(b"x" * 100000, more=b"x-NODE:  " + OWNERS[key_of(target)] + b" \r\n")


def by_body(target, _fields, _count):
    return whole(b"\r\n  " + OWNERS[key_of(target)] + b"\n")


def by_pattern(target, _fields, _count):
    return whole(b"<p>served by [" + OWNERS[key_of(target)] + b"]</p>")


def by_chunks(target, _fields, _count):
    name = OWNERS[key_of(target)]
    return (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Node: z\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\n" + name[:1] + b"\r\n2;x=y\r\n\n\n\r\n0\r\nX-Node: z\r\n\r\n")


def until_the_end(target, _fields, _count):
    return (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + OWNERS[key_of(target)])


def by_header_of_an_error(target, _fields, _count):
    return whole(b"", b"404 Not Found", b"X-Node: " + OWNERS[key_of(target)] + b"\r\n")


def closing_in_between(target, _fields, count):
    """Takes the third request of a connection, and closes without a word."""
    return None if count == 2 else by_body(target, _fields, count)


@pytest.mark.parametrize("answer, how", [
    (by_header, ["--node-header", "X-Node"]),
    (by_body, ["--node-body"]),
    (by_pattern, ["--node-pattern", r"\[([abc])\]"]),
    (by_header, ["--node-header", "X-Node", "--node-pattern", "^(.)"]),
    (by_chunks, ["--node-body"]),
    (until_the_end, ["--node-body"]),
    (by_header_of_an_error, ["--node-header", "X-Node"]),
    (closing_in_between, ["--node-body"]),
])
def test_answers_are_understood(answer, how):
    with serving(answer) as server:
        done = verify(*url(server.port), *how, "--json")
    assert done.returncode == 0, done.stderr
    assert facts(done)["matches"] == len(KEYS)
    assert not done.stderr


def test_connections_are_kept_and_no_more_than_wanted():
    with serving(by_body) as server:
        assert verify(*url(server.port), "--node-body", "--concurrency", "3").returncode == 0
        assert 1 <= server.connections <= 3
        assert len(server.requests) == len(KEYS)


def test_the_rate_is_a_bound():
    with serving(by_body) as server:
        begun = time.monotonic()
        done = verify("--rate", "40", *url(server.port), "--node-body", "--concurrency", "16",
                      keys=KEYS[:40])
        assert done.returncode == 0, done.stderr
        # The first goes at once, and never are more than 50 ms (2 requests) made up for.
        assert time.monotonic() - begun > 36 / 40


# ---- how a request holds the key ----

ODD = [b"a b", b"100%", b"\xc3\xa9\xff", b"/x/y?z=1&w", b"#", b"=;,\"", b"", b"plain"]


def test_keys_are_encoded_in_an_url_and_raw_elsewhere():
    keys = [k for k in ODD if k]
    owners = lookup(keys)
    with serving(lambda t, f, c: whole(owners[key_of(t)])) as server:
        assert verify(*url(server.port), "--node-body", keys=keys).returncode == 0
        assert sorted(key_of(t) for t, _ in server.requests) == sorted(keys)
        assert all(re.fullmatch(rb"/\?k=([A-Za-z0-9._~-]|%[0-9A-F]{2})*", t)
                   for t, _ in server.requests)
        host = server.requests[0][1][b"host"]
        assert host == f"127.0.0.1:{server.port}".encode()
    with serving(lambda t, f, c: whole(owners[f[b"x-key"]])) as server:
        done = verify(*url(server.port, "?x=1"), "--header", "X-Key: {key}", "--header",
                      "Host: shop.example", "--node-body", keys=keys)
        assert done.returncode == 0, done.stderr
        assert sorted(f[b"x-key"] for _, f in server.requests) == sorted(keys)
        assert server.requests[0][1][b"host"] == b"shop.example"
        assert server.requests[0][0] == b"/?x=1"


def test_a_key_that_a_place_cannot_hold_is_not_sent_and_told():
    keys = [b"a b", b"/x/y?z=1&w", b"plain", b"semi;colon", b"\x01", b" edge"]
    owners = lookup(keys)
    with serving(lambda t, f, c: whole(owners[t])) as server:
        done = verify(*url(server.port, "{raw}"), "--node-body", "--json",
                      keys=[b"/x/y?z=1&w", b"/a b", b"/c#d", b"plain"])
        assert done.returncode == 0, done.stderr
        assert [t for t, _ in server.requests] == [b"/x/y?z=1&w"]
        assert facts(done)["unsent"] == 3 and facts(done)["matches"] == 1
    with serving(lambda t, f, c: whole(owners[f[b"cookie"].split(b"user=")[1]])) as server:
        done = verify(*url(server.port, "/"), "--cookie", "a=1", "--cookie", "user={key}",
                      "--node-body", keys=keys)
        assert done.returncode == 0, done.stderr
        assert sorted(f[b"cookie"] for _, f in server.requests) == [
            b"a=1; user=/x/y?z=1&w", b"a=1; user=plain"]
        assert b"cannot have" in done.stdout and b"4 keys cannot be sent" in done.stdout
    with serving(lambda t, f, c: whole(owners[f[b"x"]])) as server:
        assert verify(*url(server.port, "/"), "--header", "X: {key}", "--node-body",
                      keys=keys).returncode == 0
        assert sorted(f[b"x"] for _, f in server.requests) == sorted(
            [b"a b", b"/x/y?z=1&w", b"plain", b"semi;colon"])


def test_different_keys_are_asked_once_and_no_more_than_the_limit():
    with serving(by_body) as server:
        done = verify(*url(server.port), "--node-body", "--limit", "5", "--json",
                      keys=KEYS[:3] * 3 + KEYS)
        assert done.returncode == 0
        assert sorted(key_of(t).decode() for t, _ in server.requests) == KEYS[:5]
        assert facts(done)["keys"] == 5 and "limit" in facts(done)


def test_keys_of_an_access_log(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(
        f'10.0.0.{i} - - [10/Oct/2025:13:55:36 +0000] "GET /{k} HTTP/1.1" 200 5 "-" "curl"\n'
        for i, k in enumerate(KEYS)) * 2)
    owners = lookup([f"/{k}".encode() for k in KEYS])
    with serving(lambda t, f, c: whole(owners[t])) as server:
        done = subprocess.run(
            [FAIRLEAD, "verify", *NODES, "--log", log, "--key", "path", "--rate", "100000",
             *url(server.port, "{raw}"), "--node-body"], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == len(KEYS)


# ---- mismatches ----

def test_mismatches_are_told_by_pair_with_examples():
    def swapped(target, _fields, _count):
        return whole({b"a": b"b"}.get(OWNERS[key_of(target)], OWNERS[key_of(target)]))

    moved = [k for k in KEYS if OWNERS[k.encode()] == b"a"]
    with serving(swapped) as server:
        done = verify(*url(server.port), "--node-body", "--csv", "mismatches.pairs")
        assert done.returncode == 1 and not done.stderr
        assert done.stdout.decode().splitlines()[1].startswith(f"a,b,{len(moved)},")
        done = verify(*url(server.port), "--node-body", "--csv", "mismatches.examples")
        rows = [line.split(",") for line in done.stdout.decode().splitlines()[1:]]
        assert len(rows) == min(20, len(moved))
        assert all(key in moved and (want, got) == ("a", "b") for key, want, got in rows)
        share = len(moved) / len(KEYS)
        for most, status in ((share + 0.001, 0), (share - 0.001, 1)):
            assert verify(*url(server.port), "--node-body", "--max-mismatch",
                          f"{most:.4f}").returncode == status
        # What an answer means can be said.
        text = verify(*url(server.port), "--node-body").stdout.decode()
        assert f"{len(moved)} of 60 keys" in text


def test_answers_go_by_name_then_address_then_map():
    def numbered(target, _fields, _count):
        return whole({b"a": b"10.0.0.1:80", b"b": b"two", b"c": b"c"}[OWNERS[key_of(target)]])

    nodes = ["--node", "a,addr=10.0.0.1:80", "--node", "b,addr=10.0.0.2:80", "--node", "c=2"]
    with serving(numbered) as server:
        done = verify(*url(server.port), "--node-body", nodes=nodes)
        assert done.returncode == 1
        assert b"name no node of the pool" in done.stdout and b"two" in done.stdout
        done = verify(*url(server.port), "--node-body", "--map", "two=b", nodes=nodes)
        assert done.returncode == 0, done.stdout
        done = verify(*url(server.port), "--node-body", "--map", "two=nobody", nodes=nodes)
        assert done.returncode == 2 and b'"nobody"' in done.stderr
        # An address of two nodes is nobody's.
        done = verify(*url(server.port), "--node-body", "--map", "two=b",
                      nodes=[n.replace("10.0.0.2", "10.0.0.1") for n in nodes])
        assert done.returncode == 1


def test_a_node_that_is_down_is_passed_over():
    owners = lookup([k.encode() for k in KEYS], *NODES, "--down", "b")
    with serving(lambda t, f, c: whole(owners[key_of(t)])) as server:
        assert verify(*url(server.port), "--node-body").returncode == 1
        assert verify(*url(server.port), "--node-body", "--down", "b").returncode == 0


# ---- failures ----

@pytest.mark.parametrize("answer, how, words", [
    (lambda t, f, c: None, ["--node-body"], "without an answer"),
    (lambda t, f, c: whole(b"a"), ["--node-header", "X-Node"], "status 200, without X-Node"),
    (lambda t, f, c: whole(b"a", b"502 Bad Gateway"), ["--node-body"], "status 502"),
    (lambda t, f, c: whole(b" \n"), ["--node-body"], "is empty"),
    (lambda t, f, c: whole(b"a" * 300), ["--node-body"], "is no name"),
    (lambda t, f, c: whole(b"a" * 100000), ["--node-body"], "longer than a name"),
    (lambda t, f, c: whole(b"zzz"), ["--node-pattern", "(a)"], "does not match"),
    (lambda t, f, c: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\na",
     ["--node-body"], "was cut"),
    (lambda t, f, c: b"SSH-2.0-OpenSSH\r\n\r\n", ["--node-body"], "not HTTP"),
])
def test_a_balancer_that_does_not_answer_so_cannot_be_verified(answer, how, words):
    with serving(answer) as server:
        done = verify(*url(server.port), *how)
        assert done.returncode == 2 and not done.stdout
        assert words in done.stderr.decode()
        # It is not asked on and on.
        assert len(server.requests) <= 2 * (20 + 4)


def test_nobody_listens():
    done = verify(*url(free_port()), "--node-body")
    assert done.returncode == 2 and b"no connection: Connection refused" in done.stderr


def test_a_silent_balancer_costs_the_timeout():
    with serving(lambda t, f, c: time.sleep(3)) as server:
        done = verify(*url(server.port), "--node-body", "--timeout", "100ms", keys=KEYS[:6])
        assert done.returncode == 2 and b"no answer in time" in done.stderr


def test_some_failures_are_told_and_are_no_success():
    def flaky(target, fields, count):
        return whole(b"", b"503 Busy") if key_of(target) == b"key-7" else by_body(
            target, fields, count)

    with serving(flaky) as server:
        done = verify(*url(server.port), "--node-body", "--csv", "failures.reasons")
        assert done.returncode == 2 and not done.stderr
        assert done.stdout.decode().splitlines()[1:] == ["status 503,1,key-7"]


def test_a_balancer_that_went_away_gets_no_more_requests():
    """Answers ten keys, then closes on everybody."""
    def dying(target, fields, count):
        return by_body(target, fields, count) if len(server.requests) <= 10 else None

    with serving(dying) as server:
        done = verify(*url(server.port), "--node-body", "--json", "--concurrency", "1")
        assert done.returncode == 2
        assert facts(done)["matches"] == 10 and facts(done)["failed"] == 20


@pytest.mark.parametrize("args, words", [
    (["--node-body"], "--url"),
    (["--url", "https://127.0.0.1/{key}", "--node-body"], "https is not spoken"),
    (["--url", "ftp://127.0.0.1/{key}", "--node-body"], "http://HOST"),
    (["--url", "http://127.0.0.1:99999/{key}", "--node-body"], "HOST[:PORT]"),
    (["--url", "http://u:p@127.0.0.1/{key}", "--node-body"], "HOST[:PORT]"),
    (["--url", "http://127.0.0.1/a b{key}", "--node-body"], "blanks"),
    (["--url", "http://127.0.0.1{key}", "--node-body"], "slash"),
    (["--url", "http://127.0.0.1/", "--node-body"], "{key}"),
    (["--url", "http://127.0.0.1/{key}"], "--node-header"),
    (["--url", "http://127.0.0.1/{key}", "--node-body", "--node-header", "X"], "not both"),
    (["--url", "http://127.0.0.1/{key}", "--node-pattern", "a"], "group"),
    (["--url", "http://127.0.0.1/{key}", "--node-pattern", "(a"], "--node-pattern"),
    (["--url", "http://127.0.0.1/{key}", "--header", "X-Key {key}"], "Name: value"),
    (["--url", "http://127.0.0.1/{key}", "--header", "X: a\r\nY: b"], "Name: value"),
    (["--url", "http://127.0.0.1/{key}", "--header", "Connection: close"], "Connection is set"),
    (["--url", "http://127.0.0.1/{key}", "--header", "Cookie: a=b"], "--cookie"),
    (["--url", "http://127.0.0.1/{key}", "--cookie", "a=b;c"], "NAME=VALUE"),
    (["--url", "http://127.0.0.1/{key}", "--node-body", "--map", "a"], "ANSWER=NODE"),
    (["--url", "http://127.0.0.1/{key}", "--node-body", "--map", "x=a", "--map", "x=b"],
     "mapped twice"),
    (["--url", "http://127.0.0.1/{key}", "--rate", "0"], "--rate"),
    (["--url", "http://127.0.0.1/{key}", "--concurrency", "1000"], "--concurrency"),
    (["--url", "http://127.0.0.1/{key}", "--limit", "-1"], "--limit"),
    (["--url", "http://127.0.0.1/{key}", "--timeout", "1h"], "--timeout"),
    (["--url", "http://127.0.0.1/{key}", "--max-mismatch", "2"], "--max-mismatch"),
])
def test_the_command_line_is_checked(args, words):
    done = verify(*args)
    assert done.returncode == 2 and not done.stdout
    assert words in done.stderr.decode(), done.stderr


def test_there_must_be_keys():
    done = verify("--url", "http://127.0.0.1/{key}", "--node-body", keys=[])
    assert done.returncode == 2 and b"there are no keys" in done.stderr
