"""Who may import whom: held by import-linter (pyproject.toml) and by looking at what is loaded in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import grimp

from tests import needs, repository

LIGHT = ["alignment", "client", "errors", "geometry", "images", "limits", "wire"]
ENGINE = {"torch", "transformers", "ts", "handlers", "training", "wronglung.model"}
OF_THE_OTHERS = {
    *("harness.case", "harness.dataset", "harness.laterality", "harness.mask", "harness.meaning", "harness.metrics"),
    *("harness.perturbation", "harness.settings", "harness.statistics", "harness.subsets"),
    *("wronglung.alignment", "wronglung.errors", "wronglung.geometry", "wronglung.images", "wronglung.model"),
}
"""What training may import: a module, or a package with all that is in it (ADR 0121)."""
LOADED = """
import importlib, json, sys
before = set(sys.modules)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(*modules: str) -> set[str]:
    """Every module that a fresh interpreter has loaded after importing these."""
    run = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(modules)],
        cwd=repository.ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def dotted(path: Path) -> str:
    """The importable name of a module of this repository."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def test_the_import_rules_hold() -> None:
    linted = subprocess.run(
        [needs.tool("lint-imports"), "--no-logo"], cwd=repository.ROOT, capture_output=True, text=True
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_training_imports_what_is_listed_and_all_that_is_listed_is_used() -> None:
    graph = grimp.build_graph("training", "harness", "wronglung", cache_dir=None)
    found = set().union(
        *(graph.find_modules_directly_imported_by(m) for m in graph.modules if m.startswith("training"))
    )
    others = {".".join(name.split(".")[:2]) for name in found if not name.startswith("training")}
    assert others == OF_THE_OTHERS


def test_importing_the_package_costs_nothing() -> None:
    assert loaded_by("wronglung") == {"wronglung"}


def test_what_both_sides_share_loads_no_engine() -> None:
    assert loaded_by(*(f"wronglung.{module}" for module in LIGHT)) & ENGINE == set()


def test_no_module_of_the_harness_loads_an_engine() -> None:
    names = [dotted(p) for p in repository.modules("harness") if p.name != "__main__.py"]
    assert names
    assert loaded_by(*names) & ENGINE == set()
