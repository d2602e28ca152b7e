"""What a server leaves behind is found, whatever it hangs on; what is others' is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.leftovers import left_behind
from benchmarks.faults.server import MARK, Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of processes")


@pytest.fixture
def dead(tmp_path: Path) -> Server:
    """A server that does not run."""
    return Server(["encoder"], "torchserve", tmp_path, tmp_path / "log", {})


@pytest.fixture(params=[True, False], ids=["its own", "another's"])
def orphan(request: pytest.FixtureRequest, dead: Server) -> Iterator[bool]:
    """A process that no supervisor has below it, of this server or of another one."""
    mark = dead.mark if request.param else "another"
    with subprocess.Popen(["sleep", "60"], env=os.environ | {MARK: mark}) as process:
        yield request.param
        process.kill()


def test_an_orphan_is_named_if_it_is_the_servers_own(dead: Server, orphan: bool) -> None:
    assert left_behind(dead, set(), patience_s=0) == (["process sleep 60"] if orphan else [])


def test_a_private_folder_is_named(dead: Server) -> None:
    (dead.temporary / "wronglung-abc").mkdir()
    assert left_behind(dead, set(), patience_s=0) == ["folder wronglung-abc"]


def test_nothing_left_is_nothing_named(dead: Server) -> None:
    assert left_behind(dead, set(), patience_s=0) == []
