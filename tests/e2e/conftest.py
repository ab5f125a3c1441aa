import resource
import shutil
import tempfile

import pytest

import harness


@pytest.fixture
def directory():
    # Short, because the path of a unix socket may have only about 100 bytes.
    path = tempfile.mkdtemp(prefix="fl-")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def started():
    """Starts processes by `started(Class, ...)`; whatever is still alive at the end is killed."""
    processes = []

    def start(kind, *args, **kwargs):
        process = kind(*args, **kwargs)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def serve(started, directory):
    """serve(nodes, **options of harness.config): (fairlead, its port)."""

    def run(nodes, **kwargs):
        port = harness.free_port()
        text = harness.config(directory, port, nodes, **kwargs)
        return started(harness.Fairlead, text, directory), port

    return run


@pytest.fixture
def many_files():
    """Room for 12,000 descriptors in each process that is started from here on."""
    want, (soft, hard) = 12000, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < want:
        pytest.skip(f"a process may have {hard} descriptors here, and this needs {want}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
