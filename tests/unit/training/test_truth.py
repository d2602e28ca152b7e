"""Which sentences are true of an image: all of it is known of a phantom, of a patient the report alone."""

import pytest

from harness.case import Box, Sentence, Triple
from harness.dataset.phantom import PhantomDataset
from harness.dataset.phantom import is_true as is_fact
from training.studies import Study
from training.truth import is_true, present, true_pairs

RIGHT, LEFT = Box("right lung", 0, 0, 1, 1), Box("left lung", 1, 0, 2, 1)


def said(text: str, *triples: tuple[str, str, bool]) -> Sentence:
    return Sentence(text, text, (), tuple(Triple(*triple) for triple in triples))


def patient(*sentences: Sentence) -> Study:
    return Study("p", sentences, None, (0, 0, 1, 1))


OPACITY = said("Opacity in the right lung.", ("right lung", "opacity", True), ("right lung", "abnormal", True))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (OPACITY, True),
        (said("A right-sided opacity.", ("right lung", "opacity", True)), True),  # says less, in other words
        (said("OPACITY in the  right lung"), True),  # without annotations, but word for word
        (said("There is an opacity.", ("left lung", "opacity", True)), True),  # names no place
        (said("Opacity in the left lung.", ("left lung", "opacity", True)), False),
        (
            said("Opacity and mass.", ("right lung", "opacity", True), ("right lung", "mass", True)),
            False,
        ),
        (said("No opacity in the right lung.", ("right lung", "opacity", False)), False),
        (said("No pneumothorax.", ("left lung", "pneumothorax", False)), False),  # not stated: unknown
        (said("Something else."), False),
    ],
    ids=lambda value: value.text if isinstance(value, Sentence) else "",
)
def test_a_report_confirms_what_it_states_itself(sentence: Sentence, expected: bool) -> None:
    assert is_true(sentence, patient(OPACITY)) == expected


def test_a_denial_is_confirmed_by_the_same_denial() -> None:
    denial = said("No effusion on the left.", ("left lung", "effusion", False))
    assert is_true(said("Left lung without effusion.", ("left lung", "effusion", False)), patient(denial))
    assert not is_true(said("There is an effusion.", ("left lung", "effusion", True)), patient(denial))


def test_where_regions_have_no_side_the_words_must_agree_in_it() -> None:
    right = said("Nodule in the right lung.", ("nodule", "nodule", True))
    left = said("Nodule in the left lung.", ("nodule", "nodule", True))
    assert not is_true(left, patient(right))
    assert is_true(right, patient(right, left))


EFFUSION, NODULE = ("effusion", "effusion", True), ("nodule", "nodule", True)
APART = [said("Effusion on the right.", EFFUSION), said("Nodule on the left.", NODULE)]


@pytest.mark.parametrize(
    ("report", "sentence", "expected"),
    [
        (APART, said("Effusion and nodule on the left.", EFFUSION, NODULE), False),
        (APART, said("Nodule in the left lung.", NODULE), True),
        (APART, said("Effusion and nodule.", EFFUSION, NODULE), True),
        (
            [*APART, said("Effusion on the left.", EFFUSION)],
            said("Effusion and nodule on the left.", EFFUSION, NODULE),
            True,
        ),
        (
            [said("Effusion on the right, nodule on the left.", EFFUSION, NODULE)],
            said("Left effusion.", EFFUSION),
            False,
        ),
        ([said("Nodule on the left and on the right.", NODULE)], said("Left nodule.", NODULE), True),
        (
            [said("Effusion on the right.", ("right lung", "effusion", True)), APART[1]],
            said("Nodule on the left, right effusion.", ("right lung", "effusion", True), NODULE),
            False,  # which side the nodule has is not known
        ),
        (
            [
                said("Right effusion.", ("right lung", "effusion", True)),
                said("Left mass.", ("left lung", "mass", True)),
            ],
            said("Left mass, right effusion.", ("right lung", "effusion", True), ("left lung", "mass", True)),
            True,
        ),
    ],
)
def test_each_finding_is_stated_of_the_sides_that_are_named(
    report: list[Sentence], sentence: Sentence, expected: bool
) -> None:
    assert is_true(sentence, patient(*report)) == expected


def test_of_a_phantom_everything_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.truth._Report", None)  # what its report states is not asked
    records = [PhantomDataset(0, "train", 4).study(i) for i in range(4)]
    studies = [Study(r.record.patient_id, r.record.sentences, r.facts, (0, 0, 1, 1)) for r in records]
    sentences = [sentence for r in records for sentence in r.record.sentences]
    expected = [[is_fact(sentence, r.facts) for sentence in sentences] for r in records]
    assert true_pairs(studies, sentences) == expected
    assert present(studies[0]) == records[0].facts


def test_what_a_report_affirms_is_known_to_be_there() -> None:
    denial = said("No effusion.", ("left lung", "effusion", False))
    assert present(patient(OPACITY, denial)) == frozenset(OPACITY.triples)
