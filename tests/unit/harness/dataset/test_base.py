"""What a data set's report says, and what its digest hangs on."""

import dataclasses

import pytest

from harness.dataset.base import Contents, Findings, ValidationReport, digest_records, validate
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeDataset, fake_dataset, png, record, sentence


def test_validating_counts_what_there_is():
    report = validate(fake_dataset(5))
    found = report.as_json()
    assert [found[key] for key in ("images", "patients", "sentences", "boxes", "regions")] == [5, 3, 15, 20, 10]
    assert found["labels"] == {"abnormal": {"stated": 10, "denied": 5}}
    assert "label 'abnormal': 10 × stated, 5 × denied" in "\n".join(report.lines())
    assert report.lines()[-1].strip() == "nothing left out"


def test_the_most_frequent_labels_are_shown():
    said = [sentence(f"s{i}", "Words.", LEFT_LUNG, label=f"label {i % 25:02}") for i in range(30)]
    lines = validate(FakeDataset([record(0, *said)])).lines()
    shown = [line.split("'")[1] for line in lines if line.startswith("  label")]
    assert shown == [f"label {i:02}" for i in range(20)]
    assert "  and 5 labels more" in lines


def test_findings_are_told_with_examples():
    findings = Findings()
    findings.leave_out("image_missing", "line 3", "no a.png")
    findings.warn("unknown_key", "line 4", "key 'x'")
    report = ValidationReport("d", "0" * 64, Contents(), findings)
    text = "\n".join(report.lines())
    assert "left out: 1 × image_missing" in text
    assert "line 3: no a.png" in text
    assert "kept, but odd: 1 × unknown_key" in text
    assert report.as_json()["examples"] == {"image_missing": ["line 3: no a.png"], "unknown_key": ["line 4: key 'x'"]}


@pytest.mark.parametrize(
    "change",
    [
        {"patient_id": "other"},
        {"width": 321},
        {"regions": (RIGHT_LUNG,)},
        {"sentences": ()},
        {"strata": {"view": "AP"}},
    ],
)
def test_the_digest_changes_with_anything_that_a_record_says(change):
    original = record(0)
    assert digest_records([original]) != digest_records([dataclasses.replace(original, **change)])


def test_the_digest_does_not_hang_on_how_the_image_is_loaded():
    assert digest_records([record(0)]) == digest_records([dataclasses.replace(record(0), load=lambda: png(9))])
