"""An installed library is found by pkg-config and by CMake, from C and from C++, shared and static,
wherever it was installed."""
import os
import subprocess

import pytest

from harness import ROOT

C = """#include <fairlead/fairlead.h>
#include <stdio.h>
int main(void)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	fl_placement *p;
	if (fl_placement_new(&p, "ring", nodes, 2, NULL))
		return 1;
	printf("%s\\n", fl_placement_node(p, fl_lookup(p, "k", 1))->name);
	fl_placement_unref(p);
}
"""
CMAKE = """cmake_minimum_required(VERSION 3.21)
project(user C CXX)
find_package(fairlead REQUIRED)
add_executable(shared x.c)
target_link_libraries(shared fairlead::fairlead_shared)
add_executable(static x.cc)
target_link_libraries(static fairlead::fairlead_static)
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    where = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", ROOT / "build/release", "--prefix", where], check=True,
                   capture_output=True)
    return where


def libdir(prefix):
    return next(prefix.glob("lib/**/libfairlead.so")).parent


def run(command, **kwargs):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kwargs).stdout


def test_pkg_config(prefix, tmp_path):
    (tmp_path / "x.c").write_text(C)
    env = {**os.environ, "PKG_CONFIG_PATH": str(libdir(prefix) / "pkgconfig")}
    flags = run(["pkg-config", "--cflags", "--libs", "fairlead"], env=env).split()
    run(["cc", "-Wall", "-Werror", tmp_path / "x.c", "-o", tmp_path / "x", *flags])
    env = {**os.environ, "LD_LIBRARY_PATH": str(libdir(prefix))}
    assert run([tmp_path / "x"], env=env) in ("a\n", "b\n")


def test_cmake_package_from_c_and_cxx(prefix, tmp_path):
    (tmp_path / "x.c").write_text(C)
    (tmp_path / "x.cc").write_text(C)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    run(["cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", tmp_path / "b"])
    said = {run([tmp_path / "b" / name]) for name in ("shared", "static")}
    assert len(said) == 1


def test_only_the_public_names_are_exported(prefix):
    out = run(["nm", "-D", "--defined-only", libdir(prefix) / "libfairlead.so"])
    names = {line.split()[2].split("@")[0] for line in out.splitlines()}
    header = (ROOT / "include/fairlead/fairlead.h").read_text()
    assert {n for n in names if n not in header and n != "FAIRLEAD_0"} == set()
    assert "fl_placement_new" in names


def test_the_programs_documents_are_installed(prefix):
    for path in ("share/man/man1/fairlead.1", "share/man/man3/fairlead.3",
                 "share/bash-completion/completions/fairlead", "share/zsh/site-functions/_fairlead",
                 "share/fish/vendor_completions.d/fairlead.fish"):
        assert (prefix / path).stat().st_size > 500, path
