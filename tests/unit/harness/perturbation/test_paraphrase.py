"""paraphrase: the data set's own second wording."""

import dataclasses

import pytest

from harness.perturbation.paraphrase import NO_OTHER_WORDING, SAME_WORDING, Paraphrase
from tests.harness_fakes import LEFT_LUNG, record, sentence


@pytest.mark.parametrize(
    ("other", "text", "reason"),
    [
        ("A nodule is seen.", "A nodule is seen.", ""),
        ("", "There is a nodule.", NO_OTHER_WORDING),
        ("There is a nodule.", "There is a nodule.", SAME_WORDING),
    ],
)
def test_the_second_wording_is_sent_where_there_is_one(other, text, reason):
    own = dataclasses.replace(sentence("s", "There is a nodule.", LEFT_LUNG), paraphrase=other)
    (case,) = Paraphrase().cases(record(0, own))
    assert (case.text, case.reason, case.applicable) == (text, reason, not reason)
    assert (case.boxes, case.sends) == ((LEFT_LUNG,), "text")
