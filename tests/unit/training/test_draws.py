"""Which sentence an image is paired with, and what the control is not told."""

from collections import Counter

import numpy as np
import pytest

from harness.case import Sentence, Triple
from training.draws import AbnormalSentences, OtherReports, OwnSentences, make_draw
from training.negatives import false_negatives, repeated_texts
from training.sentence_config import SentencesConfig
from training.studies import Study
from wronglung.model.errors import ModelFilesError

EFFUSION = Triple("left costophrenic angle", "pleural effusion", True)
ABNORMAL = Triple("left costophrenic angle", "abnormal", True)


def sentence(text: str, *triples: Triple) -> Sentence:
    return Sentence(text, text, (), triples)


def study(patient: str, *sentences: Sentence, facts: frozenset[Triple] = frozenset()) -> Study:
    return Study(patient, sentences, facts, (0, 0, 256, 256))


SICK = study(
    "sick", sentence("Effusion.", EFFUSION, ABNORMAL), sentence("Heart normal."), facts=frozenset({EFFUSION, ABNORMAL})
)
WELL = study("well", sentence("No effusion."))
SILENT = study("silent")
STUDIES = [SICK, WELL, SILENT, study("other", sentence("Clear."), sentence("Normal."))]


def drawn(draw: object, index: int, times: int = 400) -> Counter[str]:
    rng = np.random.default_rng(0)
    return Counter(draw(index, rng).text for _ in range(times))  # type: ignore[operator]


def test_own_sentences_are_drawn_from_the_report_by_the_abnormal_share() -> None:
    assert drawn(OwnSentences(STUDIES, 1.0), 0).keys() == {"Effusion."}
    assert drawn(OwnSentences(STUDIES, 0.0), 0)["Effusion."] == pytest.approx(200, abs=50)
    assert drawn(OwnSentences(STUDIES, 1.0), 1).keys() == {"No effusion."}


def test_abnormal_draws_nothing_else_and_leaves_out_who_has_none() -> None:
    draw = AbnormalSentences(STUDIES)
    assert [draw.takes(each) for each in STUDIES] == [True, False, False, False]
    assert drawn(draw, 0).keys() == {"Effusion."}


def test_the_control_draws_from_every_other_patient_alike_and_never_its_own() -> None:
    draw = OtherReports(STUDIES, OwnSentences(STUDIES, 0.0))
    found = drawn(draw, 0, times=1200)
    assert found.keys() == {"No effusion.", "Clear.", "Normal."}
    assert found["No effusion."] == pytest.approx(600, abs=80)  # by patient, not by sentence
    assert not draw.takes(SILENT)


def test_another_study_of_the_same_patient_is_no_other_report() -> None:
    studies = [study("a", sentence("first")), study("a", sentence("second")), study("b", sentence("third"))]
    assert drawn(OtherReports(studies, OwnSentences(studies, 0.5)), 0).keys() == {"third"}


def test_one_patient_alone_has_no_other() -> None:
    with pytest.raises(ModelFilesError, match="at least two patients"):
        OtherReports([SICK], OwnSentences([SICK], 0.5))


def test_the_control_is_not_told_what_is_true_of_an_image() -> None:
    studies, sentences = [WELL, SICK], [sentence("Clear."), SICK.sentences[0]]
    told = false_negatives([SICK, WELL], [WELL.sentences[0], SICK.sentences[0]])
    assert told[0, 1]  # the second sentence is true of the first study
    draw = OtherReports(STUDIES, OwnSentences(STUDIES, 0.5))
    assert draw.false_negatives(studies, sentences).sum() == 0
    assert draw.false_negatives(studies[::-1], sentences).sum() == 0


def test_sentences_that_read_alike_are_no_negatives_of_each_other() -> None:
    sentences = [sentence("Clear."), sentence("Effusion."), sentence("Clear.")]
    expected = [[False, False, True], [False, False, False], [True, False, False]]
    assert repeated_texts(sentences).tolist() == expected


@pytest.mark.parametrize(
    ("name", "kind"), [("own", OwnSentences), ("abnormal", AbnormalSentences), ("other_report", OtherReports)]
)
def test_a_recipe_names_its_draw(name: str, kind: type) -> None:
    assert isinstance(make_draw(SentencesConfig.model_validate({"draw": name}), 0.5, STUDIES), kind)
