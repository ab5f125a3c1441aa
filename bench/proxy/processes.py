"""Everything that is started, so that all of it is ended, whatever happens."""
import ctypes
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from .machine import LOAD_CPU

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Processes:
    def __init__(self):
        self.all = []

    def start(self, cpu, *command, pipes=False):
        """With pipes, its standard input and output are ours; else its output is kept for said."""
        def pinned():
            os.sched_setaffinity(0, {cpu})
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # also when this script is killed
        log = tempfile.TemporaryFile()
        process = subprocess.Popen(
            [str(word) for word in command], stderr=log,
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else log, text=True, preexec_fn=pinned,
            start_new_session=True)
        process.log = log
        self.all.append(process)
        return process

    def end(self, which=None):
        which = self.all if which is None else which
        for process in which:
            if process.poll() is None:
                process.terminate()
        for process in which:
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for pipe in (process.stdin, process.stdout, process.log):
                if pipe:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        pass
        self.all = [p for p in self.all if p not in which]


def said(process):
    process.log.seek(0)
    return process.log.read().decode(errors="replace").strip()[-500:]


def wait_for_port(process, port):
    for _ in range(500):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise SystemExit("%s does not listen on %d: %s" % (process.args[0], port, said(process)))


def line_from(process):
    line = process.stdout.readline()
    if not line:
        process.wait(timeout=10)
        raise SystemExit("%s has ended: %s" % (process.args[0], said(process)))
    return line


class Nodes:
    """The origin of a row: one process that listens on a port for each node."""

    def __init__(self, processes, tools, row, ports):
        chunked = ["--chunked"] if row.chunked else []
        self.process = processes.start(
            LOAD_CPU, tools + "/answer", *chunked, row.body, *ports, pipes=True)
        wait_for_port(self.process, ports[-1])

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return json.loads(line_from(self.process))

    def counts(self):
        return self.order("counts")


class Load:
    """A load generator: connected to a balancer, and silent until it is told to go."""

    def __init__(self, processes, tools, row, port, *more):
        command = [tools + "/load", "--gate", "--port", port, "--connections", row.connections,
                   "--depth", row.depth, "--expect", row.body, "--key", row.key,
                   "--keys", row.keys]
        command += ["--fresh"] if row.fresh else []
        command += ["--upload", row.upload] if row.upload else []
        self.processes = processes
        self.process = processes.start(LOAD_CPU, *command, *more, pipes=True)
        line_from(self.process)

    def go(self):
        """One round, and what came of it. Its connections stay open."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        result = json.loads(line_from(self.process))
        line_from(self.process)
        return result

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.processes.end([self.process])
