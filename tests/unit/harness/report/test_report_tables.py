"""The tables and plots as values, before they are drawn."""

from pathlib import Path

from harness.report import plots, wording
from harness.report.facts import lineage, opt_out_table
from harness.report.reader import Estimate, Results, read_results
from harness.report.reproduce import run_file
from harness.report.tables import estimate_cell, metric_tables
from tests.report_fixture import Plan, build_results


def results(directory: Path, plan: Plan | None = None) -> Results:
    return read_results(build_results(directory, plan))


def test_a_table_has_models_as_groups_and_perturbations_as_rows(tmp_path: Path) -> None:
    table = metric_tables(results(tmp_path), "models", "exact", wording.MAIN_METRICS)[0]
    assert [group.head for group in table.groups] == ["encoder", "encoder-optout"]
    assert [row.head for row in table.groups[0].rows] == ["as written", "left ↔ right swapped", "random sentence"]
    assert [column.label for column in table.columns][:3] == ["n", "AUROC", "AP"]
    assert all(len(row.cells) == len(table.columns) for group in table.groups for row in group.rows)


def test_the_paper_profile_leaves_out_what_it_does_not_know(tmp_path: Path) -> None:
    run = results(tmp_path)
    exact, paper = (metric_tables(run, "models", p, wording.MAIN_METRICS)[0] for p in ("exact", "paper"))
    assert {c.label for c in exact.columns} - {c.label for c in paper.columns} == {"Pointing", "Mass in box"}


def test_changes_are_signed_and_have_no_baseline_row(tmp_path: Path) -> None:
    table = metric_tables(results(tmp_path), "deltas", "exact", ["auroc"])[0]
    assert [row.head for row in table.groups[0].rows] == ["left ↔ right swapped", "random sentence"]
    assert table.groups[0].rows[0].cells[1].text.startswith("−")


def test_a_cell_tells_its_n_where_it_differs_and_few_patients_always() -> None:
    estimate = Estimate(0.5, 0.4, 0.6, 12, patients=7)
    assert estimate_cell(estimate, 3, row_n=12).remark == ""
    assert estimate_cell(estimate, 3, row_n=40).remark == "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}12, from 7 patients"
    assert estimate_cell(None, 3).text == "–"


def test_a_row_from_few_patients_says_so(tmp_path: Path) -> None:
    row = metric_tables(results(tmp_path, Plan(patients=9)), "models", "exact", ["auroc"])[0].groups[0].rows[0]
    assert row.cells[0].remark == "from 9 patients"


def test_models_stand_between_their_controls(tmp_path: Path) -> None:
    plot = plots.control_plot(results(tmp_path), "auroc", "all")
    assert plot is not None
    groups = {name: [strip.label for strip in strips] for name, strips in plot.groups}
    assert groups["Without a model"] == ["oracle", "centre prior", "uniform"]
    assert groups["encoder"] == ["encoder", "text-blind", "image-blind", "image-blind, same meaning"]
    assert [tick.label for tick in plot.references] == ["chance", "ceiling"]


def test_controls_that_differ_by_model_stand_with_their_model(tmp_path: Path) -> None:
    run = results(tmp_path)
    controls = run.summary["controls"]
    controls["oracle"] = {"encoder": controls["oracle"], "encoder-optout": controls["oracle"]}
    plot = plots.control_plot(run, "auroc", "all")
    assert plot is not None
    groups = {name: [strip.label for strip in strips] for name, strips in plot.groups}
    assert "oracle" not in groups["Without a model"]
    assert "oracle" in groups["encoder"]


def test_where_the_oracle_is_no_ceiling_none_is_drawn(tmp_path: Path) -> None:
    plot = plots.control_plot(results(tmp_path), "pointing", "all")
    assert plot is not None
    assert plot.references == ()


def test_each_perturbation_is_drawn_on_its_own_subset(tmp_path: Path) -> None:
    plot = plots.delta_plot(results(tmp_path), "auroc")
    assert plot is not None
    assert [name for name, _ in plot.groups] == [
        "left ↔ right swapped (one-lung sentences)",
        "random sentence (abnormal sentences)",
    ]


def test_nested_estimates_are_joined_in_one_table(tmp_path: Path) -> None:
    table = opt_out_table(results(tmp_path))
    assert table is not None
    heads = [row.head for row in table.groups[0].rows]
    assert "mass: own present" in heads
    assert "risk coverage: area" in heads


def test_what_the_manifest_does_not_say_is_left_out(tmp_path: Path) -> None:
    for name in ("manifest.json", "summary.json"):
        (tmp_path / name).write_text("{}")
    empty = read_results(tmp_path)
    assert lineage(empty) == ()
    assert run_file(empty) == ""
