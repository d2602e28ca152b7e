"""Opens the sources of a run by its configuration."""

from collections.abc import Mapping
from typing import Any

from harness.sources.config import AnyMapsConfig, SavedMapsConfig, StudyMapsConfig
from harness.sources.saved import SavedMaps
from harness.sources.study import StudyMaps

Source = StudyMaps | SavedMaps


def open_source(model: str, config: AnyMapsConfig) -> Source:
    """Open one source.

    Raises:
        ConfigError: its files are missing or cannot be read.
    """
    match config:
        case StudyMapsConfig():
            return StudyMaps(model, config)
        case SavedMapsConfig():
            return SavedMaps(model, config)


def noted(source: Source) -> dict[str, Any]:
    """What a source holds and what was left out of it, as plain JSON values for the manifest."""
    found = source.findings
    return {
        "kind": source.identity.version,
        "maps": len(source),
        "left_out": dict(sorted(found.left_out.items())),
        "warnings": dict(sorted(found.warnings.items())),
        "examples": dict(sorted(found.examples.items())),
    }


def open_sources(configs: Mapping[str, AnyMapsConfig]) -> dict[str, Source]:
    """Every source of a run, by model."""
    return {model: open_source(model, config) for model, config in configs.items()}
