"""The opt-out mass as a decision: which sentences are false for an image, and how well the mass tells them."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from harness.case import Sentence
from harness.pipeline import run
from harness.runconfig import parse_run_config
from harness.summary.decisions import Statements
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeClient, FakeDataset, align, fake_dataset, record, sentence

SICK = record(0, sentence("sick", "Nodule on the right.", RIGHT_LUNG, label="nodule"))
CLEAR = record(1, sentence("clear", "No nodule on the right.", RIGHT_LUNG, label="nodule", context=False))
OTHER = record(2, sentence("other", "Nodule on the left.", LEFT_LUNG, label="nodule"))
STATEMENTS = Statements.read(FakeDataset([SICK, CLEAR, OTHER]))


@pytest.mark.parametrize(
    ("sentence_id", "image_id", "false"),
    [
        ("sick", "image0", False),  # its own
        ("sick", "image1", True),  # denied there
        ("sick", "image2", True),  # not stated there
        ("clear", "image0", True),  # the opposite is stated
        ("clear", "image1", False),
        ("clear", "image2", False),  # nothing there speaks against it
    ],
)
def test_a_sentence_is_false_where_the_report_does_not_bear_it_out(sentence_id, image_id, false):
    assert STATEMENTS.false_of(sentence_id, image_id) is false


@pytest.mark.parametrize(("label", "false"), [("abnormal", True), ("normal", False), ("nodule", False)])
def test_normal_is_false_only_where_the_report_says_abnormal(label, false):
    statement = sentence("fine", "The right lung is normal.", RIGHT_LUNG, label="normal")
    study = record(1, sentence("own", "Words.", RIGHT_LUNG, label=label))
    assert Statements.read(FakeDataset([record(0, statement), study])).false_of("fine", "image1") is false


def test_sentences_are_classed_by_what_they_state():
    vague = Statements.read(FakeDataset([record(0, Sentence("vague", "Follow-up.", (RIGHT_LUNG,)))]))
    assert STATEMENTS.class_of("sick") == "own_present"
    assert STATEMENTS.class_of("clear") == "own_negated"
    assert vague.class_of("vague") == ""


def one_of_three(i):
    """A study with one of three findings, and the denial of another."""
    return record(
        i,
        sentence(f"s{i}-own", f"Finding {i % 3} on the right.", RIGHT_LUNG, label=f"finding {i % 3}"),
        sentence(f"s{i}-not", f"No finding {(i + 1) % 3}.", RIGHT_LUNG, label=f"finding {(i + 1) % 3}", context=False),
    )


def withholding(item):
    """A model that withholds attention from the findings that an image does not have."""
    index = int(item.request_id.removeprefix("image-").split(".")[0])
    own = (f"Finding {index % 3} on the right.", f"No finding {(index + 1) % 3}.", f"No finding {(index + 2) % 3}.")
    mass = [0.01 if text in own else 0.04 for text in item.sentences]
    return dataclasses.replace(align(item), opt_out=np.array(mass, dtype=np.float32))


def opt_out(tmp_path, client, dataset):
    config = parse_run_config(
        {
            "name": "t",
            "dataset": {"kind": "phantom"},
            "models": ["m"],
            "perturbations": ["none", "random_sentences"],
            "resamples": 100,
            "out": tmp_path,
        },
        "t",
    )
    return run(config, dataset, client)["opt_out"]["m"]


def test_a_model_that_withholds_from_false_sentences_decides_well(tmp_path):
    tree = opt_out(tmp_path, FakeClient(withholding), FakeDataset([one_of_three(i) for i in range(30)]))
    assert set(tree["mass"]) == {"own_present", "own_negated", "random_false"}
    assert tree["mass"]["own_present"]["mean"] == pytest.approx(0.01)
    assert tree["mass"]["own_negated"]["n"] == 30
    assert tree["auroc"]["mean"] == tree["auroc_length_matched"]["mean"] == 1
    risks = [tree["risk_coverage"][key]["mean"] for key in ("area_in_ideal_order", "area", "area_in_random_order")]
    assert all(a <= b for a, b in pairwise(risks))


def test_every_figure_has_an_interval_over_patients(tmp_path):
    """Half of the false sentences get the mass of true ones: no figure is certain."""

    def unsure(item):
        answered = withholding(item)
        index = int(item.request_id.removeprefix("image-").split(".")[0])
        return dataclasses.replace(answered, opt_out=np.full_like(answered.opt_out, 0.01)) if index % 2 else answered

    tree = opt_out(tmp_path, FakeClient(unsure), FakeDataset([one_of_three(i) for i in range(30)]))
    figures = {key: tree[key] for key in ("auroc", "auroc_length_matched", "auroc_of_word_count")}
    for key, node in (figures | tree["risk_coverage"]).items():
        low, high = node["ci95"]
        assert 0 <= low <= node["mean"] <= high <= 1, key
        assert 0 < node["patients"] <= 15, key
    assert tree["auroc"]["ci95"][0] < tree["auroc"]["mean"] < tree["auroc"]["ci95"][1]
    assert tree["risk_coverage"]["area"]["ci95"][0] < tree["risk_coverage"]["area"]["ci95"][1]


def test_a_model_that_never_withholds_makes_no_decision(tmp_path):
    def never(item):
        answered = align(item)
        return dataclasses.replace(answered, opt_out=np.zeros_like(answered.opt_out))

    assert opt_out(tmp_path, FakeClient(never), fake_dataset(6)) == {}
