"""negation: only a plain statement is denied, or its denial dropped, and nothing else of it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.dataset.phantom import PhantomDataset
from harness.nouns import NUMBERS, SAYS_NOTHING_ALONE, article, name_of_finding
from harness.perturbation.negation import CHANGE, NO_FORM, SEVERAL, UNSURE, Negation, negate, obstacle
from harness.subsets.words import denies
from tests.harness_fakes import LEFT_LUNG, record, sentence


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("There is a nodule.", "There is no nodule."),
        ("There is edema in the left lung.", "There is no edema in the left lung."),
        ("There are nodules", "There are no nodules"),
        ("On the left there is an effusion.", "On the left there is no effusion."),
        ("A small effusion is seen at the left base.", "No small effusion is seen at the left base."),
        ("Mild cardiomegaly is present.", "No mild cardiomegaly is present."),
        ("Reticular opacities are noted.", "No reticular opacities are noted."),
        ("The chest radiograph shows a RUL mass.", "The chest radiograph shows no RUL mass."),
        ("There is evidence of pneumonia.", "There is no evidence of pneumonia."),
        ("no pneumothorax", "pneumothorax"),
        ("No acute cardiopulmonary process.", "Acute cardiopulmonary process."),
        ("RUL nodule.", "No RUL nodule."),
        ("Small right effusion..", "No small right effusion.."),
        ("Absence of pneumothorax.", "Presence of pneumothorax."),
        ("Without effusion on the left.", "With effusion on the left."),
    ],
)
def test_a_plain_statement_and_its_denial(text, other):
    assert negate(text) == other
    assert obstacle(text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("No effusion or pneumothorax.", SEVERAL),
        ("There is a nodule and there is a mass.", SEVERAL),
        ("Left effusion with atelectasis.", SEVERAL),
        ("There is a nodule. There is a mass.", SEVERAL),
        ("There is no doubt that there is no nodule.", SEVERAL),
        ("Opacity due to collapse.", SEVERAL),
        ("Nodule (left).", SEVERAL),
        ("Opacity consistent with pneumonia.", SEVERAL),
        ("Possible pneumonia.", UNSURE),
        ("Findings suggest pneumonia.", UNSURE),
        ("There is no new effusion.", CHANGE),
        ("The effusion is unchanged.", CHANGE),
        ("Resolution of the pneumonia.", CHANGE),
        ("There is no longer an effusion.", CHANGE),
        ("The lungs are clear.", NO_FORM),
        ("There is no opacities.", NO_FORM),  # the verb does not agree: not a sentence to build on
        ("There are multiple nodules.", NO_FORM),
        ("There is a 8 mm nodule.", NO_FORM),
        ("There is also an effusion.", NO_FORM),
        ("Note right lower zone consolidation.", NO_FORM),
        ("The nodule is seen.", NO_FORM),
        ("Opacity in the left lung is dense.", NO_FORM),
        ("There is no evidence of failure.", NO_FORM),
        ("There is no frobnication.", NO_FORM),
        ("No.", NO_FORM),
        ("", NO_FORM),
    ],
)
def test_what_would_be_ungrammatical_or_ambiguous_is_left_alone_with_the_reason(text, reason):
    assert negate(text) is None
    assert obstacle(text) == reason


nouns = st.sampled_from(sorted(set(NUMBERS) - SAYS_NOTHING_ALONE))
adjectives = st.sampled_from(["", "small ", "left ", "acute ", "unilateral ", "ill-defined ", "RUL "])
places = st.sampled_from(["", " in the left lung", " at the right base", " on this study"])


@st.composite
def sentences(draw):
    """A sentence of one of the forms, with the usual article of its noun, affirmed or denied."""
    noun = draw(nouns)
    name, number = draw(adjectives) + noun, NUMBERS[noun]
    said = draw(st.booleans())
    some = f"{article(name)} {name}" if number == "count" else name
    phrase, verb = some if said else f"no {name}", "are" if number == "plural" else "is"
    texts = {
        "there": f"there {verb} {phrase}",
        "seen": f"{phrase} {verb} seen",
        "shows": f"the radiograph shows {phrase}",
        "fragment": name if said else f"no {name}",
        "with": f"{'with' if said else 'without'} {name}",
        "negative": f"{'positive' if said else 'negative'} for {name}",
        "absence": f"{'presence' if said else 'absence'} of {name}",
    }
    text = texts[draw(st.sampled_from(sorted(texts)))] + draw(places)
    return text[0].upper() + text[1:] + "."


@given(sentences())
def test_negating_twice_is_nothing_where_the_article_is_the_usual_one(text):
    other = negate(text)
    assert other is not None
    assert other != text
    assert denies(other) != denies(text)
    assert negate(other) == text


PIECES = [
    *("no", "No", "There", "there", "is", "are", "a", "an", "nodule", "edema", "opacities", "evidence", "of", "seen"),
    *("with", "without", "Negative", "for", "in", "left", "RUL", "and", "new", ".", "The radiograph shows"),
]
pieces = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)
letters = st.text(alphabet="NoTherisadulf.,-éı ", max_size=40)


@given(pieces | letters)
def test_negating_three_times_is_negating_once_whatever_the_text(text):
    once = negate(text)
    assert (once is None) == (obstacle(text) != "")
    if once is not None:
        twice = negate(once)
        assert twice is not None
        assert negate(twice) == once


def test_phantom_sentences_change_between_affirmed_and_denied():
    changed = 0
    for study in PhantomDataset(seed=5, patients=40):
        for case in Negation().cases(study):
            if case.applicable:
                changed += 1
                assert denies(case.text) == (not case.sentence.negated), case.sentence.text
                assert case.boxes == case.sentence.boxes
    assert changed > 80


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("small effusion on the left", ("effusion", "count")),
        ("enlargement of the heart", ("enlargement", "mass")),
        ("patchy areas of opacity", ("areas", "plural")),
        ("evidence of edema", ("evidence", "mass")),
        ("evidence of progress", None),
        ("the effusion", None),
        ("", None),
    ],
)
def test_the_noun_stands_before_the_first_preposition(words, found):
    assert name_of_finding(words) == found


@pytest.mark.parametrize(
    ("words", "word"),
    [
        *(("opacity", "an"), ("nodule", "a"), ("unilateral effusion", "a"), ("Ill-defined mass", "an")),
        *(("RUL mass", "an"), ("LUL mass", "an"), ("TB lesion", "a"), ("8 mm nodule", "an"), ("6 mm nodule", "a")),
    ],
)
def test_the_article_goes_by_the_sound(words, word):
    assert article(words) == word


def test_a_case_says_why_it_does_not_apply():
    study = record(0, sentence("a", "There is a nodule.", LEFT_LUNG), sentence("b", "Clear.", LEFT_LUNG))
    first, second = Negation().cases(study)
    assert (first.text, first.applicable, first.sends) == ("There is no nodule.", True, "text")
    assert (second.applicable, second.reason) == (False, NO_FORM)
