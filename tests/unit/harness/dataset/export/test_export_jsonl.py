"""Phantoms as JSONL are the phantoms: only the strata of an image move to its sentences."""

import dataclasses

import numpy as np

from harness.case import Box, Sentence, Triple
from harness.dataset.base import digest_records
from harness.dataset.catalogue import open_dataset, parse_dataset
from harness.dataset.export.catalogue import export
from harness.dataset.export.jsonl import FILE, write_jsonl
from harness.dataset.phantom import PhantomDataset
from harness.mask import encode
from tests.harness_fakes import RIGHT_LUNG, FakeDataset, record, sentence


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


def test_masks_are_written_and_read_back(tmp_path):
    masked = Box("effusion", 20, 30, 140, 220, encode(np.tri(19, 12, dtype=bool)))
    study = record(0, sentence("m", "Effusion.", masked, RIGHT_LUNG))
    write_jsonl(FakeDataset([study]), tmp_path)
    (back,) = open_dataset(parse_dataset(f"jsonl:{tmp_path / FILE}"))
    assert back == study


def test_boxes_of_one_name_are_all_written(tmp_path):
    """As in data sets of findings, where each place of a nodule is a box called nodule."""
    nodules = Box("nodule", 20, 30, 40, 50), Box("nodule", 60, 30, 90, 50)
    triples = Triple("nodule", "nodule", True), Triple("nodule", "abnormal", True)
    told = Sentence("n", "Nodules.", nodules, triples)
    study = record(0, told, Sentence("m", "There.", nodules))
    write_jsonl(FakeDataset([study]), tmp_path)
    (back,) = open_dataset(parse_dataset(f"jsonl:{tmp_path / FILE}"))
    assert back == study
