"""Where a recipe's studies come from: data sets of the harness, divided by patient."""

import hashlib
from collections.abc import Callable, Iterator, Set
from functools import cached_property, lru_cache
from typing import NamedTuple

from harness.case import ImageRecord
from harness.dataset.base import Dataset, Findings
from harness.dataset.catalogue import open_dataset
from harness.dataset.config import AnyDatasetConfig
from harness.dataset.phantom import PhantomDataset
from harness.dataset.phantom.streams import StudyKey
from harness.dataset.records import RecordedDataset
from harness.settings import ConfigError
from training.dataconfig import AnyData, FiledData


class Source(NamedTuple):
    """A data set, and the words that tell it from every other."""

    dataset: Dataset
    identity: str
    """Equal for equal studies and pictures, as far as settings and annotations say."""


class Sources(NamedTuple):
    """What a model learns from, and what it is held against meanwhile."""

    training: Source
    validation: Source


@lru_cache(maxsize=2)
def open_sources(data: AnyData) -> Sources:
    """Open the data sets that are needed while a model is trained; those opened last are kept.

    Raises:
        ConfigError: there is nothing to read; the message names the key.
    """
    learned, held_out = _open(data.learned(), "data.dataset"), data.held_out()
    if isinstance(data, FiledData) and held_out is None:
        return _divided(learned, data)
    assert held_out is not None
    return Sources(learned, _open(held_out, "data.validation"))


def open_tested(data: AnyData) -> Dataset | None:
    """Open the data set of the card, if there is one.

    Raises:
        ConfigError: there is nothing to read.
    """
    config = data.tested()
    return None if config is None else _open(config, "data.test").dataset


def check_apart(known: Set[str], others: Set[str], key: str, known_by: str = "data.dataset") -> None:
    """Check that no patient whom training sees is also in the data of another key.

    Args:
        known: patients who are learned from, or looked at meanwhile.
        others: patients of the data of `key`.
        key: for the error message.
        known_by: the key of the data that know them.

    Raises:
        ConfigError: some are; it tells how many, and names none.
    """
    if both := known & others:
        seen = "learned from" if known_by == "data.dataset" else f"in {known_by}"
        raise ConfigError(
            f"{len(both)} patients of {key} are also {seen}, so a model would be judged by whom it knows: list"
            f" the patients of {key} in a file, one id a line, and name it as {known_by}.finetuned_patients"
        )


def patients(dataset: Dataset) -> set[str]:
    """The ids of all patients; of phantoms without making their reports."""
    if isinstance(dataset, PhantomDataset):
        return {StudyKey(dataset.seed, dataset.split, number, 0).patient_id for number in range(dataset.patients)}
    return {record.patient_id for record in dataset}


def first_patients(dataset: Dataset, most: int) -> RecordedDataset:
    """All studies of the first patients of a data set, held in memory but for their images."""
    kept: dict[str, list[ImageRecord]] = {}
    for record in dataset:
        if record.patient_id in kept or len(kept) < most:
            kept.setdefault(record.patient_id, []).append(record)
    records = tuple(record for records in kept.values() for record in records)
    return RecordedDataset(dataset.name, records, Findings())


def is_set_aside(patient_id: str, share: float, seed: int) -> bool:
    """Whether a patient belongs to the validation share: always the same answer, whatever else is in the data."""
    drawn = hashlib.sha256(f"{seed} {patient_id}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64


class Chosen:
    """The records of a data set that a rule admits, in its order.

    Args:
        dataset: all of them.
        admits: whether a record is one of them.
        what: tells them from others of the same data set, in words.
    """

    def __init__(self, dataset: Dataset, admits: Callable[[ImageRecord], bool], what: str) -> None:
        self._dataset, self._admits = dataset, admits
        self.name = f"{dataset.name} ({what})"
        self.digest = hashlib.sha256(f"{dataset.digest} {what}".encode()).hexdigest()
        self.findings = getattr(dataset, "findings", None) or Findings()

    @cached_property
    def _length(self) -> int:
        return sum(map(self._admits, self._dataset))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[ImageRecord]:
        return filter(self._admits, self._dataset)


def _open(config: AnyDatasetConfig, key: str) -> Source:
    try:
        dataset = open_dataset(config)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error
    return Source(dataset, f"{dataset.digest} {config.model_dump_json()}")


def _divided(source: Source, data: FiledData) -> Sources:
    def part(name: str, aside: bool) -> Source:
        words = f"{name} part, share {data.validation_share}, seed {data.split_seed}"
        return Source(
            Chosen(source.dataset, lambda record: _aside(record, data) == aside, words), source.identity + words
        )

    return Sources(part("training", False), part("validation", True))


def _aside(record: ImageRecord, data: FiledData) -> bool:
    return is_set_aside(record.patient_id, data.validation_share, data.split_seed)
