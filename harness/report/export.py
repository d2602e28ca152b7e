"""The tables of a finished run as files of their own, for papers and pages."""

from pathlib import Path

from harness.report.chapters import chapters, named_tables
from harness.report.latex import PREAMBLE, table_to_latex
from harness.report.markdown import page_markdown, table_to_markdown
from harness.report.reader import read_results
from harness.results import write_bytes


def write_tables(results_dir: Path, folder: Path) -> int:
    """Write every table as ``NN-name.md`` and ``NN-name.tex``, and ``all.tex``, a document that holds them all.
    Returns how many tables.

    Files of an earlier run in `folder` that have another name stay.

    Raises:
        ResultsError: the run cannot be read.
    """
    named = dict(named_tables(chapters(read_results(results_dir))))
    for name, table in named.items():
        _write(folder / f"{name}.md", table_to_markdown(table))
        _write(folder / f"{name}.tex", table_to_latex(table))
    inputs = "\n".join(f"\\input{{{name}}}\n\\clearpage" for name in named)
    _write(folder / "all.tex", f"{PREAMBLE}\\begin{{document}}\n{inputs}\n\\end{{document}}\n")
    return len(named)


def write_page(results_dir: Path, file: Path) -> None:
    """Write one Markdown page with the answers, every table and where the numbers come from.

    Raises:
        ResultsError: the run cannot be read.
    """
    _write(file, page_markdown(read_results(results_dir)))


def _write(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8", errors="replace"))
