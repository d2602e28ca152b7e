"""Tables as files: complete, in order, with the numbers of the page."""

import re
from pathlib import Path

from harness.report import render, write_page, write_tables
from harness.report.chapters import chapters
from harness.report.latex import escape
from harness.report.reader import read_results
from tests.html_outline import Element, parse
from tests.report_fixture import Plan, build_results

THEIRS = Plan(kind="chest_imagenome_gold", sentences=2496, models={"gloria": 0.1, "encoder": 0.6})


def in_the_page(outline: Element, caption: str) -> list[list[str]]:
    """The values of a table's cells, row by row, without intervals and remarks."""
    table = next(t for t in outline.below("table") if next(t.below("caption")).text == caption)
    rows = ([next(td.below("bdi")).text for td in row.below("td")] for row in table.below("tr"))
    return [row for row in rows if row]


def test_there_is_a_file_of_each_kind_for_every_table_in_order(tmp_path: Path) -> None:
    run = build_results(tmp_path / "run")
    count = write_tables(run, tmp_path / "tables")
    names = sorted(path.stem for path in (tmp_path / "tables").glob("*.md"))
    assert names == sorted(path.stem for path in (tmp_path / "tables").glob("*.tex") if path.stem != "all")
    assert len(names) == count == sum(len(chapter.tables) for chapter in chapters(read_results(run)))
    assert names[0] == "01-study-localisation"
    document = (tmp_path / "tables" / "all.tex").read_text()
    assert re.findall(r"\\input\{(.*?)\}", document) == names


def test_html_markdown_and_latex_hold_the_same_numbers(tmp_path: Path) -> None:
    run = build_results(tmp_path / "run", THEIRS)
    outline = parse(render(run).read_text(encoding="utf-8"))
    write_tables(run, tmp_path / "tables")
    for chapter in chapters(read_results(run)):
        for table in chapter.tables:
            values = [[cell.text for cell in row.cells] for group in table.groups for row in group.rows]
            assert in_the_page(outline, table.caption) == values, table.caption
    for path in (tmp_path / "tables").glob("01-*.md"):
        rows = [line.split(" | ")[2:] for line in path.read_text(encoding="utf-8").splitlines()[4:]]
        plain = [[re.sub(r"\*\*| \[.*| \(.*| \|$", "", cell) for cell in row] for row in rows]
        caption = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("### ")
        assert plain == in_the_page(outline, caption)
        tex = path.with_suffix(".tex").read_text(encoding="utf-8")
        for row in in_the_page(outline, caption):
            assert " & ".join(escape(value) for value in row) in tex


def test_a_page_says_what_was_run_and_where_the_numbers_come_from(tmp_path: Path) -> None:
    run = build_results(tmp_path / "run")
    write_page(run, tmp_path / "docs" / "page.md")
    text = (tmp_path / "docs" / "page.md").read_text(encoding="utf-8")
    assert "100 patients" in text.splitlines()[2]
    assert text.index("## The study's tables") < text.index("## Lineage")
    for wanted in ("ab" * 32, "cd" * 32, "0123456789abcdef"):
        assert wanted in text
    assert str(tmp_path) not in text


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = build_results(tmp_path / "run")
    for name in ("a", "b"):
        write_tables(run, tmp_path / name)
        write_page(run, tmp_path / name / "page")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
