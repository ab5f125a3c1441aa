"""Consistent hashing: a key goes in, a node comes out, and when the nodes change, few keys move.

    >>> import fairlead
    >>> ring = fairlead.Ring({"a": 1, "b": 1, "c": 2})
    >>> ring.lookup("user:42") in ring
    True
    >>> bigger = ring.add("d")
    >>> movement = ring.movement(bigger)
    >>> movement.excess
    0.0

Each algorithm of libfairlead is a class: Table, Ring, Rendezvous and so on; other systems'
mappings are CompatPythonRing and so on. algorithms() lists them, and Placement(spec, nodes)
takes any of them as the C library's text. Placements never change: add, remove and reweight give
new ones. Load bounds what is in flight at each node."""
import enum as _enum
import inspect as _inspect
import typing as _typing

from . import _core
from ._core import (ExistsError, FairleadError, InvalidError, LimitError, NotFoundError,
                    UnsupportedError)

__version__ = _core.version

_ADD, _REMOVE, _REWEIGHT = range(3)


class Capability(_enum.IntFlag):
    """What an algorithm can do; the C header says what each means."""
    BY_HASH = 1 << 0
    EXACT_MASK = 1 << 1
    MINIMAL_ANY = 1 << 2
    MINIMAL_REWEIGHT = 1 << 3
    WEIGHTS = 1 << 4
    ORDER_FREE = 1 << 5
    HISTORY_FREE = 1 << 6
    EXACT_MOVEMENT = 1 << 7
    SECRET = 1 << 8


class Node(_typing.NamedTuple):
    """A node. slot: None takes the lowest free one."""
    name: str
    weight: int = 1
    slot: _typing.Optional[int] = None
    zone: _typing.Optional[str] = None


class Algorithm(_typing.NamedTuple):
    """One of the algorithms there are; options by name, with their defaults."""
    name: str
    summary: str
    options: _typing.Dict[str, str]
    capabilities: Capability


class Flow(_typing.NamedTuple):
    """Keys that move between two nodes; None: no node."""
    source: _typing.Optional[str]
    target: _typing.Optional[str]
    share: float


class Movement(_typing.NamedTuple):
    """What moves between two placements, in shares of all keys.

    least: what any scheme had to move. interval: moved is within this of the truth, 99 times in
    100; 0 when exact. flows: largest first."""
    moved: float
    least: float
    interval: float
    exact: bool
    flows: _typing.List[Flow]

    @property
    def excess(self):
        """What moves beyond the least."""
        return max(0.0, self.moved - self.least)


def _node(item):
    if isinstance(item, str):
        return Node(item)
    return Node(*item)


def _node_list(nodes):
    """Names, Nodes or tuples in their form, or a mapping from names to weights."""
    if isinstance(nodes, (str, bytes)):
        raise TypeError("nodes are a list or a mapping, not one name")
    if hasattr(nodes, "items"):
        return [Node(name, weight) for name, weight in nodes.items()]
    return [_node(item) for item in nodes]


class Placement(_core.Placement):
    """An immutable mapping from keys to named, weighted nodes.

    spec: the algorithm and its options, "ring" or "ring,points=200,seed=7".
    nodes: names, Nodes, tuples like them, or a mapping from names to weights."""
    __slots__ = ()

    def __new__(cls, spec, nodes=()):
        return super().__new__(cls, spec, _node_list(nodes))

    @property
    def nodes(self):
        """All nodes, by slot."""
        return tuple(Node(*n) for n in self._nodes)

    @property
    def weights(self):
        """A dict from names to weights."""
        return {n.name: n.weight for n in self.nodes}

    @property
    def capabilities(self):
        """What this algorithm can do."""
        return Capability(self._capabilities)

    def add(self, name, weight=1, slot=None, zone=None):
        """A new placement with one more node."""
        return self._derive(_ADD, (name, weight, slot, zone))

    def remove(self, name):
        """A new placement without the node."""
        return self._derive(_REMOVE, (name, 0, None, None))

    def reweight(self, name, weight):
        """A new placement in which the node has another weight."""
        return self._derive(_REWEIGHT, (name, weight, None, None))

    def movement(self, other, samples=0):
        """What moves when this placement is replaced by another one.

        Exact where both structures allow, else from `samples` keys (0: a million)."""
        moved, least, interval, exact, flows = self._movement(other, samples)
        return Movement(moved, least, interval, exact, [Flow(*f) for f in flows])

    def __contains__(self, name):
        return any(n[0] == name for n in self._nodes)

    def __iter__(self):
        """The nodes' names, by slot."""
        return iter([n[0] for n in self._nodes])

    def __eq__(self, other):
        if not isinstance(other, _core.Placement):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self):
        return hash(self.digest)

    def __repr__(self):
        return "<%s %r, %d nodes>" % (type(self).__name__, self.spec, len(self))

    def __reduce__(self):
        # Not by its nodes alone: an anchor's mapping depends on its history as well.
        if self.spec.endswith(",secret=***"):
            raise TypeError("a placement with a secret is not pickled, for who gets it would need "
                            "the secret: save() it, and load() it with a spec that has the secret")
        return _restore, (type(self), self.spec, self.save())

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def _restore(cls, spec, data):
    return cls.load(spec, data)


