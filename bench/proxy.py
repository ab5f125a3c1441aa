#!/usr/bin/python3
"""What a request costs: Fairlead, nginx and HAProxy side by side, above a bare relay.

  proxy.py [--quick] [--json FILE] [--row NAME]... [--rounds N] [--seconds S]
           [--fairlead PATH] [--tools FOLDER]

All run at once, each on a port of its own, and are loaded in turn, round by round (A B C D,
A B C D ...), so that a machine that becomes slower is slower for all. Each gets one worker, no
access log, kept connections on both sides (conf/ says why each setting is as it is). Balancers
run on CPU 0; wrk and the nodes on CPU 1. CPU microseconds a request are utime + stime of the
balancer's whole process tree over a round, divided by the requests answered in it: the number
to compare. Requests a second are what this machine gives when CPU 1 may be the one that is
full; the column "cpu" says how busy CPU 0 was kept.

The relay does not look into what it copies, cannot choose a node by key, and is the floor."""
import argparse
import configparser
import ctypes
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
NODES = 4
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
TICK = os.sysconf("SC_CLK_TCK")
CPUS = sorted(os.sched_getaffinity(0))
BALANCER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]


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


class Processes:
    """Every process that is started here, so that all of them are ended, whatever happens."""

    def __init__(self):
        self.all = []

    def start(self, cpu, *command):
        def pinned():
            os.sched_setaffinity(0, {cpu})
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # also when this script is killed
        log = tempfile.TemporaryFile()
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   preexec_fn=pinned, start_new_session=True)
        process.log = log
        self.all.append(process)
        return process

    def end(self):
        for process in self.all:
            if process.poll() is None:
                process.terminate()
        for process in self.all:
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.log.close()
        self.all = []


def said(process):
    process.log.seek(0)
    return process.log.read().decode(errors="replace").strip()[-500:]


def wait_for_port(process, port):
    for _ in range(250):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise SystemExit("%s does not listen on %d: %s" % (process.args[0], port, said(process)))


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
    total = 0
    for p in tree(pid):
        try:
            with open("/proc/%d/stat" % p) as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICK


def conf_file(folder, template, values):
    with open(os.path.join(HERE, "conf", template)) as f:
        text = f.read()
    for name, value in values.items():
        text = text.replace("@%s@" % name, str(value))
    path = os.path.join(folder, template[:-3])
    with open(path, "w") as f:
        f.write(text)
    return path


def conf_values(row, folder, port, nodes):
    header = row["key"] == "header"
    names = list(zip("abcdefgh", nodes))
    return {
        "DIR": folder, "PORT": port,
        "NGINX_KEY": "$http_x_user" if header else "$arg_k",
        "NGINX_SERVERS": "\n".join("\t\tserver 127.0.0.1:%d;" % p for _, p in names),
        "HAPROXY_KEY": "hdr(X-User)" if header else "url_param k",
        "HAPROXY_SERVERS": "\n".join("\tserver %s 127.0.0.1:%d" % n for n in names),
        "FAIRLEAD_KEY": "{header: X-User}" if header else "{query: k}",
        "FAIRLEAD_NODES": "\n".join('      - {name: %s, address: "127.0.0.1:%d"}' % n
                                    for n in names),
    }


def commands(row, options, folder, ports, nodes):
    """name -> (command, port) of each balancer that is there; notes on those that are not."""
    notes, found = [], {}

    def values(name):
        return conf_values(row, folder, ports[name], nodes)

    found["relay"] = [options.tools + "/relay", str(ports["relay"])] + [str(n) for n in nodes]
    for name, template, command in (
            ("nginx", "nginx.conf.in", ["nginx", "-p", folder, "-c"]),
            ("haproxy", "haproxy.cfg.in", ["haproxy", "-db", "-f"]),
            ("fairlead", "fairlead.yaml.in", [options.fairlead, "serve", "-c"])):
        program = shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin")
        if not program:
            notes.append("%s is left out: there is no %s" % (name, command[0]))
            continue
        found[name] = [program] + command[1:] + [conf_file(folder, template, values(name))]
    return found, notes


def check_answers(name, row, port):
    """Right answers, and every node reached, before anything is measured."""
    seen = {}
    for i in range(200):
        key = "u%d" % i
        request = urllib.request.Request(
            "http://127.0.0.1:%d/?a=1&k=%s" % (port, key), headers={"X-User": key})
        with urllib.request.urlopen(request, timeout=5) as answer:
            body = answer.read()
            assert answer.status == 200 and set(body) <= {ord("x")}, (name, answer.status)
            seen.setdefault(answer.headers["X-Node"], []).append(key)
            if i % 50 == 0 and name != "relay":
                with urllib.request.urlopen(request, timeout=5) as again:
                    assert again.headers["X-Node"] == answer.headers["X-Node"], name
    if len(seen) != NODES:
        raise SystemExit("%s reaches %d nodes, not %d" % (name, len(seen), NODES))


