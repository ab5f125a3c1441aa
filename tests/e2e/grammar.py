"""A seeded grammar of HTTP/1 request streams, mostly hostile.

case(seed, number) gives the same bytes for ever: a failure is reproduced by its two numbers. A
stream is one or two requests whose framing, blanks, line ends, version or chunks were spoilt by
one or two of the operators below, and then a probe, GET /probe: whoever frames the first requests
in another way sees the probe elsewhere, or not at all. Bodies often look like a request, so that
a byte too few is a smuggled request and not just an error.
"""
import random
from dataclasses import dataclass, field

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
BODIES = [b"", b"abc", b"x=1&y=2", b"0\r\n\r\n", b"\r\n", SMUGGLED, b"0\r\n\r\n" + SMUGGLED,
          b"G", b"5\r\nhello\r\n0\r\n\r\n"]
BLANKS = [b" ", b"\t", b"  ", b"\x0b", b"\x0c", b"\xa0", b"\r", b"\0", b"\x85", b"\x1f"]
LINE_ENDS = [b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\r", b" \r\n", b"\x85", b"\0\r\n"]


@dataclass
class Request:
    method: bytes = b"GET"
    target: bytes = b"/a"
    version: bytes = b"HTTP/1.1"
    gaps: list = field(default_factory=lambda: [b" ", b" "])
    line_end: bytes = b"\r\n"
    fields: list = field(default_factory=list)  # [name, colon, value, line end]
    blank: bytes = b"\r\n"
    body: bytes = b""       # as it goes over the wire
    before: bytes = b""

    def add(self, name, value, colon=b": ", end=b"\r\n", at=None):
        self.fields.insert(len(self.fields) if at is None else at, [name, colon, value, end])

    def find(self, *names):
        found = [f for f in self.fields if f[0].lower() in names]
        return found or self.fields

    def framing(self, r):
        return r.choice(self.find(b"content-length", b"transfer-encoding"))

    def drop(self, name):
        self.fields = [f for f in self.fields if f[0].lower() != name]

    def wire(self):
        line = self.method + self.gaps[0] + self.target + self.gaps[1] + self.version
        return (self.before + line + self.line_end +
                b"".join(b"".join(f) for f in self.fields) + self.blank + self.body)


def chunk(data, size=None, extension=b"", size_end=b"\r\n", data_end=b"\r\n"):
    size = b"%x" % len(data) if size is None else size
    return size + extension + size_end + data + data_end


def base(r):
    """A correct request."""
    q = Request(target=r.choice([b"/", b"/a", b"/a/b?c=d", b"/%2e", b"/a;b"]))
    q.add(b"Host", b"a")
    if r.random() < 0.3:
        q.add(b"User-Agent", b"grammar")
    kind = r.choice(["none", "length", "chunked", "length", "chunked"])
    q.method = b"GET" if kind == "none" else r.choice([b"POST", b"PUT", b"POST", b"GET"])
    data = r.choice(BODIES)
    if kind == "length":
        q.add(b"Content-Length", b"%d" % len(data))
        q.body = data
    elif kind == "chunked":
        q.add(b"Transfer-Encoding", b"chunked")
        q.body = (chunk(data) if data else b"") + b"0\r\n\r\n"
    return q


def with_length(r, q):
    q.drop(b"transfer-encoding")
    q.drop(b"content-length")
    q.method = b"POST"
    q.body = r.choice(BODIES)
    q.add(b"Content-Length", b"%d" % len(q.body))


def with_chunks(r, q):
    q.drop(b"transfer-encoding")
    q.drop(b"content-length")
    q.method = b"POST"
    q.add(b"Transfer-Encoding", b"chunked")
    q.body = chunk(r.choice(BODIES[1:])) + b"0\r\n\r\n"


# ---- operators: each spoils a request in one way ----

def length_value(r, q):
    with_length(r, q)
    n = b"%d" % len(q.body)
    q.find(b"content-length")[0][2] = r.choice([
        b"+" + n, b"-" + n, b"0x" + n, b"0" * 5 + n, b"0" * 30 + n, n + b", " + n, n + b"," + n,
        n + b",0", b"0," + n, n + b";a", b'"' + n + b'"', n + b".0", n + b" 0", n + b"\t", b"",
        b" ", b"-0", b"1e1", b"18446744073709551616", b"18446744073709551615",
        b"9223372036854775808", b"\xd9\xa3", n + b"\0", n + b"\x0b", b"\x0b" + n, n + b"a",
        b"%d" % (len(q.body) + 1), b"%d" % max(0, len(q.body) - 1), b"0"])


def length_twice(r, q):
    with_length(r, q)
    n = len(q.body)
    other = r.choice([n, n, 0, n + 1, n + 36])
    q.add(r.choice([b"Content-Length", b"content-length", b"Content_Length"]), b"%d" % other,
          at=r.randrange(len(q.fields) + 1))


def coding_value(r, q):
    with_chunks(r, q)
    q.find(b"transfer-encoding")[0][2] = r.choice([
        b"Chunked", b"CHUNKED", b"xchunked", b"chunkedx", b"identity", b"gzip", b"gzip, chunked",
        b"chunked, gzip", b"chunked, identity", b"identity, chunked", b"chunked, chunked",
        b"chunked,chunked", b",chunked", b"chunked,", b"chunked , ", b"chunked;q=1", b"chunked ;a",
        b'"chunked"', b"'chunked'", b"chunked\t", b"\tchunked", b"\x0bchunked", b"chunked\x0c",
        b"chunked\0", b"\0chunked", b"chun\0ked", b"chunked\xa0", b"\xa0chunked", b"", b" ",
        b"chunked gzip", b"chunked/1", b"cow", b"cow, chunked", b"chunk", b"c\rhunked",
        b"deflate;a=\",chunked\""])


def coding_twice(r, q):
    with_chunks(r, q)
    q.add(r.choice([b"Transfer-Encoding", b"transfer-encoding", b"Transfer_Encoding"]),
          r.choice([b"chunked", b"identity", b"gzip", b"x", b"", b"chunked, identity"]),
          at=r.randrange(len(q.fields) + 1))


def both(r, q):
    with_chunks(r, q)
    n = r.choice([len(q.body), 0, 3, 4, 5, len(q.body) + 36])
    if r.random() < 0.5:
        q.find(b"transfer-encoding")[0][2] = r.choice(
            [b"xchunked", b"identity", b"chunked", b"", b"\x0bchunked", b"chunked, identity"])
    q.add(b"Content-Length", b"%d" % n, at=r.randrange(len(q.fields) + 1))


def framing_name(r, q):
    f = q.framing(r)
    f[0] = r.choice([
        f[0] + r.choice(BLANKS), r.choice(BLANKS) + f[0], f[0].replace(b"-", b"_"),
        f[0].replace(b"-", b" "), f[0].upper(), f[0] + b":", f[0].replace(b"-", b"--"),
        f[0][:-1], f[0] + b"\xe9", b'"' + f[0] + b'"', b"X: y\r" + f[0], b"X: y\n" + f[0],
        b"X: y\n" + f[0], b"(c)" + f[0]])


def framing_colon(r, q):
    q.framing(r)[1] = r.choice([b":", b" : ", b" :", b"\t:", b":\t", b":  ", b"::", b"", b"=",
                                b": \x0b", b":\r\n ", b":\n ", b":\r\n\t", b":\r ", b"\r\n :",
                                b":\xa0", b"\0:", b"\x0b:"])


def framing_line_end(r, q):
    q.framing(r)[3] = r.choice(LINE_ENDS + [b"\r\n ", b"\r\n\t", b"\r\n \r\n"])


def other_line_end(r, q):
    where = r.choice(["line", "blank", "field"])
    if where == "line":
        q.line_end = r.choice(LINE_ENDS)
    elif where == "blank":
        q.blank = r.choice([b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b"\r\n\r\n", b"\0\r\n"])
    else:
        r.choice(q.fields)[3] = r.choice(LINE_ENDS)


def all_bare_lf(r, q):
    q.line_end = q.blank = b"\n"
    for f in q.fields:
        f[3] = b"\n"


def folded(r, q):
    q.add(b"X", b"y\r\n" + r.choice([b" ", b"\t", b" \t"]) +
          r.choice([b"z", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Host: b", b""]),
          at=r.randrange(len(q.fields) + 1))


def first_field(r, q):
    q.fields[0][0] = r.choice(BLANKS) + q.fields[0][0]


def odd_field(r, q):
    q.add(*r.choice([
        (b"X", b"a\0b"), (b"X", b"a\x7f"), (b"X", b"\x01"), (b"X\0", b"y"), (b"X@", b"y"),
        (b"", b"y"), (b"X Y", b"y"), (b"X", b"\xff"), (b"X\xe9", b"y"), (b"!#$%&'*+.^_`|~", b"y"),
        (b"X(", b"y"), (b"X", b"a\rContent-Length: 3"), (b"X", b"a\nContent-Length: 3"),
        (b"X", b"a\nTransfer-Encoding: chunked"), (b"X", b"a\rb"), (b"Trailer", b"X"),
        (b"Keep-Alive", b"timeout=5"), (b"TE", b"trailers, chunked"), (b"Cookie", b"a=b")]),
        at=r.randrange(len(q.fields) + 1))
    if r.random() < 0.1:
        q.fields[-1][1] = b""


def version(r, q):
    q.version = r.choice([
        b"HTTP/1.0", b"HTTP/1.0", b"http/1.1", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1",
        b"HTTP/1.", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.1 ", b"HTTP/1.1x", b"HTTP/ 1.1", b"HTTP",
        b"HTTPS/1.1", b"HTTP/1,1", b"HTTP/11", b"", b"HTTP/3.0", b"HTTP/1.01", b"HTTP/1.1\t"])


def old_version_framing(r, q):
    r.choice([with_length, with_chunks])(r, q)
    q.version = b"HTTP/1.0"
    if r.random() < 0.7:
        q.add(b"Connection", r.choice([b"keep-alive", b"Keep-Alive, x", b"keep-alive, close"]))


def line_blanks(r, q):
    q.gaps[r.randrange(2)] = r.choice(BLANKS + [b"", b" \t", b"   "])
    if r.random() < 0.2:
        q.before = r.choice(BLANKS)


def target(r, q):
    q.target = r.choice([
        b"http://a/x", b"http://b/x", b"HTTP://a/x?y", b"http://a", b"http://a?y", b"https://a/",
        b"http://u@a/", b"http:///x", b"http:/a", b"ftp://a/", b"*", b"a", b"a:80", b"//x/y",
        b"/a#b", b"/a b", b"/\xc3\xa4", b"/\x7f", b"/\0", b"/a\\b", b"\\a", b"/a\tb", b"?x",
        b"http://a:99999/", b"http://[::1]/", b"http://a/ HTTP/1.1\r\nX: y", b"/..", b"/%00",
        b"/%zz", b"/" + b"a" * 3000, b"/a?b#c", b"http://a\\@b/", b"/\"<>^`{|}"])
    if r.random() < 0.1:
        q.method = b"OPTIONS"


def method(r, q):
    q.method = r.choice([
        b"get", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"DELETE", b"PATCH", b"FOO", b"GE T",
        b"GET\0", b"G\xe9T", b"GET:", b"(GET)", b"M" * 40, b"PRI", b"", b"BREW-1", b"\"GET\""])
    if q.method == b"TRACE" and r.random() < 0.5:
        q.body = b""
        q.drop(b"content-length")
        q.drop(b"transfer-encoding")


def host(r, q):
    hosts = q.find(b"host")
    kind = r.randrange(4)
    if kind == 0:
        q.drop(b"host")
    elif kind == 1:
        q.add(r.choice([b"Host", b"host", b"HOST", b"Host ", b" Host", b"\tHost"]),
              r.choice([b"a", b"b", b""]), at=r.randrange(len(q.fields) + 1))
    else:
        hosts[0][2] = r.choice([
            b"", b"a:80", b"a:", b"a:x", b"a:99999", b"u@a", b"a b", b"a,b", b"a, b", b"a/b",
            b"a\tb", b"[::1]", b"[::1", b"[::g]", b"::1", b"a..b", b".a", b"a.", b"%61", b"a?b",
            b"a#b", b"a\\b", b"\xe4", b"a\0b", b"http://a", b"a:80:80", b"-", b"_a", b"a:0x50"])


def connection(r, q):
    q.add(b"Connection", r.choice([
        b"close", b"keep-alive", b"Host", b"Content-Length", b"Transfer-Encoding", b"close, Host",
        b"TE", b"Upgrade", b"x", b"close\0", b"clo se", b",,close", b"\"close\"", b"Cookie",
        b"close;a", b"keep-alive, close", b"Content-Length, Transfer-Encoding", b"",
        b"X-Forwarded-For"]))


def upgrade(r, q):
    q.add(b"Connection", r.choice([b"Upgrade", b"upgrade", b"Upgrade, HTTP2-Settings", b"close"]))
    q.add(b"Upgrade", r.choice([b"websocket", b"h2c", b"foo", b"", b"HTTP/2.0"]))


def expect(r, q):
    r.choice([with_length, with_chunks])(r, q)
    q.add(b"Expect", r.choice([b"100-continue", b"100-Continue", b"200-ok", b"", b"100-continue, x",
                               b"100", b"100-continue\t", b"x=100-continue"]))


def chunk_size(r, q):
    with_chunks(r, q)
    data = r.choice(BODIES[1:])
    n = b"%x" % len(data)
    size = r.choice([
        b"+" + n, b"-" + n, b"0x" + n, b"0X" + n, b" " + n, n + b" ", n + b"\t", n + b"\x0b",
        b"\t" + n, b"000" + n, b"0" * 17 + n, b"0" * 40 + n, b"1" + b"0" * 16 + n, b"", b"g",
        n + b"g", n + b"\0", n + b",", n + b".0", n[:1] + b"_" + n, b"f" * 16, b"8" + b"0" * 15,
        b"100000000" + n.zfill(8), n.upper(), b"%d" % len(data), n + b"  ", b"\"" + n + b"\"",
        b"\r\n" + n, b"%x" % (len(data) + 1), b"%x" % (len(data) - 1), b"%x" % (len(data) + 2)])
    q.body = chunk(data, size) + b"0\r\n\r\n"


def chunk_extension(r, q):
    with_chunks(r, q)
    data = r.choice(BODIES[1:])
    extension = r.choice([
        b";a", b";a=b", b";a=\"b\"", b" ;a", b"; a = b", b";", b";;", b";=", b";a=", b";a=\"",
        b";a=\"\n\"", b";a=\"\r\n\"", b";a\nb", b";a\rb", b";\n", b";\nX", b";a=\"\\\"", b";a\0",
        b";a b", b";a=\"b\"c", b" a", b",a", b";a \t", b";\x80", b";a=\"\x80\"",
        b";a=" + b"b" * 300, b";a\n0\n\nGET /smuggled HTTP/1.1\nHost: a\n\n"])
    if r.random() < 0.3:
        q.body = chunk(data) + b"0" + extension + b"\r\n\r\n"
    else:
        q.body = chunk(data, None, extension) + b"0\r\n\r\n"


def chunk_line_end(r, q):
    with_chunks(r, q)
    data = r.choice(BODIES[1:])
    end = r.choice([b"\n", b"\r", b"\r\r\n", b"\n\r", b"", b"XX", b"\r\n\r\n", b"\rX", b"X\n",
                    b" \r\n", b"\n\n"])
    q.body = r.choice([
        lambda: chunk(data, size_end=end) + b"0\r\n\r\n",
        lambda: chunk(data, data_end=end) + b"0\r\n\r\n",
        lambda: chunk(data) + b"0" + end + b"\r\n",
        lambda: chunk(data) + b"0\r\n" + end])()


def trailer(r, q):
    with_chunks(r, q)
    q.body = chunk(r.choice(BODIES[1:])) + b"0\r\n" + r.choice([
        b"X: y\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n",
        b"X\r\n", b": y\r\n", b"X : y\r\n", b"X: y\n", b"X: y\r\n z\r\n", b" X: y\r\n",
        b"X: \0\r\n", b"X: y\rZ: a\r\n", b"GET /smuggled HTTP/1.1\r\nHost: a\r\n",
        b"X: y\n\nGET /smuggled HTTP/1.1\r\nHost: a\r\n", b"Connection: close\r\n", b"\n",
        b"X: y\r\n" * 3]) + r.choice([b"\r\n", b"\r\n", b"\n", b""])


def body_cut(r, q):
    r.choice([with_length, with_chunks])(r, q)
    if q.body:
        q.body = q.body[:r.randrange(len(q.body))]


def body_extra(r, q):
    q.body += r.choice([b"\r\n", b"\n", b"\r", b"X", b"0\r\n\r\n", b"\r\n\r\n", SMUGGLED, b"\0"])


def empty_lines(r, q):
    q.before = r.choice([b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"\r\n\n", b" \r\n",
                         b"\r\n" * 5, b"\0\r\n"])


def nothing(r, q):
    pass


OPERATORS = [
    nothing, length_value, length_twice, coding_value, coding_twice, both, framing_name,
    framing_colon, framing_line_end, other_line_end, all_bare_lf, folded, first_field, odd_field,
    version, old_version_framing, line_blanks, target, method, host, connection, upgrade, expect,
    chunk_size, chunk_extension, chunk_line_end, trailer, body_cut, body_extra, empty_lines]


def spoil_bytes(r, wire):
    """One byte changed, taken out, doubled or put in, anywhere."""
    at = r.randrange(len(wire))
    byte = bytes([r.choice(b"\r\n\t \0:,;0159afAZ/\x0b\x7f\x80\xff")])
    return r.choice([wire[:at] + byte + wire[at + 1:], wire[:at] + wire[at + 1:],
                     wire[:at] + wire[at:at + 1] + wire[at:], wire[:at] + byte + wire[at:]])


@dataclass
class Case:
    number: int
    classes: tuple
    wire: bytes


def case(seed, number):
    r = random.Random(f"{seed}:{number}")
    requests = [base(r) for _ in range(r.choice([1, 1, 2]))]
    classes = []
    for _ in range(r.choice([1, 1, 1, 2])):
        # every operator in turn, so that none depends on luck; a second one by chance
        operator = r.choice(OPERATORS) if classes else OPERATORS[number % len(OPERATORS)]
        operator(r, r.choice(requests))
        classes.append(operator.__name__)
    probe = Request(target=b"/probe")
    probe.add(b"Host", b"a")
    probe.add(b"Connection", b"close")  # so that nobody who frames as meant waits for more
    wire = b"".join(q.wire() for q in requests + [probe])
    if number % 7 == 0:
        wire = spoil_bytes(r, wire)
        classes.append("byte")
    return Case(number, tuple(classes), wire)


def cases(seed, count):
    return [case(seed, number) for number in range(count)]
