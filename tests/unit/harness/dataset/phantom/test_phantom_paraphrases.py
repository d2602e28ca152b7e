"""The phantom's second wordings state the same, in other words of about the same number."""

import re

import numpy as np

from harness.case import ImageRecord, Sentence
from harness.dataset.phantom import PhantomDataset, mirror
from harness.dataset.phantom.mirror import mirror_text
from harness.dataset.phantom.normal import REMARKS
from harness.dataset.phantom.paraphrase import sense
from harness.dataset.phantom.templates import AFFIRMING, DENYING, PLACING
from harness.dataset.phantom.vocabulary import HELD_OUT_PAIRS, WORDS
from harness.perturbation.swap import sides_named
from harness.subsets.words import denies

HELD_OUT = re.compile(
    r"\b(?:identified|redemonstration|the study shows|visualized|absence of|projects|appears?)\b", re.IGNORECASE
)


def test_every_sentence_has_another_wording_of_about_its_length(phantom_sentences: list[Sentence]) -> None:
    assert all(s.paraphrase and s.paraphrase != s.text for s in phantom_sentences)
    longer = np.array([len(s.paraphrase.split()) - len(s.text.split()) for s in phantom_sentences])
    assert np.abs(longer).mean() < 0.5
    assert abs(longer.mean()) < 0.1


def test_it_names_the_same_sides_and_denies_as_the_sentence_does(phantom_sentences: list[Sentence]) -> None:
    for s in phantom_sentences:
        assert sides_named(s.paraphrase) == sides_named(s.text), s.paraphrase
        if s.strata["finding"] != "normal":
            assert denies(s.paraphrase) == denies(s.text) == s.negated, s.paraphrase


def test_it_speaks_of_the_same_kind_of_finding(phantom_sentences: list[Sentence]) -> None:
    for s in phantom_sentences:
        words = WORDS.get(s.strata["finding"])
        if words is not None:
            said = s.paraphrase.lower()
            assert any(noun.text in said or noun.text.replace("opacity", "opacities") in said for noun in words.nouns)


def test_it_speaks_of_the_past_as_the_sentence_does(phantom_sentences: list[Sentence]) -> None:
    for s in phantom_sentences:
        said, other = (re.sub(r"\bremain\b", "remains", text.lower()) for text in (s.text, s.paraphrase))
        assert sense(said) == sense(other), (s.text, s.paraphrase)


def test_every_pattern_of_the_past_has_its_sense() -> None:
    patterns = [p for group in (AFFIRMING, DENYING, PLACING) for p in (*group.seen, *group.held_out)]
    signs = re.compile("again|persist|unchanged|redemonstrat|new|development|placement|increasing")
    assert all((sense(p) == "plain") == (signs.search(p) is None) for p in patterns)
    assert {sense(p) for p in patterns} == {"plain", "new", "known", "growing"}


def test_it_is_held_out_where_the_sentence_is(phantom_sentences: list[Sentence]) -> None:
    for s in phantom_sentences:
        assert bool(HELD_OUT.search(s.text)) == bool(HELD_OUT.search(s.paraphrase)), (s.text, s.paraphrase)


def test_training_never_sees_a_held_out_pair_in_it() -> None:
    met = 0
    for record in PhantomDataset(seed=2, split="train", patients=80):
        for s in record.sentences:
            if s.strata["location"] == "zone" and s.strata["finding"] in WORDS:
                zone = s.boxes[-1].name.partition(" ")[2]
                names = [n.text for n in WORDS[s.strata["finding"]].nouns if n.text in s.paraphrase.lower()]
                assert (max(names, key=len), zone) not in HELD_OUT_PAIRS
                met += 1
    assert met > 50


def test_it_changes_sides_with_the_mirrored_patient(phantom_studies: list) -> None:
    for study in phantom_studies[:6]:
        for before, after in zip(study.record.sentences, mirror(study).record.sentences, strict=True):
            assert after.paraphrase == mirror_text(before.paraphrase)


def test_remarks_can_be_said_otherwise(phantom_records: list[ImageRecord]) -> None:
    remarks = [s for r in phantom_records for s in r.sentences if s.strata["finding"] == "normal"]
    subjects = {subject for remark in REMARKS for subject in remark.subjects}
    assert remarks
    assert all(any(subject in s.paraphrase.lower() for subject in subjects) for s in remarks)
