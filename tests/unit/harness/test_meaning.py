"""What a sentence says, apart from its wording."""

import pytest

from harness.case import Sentence
from harness.meaning import meaning, meaning_code
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, sentence

NODULE = sentence("a", "A nodule in the right lung.", RIGHT_LUNG, label="nodule")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (sentence("b", "Right-sided nodular density.", RIGHT_LUNG, label="nodule"), True),  # other words
        (sentence("b", "A nodule in the right lung.", RIGHT_LUNG, label="mass"), False),  # another label
        (sentence("b", "A nodule in the right lung.", LEFT_LUNG, label="nodule"), False),  # another region
        (sentence("b", "No nodule in the right lung.", RIGHT_LUNG, label="nodule", context=False), False),
        (sentence("b", "There is a nodule.", RIGHT_LUNG, label="nodule"), False),  # does not say where
        (sentence("b", "A nodule in the RUL.", RIGHT_LUNG, label="nodule"), True),  # names the side in another way
    ],
)
def test_sentences_mean_the_same_if_annotated_alike_and_naming_the_same_side(other, same):
    assert (meaning(NODULE) == meaning(other)) is same


@pytest.mark.parametrize(
    ("text", "says_where"),
    [
        ("There is a nodule.", False),
        ("Small round nodular density is seen on this study.", False),
        ("There is a nodule on the left.", True),
        ("Nodule in the upper lung.", True),
        ("Basilar nodules.", True),
        ("Nodules in both lungs.", True),
        ("Perihilar nodules.", True),
    ],
)
def test_where_a_finding_is_belongs_to_the_meaning_only_if_the_words_say_it(text: str, says_where: bool) -> None:
    here, there = (sentence("x", text, box, label="nodule") for box in (LEFT_LUNG, RIGHT_LUNG))
    assert (meaning(here) != meaning(there)) is says_where


def test_what_is_normal_or_absent_is_said_of_a_region() -> None:
    for claim in ({"label": "normal"}, {"label": "nodule", "context": False}):
        here, there = (sentence("x", "Unremarkable.", box, **claim) for box in (LEFT_LUNG, RIGHT_LUNG))
        assert meaning(here) != meaning(there)


def test_the_order_of_the_annotations_says_nothing():
    one, two = (sentence("x", "Opacities.", *boxes) for boxes in ((LEFT_LUNG, RIGHT_LUNG), (RIGHT_LUNG, LEFT_LUNG)))
    assert meaning(one) == meaning(two)


def test_what_a_sentence_without_annotations_says_is_not_known():
    vague = Sentence("vague", "Follow-up.", (RIGHT_LUNG,))
    assert meaning_code(vague) is None
    assert (
        meaning_code(NODULE)
        == meaning_code(NODULE)
        != meaning_code(sentence("b", "A nodule.", RIGHT_LUNG, label="nodule"))
    )
