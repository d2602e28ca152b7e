"""A user's own subset: a small language, read and never executed, whose every fault is told with its column."""

import dataclasses
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.subsets import SubsetError
from harness.subsets.expression import DEEPEST, LONGEST, parse
from harness.subsets.facts import FACTS
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, record, sentence

RIGHT = sentence("right", "Opacity in the right lung.", RIGHT_LUNG)
BOTH = sentence("both", "Opacities on the left and on the right.", RIGHT_LUNG, LEFT_LUNG, label="lung opacity")
CLEAR = sentence("clear", "No effusion.", LEFT_LUNG, label="pleural effusion", context=False)
STUDY = dataclasses.replace(record(0, RIGHT, BOTH, CLEAR), strata={"view": "AP"})


def chosen(text):
    rule = parse(text)
    return [s.sentence_id for s in STUDY.sentences if rule(STUDY, s)]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("side == 'right' and box_share > 0.1 and not negated", ["right"]),
        ("side in ['right', 'both']", ["right", "both"]),
        ("side not in ('right', 'both')", ["clear"]),
        ("'lung opacity' in labels or 'pleural effusion' in denied_labels", ["both", "clear"]),
        ("2 <= word_count < 6", ["right", "clear"]),
        ("negated == True", ["clear"]),
        ("'opacit' in text", ["right", "both"]),
        ("'left lung' in regions and box_count == 1", ["clear"]),
        ("one_lung", ["right", "clear"]),
        ("strata['view'] == 'AP' and abnormal", ["right"]),
        ("strata['unknown'] == ''", ["right", "both", "clear"]),
        ("  not(side=='left' or\nnegated)", ["right", "both"]),
        ("word_count > -1 and sentences_per_image == 3", ["right", "both", "clear"]),
        ("box_count in [2, 3]", ["both"]),
    ],
)
def test_an_expression_selects_sentences(text, members):
    assert chosen(text) == members


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("side == left", "column 9 of 'side == left': unknown name 'left': write 'left', as texts stand in quotes"),
        ("side = 'left'", "column 6 of \"side = 'left'\": invalid syntax; use comparisons (==, "),
        ("sidee == 'left'", "column 1 of \"sidee == 'left'\": unknown name 'sidee': did you mean 'side'?"),
        (
            "negated and side == 'rigth'",
            "column 13 of \"negated and side == 'rigth'\": 'rigth' is no value: did you mean",
        ),
        ("side in ['left', 'rght']", "'rght' is no value"),
        ("box_share > 'large'", "column 1 of \"box_share > 'large'\": a number and a text cannot be compared so"),
        (
            "negated and word_count",
            "column 13 of 'negated and word_count': word_count is a number, expected true or false",
        ),
        ("side < 'right'", "a text and a text cannot be compared so"),
        ("'RML' in text", "'RML' is compared with small letters: write 'rml'"),
        ("not side", "column 5 of 'not side': side is a text, expected true or false"),
        ("word_count + 1 > 3", "column 1 of 'word_count + 1 > 3': word_count + 1 is not allowed"),
        ("text.upper() == 'A'", "text.upper() is not allowed"),
        ("__import__('os')", "__import__('os') is not allowed"),
        ("labels[0] == 'a'", "labels[0] is not allowed"),
        ("strata == 'AP'", "write strata['key']"),
        ("strata[1] == 'AP'", "strata[1] is not allowed"),
        ("side in []", "a list holds texts, or numbers, and at least one"),
        ("side in ['left', 1]", "a list holds texts, or numbers, and at least one"),
        ("'a' in box_count", "a text and a number cannot be compared so"),
        ("side is 'left'", "cannot be compared so"),
        ("side == None", "None is not allowed"),
        ("side == 'left", "column 9 of"),
        ("", "column 1 of"),
        ("side == 'left'; 1", "column 15"),
        ("(lambda: negated)()", "is not allowed"),
        ("[negated for x in labels]", "is not allowed"),
        ("negated if abnormal else one_lung", "is not allowed"),
        ("negated := True", "column"),
        ("f'{side}' == 'left'", "is not allowed"),
        ("'Größe' == sied", "column 12 of \"'Größe' == sied\": unknown name 'sied'"),
        ("'a'" * 400, f"more than {LONGEST}"),
        ("negated\x00", "null bytes"),
        ("not " * 200 + "negated", f"nested more than {DEEPEST} levels"),
        ("-" * 990 + "1", "'"),
        ("(" * 300 + "negated" + ")" * 300, "column"),
    ],
)
def test_a_fault_is_told_with_its_place(text, words):
    with pytest.raises(SubsetError) as caught:
        parse(text)
    assert words in str(caught.value)


@given(st.text(alphabet="abdegnorstuw_ ()[]'=<>!0.,:+-*/%{}\\\n#@;\"~^&|", max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    try:
        rule = parse(text)
    except SubsetError:
        return
    assert {rule(STUDY, s) for s in STUDY.sentences} <= {True, False}


OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = [fact for fact in FACTS if fact.kind == "number"]
TRUTHS = [fact for fact in FACTS if fact.kind == "truth"]
comparisons = st.builds(
    lambda fact, sign, number: (f"{fact.name} {sign} {number}", lambda r, s: OPERATORS[sign](fact.of(r, s), number)),
    st.sampled_from(NUMBERS),
    st.sampled_from(sorted(OPERATORS)),
    st.integers(-1, 9) | st.sampled_from([0.1, 0.25]),
)
truths = st.sampled_from([(fact.name, fact.of) for fact in TRUTHS])
conditions = st.recursive(
    comparisons | truths,
    lambda inner: st.one_of(
        st.builds(lambda a: (f"not ({a[0]})", lambda r, s: not a[1](r, s)), inner),
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", lambda r, s: a[1](r, s) and b[1](r, s)), inner, inner),
        st.builds(lambda a, b: (f"({a[0]}) or ({b[0]})", lambda r, s: a[1](r, s) or b[1](r, s)), inner, inner),
    ),
    max_leaves=6,
)


@given(conditions)
def test_connectives_and_comparisons_mean_what_they_say(condition):
    text, expected = condition
    if len(text) <= LONGEST:
        assert chosen(text) == [s.sentence_id for s in STUDY.sentences if expected(STUDY, s)]
