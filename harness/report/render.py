"""Write `report.html`: one file, nothing fetched, nothing executed; what others wrote is shown as text and no more."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report import wording
from harness.report.markdown import tables_markdown
from harness.report.numbers import number, thousands
from harness.report.page import Page, make_page
from harness.report.reader import Results, read_results

REPORT = "report.html"
TABLES = "tables.md"
COLOURS = 6
SHAPES = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "M-4.5-4.5h9v9h-9z",
    "M0-6.5 6.5 0 0 6.5-6.5 0z",
    "M0-6 5.8 4.6h-11.6z",
    "M0 6-5.8-4.6h11.6z",
)
"""Circle, square, diamond and two triangles around the origin: series differ by shape as well as by colour."""


def render(results_dir: Path) -> Path:
    """Write `report.html` and `tables.md` into a results directory and return the path of the report.

    Raises:
        ResultsError: the directory lacks `manifest.json` or `summary.json`, or a file is not what it should be.
    """
    results = read_results(results_dir)
    _write(results_dir / TABLES, tables_markdown(results))
    _write(results_dir / REPORT, render_html(results))
    return results_dir / REPORT


def render_html(results: Results) -> str:
    """The page as text. Same results, same bytes."""
    environment = _environment()
    return environment.get_template("report.html.j2").render(
        page=make_page(results),
        policy=content_policy(environment.get_template("style.css").render()),
        controls=wording.CONTROLS,
    )


def content_policy(style: str) -> str:
    """The Content-Security-Policy: this style sheet and pictures inside the file; no script, frame, form or fetch."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, thousands=thousands, colour=_colour, shape=_shape, slug=_slug)
    return environment


def _colour(series: int) -> str:
    return "plain" if series < 0 else f"c{series % COLOURS}"


def _shape(series: int) -> str:
    return SHAPES[0] if series < 0 else SHAPES[series % len(SHAPES)]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _write(path: Path, text: str) -> None:
    """Lone surrogates, which JSON can carry and UTF-8 cannot, become question marks."""
    path.write_bytes(text.encode("utf-8", errors="replace"))


__all__ = ["Page", "content_policy", "render", "render_html"]
