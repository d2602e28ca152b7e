"""What the keys of a summary are called, in the order in which a reader meets them. Unknown keys keep their name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    "none": Term("as written", "The sentence of the report, unchanged."),
    "swap_left_right": Term("left ↔ right swapped", "Every left becomes right and every right becomes left."),
    "shuffle_in_report": Term("shuffled in report", "Boxes are exchanged among the sentences of one image."),
    "random_sentences": Term("random sentence", "The text comes from another patient's report; the boxes stay."),
    "random_bboxes": Term("random boxes", "The boxes come from another patient's image; the text stays."),
    "synthetic_sentences": Term("synthetic sentence", "The text is written anew from the annotations."),
    "synthetic_swapped_conditions": Term(
        "synthetic, other condition", "As synthetic, with other conditions; compared with the synthetic sentence."
    ),
    "mirror_image": Term("image mirrored", "The image is flipped left to right; the text stays."),
    "mirror_both": Term("image and text mirrored", "The image is flipped and the sentence swapped with it."),
}

SUBSETS: Mapping[str, Term] = {
    "all": Term("all sentences", "Every sentence with boxes."),
    "abnormal": Term("abnormal sentences", "Sentences that state an abnormal finding."),
    "one_lung": Term("one-lung sentences", "Sentences whose boxes name exactly one of the left and the right lung."),
    "most_diverse_report_bboxes": Term(
        "most diverse reports", "The tenth of the sentences whose report's boxes overlap the least."
    ),
}

CONTROLS: Mapping[str, Term] = {
    "oracle": Term("oracle (ceiling)", "The label itself, drawn on the model's grid: no map can do better."),
    "text_blind": Term("text-blind", "The model's mean map over all sentences of the image: it cannot read."),
    "image_blind": Term("image-blind", "The model's mean map of the same wording over other images: it cannot see."),
    "centre_prior": Term("centre prior", "The mean box position over other patients: it neither reads nor sees."),
    "uniform": Term("uniform", "The same weight everywhere."),
}

METRICS: tuple[Metric, ...] = (
    Metric("auroc", "AUROC", "area under the ROC curve of the map against the boxes"),
    Metric("avg_precision", "AP", "average precision"),
    Metric("precision_at_5", "Prec. 5 %", "precision among the highest 5 % of the area"),
    Metric("precision_at_10", "Prec. 10 %", "precision among the highest 10 % of the area"),
    Metric("precision_at_30", "Prec. 30 %", "precision among the highest 30 % of the area"),
    Metric("iou_at_5", "IoU 5 %", "intersection over union of the highest 5 % of the area"),
    Metric("iou_at_10", "IoU 10 %", "intersection over union of the highest 10 % of the area"),
    Metric("iou_at_30", "IoU 30 %", "intersection over union of the highest 30 % of the area"),
    Metric("pointing", "Pointing", "how far the highest cell lies in the boxes"),
    Metric("mass_in_box", "Mass in box", "share of the attention that lies in the boxes"),
    Metric("entropy", "Entropy", "entropy of the attention in nats; higher is flatter"),
    Metric("opt_out_mass", "Opt-out", "share of the attention withheld from the image", digits=4),
)
BY_KEY: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}

FAVOURED_SUBSET: Mapping[str, str] = {"swap_left_right": "one_lung", "shuffle_in_report": "most_diverse_report_bboxes"}
"""Where the study reads a perturbation (arXiv 2210.06565, its headline figure); `abnormal` for the others."""


def term(terms: Mapping[str, Term], key: str) -> Term:
    """The term of `key`; for an unknown key, the key itself in words."""
    return terms.get(key) or Term(key.replace("_", " "), "")


def metric(key: str) -> Metric:
    """The metric of `key`; for an unknown key, the key itself in words."""
    return BY_KEY.get(key) or Metric(key, key.replace("_", " "), "")


def in_order(terms: Mapping[str, object], keys: Iterable[str]) -> tuple[str, ...]:
    """`keys` in the order of `terms`; those unknown to it follow by name."""
    rank = {key: place for place, key in enumerate(terms)}
    return tuple(sorted(set(keys), key=lambda key: (rank.get(key, len(rank)), key)))


def favoured_subset(perturbation: str, available: Iterable[str]) -> str:
    """The subset on which `perturbation` is read first; `all` where the run lacks it."""
    wanted = FAVOURED_SUBSET.get(perturbation, "abnormal")
    return wanted if wanted in set(available) else "all"
