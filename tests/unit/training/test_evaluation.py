"""A model is measured on any data set of the harness."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness_fakes import FakeDataset, png, record
from training.evaluation import evaluate
from wronglung.model import load_model
from wronglung.model.engine import AlignmentModel
from wronglung.model.random_model import create_random_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AlignmentModel:
    folder: Path = tmp_path_factory.mktemp("model")
    create_random_model(folder, opt_out=False)
    return load_model(folder)


def test_an_image_that_cannot_be_read_has_no_values_and_is_told(
    model: AlignmentModel, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [record(i) for i in range(3)]
    whole = evaluate(model, FakeDataset(records))["auroc"]["none"]
    assert capsys.readouterr().err == ""
    damaged = replace(records[1], load=lambda: png(1)[:-40])
    partly = evaluate(model, FakeDataset([records[0], damaged, records[2]]))["auroc"]["none"]
    assert (whole["all"].sentences, partly["all"].sentences) == (9, 6)
    assert (whole["abnormal"].sentences, partly["abnormal"].sentences) == (6, 4)
    assert "1 × image_unreadable" in capsys.readouterr().err


def test_without_boxes_there_is_nothing_to_measure(model: AlignmentModel) -> None:
    bare = [
        replace(one, sentences=tuple(replace(s, boxes=()) for s in one.sentences)) for one in (record(0), record(2))
    ]
    outcome = evaluate(model, FakeDataset(bare))["pointing"]["none"]["all"]
    assert outcome.sentences == 0
    assert outcome.mean != outcome.mean  # NaN
