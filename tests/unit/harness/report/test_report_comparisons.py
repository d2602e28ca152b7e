"""The models of a run against each other: second less first, with q where it is below 0.05."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.report import render
from harness.report.comparisons import comparison_plots, comparison_table
from harness.report.forest import Forest
from harness.report.markdown import page_markdown
from harness.report.reader import Results, read_results
from harness.report.tables import Table
from tests.html_outline import parse
from tests.report_fixture import Plan, build_results, edit_json, estimate

THREE = Plan(models={"zeta": 0.1, "alpha": 0.15, "middle": 0.6})


def results(directory: Path, plan: Plan | None = None) -> Results:
    return read_results(build_results(directory, plan))


def with_node(directory: Path, node: dict[str, Any]) -> Results:
    """A run of two models whose one difference, in AUROC, is `node`."""
    build_results(directory)
    sections = {"metrics": {"none": {"all": {"exact": {"auroc": node}}}}}
    edit_json(directory / "summary.json", comparisons={"encoder-optout": {"encoder": sections}})
    return read_results(directory)


def table_of(run: Results) -> Table:
    table = comparison_table(run)
    assert table is not None
    return table


def only_plot(run: Results) -> Forest:
    (plot,) = comparison_plots(run)
    return plot


def test_every_pair_is_the_later_model_less_the_earlier_whatever_their_names(tmp_path: Path) -> None:
    table = table_of(results(tmp_path, THREE))
    assert {group.head for group in table.groups} == {"alpha less zeta", "middle less zeta", "middle less alpha"}
    differences = {group.head: group.rows[0].cells[0].text for group in table.groups}
    assert differences["alpha less zeta"] == "+0.005"
    assert differences["middle less zeta"] == "+0.050"


def test_there_are_auroc_and_pointing_by_subset_and_the_index_of_left_and_right(tmp_path: Path) -> None:
    plots = comparison_plots(results(tmp_path))
    assert [plot.caption.partition(":")[0] for plot in plots] == ["AUROC", "Pointing", "LRI"]
    subsets = ["All sentences", "Abnormal sentences", "One-lung sentences"]
    assert [[name for name, _ in plot.groups] for plot in plots] == [subsets, subsets, [""]]
    for plot in plots:
        assert [tick.label for tick in plot.references] == ["no difference"]
        assert {strip.label for strip in plot.strips} == {"encoder-optout less encoder"}


def test_a_strip_has_the_colour_of_the_second_model(tmp_path: Path) -> None:
    run = results(tmp_path, THREE)
    strips = comparison_plots(run)[0].strips
    assert {(s.label, run.models[s.series]) for s in strips} == {
        ("alpha less zeta", "alpha"),
        ("middle less zeta", "middle"),
        ("middle less alpha", "middle"),
    }


@pytest.mark.parametrize(
    ("q", "remark", "text"),
    [
        (0.0004, "q\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}0.001", "< 0.001"),
        (0.031, "q\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.031", "0.031"),
        (0.05, "", "0.050"),
        (0.4, "", "0.400"),
        (None, "", "–"),
    ],
)
def test_a_q_below_a_twentieth_is_marked(tmp_path: Path, q: float | None, remark: str, text: str) -> None:
    run = with_node(tmp_path, {**estimate(-0.02, 0.01, 50, 40), "q": q})
    assert only_plot(run).strips[0].remark == remark
    cell = table_of(run).groups[0].rows[0].cells[1]
    assert (cell.text, cell.strong) == (text, bool(remark))


def test_few_patients_are_told_beside_the_q(tmp_path: Path) -> None:
    run = with_node(tmp_path, {**estimate(-0.02, 0.01, 50, 9), "q": 0.01})
    assert only_plot(run).strips[0].remark.endswith("0.010, from 9 patients")
    assert table_of(run).groups[0].rows[0].cells[2].remark == "from 9 patients"


def test_the_decision_to_opt_out_is_compared_where_both_models_make_it(tmp_path: Path) -> None:
    build_results(tmp_path)
    tree = json.loads((tmp_path / "summary.json").read_text())["comparisons"]
    assert "Opt-out AUROC" not in [row.head for row in table_of(read_results(tmp_path)).groups[0].rows]
    tree["encoder-optout"]["encoder"]["opt_out"] = {"auroc": estimate(0.03, 0.01, 90, 40)}
    edit_json(tmp_path / "summary.json", comparisons=tree)
    last = table_of(read_results(tmp_path)).groups[0].rows[-1]
    assert (last.head, last.cells[0].text) == ("Opt-out AUROC", "+0.030")


def test_what_two_models_do_not_share_is_left_out(tmp_path: Path) -> None:
    run = results(tmp_path, Plan(profiles=("paper",)))
    assert [row.head for row in table_of(run).groups[0].rows] == ["LRI"]
    assert only_plot(run).caption.startswith("LRI")


def test_a_null_difference_is_a_dash_in_the_table_and_not_drawn(tmp_path: Path) -> None:
    run = with_node(tmp_path, {"mean": None, "ci95": None, "n": 0})
    assert comparison_plots(run) == ()
    assert table_of(run).groups[0].rows[0].cells[0].text == "–"


def test_the_page_has_the_plots_and_folds_the_table(tmp_path: Path) -> None:
    outline = parse(render(build_results(tmp_path)).read_text(encoding="utf-8"))
    section = next(s for s in outline.below("section") if s.attributes["id"] == "comparison")
    assert "Difference: second less first" in section.text
    folded = [next(t.below("caption")).text for fold in section.below("details") for t in fold.below("table")]
    assert folded == ["Difference between models, second less first"]
    assert len(list(section.below("table"))) == 4
    assert "#comparison" in [a.attributes.get("href") for a in next(outline.below("nav")).below("a")]


def test_the_markdown_page_has_the_same_table(tmp_path: Path) -> None:
    text = page_markdown(results(tmp_path))
    assert "## Models against each other" in text
    assert "| encoder-optout less encoder | AUROC, all sentences | −0.055 [−0.075, −0.035] | **0.020** |" in text


def test_a_run_of_one_model_compares_nothing(tmp_path: Path) -> None:
    run = results(tmp_path, Plan(models={"encoder": 0.6}))
    assert comparison_table(run) is None
    assert comparison_plots(run) == ()
    html = render(tmp_path).read_text(encoding="utf-8")
    assert "Models against each other" not in html
    assert "#comparison" not in html
    assert "Models against each other" not in page_markdown(run)
