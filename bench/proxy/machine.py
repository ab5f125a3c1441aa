"""What is measured with: processors, clocks, memory, ports, limits."""
import os
import re
import resource
import socket
import time

CPUS = sorted(os.sched_getaffinity(0))
BALANCER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]
CPUCLOCK_SCHED = 2  # of the whole process, as clock_getcpuclockid gives it


def describe():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")),
                     "unknown CPU")
    return "%s, %d CPUs, Linux %s" % (model, len(CPUS), os.uname().release)


def free_ports(count):
    """Ports nobody listens on; held together, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def raise_files():
    """As many open files as are allowed, here and in what is started. Gives how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def tree(pid):
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            with os.scandir("/proc/%d/task" % parent) as tasks:
                for task in tasks:
                    with open(task.path + "/children") as f:
                        found += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def cpu_seconds(pid):
    """utime + stime of a process tree, not rounded to ticks as in /proc/PID/stat."""
    total = 0.0
    for p in tree(pid):
        try:
            total += time.clock_gettime((~p << 3) | CPUCLOCK_SCHED)
        except OSError:
            pass  # it has ended
    return total


def memory_bytes(pid):
    """PSS of a process tree: its own pages, and its share of those that it shares."""
    total = 0
    for p in tree(pid):
        try:
            with open("/proc/%d/smaps_rollup" % p) as f:
                total += int(re.search(r"^Pss: *(\d+) kB", f.read(), re.M).group(1)) * 1024
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total
