"""Proxies under comparison, and a backend that records what reaches it.

A Lane is one front port of a proxy and the backend port behind it, and it plays one case at a
time: it sends the case, answers whatever arrives at the backend, and is done when the proxy has
closed towards the client and all backend connections are closed. So everything that the backend
saw belongs to that case, and no identifier is needed in the requests. A proxy that waits for more
is told that there is none, by a half-close after a quiet time; not at once, because HAProxy does
not go on to a pipelined request once it knows that the client has ended.

To compare one more proxy, derive from Proxy and write its configuration and command line.
"""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

import harness

LANES = 4
CASE_SECONDS = 4.0
QUIET_SECONDS = 0.1
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
EMPTY_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"


@dataclass
class Outcome:
    """What someone made of a stream: its complete requests, and whether anything was refused."""
    requests: list = field(default_factory=list)  # (method, path, body)
    refused: bool = False
    end: str = ""   # the parser's own word, or the statuses the proxy answered with
    fault: str = ""  # the run itself went wrong: no verdict

    def __str__(self):
        shown = [f"{m.decode('latin1')} {p.decode('latin1')} {b!r}" for m, p, b in self.requests]
        return f"[{', '.join(shown)}] {'refused' if self.refused else 'accepted'} ({self.end})"


def origin_form(target):
    """Proxies may pass an absolute target on as it is."""
    found = re.match(rb"(?i)https?://[^/?]*(.*)", target, re.S)
    if not found:
        return target
    rest = found.group(1)
    return rest if rest.startswith(b"/") else b"/" + rest


class Malformed(Exception):
    pass


def read_chunks(data):
    """(body, rest) or None when incomplete. Proxies write plain chunks, so this can be strict."""
    body = b""
    while True:
        line, mark, data = data.partition(b"\r\n")
        if not mark:
            return None
        if not re.fullmatch(rb"[0-9a-fA-F]{1,16}( *;[^\r\n]*)?", line):
            raise Malformed(f"chunk size {line!r}")
        size = int(line.split(b";")[0], 16)
        if size == 0:
            if data.startswith(b"\r\n"):
                return body, data[2:]
            trailers, mark, rest = data.partition(b"\r\n\r\n")
            return (body, rest) if mark else None
        if len(data) < size + 2:
            return None
        if data[size:size + 2] != b"\r\n":
            raise Malformed("no CR LF after a chunk")
        body, data = body + data[:size], data[size + 2:]


def read_request(data):
    """((method, path, body), rest), or None when incomplete."""
    head, mark, rest = data.partition(b"\r\n\r\n")
    if not mark:
        return None
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3:
        raise Malformed(f"request line {lines[0]!r}")
    fields = [(n.lower(), v.strip(b" \t")) for n, _, v in (x.partition(b":") for x in lines[1:])]
    lengths = [v for n, v in fields if n == b"content-length"]
    codings = [c.strip(b" \t").lower() for n, v in fields if n == b"transfer-encoding"
               for c in v.split(b",")]
    codings = [c for c in codings if c]  # HAProxy passes empty elements on
    if len(lengths) + len(codings) > 1 or codings not in ([], [b"chunked"]):
        raise Malformed(f"framing {lengths} {codings}")
    if codings:
        found = read_chunks(rest)
        if not found:
            return None
        body, rest = found
    else:
        n = int(lengths[0]) if lengths else 0
        if len(rest) < n:
            return None
        body, rest = rest[:n], rest[n:]
    return (words[0], origin_form(words[1]), body), rest


def receive(sock):
    try:
        return sock.recv(65536)
    except OSError:
        return b""


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Behind:
    """One backend connection."""

    def __init__(self, sock):
        self.sock, self.data, self.request, self.over = sock, b"", None, False

    def step(self):
        piece = receive(self.sock)
        self.data += piece
        if not piece:
            self.over = True
            self.sock.close()
        elif self.request is None:
            found = read_request(self.data)
            if found:
                self.request, extra = found
                if extra:
                    raise Malformed(f"bytes after a request: {extra[:80]!r}")
                self.answer(EMPTY_ANSWER if self.request[0] == b"HEAD" else ANSWER)
        elif self.data:
            raise Malformed(f"bytes after the answered request: {piece[:80]!r}")

    def answer(self, text):
        try:
            self.sock.sendall(text)
        except OSError:
            pass
        shut(self.sock)


