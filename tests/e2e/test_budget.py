#!/usr/bin/python3
"""What a request costs the release build, counted and not timed: instructions, calls of the
allocator, locks, system calls.

The instructions of each case are recorded in tests/data/budget.json. A figure over 3 % off its
record fails, whichever way: a rise must be wanted, and after a fall the record would hide the
next rise. `./run budget` shows the figures, `./run budget --record` accepts them.

All requests go one after another, so that the worker's events come in the same order every time.
"""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

import callgrind
import harness
from harness import Backend, Client, wait_for

RECORD = harness.ROOT / "tests/data/budget.json"
OFF = 0.03
WARM, COUNT = 40, 200  # requests before and within what is measured

# ---- the cases ----


def request(target="/", fields=(), method="GET", body=b""):
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode() + body


MINIMAL = [("Host", "shop.example"), ("X-User", "user-1234")]
BROWSER = [
    ("Host", "shop.example"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Connection", "keep-alive"),
    ("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
    ("X-User", "user-1234"),
]
POST = b"name=value&other=1234567&more=ok"
PIPELINED = 16


@dataclass(frozen=True)
class Case:
    says: str
    burst: bytes
    requests: int = 1  # in a burst
    kept: bool = True  # one connection for all
    log: bool = False

    def drive(self, port, client, requests):
        for _ in range(-(-requests // self.requests)):
            if self.kept:
                client.ask(self.burst, self.requests)
            else:
                with Client(port) as once:
                    once.ask(self.burst)
                    assert once.socket.recv(1) == b""

    def per_request(self, count):
        return count / (-(-COUNT // self.requests) * self.requests)

    def measure(self, fairlead, port):
        with Client(port) as client:
            self.drive(port, client, WARM)
            return fairlead.interval(lambda: self.drive(port, client, COUNT))


CASES = {
    "minimal": Case("GET with two header fields", request("/?size=100", MINIMAL)),
    "browser": Case("GET as a browser sends it", request("/item/1?size=100", BROWSER)),
    "post": Case("POST with a body of 32 bytes", request("/?size=100", [
        *MINIMAL, ("Content-Length", len(POST))], "POST", POST)),
    "put": Case("PUT with a body of 32 bytes, which is kept to be sent again", request(
        "/?size=100", [*MINIMAL, ("Content-Length", len(POST))], "PUT", POST)),
    # As much as loopback takes in one segment: more would come in pieces, in as many as it likes.
    "large": Case("GET answered with 64 KB", request("/?size=65000", MINIMAL)),
    "chunked": Case("GET answered in chunks", request("/?size=4000&seed=1&chunked=1", MINIMAL)),
    "connection": Case("GET on a connection of its own", request("/?size=100", [
        *MINIMAL, ("Connection", "close")]), kept=False),
    "pipeline": Case(f"GET, {PIPELINED} in one write", request("/?size=100", MINIMAL) * PIPELINED,
                     requests=PIPELINED),
    "log": Case("GET as a browser sends it, with an access log", request(
        "/item/1?size=100", BROWSER), log=True),
}
KEPT = [name for name, case in CASES.items() if case.kept]


# No timeout comes near, whether it is armed or was before: the nearer the next one, the more often
# the clock is read.
PATIENT = "timeouts: {head: 1h, idle: 1h, stall: 1h}"
PATIENT_POOL = "    connect: 1h\n    response: 1h\n    stall: 1h\n    keepalive: 1h"


def configuration(directory, port, nodes, log=None, loop="epoll"):
    text = harness.config(directory, port, nodes, workers=1, extra=f"loop: {loop}\n{PATIENT}",
                          pool_extra=PATIENT_POOL)
    return re.sub(r"access: .*", f'access: "{log or "off"}"}}', text)


def unavailable():
    """Why nothing can be measured here; None when it can."""
    if platform.machine() != "x86_64":
        return "the budget is in x86-64 instructions"
    if not os.access(harness.RELEASE, os.X_OK):
        return f"{harness.RELEASE} is not built (./run build)"
    return callgrind.missing()


class Processes:
    """A folder and processes, as the fixtures of one test have them; gone at the end."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="fl-")
        self.all = []
        return self.folder.name, self.start

    def start(self, kind, *args):
        self.all.append(kind(*args))
        return self.all[-1]

    def __exit__(self, *_):
        for process in self.all:
            process.kill()
        self.folder.cleanup()


def measure_all(directory, start):
    """{name: Profile} of all cases; `start` as the fixture `started`."""
    profiles = {}
    for log in (False, True):
        folder = Path(directory) / str(log)
        folder.mkdir()
        backend = start(Backend, ["a", "b", "c", "d"])
        port = harness.free_port()
        fairlead = start(callgrind.Serving, configuration(
            folder, port, backend.ports, log and folder / "access.log"), folder, port)
        for name, case in CASES.items():
            if case.log == log:
                profiles[name] = case.measure(fairlead, port)
        fairlead.finish()
    return profiles


# ---- the record ----


def toolchain():
    """What the figures depend on beside the source: the processor that callgrind makes up has AVX2
    where the real one has it, and the library's functions are chosen by that."""
    comments = set(re.findall(rb"GCC: \([^)]*\) (\d+)|(clang) version (\d+)",
                              Path(harness.RELEASE).read_bytes()))
    return {
        "machine": platform.machine(),
        "avx2": bool(re.search(r"^flags\b.*\bavx2\b", Path("/proc/cpuinfo").read_text(), re.M)),
        "compiler": " ".join(sorted(f"clang {c.decode()}" if clang else f"gcc {gcc.decode()}"
                                    for gcc, clang, c in comments)),
        "libc": " ".join(platform.libc_ver()),
    }


def incomparable(record):
    """Why the figures of this machine cannot be held against the record; None when they can."""
    here = toolchain()
    return ", ".join(f"{what} is {here[what]} here and was {was} when the budget was recorded"
                     for what, was in record["recorded with"].items() if here[what] != was) or None


def summary(case, profile):
    """A case as it is recorded: small functions are left out."""
    functions = {name: round(case.per_request(own)) for name, own in profile.own.items()}
    return {
        "instructions": round(case.per_request(profile.instructions)),
        "functions": dict(sorted(((name, own) for name, own in functions.items() if own >= 20),
                                 key=lambda pair: (-pair[1], pair[0]))),
    }


def verdict(name, now, was):
    """What is wrong with a case; None when nothing is."""
    change = now["instructions"] / was["instructions"] - 1
    if abs(change) <= OFF:
        return None
    rose = change > 0
    moved = {f: now["functions"].get(f, 0) - was["functions"].get(f, 0)
             for f in {*now["functions"], *was["functions"]}}
    most = sorted(moved, key=lambda f: (-moved[f] if rose else moved[f], f))[:8]
    return "\n".join([
        f"{name} ({CASES[name].says}): {now['instructions']} instructions a request, "
        f"{was['instructions']} recorded: {change:+.1%}",
        *(f"  {moved[f]:+6d}  {f} ({was['functions'].get(f, 0)} before)"
          for f in most if (moved[f] if rose else -moved[f]) >= 10),
        "If the rise is worth it, accept it with ./run budget --record." if rose else
        f"Lower the record by {was['instructions'] - now['instructions']} with "
        "./run budget --record, or a later rise up to there will not be noticed."])


# ---- tests ----


@pytest.fixture(scope="module")
def profiles():
    if reason := unavailable():
        pytest.skip(reason)
    with Processes() as (directory, start):
        yield measure_all(directory, start)


@pytest.mark.parametrize("name", CASES)
def test_instructions_a_request_are_as_recorded(profiles, name):
    record = json.loads(RECORD.read_text())
    if reason := incomparable(record):
        pytest.skip(reason)
    assert name in record["cases"], f"{name} has no record yet: ./run budget --record"
    wrong = verdict(name, summary(CASES[name], profiles[name]), record["cases"][name])
    assert not wrong, wrong


@pytest.mark.parametrize("name", KEPT)
def test_a_request_on_a_kept_connection_allocates_nothing(profiles, name):
    calls = profiles[name].allocations()
    assert not calls, calls


@pytest.mark.parametrize("name", KEPT)
def test_a_request_on_a_kept_connection_takes_no_lock(profiles, name):
    calls = profiles[name].locks()
    assert not calls, calls


# ---- many nodes ----

SIZES = [10, 100, 1000]


def pools(ports):
    """Pools of both algorithms and every size, each by its own host: (the configuration's text,
    their names)."""
    names = {f"{algorithm}-{size}": (algorithm, size) for algorithm in ("table", "ring")
             for size in SIZES}
    text = "routes:\n" + "".join(f"  - {{host: {name}, pool: {name}}}\n" for name in names)
    text += "pools:\n"
    for name, (algorithm, size) in names.items():
        # Few rows, because they are made under callgrind; finding one costs the same.
        spec = "{name: table, rows: 8192}" if algorithm == "table" else algorithm
        nodes = "\n".join(f'      - {{name: {node}, address: "127.0.0.1:{port}"}}'
                          for node, port in list(ports.items())[:size])
        text += f"""  {name}:
    algorithm: {spec}
    key: ["header:x-user"]
{PATIENT_POOL}
    nodes:
{nodes}
"""
    return text, list(names)


def a_key_of_each_node(fairlead, pool, count):
    """Keys of one length, as many as the pool has nodes: one for each."""
    keys = [f"user-{i:06}" for i in range(40 * count)]
    out = subprocess.run([harness.RELEASE, "lookup", "-c", fairlead.path, "--pool", pool,
                          "--keys-file", "-"], input="\n".join(keys), check=True,
                         capture_output=True, text=True).stdout
    owned = {node: key for key, node in (line.split("\t") for line in out.splitlines())}
    assert len(owned) == count
    return list(owned.values())


def test_instructions_a_request_do_not_depend_on_the_number_of_nodes(
        started, directory, many_files):
    if reason := unavailable():
        pytest.skip(reason)
    backend = started(Backend, [f"node-{i:04}" for i in range(SIZES[-1])])
    port = harness.free_port()
    text, names = pools(backend.ports)
    fairlead = started(callgrind.Serving, f"""version: 1
workers: 1
loop: epoll
{PATIENT}
admin: {{listen: "unix:{directory}/admin.sock"}}
listeners: [{{name: web, bind: "127.0.0.1:{port}", protocol: http}}]
{text}""", directory, port)
    cost = {}
    with Client(port) as client:
        for name in names:
            requests = [request("/?size=100", [("Host", name), ("X-User", key)])
                        for key in a_key_of_each_node(fairlead, name, int(name.split("-")[1]))]
            client.ask_each(requests)  # leaves an idle connection to every node
            measured = (requests * COUNT)[:COUNT]
            profile = fairlead.interval(lambda some=measured: client.ask_each(some))
            cost[name] = profile.instructions / COUNT
    for pool in fairlead.get("/pools")["pools"]:
        assert {node["connections"] for node in pool["nodes"]} == {1}, pool["name"]
    for algorithm in ("table", "ring"):
        few, *more = [cost[f"{algorithm}-{size}"] for size in SIZES]
        assert all(abs(c / few - 1) < 0.05 for c in more), cost
    fairlead.finish()


# ---- system calls ----

# Names differ between machines and C libraries: sendmsg or sendto, epoll_wait or epoll_pwait.
WAITS = r"epoll_p?wait2?|io_uring_enter"
KINDS = {"sockets": r"(recv|send)\w*|p?(read|write)v?", "waits": WAITS}

# Clocks that are read without a system call, where the kernel offers one of these.
CLOCKS = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"}


class Traced(harness.Fairlead):
    """The release build under strace, which follows all threads and stands aside: the process is
    Fairlead's own."""

    def __init__(self, config, directory):
        self.trace = Path(directory) / "trace"
        super().__init__(config, directory, program=harness.RELEASE,
                         under=["strace", "-D", "-f", "-qq", "-o", self.trace])

    def at_rest(self):
        """Waits until whatever runs has gone back to waiting; what was traced up to there."""
        def resting():
            text = self.trace.read_text(errors="replace")
            last = text.rpartition("\n")[2]
            return text if re.match(rf"\d+ +({WAITS})\(", last) else None

        return wait_for("the worker to wait", resting)

    def interval(self, drive):
        """System calls of the busiest thread while `drive` ran, by kind, and by name those of no
        kind."""
        before = len(self.at_rest())
        drive()
        calls = re.findall(r"^(\d+) +(\w+)\(", self.at_rest()[before:], re.M)
        worker = Counter(thread for thread, _ in calls).most_common(1)[0][0]
        return Counter(kind_of(name) for thread, name in calls if thread == worker)


def kind_of(call):
    return next((kind for kind, names in KINDS.items() if re.fullmatch(names, call)), call)


# At most, for a request and its answer: each is waited for, received and sent.
@pytest.mark.parametrize("loop, most", [
    ("epoll", {"sockets": 4, "waits": 2}),
    # A poll and then a receive are waited for, each way; what is ready together comes together.
    # Beside the two sends, one call looks whether the node's kept connection is still good.
    ("io_uring", {"sockets": 3, "waits": 4}),
])
def test_system_calls_of_a_request_on_a_kept_connection(started, directory, loop, most):
    if not os.access(harness.RELEASE, os.X_OK):
        pytest.skip(f"{harness.RELEASE} is not built (./run build)")
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    if subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True).returncode:
        pytest.skip("no process may be traced here")
    backend = started(Backend, ["a", "b", "c", "d"])
    port = harness.free_port()
    fairlead = started(Traced, configuration(directory, port, backend.ports, loop=loop), directory)
    if "io_uring is not available" in fairlead.stderr:
        pytest.skip("the kernel has no io_uring")
    for name in ("browser", "post"):
        made = CASES[name].measure(fairlead, port)
        clock = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        if clock.exists() and clock.read_text().strip() not in CLOCKS:
            del made["clock_gettime"]
        assert made <= Counter({call: n * COUNT for call, n in most.items()}), made
    fairlead.finish()


# ---- the figures, and a new record ----


def main():
    if not set(sys.argv[1:]) <= {"--record"}:
        print("usage: ./run budget [--record]", file=sys.stderr)
        return 2
    if reason := unavailable():
        print(f"budget: {reason}", file=sys.stderr)
        return 2
    with Processes() as (directory, start):
        profiles = measure_all(directory, start)
    now = {name: summary(CASES[name], profiles[name]) for name in CASES}
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"cases": {}}
    for name in CASES:
        was = record["cases"].get(name, now[name])["instructions"]
        change = now[name]["instructions"] / was - 1
        print(f"{name:12} {now[name]['instructions']:8} instructions a request, "
              f"{change:+6.1%} against {was}: {CASES[name].says}")
    if "--record" in sys.argv:
        RECORD.write_text(json.dumps({"recorded with": toolchain(), "cases": now}, indent=1) + "\n")
        print(f"written: {RECORD.relative_to(harness.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
