"""Builds `summary.json`: every mean, delta and control of a run, by model, perturbation, subset, profile and metric."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.dataset.base import Dataset
from harness.perturbation.base import UNPERTURBED
from harness.progress import Progress
from harness.ratings import Ratings
from harness.results import SCHEMA_VERSION
from harness.runconfig import RunConfig
from harness.statistics import FEW_PATIENTS
from harness.subsets import ordered
from harness.summary.cases import CaseTable, answered, count_values
from harness.summary.comparisons import comparison_section
from harness.summary.control_sections import control_sections
from harness.summary.decisions import opt_out_tree
from harness.summary.estimates import Statistician, Tree, adjust
from harness.summary.evidence import SWAP, Evidence
from harness.summary.human import rating_section


def build_summary(
    config: RunConfig,
    dataset: Dataset,
    cases: CaseTable,
    parts: Sequence[Path],
    ratings: Ratings | None = None,
    progress: Progress | None = None,
) -> Tree:
    """The whole summary of a run; the same rows and seed give the same tree. `progress` is told of every arm's means
    and deltas and differences between two models, and of every model's controls."""
    told = progress or Progress()
    told.expect(_steps(len(config.models), len(config.perturbations)), unit="step")
    evidence = Evidence(
        cases=cases,
        models=config.models,
        perturbations=config.perturbations,
        subsets=ordered(config.subsets, cases.subsets),
        profiles=config.profiles,
        statistics=Statistician(config.resamples, config.seed),
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "name": config.name,
        "dataset": _dataset(dataset, cases),
        "seed": config.seed,
        "resamples": config.resamples,
        "models": {model: _means(evidence, model, told) for model in config.models},
        "deltas": adjust({model: _deltas(evidence, model, told) for model in config.models}),
        "laterality": {model: _laterality(evidence, model) for model in config.models},
        "opt_out": {model: opt_out_tree(cases, model, evidence.statistics) for model in config.models},
        "comparisons": comparison_section(evidence, told),
        "failures": count_values(cases, "failed", "error_code"),
        "not_applicable": count_values(cases, "not_applicable", "reason"),
        "warnings": _warnings(cases, evidence.subsets, ratings),
        **({"ratings": rating_section(evidence, ratings)} if ratings is not None else {}),
        **control_sections(evidence, parts, told),
    }


def _steps(models: int, perturbations: int) -> int:
    """Means and deltas of each model, differences of each pair, and each model's controls and what it has over them."""
    pairs = models * (models - 1) // 2
    return perturbations * (2 * models + pairs) + 2 * models


def _dataset(dataset: Dataset, cases: CaseTable) -> Tree:
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "images": len(set(cases.values("image_id"))),
        "patients": len(set(cases.patients)),
        "sentences": len(set(cases.sentence_ids)),
    }


def _warnings(cases: CaseTable, subsets: Sequence[str], ratings: Ratings | None) -> list[str]:
    warnings = []
    patients = len(set(cases.patients))
    if patients < FEW_PATIENTS:
        warnings.append(f"{patients} patients, fewer than {FEW_PATIENTS}: take every interval with caution")
    empty = [subset for subset in subsets if subset not in cases.subsets]
    if empty:
        warnings.append(f"no sentence belongs to {', '.join(empty)}: left out")
    if ratings is not None and ratings.findings.left_out:
        left_out = ", ".join(f"{count} × {kind}" for kind, count in sorted(ratings.findings.left_out.items()))
        warnings.append(f"of {ratings.rows} rows of ratings some were left out: {left_out}")
    return warnings


def _means(evidence: Evidence, model: str, told: Progress) -> Tree:
    """perturbation → subset → profile → metric."""
    return {
        perturbation: {
            subset: evidence.statistics.means(evidence.columns(rows), evidence.patients(rows))
            for subset, rows in evidence.groups(model, perturbation)
        }
        for perturbation in told.each(evidence.perturbations)
    }


def _deltas(evidence: Evidence, model: str, told: Progress) -> Tree:
    """As `_means`: each perturbation less the arm that it is compared with, on the sentences with a value in both."""
    return {
        perturbation: {
            subset: evidence.statistics.deltas(
                evidence.columns(rows),
                evidence.columns(evidence.baseline(model, perturbation, rows)),
                evidence.patients(rows),
            )
            for subset, rows in evidence.groups(model, perturbation)
        }
        for perturbation in told.each(evidence.perturbations)
        if perturbation != UNPERTURBED
    }


def _laterality(evidence: Evidence, model: str) -> Tree:
    """The Laterality Response Index: how much of the preference for the named side goes when the other is named."""
    if "exact" not in evidence.profiles:
        return {}
    statistics = evidence.statistics
    rows = answered(evidence.cases, model, SWAP)
    own = evidence.columns(evidence.baseline(model, SWAP, rows))["exact_preference"]
    swapped = evidence.columns(rows)["exact_preference"]
    missing = np.isnan(own - swapped)
    tree = {
        "lri": statistics.delta(own, swapped, evidence.patients(rows)),
        "preference": statistics.mean(np.where(missing, np.nan, own), evidence.patients(rows)),
        "preference_swapped": statistics.mean(np.where(missing, np.nan, swapped), evidence.patients(rows)),
    }
    mirrored = answered(evidence.cases, model, "mirror_both")
    consistency = evidence.columns(mirrored)["exact_mirror_consistency"]
    tree["mirror_consistency"] = statistics.mean(consistency, evidence.patients(mirrored))
    return {name: estimate for name, estimate in tree.items() if estimate["n"]}
