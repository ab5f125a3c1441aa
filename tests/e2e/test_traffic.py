"""200,000 requests of every kind, by both event loops, while nodes are added, drained, killed and brought back."""
import json
import os
import subprocess
import threading
import time

import pytest

import harness
from harness import Backend, TOOLS

# By each event loop. Fewer only when somebody tries things out.
REQUESTS = int(os.environ.get("FAIRLEAD_TRAFFIC", "100000"))


class Traffic:
    """The traffic driver, several phases in one process would hide which failed: one a phase."""

    def __init__(self, port, requests, *more):
        self.p = subprocess.Popen(
            [TOOLS / "traffic", "--target", f"127.0.0.1:{port}", "--requests", str(requests),
             "--connections", "32", "--keys", "5000", "--json", "--timeout", "400", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def running(self):
        return self.p.poll() is None

    def result(self):
        out, err = self.p.communicate(timeout=420)
        report = json.loads(out.strip().splitlines()[-1])
        assert report["failed"] == 0, json.dumps(report, indent=1) + err[-4000:]
        return report


@pytest.mark.parametrize("loop", ["epoll", "io_uring"])
def test_no_request_fails_whatever_happens_to_the_nodes(started, serve, directory, loop):
    stable = started(Backend, ["a", "b", "c"])
    victim = started(Backend, ["d"])
    extra = started(Backend, ["e"])
    # A body that was passed on to a node that then died must be passed on again: all of it is kept.
    health = ("    health: {tcp: true, interval: 100ms, timeout: 100ms, rise: 1, fall: 1}\n"
              "    replay: 2MiB")

    def text(nodes, **states):
        rows = {n: f'{{name: {n}, address: "127.0.0.1:{p}", state: {states.get(n, "enabled")}}}'
                for n, p in nodes.items()}
        return harness.config(directory, port, rows, pool_extra=health, workers=2, extra=extra_text)

    extra_text = f"loop: {loop}"
    four = {**stable.ports, **victim.ports}
    five = {**four, **extra.ports}
    fairlead, port = serve(four, pool_extra=health, workers=2, extra=extra_text)
    if "io_uring is not available" in fairlead.stderr:
        pytest.skip("the kernel has no io_uring")

    # Warm up, then measure what must not grow.
    Traffic(port, 5000, "--seed", "1").result()
    descriptors, memory = fairlead.descriptors(), fairlead.memory_kib()

    # Added and drained, taken away by reload: every method, nothing may fail or break off.
    calm = Traffic(port, REQUESTS // 2, "--seed", "2")
    rounds = 0
    while calm.running():
        fairlead.reload(text(five))
        time.sleep(0.3)
        fairlead.reload(text(five, b="drain"))
        time.sleep(0.3)
        fairlead.reload(text({n: p for n, p in five.items() if n != "a"}))
        time.sleep(0.3)
        fairlead.reload(text(four))
        time.sleep(0.3)
        rounds += 1
    report = calm.result()
    assert report["ok"] == REQUESTS // 2 and rounds >= 2, (report, rounds)

    # Killed (with requests in its hands) and brought back. What may be repeated is repeated;
    # an answer that had begun can only be cut, which the driver sees and counts apart.
    rough = Traffic(port, REQUESTS // 2, "--seed", "3", "--idempotency-key", "--allow-truncated")
    kills = 0
    while rough.running():
        time.sleep(0.4)
        victim.kill()
        time.sleep(0.4)
        victim = started(Backend, ["d"], ports=victim.ports)
        fairlead.reload(text(five if kills % 2 else four))
        kills += 1
    report = rough.result()
    assert report["ok"] + report["truncated"] == REQUESTS // 2, report
    assert report["truncated"] <= kills * 64, report
    assert kills >= 2

    fairlead.reload(text(four))
    Traffic(port, 5000, "--seed", "4").result()
    harness.wait_for("connections to be closed",
                     lambda: fairlead.descriptors() <= descriptors + 70)
    assert fairlead.memory_kib() < memory * 1.5 + 40_000, (memory, fairlead.memory_kib())
    fairlead.finish()
    print(json.dumps({"calm rounds": rounds, "kills": kills, **report}))
