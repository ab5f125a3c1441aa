"""The Python package against the promises of its docstrings. No times are measured here."""
import copy
import doctest
import gc
import inspect
import pathlib
import pickle
import random
import re
import subprocess
import sys
import threading
import tracemalloc

import fairlead
import pytest

NAMES = ["10.0.0.%d:80" % i for i in range(20)]


def option_for(a):
    return {"capacity": 64} if "capacity" in a.options else {}


def make(a, nodes=NAMES[:7]):
    cls = getattr(fairlead, fairlead._class_name(a.name))
    if a.name in ("jump", "jumpback", "anchor", "dx"):
        nodes = [fairlead.Node(n, slot=i) for i, n in enumerate(nodes)]
    return cls(nodes, **option_for(a))


# Katran's names are numbers, so ours mean nothing to it.
every = pytest.mark.parametrize(
    "a", [a for a in fairlead.algorithms() if a.name != "compat:katran-maglev"],
    ids=lambda a: a.name)


@every
def test_lookup_owners_and_batch_agree(a):
    p = make(a)
    keys = ["key-%d" % i for i in range(300)]
    many = p.lookup_many(keys)
    for key, node in zip(keys, many):
        assert p.lookup(key) == p.lookup(key.encode()) == p.lookup(bytearray(key.encode())) \
            == p.lookup(memoryview(key.encode())) == node
        owners = p.owners(key, 3)
        assert owners[0] == node and len(set(owners)) == 3
    assert sorted(p.owners("x", 100)) == sorted(NAMES[:7])
    assert set(many) <= set(p)


@every
def test_down(a):
    p = make(a)
    down = ["10.0.0.1:80", "10.0.0.3:80"]
    keys = [b"k%d" % i for i in range(200)]
    many = p.lookup_many(keys, down=down)
    assert many == [p.lookup(k, down=set(down)) for k in keys]
    assert not set(many) & set(down)
    assert [p.owners(k, 1, down)[0] for k in keys] == many
    assert p.lookup("k", down=NAMES[:7]) is None
    assert p.owners("k", 3, down=p) == []


@every
def test_pickle_and_copy(a):
    p = make(a)
    for q in (pickle.loads(pickle.dumps(p)), copy.deepcopy(p)):
        assert type(q) is type(p) and q == p and q.nodes == p.nodes and q.spec == p.spec
        assert q.lookup_many(NAMES) == p.lookup_many(NAMES)
    assert copy.copy(p) is p and copy.deepcopy([p])[0] is p


def test_capabilities_are_those_of_the_header():
    text = (pathlib.Path(__file__).parents[3] / "include/fairlead/fairlead.h").read_text()
    rows = re.findall(r"^\tFL_([A-Z_]+) = 1 << (\d+),", text, re.M)
    assert {name: 1 << int(bit) for name, bit in rows} == \
        {c.name: c.value for c in fairlead.Capability}
    assert {a.name for a in fairlead.algorithms() if a.capabilities & fairlead.Capability.SECRET} \
        == {a.name for a in fairlead.algorithms() if not a.name.startswith("compat:")}


@every
def test_lookup_by_hash(a):
    p = make(a)
    if not p.capabilities & fairlead.Capability.BY_HASH:
        with pytest.raises(fairlead.UnsupportedError):
            p.lookup_hash(1)
        return
    for i in range(100):
        key = "key-%d" % i
        assert p.lookup_hash(p.hash(key)) == p.lookup(key)
        assert p.lookup_hash(p.hash(key), down=["10.0.0.2:80"]) == p.lookup(key, ["10.0.0.2:80"])
    for bad, error in ((-1, OverflowError), (1 << 64, OverflowError), ("x", TypeError)):
        with pytest.raises(error):
            p.lookup_hash(bad)


@every
def test_owners_by_zone(a):
    nodes = [fairlead.Node("10.0.0.%d:80" % i, 1, i, "z%d" % (i % 3) if i < 6 else None) for i in range(8)]
    p = getattr(fairlead, fairlead._class_name(a.name))(nodes, **option_for(a))
    zone = {n.name: n.zone for n in nodes}
    for i in range(60):
        key = "key-%d" % i
        plain, down = p.owners(key, 8), ["10.0.0.%d:80" % (i % 8)]
        for z in ("z0", "z1", None):
            near = p.owners_near(key, z, 8)
            assert near[:2] == [n for n in near if zone[n] == z] and sorted(near) == sorted(plain)
        assert p.owners_near(key, "nowhere", 3) == plain[:3]
        spread = p.owners_spread(key, 8)
        assert len({zone[n] for n in spread[:4]}) == 4 and spread[0] == plain[0]
        assert not set(down) & set(p.owners_spread(key, 8, down=down))
        assert not set(down) & set(p.owners_near(key, "z1", 8, down=down))


