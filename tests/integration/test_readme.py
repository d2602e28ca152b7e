"""What the README shows does what it says, on a real server."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.dataset.phantom import PhantomDataset
from tests import needs, repository
from tests.serving import Instance

pytestmark = pytest.mark.integration

README = repository.read(Path("README.md"))


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the image that the README speaks of."""
    (tmp_path / "chest.png").write_bytes(PhantomDataset(split="test", patients=1).record(0).load())
    return tmp_path


def run(command: list[str], folder: Path, server: Instance) -> str:
    """Run a command as the reader would, on the test's server."""
    path = os.pathsep.join([str(repository.ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"WRONGLUNG_TARGET": server.target, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_example_prints_what_it_says(folder: Path, server: Instance) -> None:
    (example,) = blocks("python")
    shape, total = run([sys.executable, "-c", example], folder, server).splitlines()
    assert re.fullmatch(r"\(2, \d+, \d+\)", shape)
    assert [round(float(number), 4) for number in total.strip("[]").split()] == [1, 1]


def test_the_align_example_draws_an_overlay(folder: Path, server: Instance) -> None:
    (line,) = re.findall(r"^\.venv/bin/(wronglung align .*)$", "".join(blocks("sh")), re.MULTILINE)
    command = shlex.split(line)
    run([needs.tool(command[0]), *command[1:]], folder, server)
    assert (folder / command[-1]).read_bytes().startswith(b"\x89PNG")


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (repository.ROOT / link).exists()] == []


def test_every_command_it_names_is_a_target_of_make() -> None:
    makefile = repository.read(Path("Makefile"))
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", "".join(blocks("sh")))) <= targets
