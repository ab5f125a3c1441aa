"""The man page and the shells' completions, tried in the shells themselves."""
import shutil
import subprocess

import pytest

from harness import FAIRLEAD

VERBS = ["check", "lookup", "serve", "demo"]


def topic(name):
    return subprocess.run([FAIRLEAD, "help", name], check=True, capture_output=True,
                          text=True).stdout


def bash(words):
    """What bash offers for the last of the words."""
    script = topic("bash") + (
        "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _fairlead; printf '%s\\n' \"${COMPREPLY[@]}\"")
    out = subprocess.run(["bash", "-c", script, "bash", *words], check=True, capture_output=True,
                         text=True)
    assert out.stderr == ""
    return out.stdout.split()


def fish(line, home):
    script = topic("fish") + f"\ncomplete -C '{line}'"
    out = subprocess.run(["fish", "--no-config", "-c", script], check=True, capture_output=True,
                         text=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    return [row.split("\t")[0] for row in out.stdout.splitlines()]


def zsh(line, home):
    """Types the line and a tab into an interactive zsh on a terminal of its own."""
    (home / "_fairlead").write_text(topic("zsh"))
    script = f"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'fpath=({home} $fpath); autoload -Uz compinit; compinit -u -d {home}/dump; PROMPT=; echo RE""ADY'
zpty -r z got '*READY*'
zpty -w -n z $'{line}\\t'
zpty -r -m z got '*{{EXPECT}}*' && print -r -- "$got"
zpty -d z
"""
    return script


def test_the_man_page_is_clean_and_complete():
    page = topic("man")
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, text=True,
                          capture_output=True)
    assert lint.stdout == "", lint.stdout
    plain = subprocess.run(["mandoc", "-T", "ascii"], input=page, text=True, capture_output=True,
                           check=True).stdout
    plain = subprocess.run(["col", "-b"], input=plain, text=True, capture_output=True,
                           check=True).stdout
    for verb in VERBS:
        for word in topic(verb).split():
            if word.startswith("--") and len(word) > 2 and word.strip('".,:') == word:
                assert word in plain, (verb, word)


def test_bash():
    assert set(VERBS) <= set(bash(["fairlead", ""]))
    assert bash(["fairlead", "look"]) == ["lookup"]
    assert bash(["fairlead", "lookup", "--own"]) == ["--owners"]
    assert "jumpback" in bash(["fairlead", "lookup", "--algorithm", "j"])
    assert bash(["fairlead", "lookup", "--compat", "python"]) == ["python-ring"]
    assert bash(["fairlead", "help", "sch"]) == ["schema"]


def test_bash_offers_files(tmp_path):
    (tmp_path / "one.yaml").touch()
    assert bash(["fairlead", "check", "-c", f"{tmp_path}/on"]) == [f"{tmp_path}/one.yaml"]


def test_fish(tmp_path):
    assert set(VERBS) <= set(fish("fairlead ", tmp_path))
    assert fish("fairlead look", tmp_path) == ["lookup"]
    assert fish("fairlead lookup --own", tmp_path) == ["--owners"]
    assert "jumpback" in fish("fairlead lookup --algorithm j", tmp_path)
    assert fish("fairlead help sch", tmp_path) == ["schema"]


@pytest.mark.parametrize("line, expect", [
    ("fairlead look", "lookup"),
    ("fairlead lookup --own", "--owners"),
    ("fairlead lookup --compat pyth", "python-ring"),
    ("fairlead help sche", "schema"),
])
def test_zsh(tmp_path, line, expect):
    assert shutil.which("zsh")
    script = zsh(line, tmp_path).replace("{EXPECT}", expect)
    out = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=60,
                         env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"})
    assert expect in out.stdout, out