SECRET = "000102030405060708090a0b0c0d0e0f"


@every
def test_secret(a):
    cls = getattr(fairlead, fairlead._class_name(a.name))
    if not a.capabilities & fairlead.Capability.SECRET:
        with pytest.raises(TypeError):
            cls(NAMES[:2], secret=SECRET)
        return
    nodes = make(a).nodes
    p, q = cls(nodes, secret=SECRET, **option_for(a)), cls(nodes, **option_for(a))
    r = cls(nodes, secret=bytes(range(16)), **option_for(a))
    keys = ["key-%d" % i for i in range(200)]
    assert p == r != q and p.lookup_many(keys) == r.lookup_many(keys) != q.lookup_many(keys)
    # From the paper: the fifteen bytes 0 to 14 under the key 0 to 15.
    assert p.hash(bytes(range(15))) == 0xa129ca6149be45e5
    assert p.spec == q.spec + ",secret=***" and SECRET not in repr(p)
    for data in (p.save(), p.remove("10.0.0.6:80").save()):
        assert SECRET.encode() not in data and bytes(range(16)) not in data
    loaded = cls.load(q.spec + ",secret=" + SECRET, p.save())
    assert loaded == p and loaded.lookup_many(keys) == p.lookup_many(keys)
    for spec in (q.spec, p.spec, q.spec + ",secret=" + SECRET[::-1]):
        with pytest.raises(fairlead.InvalidError) as e:
            cls.load(spec, p.save())
        assert SECRET not in str(e.value) and SECRET[::-1] not in str(e.value)
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(p)
    assert copy.deepcopy(p) is p
    for secret, error in (("5ec7e7", fairlead.InvalidError), (b"5ec7e7", fairlead.InvalidError),
                          (7, TypeError)):
        with pytest.raises(error) as e:
            cls(nodes, secret=secret, **option_for(a))
        assert "5ec7e7" not in str(e.value)


# ---- bounded loads ----

@every
def test_load(a):
    p, load = make(a), fairlead.Load(slots=20, epsilon=0.5)
    assert load.epsilon == 0.5 and load.total == 0
    assert load.cap(p, "10.0.0.0:80") == 1 and load.cap(p, "10.0.0.0:80", down=["10.0.0.0:80"]) == 0
    leases = [load.acquire(p, "one hot key") for _ in range(70)]
    assert leases[0].node == p.lookup("one hot key")
    counts = {n: load.count(p, n) for n in p}
    assert load.total == 70 == sum(counts.values())
    assert max(counts.values()) <= 15 and counts[leases[0].node] == 15  # 1.5 * 70 / 7
    assert [sum(t.node == n for t in leases) for n in p] == list(counts.values())
    for t in leases:
        t.release(), t.release()
    assert load.total == 0 and not any(load.count(p, n) for n in p)


def test_a_lease_ends_with_its_block():
    p, load = fairlead.Table(NAMES[:3]), fairlead.Load(3)
    with load.acquire(p, bytearray(b"key")) as node:
        assert node == p.lookup("key") and load.total == 1 == load.count(p, node)
        q = p.reweight(NAMES[0], 2)
        with load.acquire(q, "key", down=[node]) as other:
            assert other != node and load.total == 2
    assert load.total == 0
    with pytest.raises(KeyError):
        with load.acquire(p, "key"):
            raise KeyError
    assert load.total == 0
    with load.acquire(p, "key", down=NAMES[:3]) as nobody:
        assert nobody is None and load.total == 0
    lease = load.acquire(p, "key")
    assert repr(lease) == "<Lease %r>" % lease.node
    lease.release()
    assert repr(lease) == "<Lease %r, ended>" % lease.node


def test_loads_from_threads():
    p, load = fairlead.Table(NAMES[:5]), fairlead.Load(5, epsilon=0)
    worst = []

    def work(number):
        for i in range(300):
            with load.acquire(p, "key-%d" % (i % 3)) as node:
                worst.append(load.count(p, node))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert load.total == 0 and max(worst) <= 4


@every
def test_shares_sum_to_one(a):
    shares = make(a).shares(samples=2000)
    assert set(shares) == set(NAMES[:7])
    assert abs(sum(shares.values()) - 1) < 1e-9


