"""The tables as LaTeX: escaped, whole, and compiled where LaTeX is installed."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.chapters import chapters, named_tables
from harness.report.export import write_tables
from harness.report.latex import escape, table_to_latex
from harness.report.reader import read_results
from harness.report.tables import Cell, Column, Group, Row, Table
from tests import needs
from tests.report_fixture import Plan, build_results

HOSTILE = r"100 % of \input{/etc/passwd} & $x_1^2$ #1 ~ {a} <b> \\ | [c]" + "\n\u4e2d\u202e"


def table(text: str) -> Table:
    cells = (Cell(text, "[1, 2]", "n = 3", strong=True), Cell(text))
    rows = (Row(text, cells), Row("other", cells, quoted=True))
    return Table("A key", text, text, (Column(text), Column("words", words=True)), (Group(text, rows), Group("", rows)))


def unescaped(tex: str) -> str:
    """What is left when every escaped character and every command is taken away."""
    return re.sub(r"\\[&%$#_{},]|\\[a-z]+\{\}|\\\\", "", tex)


@given(st.text())
def test_nothing_of_a_text_is_left_that_latex_would_act_on(text: str) -> None:
    left = unescaped(escape(text))
    assert not set(left) & set("&%#_^\\") - set("\\,")
    assert left.count("{") == left.count("}")
    assert len(re.findall(r"\$", left)) % 2 == 0
    assert all(ord(c) < 0x180 for c in left)


def test_numbers_keep_their_signs_and_spaces() -> None:
    assert escape("−0.25") == "$-$0.25"
    assert escape("n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}2\N{NARROW NO-BREAK SPACE}496") == r"n~=~2\,496"
    assert escape("[0.1, 0.2]") == "{[}0.1, 0.2{]}"


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_a_table_is_balanced_and_as_wide_as_it_says(text: str) -> None:
    tex = table_to_latex(table(text))
    assert re.findall(r"\\begin\{(\w+)\}", tex) == ["table", "tabular"]
    assert re.findall(r"\\end\{(\w+)\}", tex) == ["tabular", "table"]
    assert tex.index(r"\toprule") < tex.index(r"\midrule") < tex.index(r"\bottomrule")
    lines = [line for line in tex.splitlines() if line.endswith(r" \\")]
    assert len(lines) == 1 + 1 + 4 * 3, "the header, one group's heading, four rows with interval and remark"
    for line in lines:
        assert len(re.findall(r"(?<!\\)&", line)) == (0 if r"\multicolumn{3}" in line else 2), line
    plain = re.sub(r"\\[{}]", "", tex)
    assert plain.count("{") == plain.count("}")


def test_every_table_of_a_run_has_rows_of_one_width(tmp_path: Path) -> None:
    for name, one in named_tables(chapters(read_results(build_results(tmp_path)))):
        tex = table_to_latex(one)
        widths = {len(re.findall(r"(?<!\\)&", line)) for line in tex.splitlines() if line.endswith(r" \\")} - {0}
        assert widths == {len(one.columns)}, name


def test_values_stand_above_their_intervals_and_remarks() -> None:
    lines = table_to_latex(table("v")).splitlines()
    place = lines.index(r"v & \textbf{v} & v \\")
    assert lines[place + 1 : place + 3] == [
        r" & {\tiny {[}1, 2{]}} &  \\",
        r" & {\tiny n = 3} &  \\",
    ]
    assert r"\textit{other} & \textbf{v} & v \\" in lines


def test_latex_sets_them(tmp_path: Path) -> None:
    program = needs.tool("latex", "pdflatex", "xelatex", "tectonic")
    write_tables(build_results(tmp_path / "run", Plan(models={HOSTILE: 0.3})), tmp_path / "tables")
    flags = [] if program.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([program, *flags, "all.tex"], cwd=tmp_path / "tables", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
