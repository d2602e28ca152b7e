"""The report of a run: `results/<run>/` in, one self-contained `report.html` (and `tables.md`) out; tables as files."""

from harness.report.export import write_page, write_tables
from harness.report.reader import ResultsError
from harness.report.render import render

__all__ = ["ResultsError", "render", "write_page", "write_tables"]
