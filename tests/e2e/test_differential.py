"""Does anybody in front of or behind Fairlead count other requests than Fairlead does?

The same streams go to Fairlead's parser, to nginx and to HAProxy, both with a recording backend.

1. The requests that one of them saw complete are, as far as both lists go, the same ones, in
   method, path and body. When Fairlead accepts a whole stream, a peer that accepts it too has seen
   exactly as many.
2. Where nginx and HAProxy disagree with each other, Fairlead refuses, unless the disagreement is
   listed in EXPLAINED with its reason.
3. What both refuse, Fairlead refuses, with the same exception.

FAIRLEAD_SEED and FAIRLEAD_CASES choose other streams; run as a program, this prints the table of
classes where Fairlead is stricter or laxer. FAIRLEAD_BUILD names the build folder to test.
"""
import glob
import os
import queue
import re
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grammar  # noqa: E402
import peers  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEED = os.environ.get("FAIRLEAD_SEED", "1")
COUNT = int(os.environ.get("FAIRLEAD_CASES", "1500"))

def only_persistence(pattern):
    """Applies where we and HAProxy saw the same, nginx a shorter or longer run of the same
    requests, and the stream holds a Connection field that explains the difference."""
    def applies(case, f, n, h):
        shared = min(len(f.requests), len(n.requests))
        return (f.requests == h.requests and f.requests[:shared] == n.requests[:shared] and
                re.search(pattern, case.wire, re.I) is not None)
    return applies


# name -> (does it apply to this case and its outcomes?, why it is harmless that we accept)
EXPLAINED = {
    "close and keep-alive in two Connection fields": (
        only_persistence(rb"\r\nconnection:[^\r]*close[^\r]*(\r\n[^\r]+)*\r\nconnection:|"
                         rb"\r\nconnection:[^\r]*(\r\n[^\r]+)*\r\nconnection:[^\r]*close"),
        "close wins (RFC 9112 9.3), as in HAProxy; nginx lets the last field win and reads on. "
        "The connection ends here, so nothing that nginx would read is passed on by us."),
    "a connection option that contains the word close": (
        only_persistence(rb"\r\nconnection:[^\r]*(close[a-z0-9-]|[a-z0-9-]close)"),
        "nginx looks for the letters and closes; to us and HAProxy it is another option. We never "
        "pass a Connection field on, so nobody behind us can see it so."),
    "OPTIONS for an authority": (
        lambda case, f, n, h: [(m, b"/" if m == b"OPTIONS" and p == b"*" else p, b)
                               for m, p, b in f.requests] == n.requests == h.requests,
        "OPTIONS http://a is sent on as OPTIONS * (RFC 9112 3.2.4); nginx and HAProxy write /. "
        "Number, methods and bodies are the same."),
}


class Parser:
    """Fairlead's parser by itself, driven by tests/tools/http1_verdict."""
    name = "fairlead"

    @staticmethod
    def program():
        folder = os.environ.get("FAIRLEAD_BUILD")
        pattern = os.path.join(folder or os.path.join(ROOT, "build", "*"), "tests", "tools",
                               "http1_verdict")
        found = sorted(glob.glob(pattern), key=os.path.getmtime)
        assert found, f"not built: {pattern} (target tool_http1_verdict)"
        return found[-1]

    def play_all(self, cases):
        sent = b"".join(struct.pack(">I", len(c.wire)) + c.wire for c in cases)
        done = subprocess.run([self.program()], input=sent, capture_output=True, check=True,
                              timeout=60)
        lines = done.stdout.decode("ascii").splitlines()
        assert len(lines) == len(cases)
        return [self.outcome(line) for line in lines]

    def replay(self, case):
        return self.play_all([case])[0]

    @staticmethod
    def outcome(line):
        end, status, _used, *rest = line.split("\t")
        requests = []
        for method, target, _framing, body in zip(*[iter(rest)] * 4):
            requests.append((method.encode(), bytes.fromhex(target),
                             b"" if body == "-" else bytes.fromhex(body)))
        return peers.Outcome(requests, end in ("head", "body"),
                             end + (f" {status}" if status != "0" else ""))


class Live:
    """Any peers.Proxy, a running Fairlead included, as something to compare."""

    def __init__(self, proxy):
        self.proxy, self.name = proxy, proxy.name

    def play_all(self, cases):
        outcomes, work = [None] * len(cases), queue.SimpleQueue()
        for i in range(len(cases)):
            work.put(i)

        def worker(lane):
            while True:
                try:
                    i = work.get_nowait()
                except queue.Empty:
                    return
                try:
                    outcomes[i] = lane.play(cases[i].wire)
                except OSError as wrong:
                    outcomes[i] = peers.Outcome(fault=f"{self.name}: {wrong}")

        threads = [threading.Thread(target=worker, args=(lane,)) for lane in self.proxy.lanes]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return outcomes

    def replay(self, case):
        """Alone, and with patience: no verdict may hang on a busy machine's timing."""
        return self.proxy.lanes[0].play(case.wire, quiet=1.0)


