"""The tables of arXiv 2210.06565 in its order, for any run; the published values beside them where the data is its own.

`published` reads the values and decides when they may be shown; `tables`, `changes` and `human` make them.
"""

from harness.report.study.published import Published, published_beside
from harness.report.study.tables import study_tables

__all__ = ["Published", "published_beside", "study_tables"]
