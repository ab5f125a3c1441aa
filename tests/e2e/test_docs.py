"""What the documents say is what the program does."""
import json
import re
import subprocess

from harness import FAIRLEAD, ROOT

README = (ROOT / "README.md").read_text()


def block(language, after):
    """The first code block of a language behind a heading of the README."""
    return re.search(rf"```{language}\n(.*?)```", README[README.index(after):], re.S)[1]


def test_the_configuration_reference_is_what_the_program_prints():
    out = subprocess.run([FAIRLEAD, "help", "configuration"], check=True, capture_output=True,
                         text=True).stdout
    assert out == (ROOT / "docs/configuration.md").read_text(), \
        "write it anew: build/release/fairlead help configuration > docs/configuration.md"


def test_the_schema_is_json():
    out = subprocess.run([FAIRLEAD, "help", "schema"], check=True, capture_output=True, text=True)
    assert "pools" in json.loads(out.stdout)["properties"]


def test_the_readmes_configuration_is_accepted(tmp_path):
    path = tmp_path / "fairlead.yaml"
    path.write_text(block("yaml", "## A balancer in ten lines"))
    subprocess.run([FAIRLEAD, "check", "-c", path], check=True, capture_output=True)
    out = subprocess.run([FAIRLEAD, "lookup", "-c", path, "alice", "bob"], check=True,
                         capture_output=True, text=True).stdout
    assert re.fullmatch(r"alice\t[ab]\nbob\t[ab]\n", out)


def test_the_readmes_program_says_what_lookup_says(tmp_path):
    source, program = tmp_path / "x.c", tmp_path / "x"
    source.write_text(block("c", "## A lookup in ten lines of C"))
    release = ROOT / "build/release"
    subprocess.run(["cc", "-Wall", "-Werror", f"-I{ROOT}/include", source, "-o", program,
                    f"-L{release}", "-lfairlead", f"-Wl,-rpath,{release}"], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    looked = subprocess.run([FAIRLEAD, "lookup", "--algorithm", "table", "--node", "a", "--node",
                             "b=2", "alice"], check=True, capture_output=True, text=True).stdout
    assert looked == f"alice\t{said}"


def test_every_file_the_documents_point_to_exists():
    for document in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), (document.name, link)
