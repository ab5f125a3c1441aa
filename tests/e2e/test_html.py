"""The pages of compare, plan and why in a real browser: nothing on the console, no request, every chart
with its data, no label outside its picture, nothing wider than the window; wide and narrow, light and
dark. Chromium is given the page in a frame, and a script around it measures."""
import html
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as xml

import pytest

from harness import FAIRLEAD

CHROMIUM = shutil.which("chromium")
HOSTILE = '<script>alert(1)</script>"&\'\x1b[31m'
NODES = ["--node", "a", "--node", "b=3", "--node", "c-with-a-rather-long-name.example.com:11211",
         "--node", HOSTILE]
PAGES = {
    "compare": ["compare", "--scenario", "readme", "--no-time"],
    "sizes": ["compare", "-n", "5,50,200", "--keys", "20000", "--distribution"],
    "plan": ["plan", *NODES, "--remove", "b", "--add", "e", "--keys", "20000", "--zipf", "1",
             "--max-moved", "10%"],
    "many": ["plan", *[x for i in range(60) for x in ("--node", f"node-{i}")], "--new-algorithm",
             "ring", "--keys", "20000"],
    "why-table": ["why", *NODES, HOSTILE],
    "why-ring": ["why", "--algorithm", "ring,points=9", *NODES, "alice"],
}

# All pages in frames of one document, for a browser takes its time to start.
WRAPPER = """<!doctype html><meta charset="utf-8"><body style="margin:0">
{frames}
<script>
function measured(svg) {{
  const box = svg.getBoundingClientRect();
  const is_out = t => {{
    const b = t.getBoundingClientRect();
    return b.width && (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1
                       || b.bottom > box.bottom + 1);
  }};
  return {{marks: svg.querySelectorAll("title").length - 1,
          named: svg.getAttribute("role") === "img" && !!svg.querySelector("desc"),
          outside: [...svg.querySelectorAll("text")].filter(is_out).map(
            t => t.firstChild ? t.firstChild.textContent : "")}};
}}
function seen(frame) {{
  const d = frame.contentDocument;
  return {{scripts: d.scripts.length,
    overflow: d.documentElement.scrollWidth - d.documentElement.clientWidth,
    width: d.documentElement.clientWidth,
    background: frame.contentWindow.getComputedStyle(d.body).backgroundColor,
    figures: [...d.querySelectorAll("figure")].map(f => {{
      const svg = [...f.querySelectorAll("svg")].find(s => s.getBoundingClientRect().width > 0);
      return {{title: f.querySelector("h3") ? f.querySelector("h3").textContent : "",
              rows: f.querySelectorAll("details tbody tr").length, ...measured(svg)}};
    }})}};
}}
onload = () => {{
  const out = {{}};
  for (const frame of document.querySelectorAll("iframe")) out[frame.id] = seen(frame);
  const pre = document.createElement("pre");
  pre.id = "result"; pre.textContent = JSON.stringify(out);
  document.body.replaceChildren(pre);
}};
</script>"""
FRAME = '<iframe id="{name}" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>'


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, args in PAGES.items():
        out = subprocess.run([FAIRLEAD, *args, "--html", folder / f"{name}.html", "--svg",
                              folder / name], capture_output=True)
        assert out.returncode in (0, 1), out.stderr.decode()
    return folder


def test_there_is_a_browser():
    assert CHROMIUM, "Debian's chromium is needed"


@pytest.fixture(scope="module", params=[(1200, False), (390, True)], ids=["wide-light", "narrow-dark"])
def look(request, pages, tmp_path_factory):
    """What a browser sees of every page, and what it says."""
    width, dark = request.param
    folder = tmp_path_factory.mktemp("browser")
    wrapper = folder / "wrapper.html"
    wrapper.write_text(WRAPPER.format(frames="".join(
        FRAME.format(name=name, width=width,
                     page=html.escape((pages / f"{name}.html").read_text())) for name in PAGES)))
    out = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
         f"--user-data-dir={folder}",
         f"--blink-settings=preferredColorScheme={0 if dark else 1}",
         f"--window-size={width},900", "--virtual-time-budget=20000", "--dump-dom",
         wrapper.as_uri()], capture_output=True, text=True, timeout=240)
    found = re.search(r'<pre id="result">(.*?)</pre>', out.stdout, re.S)
    assert found, out.stdout[:2000] + out.stderr[-2000:]
    console = [line for line in out.stderr.splitlines() if "CONSOLE" in line]
    return width, dark, json.loads(html.unescape(found[1])), console


def test_the_browser_has_nothing_to_say(look):
    assert look[3] == []


@pytest.mark.parametrize("name", PAGES)
def test_in_a_browser(look, name):
    width, dark, seen = look[0], look[1], look[2][name]
    assert seen["scripts"] == 0 and seen["width"] == width and seen["overflow"] <= 0, seen
    assert seen["figures"]
    for figure in seen["figures"]:
        assert figure["rows"] > 0 and figure["marks"] > 0 and figure["named"], figure
        assert figure["outside"] == [], figure
    lightness = [int(n) for n in re.findall(r"\d+", seen["background"])[:3]]
    assert (sum(lightness) < 300) == dark, seen["background"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_runs_nothing(pages, name):
    page = (pages / f"{name}.html").read_text()
    assert not re.search(r"<(script|img|iframe|object|embed)\b|url\(|@import|\bon\w+=", page)
    # "data:,", an empty icon, keeps the browser from asking for one.
    assert not re.search(r"(?:src|href)=\"(?!#|data:,\")", page)
    assert "\x1b" not in page and "<script>alert" not in page


@pytest.mark.parametrize("name", PAGES)
def test_pictures_are_whole_files(pages, name):
    pictures = list((pages / name).glob("*.svg"))
    assert pictures and list((pages / name).glob("*.csv"))
    for picture in pictures:
        root = xml.parse(picture).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "http" not in picture.read_text().replace("http://www.w3.org/2000/svg", "")
