"""shuffle_in_report: boxes are dealt out again; as few sentences as can be keep their own set."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.case import Box
from harness.perturbation.shuffle import ShuffleInReport
from tests.harness_fakes import record, sentence


def boxes(k):
    return Box(f"region {k}", k, 0, k + 1, 10)


def report(kinds):
    return record(0, *(sentence(f"s{i}", f"Sentence {i}.", boxes(kind)) for i, kind in enumerate(kinds)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_as_few_as_can_be_keep_their_own_boxes(kinds):
    cases = ShuffleInReport(seed=0).cases(report(kinds))
    most = max(Counter(kinds).values())
    assert sum(not case.applicable for case in cases) == max(0, 2 * most - len(kinds))
    assert all(case.boxes != case.sentence.boxes for case in cases if case.applicable)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=9))
def test_it_is_a_permutation(kinds):
    cases = ShuffleInReport(seed=0).cases(report(kinds))
    assert Counter(case.boxes for case in cases) == Counter(case.sentence.boxes for case in cases)


def test_the_order_of_the_sentences_changes_nothing():
    forward, backward = report([0, 1, 2, 3, 1]), report([0, 1, 2, 3, 1])
    backward = record(0, *reversed(forward.sentences))
    shuffle = ShuffleInReport(seed=5)
    donors = {case.sentence.sentence_id: case.donor_id for case in shuffle.cases(forward)}
    assert donors == {case.sentence.sentence_id: case.donor_id for case in shuffle.cases(backward)}


def test_the_model_is_not_asked_again():
    assert all(case.sends == "nothing" for case in ShuffleInReport(seed=0).cases(report([0, 1])) if case.applicable)


def test_a_sentence_without_boxes_has_none_to_exchange():
    """It would leave another sentence with nothing to be held against."""
    study = record(0, *report([0, 1, 2]).sentences, sentence("bare", "Follow-up."))
    cases = {case.sentence.sentence_id: case for case in ShuffleInReport(seed=0).cases(study)}
    assert not cases["bare"].applicable
    assert cases["bare"].reason == "has no boxes"
    assert {case.boxes for case in cases.values() if case.applicable} == {(boxes(k),) for k in range(3)}
