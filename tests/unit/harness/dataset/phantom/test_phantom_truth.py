import pytest

from harness.case import Sentence, Triple
from harness.dataset.phantom import is_true, sentence_key
from harness.dataset.phantom.findings import KINDS, Finding


def sentence(location: str, *triples: tuple[str, str, bool]) -> Sentence:
    return Sentence("s", "…", (), tuple(Triple(*triple) for triple in triples), strata={"location": location})


NODULE = Finding(KINDS["nodule"], "left", ("left upper lung zone",), ("left upper lung zone",), 0.5, 0.3, 0.1, 1.0)
EFFUSION = Finding(
    KINDS["effusion"], "right", ("right costophrenic angle",), ("right lower lung zone",), 0.0, 0.0, 0.3, 1.0
)
FACTS = NODULE.facts | EFFUSION.facts


@pytest.mark.parametrize(
    "said",
    [
        sentence("zone", ("left upper lung zone", "nodule", True), ("left upper lung zone", "abnormal", True)),
        sentence("side", ("left lung", "nodule", True), ("left lung", "abnormal", True)),
        sentence("side", ("right lung", "nodule", False)),
        sentence("side", ("right costophrenic angle", "pleural effusion", True)),
        sentence("zone", ("left lower lung zone", "normal", True)),
        sentence("none", ("left lung", "pneumothorax", False), ("right lung", "pneumothorax", False)),
    ],
)
def test_what_holds_is_true(said: Sentence) -> None:
    assert is_true(said, FACTS)


@pytest.mark.parametrize(
    "said",
    [
        sentence("zone", ("right upper lung zone", "nodule", True)),
        sentence("zone", ("left mid lung zone", "nodule", True)),
        sentence("side", ("left lung", "nodule", False)),
        sentence("none", ("left lung", "nodule", False), ("right lung", "nodule", False)),
        sentence("none", ("left lung", "normal", True), ("right lung", "normal", True)),
        sentence("zone", ("right lower lung zone", "pleural effusion", False)),
        sentence("organ", ("cardiac silhouette", "enlarged cardiac silhouette", True)),
    ],
)
def test_one_false_triple_makes_a_sentence_false(said: Sentence) -> None:
    assert not is_true(said, FACTS)


def test_a_finding_without_a_place_is_true_wherever_it_is() -> None:
    elsewhere = (("right lower lung zone", "nodule", True), ("right lower lung zone", "abnormal", True))
    assert is_true(sentence("none", *elsewhere), FACTS)
    assert not is_true(sentence("zone", *elsewhere), FACTS)
    assert not is_true(sentence("none", *elsewhere), EFFUSION.facts)


def test_a_consolidation_is_an_opacity_too_but_not_the_other_way_round() -> None:
    dense = Finding(KINDS["consolidation"], "left", ("left mid lung zone",), (), 0.5, 0.3, 0.1, 1.0)
    hazy = Finding(KINDS["opacity"], "left", ("left mid lung zone",), (), 0.5, 0.3, 0.1, 1.0)
    opacity = sentence("zone", ("left mid lung zone", "lung opacity", True))
    consolidation = sentence("zone", ("left mid lung zone", "consolidation", True))
    assert is_true(opacity, dense.facts)
    assert not is_true(consolidation, hazy.facts)


def test_equal_claims_have_equal_keys_whatever_the_order_of_the_triples() -> None:
    one = (("left lung", "nodule", True), ("left lung", "abnormal", True))
    assert sentence_key(sentence("side", *one)) == sentence_key(sentence("side", *one[::-1]))
    assert sentence_key(sentence("side", *one)) != sentence_key(sentence("side", ("right lung", "nodule", True)))
    assert sentence_key(sentence("side", one[0])) != sentence_key(sentence("side", ("left lung", "nodule", False)))


def test_findings_without_a_place_have_one_key_wherever_they_are() -> None:
    here, there = (("left lung", "nodule", True),), (("right mid lung zone", "nodule", True),)
    assert sentence_key(sentence("none", *here)) == sentence_key(sentence("none", *there))
    assert sentence_key(sentence("side", *here)) != sentence_key(sentence("zone", *there))
