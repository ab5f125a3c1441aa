"""Ten thousand idle connections: what each costs the release build, and that reloads under load
neither add to that nor end one of them."""
import os

import pytest

import harness
from harness import Backend, Client, wait_for
from test_traffic import Traffic

WARM, CONNECTIONS = 50, 10000
EACH = 1024  # bytes of Fairlead's own memory for an idle connection, at most
GROWTH_KIB = 640  # over 50 reloads; what allocators keep for later differs from time to time
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
