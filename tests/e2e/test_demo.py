"""`fairlead demo`: what it says, how it ends, and that it leaves nothing behind."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

import harness


def environment(directory, **more):
    # Its private directory goes into ours, so that what it leaves behind is seen.
    return {**os.environ, "TMPDIR": directory, "LC_ALL": "C.UTF-8", **more}


def demo(directory, *args):
    return harness.Process([harness.FAIRLEAD, "demo", *args], env=environment(directory))


def children(pid):
    """Processes below `pid`, by their number."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def gone(pid):
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def number(text):
    return int(text.replace(",", ""))


@pytest.fixture
def show(started, directory):
    """show(arguments): a running demo, its balancer up."""
    def run(*args):
        process = started(demo, directory, *args)
        harness.wait_for("the first act", lambda: "1  five nodes" in process.stdout
                         or not process.running())
        assert process.running(), process.stdout + process.stderr
        return process

    return run


def test_the_show(started, directory):
    process = started(demo, directory, "--for", "6s")
    began = time.monotonic()
    below = set()
    while process.running() and time.monotonic() < began + 150:
        below.update(children(process.p.pid))
        time.sleep(0.05)
    out = process.stdout
    assert process.p.wait(1) == 0, out + process.stderr
    assert not harness.SANITIZER.search(process.stderr), process.stderr[-8000:]

    moved = re.search(r"([\d,]+) of 5,000 keys moved \((\d+\.\d) %\), all of them c's:\n"
                      r"\s+to a ([\d,]+), b ([\d,]+), d ([\d,]+), e ([\d,]+)\n", out)
    assert moved, out
    assert number(moved[1]) == sum(number(moved[i]) for i in range(3, 7))
    assert float(moved[2]) == pytest.approx(number(moved[1]) / 50, abs=0.06)
    assert 15 < float(moved[2]) < 25
    modulo = re.search(r"modulo would have moved ([\d,]+) \((\d+\.\d) %\)", out)
    assert 75 < float(modulo[2]) < 85
    assert f"{moved[1]} keys moved back" in out and "each of the 5,000 is home again" in out
    answered = re.search(r"0 of ([\d,]+) requests failed", out)
    assert number(answered[1]) >= 15000
    assert "wrong" not in out

    # Every act has its table: five nodes, and every key is with one of them.
    tables = re.findall(r"^ {5}([a-e])   .*?([\d.]+) % +([\d.]+) % +([\d,]+)", out, re.M)
    assert [t[0] for t in tables] == list("abcde") * 3
    for act in range(3):
        rows = tables[5 * act:5 * act + 5]
        assert sum(number(keys) for *_, keys in rows) == 5000
        assert [fair for _, _, fair, _ in rows] == \
            (["20.0"] * 5 if act != 1 else ["25.0", "25.0", "0.0", "25.0", "25.0"])
        assert number(rows[2][3]) == (number(moved[1]) if act != 1 else 0)

    assert "\x1b" not in out, "escape sequences where there is no terminal"
    assert below, "the balancer was never seen"
    assert all(gone(pid) for pid in below)
    assert os.listdir(directory) == []


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(show, directory, sig):
    process = show("--keys", "500")
    below = children(process.p.pid)
    assert len(below) == 1 and len(os.listdir(directory)) == 1
    mode = os.stat(os.path.join(directory, os.listdir(directory)[0])).st_mode
    assert mode & 0o777 == 0o700
    assert process.stop(sig) == 128 + sig, process.stdout + process.stderr
    assert all(gone(pid) for pid in below)
    assert os.listdir(directory) == []
    assert not harness.SANITIZER.search(process.stderr), process.stderr[-8000:]


def test_when_it_is_killed_the_balancer_ends_too(show):
    process = show("--keys", "500")
    below = children(process.p.pid)
    process.p.kill()
    process.p.wait()
    harness.wait_for("the end of the balancer", lambda: all(gone(pid) for pid in below))


