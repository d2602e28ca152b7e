"""A run that has finished, read back from its directory."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.results import RunDirectory
from harness.settings import ConfigError
from harness.summary.cases import CaseTable
from harness.summary.estimates import Tree


@dataclass(frozen=True)
class FinishedRun:
    """The files of a run, each read when it is first asked for.

    Raises:
        ConfigError: the directory is not that of a finished run.
    """

    root: Path

    def __post_init__(self) -> None:
        run = RunDirectory(self.root)
        missing = [file.name for file in (run.cases, run.summary, run.manifest) if not file.is_file()]
        if missing:
            raise ConfigError(f"{self.root} lacks {' and '.join(missing)}: give a folder that `harness run` finished")

    @cached_property
    def cases(self) -> CaseTable:
        """`cases.parquet`."""
        return CaseTable.read(RunDirectory(self.root).cases)

    @cached_property
    def summary(self) -> Tree:
        """`summary.json`."""
        tree: Tree = json.loads(RunDirectory(self.root).summary.read_bytes())
        return tree

    @cached_property
    def manifest(self) -> Tree:
        """`manifest.json`."""
        tree: Tree = json.loads(RunDirectory(self.root).manifest.read_bytes())
        return tree
