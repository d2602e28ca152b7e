"""The summary says what the rows say: every number is recomputed here in another way."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import (
    LEFT_LUNG,
    RIGHT_LUNG,
    FakeClient,
    FakeDataset,
    align,
    fake_dataset,
    record,
    sentence,
)

PERTURBATIONS = ["none", "swap_left_right", "random_sentences", "shuffle_in_report", "random_bboxes", "mirror_both"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The summary and the rows of one run; one sentence fails, one names both sides."""
    odd = record(7, sentence("bad", "Empty.", RIGHT_LUNG), sentence("both", "Left and right opacity.", LEFT_LUNG))
    out = tmp_path_factory.mktemp("summary")
    config = parse_run_config(
        {
            "name": "t",
            "dataset": {"kind": "phantom"},
            "models": ["m"],
            "perturbations": PERTURBATIONS,
            "resamples": 200,
            "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
            "out": out,
        },
        "t",
    )
    summary = run(config, FakeDataset([*fake_dataset(7).records, odd]), FakeClient())
    return summary, pq.read_table(out / "cases.parquet").to_pylist()


def values(rows, perturbation, metric, subset="all"):
    """Sentence id → value of the answered rows of an arm that has no stratum of its own."""
    return {
        row["sentence_id"]: row[metric]
        for row in rows
        if row["perturbation"] == perturbation
        and row["status"] == "ok"
        and not row["stratum"]
        and subset in row["subsets"]
        and row[metric] is not None
    }


@pytest.mark.parametrize("subset", ["all", "abnormal", "one_lung"])
@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_a_mean_is_the_mean_of_its_rows(made, perturbation, subset):
    summary, rows = made
    for profile, metric in (("exact", "auroc"), ("paper", "iou_at_10"), ("exact", "pointing")):
        expected = list(values(rows, perturbation, f"{profile}_{metric}", subset).values())
        node = summary["models"]["m"][perturbation][subset][profile][metric]
        assert node["mean"] == pytest.approx(np.mean(expected))
        assert node["n"] == len(expected)
        assert node["ci95"][0] <= node["mean"] <= node["ci95"][1]


@pytest.mark.parametrize("perturbation", PERTURBATIONS[1:])
def test_a_delta_is_the_mean_over_the_sentences_that_both_arms_have(made, perturbation):
    summary, rows = made
    after, before = (values(rows, p, "exact_auroc") for p in (perturbation, "none"))
    pairs = [after[s] - before[s] for s in after if s in before]
    node = summary["deltas"]["m"][perturbation]["all"]["exact"]["auroc"]
    assert node["mean"] == pytest.approx(np.mean(pairs))
    assert node["n"] == len(pairs)
    assert 0 < node["p"] <= node["q"] <= 1
    assert node["mde"] >= 0


def test_a_sentence_that_failed_as_written_has_no_delta(made):
    summary, rows = made
    swapped_alone = [r for r in rows if r["sentence_id"] == "bad" and r["perturbation"] == "random_sentences"]
    assert swapped_alone[0]["status"] == "ok"
    n = summary["models"]["m"]["random_sentences"]["all"]["exact"]["auroc"]["n"]
    assert summary["deltas"]["m"]["random_sentences"]["all"]["exact"]["auroc"]["n"] == n - 1


def test_uniform_attention_scores_one_half(made):
    summary, _ = made
    node = summary["controls"]["uniform"]["all"]["exact"]["auroc"]
    assert (node["mean"], node["ci95"]) == (0.5, [0.5, 0.5])


def test_no_map_scores_above_the_oracle(made):
    summary, rows = made
    ceiling = summary["controls"]["oracle"]["all"]["exact"]
    metrics = ["auroc", *(f"{name}_at_{k}" for name in ("precision", "iou") for k in (5, 10, 20, 30))]
    for metric in metrics:
        assert max(values(rows, "none", f"exact_{metric}").values()) <= 1
        assert summary["models"]["m"]["none"]["all"]["exact"][metric]["mean"] <= ceiling[metric]["mean"]


def test_a_map_that_cannot_read_does_not_change_when_the_text_does(made):
    summary, _ = made
    deltas = summary["control_deltas"]["text_blind"]["m"]
    for perturbation in ("swap_left_right", "random_sentences"):
        for profile in ("exact", "paper"):
            for metric, node in deltas[perturbation]["all"][profile].items():
                assert (node["mean"], node["ci95"]) == (0.0, [0.0, 0.0]), (perturbation, profile, metric)
                assert node["n"] > 0
    assert deltas["random_bboxes"]["all"]["exact"]["auroc"]["mean"] != 0
    assert "mirror_both" not in deltas


def test_image_blind_goes_by_wording_and_image_blind_same_meaning_by_annotations(made):
    """Of the seven ordinary images each has the same three statements; the first is worded in five ways."""
    summary, _ = made
    wording, said = (summary["controls"][c]["m"]["all"]["exact"] for c in ("image_blind", "image_blind_same_meaning"))
    assert wording["auroc"]["n"] == 2 * 7 + 4  # images 0 and 5, 1 and 6 share a wording and are of different patients
    assert said["auroc"]["n"] == 3 * 7
    assert summary["advantage"]["m"]["image_blind_same_meaning"]["all"]["exact"]["auroc"]["n"] == 3 * 7


