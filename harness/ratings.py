"""Human ratings of maps, 1 (worst) to 5: read from CSV files and joined to the sentences of a data set.

    dicom_sent_id, dicom_id    the sentence and its image; a sentence is found by its id, else by image and prompt
    prompt                     the text that was shown
    checkpoint_name            the model, as the run calls it or as `models` of the run file translates it
    has_good_recall, has_good_precision, is_intuitive    1 to 5, or empty
    is_custom_prompt           such rows are about a text of the rater's own, and left out

Further columns (`sent_id`, `no_attn_score`) are not read. A folder holds one file for each rater. Several ratings
of one map count as their mean.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from harness.case import Sentence
from harness.dataset.base import Dataset, Findings
from harness.dataset.checks import Unusable
from harness.settings import ConfigError, PathField, Settings
from harness.sources.keys import key_of
from harness.sources.tables import read_csv
from wronglung.keys import suggest

QUESTIONS = ("has_good_recall", "has_good_precision", "is_intuitive")
LOWEST, HIGHEST = 1, 5
REQUIRED = ("dicom_sent_id", "dicom_id", "checkpoint_name", "prompt")
_YES, _NO = {"true", "1", "yes"}, {"false", "0", "no", ""}


class RatingsConfig(Settings):
    """Where the ratings lie: the key `ratings` of a run file."""

    path: PathField
    """A CSV file, or a folder of them."""
    models: dict[str, str] = Field(default_factory=dict)
    """`checkpoint_name` → model of the run, where they differ."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """The mean rating of each map."""

    of: Mapping[tuple[str, str], Mapping[str, float]]
    """(model, question) → sentence id → mean rating."""
    findings: Findings
    rows: int
    """Rows in all files, blank lines aside."""
    digest: str
    """SHA-256 in hex of all files."""

    def as_json(self) -> dict[str, Any]:
        """What was read and what was left out, for the manifest."""
        return {
            "digest": self.digest,
            "rows": self.rows,
            "left_out": dict(sorted(self.findings.left_out.items())),
            "warnings": dict(sorted(self.findings.warnings.items())),
            "examples": dict(sorted(self.findings.examples.items())),
        }


def read_ratings(config: RatingsConfig, dataset: Dataset, models: Sequence[str]) -> Ratings:
    """Read every file; a row with anything wrong is left out and counted.

    Raises:
        ConfigError: there is no file, it cannot be read, or `models` of the configuration names one the run lacks.
    """
    for name in config.models.values():
        if name not in models:
            raise ConfigError(f"ratings.models names {name!r}, which is none of models{suggest(name, models)}")
    paths = sorted(config.path.glob("*.csv")) if config.path.is_dir() else [config.path]
    if not paths:
        raise ConfigError(f"{config.path} holds no *.csv with ratings")
    reader = _Reader(_Sentences(dataset), config.models, frozenset(models), Findings())
    rows = sum(reader.add(path) for path in paths)
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
    return Ratings(reader.means(), reader.findings, rows, digest)


class _Sentences:
    """The sentences of a data set, by id and by image and text."""

    def __init__(self, dataset: Dataset) -> None:
        self._by_id: dict[str, tuple[str, Sentence]] = {}
        self._by_text: dict[tuple[str, str], Sentence] = {}
        for record in dataset:
            for sentence in record.sentences:
                self._by_id[sentence.sentence_id] = record.image_id, sentence
                self._by_text.setdefault(key_of(record.image_id, sentence.text), sentence)

    def find(self, sentence_id: str, image_id: str, prompt: str) -> str:
        """The id of the rated sentence.

        Raises:
            Unusable: the data set has none, or another text under this id.
        """
        key = key_of(image_id, prompt)
        if sentence_id in self._by_id:
            image, sentence = self._by_id[sentence_id]
            if key_of(image, sentence.text) != key:
                raise Unusable("other_text", f"sentence {sentence_id!r} is {sentence.text!r} on image {image!r}")
            return sentence.sentence_id
        if key not in self._by_text:
            raise Unusable("unknown_sentence", f"the data set has no sentence {prompt!r} of image {image_id!r}")
        return self._by_text[key].sentence_id


@dataclass(slots=True)
class _Reader:
    """Checks rows and gathers their ratings."""

    sentences: _Sentences
    translated: Mapping[str, str]
    models: frozenset[str]
    findings: Findings
    _ratings: dict[tuple[str, str], dict[str, list[int]]] = field(default_factory=dict)

    def add(self, path: Path) -> int:
        """Read one file and return the number of its rows."""
        rows = 0
        for line, row in read_csv(path, REQUIRED, QUESTIONS):
            rows += 1
            where = f"{path.name} line {line}"
            try:
                self._add(row, where)
            except Unusable as error:
                self.findings.leave_out(error.kind, where, str(error))
        return rows

    def _add(self, row: Mapping[str, str], where: str) -> None:
        if _flag(row.get("is_custom_prompt", "")):
            raise Unusable("custom_prompt", "a text of the rater's own has no sentence in the data set")
        model = self.translated.get(row["checkpoint_name"], row["checkpoint_name"])
        if model not in self.models:
            raise Unusable("unknown_checkpoint", f"{model!r} is no model of this run: translate it in ratings.models")
        sentence = self.sentences.find(row["dicom_sent_id"], row["dicom_id"], row["prompt"])
        given = {question: _rating(row[question]) for question in QUESTIONS if row.get(question)}
        if not given:
            raise Unusable("no_rating", f"none of {', '.join(QUESTIONS)} is filled in")
        for question, rating in given.items():
            of_map = self._ratings.setdefault((model, question), {}).setdefault(sentence, [])
            if of_map and question == next(iter(given)):
                self.findings.warn("rated_again", where, "this map was rated before: the mean counts")
            of_map.append(rating)

    def means(self) -> dict[tuple[str, str], dict[str, float]]:
        """The mean rating of each map."""
        return {
            key: {sentence: float(np.mean(ratings)) for sentence, ratings in sorted(of_maps.items())}
            for key, of_maps in sorted(self._ratings.items())
        }


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise Unusable("bad_flag", f"is_custom_prompt is true or false, got {text!r}")
    return word in _YES


def _rating(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value not in range(LOWEST, HIGHEST + 1):
        raise Unusable("bad_rating", f"a rating is a whole number from {LOWEST} to {HIGHEST}, got {text!r}")
    return int(value)
