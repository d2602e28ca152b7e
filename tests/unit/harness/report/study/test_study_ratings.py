"""Human ratings in the study's tables."""

import json
from pathlib import Path

from harness.report.reader import Results, read_results
from harness.report.study import published_beside, study_tables
from harness.report.tables import Table
from tests.report_fixture import Plan, build_results, estimate

THEIRS = Plan(
    perturbations=("none", "random_sentences"),
    kind="chest_imagenome_gold",
    sentences=2496,
    models={"gloria": 0.1, "my-encoder": 0.5},
)
RATINGS = {
    "gloria": {
        "is_intuitive": {
            "rating": {"mean": estimate(2.5, 0.25, 50, 30)},
            "paper": {
                "my_own_metric": estimate(-0.25, 0.125, 50, 30),
                "auroc": estimate(0.5, 0.125, 50, 30),
                "kl": {"mean": None, "ci95": [None, None], "n": 2, "patients": 2},
            },
        },
        "has_good_recall": {"rating": {"mean": estimate(3.0, 0.25, 49, 30)}},
    }
}


def results(directory: Path, plan: Plan = THEIRS, ratings: object = RATINGS) -> Results:
    path = build_results(directory, plan) / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "ratings": ratings}))
    return read_results(directory)


def tables(run: Results) -> dict[str, Table]:
    return {table.key: table for table in study_tables(run, published_beside(run))}


def test_mean_ratings_stand_beside_the_published_ones(tmp_path: Path) -> None:
    table = tables(results(tmp_path))["study-ratings"]
    assert [column.label for column in table.columns] == ["n", "Recall", "Intuitiveness"]
    own, quoted, *others = table.groups[0].rows
    assert [cell.text for cell in own.cells] == ["49", "3.00", "2.50"]
    assert own.cells[2].remark.split() == ["n", "=", "50"]
    assert (quoted.quoted, [cell.text for cell in quoted.cells]) == (True, ["", "3.14", "1.68"])
    assert len(others) == 6
    assert all(row.quoted for row in others)


def test_on_other_data_nothing_is_quoted(tmp_path: Path) -> None:
    table = tables(results(tmp_path, Plan(models={"gloria": 0.1})))["study-ratings"]
    assert [row.head for row in table.groups[0].rows] == ["gloria"]


def test_correlations_are_listed_metric_by_metric_in_the_order_of_the_report(tmp_path: Path) -> None:
    table = tables(results(tmp_path))["study-correlations"]
    (group,) = table.groups
    assert group.head == "gloria"
    assert [row.head for row in group.rows] == ["AUROC", "KL", "my own metric"]
    assert [row.cells[1].text for row in group.rows] == ["+0.50", "–", "−0.25"]
    assert group.rows[0].cells[1].detail == "[+0.38, +0.62]"


def test_a_run_without_ratings_has_neither_table(tmp_path: Path) -> None:
    assert not {"study-ratings", "study-correlations"} & set(tables(results(tmp_path, ratings={})))
