"""tools/record-golden finds what a program answers in another way, and can record it."""
import subprocess

import pytest

from harness import ROOT

GOLDEN = ROOT / "tests/golden"


def record(*args):
    return subprocess.run([ROOT / "tools/record-golden", *args], capture_output=True, text=True,
                          check=False)


@pytest.mark.parametrize("program", ["nginx", "haproxy"])
def test_a_wrong_recording_is_found_and_put_right(tmp_path, program):
    lines = (GOLDEN / f"{program}.csv").read_text().splitlines()
    # The last two mappings with keys of keys.txt.
    starts = [i for i, line in enumerate(lines) if line.startswith("# provenance")]
    taken = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)])
             if "# keys: 200" in lines[a:b]][-2:]
    right = "".join(f"{line}\n" for section in taken for line in section)
    owners = taken[1][-1]
    changed = owners[:-1] + ("0" if owners[-1] != "0" else "1")
    wrong = right[:right.rindex(owners)] + changed + "\n"
    copy = tmp_path / "copy.csv"
    copy.write_text(wrong)
    (tmp_path / "keys.txt").write_bytes((GOLDEN / "keys.txt").read_bytes())
    found = record("--program", program, copy)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "1 of 200 keys differ" in found.stdout and "1 mappings differ" in found.stdout
    assert copy.read_text() == wrong
    assert record("--program", program, "--write", copy).returncode == 1
    assert record("--program", program, copy).returncode == 0
    got, want = copy.read_text().splitlines(), right.splitlines()
    differ = [(a, b) for a, b in zip(got, want, strict=True) if a != b]
    assert all(a.startswith("# provenance: recorded from") for a, _ in differ)


def test_nothing_to_ask_is_no_success(tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert record(empty).returncode == 2
