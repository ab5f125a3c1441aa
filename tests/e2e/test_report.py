"""What report_sample renders is read by parsers of others: XML, HTML, JSON, CSV."""
import csv
import io
import json
import re
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness import TOOLS

SAMPLES = ["nice", "many", "hostile", "one", "none", "empty"]
SVG = "{http://www.w3.org/2000/svg}"


def render(*args):
    done = subprocess.run([TOOLS / "report_sample", *map(str, args)], capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Page(HTMLParser):
    """Elements, attributes and text; void and unclosed elements are told apart."""
    VOID = {"meta", "link", "br", "img", "hr", "input"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


ALLOWED = set("""html head meta link title style body main header footer nav section figure
figcaption h1 h2 h3 p ul li a span div table thead tbody tr th td bdi details summary dl dt dd i
svg desc rect path text tspan circle g""".split())


def shown_well(text):
    """No character that acts, hides or turns the text around."""
    return not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cn", "Cs")
                or c in "\u200b\u202e\u2066\ufeff"]


@pytest.mark.parametrize("name", SAMPLES)
def test_html_is_well_formed_and_holds_nothing_active(name):
    raw = render(name, "html").decode("utf-8")
    body = raw.replace("<!DOCTYPE html>", "", 1)
    ET.fromstring(body)  # XML, too
    page = Page()
    page.feed(raw)
    page.close()
    assert page.open == []
    assert page.tags <= ALLOWED, page.tags - ALLOWED
    for tag, key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("href", "src", "xlink:href"):
            assert value.startswith("#") or value == "data:,"
    assert shown_well("".join(page.text))
    assert "url(" not in raw and "@import" not in raw
    ids = [v for _, k, v in page.attributes if k == "id"]
    assert len(ids) == len(set(ids))


def test_names_reach_the_reader_as_text():
    page = Page()
    page.feed(render("hostile", "html").decode())
    text = "\n".join(page.text)
    for name in ['"quotes" & \'more\'', "<script>alert(1)</script>", "]]>", "</style></svg></html>",
                 "line\\nbreak\\r\\ttab", "\\x1b[31mred", "\\xff\\xfe\\x80", "nul\\x00inside",
                 "\\u{202e}gnp.exe", "W" * 255]:
        assert name in text, name


@pytest.mark.parametrize("name", SAMPLES)
def test_every_drawing_is_a_well_formed_file(name, directory):
    render(name, "files", directory)
    files = sorted(Path(directory).iterdir())
    drawings = [f for f in files if f.suffix == ".svg"]
    assert len(drawings) == (0 if name == "empty" else 6)
    assert {f.suffix for f in files} <= {".svg", ".csv"}
    for file in drawings:
        root = ET.fromstring(file.read_bytes())
        assert root.tag == SVG + "svg" and root.get("role") == "img"
        assert root.find(SVG + "title").text and root.find(SVG + "desc").text
        labels = [root.find(SVG + "title"), root.find(SVG + "desc")]
        assert root.get("aria-labelledby").split() == [e.get("id") for e in labels]
        x, y, width, height = map(float, root.get("viewBox").split())
        for text in root.iter(SVG + "text"):
            if text.get("x"):
                assert x <= float(text.get("x")) <= x + width
                if text.get("transform") is None:
                    assert y <= float(text.get("y")) <= y + height
        assert "nan" not in file.read_text() and "inf" not in re.sub(
            r"<title>.*?</title>", "", file.read_text())


def same_names(got):
    """The rows' names as they were put in, as bytes."""
    return [bytes.fromhex(v["hex"]) if isinstance(v, dict) else v.encode() for v in got]


def test_json_keeps_every_value():
    r = json.loads(render("nice", "json"))
    assert r["report"] == "compare"
    assert r["facts"] == {"seed": 0, "keys": 100000, "version": "0.1.0",
                          "command": r["facts"]["command"]}
    assert [s["verdict"] for s in r["summary"]] == ["ok", "bad", None]
    rows = r["sections"]["balance"]["tables"]["algorithms"]["rows"]
    assert [row["algorithm"] for row in rows] == ["table", "ring", "rendezvous", "maglev", "jump",
                                                  "modulo"]
    assert rows[1]["peak"] == 0.024 and rows[4]["memory_bytes"] is None
    assert rows[5]["minimal"] == {"verdict": "bad", "words": "moves 98.9 %"}
    ring = r["sections"]["why"]["charts"]["ring"]
    assert ring["kind"] == "ring" and len(ring["points"]) == 40
    assert ring["marks"][0] == {"label": "alice", "position": "2100000000000000"}
    bars = r["sections"]["change"]["charts"]["loads"]
    assert len(bars["labels"]) == 5 and len(bars["values"]) == 9  # one is missing
    flows = r["sections"]["change"]["charts"]["flows"]["flows"]
    assert flows == sorted(flows, key=lambda f: -f["value"])


@pytest.mark.parametrize("name", SAMPLES)
def test_json_is_json(name):
    raw = render(name, "json")
    r = json.loads(raw.decode("utf-8"))
    assert shown_well(raw.decode())
    if name == "hostile":
        nodes = same_names(r["sections"]["why"]["charts"]["ring"]["nodes"])
        assert b"\xff\xfe\x80" in nodes and b"nul\0inside" in nodes
        assert "\u202egnp.exe".encode() in nodes and b"W" * 255 in nodes and b"back\\slash" in nodes


def test_csv_of_one_table_and_of_all():
    rows = list(csv.DictReader(io.StringIO(render("nice", "csv", "balance.algorithms").decode(),
                                           newline="")))
    assert len(rows) == 6
    assert rows[1]["algorithm"] == "ring" and float(rows[1]["peak"]) == 0.024
    assert rows[4]["memory_bytes"] == ""
    assert (rows[5]["minimal"], rows[5]["minimal_words"]) == ("bad", "moves 98.9 %")
    long = list(csv.DictReader(io.StringIO(render("nice", "csv").decode(), newline="")))
    assert long[0] == {"section": "balance", "table": "algorithms", "row": "0",
                       "column": "algorithm", "value": "table"}
    assert len(long) == 6 * 9


def test_csv_keeps_hostile_names():
    raw = render("hostile", "csv", "balance.algorithms")
    assert raw.endswith(b"\r\n")
    rows = list(csv.reader(io.StringIO(raw.decode(), newline="")))
    assert [r[0] for r in rows[1:]] == ['"quotes" & \'more\'', "<script>alert(1)</script>", "]]>",
                                       "-->", "line\nbreak\r\ttab", "\x1b[31mred\x1b]0;title\x07"]


def test_a_table_that_is_not_there_is_told():
    done = subprocess.run([TOOLS / "report_sample", "nice", "csv", "balance.nothing"],
                          capture_output=True, timeout=60)
    assert done.returncode == 1 and b"balance.algorithms" in done.stderr


def columns(line):
    """Columns of a terminal, by Unicode's own tables."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


@pytest.mark.parametrize("form", ["text", "ascii", "colour"])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_wider_than_the_terminal(name, form):
    for width in [20, 21, 33, 47, 60, 80, 100, 200]:
        text = render(name, form, width).decode()
        text = re.sub(r"\x1b\[[0-9;]*m", "", text) if form == "colour" else text
        assert shown_well(text)
        assert form != "ascii" or text.isascii()
        for line in text.split("\n"):
            assert columns(line) <= width, (width, line)
            assert line == line.rstrip(" ")


def test_text_shows_all_of_a_small_report():
    text = render("nice", "text", 100).decode()
    for part in ["Six algorithms", "✓ table is the most even", "rendezvous", "31.20 %", "115 ns",
                 "✗ moves 98.9 %", "cache-b → cache-a", "what must move: 1.00 %", "100000"]:
        assert part in text, part
