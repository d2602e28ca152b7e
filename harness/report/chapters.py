"""The report's tables in their order, as Markdown, LaTeX and the folder of tables share them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.report import comparisons, facts, wording
from harness.report.reader import Results
from harness.report.study import published_beside, study_tables
from harness.report.tables import PROFILES, Table, metric_tables


@dataclass(frozen=True, slots=True)
class Chapter:
    """Tables under one title."""

    title: str
    tables: tuple[Table, ...]


def chapters(results: Results) -> tuple[Chapter, ...]:
    """Every chapter that has a table."""
    return tuple(chapter for chapter in _chapters(results) if chapter.tables)


def _chapters(results: Results) -> Iterator[Chapter]:
    yield Chapter("The study's tables, paper profile", study_tables(results, published_beside(results)))
    for profile in PROFILES:
        yield Chapter(
            f"Localisation, {profile} profile", metric_tables(results, "models", profile, wording.MAIN_METRICS)
        )
        yield Chapter(
            f"Change against the sentence as written, {profile} profile",
            metric_tables(results, "deltas", profile, wording.MAIN_METRICS),
        )
    yield Chapter("Models against each other", _known(comparisons.comparison_table(results)))
    yield Chapter("Left and right, opt-out", _known(facts.laterality_table(results), facts.opt_out_table(results)))
    yield Chapter("Failures and what was left out", _known(*facts.missing_tables(results)))


def _known(*tables: Table | None) -> tuple[Table, ...]:
    return tuple(table for table in tables if table is not None)


def named_tables(chapters_: Iterable[Chapter]) -> Iterator[tuple[str, Table]]:
    """Each table with a name for its file, e.g. ``01-study-localisation``: sorted by name they keep their order."""
    tables = (table for chapter in chapters_ for table in chapter.tables)
    for place, table in enumerate(tables, start=1):
        yield f"{place:02d}-{table.slug}", table