class Lane:
    def __init__(self, listener, front):
        self.listener, self.front, self.late = listener, front, False

    def play(self, wire, quiet=QUIET_SECONDS):
        behind, outcome = [], Outcome()
        self._forget()
        client = socket.create_connection(("127.0.0.1", self.front), 5)
        try:
            answers = self._converse(client, wire, behind, quiet)
            statuses = [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3})", answers)]
            outcome.refused = any(s >= 400 for s in statuses)
            outcome.end = " ".join(map(str, statuses))
        except (Malformed, TimeoutError) as wrong:
            outcome.fault = f"{type(wrong).__name__}: {wrong}"
            self.late = True
        finally:
            client.close()
            for b in behind:
                b.sock.close()
        outcome.requests = [b.request for b in behind if b.request]
        return outcome

    def _forget(self):
        """Closes what an earlier case, given up without a verdict, left at the backend."""
        while self.late:
            if not select.select([self.listener], [], [], QUIET_SECONDS)[0]:
                self.late = False
                break
            self.listener.accept()[0].close()

    def _converse(self, client, wire, behind, quiet):
        answers, deadline = b"", time.monotonic() + CASE_SECONDS + quiet
        open_client, ended = True, False
        try:
            client.sendall(wire)
        except OSError:
            pass  # refused and closed before all was sent
        while open_client or any(not b.over for b in behind):
            watched = {self.listener: None, **{b.sock: b for b in behind if not b.over}}
            if open_client:
                watched[client] = None
            left = deadline - time.monotonic()
            ready = select.select(list(watched), [], [], max(0, left if ended else quiet))[0]
            if not ready and left <= 0:
                raise TimeoutError("nobody closed")
            if not ready and not ended:
                ended = True
                shut(client)
            for sock in ready:
                if sock is self.listener:
                    behind.append(Behind(sock.accept()[0]))
                elif sock is client:
                    piece = receive(client)
                    answers += piece
                    open_client = bool(piece)
                else:
                    watched[sock].step()
        return answers


def listener():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    return s


def free_ports(count):
    held = [listener() for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Proxy:
    """A proxy process with LANES lanes; use it in a with statement."""
    name = ""

    def __init__(self, lanes=LANES):
        self.count, self.process, self.listeners, self.folder = lanes, None, [], None

    def command(self, folder, pairs):
        """Writes the configuration for [(front port, backend port)]; returns the command."""
        raise NotImplementedError

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def _start(self):
        self.folder = tempfile.mkdtemp(prefix=f"fairlead-{self.name}-")
        self.listeners = [listener() for _ in range(self.count)]
        fronts = free_ports(self.count)
        pairs = [(f, s.getsockname()[1]) for f, s in zip(fronts, self.listeners)]
        log = open(os.path.join(self.folder, "log"), "wb")
        with log:
            self.process = subprocess.Popen(self.command(self.folder, pairs), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        self.lanes = [Lane(s, f) for s, f in zip(self.listeners, fronts)]
        deadline = time.monotonic() + 10
        for front in fronts:
            self._wait(front, deadline)
        return self

    def _wait(self, port, deadline):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.folder, "log"), encoding="utf-8",
                              errors="replace") as log:
                        raise RuntimeError(f"{self.name} does not start: {log.read()}") from None
                time.sleep(0.02)

    def __exit__(self, *_):
        if self.process:
            # its own session, so its children go with it
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        for s in self.listeners:
            s.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Proxy):
    name = "nginx"

    def command(self, folder, pairs):
        servers = "\n".join(
            f"server {{ listen 127.0.0.1:{f}; location / {{ proxy_pass http://127.0.0.1:{b}; }} }}"
            for f, b in pairs)
        path = os.path.join(folder, "nginx.conf")
        temps = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(path, "w", encoding="ascii") as out:
            out.write(f"""daemon off; master_process off; pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 256; }}
http {{ access_log off; {temps}
proxy_http_version 1.1; proxy_ignore_client_abort on; lingering_close off;
client_header_timeout 3s; client_body_timeout 3s; keepalive_timeout 3s;
{servers} }}
""")
        return ["/usr/sbin/nginx", "-c", path, "-p", folder, "-e", f"{folder}/error.log"]


class Haproxy(Proxy):
    name = "haproxy"

    def command(self, folder, pairs):
        parts = "\n".join(
            f"frontend f{i}\n bind 127.0.0.1:{f}\n default_backend b{i}\n"
            f"backend b{i}\n server s 127.0.0.1:{b}\n" for i, (f, b) in enumerate(pairs))
        path = os.path.join(folder, "haproxy.cfg")
        with open(path, "w", encoding="ascii") as out:
            out.write(f"""global
 nbthread 1
defaults
 mode http
 option http-server-close
 timeout connect 3s
 timeout client 3s
 timeout server 3s
 timeout http-request 3s
 timeout http-keep-alive 3s
 retries 0
{parts}""")
        return ["/usr/sbin/haproxy", "-db", "-f", path]


class Fairlead(Proxy):
    name = "fairlead"

    def command(self, folder, pairs):
        path = os.path.join(folder, "fairlead.yaml")
        listeners = "\n".join(f'  - {{name: l{i}, bind: "127.0.0.1:{f}"}}'
                              for i, (f, _) in enumerate(pairs))
        routes = "\n".join(f"  - {{listener: l{i}, pool: p{i}}}" for i in range(len(pairs)))
        pools = "\n".join(
            f'  p{i}: {{attempts: 1, eject: {{fails: 0}}, nodes: ["s=127.0.0.1:{b}"]}}'
            for i, (_, b) in enumerate(pairs))
        with open(path, "w", encoding="ascii") as out:
            out.write(f"""version: 1
workers: 2
timeouts: {{head: 3s, idle: 3s, stall: 3s}}
listeners:
{listeners}
routes:
{routes}
pools:
{pools}
""")
        return [harness.FAIRLEAD, "serve", "-c", path]
