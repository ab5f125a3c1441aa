"""A pool whose keys are hashed under a secret: proxy, lookup by file and lookup by arguments agree,
another secret is another mapping, and the secret is in nothing that any of them writes."""
import hashlib
import subprocess

import pytest

import harness
from harness import Backend, ask

FIRST = "5ec7e7005ec7e7015ec7e7025ec7e703"
SECOND = "5ec7e7005ec7e7015ec7e7025ec7e704"
NAMES = ["a", "b", "c", "d", "e"]
KEYS = [f"user-{i}" for i in range(60)]


def lookup(*args):
    return subprocess.run([harness.FAIRLEAD, "lookup", *args, *KEYS], capture_output=True,
                          text=True, timeout=60)


def hidden(*texts):
    for text in texts:
        assert "5ec7e7" not in text.lower(), text


def by_arguments(secret):
    nodes = [a for n in NAMES for a in ("--node", n)]
    r = lookup("--algorithm", f"table,secret={secret}", *nodes)
    assert r.returncode == 0, r.stderr
    hidden(r.stdout, r.stderr)
    return dict(line.split("\t") for line in r.stdout.splitlines())


def seen(port):
    return {k: ask(port, headers=[("X-User", k)])[1]["x-node"] for k in KEYS}


def test_all_agree_and_none_tells(started, serve, directory):
    backend = started(Backend, NAMES)
    fairlead, port = serve(backend.ports, algorithm=f'{{name: table, secret: "{FIRST}"}}')
    expected = by_arguments(FIRST)
    assert seen(port) == expected
    r = lookup("-c", fairlead.path, "--json")
    hidden(r.stdout, r.stderr)
    answers = [fairlead.get(path) for path in
               ("/pools", "/why?key=user-1", "/movement")]
    hidden(*map(str, answers))
    assert "table,secret=***" in str(answers[0]) and "table,secret=***" in str(answers[1])
    for options in ([], ["--json"]):
        r = subprocess.run([harness.FAIRLEAD, "check", *options, "-c", fairlead.path],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and "table,secret=***" in r.stdout
        hidden(r.stdout, r.stderr)
    before = fairlead.get("/pools")
    fairlead.reload(harness.config(directory, port, backend.ports,
                                   algorithm=f'"table,secret={SECOND}"'))
    other = by_arguments(SECOND)
    assert seen(port) == other != expected
    after = fairlead.get("/pools")
    assert before["pools"][0]["digest"] != after["pools"][0]["digest"]
    fairlead.reload(harness.config(directory, port, backend.ports,
                                   algorithm=f"{{name: table, secret: {FIRST}0}}"), good=False)
    assert seen(port) == other
    fairlead.finish()
    assert "secret: expected 32 hexadecimal digits" in fairlead.stderr
    hidden(fairlead.stdout, fairlead.stderr)


def test_a_secret_in_a_file(started, serve, directory):
    backend = started(Backend, NAMES)
    path = f"{directory}/secret"
    with open(path, "w") as f:
        f.write(FIRST.upper() + "\nwhat follows does not count\n")
    fairlead, port = serve(backend.ports, algorithm=f'{{name: table, secret_file: "{path}"}}')
    assert seen(port) == by_arguments(FIRST)
    with open(path, "w") as f:
        f.write(SECOND)
    assert seen(port) == by_arguments(FIRST)
    fairlead.reload()
    assert seen(port) == by_arguments(SECOND)
    with open(path, "w") as f:
        f.write(FIRST + ",seed=1")
    fairlead.reload(good=False)
    assert seen(port) == by_arguments(SECOND)
    fairlead.finish()
    assert f'the first line of "{path}" is not 32 hexadecimal digits' in fairlead.stderr
    hidden(fairlead.stdout, fairlead.stderr)


def test_the_digest_covers_the_secret(tmp_path):
    """And does not give it away: it is not any short hash of it that one would try first."""
    def digest(secret):
        path = tmp_path / "f.yaml"
        path.write_text('version: 1\nlisteners: [{name: web, bind: "127.0.0.1:1"}]\n'
                        f'pools: {{app: {{algorithm: "table{secret}", nodes: ["a:1"]}}}}\n')
        out = subprocess.run([harness.FAIRLEAD, "check", "-c", path], capture_output=True,
                             text=True, timeout=60).stdout
        return out.split("digest ")[1].split()[0]

    digests = [digest(s) for s in ("", f",secret={FIRST}", f",secret={SECOND}")]
    assert len(set(digests)) == 3
    raw = bytes.fromhex(FIRST)
    for name in ("sha256", "md5", "sha1"):
        assert digests[1] not in hashlib.new(name, raw).hexdigest()


BAD = ["ring,secret={0}0", "ring,secret={0}{0}{0}", "ring,secret", "ring,secret:{0}",
       "ring,secrt={0}", "ring,SECRET={0}", "secret={0}", "compat:circle-360,secret={0}",
       "ring,secret={0},secret={0}"]


@pytest.mark.parametrize("spec", BAD)
def test_mistakes_tell_nothing(tmp_path, spec):
    spec = spec.format(FIRST)
    path = tmp_path / "f.yaml"
    name, _, rest = spec.partition(",")
    forms = [f'"{spec}"']
    if rest.count("=") == 1:
        forms.append("{name: %s, %s}" % (name.replace(":", ""), rest.replace("=", ": ")))
    for form in forms:
        path.write_text('version: 1\nlisteners: [{name: web, bind: ":1"}]\n'
                        f'pools: {{app: {{algorithm: {form}, nodes: ["a:1"]}}}}\n')
        for options in ([], ["--json"]):
            r = subprocess.run([harness.FAIRLEAD, "check", *options, "-c", path],
                               capture_output=True, text=True, timeout=60)
            assert r.returncode == 1
            hidden(r.stdout, r.stderr)
    r = lookup("--algorithm", spec, "--node", "a")
    assert r.returncode == 2 and r.stderr
    hidden(r.stdout, r.stderr)
