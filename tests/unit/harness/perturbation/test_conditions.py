"""synthetic_swapped_conditions: other conditions at the same places, in the same plain words."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from harness.case import Sentence, Triple
from harness.perturbation.conditions import ConditionPool, SyntheticSwappedConditions, choose
from tests.harness_fakes import LEFT_LUNG, record

LEFT, RIGHT = "left lung", "right lung"


def statement(i, *triples):
    return Sentence(f"s{i}", f"Words {i}.", (LEFT_LUNG,), tuple(Triple(*each) for each in triples))


def swapped(own, *others, seed=0):
    """The case of the sentence `own` in a data set that holds the others too."""
    records = [record(i, each) for i, each in enumerate([own, *others])]
    (case,) = SyntheticSwappedConditions(ConditionPool(records), seed).cases(records[0])
    return case


def test_a_condition_gives_way_to_one_that_occurs_at_the_identical_places():
    own = statement(0, (LEFT, "nodule", True), (RIGHT, "nodule", True))
    both = statement(1, (RIGHT, "edema", True), (LEFT, "edema", True))
    left_alone = statement(2, (LEFT, "mass", True))
    case = swapped(own, both, left_alone)
    assert case.text == "There is edema in the lungs."
    assert case.boxes == own.boxes


def test_the_denial_of_what_is_said_is_no_other_condition():
    own = statement(0, (LEFT, "nodule", True))
    assert not swapped(own, statement(1, (LEFT, "nodule", False))).applicable


def test_normal_is_the_denial_of_abnormal():
    own = statement(0, (LEFT, "abnormal", True))
    assert not swapped(own, statement(1, (LEFT, "normal", True))).applicable
    assert swapped(own, statement(1, (LEFT, "mass", False))).text == "There is no mass."


def test_replacements_are_distinct_and_do_not_contradict_each_other():
    own = statement(0, (LEFT, "nodule", True), (LEFT, "mass", True))
    some = statement(1, (LEFT, "edema", True)), statement(2, (LEFT, "normal", True))
    assert not swapped(own, *some).applicable  # edema and normal do not go together
    enough = swapped(own, *some, statement(3, (LEFT, "effusion", False)))
    assert enough.applicable
    assert not ("edema" in enough.text and "normal" in enough.text)


def test_without_another_condition_or_annotations_it_does_not_apply():
    assert swapped(statement(0, (LEFT, "nodule", True))).reason == "no other conditions occur at its places"
    assert swapped(statement(0)).reason == "has no annotations"


def test_the_id_alone_decides():
    labels = ["nodule", "mass", "edema", "effusion", "atelectasis", "opacity"]
    records = [record(i, statement(i, (LEFT, label, True))) for i, label in enumerate(labels)]
    shuffled = records.copy()
    random.Random(1).shuffle(shuffled)

    def texts(order, seed):
        perturbation = SyntheticSwappedConditions(ConditionPool(order), seed)
        return {case.sentence.sentence_id: case.text for each in order for case in perturbation.cases(each)}

    assert texts(records, 0) == texts(shuffled, 0)
    assert texts(records, 0) != texts(records, 1)


conditions = st.tuples(
    st.sampled_from([LEFT, RIGHT]),
    st.sampled_from(["normal", "abnormal", "nodule", "mass", "edema"]),
    st.booleans(),
)


@given(st.lists(st.lists(conditions, max_size=4, unique=True), min_size=1, max_size=8))
def test_nothing_is_said_of_what_the_sentence_speaks_of(said):
    records = [record(i, statement(i, *triples)) for i, triples in enumerate(said)]
    perturbation = SyntheticSwappedConditions(ConditionPool(records), 0)
    for each in records:
        (case,) = perturbation.cases(each)
        if case.applicable:
            assert not any(triple.label in case.text for triple in case.sentence.triples)


def go_together(chosen):
    """As the perturbation promises: about different things, and normal only beside denials."""
    meanings = [("abnormal", not there) if label == "normal" else (label, there) for label, there in chosen]
    subjects = [subject for subject, _ in meanings]
    contradict = ("abnormal", False) in meanings and any(there for _, there in meanings)
    return len(set(subjects)) == len(subjects) and not contradict


choices = st.tuples(st.sampled_from(["normal", "abnormal", "nodule", "mass", "edema"]), st.booleans())


@given(st.lists(st.lists(choices, max_size=5, unique=True), max_size=4))
def test_the_first_choice_that_goes_together_is_found(options):
    assert choose(options) == next(filter(go_together, itertools.product(*options)), None)


def test_many_conditions_with_many_options_are_chosen_at_once_even_where_the_last_has_none():
    options = [[(f"label {i} {j}", True) for j in range(100)] for i in range(12)]
    assert choose(options) == tuple(each[0] for each in options)
    assert choose([*options, [("nodule", True)], [("nodule", False)]]) is None
    assert choose([*options, []]) is None
