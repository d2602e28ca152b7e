"""The run file: what to evaluate, on what, and how. An unknown key or a wrong type is an error that names it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from harness import metrics as metric_registry
from harness.dataset.config import DatasetConfig
from harness.metrics import Profile
from harness.perturbation import registered
from harness.perturbation.registry import baseline_of
from harness.ratings import RatingsConfig
from harness.servers import AccessSettings, Server
from harness.settings import ConfigError, PathField, Settings, explain
from harness.sources.config import SourceConfig
from harness.subsets import check_subsets
from wronglung.keys import suggest


class GalleryConfig(Settings):
    """How many sentences of each kind the report shows as pictures."""

    best: int = Field(default=4, ge=0)
    worst: int = Field(default=4, ge=0)
    ignores_swap: int = Field(default=4, ge=0)
    random: int = Field(default=4, ge=0)


class EndpointConfig(AccessSettings):
    """Where a model of the run is served, if not with the others under its own name."""

    target: str = ""
    """host:port of its server; empty: the run's."""
    served_as: str = ""
    """Its name there; empty: the same."""


class RunConfig(AccessSettings):
    """One evaluation. Paths are relative to the current directory."""

    name: str = Field(min_length=1)
    dataset: DatasetConfig
    target: str = ""
    """host:port of the server; empty: $WRONGLUNG_TARGET, else the client's default."""
    models: tuple[str, ...] = Field(min_length=1, strict=False)
    endpoints: dict[str, EndpointConfig] = Field(default_factory=dict)
    """Models that another server has, or the same under another name: model → where it is."""
    maps_from: dict[str, SourceConfig] = Field(default_factory=dict)
    """Models that are not served: model → where its maps lie."""
    perturbations: tuple[str, ...] = Field(
        default=("none", "swap_left_right", "random_sentences"), min_length=1, strict=False
    )
    subsets: tuple[str | dict[str, str], ...] = Field(default=("all", "abnormal", "one_lung"), strict=False)
    """Names, and ``{name: expression}``; a mapping of names to expressions (or to nothing) is taken too."""
    strata: tuple[str, ...] = Field(default=(), strict=False)
    """Families of which every value becomes a subset, e.g. ``[side, box_size]``."""
    profiles: tuple[Profile, ...] = Field(default=("exact", "paper"), min_length=1, strict=False)
    metrics: tuple[str, ...] = Field(default=(), strict=False, validate_default=True)
    """Metrics of the user's own, as `package.module:name`, beside the built-in ones and those of installed packages."""
    seed: int = Field(default=0, ge=0)
    resamples: int = Field(default=10_000, ge=100)
    """Bootstrap resamples of patients, and sign flips."""
    window: int = Field(default=16, ge=1, le=1024)
    """Most requests in flight."""
    images_per_part: int = Field(default=32, ge=1)
    """How many images a killed run can lose."""
    limit: int | None = Field(default=None, ge=1)
    """Stop after so many images."""
    ratings: RatingsConfig | None = None
    """Human ratings of the maps, to correlate with every metric."""
    save_maps: bool | Literal["sharded"] = False
    """true: one `maps.npz`; sharded: one file in `maps/` for each part."""
    gallery: GalleryConfig = GalleryConfig()
    out: PathField

    @field_validator("models", "perturbations", "strata", "profiles", "metrics")
    @classmethod
    def _no_repeats(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"names {min(repeated)!r} twice")
        return names

    @field_validator("perturbations")
    @classmethod
    def _known_perturbations(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in registered():
                raise ValueError(f"unknown perturbation {name!r}{suggest(name, registered())}")
            if baseline_of(name) not in names:
                raise ValueError(f"must include {baseline_of(name)!r}: {name} is compared with it")
        return names

    @field_validator("metrics")
    @classmethod
    def _loadable_metrics(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Registers them in this process: whoever holds the configuration scores by it, also when shards are merged."""
        metric_registry.register(*map(metric_registry.load_metric, paths))
        metric_registry.registered()  # what installed packages declare is checked now, not after the first image
        return paths

    @field_validator("subsets", mode="before")
    @classmethod
    def _listed_subsets(cls, subsets: Any) -> Any:
        if not isinstance(subsets, dict):
            return subsets
        return [name if expression is None else {name: expression} for name, expression in subsets.items()]

    @field_validator("subsets")
    @classmethod
    def _known_subsets(cls, subsets: tuple[str | dict[str, str], ...]) -> tuple[str | dict[str, str], ...]:
        check_subsets(subsets)
        return subsets

    @model_validator(mode="after")
    def _sources_are_models(self) -> "RunConfig":
        for name in self.maps_from:
            if name not in self.models:
                raise ValueError(f"maps_from names {name!r}, which is none of models{suggest(name, self.models)}")
        return self

    @model_validator(mode="after")
    def _results_spare_the_sources(self) -> "RunConfig":
        """A run clears its folder before it begins."""
        for name, source in self.maps_from.items():
            if source.path.resolve().is_relative_to(self.out.resolve()):
                raise ValueError(f"the maps of {name!r} lie in {source.path}, where the results go: choose another out")
        return self

    @model_validator(mode="after")
    def _endpoints_are_served_models(self) -> "RunConfig":
        for name, endpoint in self.endpoints.items():
            if not endpoint.target and (endpoint.tls or endpoint.token_file):
                raise ValueError(f"endpoints.{name} has tls or token_file but no target: these are of one server")
            if name not in self.models:
                raise ValueError(f"endpoints names {name!r}, which is none of models{suggest(name, self.models)}")
            if name in self.maps_from:
                raise ValueError(f"{name!r} is in endpoints and in maps_from: either it is served or it has files")
        return self

    @property
    def served_as(self) -> dict[str, str]:
        """Model → its name at its server, of all models that are served."""
        served = [model for model in self.models if model not in self.maps_from]
        return {model: self.endpoints.get(model, EndpointConfig()).served_as or model for model in served}

    @property
    def servers(self) -> dict[str, Server]:
        """Model → its server, of all models that are served. A run's token and certificates are for its own server."""
        here = self.server_at(self.target)
        elsewhere = {model: each.server_at(each.target) for model, each in self.endpoints.items() if each.target}
        return {model: elsewhere.get(model, here) for model in self.served_as}


def load_run_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a run file and apply ``key.path=value`` overrides; a value is read as YAML.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the run file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold keys and values, e.g. 'name: demo'")
    for override in overrides:
        _override(tree, override)
    return parse_run_config(tree, str(path))


def parse_run_config(tree: dict[str, Any], where: str) -> RunConfig:
    """Check a run's configuration.

    Raises:
        ConfigError: it is wrong; every fault is named.
    """
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        faults = [f"  {fault}" for fault in explain(error, RunConfig)]
        raise ConfigError("\n".join([f"{where} has {len(faults)} fault(s):", *faults])) from error


def _override(tree: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ConfigError(f"--set {text!r}: write it as key=value, e.g. --set dataset.patients=20")
    *parents, last = key.split(".")
    node = tree
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise ConfigError(f"--set {key}: {parent!r} holds no keys")
    try:
        node[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {key}: the value is no YAML: {error}") from error