class Lease:
    """A request that counts at its node until `release`, or until the end of a with block.

    node: its name, or None when nobody may be had; nothing counts then."""
    __slots__ = ("node", "_load", "_slot")

    def __init__(self, load, node, slot):
        self.node, self._load, self._slot = node, load, slot

    def release(self):
        """Ends it; to do so again does nothing."""
        slot, self._slot = self._slot, None
        if slot is not None:
            self._load._release(slot)

    def __enter__(self):
        return self.node

    def __exit__(self, *exception):
        self.release()

    def __repr__(self):
        return "<Lease %r%s>" % (self.node, "" if self._slot is not None else ", ended")


class Load(_core.Load):
    """Counts the requests in flight, so that no node gets far more than its share of them.

    slots: the most that a placement it is used with has. epsilon: 0.25 lets a node have 25 % more
    than its share of all that is in flight; keys go to their next owner beyond that. One object
    serves all placements that are derived from one another, from any number of threads.

        with load.acquire(placement, key) as node:
            ...  # node is the name, and has one request more meanwhile
    """
    __slots__ = ("_millionths",)

    def __new__(cls, slots=1024, epsilon=0.25):
        millionths = round(epsilon * 1000000)
        if not 0 <= millionths <= _core.max_epsilon:
            raise ValueError("epsilon is %s; expected 0 to %d"
                             % (epsilon, _core.max_epsilon // 1000000))
        self = super().__new__(cls, slots)
        self._millionths = millionths
        return self

    @property
    def epsilon(self):
        """What a node may have over its share."""
        return self._millionths / 1000000

    def acquire(self, placement, key, down=()):
        """A Lease at the first owner of the key that is below its cap.

        key, down: as of Placement.lookup."""
        return Lease(self, *(self._acquire(placement, key, self._millionths, down)
                             or (None, None)))

    def cap(self, placement, name, down=()):
        """The most requests that the node may have once the next one has come."""
        return self._cap(placement, name, self._millionths, down)


def algorithms():
    """All algorithms, native ones first."""
    return [Algorithm(name, summary, dict(o.split("=", 1) for o in options.split(",") if o),
                      Capability(bits))
            for name, summary, options, bits in _core.algorithms()]


def _class_name(name):
    """compat:python-ring -> CompatPythonRing"""
    return "".join(part[:1].upper() + part[1:] for part in name.replace(":", "-").split("-"))


def _secret_text(secret):
    if isinstance(secret, str):
        return secret
    if isinstance(secret, (bytes, bytearray)):
        return secret.hex()
    raise TypeError("a secret is 32 hexadecimal digits, or 16 bytes")


def _make_class(algorithm):
    options = algorithm.options
    takes_secret = bool(algorithm.capabilities & Capability.SECRET)

    def __new__(cls, nodes=(), **given):
        secret = given.pop("secret", None) if takes_secret else None
        unknown = sorted(set(given) - {o.replace("-", "_") for o in options})
        if unknown:
            raise TypeError("%s has no option %s; it has: %s"
                            % (cls.__name__, unknown[0], ", ".join(options) or "none"))
        # In the order of the library's own text, so that equal options make equal specs.
        chosen = ["%s=%s" % (o, given[o.replace("-", "_")]) for o in options
                  if o.replace("-", "_") in given]
        if secret is not None:
            chosen.append("secret=" + _secret_text(secret))
        return Placement.__new__(cls, ",".join([algorithm.name] + chosen), nodes)

    p = _inspect.Parameter
    __new__.__signature__ = _inspect.Signature(
        [p("cls", p.POSITIONAL_ONLY), p("nodes", p.POSITIONAL_OR_KEYWORD, default=())]
        + [p(o.replace("-", "_"), p.KEYWORD_ONLY, default=int(v) if v.isdigit() else v)
           for o, v in options.items()]
        + [p("secret", p.KEYWORD_ONLY, default=None)] * takes_secret)
    lines = [algorithm.summary, "", "nodes: as of Placement. Options and their defaults: %s."
             % (", ".join("%s=%s" % o for o in options.items()) or "none")]
    if takes_secret:
        lines += ["secret: 32 hexadecimal digits or 16 bytes; keys are then hashed under it, so "
                  "that", "clients who choose them cannot aim at one node."]
    return type(_class_name(algorithm.name), (Placement,), {
        "__slots__": (), "__new__": __new__, "__module__": __name__, "__doc__": "\n".join(lines)})


__all__ = ["Algorithm", "Capability", "ExistsError", "FairleadError", "Flow", "InvalidError",
           "Lease", "LimitError", "Load", "Movement", "Node", "NotFoundError", "Placement",
           "UnsupportedError", "algorithms"]
for _algorithm in algorithms():
    _class = _make_class(_algorithm)
    globals()[_class.__name__] = _class
    __all__.append(_class.__name__)
del _algorithm, _class
