"""The models of a run against each other: every number is recomputed from the rows in another way."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.pipeline import run
from harness.results import json_bytes
from harness.runconfig import parse_run_config
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeClient, FakeDataset, align, fake_dataset, record, sentence
from wronglung.errors import SentenceEmpty

MODELS = ["a", "b", "c"]
PERTURBATIONS = ["none", "swap_left_right", "random_sentences"]


def answer(item):
    """Model b reads nothing of "nodule"; model c withholds a little more from long sentences."""
    answered = align(item)
    if item.model == "b":
        bad = ["nodule" in text for text in item.sentences]
        errors = tuple(SentenceEmpty("nothing is left of it") if b else None for b in bad)
        return dataclasses.replace(answered, errors=errors)
    if item.model == "c":
        mass = np.array([0.01 * len(text.split()) for text in item.sentences], dtype=np.float32)
        return dataclasses.replace(answered, opt_out=mass)
    return answered


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("comparisons")
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": MODELS, "perturbations": PERTURBATIONS, "out": out}
    odd = record(9, sentence("both", "Left and right opacity.", LEFT_LUNG), sentence("s9", "Opacity.", RIGHT_LUNG))
    dataset = FakeDataset([*fake_dataset(8).records, odd])
    summary = run(parse_run_config(tree | {"resamples": 200}, "t"), dataset, FakeClient(answer))
    return summary["comparisons"], pq.read_table(out / "cases.parquet").to_pylist()


def values(rows, model, perturbation, metric, subset="all"):
    """Sentence id → value of the answered rows of an arm."""
    return {
        row["sentence_id"]: row[metric]
        for row in rows
        if (row["model"], row["perturbation"], row["status"]) == (model, perturbation, "ok")
        and not row["stratum"]
        and subset in row["subsets"]
        and row[metric] is not None
    }


def test_every_model_is_held_against_those_before_it(made):
    comparisons, _ = made
    assert {model: list(references) for model, references in comparisons.items()} == {"b": ["a"], "c": ["a", "b"]}


@pytest.mark.parametrize("subset", ["all", "abnormal", "one_lung"])
@pytest.mark.parametrize("perturbation", PERTURBATIONS)
@pytest.mark.parametrize(("model", "reference"), [("b", "a"), ("c", "a"), ("c", "b")])
def test_a_difference_is_over_the_sentences_that_both_answered(made, model, reference, perturbation, subset):
    comparisons, rows = made
    mine, theirs = (values(rows, m, perturbation, "exact_auroc", subset) for m in (model, reference))
    pairs = [mine[s] - theirs[s] for s in mine if s in theirs]
    node = comparisons[model][reference]["metrics"][perturbation][subset]["exact"]["auroc"]
    assert node["mean"] == pytest.approx(np.mean(pairs))
    assert node["n"] == len(pairs)
    assert 0 < node["p"] <= node["q"] <= 1


def test_sentences_with_both_sides_are_compared_on_their_own(made):
    comparisons, _ = made
    assert comparisons["c"]["a"]["metrics"]["swap_left_right"]["both_sides"]["exact"]["auroc"]["n"] == 1


def test_the_laterality_index_is_compared_on_the_sentences_that_have_both_preferences(made):
    comparisons, rows = made

    def index(model):
        kept, swapped = (values(rows, model, p, "exact_preference") for p in ("none", "swap_left_right"))
        return {s: kept[s] - swapped[s] for s in swapped if s in kept}

    mine, theirs = index("b"), index("a")
    node = comparisons["b"]["a"]["laterality"]["lri"]
    assert node["mean"] == pytest.approx(np.mean([mine[s] - theirs[s] for s in mine]))
    assert node["n"] == len(mine) < len(theirs)
    assert node["p"] <= node["q"]


def test_the_opt_out_decisions_are_compared_on_the_sentences_that_both_answered(made):
    comparisons, rows = made

    def auroc(model, chosen):
        own, false = (
            np.array(
                [r["opt_out"] for r in rows if r["model"] == model and key(r) in chosen and r["statement"] == kind]
            )
            for kind in ("own_present", "random_false")
        )
        return ((false[:, None] > own) + (false[:, None] == own) / 2).mean()

    def key(row):
        return row["perturbation"], row["sentence_id"]

    answered = [{key(r) for r in rows if r["model"] == m and r["status"] == "ok" and r["statement"]} for m in "bc"]
    both = answered[0] & answered[1]
    node = comparisons["c"]["b"]["opt_out"]["auroc"]
    assert node["mean"] == pytest.approx(auroc("c", both) - auroc("b", both))
    assert node["ci95"][0] <= node["mean"] <= node["ci95"][1]
    assert "area" in comparisons["c"]["b"]["opt_out"]["risk_coverage"]


def test_a_run_of_one_model_has_nothing_to_compare(tmp_path):
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["a"], "resamples": 100, "out": tmp_path}
    assert run(parse_run_config(tree, "t"), fake_dataset(4), FakeClient())["comparisons"] == {}


def test_the_same_answers_in_another_order_give_the_same_bytes(tmp_path):
    def comparisons(name, window):
        tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["a", "c"], "perturbations": PERTURBATIONS}
        config = parse_run_config(tree | {"resamples": 100, "window": window, "out": tmp_path / name}, "t")
        return json_bytes(run(config, fake_dataset(5), FakeClient(answer))["comparisons"])

    assert comparisons("one by one", 1) == comparisons("many at once", 7)
