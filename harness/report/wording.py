"""What the keys of a summary are called, in the order in which a reader meets them. Unknown keys keep their name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.metrics import registered
from harness.perturbation import registered as perturbations
from harness.perturbation.catalogue import BUILTIN as PERTURBATIONS_THAT_SHIP
from harness.subsets.strata import FAMILIES, Family

PRIMARY_METRIC = "auroc"
DEFAULT_PROFILE = "exact"
BASELINE = "none"


@dataclass(frozen=True, slots=True)
class Term:
    """A name for people and one sentence that explains it."""

    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is shown. Its definition is in `docs/metrics.md`."""

    key: str
    label: str
    meaning: str
    digits: int = 3


PERTURBATIONS: Mapping[str, Term] = {
    declared.name: Term(declared.label, declared.description) for declared in PERTURBATIONS_THAT_SHIP
}


def _strata(family: Family) -> dict[str, Term]:
    """The subset of each value of a family, in the family's order."""
    name = family.name.replace("_", " ")
    return {
        f"{family.name}={value}": Term(f"{name}: {meaning}", f"By {family.meaning}.")
        for value, meaning in family.values.items()
    }


SUBSETS: Mapping[str, Term] = {
    "all": Term("all sentences", "Every sentence with boxes."),
    "abnormal": Term("abnormal sentences", "Sentences that state an abnormal finding."),
    "one_lung": Term("one-lung sentences", "Sentences whose boxes name exactly one of the left and the right lung."),
    "both_sides": Term("sentences that name both sides", "Swapped too, but counted on their own."),
    "most_diverse_report_bboxes": Term(
        "most diverse reports", "The tenth of the sentences whose report's boxes overlap the least."
    ),
    **{key: term for family in FAMILIES for key, term in _strata(family).items()},
}

CONTROLS: Mapping[str, Term] = {
    "oracle": Term("oracle", "The label itself on the model's grid: the ceiling of AUROC, AP and the metrics at k %."),
    "text_blind": Term(
        "text-blind", "The model's mean map over all sentences of the image, this one among them: it tells none apart."
    ),
    "image_blind": Term(
        "image-blind", "The model's mean map of the same wording on other patients' images: it cannot see."
    ),
    "image_blind_same_meaning": Term(
        "image-blind, same meaning",
        "The model's mean map of all sentences on other patients' images that state the same of the same regions and "
        "name the same sides, however they are worded: it cannot see.",
    ),
    "centre_prior": Term("centre prior", "The mean box position over other patients: it neither reads nor sees."),
    "uniform": Term("uniform", "The same weight everywhere."),
}

OPT_OUT: Mapping[str, Term] = {
    "own_present": Term("own sentences that state a finding", "The model should answer them."),
    "own_negated": Term("own sentences that deny a finding", "True of the image, but with nothing to show."),
    "random_false": Term("foreign sentences that are false here", "The model should withhold its attention."),
    "auroc": Term("opt-out mass", "All sentences of both kinds."),
    "auroc_length_matched": Term("opt-out mass, sentences of equal length", "Length itself says nothing here."),
    "auroc_of_word_count": Term("number of words alone", "What length by itself would reach."),
    "auroc_of_negated": Term(
        "opt-out mass, own denials against own findings", "There is nothing to show for what the report denies."
    ),
}

MAIN_METRICS = (
    *("auroc", "avg_precision", "precision_at_5", "precision_at_10", "precision_at_30"),
    *("iou_at_5", "iou_at_10", "iou_at_30", "pointing", "mass_in_box", "entropy", "opt_out_mass"),
)
"""The columns of the first tables; whatever else a run measured follows in tables of its own."""

_SHORT = {
    "auroc": "AUROC",
    "avg_precision": "AP",
    "f1": "F1",
    "iou": "IoU",
    "precision": "Prec.",
    "recall": "Recall",
    "pointing": "Pointing",
    "mass_in_box": "Mass in box",
    "entropy": "Entropy",
    "opt_out_mass": "Opt-out",
    "soft_iou": "Soft IoU",
    "mean_iou": "Mean IoU",
    "cnr": "CNR",
    "cnr_abs": "|CNR|",
    "tied_area": "Tied area",
    "lost": "Lost",
    "kl": "KL",
    "match_local": "Match, local",
    "match_global": "Match, global",
    "preference": "Side preference",
    "mirror_consistency": "Mirror consistency",
}
BETWEEN_ARMS = {
    "kl": "Symmetric Kullback-Leibler divergence from the map of the sentence as written, in nats.",
    "match_local": "1 where the sentence as written has the higher local similarity to the image, else 0.",
    "match_global": "1 where the sentence as written has the higher global similarity to the image, else 0.",
    "preference": "Share of the sentence's own side in the attention on both sides.",
    "mirror_consistency": "Correlation with the mirrored map of the sentence as written.",
}
_DIRECTION = {"higher": " Higher is better.", "lower": " Lower is better.", "none": ""}
_AT_PERCENT = re.compile(r"(\w+)_at_(\d+)")

FAVOURED_SUBSET: Mapping[str, str] = {
    "swap_left_right": "one_lung",
    "swap_left_right_paper": "one_lung",
    "shuffle_in_report": "most_diverse_report_bboxes",
}
"""Where the study reads a perturbation (arXiv 2210.06565, its headline figure); `abnormal` for the others."""


def term(terms: Mapping[str, Term], key: str) -> Term:
    """The term of `key`; for an unknown key that of a user's own perturbation, or the key itself in words."""
    own = perturbations().get(key) if terms is PERTURBATIONS else None
    return terms.get(key) or (Term(own.label, own.description) if own else Term(key.replace("_", " "), ""))


def sentence_case(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def metric(key: str) -> Metric:
    """How to show the metric `key`; one that nothing is known of goes by its key."""
    return Metric(key, _label(key), _meaning(key), digits=4 if key == "opt_out_mass" else 3)


def _label(key: str) -> str:
    match = _AT_PERCENT.fullmatch(key)
    if match and match[1] in _SHORT:
        return f"{_SHORT[match[1]]} {match[2]} %"
    return _SHORT.get(key, key.replace("_", " "))


def _meaning(key: str) -> str:
    declared = next((metric for metric in registered() if metric.name == key), None)
    return f"{declared.description}{_DIRECTION[declared.direction]}" if declared else BETWEEN_ARMS.get(key, "")


def has_ceiling(key: str) -> bool:
    """Whether no map on the grid can score above the oracle."""
    return key in ("auroc", "avg_precision") or _AT_PERCENT.fullmatch(key) is not None


def further_metrics(keys: Iterable[str]) -> tuple[str, ...]:
    """Those of `keys` that are not among the main ones, in the order in which they were declared."""
    order = {metric.name: None for metric in registered()} | dict.fromkeys(BETWEEN_ARMS)
    return tuple(key for key in in_order(order, keys) if key not in MAIN_METRICS)


def in_order(terms: Mapping[str, object], keys: Iterable[str]) -> tuple[str, ...]:
    """`keys` in the order of `terms`; those unknown to it follow by name."""
    rank = {key: place for place, key in enumerate(terms)}
    return tuple(sorted(set(keys), key=lambda key: (rank.get(key, len(rank)), key)))


def favoured_subset(perturbation: str, available: Iterable[str]) -> str:
    """The subset on which `perturbation` is read first; `all` where the run lacks it."""
    wanted = FAVOURED_SUBSET.get(perturbation, "abnormal")
    return wanted if wanted in set(available) else "all"