@every
def test_signature_names_the_options(a):
    cls = getattr(fairlead, fairlead._class_name(a.name))
    assert cls.__doc__.startswith(a.summary)
    parameters = inspect.signature(cls.__new__).parameters
    assert list(parameters)[1:] == ["nodes"] + [o.replace("-", "_") for o in a.options] \
        + ["secret"] * bool(a.capabilities & fairlead.Capability.SECRET)
    with pytest.raises(TypeError):
        cls(NAMES, no_such_option=1)


def test_changes_make_new_placements():
    p = fairlead.Ring({"a": 1, "b": 1}, points=40, seed=3)
    assert p.spec == "ring,points=40,seed=3"
    q = p.add("c", weight=2, zone="z")
    assert type(q) is fairlead.Ring and p.weights == {"a": 1, "b": 1}
    assert q.weights == {"a": 1, "b": 1, "c": 2}
    assert q.nodes[2] == fairlead.Node("c", 2, 2, "z")
    assert q.reweight("c", 5).weights["c"] == 5
    assert "c" in q and "c" not in q.remove("c") and len(q.remove("a")) == 2
    assert q.remove("c") == p and hash(q.remove("c")) == hash(p) and q != p
    assert p != "ring"


def test_forms_of_nodes():
    forms = [["a", "b"], {"a": 1, "b": 1}, [("a", 1), fairlead.Node("b")], (n for n in "ab")]
    assert len({fairlead.Table(f).digest for f in forms}) == 1
    with pytest.raises(TypeError):
        fairlead.Table("ab")
    with pytest.raises(TypeError):
        fairlead.Table([b"a"])
    with pytest.raises(TypeError):
        fairlead.Table({"a": "1"})


def test_an_empty_placement():
    p = fairlead.Table()
    assert p.lookup("x") is None and p.owners("x", 2) == [] and len(p) == 0
    assert p.lookup_many(["x", "y"]) == [None, None] and p.shares() == {} and p.weights == {}


def test_movement():
    p = fairlead.Table(NAMES[:10])
    q = p.remove("10.0.0.4:80")
    m = p.movement(q)
    assert m.exact and m.excess == 0 and m.interval == 0
    assert abs(m.moved - p.shares()["10.0.0.4:80"]) < 1e-12
    assert {f.source for f in m.flows} == {"10.0.0.4:80"}
    assert m.flows == sorted(m.flows, key=lambda f: -f.share)
    sampled = fairlead.Rendezvous(NAMES[:4]).movement(fairlead.Rendezvous(NAMES[:5]), 5000)
    assert not sampled.exact and 0 < sampled.interval < 0.05 and abs(sampled.moved - .2) < .05
    assert p.movement(fairlead.Table()).flows[0].target is None
    with pytest.raises(TypeError):
        p.movement("table")


def test_the_c_librarys_numbers():
    """The same as the C library and the model give: frozen with mapping version 1."""
    p = fairlead.CompatPythonRing(["s1", "s2"], replicas=3)
    assert p.capabilities & fairlead.Capability.EXACT_MASK
    assert p.algorithm == "compat:python-ring"
    assert fairlead.Table(["a"]).hash(b"") == 0x2d06800538d394c2  # XXH3 of nothing


