"""Every stream of the hostile table through the running proxy: refused with the right status,
the connection closed, and nothing of it seen by a node."""
import re
import socket

import pytest

import harness
from harness import Backend, ROOT

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def unescape(text):
    """The table's bytes column (see the head of http1.tbl)."""
    def plain(part):
        out, i = b"", 0
        while i < len(part):
            if part[i] != "\\":
                out += part[i].encode("latin-1")
                i += 1
            elif part[i + 1] == "x":
                out += bytes([int(part[i + 2:i + 4], 16)])
                i += 4
            else:
                out += ESCAPES[part[i + 1]]
                i += 2
        return out

    out, at = b"", 0
    for m in re.finditer(r"\\\((\d+)\|(.*?)\\\)", text):
        out += plain(text[at:m.start()]) + int(m[1]) * plain(m[2])
        at = m.end()
    return out + plain(text[at:])


def table():
    for line in (ROOT / "tests/hostile/http1.tbl").read_text("latin-1").splitlines():
        if line and not line.startswith("#"):
            name, expect, good, data = line.split("\t", 3)
            yield name, expect, int(good), unescape(data)


def answers(data):
    """Status codes of the final answers in what came back (bodies here have no status lines)."""
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data) if not s.startswith(b"1")]


def exchange(port, data, cut, half_close):
    """Sends `data`; everything that came back until the other end closed. What is refused must be
    closed without our help; what is not gets a half-close, so that the end is seen."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        try:
            if cut:
                s.sendall(data[:cut])
                s.sendall(data[cut:])
            else:
                s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        back = b""
        try:
            while part := s.recv(65536):
                back += part
        except ConnectionResetError:
            pass
        return back


def test_the_hostile_table(started, serve):
    backend = started(Backend, ["a", "b"])
    fairlead, port = serve(backend.ports, workers=2)
    rows = list(table())
    assert sum(expect.isdigit() for _, expect, _, _ in rows) >= 60
    passed = 0
    for name, expect, good, data in rows:
        for cut in (None, len(data) // 2):
            got = answers(exchange(port, data, cut, not expect.isdigit()))
            want = {"ok": [], "wait": [], "body": [400]}.get(expect)
            want = [int(expect)] if want is None else want
            oks, last = got[:good], got[good:]
            assert all(200 <= s < 300 for s in oks) and len(oks) == good, (name, got, expect)
            # A body that breaks off or breaks its framing may also just be cut, and one that is
            # announced as larger than the limit need not be waited for.
            assert last == want or (expect, last) in (("body", []), ("wait", [413])), (name, got)
            passed += good
    fairlead.finish()
    counts = backend.counts()
    text = str(counts)
    malformed = sum(int(n) for n in re.findall(r"'malformed': (\d+)", text))
    seen = sum(int(n) for n in re.findall(r"'requests': (\d+)", text))
    assert malformed == 0, counts
    assert seen == passed, (seen, passed, counts)


@pytest.mark.parametrize("split", [1, 7])
def test_a_head_that_trickles_in_is_one_request(started, serve, split):
    backend = started(Backend, ["a"])
    fairlead, port = serve(backend.ports)
    data = b"GET /?size=3&seed=1 HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 300 + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(data), split):
            s.sendall(data[i:i + split])
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
    fairlead.finish()
