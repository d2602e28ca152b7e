"""The tables as Markdown."""

from pathlib import Path

from harness.report.markdown import escape, tables_markdown
from harness.report.reader import read_results
from tests.report_fixture import Plan, build_results


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").replace(r"\|", "&#124;").split("|")]


def test_every_row_has_as_many_cells_as_its_header(tmp_path: Path) -> None:
    plan = Plan(models={"pipe|in*name": 0.5})
    text = tables_markdown(read_results(build_results(tmp_path, plan)))
    widths: list[int] = []
    for line in text.splitlines():
        widths = [*widths, len(cells(line))] if line.startswith("|") else []
        assert len(set(widths)) <= 1, line


def test_names_cannot_become_markup() -> None:
    assert escape("<b>*x*|[y](z)`") == r"\<b\>\*x\*\|\[y\](z)\`"
    assert "\n" not in escape("two\nlines")


def test_tables_come_in_both_profiles_and_answers_first(tmp_path: Path) -> None:
    text = tables_markdown(read_results(build_results(tmp_path)))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[:2] == ["# Does the map follow the words?", "## The study's tables, paper profile"]
    assert headings.index("## Localisation, exact profile") < headings.index("## Localisation, paper profile")
    assert "## Localisation, paper profile" in headings
    assert text.index("**encoder: Yes.**") < text.index("## ")


def test_the_decision_of_the_opt_out_stands_in_the_tables_with_its_intervals(tmp_path: Path) -> None:
    text = tables_markdown(read_results(build_results(tmp_path)))
    row = next(line for line in text.splitlines() if "risk coverage: area in ideal order" in line)
    assert cells(row)[2:] == ["0.3000 [0.2800, 0.3200]", "800"]
    assert "### Laterality in full" in text
