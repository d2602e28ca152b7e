"""The study's tables: its order, its units, our intervals, its values beside ours where that is fair."""

from pathlib import Path

from harness.report.reader import Results, read_results
from harness.report.study import published_beside, study_tables
from harness.report.tables import Cell, Table
from tests.report_fixture import METRICS, Plan, build_results

ARMS = (
    *("none", "synthetic_sentences", "swap_left_right", "swap_left_right_paper", "shuffle_in_report"),
    *("random_sentences", "random_bboxes", "synthetic_swapped_conditions"),
)
SUBSETS = ("all", "abnormal", "one_lung", "most_diverse_report_bboxes")
WHOLE = Plan(perturbations=ARMS, subsets=SUBSETS)
THEIRS = Plan(
    perturbations=ARMS,
    subsets=SUBSETS,
    kind="chest_imagenome_gold",
    sentences=2496,
    models={"gloria": 0.1, "my-encoder": 0.5, "no_attn": 0.2},
)


def results(directory: Path, plan: Plan = WHOLE) -> Results:
    return read_results(build_results(directory, plan))


def tables(directory: Path, plan: Plan = WHOLE) -> dict[str, Table]:
    run = results(directory, plan)
    return {table.key: table for table in study_tables(run, published_beside(run))}


def cells(table: Table, group: str, head: str) -> dict[str, Cell]:
    rows = {row.head: row for g in table.groups if g.head == group for row in g.rows}
    return dict(zip((column.label for column in table.columns), rows[head].cells, strict=True))


def test_they_come_in_the_studys_order(tmp_path: Path) -> None:
    keys = ["localisation", "precision", "iou", "attention", "changes"]
    assert list(tables(tmp_path)) == [f"study-{key}" for key in keys]


def test_rows_are_models_within_each_subset(tmp_path: Path) -> None:
    table = tables(tmp_path)["study-localisation"]
    assert [group.head for group in table.groups] == [
        "All sentences",
        "Abnormal sentences",
        "One-lung sentences",
        "Most diverse reports",
    ]
    assert [row.head for row in table.groups[0].rows] == ["encoder", "encoder-optout"]
    labels = [column.label for column in table.columns]
    assert labels == ["n", "AUROC, report", "AUROC, synthetic", "AP, report", "AP, synthetic"]


def test_shares_are_in_percent_with_their_interval_and_nats_are_not(tmp_path: Path) -> None:
    made = tables(tmp_path)
    auroc = cells(made["study-localisation"], "All sentences", "encoder")["AUROC, report"]
    assert auroc.text == f"{100 * METRICS['auroc']:.1f}"
    assert auroc.detail == "[70.2, 73.8]"
    attention = cells(made["study-attention"], "All sentences", "encoder")
    assert {label: cell.text for label, cell in attention.items() if label != "n"} == {
        "Entropy": "5.710",
        "KL, random sentence": "0.0397",
        "Match, local": "64.7",
        "Match, global": "76.4",
    }


def test_a_run_without_synthetic_sentences_has_no_columns_for_them(tmp_path: Path) -> None:
    made = tables(tmp_path, Plan())
    assert [c.label for c in made["study-iou"].columns] == ["n", *(f"IoU {k} %, report" for k in (5, 10, 30))]


def test_without_the_paper_profile_there_are_none(tmp_path: Path) -> None:
    assert tables(tmp_path, Plan(profiles=("exact",))) == {}


def test_the_cell_of_the_headline_figure_stands_out(tmp_path: Path) -> None:
    table = tables(tmp_path)["study-changes"]
    strong = {
        group.head: [c.label for c, cell in zip(table.columns, group.rows[0].cells, strict=True) if cell.strong]
        for group in table.groups
    }
    assert strong == {
        "left ↔ right swapped, as published": ["One-lung sentences"],
        "left ↔ right swapped": ["One-lung sentences"],
        "shuffled in report": ["Most diverse reports"],
        "random sentence": ["Abnormal sentences"],
        "random boxes": ["Abnormal sentences"],
        "synthetic, other condition": ["Abnormal sentences"],
    }


def test_changes_are_in_points_and_tell_their_n(tmp_path: Path) -> None:
    cell = cells(tables(tmp_path)["study-changes"], "left ↔ right swapped", "encoder")["One-lung sentences"]
    assert (cell.text, cell.remark) == ("−3.89", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}384")


def test_published_values_stand_under_the_model_they_name_or_last(tmp_path: Path) -> None:
    table = tables(tmp_path, THEIRS)["study-localisation"]
    heads = [(row.head, row.quoted) for row in table.groups[0].rows]
    assert heads[:5] == [
        ("gloria", False),
        ("GLoRIA, published", True),
        ("my-encoder", False),
        ("no_attn", False),
        ("no attention (opt-out), published", True),
    ]
    assert len(heads) == 3 + 9
    assert heads[5] == ("UNITER, published", True)


def test_published_values_are_the_studys_without_an_interval(tmp_path: Path) -> None:
    made = tables(tmp_path, THEIRS)
    row = cells(made["study-localisation"], "All sentences", "GLoRIA, published")
    assert [cell.text for cell in row.values()] == ["2\N{NARROW NO-BREAK SPACE}496", "69.1", "69.3", "51.7", "52.2"]
    assert not any(cell.detail for cell in row.values())
    uniter = cells(made["study-attention"], "One-lung sentences", "UNITER, published")
    assert uniter["Match, local"].text == "–"
    for group in ("left ↔ right swapped", "left ↔ right swapped, as published"):
        assert cells(made["study-changes"], group, "GLoRIA, published")["One-lung sentences"].text == "−0.25"


def test_beside_another_data_set_there_is_no_published_value(tmp_path: Path) -> None:
    for table in tables(tmp_path).values():
        assert not any(row.quoted for group in table.groups for row in group.rows)
