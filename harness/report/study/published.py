"""The values that arXiv 2210.06565 published, and the rule that decides when they stand beside a run's own.

They are shown beside a run of the study's own data set and nowhere else: a value of other images is no yardstick.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.report.reader import Results, dig

STUDY = "arXiv 2210.06565"
KIND = "chest_imagenome_gold"
"""Kind of the data set that the study was made on; see `dataset` of a run file."""
SAME_SIZE = 0.05
"""A run holds as many sentences as the study, but for this share: readers differ in what they leave out."""

PROFILE = "paper"
"""Of the metrics: the published procedure."""
SUBSETS = ("all", "abnormal", "one_lung", "most_diverse_report_bboxes")
VARIANTS: Mapping[str, str] = {
    "uniter": "UNITER",
    "gloria": "GLoRIA",
    "gloria_retrained": "GLoRIA retrained",
    "word_masking": "word masking",
    "clinical_masking": "clinical masking",
    "no_attn": "no attention (opt-out)",
    "abnormal": "abnormal only",
    "few_shot_30": "30-shot finetuned",
    "rand_sents": "random sentences",
}
"""The study's models in its order."""

Row = list[float]
Values = Mapping[tuple[str, str, str, str], float]


class _Localisation(BaseModel):
    """One row per subset, one value per column."""

    model_config = ConfigDict(extra="forbid")
    report_sentence: list[Row]
    synthetic_sentence: list[Row]


class _File(BaseModel):
    """`published.json`, in percent; entropy and kl in nats, changes in percentage points."""

    model_config = ConfigDict(extra="forbid")
    source: str
    units: str
    subsets: list[str]
    sentences: list[int]
    localisation_columns: list[str]
    localisation: dict[str, _Localisation]
    entropy: dict[str, Row]
    kl: dict[str, Row]
    match_local: dict[str, list[float | None]]
    match_global: dict[str, Row]
    auroc_changes_gloria: dict[str, Row]
    human_rating_questions: list[str]
    human_rating: dict[str, Row] = Field(description="mean of 1 to 5")

    @model_validator(mode="after")
    def _of_one_shape(self) -> "_File":
        by_variant = (self.localisation, self.entropy, self.kl, self.match_local, self.match_global)
        if any(list(table) != list(VARIANTS) for table in by_variant):
            raise ValueError(f"every table names {', '.join(VARIANTS)}, in this order")
        per_subset: list[list[float] | list[float | None]] = [
            row
            for table in (self.entropy, self.kl, self.match_local, self.match_global, self.auroc_changes_gloria)
            for row in table.values()
        ]
        if tuple(self.subsets) != SUBSETS:
            raise ValueError(f"the subsets are {', '.join(SUBSETS)}")
        if any(len(row) != len(self.subsets) for row in (*per_subset, self.sentences)):
            raise ValueError("every row has one value per subset")
        for table in self.localisation.values():
            for rows in (table.report_sentence, table.synthetic_sentence):
                if [len(row) for row in rows] != [len(self.localisation_columns)] * len(self.subsets):
                    raise ValueError("localisation has a row per subset and a value per column")
        return self


@dataclass(frozen=True, slots=True)
class Published:
    """The published values, under the keys that a run's summary uses."""

    source: str
    sentences: Mapping[str, int]
    """How many sentences each subset holds."""
    values: Values
    """(variant, perturbation, subset, metric) → value in percent, entropy and kl in nats."""
    changes: Values
    """(variant, perturbation, subset, metric) → change against the sentence as written, in percentage points."""
    ratings: Mapping[str, Mapping[str, float]]
    """variant → question → mean rating of 1 to 5."""


@cache
def published_values() -> Published:
    """Read and check `published.json`."""
    text = (files("harness.report.study") / "published.json").read_text(encoding="utf-8")
    file = _File.model_validate_json(text)
    return Published(
        source=file.source,
        sentences=dict(zip(file.subsets, file.sentences, strict=True)),
        values=dict(itertools.chain(_localisation(file), _by_subset(file))),
        changes={
            ("gloria", arm, subset, "auroc"): value
            for arm, row in file.auroc_changes_gloria.items()
            for subset, value in zip(file.subsets, row, strict=True)
        },
        ratings={
            variant: dict(zip(file.human_rating_questions, row, strict=True))
            for variant, row in file.human_rating.items()
        },
    )


def _localisation(file: _File) -> Iterator[tuple[tuple[str, str, str, str], float]]:
    for variant, table in file.localisation.items():
        for arm, rows in (("none", table.report_sentence), ("synthetic_sentences", table.synthetic_sentence)):
            for subset, row in zip(file.subsets, rows, strict=True):
                for metric, value in zip(file.localisation_columns, row, strict=True):
                    yield (variant, arm, subset, metric), value


def _by_subset(file: _File) -> Iterator[tuple[tuple[str, str, str, str], float]]:
    """Entropy is that of the sentence as written; KL and matching compare it with the random sentence."""
    tables: tuple[tuple[str, str, Mapping[str, list[float] | list[float | None]]], ...] = (
        ("none", "entropy", file.entropy),
        ("random_sentences", "kl", file.kl),
        ("random_sentences", "match_local", file.match_local),
        ("random_sentences", "match_global", file.match_global),
    )
    for arm, metric, table in tables:
        for variant, row in table.items():
            for subset, value in zip(file.subsets, row, strict=True):
                if value is not None:
                    yield (variant, arm, subset, metric), value


def published_beside(results: Results) -> Published | None:
    """The published values if `results` are of the study's own test set; else None.

    They are if the data set is of the kind `chest_imagenome_gold`, was evaluated whole, and holds as many sentences as
    the study's, give or take one in twenty. A phantom written out in that format is not, nor is a part of the real one.
    """
    published = published_values()
    kind, limit = (dig(results.manifest, "config", *path) for path in (("dataset", "kind"), ("limit",)))
    count = results.dataset.get("sentences")
    if kind != KIND or limit is not None or not isinstance(count, int):
        return None
    expected = published.sentences["all"]
    return published if abs(count - expected) <= SAME_SIZE * expected else None


def variant_of(model: str) -> str | None:
    """The study's variant that a model is named after (``gloria-retrained`` is `gloria_retrained`); None if none."""
    key = model.lower().replace("-", "_")
    return key if key in VARIANTS else None
