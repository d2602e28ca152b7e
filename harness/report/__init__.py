"""The report of a run: `results/<run>/` in, one self-contained `report.html` (and `tables.md`) out."""

from harness.report.reader import ResultsError
from harness.report.render import render

__all__ = ["ResultsError", "render"]
