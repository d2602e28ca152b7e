import re
from collections import Counter

import numpy as np
import pytest

from harness.case import ImageRecord, Sentence, Triple
from harness.dataset.phantom import PhantomDataset, is_true
from harness.dataset.phantom.findings import KINDS
from harness.dataset.phantom.regions import REGION_NAMES
from harness.dataset.phantom.templates import AFFIRMING, DENYING, PLACING
from harness.dataset.phantom.vocabulary import HELD_OUT_PAIRS, WORDS

SIDE_WORDS = re.compile(r"\b([Ll]eft|[Rr]ight|LUL|LLL|RUL|RLL)\b")


def share(sentences: list[Sentence], **strata: str) -> float:
    return float(np.mean([all(s.strata[key] == value for key, value in strata.items()) for s in sentences]))


def lengths(sentences: list[Sentence], **strata: str) -> np.ndarray:
    wanted = strata.items()
    return np.array([len(s.text.split()) for s in sentences if all(s.strata[k] == v for k, v in wanted)])


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Chance that a positive is larger than a negative, ties a half."""
    return float(np.mean((positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)))


def test_every_sentence_is_true_of_its_study(
    phantom_test_set: PhantomDataset, phantom_records: list[ImageRecord]
) -> None:
    for index in range(0, len(phantom_records), 3):
        facts = phantom_test_set.plan(index).facts
        for sentence in phantom_records[index].sentences:
            assert is_true(sentence, facts), sentence.text


def test_every_finding_is_reported_so_that_nothing_unsaid_is_there(
    phantom_test_set: PhantomDataset, phantom_records: list[ImageRecord]
) -> None:
    for index in range(0, len(phantom_records), 3):
        reported = Counter(s.strata["finding"] for s in phantom_records[index].sentences if s.abnormal)
        present = Counter(finding.kind.key for finding in phantom_test_set.plan(index).findings)
        assert reported.keys() == present.keys()
        assert all(1 <= reported[key] <= present[key] for key in present)


def test_a_sentence_has_the_boxes_of_the_regions_of_its_triples(phantom_records: list[ImageRecord]) -> None:
    for record in phantom_records:
        regions = {box.name: box for box in record.regions}
        for sentence in record.sentences:
            assert {box.name for box in sentence.boxes} == {triple.region for triple in sentence.triples}
            assert all(box == regions[box.name] for box in sentence.boxes)


def test_triples_follow_chest_imagenome(phantom_sentences: list[Sentence]) -> None:
    labels = {kind.label for kind in KINDS.values()}
    for sentence in phantom_sentences:
        triples, regions = set(sentence.triples), {triple.region for triple in sentence.triples}
        assert regions <= set(REGION_NAMES)
        match sentence.strata["polarity"], sentence.strata["finding"]:
            case "affirmed", "device":
                assert not sentence.abnormal
            case "affirmed", finding:
                expected = {Triple(r, label, True) for r in regions for label in (KINDS[finding].label, "abnormal")}
                assert triples == expected
            case "negated", _:
                assert all(not t.context and t.label in labels for t in triples)
            case _:
                assert triples == {Triple(region, "normal", True) for region in regions}


def test_negated_says_whether_something_is_denied(phantom_sentences: list[Sentence]) -> None:
    denial = re.compile(r"\b(no|without|negative for|absence of)\b", re.IGNORECASE)
    for sentence in phantom_sentences:
        if sentence.strata["polarity"] != "normal":  # "without free air" calls a part normal
            assert bool(denial.search(sentence.text)) == sentence.negated, sentence.text


def test_the_words_name_a_side_exactly_when_the_location_does(phantom_sentences: list[Sentence]) -> None:
    for sentence in phantom_sentences:
        sides = {"left" if word[0] in "lL" else "right" for word in SIDE_WORDS.findall(sentence.text)}
        named = {box.name.split()[0] for box in sentence.boxes}
        if sentence.strata["location"] in ("side", "zone"):
            assert sides == named, sentence.text
        else:
            assert not sides, sentence.text


def test_every_stratum_is_well_filled(phantom_sentences: list[Sentence]) -> None:
    for location, least in {"none": 0.15, "side": 0.25, "zone": 0.2, "organ": 0.05}.items():
        assert share(phantom_sentences, location=location) > least
    for polarity, least in {"affirmed": 0.3, "negated": 0.3, "normal": 0.1}.items():
        assert share(phantom_sentences, polarity=polarity) > least
    for bucket in ("short", "medium", "long"):
        assert share(phantom_sentences, word_count=bucket) > 0.1
    assert share(phantom_sentences, location="none", polarity="affirmed") > 0.05


def test_a_quarter_of_the_sentences_speaks_of_one_lung(phantom_sentences: list[Sentence]) -> None:
    sides = [sentence.lung_side for sentence in phantom_sentences]
    assert 0.2 < np.mean([side is not None for side in sides]) < 0.3
    assert 0.4 < np.mean([side == "left" for side in sides if side]) < 0.6


def test_many_boxes_are_small(phantom_records: list[ImageRecord]) -> None:
    def covered(record: ImageRecord, sentence: Sentence) -> float:
        return sum((b.x1 - b.x0) * (b.y1 - b.y0) for b in sentence.boxes) / (record.width * record.height)

    shares = [covered(record, sentence) for record in phantom_records for sentence in record.sentences]
    assert np.mean(np.array(shares) < 0.1) > 0.3


def test_word_count_tells_nothing_about_negation(phantom_sentences: list[Sentence]) -> None:
    affirmed = lengths(phantom_sentences, polarity="affirmed")
    assert 0.45 < auroc(affirmed, lengths(phantom_sentences, polarity="negated")) < 0.55
    assert 0.45 < auroc(affirmed, lengths(phantom_sentences, polarity="normal")) < 0.55


@pytest.mark.parametrize("kind", KINDS)
def test_word_count_tells_nothing_about_the_finding(kind: str, phantom_sentences: list[Sentence]) -> None:
    every = np.array([len(sentence.text.split()) for sentence in phantom_sentences])
    assert 0.4 < auroc(lengths(phantom_sentences, finding=kind), every) < 0.6


def test_texts_are_sentences(phantom_sentences: list[Sentence]) -> None:
    for sentence in phantom_sentences:
        assert re.fullmatch(r"[A-Z][A-Za-z' -]+\.", sentence.text), sentence.text
        assert "  " not in sentence.text
        assert 2 <= len(sentence.text.split()) <= 20


def test_wording_varies(phantom_sentences: list[Sentence]) -> None:
    assert len({sentence.text for sentence in phantom_sentences}) > 0.8 * len(phantom_sentences)


def test_the_vocabulary_is_that_of_reports(phantom_sentences: list[Sentence]) -> None:
    used = set(re.findall(r"[a-z]+", " ".join(sentence.text.lower() for sentence in phantom_sentences)))
    assert {
        *("opacity", "opacification", "consolidation", "infiltrate", "pneumonia", "effusion", "pneumothorax", "nodule"),
        *("mass", "atelectasis", "edema", "cardiomegaly", "hilar", "interstitial", "lobe", "base", "basilar", "apex"),
        *("costophrenic", "angle", "zone", "hilum", "hemidiaphragm", "mediastinum", "lung", "hemithorax", "bilateral"),
    } <= used


@pytest.mark.parametrize("split", ["train", "validation"])
def test_nothing_held_out_for_test_is_seen_elsewhere(split: str) -> None:
    held_out = [p.split("{")[0].strip() for patterns in (AFFIRMING, DENYING, PLACING) for p in patterns.held_out]
    openings = tuple(text for text in held_out if text and text != "no")
    assert openings
    for record in PhantomDataset(seed=1, split=split, patients=120):
        for sentence in record.sentences:
            assert sentence.strata["template"] == "seen"
            assert not sentence.text.lower().startswith(openings)
            assert not re.search(r"\b(identified|visualized|appears?)\b", sentence.text)


def test_the_test_split_marks_what_was_held_out(phantom_sentences: list[Sentence]) -> None:
    assert 0.15 < share(phantom_sentences, template="held_out") < 0.4
    for sentence in phantom_sentences:
        if re.search(r"\b(identified|visualized|redemonstration|absence)\b", sentence.text.lower()):
            assert sentence.strata["template"] == "held_out"


def test_every_name_and_every_zone_keeps_pairs_to_learn_from() -> None:
    zones = ("upper lung zone", "mid lung zone", "lower lung zone")
    for key in (key for key, kind in KINDS.items() if kind.spread == "focal"):
        names = {noun.text for noun in WORDS[key].nouns}
        for zone in zones:
            assert len([name for name in names if (name, zone) in HELD_OUT_PAIRS]) == 1
        for name in names:
            assert [zone for zone in zones if (name, zone) not in HELD_OUT_PAIRS]


@pytest.mark.parametrize("split", ["train", "test"])
def test_held_out_pairs_meet_in_the_test_split_only(split: str, phantom_records: list[ImageRecord]) -> None:
    records = phantom_records if split == "test" else list(PhantomDataset(seed=1, split=split, patients=120))
    met = [
        sentence
        for record in records
        for sentence in record.sentences
        if sentence.strata["location"] == "zone"
        and sentence.strata["finding"] in WORDS
        and any(_names(sentence, *pair) for pair in HELD_OUT_PAIRS)
    ]
    assert bool(met) == (split == "test")
    assert all(sentence.strata["template"] == "held_out" for sentence in met)


def _names(sentence: Sentence, name: str, zone: str) -> bool:
    """Whether a sentence speaks of this zone, and by this name: the longest of its kind that occurs in the text."""
    nouns = [noun.text for noun in WORDS[sentence.strata["finding"]].nouns if noun.text in sentence.text.lower()]
    return sentence.boxes[-1].name.partition(" ")[2] == zone and max(nouns, key=len) == name
