"""What is compared: how each balancer is configured for a row, and started."""
import os
import shutil

from .machine import BALANCER_CPU
from .processes import wait_for_port

CONF = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conf")
# A log in memory that is a file's is the cheapest that HAProxy can do: on a descriptor, each line is
# a call and a request costs 11 % more; with a socket, 15 to 28 %. It keeps only the last lines.
HAPROXY_RING = """
ring lines
	format raw
	maxlen 1200
	size 4194304
	backing-file %s
"""
LABELS = {"relay": "relay", "relay_uring": "relay, io_uring", "nginx": "nginx",
          "haproxy": "HAProxy", "fairlead": "Fairlead", "fairlead_uring": "Fairlead, io_uring"}
RELAYS = ("relay", "relay_uring")
PEERS = ("nginx", "haproxy")


class Missing(Exception):
    """A balancer that this machine does not have."""


class Balancer:
    """`kind` is a key of LABELS; several of one kind differ in what `label` says."""

    def __init__(self, kind, name, label, algorithm="table"):
        self.kind, self.name, self.label, self.algorithm = kind, name, label, algorithm
        self.process = self.port = self.folder = None
        self.asked = 0  # requests that came to the nodes through it

    def start(self, processes, command):
        self.process = processes.start(BALANCER_CPU, *command)
        try:
            wait_for_port(self.process, self.port)
        except SystemExit as why:
            if self.kind != "relay_uring":
                raise
            raise Missing(why) from why  # not every kernel lets everybody have a ring


def of_row(row):
    found = []
    for kind in row.balancers:
        if kind == "fairlead" and row.algorithms:
            found += [Balancer(kind, "fairlead:" + a, "Fairlead, " + a, a)
                      for a in row.algorithms]
        elif kind in LABELS:
            found.append(Balancer(kind, kind, LABELS[kind]))
        else:
            raise SystemExit("row %s: no such balancer: %s" % (row.name, kind))
    return found


def log_file(balancer):
    return os.path.join(balancer.folder, "access.log")


def values(row, balancer, nodes, files):
    """What stands between two @ in the templates."""
    header = row.key == "header"
    names = [("n%d" % i, port) for i, port in enumerate(nodes)]
    log = log_file(balancer)
    return {
        "DIR": balancer.folder, "PORT": balancer.port, "FILES": files,
        # All connections to nodes that may be in use at a time stay open between requests.
        "KEEPALIVE": max(256, row.connections, 2 * row.nodes),
        "NGINX_KEY": "$http_x_user" if header else "$arg_k",
        "NGINX_SERVERS": "\n".join("\t\tserver 127.0.0.1:%d;" % p for _, p in names),
        "NGINX_LOG": "%s combined buffer=64k flush=1s" % log if row.log else "off",
        "HAPROXY_KEY": "hdr(X-User)" if header else "url_param k",
        "HAPROXY_SERVERS": "\n".join("\tserver %s 127.0.0.1:%d" % n for n in names),
        "HAPROXY_RING": HAPROXY_RING % log if row.log else "",
        "HAPROXY_LOG": "log ring@lines local0\n\toption httplog" if row.log else "no log",
        "FAIRLEAD_KEY": "{header: X-User}" if header else "{query: k}",
        # Some algorithms want numbers; the others do not look at them.
        "FAIRLEAD_NODES": "\n".join('      - {name: n%d, address: "127.0.0.1:%d", slot: %d}' % (
            i, port, i) for i, port in enumerate(nodes)),
        "FAIRLEAD_LOOP": "io_uring" if balancer.kind == "fairlead_uring" else "epoll",
        "FAIRLEAD_LOG": '"%s"' % log if row.log else '"off"',
        "ALGORITHM": "{compat: %s}" % balancer.algorithm[len("compat:"):]
                     if balancer.algorithm.startswith("compat:") else '"%s"' % balancer.algorithm,
    }


def conf_file(folder, template, filled):
    with open(os.path.join(CONF, template)) as f:
        text = f.read()
    for name, value in filled.items():
        text = text.replace("@%s@" % name, str(value))
    path = os.path.join(folder, template[:-len(".in")])
    with open(path, "w") as f:
        f.write(text)
    return path


def command(row, balancer, nodes, options):
    """The command that starts it."""
    if balancer.kind in RELAYS:
        return [os.path.join(options.tools, balancer.kind), balancer.port, *nodes]
    template, program, arguments = {
        "nginx": ("nginx.conf.in", "nginx", ["-p", balancer.folder, "-c"]),
        "haproxy": ("haproxy.cfg.in", "haproxy", ["-db", "-f"]),
    }.get(balancer.kind, ("fairlead.yaml.in", options.fairlead, ["serve", "-c"]))
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if not found and balancer.kind in PEERS:
        raise Missing("it is not installed")
    if not found:
        raise SystemExit("there is no program %s" % program)
    os.mkdir(balancer.folder)
    os.chmod(balancer.folder, 0o777)  # nginx changes its user, and writes there
    return [found, *arguments, conf_file(balancer.folder, template,
                                         values(row, balancer, nodes, options.files))]
