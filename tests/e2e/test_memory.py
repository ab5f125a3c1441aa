"""Ten thousand idle connections: what each costs the release build, and that reloads under load
neither add to that nor end one of them. Three hundred clients who do not read their large answers."""
import os
import socket

import pytest

import harness
from harness import Backend, Client, wait_for
from test_traffic import Traffic

WARM, CONNECTIONS = 50, 10000
EACH = 1024  # bytes of Fairlead's own memory for an idle connection, at most
GROWTH_KIB = 640  # over 50 reloads; what allocators keep for later differs from time to time
SLOW = 300  # clients, with an answer of LARGE bytes each, more than fits into a socket
LARGE = 1_500_000
# Large buffers, however many clients; and for each of them a few usual ones.
SLOW_KIB = 64 * 256 + SLOW * 4 * 16
SOURCES = [f"127.0.0.{i}" for i in range(2, 10)]  # so that no address runs out of ports


class Idle:
    """Client connections that had a request each and are kept."""

    def __init__(self, port):
        self.port = port
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.socket.close()

    def open(self, count):
        for _ in range(count):
            self.clients.append(Client(self.port, SOURCES[len(self.clients) % len(SOURCES)]))
            self.clients[-1].ask(self.request(len(self.clients)))

    def request(self, i):
        return f"GET /?size=100 HTTP/1.1\r\nHost: x\r\nX-User: u{i}\r\n\r\n".encode()

    def ask_each(self):
        for i, client in enumerate(self.clients):
            client.ask(self.request(i))


def text(directory, port, nodes, loop):
    # Connections to nodes are given up soon, so that all descriptors are accounted for.
    return harness.config(directory, port, nodes, extra=f"loop: {loop}\ntimeouts: {{idle: 1h}}",
                          pool_extra="    keepalive: 100ms")


@pytest.mark.parametrize("loop", ["epoll", "io_uring"])
def test_idle_connections_are_cheap_and_outlive_reloads(many_files, started, directory, loop):
    if not os.access(harness.RELEASE, os.X_OK):
        pytest.skip(f"{harness.RELEASE} is not built (./run build)")
    backend = started(Backend, ["a", "b", "c", "d"])
    fewer = {n: p for n, p in backend.ports.items() if n != "d"}
    port = harness.free_port()
    fairlead = started(harness.Fairlead, text(directory, port, backend.ports, loop), directory,
                       program=harness.RELEASE)
    if "io_uring is not available" in fairlead.stderr:
        pytest.skip("the kernel has no io_uring")
    descriptors = fairlead.descriptors() + WARM + CONNECTIONS

    def reload(times):
        """Memory after so many reloads, with load all the time and none at the end."""
        loads = []
        for i in range(times):
            if not loads or not loads[-1].running():
                loads.append(Traffic(port, 4000, "--seed", str(i), "--mix", "get"))
            fairlead.reload(text(directory, port, fewer if i % 2 else backend.ports, loop))
        for load in loads:
            load.result()
        wait_for(f"{descriptors} descriptors: those of the idle connections and no more",
                 lambda: fairlead.descriptors() == descriptors)
        return fairlead.private_kib()

    with Idle(port) as idle:
        # One at a time, so that no memory lies free that connections could then be put into.
        idle.open(WARM)
        before = fairlead.private_kib()
        idle.open(CONNECTIONS)
        each = (fairlead.private_kib() - before) * 1024 / CONNECTIONS
        print(f"{loop}: {each:.0f} bytes an idle connection")
        assert each <= EACH
        first = reload(10)
        last = reload(50)
        print(f"{loop}: {first} KiB after 10 reloads, {last} KiB after 60")
        assert last <= first + GROWTH_KIB
        idle.ask_each()
    fairlead.finish()


@pytest.mark.parametrize("loop", ["epoll", "io_uring"])
def test_slow_readers_of_large_answers_are_bounded(started, directory, loop):
    if not os.access(harness.RELEASE, os.X_OK):
        pytest.skip(f"{harness.RELEASE} is not built (./run build)")
    backend = started(Backend, ["a", "b", "c", "d"])
    # By a unix socket, as the kernel keeps little of what is sent over one.
    config = text(directory, 0, backend.ports, loop).replace("workers: 2", "workers: 1").replace(
        '"127.0.0.1:0"', f'"unix:{directory}/front"')
    fairlead = started(harness.Fairlead, config, directory, program=harness.RELEASE)
    if "io_uring is not available" in fairlead.stderr:
        pytest.skip("the kernel has no io_uring")

    def slow_readers():
        """Memory while nobody reads; then everybody gets all of it."""
        clients = [socket.socket(socket.AF_UNIX) for _ in range(SLOW)]
        for i, client in enumerate(clients):
            client.settimeout(20)
            client.connect(f"{directory}/front")
            client.sendall(f"GET /?size={LARGE} HTTP/1.1\r\nHost: x\r\nX-User: u{i}\r\n"
                           "Connection: close\r\n\r\n".encode())
        seen = []

        def settled():
            seen.append(fairlead.private_kib())
            return len(seen) > 50 and len(set(seen[-50:])) == 1
        wait_for("memory that no longer changes", settled)
        for client in clients:
            got = 0
            while part := client.recv(1 << 20):
                got += len(part)
            assert got > LARGE, got
            client.close()
        return seen[-1]

    before = fairlead.private_kib()
    first = slow_readers() - before
    again = slow_readers() - before
    print(f"{loop}: {first} KiB for {SLOW} slow readers, {again} KiB the second time")
    assert max(first, again) <= SLOW_KIB
    fairlead.finish()
