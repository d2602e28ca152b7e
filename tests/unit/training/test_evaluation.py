"""A model is measured on any data set of the harness."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.statistics import mean_interval, paired_delta
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeDataset, png, record, sentence
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
    whole = evaluate(model, FakeDataset(records)).outcomes()["auroc"]["none"]
    assert capsys.readouterr().err == ""
    damaged = replace(records[1], load=lambda: png(1)[:-40])
    partly = evaluate(model, FakeDataset([records[0], damaged, records[2]])).outcomes()["auroc"]["none"]
    assert (whole["all"].mean.n, partly["all"].mean.n) == (9, 6)
    assert (whole["abnormal"].mean.n, partly["abnormal"].mean.n) == (6, 4)
    assert "1 × image_unreadable" in capsys.readouterr().err


def test_without_boxes_there_is_nothing_to_measure(model: AlignmentModel) -> None:
    bare = [
        replace(one, sentences=tuple(replace(s, boxes=()) for s in one.sentences)) for one in (record(0), record(2))
    ]
    mean, delta = evaluate(model, FakeDataset(bare)).outcomes()["pointing"]["none"]["all"]
    assert mean.n == delta.n == 0
    assert mean.mean != mean.mean  # NaN


def test_intervals_are_over_the_patients_of_the_answered_sentences_of_a_subset_as_the_harness_takes_them(
    model: AlignmentModel,
) -> None:
    """The resamples hang on who takes part: images 0 and 1 are of one patient, and of odd ones nothing is abnormal."""
    plain = sentence("s", "The lungs are clear.", RIGHT_LUNG, LEFT_LUNG, context=False)
    scores = evaluate(model, FakeDataset([record(i) if i % 4 < 2 else record(i, plain) for i in range(84)]))
    found = scores.outcomes()["auroc"]["swap_left_right"]["abnormal"]
    after, before, patients = scores.pairs("auroc", "swap_left_right", "abnormal")
    assert set(patients) == {f"patient{i}" for i in range(0, 42, 2)}
    assert found.mean == mean_interval(after, patients)
    assert found.delta == paired_delta(after, before, patients)
    assert (found.mean.patients, found.mean.few_patients) == (21, False)
    assert found.mean.lo < found.mean.mean < found.mean.hi


def test_a_change_is_between_sentences_to_which_it_applies(model: AlignmentModel) -> None:
    scores = evaluate(model, FakeDataset([record(i) for i in range(4)]))
    names_a_side = [each.text != "The lungs are clear." for i in range(4) for each in record(i).sentences]
    assert scores.answered["swap_left_right"].tolist() == names_a_side
    assert len(scores.pairs("auroc", "swap_left_right", "all").after) == sum(names_a_side)