def load(row, port, seconds):
    """One run of wrk: requests, seconds, errors, 99th percentile in microseconds."""
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CPU), "wrk", "-t", "1", "-c", row["connections"], "-d",
         "%ds" % seconds, "-s", HERE + "/load.lua", "http://127.0.0.1:%d/" % port,
         row["key"], row["keys"]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 30)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            requests, us, errors, p99 = (int(x) for x in line.split()[1:])
            return requests, us / 1e6, errors, p99
    raise SystemExit("wrk failed: " + done.stdout)


def measure(row, port, pid, seconds):
    cpu, began = cpu_seconds(pid), time.monotonic()
    requests, took, errors, p99 = load(row, port, seconds)
    wall = time.monotonic() - began
    cpu = cpu_seconds(pid) - cpu
    if requests == 0:
        raise SystemExit("no request was answered")
    return {"rps": requests / took, "cpu_us": cpu * 1e6 / requests, "busy": cpu / wall,
            "errors": errors, "p99_us": p99}


def spread(rounds, field):
    values = [r[field] for r in rounds]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def run_row(name, row, options):
    processes = Processes()
    folder = tempfile.mkdtemp(prefix="fairlead-bench-")
    os.chmod(folder, 0o755)
    os.mkdir(folder + "/nginx")
    os.chmod(folder + "/nginx", 0o777)
    try:
        names = ["relay", "nginx", "haproxy", "fairlead"]
        all_ports = free_ports(NODES + len(names))
        nodes, ports = all_ports[:NODES], dict(zip(names, all_ports[NODES:]))
        origin = processes.start(LOAD_CPU, options.tools + "/answer", row["answer_bytes"],
                                 *map(str, nodes))
        wait_for_port(origin, nodes[-1])
        found, notes = commands(row, options, folder, ports, nodes)
        running = {}
        for balancer, command in found.items():
            running[balancer] = processes.start(BALANCER_CPU, *command)
            wait_for_port(running[balancer], ports[balancer])
            check_answers(balancer, row, ports[balancer])
            load(row, ports[balancer], 1)  # warm-up
        rounds = {balancer: [] for balancer in running}
        for number in range(options.rounds):
            for balancer, process in running.items():
                progress("%s: round %d of %d, %s" % (name, number + 1, options.rounds, balancer))
                rounds[balancer].append(
                    measure(row, ports[balancer], process.pid, options.seconds))
                if process.poll() is not None:
                    raise SystemExit("%s has ended: %s" % (balancer, said(process)))
        progress("")
        return {"row": name, "title": row["title"], "notes": notes,
                "balancers": {b: {f: spread(r, f) for f in r[0]} for b, r in rounds.items()}}
    finally:
        processes.end()
        shutil.rmtree(folder, ignore_errors=True)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def show(result):
    print("\n%s" % result["title"])
    print("  %-9s %22s %26s %9s %8s %6s %7s" % ("", "requests/s [min..max]",
          "CPU us/request [min..max]", "vs relay", "p99 ms", "cpu", "errors"))
    floor = result["balancers"]["relay"]["cpu_us"]["median"]
    for name, b in result["balancers"].items():
        rps, us = b["rps"], b["cpu_us"]
        print("  %-9s %8.0f [%6.0f..%6.0f] %9.2f [%6.2f..%6.2f] %8.2fx %8.2f %5.0f%% %7d" % (
            name, rps["median"], rps["min"], rps["max"], us["median"], us["min"], us["max"],
            us["median"] / floor, b["p99_us"]["median"] / 1000, 100 * b["busy"]["median"],
            b["errors"]["max"]))
    for note in result["notes"]:
        print("  note: " + note)


def rows(options):
    for file in sorted(os.listdir(HERE + "/rows")):
        name = file[:-4]
        parser = configparser.ConfigParser()
        parser.read(os.path.join(HERE, "rows", file))
        row = parser["row"]
        if options.row:
            if name in options.row:
                yield name, row
        elif not options.quick or row.getboolean("quick", False):
            yield name, row


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true", help="one row, short rounds (under 50 s)")
    p.add_argument("--json", metavar="FILE", help="write the results there, too")
    p.add_argument("--row", action="append", help="only this file of rows/")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=int, help="of each round")
    p.add_argument("--fairlead", default=ROOT + "/build/release/fairlead")
    p.add_argument("--tools", default=ROOT + "/build/release/bench",
                   help="where relay and answer are")
    options = p.parse_args()
    options.rounds = options.rounds or (4 if options.quick else 7)
    options.seconds = options.seconds or (2 if options.quick else 4)
    return options


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")),
                     "unknown CPU")
    return "%s, Linux %s" % (model, os.uname().release)


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("%s; balancers on CPU %d, load and nodes on CPU %d; %d nodes; medians of %d rounds "
          "of %d s" % (machine(), BALANCER_CPU, LOAD_CPU, NODES, options.rounds,
                       options.seconds))
    if BALANCER_CPU == LOAD_CPU:
        print("note: only one CPU is allowed here, so load and balancers disturb each other")
    results = [run_row(name, row, options) for name, row in rows(options)]
    if not results:
        raise SystemExit("no such row")
    for result in results:
        show(result)
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"machine": machine(), "rounds": options.rounds,
                       "seconds": options.seconds, "results": results}, f, indent=1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