ERRORS = [
    (lambda: fairlead.Placement("no-such"), fairlead.NotFoundError, LookupError),
    (lambda: fairlead.Placement("ring,points=0"), fairlead.InvalidError, ValueError),
    (lambda: fairlead.Modulo(["a", "a"]), fairlead.ExistsError, ValueError),
    (lambda: fairlead.Modulo(["a"]).remove("b"), fairlead.NotFoundError, LookupError),
    (lambda: fairlead.Modulo(["a"]).add("b", slot=0), fairlead.ExistsError, ValueError),
    (lambda: fairlead.Table({"a": -1}), fairlead.InvalidError, ValueError),
    (lambda: fairlead.Table({"a": 1 << 40}), fairlead.InvalidError, ValueError),
    (lambda: fairlead.Table([fairlead.Node("a", 1, 1 << 35)]), fairlead.FairleadError, ValueError),
    (lambda: fairlead.Modulo(["x" * 300]), fairlead.FairleadError, ValueError),
    (lambda: fairlead.Modulo(["a\0b"]), ValueError, ValueError),
    (lambda: fairlead.Modulo(["a"]).lookup("k", down=["b"]), fairlead.NotFoundError, LookupError),
    (lambda: fairlead.Modulo(["a"]).lookup("k", down=["a\0"]), fairlead.NotFoundError, LookupError),
    (lambda: fairlead.Modulo(["a"]).lookup("k", down="a"), TypeError, TypeError),
    (lambda: fairlead.Modulo(["a"]).lookup(7), TypeError, TypeError),
    (lambda: fairlead.Modulo(["a"]).lookup("\ud800"), UnicodeEncodeError, ValueError),
    (lambda: fairlead.Modulo(["a"]).lookup_many(["k", 7]), TypeError, TypeError),
    (lambda: fairlead.Modulo(["a"]).lookup_many(7), TypeError, TypeError),
    (lambda: fairlead.Modulo(["a"]).owners("k", -1), ValueError, ValueError),
    (lambda: fairlead.Modulo(["a"]).shares(-1), ValueError, ValueError),
    (lambda: fairlead.Modulo(["a"]).owners_near("k", 7, 1), TypeError, TypeError),
    (lambda: fairlead.Modulo(["a"]).owners_spread("k", -1), ValueError, ValueError),
    (lambda: fairlead.Load(0), ValueError, ValueError),
    (lambda: fairlead.Load(1 << 40), ValueError, ValueError),
    (lambda: fairlead.Load(1, epsilon=-1), ValueError, ValueError),
    (lambda: fairlead.Load(1, epsilon=11), ValueError, ValueError),
    (lambda: fairlead.Load(1).acquire(fairlead.Modulo(["a"]), 7), TypeError, TypeError),
    (lambda: fairlead.Load(1).acquire("table", "k"), TypeError, TypeError),
    (lambda: fairlead.Load(1).acquire(fairlead.Modulo(["a", "b"]), "k"), fairlead.LimitError,
     ValueError),
    (lambda: fairlead.Load(1).count(fairlead.Modulo(["a"]), "b"), fairlead.NotFoundError,
     LookupError),
    (lambda: fairlead.Load(1).cap(fairlead.Modulo(["a"]), 7), TypeError, TypeError),
    (lambda: fairlead.Load(1)._release(0), fairlead.InvalidError, ValueError),
    (lambda: fairlead.CompatJavaRendezvous(["a"]).hash("k"), fairlead.UnsupportedError,
     NotImplementedError),
]


@pytest.mark.parametrize("call, kind, builtin", ERRORS)
def test_errors(call, kind, builtin):
    with pytest.raises(kind) as e:
        call()
    assert isinstance(e.value, builtin) and str(e.value)


def test_not_even_attributes_can_be_set():
    for name in ("spec", "digest", "anything"):
        with pytest.raises(AttributeError):
            setattr(fairlead.Table(["a"]), name, 1)


def test_buffers_are_let_go():
    for p in (fairlead.Table(["a"]), fairlead.CompatJavaRendezvous(["a"])):
        key = bytearray(b"key")
        p.lookup(key), p.owners(key, 1), p.owners_near(key, None, 1), p.owners_spread(key, 1)
        fairlead.Load(1).acquire(p, key)
        if p.capabilities & fairlead.Capability.BY_HASH:
            p.hash(key)
        key.append(1)  # BufferError while anybody holds it


def test_saved_bytes():
    p = fairlead.Table(["a", "b"], rows=256)
    data = p.save()
    assert fairlead.Table.load(p.spec, data) == p == fairlead.Placement.load(p.spec, data)
    assert type(fairlead.Table.load(p.spec, data)) is fairlead.Table
    for spec, bad in (("table", data), (p.spec, data[:-1]), (p.spec, b""),
                      (p.spec, data[:9] + bytes([data[9] ^ 1]) + data[10:])):
        with pytest.raises(fairlead.FairleadError):
            fairlead.Table.load(spec, bad)
    with pytest.raises(TypeError):
        fairlead.Table.load(p.spec, "text")


@every
def test_a_history_is_pickled(a):
    p = make(a)
    try:
        p = p.remove("10.0.0.2:80").remove("10.0.0.5:80").add("10.1.1.1:80")
    except fairlead.UnsupportedError:
        p = p.remove("10.0.0.6:80")
    q = pickle.loads(pickle.dumps(p))
    assert q == p and q.lookup_many(NAMES) == p.lookup_many(NAMES)
    assert q.remove(p.nodes[-1].name) == p.remove(p.nodes[-1].name)


