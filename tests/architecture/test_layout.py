"""The shape of the repository: fixed names at the top, small files, nothing of one machine in them."""

import ast
import re
from pathlib import Path

from tests import repository

FIXED = {"proto", "model_store", "handlers", "harness", "deploy", "tests", "Dockerfile"}
ALSO = {
    *(".ci", ".dockerignore", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"),
    *("benchmarks", "constraints.txt", "docs", "pyproject.toml", "training", "wronglung"),
}
LONGEST_FILE = 400
MAY_BE_LONG = {Path("LICENSE"), Path("docs/phantom-results.md")}
"""What others wrote, and the page that `harness report --page` writes: every table of a run."""

MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home|Users)/\w")
TEMPORARY_PATH = re.compile(r"(?<![\w.$}/-])/tmp/\w")
PACKAGE_HOST = re.compile(r"pythonhosted|pypi\.org|npmjs|(?:deb|security)\.debian|pytorch\.org|huggingface\.co", re.I)
URL_HOST = re.compile(r"(?:https?|grpc)://([A-Za-z0-9.-]+)")
IN_A_CLUSTER = "prometheus-operated.monitoring.svc"
KNOWN_HOSTS = {"127.0.0.1", "localhost", "www.apache.org", "arxiv.org", "www.w3.org", "json-schema.org", IN_A_CLUSTER}


def found_in(pattern: re.Pattern[str], paths: list[Path]) -> dict[Path, list[str]]:
    """What a pattern finds in which file, this one apart."""
    found = {p: pattern.findall(repository.read(p)) for p in paths if p.name != Path(__file__).name}
    return {path: names for path, names in found.items() if names}


def test_the_top_level_names_are_these() -> None:
    names = {path.parts[0] for path in repository.tracked()}
    assert names >= FIXED
    assert names <= FIXED | ALSO


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(repository.read(path).splitlines()) for path in repository.texts()}
    data = {".json", ".txt"}
    assert {
        p: n for p, n in lengths.items() if n > LONGEST_FILE and p.suffix not in data and p not in MAY_BE_LONG
    } == {}


def test_no_path_of_one_machine_is_written_down() -> None:
    assert found_in(MACHINE_PATH, repository.texts()) == {}
    elsewhere = [p for p in repository.texts() if p.parts[0] not in {"deploy", "Dockerfile"}]
    assert found_in(TEMPORARY_PATH, elsewhere) == {}


def test_no_host_is_named_but_examples_and_standards() -> None:
    assert found_in(PACKAGE_HOST, repository.texts()) == {}
    hosts = {host for names in found_in(URL_HOST, repository.texts()).values() for host in names}
    assert {host for host in hosts if not host.endswith(".example")} <= KNOWN_HOSTS


def test_every_module_says_what_it_is() -> None:
    paths = repository.modules("wronglung", "harness", "handlers", "training", "benchmarks")
    assert paths
    assert [p for p in paths if not ast.get_docstring(ast.parse(repository.read(p)))] == []


def test_when_to_try_again_without_knowing_is_said_in_one_place() -> None:
    said = [
        (str(path), target.id)
        for path in repository.modules("wronglung", "handlers")
        for node in ast.parse(repository.read(path)).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.endswith("RETRY_MS")
    ]
    of_a_full_model = [("wronglung/gateway/returns.py", f"_{most}_RETRY_MS") for most in ("SHORTEST", "LONGEST")]
    assert sorted(said) == sorted([("wronglung/errors.py", "RETRY_MS"), *of_a_full_model])
