"""The opt-out mass as a decision: is attention withheld from sentences that are false for the image?

Positives are the random sentences that state something false of the image, negatives the image's own sentences that
state something present; own negated sentences are a class of their own. A statement (region, label, present) is false
of an image whose own report does not make it; a statement of absence is false where the report states the presence, and
"normal" states the absence of "abnormal".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.case import ImageRecord, Sentence, Triple
from harness.dataset.base import Dataset
from harness.optout import decision_auroc, length_matched, risk_coverage_area
from harness.summary.cases import CaseTable, Index, answered
from harness.summary.estimates import Statistician, Tree

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statements:
    """What every sentence states, and what every image's report states as a whole."""

    of_sentence: dict[str, Sentence]
    of_image: dict[str, frozenset[Triple]]

    @classmethod
    def read(cls, dataset: Dataset) -> "Statements":
        """One pass over the records; no image is loaded."""
        records = list(dataset)
        return cls(
            {sentence.sentence_id: sentence for record in records for sentence in record.sentences},
            {record.image_id: _stated(record) for record in records},
        )

    def false_of(self, sentence_id: str, image_id: str) -> bool:
        """Whether the sentence states anything that is false of the image."""
        known = self.of_image[image_id]
        return any(_is_false(triple, known) for triple in self.of_sentence[sentence_id].triples)

    def class_of(self, sentence_id: str) -> str:
        """`own_present` if the sentence states that something is there, `own_negated` if it only states that something
        is not, empty if it states nothing that is known."""
        contexts = {triple.context for triple in self.of_sentence[sentence_id].triples}
        return "own_present" if True in contexts else "own_negated" if contexts else ""


def _stated(record: ImageRecord) -> frozenset[Triple]:
    return frozenset(triple for sentence in record.sentences for triple in sentence.triples)


def _is_false(triple: Triple, known: frozenset[Triple]) -> bool:
    if triple.label == "normal":  # says that there is no abnormality
        triple = Triple(triple.region, "abnormal", not triple.context)
    if triple.context:
        return triple not in known
    return Triple(triple.region, triple.label, True) in known


def opt_out_tree(cases: CaseTable, statements: Statements, model: str, statistics: Statistician) -> Tree:
    """The figures of one model; empty for a model that never withholds attention, or without random sentences."""
    own, random = answered(cases, model, "none"), answered(cases, model, "random_sentences")
    mass = cases.numbers("opt_out")
    if not len(random) or not mass[own].sum() > 0:
        return {}
    kinds = np.array([statements.class_of(s) for s in cases.values("sentence_id", own)], dtype=object)
    donors = zip(cases.values("donor_id", random), cases.values("image_id", random), strict=True)
    false = np.array([statements.false_of(donor, image) for donor, image in donors], dtype=bool)
    classes = {kind: own[kinds == kind] for kind in ("own_present", "own_negated")} | {"random_false": random[false]}
    return {
        "mass": {
            name: statistics.mean(mass[rows], list(cases.patients[rows])) for name, rows in classes.items() if len(rows)
        },
        **_decision(cases, mass, classes["own_present"], classes["random_false"], statistics),
    }


def _decision(cases: CaseTable, mass: Array, own: Index, random: Index, statistics: Statistician) -> Tree:
    rows = np.concatenate([own, random])
    positive = np.arange(len(rows)) >= len(own)
    words, patients = cases.numbers("words", rows), list(cases.patients[rows])
    matched = length_matched(words, positive, seed=statistics.seed)

    def auroc(values: Array) -> Tree:
        return statistics.statistic(decision_auroc(values, positive), ~np.isnan(values), patients)

    figures = {
        "auroc": auroc(mass[rows]),
        "auroc_length_matched": auroc(np.where(matched, mass[rows], np.nan)),
        "auroc_of_word_count": auroc(words),
    }
    if "exact_pointing" in cases.table.column_names:
        risk = np.where(positive, 1.0, 1.0 - cases.numbers("exact_pointing", rows))
        figures["risk_coverage"] = _risk_coverage(mass[rows], risk, patients, statistics)
    return figures


def _risk_coverage(mass: Array, risk: Array, patients: list[str], statistics: Statistician) -> Tree:
    """The area, and what it would be in random order (the mean risk) and in ascending order of the risk itself."""
    counted = ~np.isnan(risk)
    return {
        "area": statistics.statistic(risk_coverage_area(mass, risk), counted, patients),
        "area_in_random_order": statistics.mean(risk, patients),
        "area_in_ideal_order": statistics.statistic(risk_coverage_area(risk, risk), counted, patients),
    }
