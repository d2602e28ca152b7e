"""docs/metrics.md says of every metric what its declaration says."""

import math
import re
from pathlib import Path

from harness.metrics import BUILTIN, Metric
from harness.report.wording import BETWEEN_ARMS
from tests import repository

PAGE = repository.read(Path("docs/metrics.md"))
DIRECTIONS = {"higher": "higher", "lower": "lower", "none": "–"}


def row(metric: Metric) -> str:
    """The line of the table that a metric's declaration makes."""
    ends = [("∞" if math.isinf(end) else f"{end:g}") for end in (abs(metric.lowest), metric.highest)]
    span = f"{'−' if metric.lowest < 0 else ''}{ends[0]} … {ends[1]}"
    protocols = [metric.protocols[p].name if p in metric.protocols else "" for p in ("exact", "paper")]
    names = " | ".join(f"`{name}`" if name else "–" for name in protocols)
    direction = DIRECTIONS[metric.direction]
    return f"| `{metric.name}` | {metric.description} | {span} | {direction} | {metric.empty_label} | {names} |"


def test_the_table_is_what_the_metrics_declare() -> None:
    heading = "| metric | meaning | range | better | empty label | exact | paper |"
    lines = PAGE.splitlines()
    start = lines.index(heading) + 2
    table = lines[start : lines.index("", start)]
    assert table == [row(metric) for metric in BUILTIN]


def test_the_columns_that_compare_two_arms_are_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert set(BETWEEN_ARMS) <= explained
