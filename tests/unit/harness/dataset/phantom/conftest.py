"""Phantom studies that several tests look at, made once."""

import pytest

from harness.case import ImageRecord, Sentence
from harness.dataset.phantom import PhantomDataset, PhantomStudy


@pytest.fixture(scope="session")
def phantom_test_set() -> PhantomDataset:
    return PhantomDataset(seed=7, split="test", patients=250)


@pytest.fixture(scope="session")
def phantom_records(phantom_test_set: PhantomDataset) -> list[ImageRecord]:
    return list(phantom_test_set)


@pytest.fixture(scope="session")
def phantom_sentences(phantom_records: list[ImageRecord]) -> list[Sentence]:
    return [sentence for record in phantom_records for sentence in record.sentences]


@pytest.fixture(scope="session")
def phantom_studies(phantom_test_set: PhantomDataset) -> list[PhantomStudy]:
    return [phantom_test_set.study(index) for index in range(24)]
