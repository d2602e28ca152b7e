"""The same tables as Markdown, for READMEs, issues and terminals."""

from collections.abc import Iterable, Sequence

from harness.report import facts
from harness.report.chapters import chapters
from harness.report.facts import Fact
from harness.report.headline import answers
from harness.report.reader import Results
from harness.report.tables import Cell, Group, Row, Table

SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~"} | {"\n": " ", "\r": " "})


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is."""
    return text.translate(SPECIAL)


def rows_to_markdown(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 2) -> str:
    """A pipe table whose first `left` columns are aligned left, the others right."""
    rule = [":--" if place < left else "--:" for place in range(len(header))]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.strong else cell.text
    return " ".join(part for part in (text, cell.detail, f"({cell.remark})" if cell.remark else "") if part)


def _words(cell: Cell) -> str:
    """A cell of words, which others may have written."""
    return escape(" ".join(part for part in (cell.text, cell.detail, cell.remark) if part))


def _row(table: Table, group: Group, row: Row) -> list[str]:
    head = f"*{escape(row.head)}*" if row.quoted else escape(row.head)
    cells = (
        _words(cell) if column.words else _cell(cell) for column, cell in zip(table.columns, row.cells, strict=True)
    )
    return [escape(group.head), head, *cells]


def table_to_markdown(table: Table) -> str:
    """One table with its caption as a heading."""
    header = [table.kin, table.stub, *(column.label for column in table.columns)]
    rows = (_row(table, group, row) for group in table.groups for row in group.rows)
    return f"### {escape(table.caption)}\n\n{rows_to_markdown(header, rows)}"


def _answers(results: Results) -> str:
    parts = []
    for answer in answers(results):
        lines = [f"- {e.question} **{e.sign.value}**: {escape(e.finding)}" for e in answer.evidence]
        parts.append(
            "\n".join([f"**{escape(answer.model)}: {answer.verdict.value}.** {answer.sentence}", "", *lines, ""])
        )
    return "\n".join(parts)


def tables_markdown(results: Results) -> str:
    """Everything of the report that is words and numbers: the answers, then its tables."""
    parts = ["# Does the map follow the words?\n", _answers(results)]
    for chapter in chapters(results):
        parts.append(f"## {chapter.title}\n")
        parts += [table_to_markdown(table) for table in chapter.tables]
    return "\n".join(parts)


def page_markdown(results: Results) -> str:
    """The same as a page that stands for itself: what was evaluated first, where the numbers come from last."""
    title, _, rest = tables_markdown(results).partition("\n")
    size = escape(facts.size_line(results))
    how = f"Written by `harness report` from the run {escape(results.name)}; run it again instead of editing this."
    return f"{title}\n\n{size}\n\n{how}\n{rest}\n## Lineage\n\n{lineage_markdown(results)}\n"


def lineage_markdown(results: Results) -> str:
    """Where the numbers come from, as a list."""
    return "\n".join(f"- {escape(fact.name)}: {_fact(fact)}" for fact in facts.lineage(results))


def _fact(fact: Fact) -> str:
    return f"`{fact.value}`" if fact.code else escape(fact.value)