def exercise():
    """Each call that makes or borrows objects, also those that fail half way."""
    p = fairlead.Ring([fairlead.Node(n, 2, None, "z%d" % (i % 2)) for i, n in enumerate(NAMES)])
    p.lookup("key-1")
    p.lookup(bytearray(b"key"), down=["10.0.0.1:80"])
    p.owners("key", 5, down=iter(["10.0.0.2:80"]))
    p.lookup_many(("key-%d" % i for i in range(300)), down=NAMES[:3])
    q = pickle.loads(pickle.dumps(p.add("10.1.1.1:80").remove("10.0.0.3:80").reweight("10.1.1.1:80", 4)))
    p.owners_near("key", "z1", 4, ["10.0.0.5:80"]), p.owners_spread(bytearray(b"key"), 30)
    p.lookup_hash(1 << 63, down=["10.0.0.1:80"])
    load = fairlead.Load(32)
    for i in range(40):
        with load.acquire(p, "key-%d" % i, down=["10.0.0.1:80"]):
            load.acquire(p, "key")
    load.cap(p, "10.0.0.1:80"), load.count(p, "10.0.0.2:80"), load.total
    fairlead.Modulo(NAMES[:2], secret=SECRET).spec
    p.movement(q), p.shares(), p.nodes, p.starved, p.weights, p.hash("k"), repr(p), p == q
    fairlead.algorithms()
    for call, _, _ in ERRORS:
        try:
            call()
        except Exception:
            pass


def test_nothing_leaks():
    names = list(NAMES)
    for _ in range(5):
        exercise()
    gc.collect()
    counts = [sys.getrefcount(n) for n in names + [fairlead.Ring, fairlead.Node, None]]
    tracemalloc.start()
    exercise()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    blocks = sys.getallocatedblocks()
    for _ in range(25):
        exercise()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    more = sys.getallocatedblocks() - blocks
    tracemalloc.stop()
    after = [sys.getrefcount(n) for n in names + [fairlead.Ring, fairlead.Node, None]]
    assert grown < 8000 and more < 100, (grown, more)
    assert all(abs(a - b) < 40 for a, b in zip(counts, after)), (counts, after)


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


def test_placements_are_freed():
    """What the library holds is not Python's memory; such a ring holds more than a megabyte."""
    assert fairlead.Ring(["a", "b"], points=30000).memory > 1 << 20
    for _ in range(5):
        fairlead.Ring(["a", "b"], points=30000).remove("b")
    fairlead.Load(65536)
    before = resident()
    for _ in range(60):
        fairlead.Ring(["a", "b"], points=30000).remove("b")
        fairlead.Load(65536)  # 4 MiB, which were not all written to
    assert resident() - before < 30 << 20


def test_threads():
    """Batches without the interpreter's lock, while the list of keys is changed."""
    p = fairlead.Rendezvous(NAMES)
    keys = ["key-%d" % i for i in range(3000)]
    want = p.lookup_many(keys)
    wrong = []

    def work():
        for _ in range(20):
            if p.lookup_many(keys) != want:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        keys[:] = ["key-%d" % i for i in range(3000)]
    for t in threads:
        t.join()
    assert not wrong


def test_random_changes_match_fresh_builds():
    r = random.Random(5)
    p = fairlead.Ring(points=7)
    for _ in range(120):
        name = r.choice(NAMES)
        if name not in p:
            p = p.add(name, r.randint(0, 5))
        elif r.random() < .5:
            p = p.remove(name)
        else:
            p = p.reweight(name, r.randint(0, 5))
        assert fairlead.Ring(p.nodes, points=7) == p
        assert fairlead.Ring(p.nodes, points=7).lookup_many(NAMES) == p.lookup_many(NAMES)


def test_docstring_and_public_names():
    assert doctest.testmod(fairlead).failed == 0
    for name in fairlead.__all__:
        assert getattr(fairlead, name).__doc__, name
    for kind in (fairlead.Placement, fairlead.Load, fairlead.Lease):
        for name in dir(kind):
            if not name.startswith("_") and name != "node":
                assert getattr(kind, name).__doc__, name


def test_type_hints_name_everything():
    with open(fairlead.__file__ + "i") as f:
        text = f.read()
    compile(text, "__init__.pyi", "exec")
    written = subprocess.run([sys.executable, "-m", "fairlead._stubs"], check=True,
                             capture_output=True, text=True).stdout
    assert text == written
    kinds = (fairlead.Placement, fairlead.Load, fairlead.Lease)
    methods = [n for k in kinds for n in dir(k) if n[0] != "_" and n != "node"]
    for name in fairlead.__all__ + methods:
        assert "class %s" % name in text or "def %s(" % name in text, name
