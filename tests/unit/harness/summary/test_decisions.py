"""The opt-out mass as a decision: how well it tells sentences that are false for an image."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import RIGHT_LUNG, FakeClient, FakeDataset, align, fake_dataset, record, sentence


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


def test_denials_of_the_own_report_are_held_against_its_findings_by_themselves(tmp_path):
    """The foreign sentences get the same mass as the findings: only the denials stand out."""

    def shy(item):
        answered = align(item)
        mass = [0.04 if text.startswith("No") else 0.01 for text in item.sentences]
        return dataclasses.replace(answered, opt_out=np.array(mass, dtype=np.float32))

    tree = opt_out(tmp_path, FakeClient(shy), FakeDataset([one_of_three(i) for i in range(30)]))
    assert tree["auroc_of_negated"] | {"ci95": None} == {"mean": 1, "ci95": None, "n": 60, "patients": 15}


def test_without_denials_there_is_no_figure_of_them(tmp_path):
    affirmed = [dataclasses.replace(study, sentences=study.sentences[:1]) for study in map(one_of_three, range(6))]
    tree = opt_out(tmp_path, FakeClient(withholding), FakeDataset(affirmed))
    assert "auroc" in tree
    assert "auroc_of_negated" not in tree


def test_a_figure_rests_on_the_patients_of_its_scarcer_class(tmp_path):
    """Only the first patient's report denies something."""
    studies = [
        one_of_three(0),
        *(dataclasses.replace(s, sentences=s.sentences[:1]) for s in map(one_of_three, range(2, 60))),
    ]
    tree = opt_out(tmp_path, FakeClient(withholding), FakeDataset(studies))
    assert (tree["auroc_of_negated"]["n"], tree["auroc_of_negated"]["patients"]) == (60, 1)
    assert tree["auroc"]["patients"] > 20


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


def test_a_mass_that_is_not_known_takes_no_part_and_hides_no_other(tmp_path):
    """As in maps made elsewhere, of which a row may lack its opt-out mass."""

    def half_known(item):
        answered = withholding(item)
        unknown = item.request_id.startswith("image-3.")
        return dataclasses.replace(answered, opt_out=np.full_like(answered.opt_out, np.nan)) if unknown else answered

    tree = opt_out(tmp_path, FakeClient(half_known), FakeDataset([one_of_three(i) for i in range(30)]))
    assert tree["mass"]["own_present"]["n"] == 29
    assert tree["auroc"]["mean"] == 1


def test_a_model_that_never_withholds_makes_no_decision(tmp_path):
    def never(item):
        answered = align(item)
        return dataclasses.replace(answered, opt_out=np.zeros_like(answered.opt_out))

    assert opt_out(tmp_path, FakeClient(never), fake_dataset(6)) == {}
