"""Distributions and curves hold the rows that the summary's figures are made of."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.report.caserows import laterality_differences, opt_out_masses
from harness.report.figures import laterality_figures, opt_out_figures
from harness.report.reader import read_results
from tests.report_fixture import Plan, build_results

OPT_OUT = "encoder-optout"


def cases(directory: Path) -> Path:
    return build_results(directory) / "cases.parquet"


def test_masses_come_by_what_the_sentence_states(tmp_path: Path) -> None:
    masses = opt_out_masses(cases(tmp_path), OPT_OUT)
    assert masses is not None
    assert {name: len(values) for name, values in masses.by_class.items()} == {
        "own_present": 89,  # of 120 sentences a quarter denies, and the first failed
        "own_negated": 30,
        "random_false": 96,
    }
    assert masses.by_class["random_false"].mean() > masses.by_class["own_present"].mean()


def test_a_false_sentence_is_always_wrong_and_its_own_as_it_points(tmp_path: Path) -> None:
    masses = opt_out_masses(cases(tmp_path), OPT_OUT)
    assert masses is not None
    assert set(masses.risk["random_false"]) == {1.0}
    assert set(masses.risk["own_present"][~np.isnan(masses.risk["own_present"])]) == {0.0, 1.0}
    assert set(masses.risk) == {"own_present", "random_false"}


def test_a_model_without_opt_out_has_no_masses(tmp_path: Path) -> None:
    assert opt_out_masses(cases(tmp_path), "encoder") is None


def test_a_response_is_the_preference_less_that_under_the_swap(tmp_path: Path) -> None:
    """By construction 0.4 × 0.6 and 0.4 × 0.05; sentences that name both sides, or failed, are not among them."""
    path = cases(tmp_path)
    for model, response in Plan().models.items():
        values = laterality_differences(path, model)
        assert len(values) == 79
        assert values.mean() == pytest.approx(0.4 * response, abs=0.02)


def test_there_is_a_drawing_of_each_model_and_of_what_it_can_do(tmp_path: Path) -> None:
    results = read_results(build_results(tmp_path))
    assert [drawing.model for drawing in laterality_figures(results)] == ["encoder", OPT_OUT]
    masses, curve = opt_out_figures(results)
    assert "own sentences that deny a finding: median" in masses.caption
    assert "Area 0.500 [0.480, 0.520], in random order 0.600" in curve.caption


def test_a_name_is_never_drawn(tmp_path: Path) -> None:
    results = read_results(build_results(tmp_path, Plan(models={"$\\frac</svg>-optout": 0.3})))
    drawings = [*laterality_figures(results), *opt_out_figures(results)]
    assert len(drawings) == 3
    assert not any("frac" in drawing.svg for drawing in drawings)


@pytest.mark.parametrize("missing", ["statement", "exact_preference", "exact_pointing"])
def test_rows_that_lack_a_column_leave_out_its_drawing(tmp_path: Path, missing: str) -> None:
    path = cases(tmp_path)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns([missing]), path)
    results = read_results(tmp_path)
    assert (laterality_figures(results) == ()) == (missing == "exact_preference")
    assert (opt_out_figures(results) == ()) == (missing != "exact_preference")


def test_one_value_alone_can_be_drawn(tmp_path: Path) -> None:
    path = cases(tmp_path)
    table = pq.read_table(path)
    equal = pa.array([0.003] * len(table))
    pq.write_table(table.set_column(table.column_names.index("opt_out"), "opt_out", equal), path)
    assert len(opt_out_figures(read_results(tmp_path))) == 4
