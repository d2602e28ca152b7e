"""The same tables as LaTeX: `booktabs` rules, nothing that another package would have to bring."""

import unicodedata
from collections.abc import Iterator

from harness.report import numbers
from harness.report.tables import Cell, Column, Row, Table

SPECIAL = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
    numbers.MINUS: "$-$",
    numbers.NULL: "--",
    "×": r"$\times$",
    "↔": r"$\leftrightarrow$",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}
"""Brackets in braces: after a line's end LaTeX would take ``[`` for the argument of the line break."""
WIDE = 8
"""A table with more columns is set smaller."""
PREAMBLE = r"""\documentclass[a4paper,landscape]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp,booktabs}
"""


def escape(text: str) -> str:
    """`text` so that LaTeX prints it as it is; a character that its fonts lack is printed as its number."""
    return "".join(_character(c) for c in text)


def _character(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if c.isspace():
        return " "
    known = ord(c) < 0x180 and unicodedata.category(c) != "Cc"
    return c if known else f"{{[}}U+{ord(c):04X}{{]}}"


def table_to_latex(table: Table) -> str:
    """One floating table, for a document that loads what `PREAMBLE` loads."""
    width = len(table.columns) + 1
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"{_size(width)}\setlength{{\tabcolsep}}{{4pt}}",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{tab:{table.slug}}}",
        rf"\begin{{tabular}}{{l{''.join(_alignment(column) for column in table.columns)}}}",
        r"\toprule",
        _line([escape(table.stub), *(escape(column.label) for column in table.columns)]),
        *_body(table, width),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _size(width: int) -> str:
    return r"\scriptsize" if width > WIDE else r"\small"


def _alignment(column: Column) -> str:
    return r"p{0.3\linewidth}" if column.words else "r"


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _body(table: Table, width: int) -> Iterator[str]:
    for group in table.groups:
        yield r"\midrule"
        if group.head:
            yield rf"\multicolumn{{{width}}}{{l}}{{\textbf{{{escape(group.head)}}}}} \\"
        for row in group.rows:
            yield from _row(row)


def _row(row: Row) -> Iterator[str]:
    """The values, and below them their intervals and remarks, if there are any."""
    head = escape(row.head)
    yield _line([rf"\textit{{{head}}}" if row.quoted else head, *(_value(cell) for cell in row.cells)])
    for below in ([cell.detail for cell in row.cells], [cell.remark for cell in row.cells]):
        if any(below):
            yield _line(["", *(rf"{{\tiny {escape(text)}}}" if text else "" for text in below)])


def _value(cell: Cell) -> str:
    text = escape(cell.text)
    return rf"\textbf{{{text}}}" if cell.strong else text
