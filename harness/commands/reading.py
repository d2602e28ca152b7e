"""The commands that read: what was run, and data sets."""

import argparse
import sys
from pathlib import Path

from harness import report
from harness.commands.judging import passes
from harness.compare import compare
from harness.dataset.catalogue import parse_dataset, read_dataset
from harness.dataset.export.catalogue import export
from harness.finished import FinishedRun
from harness.gate.options import read_gate_options
from harness.report import seeds
from harness.report.reader import read_results
from harness.results import write_bytes
from harness.runconfig import load_run_config
from harness.validation import validate_dataset, validate_run


def report_again(options: argparse.Namespace) -> int:
    """`harness report`. Exit status: as `harness.cli.main`."""
    print(report.render(options.directory))
    if options.tables:
        count = report.write_tables(options.directory, options.tables)
        print(f"{options.tables}: {count} tables as Markdown and LaTeX")
    if options.page:
        report.write_page(options.directory, options.page)
        print(options.page)
    return 0


def compare_runs(options: argparse.Namespace) -> int:
    """`harness compare`. Exit status: as `harness.cli.main`."""
    a, b = FinishedRun(options.a), FinishedRun(options.b)
    gate = read_gate_options(options, results=options.b, pinned=a)
    print(compare(a, b))
    return 0 if passes(gate, b) else 1


def judge_run(options: argparse.Namespace) -> int:
    """`harness gate`. Exit status: as `harness.cli.main`."""
    gate = read_gate_options(options, results=options.directory)
    return 0 if passes(gate, FinishedRun(options.directory)) else 1


def compare_seeds(options: argparse.Namespace) -> int:
    """`harness seeds`. Exit status: as `harness.cli.main`; 1 where models of a recipe lie too far apart."""
    runs = [read_results(directory) for directory in options.results]
    print("\n".join(map(seeds.table, runs)))
    if options.page:
        before = options.page.read_text("utf-8") if options.page.exists() else ""
        write_bytes(options.page, seeds.page(runs, before).encode())
    faults = [line for run in runs for line in seeds.too_far(run, options.within)]
    print("".join(f"{line}\n" for line in faults), end="", file=sys.stderr)
    return 1 if faults else 0


def validate(options: argparse.Namespace) -> int:
    """`harness validate`. Exit status: as `harness.cli.main`."""
    name: str = options.dataset
    if name.endswith((".yaml", ".yml")):
        lines, whole = validate_run(load_run_config(Path(name)))
    else:
        lines, whole = validate_dataset(read_dataset(parse_dataset(name)))
    print("\n".join(lines))
    return 0 if whole else 1


def export_phantoms(options: argparse.Namespace) -> int:
    """`harness export`. Exit status: as `harness.cli.main`."""
    written = export(options.layout, options.directory, patients=options.patients, seed=options.seed)
    print(
        "\n".join([f"wrote {options.directory}; look at it with", *(f"  harness validate {name}" for name in written)])
    )
    return 0
