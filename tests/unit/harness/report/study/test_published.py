"""The published values: those of the study and no others, and shown beside its own data set alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.report.reader import read_results
from harness.report.study.published import SUBSETS, VARIANTS, _File, published_beside, published_values, variant_of
from tests.report_fixture import Plan, build_results, edit_json
from tests.repository import ROOT
from tests.shared import shared_path

FILE = ROOT / "harness" / "report" / "study" / "published.json"
SOURCE_NAMES = {
    "entropy": ("attention_entropy_nats",),
    "kl": ("symmetric_kl_with_random_sentence",),
    "match_local": ("matching_accuracy", "local"),
    "match_global": ("matching_accuracy", "global"),
}
KINDS = {"none": "report_sentence", "synthetic_sentences": "synthetic_sentence"}


def looked_up(source: dict[str, Any], variant: str, arm: str, subset: str, metric: str) -> float:
    if metric not in SOURCE_NAMES:
        return source["localisation"][variant][KINDS[arm]][subset][metric]
    table, *rest = SOURCE_NAMES[metric]
    node = source[table][variant][subset]
    return node[rest[0]] if rest else node


def test_every_value_is_the_one_in_the_reference_tables() -> None:
    source = json.loads(shared_path("paper/published_tables.json").read_text())
    published = published_values()
    assert len(published.values) == 9 * 4 * (2 * 8 + 4) - 4, "UNITER has no local matching accuracy"
    for key, value in published.values.items():
        assert value == looked_up(source, *key), key
    for (variant, arm, subset, metric), value in published.changes.items():
        assert (variant, metric) == ("gloria", "auroc")
        assert value == source["delta_auroc_points_gloria"][subset][arm]
    assert len(published.changes) == 5 * 4
    assert dict(published.sentences) == source["sentences_per_subset"]
    assert {v: dict(node) for v, node in published.ratings.items()} == source["human_rating_1_to_5"]


def test_the_source_is_named() -> None:
    assert "arXiv 2210.06565" in published_values().source


@pytest.mark.parametrize(
    "damage",
    [
        {"subsets": ["all", "abnormal", "one_lung"]},
        {"entropy": {"gloria": [5.8, 5.8, 5.8, 5.8]}},
        {"kl": {variant: [0.1, 0.2] for variant in VARIANTS}},
        {"localisation_columns": ["auroc"]},
        {"something": "else"},
    ],
)
def test_a_damaged_file_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _File.model_validate({**json.loads(FILE.read_text()), **damage})


STUDY = Plan(kind="chest_imagenome_gold", sentences=2496)


def shown(directory: Path, plan: Plan, **changes: Any) -> bool:
    build_results(directory, plan)
    if changes:
        config = json.loads((directory / "manifest.json").read_text())["config"]
        edit_json(directory / "manifest.json", config={**config, **changes})
    return published_beside(read_results(directory)) is not None


@pytest.mark.parametrize("sentences", [2496, 2380, 2600])
def test_they_stand_beside_the_studys_own_data_set(tmp_path: Path, sentences: int) -> None:
    assert shown(tmp_path, Plan(kind="chest_imagenome_gold", sentences=sentences))


@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan(sentences=2496),
        Plan(kind="chest_imagenome_gold", sentences=1240),
        Plan(kind="chest_imagenome_gold", sentences=2700),
        Plan(kind="chest_imagenome_silver", sentences=2496),
    ],
)
def test_they_stand_beside_no_other(tmp_path: Path, plan: Plan) -> None:
    assert not shown(tmp_path, plan)


def test_they_do_not_stand_beside_a_part_of_it(tmp_path: Path) -> None:
    assert not shown(tmp_path, STUDY, limit=2000)


def test_a_model_is_matched_by_its_name_alone() -> None:
    assert variant_of("gloria-retrained") == variant_of("GLoRIA_retrained") == "gloria_retrained"
    assert variant_of("encoder") is None
    assert set(SUBSETS) == set(published_values().sentences)
