"""What is measured: a file of rows/ each. A new one needs nothing but its file; the keys below,
with their defaults, are all there are."""
import configparser
import dataclasses
import os

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rows")
EVERYBODY = "relay relay_uring nginx haproxy fairlead fairlead_uring"


@dataclasses.dataclass
class Row:
    name: str
    title: str
    about: str = ""        # what the row is there to tell
    order: int = 1000      # rows with less come first
    quick: bool = False    # also in a run with --quick
    weight: int = 1        # so many times the rounds that others have
    slow: int = 1          # rounds are so many times longer, and as much fewer
    # the requests
    connections: int = 64  # of the clients
    depth: int = 1         # requests sent at once on each
    fresh: bool = False    # each request on a connection of its own
    upload: int = 0        # bytes of each request's body
    key: str = "header"    # where the key stands: header, query
    keys: int = 1000       # different ones
    rate: str = ""         # requests a second, or "half": of what the slowest balancer can do;
    #                        without it, each connection sends as soon as it has its answer
    # the answers
    body: int = 76         # bytes of each answer's body
    chunked: bool = False  # sent in chunks, else with a length
    # the balancers
    nodes: int = 4
    log: bool = False      # an access log is written
    memory: int = 0        # instead of speed: bytes a connection, with so many idle ones ...
    active: int = 0        # ... and so many that wait for their answer
    balancers: tuple = tuple(EVERYBODY.split())
    algorithms: tuple = () # of Fairlead's pool: one Fairlead for each


def value_of(field, section):
    if field.type is bool:
        return section.getboolean(field.name)
    if field.type is int:
        return section.getint(field.name)
    if field.type is tuple:
        return tuple(section[field.name].split())
    return section[field.name]


def read_row(path):
    name = os.path.basename(path)[:-len(".row")]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    section = parser["row"]
    fields = {f.name: f for f in dataclasses.fields(Row) if f.name != "name"}
    unknown = sorted(set(section) - set(fields))
    if unknown:
        raise SystemExit("%s: no such key: %s" % (path, ", ".join(unknown)))
    return Row(name=name, **{key: value_of(fields[key], section) for key in section})


def read_rows(names=(), quick=False):
    """The rows of these names; without names all of them, or the quick ones."""
    rows = [read_row(os.path.join(FOLDER, file)) for file in os.listdir(FOLDER)
            if file.endswith(".row")]
    rows.sort(key=lambda row: (row.order, row.name))
    missing = set(names) - {row.name for row in rows}
    if missing:
        raise SystemExit("no such row: %s; there are %s" % (
            ", ".join(sorted(missing)), ", ".join(row.name for row in rows)))
    if names:
        return [row for row in rows if row.name in names]
    return [row for row in rows if row.quick or not quick]