def test_a_balancer_that_ends_by_itself_is_a_failure(show, directory):
    process = show("--keys", "500", "--for", "30s")
    os.kill(children(process.p.pid)[0], signal.SIGKILL)
    assert process.p.wait(40) == 1
    assert "the balancer has ended" in process.stdout
    assert "the balancer has ended badly" in process.stderr
    assert os.listdir(directory) == []


def test_a_port_that_is_taken(started, directory):
    with harness.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = started(demo, directory, "--for", "3s", "--port", str(port))
        assert process.p.wait(40) == 1
    assert f"127.0.0.1:{port}" in process.stderr and "in use" in process.stderr
    assert os.listdir(directory) == []


def test_its_options(started, directory):
    port = harness.free_port()
    process = started(demo, directory, "--for=3s", "--keys", "1000", "--algorithm", "ring,points=50",
                      "--port", str(port))
    assert process.p.wait(100) == 0, process.stdout + process.stderr
    assert f"algorithm ring,points=50, 5 nodes, 1,000 keys, http://127.0.0.1:{port}/" \
        in process.stdout
    assert "of 1,000 keys moved" in process.stdout


def test_modulo_moves_strangers_and_says_so(started, directory):
    process = started(demo, directory, "--for=3s", "--keys", "1000", "--algorithm", "modulo")
    assert process.p.wait(100) == 0, process.stdout + process.stderr
    said = re.search(r"([\d,]+) of 1,000 keys moved \([\d.]+ %\), only ([\d,]+) of them c's:\n"
                     r"\s+from a \d+", process.stdout)
    assert said, process.stdout
    assert number(said[1]) > 3 * number(said[2])


@pytest.mark.parametrize("args, says", [
    (["--keys", "0"], "--keys wants a number from 100 to 50000"),
    (["--keys", "50001"], "--keys wants"),
    (["--keys", "many"], "--keys wants"),
    (["--keys"], "--keys"),
    (["--for", "15"], "--for wants a duration"),
    (["--for", "1s"], "--for wants at least 2s"),
    (["--port", "0"], "--port wants a port from 1 to 65535"),
    (["--port", "65536"], "--port wants"),
    (["--algorithm", "tabel"], "tabel"),
    (["--algorithm", 'table"'], "table"),
    (["--what"], "--what"),
    (["now"], '"now"'),
])
def test_usage_errors(directory, args, says):
    done = subprocess.run([harness.FAIRLEAD, "demo", *args], env=environment(directory),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == "" and says in done.stderr
    assert os.listdir(directory) == []


def on_terminal(directory, args, seconds, columns=80, **more):
    """Runs the demo on a terminal of its own; (exit status, what it wrote)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {k: v for k, v in environment(directory).items() if k != "NO_COLOR"}
    process = subprocess.Popen([harness.FAIRLEAD, "demo", *args], stdin=slave, stdout=slave,
                               stderr=subprocess.DEVNULL, env={**env, **more})
    os.close(slave)
    data = b""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    part = os.read(master, 65536)
                except OSError:
                    break
                data += part
        return process.wait(10), data.decode()
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_terminal_sees_a_block_that_is_redrawn(directory):
    args = ["--for", "3s", "--keys", "500"]
    status, out = on_terminal(directory, args, 100, TERM="xterm")
    assert status == 0
    assert "\x1b[36m" in out and "█" in out
    assert re.search(r"\x1b\[\d+A", out), "nothing was redrawn in place"
    _, out = on_terminal(directory, args, 100, TERM="xterm", NO_COLOR="1")
    assert "m" not in re.findall(r"\x1b\[[\d;]*(.)", out) and "\x1b[" in out
    _, out = on_terminal(directory, args, 100, TERM="dumb")
    assert "\x1b" not in out and "keys moved" in out
    _, out = on_terminal(directory, args, 100, TERM="xterm", LC_ALL="C")
    assert out.isascii() and "####" in out
