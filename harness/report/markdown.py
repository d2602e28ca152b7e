"""The same tables as Markdown, for READMEs, issues and terminals."""

from collections.abc import Iterable, Sequence

from harness.report import facts, wording
from harness.report.headline import answers
from harness.report.reader import Results
from harness.report.tables import PROFILES, Cell, Table, metric_tables

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
    return " ".join(part for part in (cell.text, cell.detail, f"({cell.remark})" if cell.remark else "") if part)


def table_to_markdown(table: Table) -> str:
    """One table with its caption as a heading."""
    header = ["Model", table.stub, *(column.label for column in table.columns)]
    rows = (
        [escape(group.head), escape(row.head), *(_cell(cell) for cell in row.cells)]
        for group in table.groups
        for row in group.rows
    )
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
    """Everything of the report that is words and numbers: answers, localisation, changes, left and right, opt-out."""
    parts = ["# Does the map follow the words?\n", _answers(results)]
    for profile in PROFILES:
        parts.append(f"## Localisation, {profile} profile\n")
        parts += [table_to_markdown(t) for t in metric_tables(results, "models", profile, wording.MAIN_METRICS)]
        parts.append(f"## Change against the sentence as written, {profile} profile\n")
        parts += [table_to_markdown(t) for t in metric_tables(results, "deltas", profile, wording.MAIN_METRICS)]
    in_full = [t for t in (facts.laterality_table(results), facts.opt_out_table(results)) if t is not None]
    if in_full:
        parts += ["## Left and right, opt-out\n", *(table_to_markdown(t) for t in in_full)]
    return "\n".join(parts)
