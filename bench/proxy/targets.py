"""What is wanted of Fairlead, against what a run has found."""
from .report import ratio

KEEPALIVE = (  # balancer, reference, CPU at most
    ("fairlead", "relay", 1.15),
    ("fairlead", "nginx", 0.80),
    ("fairlead", "haproxy", 0.85),
    ("fairlead_uring", "relay", 1.00),
    ("fairlead_uring", "haproxy", 0.75),
)
PEERS = ("nginx", "haproxy")
IDLE_BYTES = 1024


def of_result(result):
    """(balancer, reference, field, at most) of a row."""
    row = result["row"]
    if row["name"] == "keepalive":
        return [(b, r, "cpu_us", most) for b, r, most in KEEPALIVE]
    if row["algorithms"]:
        names = ["fairlead:" + a for a in row["algorithms"]]
        return [(max(names, key=lambda name: ratio(result, name, peer) or 0), peer, "cpu_us", 1.0)
                for peer in PEERS]  # the dearest speaks for all
    return [("fairlead", peer, "p99_us" if row["rate"] else "cpu_us", 1.0) for peer in PEERS]


def verdict(value, most):
    return "met" if round(value, 2) <= most else "MISSED"


def memory_targets(result):
    for balancer, figures in result["memory"].items():
        if balancer.startswith("fairlead") and "idle" in figures:
            yield ["%s: bytes an idle connection, %s" % (
                result["row"]["name"], result["labels"][balancer]), "%d" % IDLE_BYTES,
                "%.0f" % figures["idle"], verdict(figures["idle"], IDLE_BYTES)]


def speed_targets(result):
    labels = result["labels"]
    for balancer, reference, field, most in of_result(result):
        value = ratio(result, balancer, reference, field)
        if value is not None:
            yield ["%s: %s, %s / %s" % (
                result["row"]["name"], "p99" if field == "p99_us" else "CPU", labels[balancer],
                labels[reference]), "%.2f" % most, "%.2f" % value, verdict(value, most)]


def targets(results):
    """Lines of (what, wanted at most, measured, met or missed)."""
    return [line for result in results
            for line in (memory_targets if "memory" in result else speed_targets)(result)]
