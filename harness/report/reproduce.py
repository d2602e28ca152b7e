"""The run's configuration as a run file, without the paths of the machine that it ran on."""

from pathlib import Path
from typing import Any

import yaml

from harness.report.reader import Results, mapping


def run_file(results: Results) -> str:
    """The run's configuration as a run file that `harness run` takes; empty when the manifest holds none.

    Absolute paths are shown as `shown_path` tells.
    """
    config = mapping(results.manifest.get("config"))
    shown = _without_absolute_paths(dict(config), Path.cwd())
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True) if config else ""


def shown_path(text: str, folder: Path) -> str:
    """An absolute path relative to `folder` where it lies below it, else its last part; any other text as it is."""
    path = Path(text)
    if not path.is_absolute():
        return text
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _without_absolute_paths(node: Any, folder: Path) -> Any:
    if isinstance(node, dict):
        return {key: _without_absolute_paths(value, folder) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_absolute_paths(value, folder) for value in node]
    return shown_path(node, folder) if isinstance(node, str) else node
