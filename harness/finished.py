"""A run that has finished, read back from its directory."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from harness.results import RunDirectory
from harness.settings import ConfigError
from harness.summary.cases import CaseTable
from harness.summary.estimates import Tree
from harness.summary.parquet import ParquetColumns


@dataclass(frozen=True)
class FinishedRun:
    """The files of a run, each read when it is first asked for.

    Raises:
        ConfigError: the directory is not that of a finished run; or, when a file is asked for, it is damaged.
    """

    root: Path

    def __post_init__(self) -> None:
        run = RunDirectory(self.root)
        missing = [file.name for file in (run.cases, run.summary, run.manifest) if not file.is_file()]
        if missing:
            raise ConfigError(f"{self.root} lacks {' and '.join(missing)}: give a folder that `harness run` finished")

    @cached_property
    def cases(self) -> CaseTable:
        """`cases.parquet`, of which a column is read when it is asked for."""
        path = RunDirectory(self.root).cases
        try:
            return CaseTable(ParquetColumns(path))
        except pa.ArrowException as error:
            raise _damaged(path, error) from error

    @cached_property
    def summary(self) -> Tree:
        """`summary.json`."""
        return _tree(RunDirectory(self.root).summary)

    @cached_property
    def manifest(self) -> Tree:
        """`manifest.json`."""
        return _tree(RunDirectory(self.root).manifest)


def _tree(path: Path) -> Tree:
    try:
        tree: Tree = json.loads(path.read_bytes())
    except ValueError as error:
        raise _damaged(path, error) from error
    return tree


def _damaged(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{path} is damaged ({error}): copy it again, or run anew")
