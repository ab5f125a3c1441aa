"""`fairlead serve` under callgrind: what its worker did between two moments.

Callgrind runs the program on a processor of its own making, so what it counts does not depend on
how fast or busy the machine is, only on the instructions that were executed. It counts each thread
apart, so that the control thread's rare work is left out.
"""
import re
import shutil
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import harness

# What a compiler makes of one function, and callgrind of a recursion.
PART = re.compile(r"(\.(part|constprop|isra|cold)(\.\d+)?)+$|'\d+$|@.*$")


def missing():
    """Why there can be no callgrind here; None when there can."""
    for tool in ("valgrind", "vgdb"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    return None


def base_name(name):
    """A function's name as the source has it: pthread_mutex_lock for ___pthread_mutex_lock."""
    name = PART.sub("", name)
    return re.sub(r"^_+(libc_)?", "", name) or name


class Profile:
    """One thread's work: instructions in all, by function (its own, without what it calls), and
    calls by callee and caller."""

    def __init__(self, path):
        self.instructions = 0
        self.own = defaultdict(int)
        self.calls = defaultdict(lambda: defaultdict(int))
        self._read(path)

    def _read(self, path):
        function = callee = None
        count, in_call, library = 0, False, ""
        for line in Path(path).read_text().splitlines():
            kind, _, value = line.partition("=")
            if kind == "ob":
                library = Path(value).name
            elif kind == "fn":
                # Without its debug symbols a library's own functions have no names.
                function = f"({library})" if value.startswith("0x") else base_name(value)
            elif kind == "cfn":
                callee = base_name(value)
            elif kind == "calls":
                count, in_call = int(value.split()[0]), True
            elif line[:1] in tuple("0123456789+-*"):
                cost = int(line.split()[1])
                if in_call:
                    self.calls[callee][function] += count
                else:
                    self.own[function] += cost
                    self.instructions += cost
                in_call = False

    def called(self, names):
        """{"malloc from fl_text_add": calls} for every call of one of `names`."""
        return {f"{callee} from {caller}": n for callee, callers in self.calls.items()
                if names.fullmatch(callee) for caller, n in callers.items()}

    def allocations(self):
        """Calls of the allocator. free(NULL) does nothing, and is told by calling nothing."""
        found = self.called(re.compile(
            r"malloc|calloc|realloc|reallocarray|posix_memalign|aligned_alloc|memalign|strn?dup|"
            r"mmap"))
        if any("free" in callers for callers in self.calls.values()):
            found |= self.called(re.compile(r"free|munmap"))
        return found

    def locks(self):
        return self.called(re.compile(
            r"(pthread_(mutex|rwlock|spin|cond|barrier)|sem|mtx|cnd)_\w+|lll_(lock|unlock)\w*|"
            r"(old_)?futex\w*|pthread_once|call_once"))


# Hands a listening socket on, as systemd does it.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Serving(harness.Fairlead):
    """The release build with one worker on `port` (what `config` must say), counted from its start.

    It gets a listening socket that wakes the worker only when a request is there as well: else one
    turn of the loop or two would deal with a new connection, as chance has it."""

    def __init__(self, config, directory, port):
        self.folder = Path(directory)
        self.dumps = 0
        self.prefix = f"--vgdb-prefix={self.folder}/vgdb"
        with socket.create_server(("127.0.0.1", port)) as listening:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
            super().__init__(config, directory, program=harness.RELEASE, under=[
                sys.executable, "-c", ACTIVATE, str(listening.fileno()),
                "valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", self.prefix,
                "--compress-strings=no", "--compress-pos=no",
                f"--callgrind-out-file={self.folder}/callgrind"], pass_fds=[listening.fileno()])

    def _dump(self):
        """Ends an interval; the profiles of all threads but the control thread."""
        self.dumps += 1
        done = subprocess.run(["vgdb", self.prefix, f"--pid={self.p.pid}", "dump"], timeout=60,
                              capture_output=True, text=True)
        paths = sorted(self.folder.glob(f"callgrind.{self.dumps}-*"))
        assert done.returncode == 0 and paths, done.stderr + self.stderr
        return [Profile(p) for p in paths if not p.name.endswith("-01")]

    def interval(self, drive):
        """What the worker did while `drive` ran."""
        self._dump()
        drive()
        return max(self._dump(), key=lambda profile: profile.instructions)
