"""fairlead import: configurations whose balancers' answers were recorded give those answers; what
is written is a configuration; the report, the exit statuses, includes, and nothing overwritten.
FAIRLEAD names the program."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAIRLEAD = os.path.abspath(os.environ.get("FAIRLEAD", ROOT / "build/dev/fairlead"))
GOLDEN = ROOT / "tests/golden/import"
SANITIZER = re.compile(r"(Sanitizer|runtime error:|fairlead: bug:)")


def run(*args, stdin=""):
    """(status, standard output, standard error)"""
    r = subprocess.run([FAIRLEAD, *map(str, args)], input=stdin, capture_output=True, text=True,
                       timeout=120)
    assert not SANITIZER.search(r.stderr), r.stderr
    return r.returncode, r.stdout, r.stderr


def write(directory, name, text):
    path = Path(directory) / name
    path.write_text(text)
    return path


def imported(directory, text, *args, name="peer.conf"):
    """(status, configuration, report as data)"""
    path = write(directory, name, text)
    status, out, err = run("import", *args, "--json", path)
    return status, out, json.loads(err)


def notes(report, kind=None, placement=None):
    return [(n["line"], n["directive"]) for n in report["notes"]
            if kind in (None, n["kind"]) and placement in (None, n["placement"])]


# ---- recorded answers ----

RECORDED = [("nginx.conf", []), ("haproxy-2.6.12.cfg", ["--haproxy-version", "2.6.12"]),
            ("haproxy-3.2.0.cfg", ["--haproxy-version", "3.2.0"]),
            ("haproxy-3.4.0.cfg", ["--haproxy-version", "3.4.0"])]


def recorded(name):
    """{pool: [(key, node)]}"""
    pools = {}
    for line in (GOLDEN / name).with_suffix(".csv").read_text().splitlines():
        if line.startswith("# pool: "):
            pairs = pools.setdefault(line[8:], [])
        elif not line.startswith("#"):
            pairs.append(tuple(line.rsplit(",", 1)))
    return pools


@pytest.mark.parametrize("name,args", RECORDED)
def test_recorded_answers(name, args, directory):
    config = Path(directory) / "fairlead.yaml"
    status, out, err = run("import", *args, "--output", config, GOLDEN / name)
    assert (status, out) == (0, ""), err
    assert "every key goes where it went before" in err
    pools = recorded(name)
    assert len(pools) == config.read_text().count("    nodes:\n")
    for pool, pairs in pools.items():
        status, out, err = run("lookup", "-c", config, "--pool", pool, "--keys-file", "-",
                               stdin="".join(key + "\n" for key, _ in pairs))
        assert status == 0, err
        assert [tuple(line.split("\t")) for line in out.splitlines()] == pairs, pool


@pytest.mark.parametrize("name,args", RECORDED)
def test_what_is_written_is_checked(name, args, directory):
    config = Path(directory) / "fairlead.yaml"
    assert run("import", *args, "--output", config, GOLDEN / name)[0] == 0
    status, out, err = run("check", "-c", config)
    assert status == 0, err
    assert all("no route leads to the pool" in line for line in err.splitlines()), err


def test_the_version_is_asked_for(directory):
    text = (GOLDEN / "haproxy-3.2.0.cfg").read_text()
    status, out, report = imported(directory, text)
    asked = [n for n in report["notes"] if n["kind"] == "must be told"]
    assert status == 1 and not report["placement_carried"]
    assert [n["directive"] for n in asked] == list(recorded("haproxy-3.2.0.cfg"))
    assert all("--haproxy-version" in n["why"] for n in asked)
    # Which of the three it is decides the mapping, and a series alone is not enough.
    assert "id-3.0" not in out
    assert imported(directory, text, "--haproxy-version", "3.2")[0] == 1
    for version, old in (("3.0.12", True), ("3.1.9", True), ("3.2.6", True), ("3.2.7", False),
                         ("3.0.13", False), ("3.3", False), ("2.9.1", False)):
        status, out, _ = imported(directory, text, "--haproxy-version", version)
        assert (status, out.count('hash-key: "id-3.0"')) == (0, 2 * old), version
    status, _, err = run("import", "--haproxy-version", "three", GOLDEN / "haproxy-3.2.0.cfg")
    assert status == 2 and "no version" in err


# ---- the report ----

NGINX = """http {
  upstream app { hash $request_uri consistent;
    server 10.0.0.1:80 weight=3;
    server 10.0.0.2;
    server 10.0.0.3:80 down;
  }
  server { listen 8080; listen 8443 ssl; server_name a.example *.b.example;
    location / { proxy_pass http://app; }
    location = /exact { proxy_pass http://app; }
    location /static/ { root /srv; }
    proxy_set_header Authorization "Basic hidden";
  }
}
stream {
  upstream tcp { hash $remote_addr consistent; server 10.0.0.9:90; }
  server { listen 90; proxy_pass tcp; }
}
"""


def test_nginx(directory):
    status, out, report = imported(directory, NGINX)
    assert status == 1
    assert notes(report, placement=True) == [(9, "location = /exact")]
    assert notes(report, "only for lookup") == [
        (7, "listen 8443 ssl"), (15, "tcp"), (16, "listen 90"), (16, "proxy_pass tcp")]
    assert (11, "proxy_set_header ...") in notes(report, "not carried")
    assert "hidden" not in json.dumps(report) + out
    lines = [re.sub(" +#.*", "", line).strip() for line in out.splitlines()]
    for line in ('- {name: ":8080", bind: ":8080", protocol: http}',
                 '- {listener: ":8080", host: "a.example", pool: "app"}',
                 '- {listener: ":8080", host: "*.b.example", pool: "app"}',
                 '- {listener: ":8080", pool: "app"}',
                 'algorithm: {compat: "nginx-consistent"}', "key: [uri]", "no_key: random",
                 '- {name: "10.0.0.1:80", address: "10.0.0.1:80", weight: 3}',
                 '- {name: "10.0.0.2", address: "10.0.0.2:80"}',
                 '- {name: "10.0.0.3:80", address: "10.0.0.3:80", state: drain}'):
        assert line in lines, out
    config = write(directory, "fairlead.yaml", out)
    assert run("check", "-c", config)[0] == 0
    assert imported(directory, NGINX.replace("location = /exact", "location /exact/"))[0] == 0
    # /exactly goes there in nginx, and not here.
    status, _, report = imported(directory, NGINX.replace("location = /exact", "location /exact"))
    assert status == 1 and notes(report, placement=True) == [(9, "location /exact")]


HAPROXY = """global
  stats socket /run/x
  setenv PORT 8080
defaults
  mode http
  balance hdr(X-User)
  hash-type consistent
  default-server check inter 3s weight 7
userlist people
  user admin insecure-password hidden
frontend web
  bind *:8080,127.0.0.1:81
  bind :443 ssl crt /x
  acl shop hdr(host) -i shop.example
  acl api path_beg /api
  use_backend api if shop api
  use_backend api if { path_reg ^/x }
  default_backend app
backend app
  server a 10.0.0.1:80
  server b "10.0.0.2:${PORT}" weight 1 id 1 backup
  server c "10.0.0.3:$OTHER"
backend api
  balance roundrobin
  option httpchk GET /ok
  server x 10.0.1.1:80 maxconn 3
  stick on src
"""


def test_haproxy(directory):
    told = ["--haproxy-version", "2.8.1", "--set", "OTHER=83"]
    status, out, report = imported(directory, HAPROXY, *told)
    assert status == 1
    assert notes(report, placement=True) == [
        (16, "use_backend api if shop api"), (17, "use_backend api if { path_reg ^/x }"),
        (27, "stick on ...")]
    assert "hidden" not in json.dumps(report) + out
    lines = [re.sub(" +#.*", "", line).strip() for line in out.splitlines()]
    for line in ('- {name: "web", bind: ":8080", protocol: http}',
                 '- {name: "web-2", bind: "127.0.0.1:81", protocol: http}',
                 '- {listener: "web", host: "shop.example", path: "/api", pool: "api"}',
                 '- {listener: "web-2", pool: "app"}',
                 'algorithm: {compat: "haproxy-consistent"}', 'key: [{header: "X-User"}]',
                 '- {name: "a", address: "10.0.0.1:80", weight: 7, id: 2}',
                 '- {name: "b", address: "10.0.0.2:8080", id: 1, backup: true}',
                 '- {name: "c", address: "10.0.0.3:83", weight: 7, id: 4}',
                 "health: {tcp: true, interval: 3000ms}",
                 'health: {http: {path: "/ok"}, interval: 3000ms}'):
        assert line in lines, out
    config = write(directory, "fairlead.yaml", out)
    assert run("check", "-c", config)[0] == 0
    # What is not told is asked for by name.
    asked = [n["why"] for n in imported(directory, HAPROXY)[2]["notes"]
             if n["kind"] == "must be told"]
    assert len(asked) == 2 and "--haproxy-version" in asked[0] and "--set OTHER=" in asked[1]


def test_a_pool_that_cannot_be_built_is_said(directory):
    servers = "".join(f"server 10.0.0.{i}:80 weight=65535; " for i in range(1, 4))
    status, _, report = imported(directory, f"upstream a {{ hash $arg_k consistent; {servers}}}")
    assert status == 1
    assert "points" in [n for n in report["notes"] if n["placement"]][0]["why"]


# ---- files ----

def test_includes(directory):
    for name, upstream in (("b", "hash $arg_k;"), ("a", "ip_hash;")):
        (Path(directory) / "up").mkdir(exist_ok=True)
        write(directory, f"up/{name}.conf",
              f"\nupstream {name} {{ {upstream} server 10.0.0.1:80; }}\n")
    write(directory, "site.inc", "server { location / { proxy_pass http://a; } }\n")
    text = "http { include up/*.conf; include none/*; include site.inc; include gone.conf; }\n"
    status, out, report = imported(directory, text)
    assert status == 1 and notes(report, placement=True) == [(1, "include gone.conf")]
    assert re.findall(r'^  "(\w)":  # (.*)$', out, re.M) == [
        ("a", f"{directory}/up/a.conf:2"), ("b", f"{directory}/up/b.conf:2")]
    other = write(directory, "up/main", "include a.conf;")
    assert run("import", "--as", "nginx", other)[0] == 0
    other = write(directory, "main", "include a.conf;")
    assert run("import", "--as", "nginx", other)[0] == 2
    assert run("import", "--as", "nginx", "--include-dir", f"{directory}/up", other)[0] == 0
    loop = write(directory, "loop", "include loop;")
    status, _, err = run("import", "--as", "nginx", loop)
    assert status == 2 and "nested too deeply" in err


def test_nothing_is_overwritten(directory):
    peer = write(directory, "nginx.conf", NGINX)
    old = write(directory, "old", "old\n")
    for option in ("--output", "--report"):
        status, _, err = run("import", option, old, peer)
        assert status == 2 and "is there already" in err
        assert old.read_text() == "old\n"
    report = Path(directory) / "report"
    status, out, err = run("import", "--report", report, peer)
    assert (status, err) == (1, "")
    assert f"{peer}:9: ! not carried: `location = /exact`: " in report.read_text()


@pytest.mark.parametrize("text,args,why", [
    ("http {\n upstream a {\n", [], ":2: the block that begins here has no closing"),
    ("http {\n upstream a { server x; } }\n}\n", [], ":3: unexpected \"}\""),
    ("http { upstream a { server \"x; } }\n", [], ":1: expected a closing \""),
    ("defaults\n balance 'x\n", [], ":2: expected a closing '"),
    ("backend\n", [], ":1: a section of this kind has a name"),
    ("server a 1:1\n", ["--as", "haproxy"], ":1: expected a section"),
    ("defaults\n.if 1\n", [], ":2: expected \".endif\""),
    ("events { }\n", [], "there is nothing to import"),
    ("hello\n", [], "cannot tell whose configuration this is"),
    ("http { }\0", [], "is no text"),
    ("http { }\n", ["--as", "apache"], "\"apache\" is no system; there are"),
    ("http { }\n", ["--set", "x"], "--set wants NAME=VALUE"),
])
def test_broken(text, args, why, directory):
    path = write(directory, "peer", text)
    status, out, err = run("import", *args, path)
    assert (status, out) == (2, "") and why in err, err


def test_usage(directory):
    assert run("import")[0] == 2
    assert run("import", "a", "b")[0] == 2
    assert run("import", Path(directory) / "none")[0] == 2
    status, out, err = run("import", "-", stdin=NGINX)
    assert status == 1 and "# standard input:2" in out
