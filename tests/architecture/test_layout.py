"""The shape of the repository: fixed names at the top, small files, nothing of one machine in them."""

import ast
import re
from pathlib import Path

import pytest

from tests import repository

FIXED = {"proto", "model_store", "handlers", "harness", "deploy", "tests", "Dockerfile"}
ALSO = {
    *(".ci", ".dockerignore", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"),
    *("benchmarks", "constraints.txt", "docs", "pyproject.toml", "training", "wronglung"),
}
LONGEST_FILE = 400

MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home|Users)/\w")
TEMPORARY_PATH = re.compile(r"(?<![\w.$}/-])/tmp/\w")
PACKAGE_HOST = re.compile(r"pythonhosted|pypi\.org|npmjs|(?:deb|security)\.debian|pytorch\.org|huggingface\.co", re.I)
URL_HOST = re.compile(r"(?:https?|grpc)://([A-Za-z0-9.-]+)")
KNOWN_HOSTS = {"127.0.0.1", "localhost", "www.apache.org", "arxiv.org", "www.w3.org", "json-schema.org"}


def test_the_top_level_names_are_these() -> None:
    names = {path.parts[0] for path in repository.tracked()}
    assert names >= FIXED
    assert names <= FIXED | ALSO


@pytest.mark.parametrize("path", repository.texts(), ids=str)
def test_no_file_is_too_long_to_read(path: Path) -> None:
    if path.suffix not in {".json", ".txt"}:
        assert len(repository.read(path).splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", repository.texts(), ids=str)
def test_nothing_of_one_machine_is_written_down(path: Path) -> None:
    if path == Path("tests/architecture/test_layout.py"):
        return
    text = repository.read(path)
    assert not MACHINE_PATH.findall(text)
    assert not PACKAGE_HOST.findall(text)
    assert {host for host in URL_HOST.findall(text) if not host.endswith(".example")} <= KNOWN_HOSTS
    if path.parts[0] not in {"deploy", "Dockerfile"}:
        assert not TEMPORARY_PATH.findall(text)


@pytest.mark.parametrize(
    "path", repository.modules("wronglung", "harness", "handlers", "training", "benchmarks"), ids=str
)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(repository.read(path)))
