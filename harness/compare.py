"""What changed from one run to another: differences of the same sentence under the same model and perturbation."""

from collections.abc import Iterator
from typing import Any

from harness.finished import FinishedRun
from harness.summary.cases import count_values
from harness.summary.changes import Change, Changes
from harness.summary.estimates import Statistician
from harness.summary.pairing import Pairing, Side
from harness.text import aligned

SHOWN = ("exact_auroc", "exact_pointing", "exact_iou_at_10")
HEADS = ("model", "sentence", "subset", "metric", "before", "after", "change [95 %]", "p", "n")


def compare(a: FinishedRun, b: FinishedRun) -> str:
    """The comparison as text: metrics, Laterality Response Index, opt-out decision, failures."""
    rows = [row for model in _in_both(a, b, "model") for row in _rows(a, b, model)]
    return "\n".join([*_sources(a, b), *aligned([HEADS, *rows]), "", *_failed(a, b)]).rstrip()


def _sources(a: FinishedRun, b: FinishedRun) -> Iterator[str]:
    """Which weights are compared, and a word if the data sets are not the same."""
    before, after = a.manifest, b.manifest
    for model, node in after["models"].items():
        if model in before["models"]:
            yield f"{model}: weights {_weights(before['models'][model])} → {_weights(node)}"
    if before["dataset"]["digest"] != after["dataset"]["digest"]:
        yield "the data sets differ: only sentences with the same ids, text, image and boxes are compared"
    yield ""


def _weights(node: dict[str, Any]) -> str:
    return f"{node['version']} ({node['weights_digest'][:12]})"


def _in_both(a: FinishedRun, b: FinishedRun, column: str) -> list[str]:
    """Values of a text column that both runs have, in the order of B."""
    known = set(a.cases.values(column))
    return [value for value in dict.fromkeys(b.cases.values(column)) if value in known]


def _rows(a: FinishedRun, b: FinishedRun, model: str) -> Iterator[tuple[str, ...]]:
    statistics = Statistician(b.summary["resamples"], b.summary["seed"])
    changes = Changes(Pairing(Side(a.cases, model), Side(b.cases, model)), statistics)
    for perturbation in _in_both(a, b, "perturbation"):
        for subset in b.cases.subsets:
            for metric, change in changes.of_metrics(perturbation, subset, SHOWN).items():
                yield model, perturbation, subset, metric, *_cells(change)
    for change in changes.of_laterality().values():
        yield model, "", "", "Laterality Response Index", *_cells(change)
    for figure, change in changes.of_opt_out().items():
        yield model, "", "", f"opt-out {figure}", *_cells(change)


def _cells(change: Change) -> tuple[str, ...]:
    node = change.difference
    low, high = node["ci95"]
    interval = f"{node['mean']:+.4f} [{low:+.4f}, {high:+.4f}]"
    p = f"{node['p']:.4f}" if "p" in node else ""
    return f"{change.before:.4f}", f"{change.after:.4f}", interval, p, str(node["n"])


def _failed(a: FinishedRun, b: FinishedRun) -> Iterator[str]:
    """How many sentences failed in each run, by model, perturbation and error code."""
    before, after = (
        {
            (model, perturbation, code): count
            for model, arms in count_values(run.cases, "failed", "error_code").items()
            for perturbation, codes in arms.items()
            for code, count in codes.items()
        }
        for run in (a, b)
    )
    for key in dict.fromkeys([*before, *after]):
        yield f"failed  {'  '.join(key)}  {before.get(key, 0)} before, {after.get(key, 0)} after"
