"""The protocol of bounded loads under every interleaving (tests/model/load_protocol.py), and three
wrong protocols, each of which must be found out."""
import subprocess

import pytest
from harness import ROOT

MODEL = ["/usr/bin/python3", ROOT / "tests/model/load_protocol.py"]


def test_no_interleaving_breaks_it():
    r = subprocess.run(MODEL, capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr


@pytest.mark.parametrize("fault, says", [("add-undo", "a ghost"),
                                         ("total-first", "looking, of"),
                                         ("no-total", "looking, of")])
def test_faults_are_found(fault, says):
    r = subprocess.run([*MODEL, "--fault", fault], capture_output=True, text=True, timeout=120)
    assert r.returncode == 1 and says in r.stdout, r.stdout + r.stderr