def disagree(a, b):
    """Why two outcomes cannot both be right, or None. A refusal ends a list early, and that is no
    disagreement; another request at the same place is."""
    for i, (x, y) in enumerate(zip(a.requests, b.requests)):
        if x != y:
            return f"request {i + 1} differs"
    short, long = (a, b) if len(a.requests) < len(b.requests) else (b, a)
    if len(short.requests) < len(long.requests) and not short.refused:
        return f"{len(short.requests)} requests or {len(long.requests)}"
    return None


def explained(case, *outcomes):
    return [name for name, (applies, _why) in EXPLAINED.items() if applies(case, *outcomes)]


def faults_of(case, f, n, h):
    wrong = []
    for name, peer in (("nginx", n), ("haproxy", h)):
        if not peer.fault and disagree(f, peer):
            wrong.append(f"fairlead and {name}: {disagree(f, peer)}")
    if not n.fault and not h.fault and disagree(n, h) and not f.refused:
        wrong.append(f"accepted although nginx and haproxy: {disagree(n, h)}")
    if n.refused and h.refused and not f.refused and not (n.fault or h.fault):
        wrong.append("accepted although nginx and haproxy both refuse")
    return [] if wrong and explained(case, f, n, h) else wrong


def failures(cases, ours, nginx, haproxy):
    for case, f, n, h in zip(cases, ours, nginx, haproxy):
        wrong = faults_of(case, f, n, h)
        if wrong:
            yield (f"case {SEED}:{case.number} {'+'.join(case.classes)}: {'; '.join(wrong)}\n"
                   f"  {case.wire!r}\n  fairlead {f}\n  nginx    {n}\n  haproxy  {h}")


def play(cases, fairlead, nginx, haproxy):
    """The outcomes of all three; what looks wrong is tried again before it counts."""
    results = {}
    threads = [threading.Thread(target=lambda who=who: results.update({who: who.play_all(cases)}))
               for who in (fairlead, nginx, haproxy)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ours, n, h = (results[who] for who in (fairlead, nginx, haproxy))
    again = [i for i, c in enumerate(cases)
             if faults_of(c, ours[i], n[i], h[i]) or n[i].fault or h[i].fault]
    for i in again[:40]:
        ours[i], n[i], h[i] = (who.replay(cases[i]) for who in (fairlead, nginx, haproxy))
    return cases, ours, n, h


def table(cases, ours, nginx, haproxy):
    """Classes, and in how many cases Fairlead refuses what a peer accepts, or the reverse."""
    rows = defaultdict(Counter)
    for case, f, n, h in zip(cases, ours, nginx, haproxy):
        row = rows[case.classes[0]]
        row["cases"] += 1
        row["refused"] += f.refused
        for name, peer in (("n", n), ("h", h)):
            row[name + "<"] += f.refused and not peer.refused
            row[name + ">"] += peer.refused and not f.refused
        row["n!h"] += disagree(n, h) is not None
        row["fault"] += bool(n.fault or h.fault)
    heads = ["cases", "refused", "n<", "n>", "h<", "h>", "n!h", "fault"]
    lines = ["n<: we refuse, nginx accepts; n>: nginx refuses, we accept; h: HAProxy; "
             "n!h: nginx and HAProxy disagree", f"{'class':22}" + "".join(f"{x:>8}" for x in heads)]
    rows["all"] = sum(rows.values(), Counter())
    for name, row in rows.items():
        lines.append(f"{name:22}" + "".join(f"{row[x]:8}" for x in heads))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def nginx():
    with peers.Nginx() as proxy:
        yield Live(proxy)


@pytest.fixture(scope="module")
def haproxy():
    with peers.Haproxy() as proxy:
        yield Live(proxy)


@pytest.fixture(scope="module", params=["parser", "serve"])
def fairlead(request):
    """Fairlead's parser alone, and the running proxy."""
    if request.param == "parser":
        yield Parser()
    else:
        with peers.Fairlead() as proxy:
            yield Live(proxy)


@pytest.fixture(scope="module")
def played(fairlead, nginx, haproxy):
    return play(grammar.cases(SEED, COUNT), fairlead, nginx, haproxy)


def test_grammar_is_repeatable():
    assert grammar.cases("x", 60) == grammar.cases("x", 60)
    assert grammar.cases("x", 60) != grammar.cases("y", 60)


def test_everything_was_heard(played):
    """A case without a verdict proves nothing; a few are lost when a peer resets."""
    cases, _ours, nginx, haproxy = played
    faults = [f"{c.number} {o.fault}" for who in (nginx, haproxy)
              for c, o in zip(cases, who) if o.fault]
    assert len(faults) <= len(cases) // 100, faults[:10]


def test_no_smuggling(played):
    print("\n" + table(*played))
    wrong = list(failures(*played))
    assert not wrong, f"{len(wrong)} cases\n" + "\n".join(wrong[:8])


def main():
    cases = grammar.cases(SEED, COUNT)
    began = time.monotonic()
    with peers.Nginx() as a, peers.Haproxy() as b:
        played_now = play(cases, Parser(), Live(a), Live(b))
    wrong = list(failures(*played_now))
    print(table(*played_now))
    print(f"{time.monotonic() - began:.1f} s, {len(wrong)} wrong")
    for text in wrong[:int(os.environ.get("FAIRLEAD_SHOW", "10"))]:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
