"""The run's main result as text, for the terminal."""

from collections.abc import Iterator
from math import isnan

from harness.statistics import FEW_PATIENTS
from harness.summary.estimates import Tree
from harness.text import aligned

TITLES = {"auroc": "AUROC", "pointing": "pointing"}
"""What is printed: whether a map covers the boxes, and whether it is highest inside them."""

FEW = "*"
"""Marks what is from few patients."""


def result_table(summary: Tree, profile: str = "exact") -> str:
    """For each of the two metrics model × perturbation × subset, then the controls; then the models against each other,
    and the Laterality Response Index; in aligned columns."""
    blocks = [_block(summary, profile, metric) for metric in TITLES]
    blocks += [_comparisons(summary, profile), _ratings(summary, profile)]
    laterality = list(_laterality(summary))
    closing = [*laterality, *_notes(summary)]
    if any(FEW in line for lines in (*blocks, laterality) for line in lines):
        closing.append(f"{FEW} from fewer than {FEW_PATIENTS} patients: the interval is too narrow")
    return "\n\n".join(["\n".join(lines) for lines in (*blocks, closing) if lines]) + "\n"


def _block(summary: Tree, profile: str, metric: str) -> list[str]:
    """Empty if no model has the metric."""
    heads = ("model", "sentence", "subset", f"{TITLES[metric]} [95 %]", "change [95 %]", "n")
    arms = list(_arms(summary, profile, metric))
    return aligned([heads, *arms, *_controls(summary, profile, metric)]) if arms or metric == "auroc" else []


def _arms(summary: Tree, profile: str, metric: str) -> Iterator[tuple[str, ...]]:
    for model, perturbations in summary["models"].items():
        for perturbation, subsets in perturbations.items():
            for subset, profiles in subsets.items():
                node = profiles.get(profile, {}).get(metric)
                if node is None:
                    continue
                delta = _dig(summary, "deltas", model, perturbation, subset, profile, metric)
                yield model, perturbation, subset, number(node), number(delta, signed=True), str(node["n"])


def _controls(summary: Tree, profile: str, metric: str) -> Iterator[tuple[str, ...]]:
    for control, node in summary["controls"].items():
        owned = {model: node[model] for model in summary["models"] if model in node}
        for model, subsets in (owned or {"": node}).items():
            found = _dig(subsets, "all", profile, metric)
            if found is not None:
                yield model or "(no model)", control, "all", number(found), "", str(found["n"])


def _comparisons(summary: Tree, profile: str) -> list[str]:
    """The models of a run against each other, as written; empty for a run of one model."""
    heads = ("model", "less", "subset", "figure", "difference [95 %]", "q", "n")
    rows = [
        (model, reference, subset, title, number(node, signed=True), chance(node), str(node["n"]))
        for model, references in summary.get("comparisons", {}).items()
        for reference, sections in references.items()
        for subset, title, node in _compared(sections, profile)
    ]
    return aligned([heads, *rows]) if rows else []


def _compared(sections: Tree, profile: str) -> Iterator[tuple[str, str, Tree]]:
    for subset, profiles in sections.get("metrics", {}).get("none", {}).items():
        for metric, title in TITLES.items():
            if (node := _dig(profiles, profile, metric)) is not None:
                yield subset, title, node
    for title, path in (("LRI", ("laterality", "lri")), ("opt-out AUROC", ("opt_out", "auroc"))):
        if (node := _dig(sections, *path)) is not None:
            yield "", title, node


def chance(node: Tree) -> str:
    """An estimate's q; empty where it is not one of a family of tests."""
    return f"{node['q']:.4f}" if "q" in node else ""


def _ratings(summary: Tree, profile: str) -> list[str]:
    """Human ratings of each model and their correlation with the two metrics; empty without ratings."""
    heads = ("model", "rated", "mean [95 %]", *(f"r with {title} [95 %]" for title in TITLES.values()), "n")
    rows = [
        (
            model,
            question,
            number(node["rating"]["mean"]),
            *(number(_dig(node, profile, metric), signed=True) for metric in TITLES),
            str(node["rating"]["mean"]["n"]),
        )
        for model, questions in summary.get("ratings", {}).items()
        for question, node in questions.items()
    ]
    return aligned([heads, *rows]) if rows else []


def _laterality(summary: Tree) -> Iterator[str]:
    for model, node in summary["laterality"].items():
        if "lri" in node:
            yield f"Laterality Response Index  {model}  {number(node['lri'], signed=True)}  n={node['lri']['n']}"


def _notes(summary: Tree) -> Iterator[str]:
    for model, perturbations in summary["failures"].items():
        for perturbation, counts in perturbations.items():
            for code, count in counts.items():
                yield f"failed  {model}  {perturbation}  {count} × {code}"
    yield from summary["warnings"]


def number(node: Tree | None, *, signed: bool = False) -> str:
    """``0.731 [0.702, 0.759]``, marked if it is from few patients; empty for nothing."""
    if node is None or node["mean"] is None or isnan(node["mean"]):
        return ""
    sign = "+" if signed else ""
    low, high = node["ci95"]
    mark = FEW if node["patients"] < FEW_PATIENTS else ""
    return f"{node['mean']:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]{mark}"


def _dig(node: Tree, *keys: str) -> Tree | None:
    for key in keys:
        if key not in node:
            return None
        node = node[key]
    return node
