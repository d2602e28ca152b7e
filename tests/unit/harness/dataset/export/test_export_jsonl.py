"""Phantoms as JSONL are the phantoms: only the strata of an image move to its sentences."""

import dataclasses

from harness.dataset.base import digest_records
from harness.dataset.catalogue import open_dataset, parse_dataset
from harness.dataset.export.catalogue import export
from harness.dataset.phantom import PhantomDataset


def with_strata_at_sentences(record):
    sentences = [dataclasses.replace(s, strata={**record.strata, **s.strata}) for s in record.sentences]
    return dataclasses.replace(record, sentences=tuple(sentences), strata={})


def test_nothing_is_lost(tmp_path):
    (name,) = export("jsonl", tmp_path, patients=3, seed=5)
    native = [with_strata_at_sentences(record) for record in PhantomDataset(5, "test", 3)]
    back = list(open_dataset(parse_dataset(name)))
    assert digest_records(back) == digest_records(native)
    assert back == native
    assert [record.load() for record in back] == [record.load() for record in native]