def test_without_annotations_no_sentence_means_the_same_as_another(tmp_path):
    plain = [record(i, dataclasses.replace(sentence(f"s{i}", "Opacity.", RIGHT_LUNG), triples=())) for i in range(4)]
    config = parse_run_config(
        {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "resamples": 100, "out": tmp_path}, "t"
    )
    found = run(config, FakeDataset(plain), FakeClient())["controls"]
    assert found["image_blind"]["m"]["all"]["exact"]["auroc"]["n"] == 4
    assert found["image_blind_same_meaning"]["m"]["all"] == {}


def test_the_advantage_is_the_model_less_the_control(made):
    summary, _ = made
    on_all = set()
    for control in ("text_blind", "image_blind", "image_blind_same_meaning", "centre_prior"):
        own = summary["models"]["m"]["none"]["all"]["exact"]["auroc"]
        node = summary["controls"][control]
        other = (node.get("m") or node)["all"]["exact"]["auroc"]
        advantage = summary["advantage"]["m"][control]["all"]["exact"]["auroc"]
        if own["n"] == other["n"] == advantage["n"]:
            on_all.add(control)
            assert advantage["mean"] == pytest.approx(own["mean"] - other["mean"])
        assert advantage["n"] <= other["n"]
        assert "q" in advantage
    assert "centre_prior" in on_all


def test_other_conditions_are_compared_with_the_synthetic_sentence(tmp_path):
    studies = [record(i, sentence(f"s{i}", f"Words {i}.", RIGHT_LUNG, label=f"finding {i}")) for i in range(4)]
    arms = ["none", "synthetic_sentences", "synthetic_swapped_conditions"]
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "perturbations": arms, "resamples": 100}
    summary = run(parse_run_config(tree | {"out": tmp_path}, "t"), FakeDataset(studies), FakeClient())
    rows = pq.read_table(tmp_path / "cases.parquet").to_pylist()
    auroc = {arm: values(rows, arm, "exact_auroc") for arm in arms}
    for arm, base in (("synthetic_sentences", "none"), ("synthetic_swapped_conditions", "synthetic_sentences")):
        node = summary["deltas"]["m"][arm]["all"]["exact"]["auroc"]
        assert node["mean"] == pytest.approx(np.mean([auroc[arm][s] - auroc[base][s] for s in auroc[arm]]))
        assert node["n"] == 4
        assert all(kl > 0 for kl in values(rows, arm, "exact_kl").values())


def test_the_laterality_index_is_the_mean_loss_of_preference(made):
    summary, rows = made
    kept, swapped = (values(rows, p, "exact_preference") for p in ("none", "swap_left_right"))
    expected = [kept[s] - swapped[s] for s in swapped if s in kept]
    node = summary["laterality"]["m"]
    assert node["lri"]["mean"] == pytest.approx(np.mean(expected))
    assert node["lri"]["n"] == len(expected) > 0
    assert node["preference"]["mean"] - node["preference_swapped"]["mean"] == pytest.approx(node["lri"]["mean"])
    assert -1 <= node["mirror_consistency"]["mean"] <= 1


def test_what_failed_and_what_did_not_apply_is_counted(made):
    summary, rows = made
    failed = [row for row in rows if row["status"] == "failed"]
    counted = sum(sum(codes.values()) for codes in summary["failures"]["m"].values())
    assert counted == len(failed) > 0
    skipped = [row for row in rows if row["status"] == "not_applicable"]
    assert sum(sum(reasons.values()) for reasons in summary["not_applicable"]["m"].values()) == len(skipped) > 0


def test_every_row_is_accounted_for(made):
    _, rows = made
    assert len(rows) == len(PERTURBATIONS) * (7 * 3 + 2)
    assert {row["status"] for row in rows} == {"ok", "failed", "not_applicable"}


def test_few_patients_are_a_warning(made):
    summary, _ = made
    assert summary["warnings"] == ["4 patients, fewer than 20: take every interval with caution"]


def test_subsets_without_a_sentence_are_a_warning(tmp_path):
    config = parse_run_config(
        {
            "name": "empty",
            "dataset": {"kind": "phantom"},
            "models": ["m"],
            "subsets": ["all", "veiw=AP", {"huge": "box_share == 1"}],
            "resamples": 100,
            "out": tmp_path,
        },
        "empty",
    )
    summary = run(config, fake_dataset(2), FakeClient())
    assert "no sentence belongs to veiw=AP, huge: left out" in summary["warnings"]


def test_models_with_other_cells_have_controls_of_their_own(tmp_path):
    def answer(item):
        answered = align(item)
        return dataclasses.replace(answered, maps=answered.maps[:, :5, :5]) if item.model == "coarse" else answered

    config = parse_run_config(
        {
            "name": "t",
            "dataset": {"kind": "phantom"},
            "models": ["fine", "coarse"],
            "perturbations": ["none"],
            "profiles": ["exact"],
            "resamples": 100,
            "out": tmp_path,
        },
        "t",
    )
    controls = run(config, fake_dataset(4), FakeClient(answer))["controls"]
    fine, coarse = (controls["oracle"][model]["all"]["exact"]["auroc"]["mean"] for model in ("fine", "coarse"))
    assert coarse < fine
