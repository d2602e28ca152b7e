"""What people say of the maps, and which metrics agree with them: the section `ratings`.

ratings    ``<model>.<question>.<profile>.<metric>``: Pearson's correlation of the rating with the metric, map by map;
           ``<model>.<question>.rating.mean``: the mean rating itself
"""

import numpy as np
import numpy.typing as npt

from harness.perturbation.base import UNPERTURBED
from harness.ratings import QUESTIONS, Ratings
from harness.summary.cases import Index, answered
from harness.summary.estimates import Columns, Tree
from harness.summary.evidence import Evidence

RANDOM = "random_sentences"
AGAINST_RANDOM = ("kl", "match_local", "match_global")
"""Metrics of a sentence that compare it with a random one: they stand in the row of the random sentence."""


def rating_section(evidence: Evidence, ratings: Ratings) -> Tree:
    """model → question → profile → metric → estimate; models and questions without a rated map are left out."""
    tree: Tree = {}
    for model in evidence.models:
        rows = answered(evidence.cases, model, UNPERTURBED)
        for question in QUESTIONS:
            of_maps = ratings.of.get((model, question), {})
            sentences = evidence.cases.sentence_ids[rows]
            rated = rows[np.array([sentence in of_maps for sentence in sentences], dtype=bool)]
            if len(rated):
                values = np.array([of_maps[sentence] for sentence in evidence.cases.sentence_ids[rated]])
                tree.setdefault(model, {})[question] = _question(evidence, model, rated, values)
    return tree


def _question(evidence: Evidence, model: str, rows: Index, values: npt.NDArray[np.float64]) -> Tree:
    patients = evidence.patients(rows)
    columns = {**evidence.columns(rows), **_against_random(evidence, model, rows)}
    return {
        "rating": {"mean": evidence.statistics.mean(values, patients)},
        **evidence.statistics.correlations(columns, values, patients),
    }


def _against_random(evidence: Evidence, model: str, rows: Index) -> Columns:
    """The metrics of the same sentences against random ones; NaN where that was not answered."""
    random = answered(evidence.cases, model, RANDOM)
    of_sentence = dict(zip(evidence.cases.sentence_ids[random], random, strict=True))
    there = np.array([of_sentence.get(s, -1) for s in evidence.cases.sentence_ids[rows]], dtype=np.intp)
    columns = evidence.columns(there)
    return {name: values for name, values in columns.items() if name.partition("_")[2] in AGAINST_RANDOM}
