"""What a sentence says, apart from its wording."""

import pytest

from harness.case import Sentence
from harness.summary.meaning import meaning, meanings
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


def test_the_order_of_the_annotations_says_nothing():
    one, two = (sentence("x", "Opacities.", *boxes) for boxes in ((LEFT_LUNG, RIGHT_LUNG), (RIGHT_LUNG, LEFT_LUNG)))
    assert meaning(one) == meaning(two)


def test_what_a_sentence_without_annotations_says_is_not_known():
    vague = Sentence("vague", "Follow-up.", (RIGHT_LUNG,))
    assert meanings({"a": NODULE, "vague": vague}) == {"a": meaning(NODULE), "vague": None}
