"""The gate file: bounds on numbers of a run, and on how they changed since a pinned run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from harness.settings import ConfigError, PathField, Settings, explain
from harness.statistics import FEW_PATIENTS

Require = Literal["shown", "not_refuted"]
CHANGES = ("models", "deltas", "laterality", "opt_out")
"""Sections of `summary.json` whose numbers can be followed from run to run, sentence by sentence."""
COUNTS = ("failures", "not_applicable")
VALUES = (*CHANGES, "controls", "advantage", "control_deltas", "comparisons", "ratings", *COUNTS, "dataset")


class Condition(Settings):
    """Bounds on one number, which is named by its path in `summary.json`."""

    value: str = ""
    """A number of the run, e.g. ``models.encoder.none.all.exact.auroc``; counts are added up: ``failures.encoder``."""
    change: str = ""
    """The same number less that of the pinned run, paired by sentence."""
    at_least: float | None = None
    """Of a change the negative margin of non-inferiority: at least −0.01 is no loss above 0.01."""
    at_most: float | None = None
    require: Require | None = None
    """Default: that of the gate."""

    @property
    def name(self) -> str:
        """The condition in a line, as a reader would look for it."""
        number = f"value {self.value}" if self.value else f"change of {self.change}"
        return f"{number} {' and '.join(f'{word} {bound:g}' for word, bound in self.bounds())}"

    def bounds(self) -> Iterator[tuple[str, float]]:
        """``("at least", 0.7)`` and the like."""
        for word, bound in (("at least", self.at_least), ("at most", self.at_most)):
            if bound is not None:
                yield word, bound

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if bool(self.value) == bool(self.change):
            raise ValueError("needs either value or change: a path in summary.json")
        section, known = (self.value or self.change).partition(".")[0], VALUES if self.value else CHANGES
        if section not in known:
            raise ValueError(f"the path begins with {section!r}: choose from {', '.join(known)}")
        if not dict(self.bounds()):
            raise ValueError("needs at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("no number is both at_least and at_most that")
        return self


class Gate(Settings):
    """All conditions, and what an interval must say for one to hold."""

    require: Require
    """`shown`: the whole interval lies on the right side of the bound. `not_refuted`: some of it does."""
    conditions: tuple[Condition, ...] = Field(min_length=1, strict=False)
    fewest_patients: int = Field(default=FEW_PATIENTS, ge=1)
    """An interval over fewer decides nothing, and its condition is broken."""
    against: PathField | None = None
    """The pinned run's directory, for changes; `harness compare A B` takes A instead. Relative to the current one."""

    @property
    def asks_for_changes(self) -> bool:
        """Whether a pinned run is needed."""
        return any(condition.change for condition in self.conditions)

    def required(self, condition: Condition) -> Require:
        """What is required of one condition."""
        return condition.require or self.require


def load_gate(path: Path) -> Gate:
    """Read a gate file.

    Raises:
        ConfigError: it cannot be read, or a condition is wrong; every fault is named.
    """
    try:
        return Gate.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"cannot read the gate file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the gate file {path} is no YAML: {error}") from error
    except ValidationError as error:
        faults = (f"  {fault}" for fault in explain(error, Gate))
        raise ConfigError("\n".join([f"the gate file {path} is wrong:", *faults])) from error
