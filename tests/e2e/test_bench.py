"""Whether the proxy bench measures what it says: its load generator sees answers that are wrong,
its counts are the nodes' counts, a fixed rate is fixed, and a run leaves nothing behind.

FAIRLEAD_BENCH names the folder of the bench programs, which only a release build has."""
import contextlib
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import harness
from harness import ROOT

BENCH = Path(os.environ.get("FAIRLEAD_BENCH", ROOT / "build/release/bench"))
PROXY = ROOT / "bench/proxy.py"
PR_SET_CHILD_SUBREAPER = 36

sys.path.insert(0, str(ROOT / "bench"))
from proxy import balancers, check, processes, report, rows, targets  # noqa: E402


def load(port, *options):
    """What the load generator says of one run."""
    done = subprocess.run([BENCH / "load", "--port", str(port), *map(str, options)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0
    return json.loads(done.stdout)


def errors(result):
    return {kind: n for kind, n in result["errors"].items() if n}


class Gated:
    """The load generator at its gate."""

    def __init__(self, port, *options):
        self.p = subprocess.Popen(
            [BENCH / "load", "--gate", "--port", str(port), *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.p.stdout.readline() == "ready\n"

    def go(self):
        self.p.stdin.write("go\n")
        self.p.stdin.flush()
        result = json.loads(self.p.stdout.readline())
        assert self.p.stdout.readline() == "ready\n"
        return result

    def abort(self):
        """In the midst of a round."""
        self.p.stdin.write("go\n")
        self.p.stdin.flush()
        time.sleep(0.05)
        self.p.kill()
        self.p.wait()

    def kill(self):
        self.p.stdin.close()
        if self.p.returncode is None:
            assert self.p.wait(timeout=10) == 0
        self.p.stdout.close()


class Answer:
    """bench/answer with nodes on free ports."""

    def __init__(self, *options, nodes=2):
        self.ports = [harness.free_port() for _ in range(nodes)]
        self.p = subprocess.Popen(
            [BENCH / "answer", *map(str, options), *map(str, self.ports)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for port in self.ports:
            harness.wait_for("a node to listen", lambda port=port: harness.accepts(port))

    def order(self, text):
        self.p.stdin.write(text + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def kill(self):
        # The end of its orders is its end.
        self.p.stdin.close()
        assert self.p.wait(timeout=10) == 0
        self.p.stdout.close()


class Server:
    """Gives each connection to `handle` (in a thread), which is handed the socket."""

    def __init__(self, handle):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.handle = handle
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.handle(connection)

    def kill(self):
        self.listener.close()


def heads(connection, count=1):
    """Waits for so many request heads; False when the client has gone."""
    got = b""
    while got.count(b"\r\n\r\n") < count:
        more = connection.recv(65536)
        if not more:
            return False
        got += more
    return True


def sized(body, length=None):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (
        len(body) if length is None else length) + body


def answers(*given, pause=None):
    """A handler that gives these answers in turn, the last of them for ever."""
    def handle(connection):
        number = 0
        while heads(connection):
            pieces = given[min(number, len(given) - 1)]
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)
            number += 1
    return handle


LARGE = 5_000_000
LOADS = {
    "closed": ([], ["--connections", 20]),
    "one": ([], ["--connections", 1]),
    "deep": ([], ["--connections", 10, "--depth", 8]),
    "fresh": ([], ["--connections", 10, "--fresh"]),
    "query": ([], ["--connections", 10, "--key", "query", "--keys", 7]),
    "upload": ([], ["--connections", 4, "--upload", 300_000]),
    "chunked": (["--chunked"], ["--connections", 10, "--depth", 3]),
    "chunked-one": (["--chunked"], ["--connections", 1]),
}


@pytest.mark.parametrize("kind, body", [
    *((kind, body) for kind in LOADS for body in (0, 76)), ("one", LARGE), ("chunked-one", LARGE)])
def test_counts_are_the_nodes_counts(started, kind, body):
    serving, loading = LOADS[kind]
    node = started(Answer, *serving, body)
    before = node.order("counts")
    result = load(node.ports[1], "--seconds", 0.1, "--expect", body, *loading)
    assert errors(result) == {}
    answered = result["requests"] + result["late"]
    after = node.order("counts")
    assert after["requests"] == answered + result["warmup"] > 0
    assert result["bytes"] == answered * body
    uploaded = 300_000 if kind == "upload" else 0
    assert after["body_bytes"] == after["requests"] * uploaded
    connections = after["connections"] - before["connections"]
    assert connections == (after["requests"] if kind == "fresh" else loading[1])


@pytest.mark.parametrize("serving", [[], ["--chunked"]])
def test_a_body_is_whole_however_slowly_it_is_taken(started, serving):
    node = started(Answer, *serving, LARGE)
    connection = http.client.HTTPConnection("127.0.0.1", node.ports[0], timeout=20)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sock.connect(("127.0.0.1", node.ports[0]))
    connection.request("GET", "/")
    assert connection.getresponse().read() == check.wanted_body(LARGE)
    connection.close()


def test_a_wrong_length_is_an_error(started):
    node = started(Answer, 76)
    result = load(node.ports[0], "--seconds", 0.05, "--expect", 77, "--connections", 1)
    assert set(errors(result)) == {"length"} and result["requests"] == 0


@pytest.mark.parametrize("answer, body", [
    (sized(b"abc"), 3),
    (sized(b""), 0),
    (b"HTTP/1.1 200 OK\r\nserver: x\r\ncONTENT-lENGTH:5\r\n\r\nabcde", 5),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"3\r\nabc\r\nA;name=\"va;lue\"\r\n0123456789\r\n0a ;x\r\n0123456789\r\n0\r\n\r\n", 23),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding:Chunked\r\n\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n", 0),
], ids=["length", "empty", "odd-name", "chunked", "trailers"])
def test_answers_end_where_they_end_however_they_are_cut(started, answer, body):
    whole = [answer]
    each_byte = [answer[i:i + 1] for i in range(len(answer))]
    halves = [answer[:-3], answer[-3:]]
    for pieces in (whole, each_byte, halves):
        server = started(Server, answers(pieces, pause=0.002 if len(pieces) > 1 else None))
        result = load(server.port, "--connections", 1, "--seconds", 0.01, "--expect", body)
        assert errors(result) == {} and result["warmup"] == 1
        assert result["requests"] + result["late"] >= 1


def test_answers_to_a_batch_end_wherever_receives_do(started):
    def handle(connection):
        while heads(connection, 8):  # none is answered before all have come
            for at in range(0, len(all_eight), 97):
                connection.sendall(all_eight[at:at + 97])
    all_eight = sized(b"x" * 50) * 8
    server = started(Server, handle)
    result = load(server.port, "--connections", 2, "--depth", 8, "--seconds", 0.02, "--expect", 50)
    assert errors(result) == {} and result["warmup"] == 16
    assert (result["requests"] + result["late"]) % 8 == 0


@pytest.mark.parametrize("second, kind", [
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nabc", "status"),
    (sized(b"ab"), "length"),
    (b"HTTP/1.1 200 OK\r\n\r\nabc", "unclear"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "unclear"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc", "unclear"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n", "unclear"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "unclear"),
    (sized(b"abc") + sized(b"abc"), "unclear"),
    (b"nonsense\r\n\r\n" * 3, "unclear"),
], ids=["status", "length", "no-length", "both", "not-a-number", "bad-size", "bad-end", "unasked",
        "nonsense"])
def test_a_wrong_answer_is_an_error(started, second, kind):
    server = started(Server, answers(sized(b"abc"), second))
    result = load(server.port, "--connections", 1, "--seconds", 0.02, "--expect", 3)
    assert set(errors(result)) == {kind}


def test_a_connection_that_ends_is_told_from_one_that_breaks(started):
    def breaks(connection):
        if heads(connection):
            connection.sendall(sized(b"abc"))
        if heads(connection):
            connection.sendall(sized(b"ab", 3))

    def ends(connection):
        if heads(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.sendall(sized(b"abc"))  # goes out with the end, in one segment
    result = load(started(Server, breaks).port, "--connections", 1, "--seconds", 0.05)
    assert set(errors(result)) == {"broken"}
    result = load(started(Server, ends).port, "--connections", 1, "--rate", 50, "--seconds", 0.5,
                  "--expect", 3)
    assert errors(result) == {} and result["reconnects"] >= 5


def test_what_is_never_answered_is_missed(started):
    """And is not waited for in the next round, which has connections as good as new."""
    def handle(connection):
        if heads(connection):
            connection.sendall(sized(b"abc"))
        heads(connection, 1000)
    load = started(Gated, started(Server, handle).port, "--connections", 3, "--seconds", 0.05)
    result = load.go()
    assert errors(result) == {"unanswered": 3} and result["us"]["max"] >= 2_000_000
    result = load.go()
    assert errors(result) == {"unanswered": 3} and result["requests"] + result["late"] == 3


def test_a_rate_is_kept(started):
    node = started(Answer, 76)
    result = load(node.ports[0], "--rate", 4000, "--seconds", 0.5, "--connections", 10)
    assert errors(result) == {}
    assert abs(result["requests"] + result["late"] - 2000) <= 1


def test_latencies_count_from_when_requests_were_due(started):
    """One stall on the only connection: of the 100 requests, 60 became due while it lasted. Of
    latencies from when they were sent, all but one would be short."""
    def handle(connection):
        for number in range(1000):
            if not heads(connection):
                return
            if number == 10:
                time.sleep(0.6)
            connection.sendall(sized(b"abc"))
    result = load(started(Server, handle).port, "--connections", 1, "--rate", 100, "--seconds", 1)
    assert errors(result) == {} and result["requests"] + result["late"] in (99, 100, 101)
    assert result["us"]["p50"] >= 50_000 and result["us"]["p99"] >= 500_000


def test_each_round_at_the_gate_counts_for_itself(started):
    """Over the same connections; those that ended between rounds are made anew."""
    closing = threading.Event()

    def handle(connection):
        connection.settimeout(0.05)
        while not closing.is_set():
            with contextlib.suppress(socket.timeout):
                if not heads(connection):
                    return
                connection.sendall(sized(b"abc"))
    server = started(Server, handle)
    load = started(Gated, server.port, "--connections", 5, "--seconds", 0.05, "--expect", 3)

    def go():
        result = load.go()
        assert errors(result) == {} and result["requests"] + result["late"] > 0
        assert result["bytes"] == 3 * (result["requests"] + result["late"])
        return result["warmup"], result["reconnects"]
    assert go() == (5, 0)
    assert go() == (0, 0)
    threads = [t for t in threading.enumerate() if t.name.endswith("(serve)")]
    closing.set()
    for thread in threads:
        thread.join()
    closing.clear()
    assert go() == (0, 5)


@pytest.mark.parametrize("kind", ["--idle", "--held"])
def test_many_connections_are_held(started, kind):
    node = started(Answer, 76)
    counted = node.order("hold" if kind == "--held" else "counts")
    load = started(Gated, node.ports[0], "--connections", 300, kind)
    harness.wait_for("all requests", lambda: node.order("counts")["requests"] == 300)
    result = load.go()
    assert result["open"] == 300 and errors(result) == {}
    assert result["warmup"] == (0 if kind == "--held" else 300)
    assert node.order("counts")["connections"] - counted["connections"] == 300


class Relay:
    def __init__(self, program, ports):
        self.port = harness.free_port()
        self.p = subprocess.Popen([BENCH / program, str(self.port), *map(str, ports)])
        harness.wait_for("the relay to listen", lambda: harness.accepts(self.port))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def kill(self):
        self.p.kill()
        self.p.wait()


@pytest.mark.parametrize("program", ["relay", "relay_uring"])
def test_a_relay_passes_everything_on_and_forgets_who_left(started, program):
    node = started(Answer, LARGE)
    relay = started(Relay, program, node.ports)
    harness.wait_for("its first connection to end", lambda: node.order("counts")["connections"] >= 3)
    before = relay.descriptors()
    for _ in range(3):
        started(Gated, relay.port, "--connections", 20, "--seconds", 30).abort()
    result = load(relay.port, "--connections", 4, "--upload", 300_000, "--fresh", "--expect", LARGE,
                  "--seconds", 0.05)
    assert errors(result) == {} and result["warmup"] == 4
    harness.wait_for("descriptors to be closed", lambda: relay.descriptors() <= before)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
        harness.wait_for("its node to be there", lambda: relay.descriptors() > before)
        node.kill()
        assert client.recv(1) == b""


@contextlib.contextmanager
def adopting():
    """Whatever loses its parent becomes a child of this process, where it can be seen."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def children():
    found = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError):  # a thread that has ended
            found |= set(map(int, Path(f"/proc/self/task/{task}/children").read_text().split()))
    return found


def remaining(before):
    """Children that are new and alive; the dead ones are buried."""
    for pid in children() - before:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return children() - before


def proxy(directory, *options):
    return subprocess.Popen(
        ["/usr/bin/python3", PROXY, "--rounds", "1", "--seconds", "0.05", "--tools", BENCH,
         "--fairlead", ROOT / "build/release/fairlead", *options],
        env={**os.environ, "TMPDIR": directory}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)


@pytest.mark.parametrize("how", ["end", "SIGTERM"])
def test_a_run_ends_and_leaves_nothing(directory, how):
    before = children()
    with adopting():
        p = proxy(directory, "--row", "keepalive", "--json", directory + "/json",
                  "--markdown", directory + "/markdown")
        if how == "SIGTERM":
            harness.wait_for("balancers", lambda: list(Path(directory).glob("*/*/haproxy.cfg")))
            p.send_signal(signal.SIGTERM)
        out, _ = p.communicate(timeout=60)
        harness.wait_for(f"all processes to end: {out}", lambda: not remaining(before))
    assert not list(Path(directory).glob("fairlead-bench-*"))
    if how == "SIGTERM":
        assert p.returncode == 143
        return
    assert p.returncode == 0, out
    result, = json.loads(Path(directory, "json").read_text())["results"]
    assert list(result["rounds"]) == rows.EVERYBODY.split()
    for name, rounds in result["rounds"].items():
        assert all(r["answered"] > 0 and r["cpu_us"] > 0 and not r["errors"] for r in rounds), name
    text = Path(directory, "markdown").read_text()
    assert "| Fairlead, io_uring |" in text and "keepalive: CPU, Fairlead / nginx" in out


def test_wrong_answers_are_noticed_before_anything_is_measured(directory):
    tools = Path(directory, "tools")
    tools.mkdir()
    for name in ("answer", "load", "relay_uring"):
        (tools / name).symlink_to(BENCH / name)
    (tools / "relay").write_text(
        "#!/usr/bin/python3\n"
        "import http.server, sys\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.send_header('Content-Length', '76')\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'x' * 76)\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n")
    (tools / "relay").chmod(0o755)
    out, _ = proxy(directory, "--row", "keepalive", "--tools", tools).communicate(timeout=60)
    assert "relay, row keepalive: key u0 is answered with status 200 and 76 bytes that are wrong" in out


@pytest.mark.parametrize("kind, raised", [("relay_uring", balancers.Missing), ("relay", SystemExit)])
def test_only_a_relay_that_the_kernel_may_refuse_is_left_out(kind, raised):
    started = processes.Processes()
    balancer = balancers.Balancer(kind, kind, kind)
    balancer.port = harness.free_port()
    with pytest.raises(raised, match="does not listen"):
        balancer.start(started, ["/bin/false"])
    started.end()


def test_rows_say_what_is_wrong_with_them(directory, monkeypatch):
    assert [row.name for row in rows.read_rows(quick=True)][0] == "keepalive"
    monkeypatch.setattr(rows, "FOLDER", directory)
    Path(directory, "a.row").write_text("[row]\ntitle = t\nbodies = 3\n")
    with pytest.raises(SystemExit, match="no such key: bodies"):
        rows.read_rows()
    with pytest.raises(SystemExit, match="no such row: b"):
        Path(directory, "a.row").write_text("[row]\ntitle = t\nfresh = yes\nconnections = 3\n")
        rows.read_rows(["b"])
    assert rows.read_rows() == [rows.Row("a", "t", fresh=True, connections=3)]


def made_up(name, **cpu):
    """A result of the row with these CPU figures, round by round."""
    row = {"name": name, "title": "t", "about": "a", "rate": "", "algorithms": (),
           "connections": 64}
    return {"row": row, "notes": [], "labels": {b: b for b in cpu}, "rounds": {
        b: [{"rps": 1, "cpu_us": us, "busy": 1, "p50_us": 1, "p99_us": 1, "p999_us": 1,
             "answered": 1, "reconnects": 0, "errors": {}} for us in figures]
        for b, figures in cpu.items()}}


def test_ratios_are_of_rounds_and_targets_of_ratios():
    # On a machine that changes its speed between rounds, medians alone would give 2.
    result = made_up("keepalive", relay=[10, 10, 20], nginx=[12.5, 25, 30], fairlead=[10, 20, 30])
    assert report.ratio(result, "fairlead", "relay") == 1.5
    assert report.ratio(result, "fairlead", "nginx") == 0.8
    assert report.ratio(result, "fairlead", "haproxy") is None
    assert [line[1:] for line in targets.targets([result])] == [
        ["1.15", "1.50", "MISSED"], ["0.80", "0.80", "met"]]


def test_errors_are_loud():
    result = made_up("keepalive", relay=[1], fairlead=[1])
    assert "ERRORS" not in report.text(result)
    assert "fairlead kept" not in report.text(result)
    result["rounds"]["fairlead"][0]["busy"] = 0.7
    assert "fairlead kept only 70% of its CPU busy" in report.text(result)
    result["rounds"]["fairlead"][0]["errors"] = {"status": 3}
    assert "!! ERRORS: fairlead: 3 status" in report.text(result)
    assert "**ERRORS: fairlead: 3 status" in report.markdown("h", [result], [])
