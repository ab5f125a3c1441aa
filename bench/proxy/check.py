"""Right answers before anything is measured: their bytes, their nodes, what the nodes were sent."""
import http.client
import time

from .balancers import RELAYS, log_file

PATTERN = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MOST_BYTES = 80_000_000  # that a check of one balancer may take
FLUSH_SECONDS = 1.5      # after which a log's buffers are written


def wanted_body(size):
    """As answer.c makes it."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


class Client:
    """Kept connections to a balancer; a relay stays with its node, so each has one of its own."""

    def __init__(self, balancer, row):
        self.port, self.row, self.kept = balancer.port, row, balancer.kind not in RELAYS
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, key):
        """(status, node, body) of the answer to a request with this key."""
        self.connection.request("PUT" if self.row.upload else "GET", "/?a=1&k=" + key,
                                body=b"b" * self.row.upload if self.row.upload else None,
                                headers={"X-User": key})
        answer = self.connection.getresponse()
        body = answer.read()
        if not self.kept:
            self.connection.close()
        return answer.status, answer.headers["X-Node"], body

    def close(self):
        self.connection.close()


def different(draws, among):
    """How many different ones so many random draws find, on average."""
    return among * (1 - (1 - 1 / among) ** draws)


def check_answers(balancer, row, nodes):
    asked = max(8, min(200, MOST_BYTES // (row.body + row.upload + 1)))
    wanted, seen = wanted_body(row.body), {}
    before = nodes.counts()
    client = Client(balancer, row)
    for i in range(asked):
        key = "u%d" % i
        status, node, body = client.ask(key)
        if status != 200 or body != wanted:
            raise SystemExit("%s, row %s: key %s is answered with status %d and %d bytes that %s" % (
                balancer.name, row.name, key, status, len(body),
                "are right" if body == wanted else "are wrong"))
        seen[key] = node
    for key in list(seen)[:3] if client.kept else []:
        if client.ask(key)[1] != seen[key]:
            raise SystemExit("%s, row %s: key %s moves" % (balancer.name, row.name, key))
    asked += 3 if client.kept else 0
    client.close()
    reached = len(set(seen.values()))
    if reached < 0.6 * different(len(seen), row.nodes):
        raise SystemExit("%s, row %s: only %d of %d nodes are reached" % (
            balancer.name, row.name, reached, row.nodes))
    after = nodes.counts()
    got = {field: after[field] - before[field] for field in ("requests", "body_bytes")}
    if got != {"requests": asked, "body_bytes": asked * row.upload}:
        raise SystemExit("%s, row %s: of %d requests the nodes have seen %r" % (
            balancer.name, row.name, asked, got))
    balancer.asked += asked


def check_logs(balancers, row):
    """A line for each request; HAProxy's log holds only the last ones."""
    time.sleep(FLUSH_SECONDS)
    for balancer in balancers:
        with open(log_file(balancer), "rb") as f:
            lines = f.read().count(b"GET")  # HAProxy's are not ended by a newline
        wanted = min(1000, balancer.asked) if balancer.kind == "haproxy" else balancer.asked
        if lines < wanted:
            raise SystemExit("%s, row %s: %d lines in the log for %d requests" % (
                balancer.name, row.name, lines, balancer.asked))
